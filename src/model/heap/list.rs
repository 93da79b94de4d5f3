//! The collector's lists: circular, doubly linked through the objects. Membership is nothing but links.

use super::Heap;
use super::flags::Flag;
use super::object::{Detail, Idx, Object};
use crate::scenario::Shape;

/// A list, by the arena index of its head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct List(pub(super) Idx);

impl List {
    /// Generation 0.
    pub const GEN0: List = List(0);
    /// Generation 1.
    pub const GEN1: List = List(1);
    /// Generation 2.
    pub const GEN2: List = List(2);
    /// The permanent generation.
    pub const PERMANENT: List = List(3);
    /// What the running collection found unreachable.
    pub const UNREACHABLE: List = List(4);
    /// What the running collection found uncollectable.
    pub const LEGACY: List = List(5);
    /// Weak references whose callbacks the running collection has still to call.
    pub const CALLS: List = List(6);
    /// Members of the unreachable set whose finalizers have been considered.
    pub const SEEN: List = List(7);
    /// What stays unreachable after the resurrection check.
    pub const FINAL: List = List(8);
    /// The set that a collection of the incremental collector examines.
    pub const INCREMENT: List = List(9);
    /// Number of lists.
    pub const COUNT: u32 = 10;

    /// The list of a generation.
    #[inline]
    pub const fn generation(generation: u8) -> List {
        List(if generation > 2 { 2 } else { generation as u32 })
    }

    /// The arena index of the list's head: where a walk along the links ends.
    #[inline]
    pub const fn head(self) -> Idx {
        self.0
    }
}

/// Takes an object out of whatever list it is in.
#[inline]
pub(super) fn unlink(objects: &mut [Object], o: Idx) {
    let (prev, next) = (objects[o as usize].prev, objects[o as usize].next);
    objects[prev as usize].next = next;
    objects[next as usize].prev = prev;
}

/// Appends an object that is in no list.
#[inline]
pub(super) fn append(objects: &mut [Object], list: List, o: Idx) {
    let last = objects[list.0 as usize].prev;
    objects[last as usize].next = o;
    let object = &mut objects[o as usize];
    object.prev = last;
    object.next = list.0;
    objects[list.0 as usize].prev = o;
}

impl Heap {
    /// First member, or `None`.
    #[inline]
    pub fn first(&self, list: List) -> Option<Idx> {
        let first = self.objects[list.0 as usize].next;
        (first != list.0).then_some(first)
    }

    /// Appends an object that is in no list.
    #[inline]
    pub fn append(&mut self, list: List, o: Idx) {
        append(&mut self.objects, list, o);
    }

    /// Appends objects that are linked to each other from `first` to `last`, and in no list.
    #[inline]
    pub fn append_run(&mut self, list: List, first: Idx, last: Idx) {
        let tail = self.objects[list.0 as usize].prev;
        self.objects[tail as usize].next = first;
        self.objects[first as usize].prev = tail;
        self.objects[last as usize].next = list.0;
        self.objects[list.0 as usize].prev = last;
    }

    /// Takes an object out of whatever list it is in.
    #[inline]
    pub fn unlink(&mut self, o: Idx) {
        unlink(&mut self.objects, o);
    }

    /// Takes objects that are linked to each other from `first` to `last` out of their list, and leaves them linked.
    #[inline]
    pub fn unlink_run(&mut self, first: Idx, last: Idx) {
        let (prev, next) = (self.objects[first as usize].prev, self.objects[last as usize].next);
        self.objects[prev as usize].next = next;
        self.objects[next as usize].prev = prev;
    }

    /// Turns the order of a list over.
    pub fn reverse(&mut self, list: List) {
        let mut o = list.0;
        loop {
            let object = &mut self.objects[o as usize];
            (object.prev, object.next) = (object.next, object.prev);
            o = object.prev;
            if o == list.0 {
                return;
            }
        }
    }

    /// Keeps in the links of a dying object, which is in no list, where its deallocator goes on: the dying object above it,
    /// the position there, and whether that one's links are used so, too.
    #[inline]
    pub fn link_dying(&mut self, o: Idx, above: Idx, step: u32, linked: bool) {
        let object = &mut self.objects[o as usize];
        object.prev = above;
        object.next = step << 1 | u32::from(linked);
    }

    /// What [`Heap::link_dying`] has kept.
    #[inline]
    pub fn above_dying(&self, o: Idx) -> (Idx, u32, bool) {
        let object = &self.objects[o as usize];
        (object.prev, object.next >> 1, object.next & 1 == 1)
    }

    /// Moves an object to the end of a list.
    #[inline]
    pub fn move_to(&mut self, list: List, o: Idx) {
        self.unlink(o);
        self.append(list, o);
    }

    /// Appends the whole of `from` to `to`; `from` becomes empty.
    #[inline]
    pub fn merge(&mut self, from: List, to: List) {
        let Some(first) = self.first(from) else { return };
        self.append_run(to, first, self.objects[from.0 as usize].prev);
        self.make_empty(from);
    }

