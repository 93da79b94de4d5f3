//! What a broken invariant is reported as.

use super::Invariant;
use crate::event::ObjId;
use crate::subject::Expectation;

pub use crate::scenario::text::Class;

/// The phase of a collection in which something happened, as `known-bugs.md` section 2 names them.
///
/// Events show when user code and `tp_clear` run; the phases between (`Leg`, `Wr1`, `Res`, `Wr2`) show no event of
/// their own, so a judge never reports them, but a subject that knows its phase can.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Phase {
    /// No collection runs.
    Mutator,
    /// Entries of `gc.callbacks` run before the collection proper.
    Start,
    /// The unreachable set is found.
    Ded,
    /// Legacy finalizers are set aside.
    Leg,
    /// Weak references to and in the trash are handled.
    Wr1,
    /// Callbacks run.
    Cb,
    /// Finalizers run.
    Fin,
    /// Resurrected objects are found.
    Res,
    /// Weak references are cleared for the second time.
    Wr2,
    /// The trash is cleared.
    Del,
}

impl Phase {
    /// Every phase, in the order of a collection.
    pub const ALL: [Phase; 10] = [
        Phase::Mutator,
        Phase::Start,
        Phase::Ded,
        Phase::Leg,
        Phase::Wr1,
        Phase::Cb,
        Phase::Fin,
        Phase::Res,
        Phase::Wr2,
        Phase::Del,
    ];

    /// The word used in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Phase::Mutator => "mutator",
            Phase::Start => "START",
            Phase::Ded => "DED",
            Phase::Leg => "LEG",
            Phase::Wr1 => "WR1",
            Phase::Cb => "CB",
            Phase::Fin => "FIN",
            Phase::Res => "RES",
            Phase::Wr2 => "WR2",
            Phase::Del => "DEL",
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

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
