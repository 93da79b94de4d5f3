//! A collection: the phases in order, with user code between them. The first of them is in [`super::deduce`].

use super::frame::{Frame, Phase};
use super::interpreter::RunningCollection;
use super::{Execution, Observer, PhasePoint, Process, View};
use crate::event::{Code, Event};
use crate::model::collector::{AskedRules, Rules, Switch, unreachable, weakrefs};
use crate::model::heap::{Flag, Idx, List, NIL};
use crate::scenario::{Finalizer, Shape};

impl Execution<'_, '_> {
    /// An explicit collection, or the report that one is running already.
    pub(super) fn collect(&mut self, generation: u8, automatic: bool) {
        if self.process.interp.gc.collecting {
            if !mutant!(RefusalsAreSilent) {
                self.sink.event(Event::Refused);
            }
            return;
        }
        self.start_collection(generation.min(2), automatic);
    }

    /// Goes on with the running collection, up to the first phase that leaves something on top of the stack.
    pub(super) fn collect_step(&mut self, mut phase: Phase) {
        while let Some(next) = self.phase(phase) {
            if self.stop.is_some() {
                return;
            }
            phase = next;
        }
    }

    /// One step of the running collection: the next, unless it waits on the stack below what has to be done first.
    #[inline(always)]
    fn phase(&mut self, phase: Phase) -> Option<Phase> {
        match phase {
            Phase::StartCallbacks(next) => {
                (!self.gc_callback(next, Phase::StartCallbacks(next + 1))).then_some(Phase::Deduce)
            }
            Phase::Deduce => self.deduce(),
            Phase::Callbacks => self.next_callback(),
            Phase::CallbackDone(weak) => {
                if self.has(Switch::BugCallbackBeforeClear) {
                    self.process.heap.clear_weak(weak);
                }
                self.drop_then(weak, Phase::CallbackDropped(weak))
            }
            Phase::CallbackDropped(weak) => {
                let called_from = &mut self.process.heap.called_from;
                let home = called_from.iter().position(|(o, _)| *o == weak).map(|at| called_from.swap_remove(at).1);
                if self.process.heap.first(List::CALLS) == Some(weak) {
                    self.process.heap.move_to(home.unwrap_or(self.old()), weak);
                } else {
                    self.process.interp.running.freed += 1;
                }
                Some(Phase::Callbacks)
            }
            Phase::Finalizers => self.next_finalizer(),
            Phase::FinalizerDone(o) => {
                if self.has(Switch::BugStopFinalizersEarly) && self.process.heap.object(o).refcount == 1 {
                    let mut rest = self.process.heap.first(List::UNREACHABLE);
                    while let Some(other) = rest {
                        self.process.heap.move_to(List::SEEN, other);
                        rest = self.process.heap.first(List::UNREACHABLE);
                    }
                }
                self.drop_then(o, Phase::Finalizers)
            }
            Phase::Resurrection => self.resurrection(),
            Phase::Clearing => self.next_clear(),
            Phase::ClearDone(o) => self.drop_then(o, Phase::ClearDropped(o)),
            Phase::ClearDropped(o) => {
                if self.process.heap.first(List::FINAL) == Some(o) {
                    if !mutant!(SurvivorsStayCollecting) {
                        self.process.heap.unset(o, Flag::COLLECTING);
                    }
                    if self.has(Switch::BugLoseSurvivorsOfClear) {
                        self.process.heap.unlink(o);
                        self.process.heap.append(List::INCREMENT, o);
                    } else {
                        self.process.heap.move_to(self.old(), o);
                    }
                }
                Some(Phase::Clearing)
            }
            Phase::Finish => Some(self.finish()),
            Phase::StopCallbacks(next) => {
                if self.gc_callback(next, Phase::StopCallbacks(next + 1)) {
                    return None;
                }
                self.process.interp.gc.collecting = false;
                let RunningCollection { generation, counted, freed, uncollectable, .. } = self.process.interp.running;
                let mut returned = counted + freed + uncollectable;
                if self.has(Switch::BugCountOneMore) && returned > 0 {
                    returned += 1;
                }
                self.sink.event(Event::CollectEnd { generation, returned, uncollectable });
                self.snapshot();
                None
            }
        }
    }

    /// Drops a reference, then goes on: at once if the object does not die of it.
    fn drop_then(&mut self, o: Idx, then: Phase) -> Option<Phase> {
        let base = self.process.actor.frames.len();
        self.drop_now(o);
        (!self.waits(base, Frame::Collect { phase: then })).then_some(then)
    }

    pub(super) fn show(&mut self, moment: PhasePoint) {
        self.show_to(|observer, view| observer.at_phase(moment, view));
    }

    pub(super) fn show_step(&mut self) {
        self.show_to(|observer, view| observer.at_step(view));
    }

