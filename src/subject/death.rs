//! How a process died.

use crate::event::{Event, Place};

/// How a process died, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Death {
    /// The signal or exit code, and what it said.
    pub how: String,
    /// Where it was, as far as its events show it.
    pub place: Place,
}

impl Death {
    /// A death after these events.
    pub fn new(how: &str, events: &[Event]) -> Death {
        Death { how: how.to_owned(), place: Place::after(events) }
    }
}

impl std::fmt::Display for Death {
    /// `signal 11 (SIGSEGV) while collect(2) of step 7, phase DEL`, then what the process said.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (signal, said) = self.how.split_once(": ").unwrap_or((&self.how, ""));
        let word = if self.place.collecting.is_some() || self.place.is_over { "while" } else { "in" };
        write!(f, "{signal} {word} {}", self.place)?;
        if said.is_empty() { Ok(()) } else { write!(f, ": {said}") }
    }
}
