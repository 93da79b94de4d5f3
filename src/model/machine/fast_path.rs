//! Most objects of a large graph die and are cleared with no code of the user's in between: one loop for each, with
//! the same events in the same order as the stages of [`super::dealloc`] and the phases of [`super::collect`].

use super::Execution;
use super::frame::{Frame, Phase, Stage};
use crate::event::{Event, Undefined};
use crate::model::collector::Switch;
use crate::model::heap::{Flag, Heap, Idx, List, NIL, Shapes};
use crate::scenario::Shape;

/// Shapes whose `tp_clear` drops the slots where they are, from the first to the last.
const CLEARED_IN_PLACE: Shapes =
    Shapes::WEAKREFS.with(Shape::Node).with(Shape::Typed).with(Shape::Slotted).with(Shape::Cell);

/// Shapes whose deallocator drops the slots from the first to the last.
const DROPPED_IN_ORDER: Shapes =
    Shapes::ALL.without(Shape::Dict).without(Shape::List).without(Shape::Tuple).without(Shape::Function);

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
                let child = *self.m.heap.object(dies);
                if child.refcount == 0 || child.has(Flag::FREED) {
                    self.stop = Some(Undefined::UseAfterFree);
                    return;
                }
                self.m.heap.object_mut(dies).refcount = 0;
                if !self.dies_plainly(&child) {
                    self.push_slots(o, step, linked);
                    self.push(Frame::Dealloc { o: dies, stage: Stage::Start, step: 0 });
                    return;
                }
                self.m.heap.untrack(dies);
                if self.m.trash.serves(&child) && !self.m.trash.enter(dies, &child) {
                    self.push_slots(o, step, linked);
                    return;
                }
                self.begin_death(dies);
                let child = self.m.heap.object_mut(dies);
                child.prev = o;
                child.next = step << 1 | u32::from(linked);
                (o, step, linked) = (dies, 0, true);
                continue;
            }
            let object = self.m.heap.object(o);
            let above = (object.prev, object.next >> 1, object.next & 1 == 1);
            if object.shape.is_weakref() {
                if !self.has(Switch::BugWeakrefStaysLinked) {
                    self.clear_weak(o);
                }
                if self.m.heap.weak(o).callback != NIL {
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
        let object = self.m.heap.object(o);
        let shape = object.shape;
        // A flawed deallocator, or one whose action has tracked the object again, leaves that to the release of memory.
        if object.has(Flag::TRACKED) && !object.has(Flag::SPECIAL) {
            self.m.heap.untrack(o);
        }
        if DROPPED_IN_ORDER.has(shape) && !self.m.rules.has_bugs() {
            return self.drop_in_order(o, step);
        }
        let object = *self.m.heap.object(o);
        let leaks = self.has(Switch::BugDeallocLeaks);
        while *step < object.len {
            let position = Heap::drop_position(&object, *step) as usize;
            *step += 1;
            let content = if object.shape == Shape::Dict {
                self.dict_part(o, position)
            } else {
                std::mem::replace(&mut self.m.heap.slots[object.slots as usize + position], NIL)
            };
            if content == NIL || (leaks && *step > 1) {
                continue;
            }
            let child = self.m.heap.object_mut(content);
            if child.refcount <= 1 {
                return content;
            }
            child.refcount -= 1;
        }
        NIL
    }

    /// [`Self::drop_until_death`] for slots that are dropped from the first to the last.
    #[inline(always)]
    fn drop_in_order(&mut self, o: Idx, step: &mut u32) -> Idx {
        let Heap { objects, slots, .. } = &mut self.m.heap;
        let object = &objects[o as usize];
        let from = (object.slots + *step) as usize;
        for content in &mut slots[from..(object.slots + object.len) as usize] {
            *step += 1;
            let content = std::mem::replace(content, NIL);
            if content == NIL {
                continue;
            }
            let child = &mut objects[content as usize];
            if child.refcount <= 1 {
                return content;
            }
            child.refcount -= 1;
        }
        NIL
    }

    /// Releases the memory of a dead object; true if the trashcan must be drained then.
    #[inline(always)]
    pub(super) fn release(&mut self, o: Idx) -> bool {
        let object = *self.m.heap.object(o);
        let drains = self.leaves_trashcan(&object);
        let Some(id) = object.id else {
            self.m.heap.object_mut(o).set(Flag::FREED);
            self.m.heap.recycle_temporary(o);
            return drains;
        };
        self.m.heap.untrack(o);
        self.sink.event(Event::Free { object: id });
        self.m.heap.release(o);
        if object.has(Flag::HEADER) {
            self.m.gc.freed();
        }
        self.container_freed(o, object.shape);
        drains
    }

    /// `tp_clear` of the members of the final set and the drop of the collector's reference, one member after the
    /// other, as long as nothing more is to be done. False if the collection has to wait for what is on the stack now.
    pub(super) fn clear_plain_members(&mut self, old: List) -> bool {
        while let Some(o) = self.m.heap.first(List::FINAL) {
            let object = self.m.heap.object_mut(o);
            if !CLEARED_IN_PLACE.has(object.shape) || !object.has(Flag::CLEARABLE) || object.meets(UNUSUAL) {
                return true;
            }
            object.refcount += 1;
            object.set(Flag::CLEARED);
            let (first, len, is_weakref) = (object.slots as usize, object.len, object.shape.is_weakref());
            let id = self.m.heap.id(o);
            self.sink.event(Event::Clear { object: id });
            for step in 0..len {
                let content = std::mem::replace(&mut self.m.heap.slots[first + step as usize], NIL);
                if content == NIL {
                    continue;
                }
                let child = self.m.heap.object_mut(content);
                if child.refcount > 1 && !child.has(Flag::FREED) {
                    child.refcount -= 1;
                    continue;
                }
                let base = self.m.frames.len();
                self.drop_now(content);
                if self.waits(base, Frame::Clear { o, step: step + 1 }) {
                    self.m.frames.insert(base, Frame::Collect { phase: Phase::ClearDone(o) });
                    return false;
                }
            }
            let base = self.m.frames.len();
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
            if self.m.heap.first(List::FINAL) == Some(o) {
                self.m.heap.object_mut(o).unset(Flag::COLLECTING);
                self.m.heap.move_to(old, o);
            }
        }
        true
    }
}
