//! Most objects of a large graph die and are cleared with no code of the user's in between: one loop for each, with
//! the same events in the same order as the stages of [`super::dealloc`] and the phases of [`super::collect`].

use super::Execution;
use super::frame::{Frame, Phase, Stage};
use crate::event::{Event, Undefined};
use crate::model::collector::Switch;
use crate::model::heap::{Flag, Heap, Idx, List, NIL};
use crate::scenario::{Shape, Shapes, SlotOrder};

/// Shapes whose `tp_clear` drops the slots where they are, from the first to the last.
const CLEARED_IN_PLACE: Shapes =
    Shapes::WEAKREFS.with(Shape::Node).with(Shape::Typed).with(Shape::Slotted).with(Shape::Cell);

/// Shapes whose deallocator drops the slots from the first to the last.
const DROPPED_IN_ORDER: Shapes = Shapes::ordered(SlotOrder::FirstToLast);

/// Flags of which one is enough to look at an object stage by stage.
const UNUSUAL: Flag = Flag::SPECIAL.and(Flag::FREED);

impl Execution<'_, '_> {
    /// Drops the references of a dying object from drop position `step` on, then releases it.
    ///
    /// An object that dies of it is deallocated first, and so on down. That needs no frames as long as the objects
    /// die plainly: they are in no list any more, so the one above and its position are kept in the links of the one
    /// below (`linked`: those of `o` are used so), and millions of nested deaths take no memory.
    pub(super) fn dealloc_slots(&mut self, mut o: Idx, mut step: u32, mut linked: bool) {
        loop {
            let dies = self.drop_until_death(o, &mut step);
            if dies != NIL {
                let child = *self.process.heap.object(dies);
                if child.refcount == 0 || child.has(Flag::FREED) {
                    self.stop = Some(Undefined::UseAfterFree);
                    return;
                }
                self.process.heap.drop_last_reference(dies);
                if !self.dies_plainly(&child) {
                    self.push_slots(o, step, linked);
                    self.push(Frame::Dealloc { o: dies, stage: Stage::Start, step: 0 });
                    return;
                }
                self.process.heap.untrack(dies);
                if self.process.actor.trash.serves(&child) && !self.process.actor.trash.enter(dies, &child) {
                    self.push_slots(o, step, linked);
                    return;
                }
                self.begin_death(dies);
                self.process.heap.link_dying(dies, o, step, linked);
                (o, step, linked) = (dies, 0, true);
                continue;
            }
            let object = self.process.heap.object(o);
            let above = self.process.heap.above_dying(o);
            if object.shape.is_weakref() {
                if !self.has(Switch::BugWeakrefStaysLinked) {
                    self.clear_weak(o);
                }
                if self.process.heap.weak(o).callback != NIL {
                    if linked {
                        self.push_slots(above.0, above.1, above.2);
                    }
                    self.push(Frame::Dealloc { o, stage: Stage::Dropped, step: 0 });
                    self.drop_callback(o);
                    return;
                }
                if self.stop.is_some() {
                    return;
                }
            }
            let drains = self.release(o);
            if linked && !drains {
                (o, step, linked) = above;
                continue;
            }
            if linked {
                self.push_slots(above.0, above.1, above.2);
            }
            if drains {
                self.push(Frame::Drain { first: true });
            }
            return;
        }
    }

    fn push_slots(&mut self, o: Idx, step: u32, linked: bool) {
        let stage = if linked { Stage::LinkedSlots } else { Stage::Slots };
        self.push(Frame::Dealloc { o, stage, step });
    }

    /// Drops references of a dying object up to the first whose object dies of it: that one, which still counts it,
    /// or `NIL` if there are no more.
    #[inline]
    fn drop_until_death(&mut self, o: Idx, step: &mut u32) -> Idx {
        let object = self.process.heap.object(o);
        let shape = object.shape;
        // A flawed deallocator, or one whose action has tracked the object again, leaves that to the release of memory.
        if object.has(Flag::TRACKED) && !object.has(Flag::SPECIAL) {
            self.process.heap.untrack(o);
        }
        if DROPPED_IN_ORDER.has(shape) && !self.process.rules.has_bugs() {
            return self.process.heap.drop_slots_until_last(o, step);
        }
        let object = *self.process.heap.object(o);
        let leaks = self.has(Switch::BugDeallocLeaks);
        while *step < object.len {
            let position = Heap::drop_position(&object, *step) as usize;
            *step += 1;
            let content = if object.shape == Shape::Dict {
                self.dict_part(o, position)
            } else {
                std::mem::replace(&mut self.process.heap.slots[object.slots as usize + position], NIL)
            };
            if content == NIL || (leaks && *step > 1) {
                continue;
            }
            if !self.process.heap.drop_unless_last(content) {
                return content;
            }
        }
        NIL
    }

    /// Releases the memory of a dead object; true if the trashcan must be drained then.
    #[inline(always)]
    pub(super) fn release(&mut self, o: Idx) -> bool {
        let object = *self.process.heap.object(o);
        let drains = self.leaves_trashcan(&object);
        let Some(id) = object.id else {
            self.process.heap.set(o, Flag::FREED);
            self.process.heap.recycle_temporary(o);
            return drains;
        };
        self.process.heap.untrack(o);
        self.sink.event(Event::Free { object: id });
        self.process.heap.release(o);
        if object.has(Flag::HEADER) {
            self.process.interp.gc.freed();
        }
        self.container_freed(o, object.shape);
        drains
    }

    /// `tp_clear` of the members of the final set and the drop of the collector's reference, one member after the
    /// other, as long as nothing more is to be done. False if the collection has to wait for what is on the stack now.
    pub(super) fn clear_plain_members(&mut self, old: List) -> bool {
        while let Some(o) = self.process.heap.first(List::FINAL) {
            let object = *self.process.heap.object(o);
            if !CLEARED_IN_PLACE.has(object.shape) || !object.has(Flag::CLEARABLE) || object.meets(UNUSUAL) {
                return true;
            }
            self.process.heap.add_reference(o);
            self.process.heap.set(o, Flag::CLEARED);
            let (first, len, is_weakref) = (object.slots as usize, object.len, object.shape.is_weakref());
            let id = self.process.heap.id(o);
            self.sink.event(Event::Clear { object: id });
            for step in 0..len {
                let content = std::mem::replace(&mut self.process.heap.slots[first + step as usize], NIL);
                if content == NIL {
                    continue;
                }
                if !self.process.heap.object(content).has(Flag::FREED) && self.process.heap.drop_unless_last(content) {
                    continue;
                }
                let base = self.process.actor.frames.len();
                self.drop_now(content);
                if self.waits(base, Frame::Clear { o, step: step + 1 }) {
                    self.process.actor.frames.insert(base, Frame::Collect { phase: Phase::ClearDone(o) });
                    return false;
                }
            }
            let base = self.process.actor.frames.len();
            if is_weakref {
                self.clear_weak(o);
                self.drop_callback(o);
                if self.waits(base, Frame::Collect { phase: Phase::ClearDone(o) }) {
                    return false;
                }
            }
            self.drop_now(o);
            if self.waits(base, Frame::Collect { phase: Phase::ClearDropped(o) }) {
                return false;
            }
            if self.process.heap.first(List::FINAL) == Some(o) {
                if !mutant!(PlainSurvivorsStayCollecting) {
                    self.process.heap.unset(o, Flag::COLLECTING);
                }
                self.process.heap.move_to(old, o);
            }
        }
        true
    }
}
