//! The objects of a run and the edges between them.
//!
//! Every edge an event tells of is here, hidden ones included, and each object's number of them. Edges that a `tp_clear`
//! or a deallocator drops are implied: they go when that begins. An edge that may be dropped without a word marks its
//! object as one with [unknown holders](Object::UNKNOWN_HOLDERS); an edge to an object that the stream has not created is
//! kept, and remembered as wild. Not here: what code that runs holds.

use super::Shadow;
use super::edge::{NONE, pack};
use super::facts::Facts;
use super::graph::{Graph, OVERFLOW, Overflow, SMALL};
use super::object::{Object, UNUSUAL};
use super::object_set::ObjectSet;
use crate::event::ObjId;
use crate::scenario::Shape;

/// The objects of a run, those that were freed too, in the order in which they were created.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    pub(super) all: Vec<Object>,
    overflow: Vec<Overflow>,
    /// Objects not yet freed.
    live: u32,
    /// The same as a set.
    pub(super) present: ObjectSet,
    /// Objects on which `tp_clear` was called, freed ones too.
    pub(super) cleared: ObjectSet,
    /// Objects whose deallocation is final and has not ended.
    dying: ObjectSet,
    /// An object with a legacy finalizer was created.
    pub(super) some_legacy: bool,
    /// Objects that may hold garbage back, freed ones too: see [`super::causes`].
    pub(super) peculiar: ObjectSet,
    /// An object was created whose `traverse` is not [faithful](Facts::UNFAITHFUL).
    pub(super) some_unfaithful: bool,
    /// An object is or was [`Object::UNKNOWN_HOLDERS`].
    pub(super) some_loose: bool,
    /// An edge leads to an object that the stream has not created, or from one that it has freed.
    pub(super) wild: bool,
    /// An object is [`Object::MISLED`].
    pub(super) some_misled: bool,
    /// An object is [`Object::SPOILT`].
    pub(super) some_spoilt: bool,
    /// Where `traverse` does not tell the truth about objects that are being deallocated: owner and edge.
    pub(super) dying_lies: Vec<(u32, u32)>,
    /// The object that was cleared last, and what its first slots held: its `tp_clear` drops one after the other.
    pub(super) cleared_last: (u32, [u32; 4]),
    /// Objects that are [`Object::FIN_AT_ZERO`].
    pub(super) finalized_at_zero: Vec<u32>,
}

impl Objects {
    pub(super) fn start(&mut self) {
        self.all.clear();
        self.overflow.clear();
        self.live = 0;
        for set in [&mut self.present, &mut self.cleared, &mut self.dying, &mut self.peculiar] {
            set.reset(0);
        }
        self.some_legacy = false;
        self.some_unfaithful = false;
        self.some_loose = false;
        self.wild = false;
        self.some_misled = false;
        self.some_spoilt = false;
        self.dying_lies.clear();
        self.cleared_last = (NONE, [NONE; 4]);
        self.finalized_at_zero.clear();
    }

    /// What was true of objects for the last collection is not for the next.
    pub(super) fn forget_last_collection(&mut self) {
        let Objects { finalized_at_zero, all, .. } = self;
        finalized_at_zero.retain(|index| {
            let object = &mut all[*index as usize];
            // Until the finalizer has ended no snapshot shows where the object is.
            let runs = object.fin_calls != object.fin_returns;
            object.status &= if runs { !0 } else { !Object::FIN_AT_ZERO };
            runs
        });
    }

    /// The object an id names, if the stream has created it.
    #[inline]
    pub fn get(&self, object: ObjId) -> Option<&Object> {
        self.all.get(object.index())
    }

    /// The object behind an edge.
    #[inline]
    pub fn at(&self, edge: u32) -> Option<&Object> {
        self.all.get((edge as usize).wrapping_sub(1))
    }

    /// True if the object's memory was released.
    #[inline]
    pub fn is_freed(&self, object: ObjId) -> bool {
        // A check and an index are less than what an `Option` of a reference takes.
        object.index() < self.all.len() && self.all[object.index()].is(Object::FREED)
    }

    /// Every object, freed ones too.
    #[inline]
    pub fn all(&self) -> &[Object] {
        &self.all
    }

    /// The objects that have not been freed.
    #[inline]
    pub fn present(&self) -> &ObjectSet {
        &self.present
    }

    /// How many have not been freed.
    #[inline]
    pub fn live(&self) -> u32 {
        self.live
    }

