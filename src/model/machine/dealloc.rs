//! Deallocation: the order of every step by type and release.

use super::Execution;
use super::frame::{Frame, Stage};
use super::trashcan::{is_python_instance, untracks_first};
use crate::event::{Code, Event, Undefined};
use crate::model::collector::Switch;
use crate::model::heap::{Flag, Idx, NIL, Object, RareFlag, Weak};
use crate::scenario::{Finalizer, ScriptId, Shape};

impl Execution<'_, '_> {
    /// One step of the deallocation of an object whose reference count is 0.
    #[inline]
    pub(super) fn dealloc(&mut self, o: Idx, stage: Stage, step: u32) {
        match stage {
            Stage::Slots => self.dealloc_slots(o, step, false),
            Stage::LinkedSlots => self.dealloc_slots(o, step, true),
            Stage::Start => self.start_dealloc(o),
            _ => self.dealloc_stage(o, stage),
        }
    }

    /// The reference count has just become 0.
    fn start_dealloc(&mut self, o: Idx) {
        let object = *self.process.heap.object(o);
        if self.dies_plainly(&object) {
            self.dealloc_plainly(o, &object);
        } else {
            self.dealloc_stage(o, Stage::Start);
        }
    }

    fn dealloc_plainly(&mut self, o: Idx, object: &Object) {
        if self.process.actor.trash.serves(object) && !self.process.actor.trash.enter(o, object) {
            self.process.heap.untrack(o);
            return;
        }
        self.begin_death(o);
        self.dealloc_slots(o, 0, false);
    }

    /// Drops a reference, as [`Self::decref`] does, but an object that dies plainly is deallocated at once. What
    /// that leaves to be done, if anything, is on the stack: what the caller does next belongs below it.
    #[inline]
    pub(super) fn drop_now(&mut self, o: Idx) {
        match self.process.heap.drop_reference(o) {
            Some(0) => {}
            Some(_) => return,
            None => {
                self.stop = Some(Undefined::UseAfterFree);
                return;
            }
        }
        let object = *self.process.heap.object(o);
        if self.stop.is_none() && self.dies_plainly(&object) {
            self.dealloc_plainly(o, &object);
        } else {
            self.push(Frame::Dealloc { o, stage: Stage::Start, step: 0 });
        }
    }

