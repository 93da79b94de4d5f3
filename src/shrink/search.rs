//! The search: the best scenario so far, and what has been tried.

use super::edit;
use super::measure::{Measure, compare};
use super::pass::{CLEANUP, Pass, REMOVAL};
use super::{Budget, Progress, Reduction};
use crate::scenario::{Op, Scenario};
use std::cell::Cell;
use std::collections::HashSet;
use std::hash::Hash;
use xxhash_rust::xxh3::Xxh3;

/// One search.
pub(super) struct Search<'a> {
    best: Scenario,
    measure: Measure,
    predicate: &'a mut dyn FnMut(&Scenario) -> bool,
    progress: &'a mut dyn FnMut(&Progress),
    budget: u64,
    tries: u64,
    stop: Cell<bool>,
    /// The first success ends the search: minimality is checked, nothing is reduced.
    checking: bool,
    succeeded: bool,
    reduction: Reduction,
    /// Digests of the scenarios that were tried: asked for membership only.
    tried: HashSet<u128>,
    /// The candidate before normalization.
    scratch: Scenario,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        scenario: &Scenario,
        predicate: &'a mut dyn FnMut(&Scenario) -> bool,
        budget: Budget,
        progress: &'a mut dyn FnMut(&Progress),
    ) -> Search<'a> {
        Search {
            measure: Measure::of(scenario),
            best: scenario.clone(),
            predicate,
            progress,
            budget: budget.tries,
            tries: 0,
            stop: Cell::new(false),
            checking: false,
            succeeded: false,
            reduction: Reduction::Tail,
            tried: HashSet::new(),
            scratch: Scenario::new(),
        }
    }

    /// The smallest scenario so far.
    pub(super) fn best(&self) -> &Scenario {
        &self.best
    }

    pub(super) fn into_best(self) -> Scenario {
        self.best
    }

    pub(super) fn tries(&self) -> u64 {
        self.tries
    }

    /// Calls the predicate on the input, then replaces the input by its normal form if that satisfies it too.
    pub(super) fn confirm(&mut self) -> bool {
        if self.budget == 0 {
            return false;
        }
        self.tries += 1;
        if !(self.predicate)(&self.best) {
            return false;
        }
        self.tried.insert(digest(&self.best));
        self.attempt(edit::copy);
        true
    }

    /// Applies all reductions until a full round accepts nothing; false if the search was ended before.
    ///
    /// Removals come first, because everything else takes more tries on a larger scenario.
    pub(super) fn run(&mut self) -> bool {
        loop {
            while self.round(REMOVAL) {}
            if !self.round(CLEANUP) || mutant!(ReducerStopsAfterARound) {
                return !self.ended();
            }
        }
    }

    /// Tries every reduction; true if none is accepted.
    pub(super) fn check(&mut self) -> bool {
        self.checking = true;
        self.attempt(edit::copy);
        self.round(REMOVAL);
        self.round(CLEANUP);
        !self.succeeded
    }

    /// Applies each pass once; true if anything was accepted and the search may go on.
    fn round(&mut self, passes: &[(Reduction, Pass)]) -> bool {
        let before = self.measure;
        let ops = self.best.clone();
        for (reduction, pass) in passes {
            if self.ended() {
                return false;
            }
            self.reduction = *reduction;
            pass(self);
        }
        !self.ended() && (self.measure != before || self.best != ops)
    }

    /// True if nothing may be tried any more.
    pub(super) fn ended(&self) -> bool {
        self.stop.get()
            || self.tries >= self.budget + u64::from(mutant!(ReducerTriesOnceMore))
            || (self.checking && self.succeeded)
    }

    /// Tries one edit of the best scenario: `edit` writes the candidate from the best. True if it is accepted.
    pub(super) fn attempt(&mut self, edit: impl FnOnce(&Scenario, &mut Scenario)) -> bool {
        if self.ended() {
            return false;
        }
        self.scratch.clear();
        edit(&self.best, &mut self.scratch);
        let candidate = self.scratch.normalize();
        let measure = Measure::of(&candidate);
        if compare((&measure, &candidate), (&self.measure, &self.best)).is_ge() {
            return false;
        }
        if !self.tried.insert(digest(&candidate)) || mutant!(ReducerSkipsOrder) && self.reduction == Reduction::Order {
            return false;
        }
        self.tries += 1;
        let improved = (self.predicate)(&candidate) || mutant!(ReducerAcceptsAnything) && self.tries == 9;
        if improved {
            self.best = candidate;
            self.measure = measure;
            self.succeeded = true;
        }
        (self.progress)(&Progress {
            tries: self.tries,
            reduction: self.reduction,
            best: &self.best,
            improved,
            stop: &self.stop,
        });
        improved
    }

    /// Tries the best scenario with each operation replaced by what `change` makes of it; `None` removes it.
    pub(super) fn attempt_map(&mut self, mut change: impl FnMut(usize, Op) -> Option<Op>) -> bool {
        self.attempt(|best, out| edit::filter_map(best, out, &mut change))
    }

    /// Tries alternatives for each operation, the last operation first, until none is accepted.
    pub(super) fn replace_each(&mut self, mut alternatives: impl FnMut(&Scenario, usize, &mut Vec<Op>)) {
        let mut found = Vec::new();
        let mut position = self.best.ops().len();
        while position > 0 && !self.ended() {
            let index = position - 1;
            found.clear();
            alternatives(&self.best, index, &mut found);
            let accepted =
                found.iter().any(|other| self.attempt_map(|i, op| Some(if i == index { *other } else { op })));
            position = if accepted { position.min(self.best.ops().len()) } else { index };
        }
    }
}

fn digest(scenario: &Scenario) -> u128 {
    let mut state = Xxh3::new();
    scenario.hash(&mut state);
    state.digest128()
}