    /// The objects on which `tp_clear` was called and which live.
    pub fn cleared(&self) -> impl Iterator<Item = usize> + '_ {
        self.cleared.iter().filter(|index| self.all[*index].lives())
    }

    /// True if an object on which `tp_clear` was called has not been freed.
    #[inline]
    pub fn some_cleared(&self) -> bool {
        self.cleared.meets(&self.present)
    }

    /// True if the collection that runs, or ran last, has cleared one that lives.
    pub(super) fn some_cleared_now(&self) -> bool {
        self.some_cleared() && self.cleared().any(|index| self.all[index].is(Object::CLEARED_NOW))
    }

    /// True if no deallocation is under way.
    #[inline]
    pub fn none_dies(&self) -> bool {
        self.dying.is_empty()
    }

    /// True if sets of objects fit into a word: few objects, and no edge to one that the stream has not created.
    #[inline]
    pub(super) fn is_small(&self) -> bool {
        self.all.len() < SMALL && !self.wild
    }

    #[inline]
    pub(super) fn graph(&self) -> Graph<'_> {
        Graph { objects: &self.all, overflow: &self.overflow }
    }

    /// Counts an edge that comes or goes.
    #[inline]
    pub(super) fn count(&mut self, edge: u32, by: i32) {
        if let Some(object) = self.all.get_mut((edge as usize).wrapping_sub(1)) {
            object.in_edges = object.in_edges.saturating_add_signed(by);
        } else if edge != NONE {
            self.wild = true;
        }
    }

    /// An edge may be dropped without a word.
    pub(super) fn loosen(&mut self, edge: u32) {
        if let Some(object) = self.all.get_mut((edge as usize).wrapping_sub(1)) {
            object.status |= Object::UNKNOWN_HOLDERS;
            self.some_loose = true;
            self.peculiar.put(edge as usize - 1);
        }
    }

    /// Adds a new object, the facts of which say whether it is `legacy`.
    #[inline]
    pub(super) fn create(&mut self, facts: Facts, legacy: impl FnOnce() -> bool) {
        if facts.is(Facts::PECULIAR | Facts::LEGACY | Facts::FINALIZER | Facts::UNFAITHFUL) {
            self.some_unfaithful |= facts.is(Facts::UNFAITHFUL);
            let legacy = legacy();
            self.some_legacy |= legacy;
            if legacy || facts.is(Facts::PECULIAR | Facts::LEGACY) {
                self.peculiar.put(self.all.len());
            }
        }
        self.present.put(self.all.len());
        self.all.push(Object::new(facts));
        self.live += 1;
    }

    /// The place of an edge, made if need be.
    #[inline]
    fn cell(&mut self, index: usize, slot: u8) -> Option<&mut u32> {
        let object = self.all.get_mut(index)?;
        if slot < 4 {
            return object.slots.get_mut(slot as usize);
        }
        if !object.facts.is_unbounded() {
            return None;
        }
        if object.aux == 0 {
            self.overflow.push([NONE; OVERFLOW]);
            object.aux = self.overflow.len() as u32;
        }
        let table = object.aux as usize - 1;
        self.overflow.get_mut(table)?.get_mut(slot as usize)
    }

    /// Changes a slot, if there is one of that number.
    #[inline]
    pub(super) fn store(&mut self, index: usize, slot: u8, new: u32) {
        let Some(shape) = self.all.get(index).map(|o| o.facts.shape) else { return };
        let Some(cell) = self.cell(index, slot) else { return };
        let old = std::mem::replace(cell, new);
        self.count(new, 1);
        self.count(old, -1);
        match shape {
            shape if shape.is_finalize() && slot == 0 && (new == NONE) != (old == NONE) => {
                // The registry holds the object as long as it has something to call.
                self.count(index as u32 + 1, if new == NONE { -1 } else { 1 });
            }
            shape if shape.is_weak_container() && slot == 1 => {
                if let Some(remove) = self.all.get_mut((new as usize).wrapping_sub(1))
                    && remove.facts.shape == Shape::Function
                {
                    remove.aux = index as u32 + 1;
                }
            }
            _ => {}
        }
    }

    /// Empties the slots and the link of an object, if there is anything in them.
    #[inline]
    pub(super) fn drop_all(&mut self, index: usize) {
        let object = &self.all[index];
        let [a, b, c, d] = object.slots;
        let more = object.aux != 0 && object.facts.is_unbounded();
        if a | b | c | d | object.link != NONE || more {
            self.drop_edges(index, 0, true);
        }
    }

    /// Empties the slots that are not in `keeps`, and the link if `link` says so.
    #[inline(never)]
    pub(super) fn drop_edges(&mut self, index: usize, keeps: u8, link: bool) {
        let Some(object) = self.all.get_mut(index) else { return };
        if object.slots != [NONE; 4] {
            let mut dropped = std::mem::replace(&mut object.slots, [NONE; 4]);
            if keeps != 0 {
                for (slot, edge) in dropped.iter_mut().enumerate().filter(|(slot, _)| keeps & 1 << slot != 0) {
                    object.slots[slot] = std::mem::replace(edge, NONE);
                }
            }
            for edge in dropped {
                self.count(edge, -1);
            }
        }
        let object = &mut self.all[index];
        if link && object.link != NONE {
            let edge = std::mem::replace(&mut object.link, NONE);
            self.count(edge, -1);
        }
        let object = &self.all[index];
        if object.aux != 0 && object.facts.is_unbounded() {
            self.drop_overflow(object.aux as usize - 1);
        }
    }

    #[cold]
    fn drop_overflow(&mut self, table: usize) {
        for slot in 4..OVERFLOW {
            let edge = std::mem::replace(&mut self.overflow[table][slot], NONE);
            self.count(edge, -1);
        }
    }

    /// A copy without edges stands in for an object while `look` goes through the heap.
    pub(super) fn without_edges<T>(shadow: &mut Shadow, index: usize, look: impl FnOnce(&mut Shadow) -> T) -> T {
        let object = &mut shadow.objects.all[index];
        let saved = *object;
        object.slots = [NONE; 4];
        object.aux = 0;
        let seen = look(shadow);
        shadow.objects.all[index] = saved;
        seen
    }

    /// `tp_clear` is about to run on an object: the slots it does not keep are dropped.
    pub(super) fn clear(&mut self, index: usize) {
        let object = &mut self.all[index];
        object.status |= Object::CLEARED | Object::CLEARED_NOW;
        let keeps = object.facts.keeps;
        self.cleared_last = (index as u32 + 1, object.slots);
        if object.is(Object::MISLED) {
            object.status |= Object::SPOILT;
            self.some_spoilt = true;
        }
        self.cleared.put(index);
        self.drop_edges(index, if mutant!(KeptSlotsAreCleared) { 0 } else { keeps }, true);
    }

    /// What was cleared before was cleared by an earlier collection.
    pub(super) fn forget_cleared_now(&mut self) {
        for index in self.cleared.iter() {
            self.all[index].status &= !Object::CLEARED_NOW;
        }
    }

    /// The deallocation of an object is final. Says whether there were weak references to it.
    #[inline]
    pub(super) fn begin_death(&mut self, index: usize) -> bool {
        let dying = &mut self.all[index];
        dying.usual = UNUSUAL;
        dying.status |= Object::DYING;
        let (freed, referent) = (dying.is(Object::FREED), dying.weak_head != 0);
        if !freed {
            self.dying.put(index);
        }
        referent
    }

    /// The memory of an object is released. True if that was not to be expected: its deallocation had not begun.
    #[inline]
    pub(super) fn end_death(&mut self, index: usize) -> bool {
        let Some(o) = self.all.get_mut(index) else { return false };
        if o.is(Object::FREED) {
            return false;
        }
        let dropped = o.is(Object::DYING);
        o.usual = UNUSUAL;
        o.status |= Object::FREED;
        self.live -= 1;
        self.present.remove(index);
        self.dying.remove(index);
        if !self.dying_lies.is_empty() {
            self.dying_lies.retain(|(owner, _)| *owner as usize != index);
        }
        if !dropped {
            self.drop_all(index);
        }
        !dropped
    }
}

