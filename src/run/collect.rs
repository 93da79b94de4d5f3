//! A collection: the phases in order, with user code between them (semantics 4.2, 4.9).

use super::frame::{Frame, Phase};
use super::{Exec, Machine, Moment, Running, View};
use crate::collector::{Switch, legacy, reach, survivors, weakrefs};
use crate::event::{Code, Event, Sink};
use crate::heap::{Flag, Idx, List, NIL};
use crate::scenario::{Finalizer, Shape};

impl<S: Sink> Exec<'_, S> {
    /// An explicit collection, or the report that one is running already.
    pub(super) fn collect(&mut self, generation: u8, automatic: bool) {
        if self.m.gc.collecting {
            self.sink.event(Event::Refused);
            return;
        }
        self.start_collection(generation.min(2), automatic);
    }

    /// One step of the running collection.
    pub(super) fn collect_step(&mut self, phase: Phase) {
        match phase {
            Phase::StartCallbacks(next) => {
                if !self.gc_callback(next, Phase::StartCallbacks(next + 1)) {
                    self.push(Frame::Collect { phase: Phase::Deduce });
                }
            }
            Phase::Deduce => self.deduce(),
            Phase::Callbacks => self.next_callback(),
            Phase::CallbackDone(weak) => {
                if self.has(Switch::BugCallbackBeforeClear) {
                    self.m.heap.clear_weak(weak);
                }
                self.push(Frame::Collect { phase: Phase::CallbackDropped(weak) });
                self.decref(weak);
            }
            Phase::CallbackDropped(weak) => {
                if self.m.heap.first(List::CALLS) == Some(weak) {
                    self.m.heap.move_to(self.old(), weak);
                } else {
                    self.running.freed += 1;
                }
                self.push(Frame::Collect { phase: Phase::Callbacks });
            }
            Phase::Finalizers => self.next_finalizer(),
            Phase::FinalizerDone(o) => {
                self.push(Frame::Collect { phase: Phase::Finalizers });
                if self.has(Switch::BugStopFinalizersEarly) && self.m.heap.object(o).refcount == 1 {
                    let mut rest = self.m.heap.first(List::UNREACHABLE);
                    while let Some(other) = rest {
                        self.m.heap.move_to(List::SEEN, other);
                        rest = self.m.heap.first(List::UNREACHABLE);
                    }
                }
                self.decref(o);
            }
            Phase::Resurrection => self.resurrection(),
            Phase::Clearing => self.next_clear(),
            Phase::ClearDone(o) => {
                self.push(Frame::Collect { phase: Phase::ClearDropped(o) });
                self.decref(o);
            }
            Phase::ClearDropped(o) => {
                if self.m.heap.first(List::FINAL) == Some(o) {
                    self.m.heap.object_mut(o).unset(Flag::COLLECTING);
                    if self.has(Switch::BugLoseSurvivorsOfClear) {
                        self.m.heap.unlink(o);
                        self.m.heap.append(List::INCREMENT, o);
                    } else {
                        self.m.heap.move_to(self.old(), o);
                    }
                }
                self.push(Frame::Collect { phase: Phase::Clearing });
            }
            Phase::Finish => self.finish(),
            Phase::StopCallbacks(next) => {
                if self.gc_callback(next, Phase::StopCallbacks(next + 1)) {
                    return;
                }
                self.m.gc.collecting = false;
                let Running { generation, counted, freed, uncollectable, .. } = self.running;
                let mut returned = counted + freed + uncollectable;
                if self.has(Switch::BugCountOneMore) && returned > 0 {
                    returned += 1;
                }
                self.sink.event(Event::CollectEnd { generation, returned, uncollectable });
                self.snapshot();
            }
        }
    }

    fn show(&mut self, moment: Moment) {
        let Machine { heap, gc, vars, .. } = &*self.m;
        let Running { generation, set, .. } = self.running;
        self.observer.moment(moment, &View { heap, gc, vars, generation, set });
    }

    /// Where survivors of the running collection go.
    fn old(&self) -> List {
        if self.has(Switch::BugSurvivorsGetYounger) {
            return List::GEN0;
        }
        match self.running.generation {
            0 if !self.has(Switch::Incremental) => List::GEN1,
            _ => List::GEN2,
        }
    }

    /// Calls entry `next` of `gc.callbacks`; false if there is none.
    fn gc_callback(&mut self, next: u32, then: Phase) -> bool {
        let Some(callable) = self.m.gc.callbacks.get(next as usize).copied() else { return false };
        self.push(Frame::Collect { phase: then });
        self.incref(callable);
        self.call(Code::GcCallback, callable, NIL, callable);
        true
    }

    /// Merge, reachability, survivors, legacy finalizers, first weak reference pass.
    fn deduce(&mut self) {
        let generation = self.running.generation;
        let rules = self.m.rules;
        let set = self.gather(generation);
        self.running.set = set;
        self.show(Moment::Start);
        if let Err(reason) = reach::deduce_unreachable(&mut self.m.heap, set, List::UNREACHABLE, rules) {
            self.stop = Some(reason);
            return;
        }
        if self.has(Switch::BugClearLiveWeakrefs) {
            weakrefs::clear_after_finalizers(&mut self.m.heap, set);
        }
        if self.has(Switch::BugCallbacksOfSurvivors)
            && let Err(reason) = weakrefs::clear_before_finalizers(&mut self.m.heap, set, rules)
        {
            self.stop = Some(reason);
            return;
        }
        self.keep_survivors(set, generation);
        legacy::split_legacy(&mut self.m.heap, List::UNREACHABLE);
        self.show(Moment::Deduced);
        if self.has(Switch::CountBeforeCallbacks) {
            self.running.counted = self.m.heap.count(List::UNREACHABLE);
        }
        if let Err(reason) = weakrefs::clear_before_finalizers(&mut self.m.heap, List::UNREACHABLE, rules) {
            self.stop = Some(reason);
            return;
        }
        if self.has(Switch::BugCallbacksOldestFirst) || self.reversed {
            self.reverse(List::CALLS);
        }
        self.show(Moment::WeakrefsCleared);
        self.push(Frame::Collect { phase: Phase::Callbacks });
    }

    /// Counters and lists: the list whose members the collection examines.
    fn gather(&mut self, generation: u8) -> List {
        let (gc, heap) = (&mut self.m.gc, &mut self.m.heap);
        if !self.m.rules.has(Switch::Incremental) {
            gc.begin(heap, generation, self.m.rules);
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

    fn keep_survivors(&mut self, set: List, generation: u8) {
        let rules = self.m.rules;
        survivors::untrack_eligible(&mut self.m.heap, set, Shape::Tuple);
        if self.has(Switch::BugUntrackSurvivors) {
            let mut o = self.m.heap.object(set.head()).next;
            while o != set.head() {
                let next = self.m.heap.object(o).next;
                self.m.heap.untrack(o);
                o = next;
            }
        }
        if self.has(Switch::BugFinalizeSurvivors)
            && let Some(o) = self.m.heap.first(set)
            && self.m.heap.object(o).has(Flag::FINALIZES)
        {
            self.m.heap.object_mut(o).set(Flag::COLLECTING);
            self.m.heap.move_to(List::UNREACHABLE, o);
        }
        if self.has(Switch::BugCollectionLeaks)
            && let Some(o) = self.m.heap.first(set)
        {
            self.m.heap.object_mut(o).refcount += 1;
        }
        if self.has(Switch::BugCountSurvivors) {
            self.running.freed += self.m.heap.count(set);
        }
        let gc = &mut self.m.gc;
        if generation == 2 {
            if rules.has(Switch::LazyDictTracking) {
                survivors::untrack_eligible(&mut self.m.heap, set, Shape::Dict);
            }
            gc.long_lived_pending = 0;
            gc.long_lived_total = self.m.heap.count(set);
            if rules.has(Switch::BugSurvivorsGetYounger) {
                self.m.heap.merge(set, List::GEN0);
            }
            if rules.has(Switch::Incremental) {
                self.m.heap.merge(List::GEN2, List::GEN1);
            }
            return;
        }
        if generation == 1 {
            gc.long_lived_pending += self.m.heap.count(set);
        }
        let old = self.old();
        if set != old {
            self.m.heap.merge(set, old);
        }
        if rules.has(Switch::Incremental) && generation == 1 {
            // The pending space is empty now: the two old spaces change places.
            self.m.heap.merge(List::GEN2, List::GEN1);
        }
    }

    fn next_callback(&mut self) {
        let Some(weak) = self.m.heap.first(List::CALLS) else {
            self.show(Moment::CallbacksDone);
            self.push(Frame::Collect { phase: Phase::Finalizers });
            return;
        };
        self.push(Frame::Collect { phase: Phase::CallbackDone(weak) });
        let callback = self.m.heap.weak(weak).callback;
        if callback == NIL {
            return;
        }
        if self.has(Switch::BugCallbackTwice) {
            self.incref(callback);
            self.incref(weak);
            self.push(Frame::Drop { o: weak });
            self.push(Frame::Callback { weak, callback });
        }
        self.call(Code::Callback, callback, weak, NIL);
    }

    fn next_finalizer(&mut self) {
        while let Some(o) = self.m.heap.first(List::UNREACHABLE) {
            let object = *self.m.heap.object(o);
            self.m.heap.move_to(List::SEEN, o);
            let Some(Finalizer::Modern(script)) = object.kind.finalizer else { continue };
            if !self.has(Switch::Pep442)
                || !object.has(Flag::FINALIZES)
                || object.has(Flag::FINALIZED)
                || self.has(Switch::BugClearBeforeFinalizers)
            {
                continue;
            }
            if !self.has(Switch::BugNoFinalizedBit) {
                self.m.heap.object_mut(o).set(Flag::FINALIZED);
            }
            if self.has(Switch::BugSkipFinalizers) {
                continue;
            }
            self.incref(o);
            self.push(Frame::Collect { phase: Phase::FinalizerDone(o) });
            self.enter(Code::Finalizer, o, NIL, Some(script));
            return;
        }
        if self.has(Switch::BugFinalizeLegacyReachable) && self.finalize_uncollectable() {
            return;
        }
        self.m.heap.merge(List::SEEN, List::UNREACHABLE);
        self.show(Moment::FinalizersDone);
        self.push(Frame::Collect { phase: Phase::Resurrection });
    }

    /// The planted bug that finalizes what legacy objects reach: calls the next such finalizer; false if there is none.
    fn finalize_uncollectable(&mut self) -> bool {
        let mut o = self.m.heap.object(List::LEGACY.head()).next;
        while o != List::LEGACY.head() {
            let object = *self.m.heap.object(o);
            let due = object.has(Flag::FINALIZES) && !object.has(Flag::FINALIZED) && !object.has(Flag::LEGACY);
            if due && let Some(Finalizer::Modern(script)) = object.kind.finalizer {
                self.m.heap.object_mut(o).set(Flag::FINALIZED);
                self.incref(o);
                self.push(Frame::Collect { phase: Phase::FinalizerDone(o) });
                self.enter(Code::Finalizer, o, NIL, Some(script));
                return true;
            }
            o = object.next;
        }
        false
    }

    fn resurrection(&mut self) {
        if let Err(reason) = self.split_resurrected() {
            self.stop = Some(reason);
            return;
        }
        if self.has(Switch::ClearWeakrefsAfterFinalizers) {
            weakrefs::clear_after_finalizers(&mut self.m.heap, List::FINAL);
        }
        if !self.has(Switch::CountBeforeCallbacks) {
            self.running.counted = self.m.heap.count(List::FINAL);
        }
        self.show(Moment::ResurrectionChecked);
        if self.has(Switch::BugSkipFirstClear)
            && let Some(o) = self.m.heap.first(List::FINAL)
        {
            self.m.heap.object_mut(o).unset(Flag::COLLECTING);
            self.m.heap.move_to(self.old(), o);
        }
        self.push(Frame::Collect { phase: Phase::Clearing });
    }

    fn split_resurrected(&mut self) -> Result<(), crate::event::Undefined> {
        let rules = self.m.rules;
        let old = if self.has(Switch::BugLoseResurrected) { List::SEEN } else { self.old() };
        let heap = &mut self.m.heap;
        if !rules.has(Switch::CheckResurrection) || rules.has(Switch::BugNoResurrectionCheck) {
            heap.merge(List::UNREACHABLE, List::FINAL);
            return Ok(());
        }
        if rules.has(Switch::RescueOnlyResurrected) {
            reach::clear_flags(heap, List::UNREACHABLE);
            let shallow =
                if rules.has(Switch::BugShallowRescue) { rules.with(Switch::BugShallowReachability) } else { rules };
            reach::deduce_unreachable(heap, List::UNREACHABLE, List::FINAL, shallow)?;
            heap.merge(List::UNREACHABLE, old);
        } else if reach::has_outside_reference(heap, List::UNREACHABLE, rules)? {
            reach::clear_flags(heap, List::UNREACHABLE);
            heap.merge(List::UNREACHABLE, old);
        } else {
            heap.merge(List::UNREACHABLE, List::FINAL);
        }
        Ok(())
    }

    fn next_clear(&mut self) {
        let Some(o) = self.m.heap.first(List::FINAL) else {
            self.show(Moment::Cleared);
            self.push(Frame::Collect { phase: Phase::Finish });
            return;
        };
        if self.m.gc.save_all {
            self.incref(o);
            self.m.gc.garbage.push(o);
            self.push(Frame::Collect { phase: Phase::ClearDropped(o) });
            return;
        }
        if !self.m.heap.object(o).has(Flag::CLEARABLE) {
            self.push(Frame::Collect { phase: Phase::ClearDropped(o) });
            return;
        }
        self.incref(o);
        let object = self.m.heap.id(o);
        self.sink.event(Event::Clear { object });
        self.push(Frame::Collect { phase: Phase::ClearDone(o) });
        self.start_clear(o);
    }

    fn finish(&mut self) {
        self.running.uncollectable = self.m.heap.count(List::LEGACY);
        let mut o = self.m.heap.object(List::LEGACY.head()).next;
        while o != List::LEGACY.head() {
            let object = self.m.heap.object_mut(o);
            let next = object.next;
            if (self.m.gc.save_all || object.has(Flag::LEGACY)) && !self.m.rules.has(Switch::BugForgetGarbage) {
                object.refcount += 1;
                self.m.gc.garbage.push(o);
            }
            o = next;
        }
        self.m.heap.merge(List::LEGACY, self.old());
        self.push(Frame::Collect { phase: Phase::StopCallbacks(0) });
    }

    /// The planted bug of an exception that escapes: the rest of the collection does not happen.
    pub(super) fn abandon_collection(&mut self) {
        let Some(at) = self.m.frames.iter().rposition(|f| matches!(f, Frame::Collect { .. })) else { return };
        self.m.frames[at] = Frame::Collect { phase: Phase::Finish };
        let old = self.old();
        for list in [List::UNREACHABLE, List::SEEN, List::FINAL, List::CALLS] {
            reach::clear_flags(&mut self.m.heap, list);
            self.m.heap.merge(list, old);
        }
    }

    fn reverse(&mut self, list: List) {
        let mut last: Option<Idx> = None;
        while let Some(o) = self.m.heap.first(list) {
            self.m.heap.unlink(o);
            self.m.heap.object_mut(o).gc_refs = last.map_or(-1, |l| l as i32);
            last = Some(o);
        }
        while let Some(o) = last {
            let before = self.m.heap.object(o).gc_refs;
            self.m.heap.append(list, o);
            last = (before >= 0).then_some(before as Idx);
        }
    }
}