    /// Number of members.
    pub fn count(&self, list: List) -> u32 {
        let mut n = 0;
        let mut o = self.objects[list.0 as usize].next;
        while o != list.0 {
            n += 1;
            o = self.objects[o as usize].next;
        }
        n
    }

    #[inline]
    pub(super) fn make_empty(&mut self, list: List) {
        let head = &mut self.objects[list.0 as usize];
        head.prev = list.0;
        head.next = list.0;
    }

    /// Makes heads of ten more lists, which are empty: where those of an interpreter are parked. The index of the first.
    pub fn add_list_heads(&mut self) -> Idx {
        let first = self.objects.len() as Idx;
        for head in first..first + List::COUNT {
            self.objects.push(Object::new(Shape::Bare, Flag::NONE));
            self.details.push(Detail::new(Shape::Bare as u32, 0));
            self.make_empty(List(head));
        }
        first
    }

    /// Moves the members of the ten lists to those with the given heads, which are empty.
    pub fn park_lists(&mut self, heads: Idx) {
        (0..List::COUNT).for_each(|list| self.merge(List(list), List(heads + list)));
    }

    /// Moves the members of the lists with the given heads to the ten lists, which are empty.
    pub fn take_lists(&mut self, heads: Idx) {
        (0..List::COUNT).for_each(|list| self.merge(List(heads + list), List(list)));
    }

    /// Tracks an object: tail of generation 0, whatever its age.
    #[inline]
    pub fn track(&mut self, o: Idx) {
        debug_assert!(!self.objects[o as usize].has(Flag::TRACKED));
        self.objects[o as usize].set(Flag::TRACKED);
        self.append(List::GEN0, o);
    }

    /// The list that a tracked object is in: by a walk to its end.
    pub fn list_of(&self, o: Idx) -> List {
        let mut next = self.objects[o as usize].next;
        while next >= List::COUNT {
            next = self.objects[next as usize].next;
        }
        List(next)
    }

    /// Untracks an object; safe to call on an untracked one.
    #[inline]
    pub fn untrack(&mut self, o: Idx) {
        if self.objects[o as usize].has(Flag::TRACKED) {
            self.unlink(o);
            self.objects[o as usize].unset(Flag::TRACKED.and(Flag::COLLECTING));
            if mutant!(UntrackLosesFinalized) {
                self.objects[o as usize].unset(Flag::FINALIZED);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::heap::Type;
    use crate::scenario::Kind;

    fn heap() -> Heap {
        let plain = |shape| Type { kind: Kind::new(shape), flags: Flag::HEADER, slots: 0, tracked: true };
        Heap::new(Shape::ALL.map(plain))
    }

    /// Tracks so many new objects.
    fn fill(heap: &mut Heap, count: u32) -> Vec<Idx> {
        let new = |heap: &mut Heap| {
            let o = heap.create(Shape::Node as u32, Shape::Node, Flag::HEADER, 0);
            heap.track(o);
            o
        };
        (0..count).map(|_| new(heap)).collect()
    }

    fn members(heap: &Heap, list: List) -> Vec<Idx> {
        let mut found = Vec::new();
        let mut o = heap.object(list.head()).next;
        while o != list.head() {
            assert_eq!(heap.object(heap.object(o).next).prev, o);
            found.push(o);
            o = heap.object(o).next;
        }
        found
    }

    #[test]
    fn lists_are_parked_and_taken_back() {
        let mut heap = heap();
        let (mine, theirs) = (heap.add_list_heads(), heap.add_list_heads());
        let own = fill(&mut heap, 5);
        own[..2].iter().for_each(|o| heap.move_to(List::GEN2, *o));
        heap.park_lists(mine);
        heap.take_lists(theirs);
        assert!((0..List::COUNT).all(|list| members(&heap, List(list)).is_empty()));
        let others = fill(&mut heap, 3);
        // What is parked may be untracked meanwhile.
        heap.untrack(own[3]);
        heap.untrack(own[1]);
        assert_eq!(members(&heap, List::GEN0), others);
        heap.park_lists(theirs);
        heap.take_lists(mine);
        assert_eq!((members(&heap, List::GEN0), members(&heap, List::GEN2)), (vec![own[2], own[4]], vec![own[0]]));
        heap.park_lists(mine);
        heap.take_lists(theirs);
        assert_eq!(members(&heap, List::GEN0), others);
    }

    #[test]
    fn runs_are_taken_out_and_orders_turned_over() {
        let mut heap = heap();
        let all = fill(&mut heap, 6);
        heap.unlink_run(all[1], all[3]);
        heap.append_run(List::GEN1, all[1], all[3]);
        assert_eq!(
            (members(&heap, List::GEN0), members(&heap, List::GEN1)),
            (vec![all[0], all[4], all[5]], all[1..4].to_vec())
        );
        heap.reverse(List::GEN1);
        heap.reverse(List::GEN2);
        assert_eq!(
            (members(&heap, List::GEN1), members(&heap, List::GEN2)),
            (vec![all[3], all[2], all[1]], Vec::new())
        );
    }
}