impl Shadow {
    /// The object an id names, if the stream has created it.
    #[inline]
    pub(crate) fn get(&self, object: ObjId) -> Option<&Object> {
        self.objects.get(object)
    }

    /// The object behind an edge.
    #[inline]
    pub(crate) fn at(&self, edge: u32) -> Option<&Object> {
        self.objects.at(edge)
    }

    /// Calls `f` with each strong edge of an object.
    #[inline]
    pub(crate) fn for_edges(&self, object: &Object, f: impl FnMut(u8, u32)) {
        self.objects.graph().for_edges(object, f);
    }

    /// An object whose finalizer the collector sets aside as uncollectable.
    pub(crate) fn is_legacy(&self, object: &Object) -> bool {
        self.expectations.makes_legacy(&object.facts)
    }

    /// `tp_clear` is about to run on an object.
    pub(crate) fn apply_clear(&mut self, object: ObjId) {
        self.settle_collection();
        self.collection.note_clear();
        if self.get(object).is_none() {
            return;
        }
        self.objects.clear(object.index());
        self.snapshot.lose_evenness();
        self.clear_weakref(object);
    }

    /// The deallocation of an object is about to be final. True if what a collection finds has become known by that.
    #[inline(always)]
    pub(crate) fn before_dealloc(&mut self, object: ObjId) -> bool {
        if self.user_code.just_left() != NONE {
            if self.user_code.just_left() == pack(Some(object)) && !mutant!(FreedWeakrefsUncounted) {
                self.collection.note_ref_freed();
            }
            self.forget_just_left();
        }
        self.ready_by_death()
    }

    /// The deallocation of an object has become final.
    #[inline]
    pub(crate) fn apply_dealloc(&mut self, object: ObjId) {
        let index = object.index();
        if index >= self.objects.all.len() {
            return;
        }
        self.snapshot.lose_evenness();
        if self.objects.begin_death(index) {
            self.drop_weak_list(index);
        }
        if self.objects.some_unfaithful {
            self.objects.note_dying_lies(index);
        }
        self.objects.drop_all(index);
    }

    /// The memory of an object is released.
    #[inline]
    pub(crate) fn apply_free(&mut self, object: ObjId) {
        if self.objects.end_death(object.index()) {
            self.snapshot.lose_evenness();
        }
    }
}

/// The quick ways through a heap can be switched off, to compare them with the others.
#[cfg(test)]
impl Shadow {
    /// Small runs are walked by sets, too.
    pub(crate) fn walk_by_sets(&mut self) {
        self.objects.wild = true;
    }

    /// No snapshot is taken for even.
    pub(crate) fn doubt_counts(&mut self) {
        self.objects.some_loose = true;
    }
}
