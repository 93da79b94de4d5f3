//! The collector's lists: circular, doubly linked through the objects. Membership is nothing but links.

use super::Heap;
use super::flags::Flag;
use super::object::Idx;

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
        let last = self.objects[list.0 as usize].prev;
        self.objects[last as usize].next = o;
        let object = &mut self.objects[o as usize];
        object.prev = last;
        object.next = list.0;
        self.objects[list.0 as usize].prev = o;
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
        let (prev, next) = (self.objects[o as usize].prev, self.objects[o as usize].next);
        self.objects[prev as usize].next = next;
        self.objects[next as usize].prev = prev;
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

    /// Tracks an object: tail of generation 0, whatever its age.
    #[inline]
    pub fn track(&mut self, o: Idx) {
        debug_assert!(!self.objects[o as usize].has(Flag::TRACKED));
        self.objects[o as usize].set(Flag::TRACKED);
        self.append(List::GEN0, o);
    }

    /// Untracks an object; safe to call on an untracked one.
    #[inline]
    pub fn untrack(&mut self, o: Idx) {
        if self.objects[o as usize].has(Flag::TRACKED) {
            self.unlink(o);
            self.objects[o as usize].unset(Flag::TRACKED.and(Flag::COLLECTING));
        }
    }
}