    fn dealloc_stage(&mut self, o: Idx, stage: Stage) {
        let object = *self.process.heap.object(o);
        let kind = *self.process.heap.kind(o);
        match stage {
            Stage::Start => {
                if self.has(Switch::BugFreeTwice) && self.process.heap.has_rare(o, RareFlag::DYING) {
                    self.begin_death(o);
                    self.sink.event(Event::Free { object: self.process.heap.id(o) });
                    self.stop = Some(Undefined::UseAfterFree);
                    return;
                }
                let saved_to =
                    object.has(Flag::FINALIZES) && object.has(Flag::TRACKED) && self.has(Switch::RetrackInPlace);
                let saved_to = saved_to.then(|| self.process.heap.list_of(o));
                if self.process.actor.trash.serves(&object) {
                    if !self.process.actor.trash.enter(o, &object) {
                        self.process.heap.untrack(o);
                        return;
                    }
                    if untracks_first(&object) || !self.has(Switch::TrashcanForAllTypes) {
                        self.process.heap.untrack(o);
                    }
                }
                if object.id.is_none() {
                    self.dealloc(o, Stage::Slots, 0);
                    return;
                }
                if object.has(Flag::FINALIZES) && is_python_instance(&object) {
                    if !self.has(Switch::FinalizerBeforeWeakrefs) && object.has(Flag::HEADER) {
                        self.push(Frame::Dealloc { o, stage: Stage::OldFinalizer, step: 0 });
                        self.clear_weakrefs_of_dying(o);
                        return;
                    }
                    if !self.has(Switch::FinalizerBeforeWeakrefs) {
                        self.dealloc(o, Stage::OldFinalizer, 0);
                        return;
                    }
                    if object.has(Flag::HEADER) {
                        self.process.heap.track(o);
                        if let Some(list) = saved_to {
                            self.process.heap.move_to(list, o);
                        }
                    }
                }
                let skip = self.has(Switch::BugSkipDeallocFinalizers);
                match kind.finalizer {
                    Some(Finalizer::Modern(script)) if object.has(Flag::FINALIZES) && !skip => {
                        if object.has(Flag::HEADER) && object.has(Flag::FINALIZED) {
                            self.dealloc(o, Stage::Legacy, 0);
                        } else {
                            self.revive(o, Stage::Finalized, Code::Finalizer, script);
                        }
                    }
                    _ => self.dealloc(o, Stage::Legacy, 0),
                }
            }
            Stage::Finalized => {
                if self.has(Switch::Pep442) && !self.has(Switch::BugNoFinalizedBit) {
                    self.process.heap.set(o, Flag::FINALIZED);
                }
                if self.stays_alive(o) {
                    self.leave_trashcan(&object);
                } else {
                    self.dealloc(o, Stage::Legacy, 0);
                }
            }
            Stage::Legacy => match kind.finalizer {
                Some(Finalizer::Legacy(script)) => {
                    self.revive(o, Stage::LegacyDone, Code::LegacyFinalizer, script);
                }
                _ => self.dealloc(o, Stage::Final, 0),
            },
            Stage::LegacyDone => {
                if self.stays_alive(o) {
                    self.leave_trashcan(&object);
                } else {
                    self.dealloc(o, Stage::Final, 0);
                }
            }
            Stage::OldFinalizer => match kind.finalizer {
                Some(Finalizer::Modern(script)) if !self.has(Switch::BugSkipDeallocFinalizers) => {
                    if object.has(Flag::HEADER) {
                        self.process.heap.track(o);
                    }
                    self.revive(o, Stage::OldFinalized, Code::Finalizer, script);
                }
                _ => self.dealloc(o, Stage::OldFinalized, 0),
            },
            Stage::OldFinalized => {
                if object.refcount > 0 && self.stays_alive(o) {
                    self.leave_trashcan(&object);
                    return;
                }
                self.process.heap.untrack(o);
                self.begin_death(o);
                // Weak references that `__del__` made are cleared without callback.
                self.process.heap.clear_all_weaks(o);
                self.dealloc(o, Stage::Slots, 0);
            }
            Stage::Final => {
                self.begin_death(o);
                let late = self.untracks_late();
                if !kind.flaws.keeps_tracked && !late {
                    self.process.heap.untrack(o);
                }
                if !self.process.heap.object(o).has(Flag::WATCHED) && kind.on_dealloc.is_none() && !late {
                    self.dealloc_slots(o, 0, false);
                    return;
                }
                self.push(Frame::Dealloc { o, stage: Stage::Action, step: 0 });
                if !kind.flaws.keeps_weakrefs && !self.has(Switch::BugDeallocKeepsWeakrefs) {
                    self.clear_weakrefs_of_dying(o);
                }
            }
            Stage::Action => {
                if self.untracks_late() && !kind.flaws.keeps_tracked {
                    self.process.heap.untrack(o);
                }
                match kind.on_dealloc {
                    Some(script) => self.revive(o, Stage::ActionDone, Code::Dealloc, script),
                    None => self.dealloc(o, Stage::Slots, 0),
                }
            }
            Stage::ActionDone => {
                if self.stays_alive(o) {
                    self.stop = Some(Undefined::KeptDying);
                } else {
                    self.dealloc(o, Stage::Slots, 0);
                }
            }
            Stage::Slots | Stage::LinkedSlots => self.dealloc_slots(o, 0, false),
            Stage::Dropped => {
                if self.release(o) {
                    self.push(Frame::Drain { first: true });
                }
            }
        }
    }

