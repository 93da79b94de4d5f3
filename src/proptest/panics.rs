//! Panics of a subject, caught and put into words.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// A panic that was caught.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Panicked {
    /// File, line and column; empty if they are not known.
    pub place: String,
    /// What it said.
    pub message: String,
}

thread_local! {
    /// This thread catches panics, and nothing is to be printed about them.
    static CATCHES: Cell<bool> = const { Cell::new(false) };
    /// Where the last one was.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Calls a function whose panics are results. They are not printed: a reduction meets thousands.
///
/// What the function was changing may be left half done, and must not be used after a panic.
pub(super) fn caught<T>(function: impl FnOnce() -> T) -> Result<T, Panicked> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |info| {
            if !note(info) {
                others(info)
            }
        }));
    });
    PLACE.take();
    CATCHES.set(true);
    let result = catch_unwind(AssertUnwindSafe(function));
    CATCHES.set(false);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        Panicked { place: PLACE.take(), message: text.unwrap_or("a value that is no text").to_owned() }
    })
}

/// Takes note of where a panic happened; false if this thread does not catch it.
fn note(info: &PanicHookInfo<'_>) -> bool {
    if CATCHES.get() {
        PLACE.set(info.location().map_or_else(String::new, ToString::to_string));
    }
    CATCHES.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_has_its_place_and_its_message() {
        assert_eq!(caught(|| 7), Ok(7));
        let panicked = caught(|| panic!("no {}", "more")).unwrap_err();
        assert_eq!(panicked.message, "no more");
        assert!(panicked.place.contains("panics.rs:"), "{}", panicked.place);
        assert_eq!(caught(|| std::panic::panic_any(5)).unwrap_err().message, "a value that is no text");
    }
}
