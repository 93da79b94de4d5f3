//! Live objects in order of creation, for snapshots: the cost of one must not grow with all that ever died.

use super::Heap;
use super::flags::Flag;
use super::list::List;
use super::object::{Idx, Object};

/// Which part of the arena a walk in order of creation has to look at: some objects by name, then the rest of it.
///
/// Nothing is listed while most of what was created lives. When more than half of a walk would be dead, the living
/// are listed, so that a walk costs no more than twice the living and each death is paid for once.
#[derive(Clone, Debug, Default)]
pub(super) struct LiveObjects {
    listed: Vec<Idx>,
    /// The arena is walked from here on.
    rest: Idx,
    /// Number of freed objects when the list was made.
    dead: u32,
}

impl LiveObjects {
    pub(super) fn reset(&mut self) {
        self.listed.clear();
        self.rest = List::COUNT;
        self.dead = 0;
    }

    pub(super) fn bytes(&self) -> usize {
        self.listed.capacity() * size_of::<Idx>()
    }
}

impl Heap {
    /// Leaves most of the dead out of later walks, if there are enough of them.
    #[inline]
    pub(crate) fn tidy_live_objects(&mut self) {
        if (self.dead - self.live.dead) as usize * 2 > self.length_of_walk() + 64 {
            self.list_live();
        }
    }

    #[cold]
    fn list_live(&mut self) {
        let lives = |o: &Object| o.id.is_some() && !o.has(Flag::FREED);
        let objects = &self.objects;
        self.live.listed.retain(|o| lives(&objects[*o as usize]));
        let end = objects.len() as Idx;
        self.live.listed.extend((self.live.rest..end).filter(|o| lives(&objects[*o as usize])));
        self.live.rest = end;
        self.live.dead = self.dead;
    }

    /// Runs `visit` on every object that has not been freed, in order of creation, until it returns false.
    /// Temporary tuples may be among them.
    #[inline]
    pub(crate) fn walk_live(&self, mut visit: impl FnMut(Idx, &Object) -> bool) {
        for &o in &self.live.listed {
            let object = &self.objects[o as usize];
            if !object.has(Flag::FREED) && !visit(o, object) {
                return;
            }
        }
        for (object, o) in self.objects[self.live.rest as usize..].iter().zip(self.live.rest..) {
            if !object.has(Flag::FREED) && !visit(o, object) {
                return;
            }
        }
    }

    /// At least as many objects as a walk over the living meets.
    #[inline]
    pub(crate) fn length_of_walk(&self) -> usize {
        self.live.listed.len() + self.objects.len() - self.live.rest as usize
    }

    /// The number of the next snapshot, from 1; no object has been shown by it yet.
    pub(crate) fn next_snapshot(&mut self) -> u8 {
        if self.snapshots == u8::MAX {
            self.snapshots = 0;
            for object in &mut self.objects {
                object.shown = 0;
            }
        }
        self.snapshots += 1;
        self.snapshots
    }

    /// Marks the members of a list as shown by a snapshot and runs `visit` on each, in order.
    #[inline(always)]
    pub(crate) fn show_members(&mut self, list: List, snapshot: u8, mut visit: impl FnMut(&Object)) {
        let mut o = self.objects[list.head() as usize].next;
        while o != list.head() {
            let object = &mut self.objects[o as usize];
            object.show(snapshot);
            o = object.next;
            visit(object);
        }
    }

    /// How many objects a snapshot has shown though their memory has been released.
    #[cold]
    pub(crate) fn freed_and_shown(&self, snapshot: u8) -> u32 {
        let is = |o: &&Object| o.id.is_some() && o.has(Flag::FREED) && o.is_shown(snapshot);
        self.objects.iter().filter(is).count() as u32
    }
}