    /// Calls user code on a dying object with an artificial reference count of 1.
    fn revive(&mut self, o: Idx, then: Stage, code: Code, script: ScriptId) {
        self.process.heap.revive(o);
        self.push(Frame::Dealloc { o, stage: then, step: 0 });
        self.enter(code, o, NIL, Some(script));
    }

    /// Takes the artificial reference back; true if user code kept the object.
    fn stays_alive(&mut self, o: Idx) -> bool {
        self.process.heap.take_reference_back(o) > 0
    }

    /// The planted bugs that leave a dying object to the collector while user code runs.
    fn untracks_late(&self) -> bool {
        self.has(Switch::BugUntrackLate) || self.has(Switch::BugFreeTwice)
    }

    #[inline]
    pub(super) fn begin_death(&mut self, o: Idx) {
        if self.process.rules.plain().has(Switch::BugFreeTwice) {
            self.process.heap.set_rare(o, RareFlag::DYING);
        }
        if self.process.containers.has_changed() && self.process.heap.object(o).shape.is_weakref() {
            self.tell_deleted(false);
        }
        let object = self.process.heap.id(o);
        self.sink.event(Event::Dealloc { object });
    }

    /// True if nothing comes before the slots of the dying object but the event: no finalizer, action or flaw, no
    /// weak reference to it.
    #[inline]
    pub(super) fn dies_plainly(&self, object: &Object) -> bool {
        !object.meets(Flag::SPECIAL.and(Flag::WATCHED)) && object.id.is_some() && !self.process.rules.has_bugs()
    }

    /// Drops the callback of a weak reference that is deallocated or cleared.
    pub(super) fn drop_callback(&mut self, weak: Idx) {
        let callback = self.process.heap.weak(weak).callback;
        if callback == NIL {
            return;
        }
        // What drops another reference than the last cannot ask the weak reference meanwhile.
        if self.process.heap.object(callback).refcount == 1 && self.has(Switch::ForgetCallbackLate) {
            self.push(Frame::ForgetCallback { weak });
        } else {
            self.process.heap.weak_mut(weak).callback = NIL;
        }
        self.decref(callback);
    }

    /// The object in a raw slot of a dict: a value, or a key that is an object; nothing for deleted entries.
    pub(super) fn dict_part(&self, dict: Idx, position: usize) -> Idx {
        let entry = self.process.heap.entry(dict, position / 2);
        if entry.value == NIL {
            NIL
        } else if position % 2 == 1 {
            entry.value
        } else {
            entry.key_object().unwrap_or(NIL)
        }
    }

    #[inline]
    pub(super) fn leaves_trashcan(&mut self, object: &Object) -> bool {
        self.process.actor.trash.serves(object) && self.process.actor.trash.leave(object.shape)
    }

    /// The deallocator of an object that user code keeps is left.
    fn leave_trashcan(&mut self, object: &Object) {
        if self.leaves_trashcan(object) {
            self.push(Frame::Drain { first: true });
        }
    }

    /// Deallocates the next deferred object.
    pub(super) fn drain(&mut self, first: bool) {
        let Some((o, tracked)) = self.process.actor.trash.next(first) else { return };
        if self.process.heap.object(o).has(Flag::FREED) {
            self.stop = Some(Undefined::UseAfterFree);
            return;
        }
        self.push(Frame::Drain { first: false });
        if tracked && self.has(Switch::TrashcanForAllTypes) {
            self.process.heap.track(o);
        }
        self.push(Frame::Dealloc { o, stage: Stage::Start, step: 0 });
    }

