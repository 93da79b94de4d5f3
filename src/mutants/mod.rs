//! Mutants: faults of the harness itself, planted where its oracle, model, files and searches decide something, to see that
//! a test notices each of them.
//!
//! A build with the feature `mutants` has one of them if the environment variable [`VARIABLE`] names it when the
//! process asks first; without the feature every hook is a constant `false`. `tests/mutants.rs` runs each mutant with the one test that
//! the table says must fail.
//!
//! There are two sorts: those of the [table](Mutant), each planted by hand at a `mutant!` of its name; and three for every
//! invariant, which need no hook of their own: see [`Fault`].

mod table;

pub use table::{EVENTS, Mutant};

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::LazyLock;

/// The environment variable that names the mutant.
pub const VARIABLE: &str = "CORONER_MUTANT";

/// True if the mutant of the table with this name is the one that runs: never without the feature `mutants`.
macro_rules! mutant {
    ($name:ident) => {
        cfg!(feature = "mutants") && $crate::mutants::is($crate::mutants::Mutant::$name)
    };
}

/// How it is known that a mutant is noticed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caught {
    /// This test fails: the target (`lib`, or a file of `tests/`), a space, the test's path.
    By(&'static str),
    /// Nothing can notice it, for this reason.
    Equivalent(&'static str),
}

/// What is broken of an invariant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It never fails: what breaks it is counted as passed.
    Emptied,
    /// Its class is turned: what is the collector's fault is a type's, what is not is the collector's.
    Turned,
    /// It does not hear one event that it reads: the one that [`EVENTS`] has for it never comes.
    Deaf,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 3] = [Fault::Emptied, Fault::Turned, Fault::Deaf];

    /// What the word of such a mutant begins with; the invariant's code follows.
    pub const fn prefix(self) -> &'static str {
        match self {
            Fault::Emptied => "emptied-",
            Fault::Turned => "turned-",
            Fault::Deaf => "deaf-",
        }
    }
}

/// The mutant that runs.
enum Chosen {
    OfTable(Mutant),
    OfInvariant(Fault, String),
}

static CHOSEN: LazyLock<Option<Chosen>> = LazyLock::new(|| {
    let word = std::env::var(VARIABLE).ok()?;
    let of_invariant = |fault: &Fault| Some(Chosen::OfInvariant(*fault, word.strip_prefix(fault.prefix())?.to_owned()));
    let of_table = || Mutant::ALL.iter().find(|mutant| mutant.word() == word).map(|mutant| Chosen::OfTable(*mutant));
    let chosen = of_table().or_else(|| Fault::ALL.iter().find_map(of_invariant));
    Some(chosen.unwrap_or_else(|| panic!("{VARIABLE}: no mutant is called {word}")))
});

/// True if this mutant of the table runs.
pub fn is(mutant: Mutant) -> bool {
    matches!(&*CHOSEN, Some(Chosen::OfTable(chosen)) if *chosen == mutant)
}

/// True if the invariant with this code has the fault.
#[inline(always)]
pub fn has(fault: Fault, code: &str) -> bool {
    cfg!(feature = "mutants")
        && matches!(&*CHOSEN, Some(Chosen::OfInvariant(chosen, of)) if *chosen == fault && of == code)
}

/// The event that an invariant reads and is deaf to, by the name of its variant.
pub fn event_of(code: &str) -> Option<&'static str> {
    EVENTS.iter().find(|(of, _)| *of == code).map(|(_, event)| *event)
}

/// The events of a run without those to which a deaf invariant is: all of them, unless such a mutant runs.
pub fn heard<E: Clone + Debug>(events: &[E]) -> Cow<'_, [E]> {
    let Some(Chosen::OfInvariant(Fault::Deaf, code)) = &*CHOSEN else { return Cow::Borrowed(events) };
    let unheard = event_of(code).unwrap_or_else(|| panic!("nobody says which event {code} is deaf to"));
    let is_heard = |event: &&E| {
        let debug = format!("{event:?}");
        debug.split(|c: char| !c.is_alphanumeric()).next() != Some(unheard)
    };
    Cow::Owned(events.iter().filter(is_heard).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn words_are_words_and_their_own() {
        let words: BTreeSet<&str> = Mutant::ALL.iter().map(|mutant| mutant.word()).collect();
        assert_eq!(words.len(), Mutant::ALL.len());
        for word in words {
            assert!(word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{word}");
            assert!(Fault::ALL.iter().all(|fault| !word.starts_with(fault.prefix())), "{word}");
        }
    }

    #[test]
    fn every_mutant_has_a_reason_or_a_test() {
        for mutant in Mutant::ALL {
            assert!(!mutant.breaks().is_empty());
            match mutant.caught() {
                Caught::By(test) => assert!(test.split_once(' ').is_some_and(|(_, path)| !path.contains("digest"))),
                Caught::Equivalent(reason) => assert!(reason.len() > 20, "{mutant:?}"),
            }
        }
    }
}
