//! The first phase of a collection, in which no user code runs: what it examines, what of that it finds unreachable, and where
//! what it keeps goes.

use super::frame::Phase;
use super::{Execution, PhasePoint};
use crate::model::collector::unreachable::Found;
use crate::model::collector::{Switch, legacy, unreachable, untracking, weakrefs};
use crate::model::heap::{Flag, List};
use crate::scenario::Shape;

impl Execution<'_, '_> {
    /// Merge, reachability, untracking, legacy finalizers, first weak reference pass.
    pub(super) fn deduce(&mut self) -> Option<Phase> {
        let generation = self.process.interp.running.generation;
        let set = self.gather(generation);
        self.process.interp.running.set = set;
        self.show(PhasePoint::Start);
        let mut found = match unreachable::deduce_unreachable(
            &mut self.process.heap,
            set,
            List::UNREACHABLE,
            &self.process.rules,
        ) {
            Ok(found) => found,
            Err(reason) => {
                self.stop = Some(reason);
                return None;
            }
        };
        if self.process.rules.has_bugs() {
            found = Found { set: found.set.anything(), unreachable: found.unreachable.anything() };
        }
        let trash = found.unreachable;
        self.process.interp.running.trash = trash;
        self.process.interp.running.quiet = !found.set.flags.has(Flag::UNFAITHFUL);
        if self.has(Switch::BugClearLiveWeakrefs)
            && let Err(reason) = weakrefs::clear_after_finalizers(&mut self.process.heap, set)
        {
            self.stop = Some(reason);
            return None;
        }
        if self.has(Switch::BugCallbacksOfSurvivors)
            && let Err(reason) = weakrefs::clear_before_finalizers(&mut self.process.heap, set, &self.process.rules)
        {
            self.stop = Some(reason);
            return None;
        }
        self.keep_survivors(set, generation, &found);
        let has_legacy = trash.flags.has(Flag::LEGACY);
        if has_legacy {
            legacy::split_legacy(&mut self.process.heap, List::UNREACHABLE);
        }
        self.show(PhasePoint::Deduced);
        self.process.interp.running.counted =
            if has_legacy { self.process.heap.count(List::UNREACHABLE) } else { trash.count };
        if trash.concern_weakrefs()
            && let Err(reason) =
                weakrefs::clear_before_finalizers(&mut self.process.heap, List::UNREACHABLE, &self.process.rules)
        {
            self.stop = Some(reason);
            return None;
        }
        if self.has(Switch::BugCallbacksOldestFirst) || self.reversed {
            self.process.heap.reverse(List::CALLS);
        }
        if trash.count == 0 && self.observer.is_none() && !self.process.rules.has_bugs() {
            // Every list that the phases in between work on is empty.
            return Some(Phase::Finish);
        }
        self.show(PhasePoint::WeakrefsCleared);
        Some(Phase::Callbacks)
    }

    /// Counters and lists: the list whose members the collection examines.
    fn gather(&mut self, generation: u8) -> List {
        let (gc, heap) = (&mut self.process.interp.gc, &mut self.process.heap);
        if !self.process.rules.has(Switch::Incremental) {
            gc.begin(heap, generation, self.process.interp.running.automatic, &self.process.rules);
            return List::generation(generation);
        }
        gc.count = [0; 3];
        match generation {
            0 => List::GEN0,
            1 => {
                heap.merge(List::GEN0, List::INCREMENT);
                heap.merge(List::GEN1, List::INCREMENT);
                List::INCREMENT
            }
            _ => {
                heap.merge(List::GEN0, List::GEN1);
                heap.merge(List::GEN1, List::GEN2);
                List::GEN2
            }
        }
    }

    fn keep_survivors(&mut self, set: List, generation: u8, found: &Found) {
        let mut kept = found.set.count.saturating_sub(found.unreachable.count);
        if found.set.shapes.has(Shape::Tuple) {
            kept = kept.saturating_sub(untracking::untrack_eligible(&mut self.process.heap, set, Shape::Tuple));
        }
        if self.has(Switch::BugUntrackSurvivors) {
            let mut o = self.process.heap.object(set.head()).next;
            while o != set.head() {
                let next = self.process.heap.object(o).next;
                self.process.heap.untrack(o);
                o = next;
            }
        }
        if self.has(Switch::BugFinalizeSurvivors)
            && let Some(o) = self.process.heap.first(set)
            && self.process.heap.object(o).has(Flag::FINALIZES)
        {
            self.process.heap.set(o, Flag::COLLECTING);
            self.process.heap.move_to(List::UNREACHABLE, o);
        }
        if self.has(Switch::BugCollectionLeaks)
            && let Some(o) = self.process.heap.first(set)
        {
            self.process.heap.add_reference(o);
        }
        if self.has(Switch::BugCountSurvivors) {
            self.process.interp.running.freed += self.process.heap.count(set);
        }
        if self.process.rules.has_bugs() {
            kept = self.process.heap.count(set);
        }
        if generation == 2 {
            if found.set.shapes.has(Shape::Dict) && self.has(Switch::LazyDictTracking) {
                let untracked = untracking::untrack_eligible(&mut self.process.heap, set, Shape::Dict);
                kept = kept.saturating_sub(untracked);
            }
            self.process.interp.gc.long_lived_pending = 0;
            self.process.interp.gc.long_lived_total = kept;
            if self.has(Switch::BugSurvivorsGetYounger) {
                self.process.heap.merge(set, List::GEN0);
            }
            if self.has(Switch::Incremental) {
                self.process.heap.merge(List::GEN2, List::GEN1);
            }
            return;
        }
        if generation == 1 {
            self.process.interp.gc.long_lived_pending += kept;
        }
        let old = self.old();
        if set != old {
            self.process.heap.merge(set, old);
        }
        if self.has(Switch::Incremental) && generation == 1 {
            // The pending space is empty now: the two old spaces change places.
            self.process.heap.merge(List::GEN2, List::GEN1);
        }
    }
}