    /// `PyObject_ClearWeakRefs`: clears the weak references of a dying object and calls their callbacks.
    fn clear_weakrefs_of_dying(&mut self, o: Idx) {
        let head = |heap: &crate::model::heap::Heap| {
            let entry = heap.detail(o).weakrefs;
            (entry != NIL).then(|| heap.weaks[entry as usize])
        };
        if self.has(Switch::BugWeakrefStaysLinked)
            && let Some(weak) = head(&self.process.heap)
            && self.process.heap.object(weak.object).has(Flag::FREED)
        {
            self.stop = Some(Undefined::UseAfterFree);
            return;
        }
        for _ in 0..2 {
            if let Some(weak) = head(&self.process.heap)
                && weak.callback == NIL
                && (self.process.heap.object(weak.object).shape != Shape::KeyedRef
                    || !self.has(Switch::AlwaysCallbackTuple))
            {
                self.process.heap.clear_weak(weak.object);
            }
        }
        let count = self.process.heap.weak_count(o);
        if count == 0 {
            return;
        }
        if count == 1 && !self.has(Switch::AlwaysCallbackTuple) {
            if let Some(weak) = head(&self.process.heap) {
                self.process.heap.weak_mut(weak.object).callback = NIL;
                self.process.heap.clear_weak(weak.object);
                if weak.callback != NIL {
                    self.push(Frame::Callback { weak: weak.object, callback: weak.callback });
                }
            }
            return;
        }
        let tuple = self.process.heap.create_temporary(2 * count);
        self.process.heap.track(tuple);
        self.gather_callbacks(o, tuple, 0);
    }

    /// Clears the weak references of a dying object that are left, puts those that do not die themselves into a
    /// temporary tuple, from `item` on, and then calls their callbacks. The callback of one that dies is let go at once,
    /// and what comes of that is over before the next is looked at.
    pub(super) fn gather_callbacks(&mut self, o: Idx, tuple: Idx, mut item: u32) {
        loop {
            let entry = self.process.heap.detail(o).weakrefs;
            if entry == NIL {
                break;
            }
            let Weak { object: weak, callback, next, .. } = self.process.heap.weaks[entry as usize];
            if self.process.heap.object(weak).refcount > 0 {
                self.process.heap.weak_mut(weak).callback = NIL;
                self.process.heap.clear_weak(weak);
                self.incref(weak);
                self.process.heap.set_raw(tuple, item as usize, weak);
                self.process.heap.set_raw(tuple, item as usize + 1, callback);
                item += 2;
                continue;
            }
            let clears_first = self.has(Switch::AlwaysCallbackTuple);
            if callback == NIL && !clears_first {
                self.stop = Some(Undefined::NullCallback);
                return;
            }
            if callback != NIL && self.process.heap.object(callback).refcount == 1 {
                self.push(Frame::GatherCallbacks { o, tuple, item });
                if clears_first {
                    self.forget_and_clear(weak);
                } else {
                    self.push(Frame::ForgetAndClear { weak, next });
                }
                self.decref(callback);
                return;
            }
            self.forget_and_clear(weak);
            if callback != NIL {
                self.decref(callback);
            }
        }
        if self.has(Switch::BugCallbacksOldestFirst) || self.reversed {
            self.reverse_pairs(tuple, item as usize);
        }
        if self.has(Switch::BugLoseDeallocCallbacks) {
            self.push(Frame::Drop { o: tuple });
        } else {
            self.push(Frame::TupleCallbacks { tuple, next: 0 });
        }
    }

    /// A dying weak reference, until 3.12: its callback has been let go while it was still linked. The one behind it was
    /// looked up before that: if that is gone, what is read there is undefined.
    pub(super) fn forget_and_clear_linked(&mut self, weak: Idx, next: u32) {
        if self.process.heap.weak(weak).next != next {
            self.stop = Some(Undefined::UseAfterFree);
            return;
        }
        self.forget_and_clear(weak);
    }

    fn forget_and_clear(&mut self, weak: Idx) {
        self.process.heap.weak_mut(weak).callback = NIL;
        self.process.heap.clear_weak(weak);
    }

    fn reverse_pairs(&mut self, tuple: Idx, items: usize) {
        let pairs = items / 2;
        for i in 0..pairs / 2 {
            for part in 0..2 {
                let (a, b) = (2 * i + part, 2 * (pairs - 1 - i) + part);
                let old = self.process.heap.raw(tuple, a);
                let other = self.process.heap.set_raw(tuple, b, old);
                self.process.heap.set_raw(tuple, a, other);
            }
        }
    }
}
