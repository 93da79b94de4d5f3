//! What an invariant says of itself.

use super::shadow::ASKS;
use crate::subject::{Declaration, Expectation, Needs};

/// What there is to say of an invariant.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// What must hold.
    pub statement: &'static str,
    /// Participation kinds, modes and releases it presupposes, and what happens to the class without them.
    pub premises: &'static str,
    /// What a pass does not mean.
    pub not: &'static str,
    /// False if CPython never promised it.
    pub promised: bool,
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
