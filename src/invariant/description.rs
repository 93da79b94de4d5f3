//! What an invariant says of itself.

use super::shadow::ASKS;
use crate::subject::{Declaration, Expectation, Needs, Promise};

/// Why breaking an invariant can be the collector's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ground {
    /// Memory is used after its release, released twice, or lost track of: needs no text.
    MemorySafety,
    /// Nothing reachable is torn down, nothing dead is seen: needs no text.
    Reachability,
    /// A finalizer, a callback and a release happen at most once: needs no text.
    AtMostOnce,
    /// Garbage goes, and a callback that is due runs: needs no text.
    Liveness,
    /// A text promises it to users of Python.
    Promise(Promise),
}

impl Ground {
    /// A few words.
    pub const fn words(self) -> &'static str {
        match self {
            Ground::MemorySafety => "memory safety",
            Ground::Reachability => "reachability",
            Ground::AtMostOnce => "at most once",
            Ground::Liveness => "liveness",
            Ground::Promise(promise) => promise.text().word,
        }
    }
}

/// What there is to say of an invariant.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// What must hold.
    pub statement: &'static str,
    /// Participation kinds, modes and releases it presupposes, and what happens to the class without them.
    pub premises: &'static str,
    /// What a pass does not mean.
    pub not: &'static str,
    /// On what it rests. If on nothing, what breaks it is documented or unpromised.
    pub rests: &'static [Ground],
    /// What has to be observed of a run, or it is not judged.
    pub needs: Needs,
    /// What it asks about the subject: the excuses that it cites, and choices. What is found unreachable has questions of
    /// its own: see [`Description::all_asks`].
    pub asks: &'static [Expectation],
    /// How a violation reads; `{object}`, `{other}`, `{expected}` and `{observed}` are filled in.
    pub sentence: &'static str,
}

impl Description {
    /// What of a subject's expectations the verdict depends on: what the invariant asks by itself, and what is asked to know
    /// what a collection finds unreachable, if it needs to.
    pub fn all_asks(&self) -> impl Iterator<Item = Expectation> {
        let found = if self.needs.covers(Needs::UNREACHABLE) { ASKS } else { &[] };
        found.iter().chain(self.asks).copied()
    }

    /// True if a subject shows what the invariant needs, and its choices are known. An excuse of which nothing is known
    /// does not hold.
    pub fn fits(&self, declaration: &Declaration) -> bool {
        let open = |e: Expectation| e.excuses().is_none() && !declaration.expectations.knows(e);
        declaration.observes.covers(self.needs) && !self.all_asks().any(open)
    }
}
