//! What a broken invariant is reported as.

use super::Invariant;
use crate::event::ObjId;
use crate::subject::Expectation;

pub use crate::event::Phase;
pub use crate::scenario::text::Class;

/// A value that was expected or observed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Detail {
    /// Nothing to say.
    Nothing,
    /// A number, of what the sentence says.
    Count(u32),
    /// A few words.
    Words(&'static str),
}

impl std::fmt::Display for Detail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Detail::Nothing => Ok(()),
            Detail::Count(n) => write!(f, "{n}"),
            Detail::Words(words) => f.write_str(words),
        }
    }
}

/// One broken invariant at one event.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Violation {
    /// Which invariant.
    pub invariant: Invariant,
    /// Who is to blame.
    pub class: Class,
    /// Why it is documented or unpromised, if an entry of the table of expectations says so.
    pub why: Option<Expectation>,
    /// When.
    pub phase: Phase,
    /// Index of the event in the stream (for a snapshot's facts, of the first event after the snapshot). Nothing if
    /// runs of other scenarios, made from this one, were compared: no event of this run shows it.
    pub event: Option<u32>,
    /// Index of the operation of the main body that ran then. Nothing where none did, or there is no event.
    pub step: Option<u32>,
    /// The object it is about.
    pub object: Option<ObjId>,
    /// Another object involved: `invariant::Description::sentence` says which.
    pub other: Option<ObjId>,
    /// What the invariant asks for.
    pub expected: Detail,
    /// What was seen instead.
    pub observed: Detail,
}

impl Violation {
    /// Where it is written that it is no fault; for what is unpromised, what a user sees.
    pub fn source(&self) -> &'static str {
        self.why.map_or("no text speaks of it", Expectation::source)
    }
}