    fn show_to(&mut self, show: impl FnOnce(&mut dyn Observer, &View<'_>)) {
        let Some(observer) = self.observer.as_deref_mut() else { return };
        let Process { heap, vars, interp, .. } = &*self.process;
        let RunningCollection { generation, set, .. } = interp.running;
        let events = self.sink.count();
        show(observer, &View { heap, gc: &interp.gc, vars, generation, set, events });
    }

    /// Where survivors of the running collection go.
    pub(super) fn old(&self) -> List {
        if self.has(Switch::BugSurvivorsGetYounger) {
            return List::GEN0;
        }
        match self.process.interp.running.generation {
            0 if !self.has(Switch::Incremental) => List::GEN1,
            _ => List::GEN2,
        }
    }

    /// Calls entry `next` of `gc.callbacks`; false if there is none.
    fn gc_callback(&mut self, next: u32, then: Phase) -> bool {
        let Some(callable) = self.process.interp.gc.callbacks.get(next as usize).copied() else { return false };
        self.push(Frame::Collect { phase: then });
        self.incref(callable);
        self.call(Code::GcCallback, callable, NIL, callable);
        true
    }

    fn next_callback(&mut self) -> Option<Phase> {
        let Some(weak) = self.process.heap.first(List::CALLS) else {
            self.show(PhasePoint::CallbacksDone);
            return Some(Phase::Finalizers);
        };
        self.process.interp.running.quiet = false;
        self.push(Frame::Collect { phase: Phase::CallbackDone(weak) });
        let callback = self.process.heap.weak(weak).callback;
        if callback == NIL {
            return None;
        }
        if self.has(Switch::BugCallbackTwice) {
            self.incref(callback);
            self.incref(weak);
            self.push(Frame::Drop { o: weak });
            self.push(Frame::Callback { weak, callback });
        }
        self.call(Code::Callback, callback, weak, NIL);
        None
    }

    fn next_finalizer(&mut self) -> Option<Phase> {
        if !self.process.interp.running.trash.flags.has(Flag::FINALIZES) {
            self.show(PhasePoint::FinalizersDone);
            return Some(Phase::Resurrection);
        }
        while let Some(o) = self.process.heap.first(List::UNREACHABLE) {
            let object = *self.process.heap.object(o);
            self.process.heap.move_to(List::SEEN, o);
            if !object.has(Flag::FINALIZES) {
                continue;
            }
            let Some(Finalizer::Modern(script)) = self.process.heap.kind(o).finalizer else { continue };
            if !self.has(Switch::Pep442) || object.has(Flag::FINALIZED) || self.has(Switch::BugClearBeforeFinalizers) {
                continue;
            }
            if !self.has(Switch::BugNoFinalizedBit) {
                self.process.heap.set(o, Flag::FINALIZED);
            }
            if self.has(Switch::BugSkipFinalizers) {
                continue;
            }
            self.process.interp.running.quiet = false;
            self.incref(o);
            self.push(Frame::Collect { phase: Phase::FinalizerDone(o) });
            self.enter(Code::Finalizer, o, NIL, Some(script));
            return None;
        }
        if self.has(Switch::BugFinalizeLegacyReachable) && self.finalize_uncollectable() {
            return None;
        }
        self.process.heap.merge(List::SEEN, List::UNREACHABLE);
        self.show(PhasePoint::FinalizersDone);
        Some(Phase::Resurrection)
    }

    /// The planted bug that finalizes what legacy objects reach: calls the next such finalizer; false if there is none.
    fn finalize_uncollectable(&mut self) -> bool {
        let mut o = self.process.heap.object(List::LEGACY.head()).next;
        while o != List::LEGACY.head() {
            let object = *self.process.heap.object(o);
            let due = object.has(Flag::FINALIZES) && !object.has(Flag::FINALIZED) && !object.has(Flag::LEGACY);
            if due && let Some(Finalizer::Modern(script)) = self.process.heap.kind(o).finalizer {
                self.process.heap.set(o, Flag::FINALIZED);
                self.incref(o);
                self.push(Frame::Collect { phase: Phase::FinalizerDone(o) });
                self.enter(Code::Finalizer, o, NIL, Some(script));
                return true;
            }
            o = object.next;
        }
        false
    }

    fn resurrection(&mut self) -> Option<Phase> {
        // If nothing happened, nothing was resurrected, no weak reference was made, and the count is known.
        let quiet = self.process.interp.running.quiet && !self.process.rules.has_bugs();
        let trash = self.process.interp.running.trash;
        if quiet {
            self.process.heap.merge(List::UNREACHABLE, List::FINAL);
        } else if let Err(reason) = self.split_resurrected() {
            self.stop = Some(reason);
            return None;
        }
        if (!quiet || trash.concern_weakrefs())
            && weakrefs::remain(&self.process.heap, List::FINAL)
            && self.has(Switch::ClearWeakrefsAfterFinalizers)
            && let Err(reason) = weakrefs::clear_after_finalizers(&mut self.process.heap, List::FINAL)
        {
            self.stop = Some(reason);
            return None;
        }
        if !quiet {
            let count = self.process.heap.count(List::FINAL);
            if count != self.process.interp.running.counted && !self.has(Switch::CountBeforeCallbacks) {
                self.process.interp.running.counted = count;
            }
        }
        self.show(PhasePoint::ResurrectionChecked);
        if self.has(Switch::BugSkipFirstClear)
            && let Some(o) = self.process.heap.first(List::FINAL)
        {
            self.process.heap.unset(o, Flag::COLLECTING);
            self.process.heap.move_to(self.old(), o);
        }
        Some(Phase::Clearing)
    }

    fn split_resurrected(&mut self) -> Result<(), crate::event::Undefined> {
        let old = if self.has(Switch::BugLoseResurrected) { List::SEEN } else { self.old() };
        let (heap, rules) = (&mut self.process.heap, &self.process.rules);
        if !rules.has(Switch::CheckResurrection) || rules.has(Switch::BugNoResurrectionCheck) {
            heap.merge(List::UNREACHABLE, List::FINAL);
            return Ok(());
        }
        // Whose references are looked for matters only where something was resurrected: then it counts as asked for.
        let resurrected;
        if rules.plain().has(Switch::RescueOnlyResurrected) {
            unreachable::clear_flags(heap, List::UNREACHABLE);
            if rules.has(Switch::BugShallowRescue) {
                let shallow = AskedRules::new(rules.plain().with(Switch::BugShallowReachability));
                let found = unreachable::deduce_unreachable(heap, List::UNREACHABLE, List::FINAL, &shallow);
                rules.ask(shallow.asked());
                found?;
            } else {
                unreachable::deduce_unreachable(heap, List::UNREACHABLE, List::FINAL, rules)?;
            }
            resurrected = heap.first(List::UNREACHABLE).is_some();
            heap.merge(List::UNREACHABLE, old);
        } else {
            resurrected = unreachable::has_outside_reference(heap, List::UNREACHABLE, rules)?;
            if resurrected {
                unreachable::clear_flags(heap, List::UNREACHABLE);
            }
            heap.merge(List::UNREACHABLE, if resurrected { old } else { List::FINAL });
        }
        if resurrected {
            rules.ask(Rules::NONE.with(Switch::RescueOnlyResurrected));
        }
        Ok(())
    }

    fn next_clear(&mut self) -> Option<Phase> {
        let plainly = !self.process.interp.gc.save_all && !self.process.rules.has_bugs();
        if plainly && !self.clear_plain_members(self.old()) {
            return None;
        }
        let Some(o) = self.process.heap.first(List::FINAL) else {
            self.show(PhasePoint::Cleared);
            return Some(Phase::Finish);
        };
        if self.process.interp.gc.save_all {
            self.incref(o);
            self.process.interp.gc.garbage.push(o);
            return Some(Phase::ClearDropped(o));
        }
        if self.process.heap.object(o).shape == Shape::Function {
            self.process.rules.ask(Rules::NONE.with(Switch::FunctionClear));
        }
        if !self.process.heap.object(o).has(Flag::CLEARABLE) {
            return Some(Phase::ClearDropped(o));
        }
        self.incref(o);
        let object = self.process.heap.id(o);
        self.sink.event(Event::Clear { object });
        if self.stop.is_some() {
            return None;
        }
        let base = self.process.actor.frames.len();
        self.start_clear(o);
        let phase = Phase::ClearDone(o);
        (!self.waits(base, Frame::Collect { phase })).then_some(phase)
    }

    fn finish(&mut self) -> Phase {
        self.process.interp.running.uncollectable = self.process.heap.count(List::LEGACY);
        let mut o = self.process.heap.object(List::LEGACY.head()).next;
        while o != List::LEGACY.head() {
            let object = *self.process.heap.object(o);
            let next = object.next;
            if (self.process.interp.gc.save_all || object.has(Flag::LEGACY))
                && !self.process.rules.has(Switch::BugForgetGarbage)
            {
                self.process.heap.add_reference(o);
                self.process.interp.gc.garbage.push(o);
            }
            o = next;
        }
        self.process.heap.merge(List::LEGACY, self.old());
        Phase::StopCallbacks(0)
    }

    /// The planted bug of an exception that escapes: the rest of the collection does not happen.
    pub(super) fn abandon_collection(&mut self) {
        let Some(at) = self.process.actor.frames.iter().rposition(|f| matches!(f, Frame::Collect { .. })) else {
            return;
        };
        self.process.actor.frames[at] = Frame::Collect { phase: Phase::Finish };
        let old = self.old();
        for list in [List::UNREACHABLE, List::SEEN, List::FINAL, List::CALLS] {
            unreachable::clear_flags(&mut self.process.heap, list);
            self.process.heap.merge(list, old);
        }
    }
}
