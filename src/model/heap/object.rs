//! The record of one object, in two halves: what collections walk over, and the rest.

use super::flags::Flag;
use crate::event::ObjId;
use crate::scenario::{Kind, Shape};

/// Index of an object in the heap's arena. Not an identity: see [`Object::id`].
pub type Idx = u32;
/// No object.
pub const NIL: Idx = u32::MAX;

/// The half of an object's record that collections, deallocators and snapshots read: all of it.
///
/// 32 bytes, two to a cache line. A collection walks over millions of these in the order of its lists, which is
/// mostly the order of the arena, and jumps from slots to them; nothing else is touched to find what is unreachable.
/// The temporary tuples of weak reference processing are objects too.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Object {
    /// Neighbour in the list the object is linked in.
    pub prev: Idx,
    /// Neighbour in the list the object is linked in.
    pub next: Idx,
    /// Believed number of strong references.
    pub refcount: u32,
    /// Scratch count of a collection: references from outside the examined set.
    pub gc_refs: i32,
    /// First slot in the heap's slot arena.
    pub slots: u32,
    /// Number of slots in use.
    pub len: u32,
    /// Identity in events; `None` for list heads and temporary tuples.
    pub id: Option<ObjId>,
    flags: Flag,
    /// The shape of its kind.
    pub shape: Shape,
    /// Number of the last snapshot that has shown it.
    pub(super) shown: u8,
}

const _: () = assert!(size_of::<Object>() == 32);

/// The half of an object's record that is needed seldom.
#[derive(Clone, Copy, Debug)]
pub struct Detail {
    /// Number of its type in the heap.
    pub ty: u32,
    /// Number of slots allocated.
    pub cap: u32,
    /// First weak reference to this object, as index in the table of weak references.
    pub weakrefs: u32,
    /// For a weak reference its own entry in the table of weak references; for a weak container and its removal
    /// callback the number of the container.
    pub entry: u32,
    /// Index of the operation that created it, among all operations of the scenario.
    pub origin: u32,
}

/// What the objects of one kind have in common on the release that runs, worked out once.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    /// What they are.
    pub kind: Kind,
    /// The flags that they are born with.
    pub flags: Flag,
    /// Number of slots, unless it depends on what an object is made of.
    pub slots: u8,
    /// Tracked at birth, unless that depends on what an object is made of.
    pub tracked: bool,
}

impl Object {
    /// An object without references, slots and links.
    #[inline]
    pub const fn new(shape: Shape, flags: Flag) -> Object {
        Object { prev: NIL, next: NIL, refcount: 0, gc_refs: 0, slots: 0, len: 0, id: None, flags, shape, shown: 0 }
    }

    /// Its identity in events.
    #[inline]
    pub fn identity(&self) -> ObjId {
        match self.id {
            Some(id) => id,
            None => unreachable!("a temporary tuple has no identity and is never reported"),
        }
    }

    /// Marks the object as shown by a snapshot.
    #[inline]
    pub(super) const fn show(&mut self, snapshot: u8) {
        self.shown = snapshot;
    }

    /// True if a snapshot has shown the object.
    #[inline]
    pub(crate) const fn is_shown(&self, snapshot: u8) -> bool {
        self.shown == snapshot
    }

    /// All flags.
    #[inline]
    pub const fn flags(&self) -> Flag {
        self.flags
    }

    /// True if the flag (all of several) is set.
    #[inline]
    pub const fn has(&self, flag: Flag) -> bool {
        self.flags.has(flag)
    }

    /// True if one of several flags is set.
    #[inline]
    pub const fn meets(&self, flags: Flag) -> bool {
        self.flags.meets(flags)
    }

    /// Sets the flag.
    #[inline]
    pub(super) const fn set(&mut self, flag: Flag) {
        self.flags = self.flags.and(flag);
    }

    /// Takes the flag away.
    #[inline]
    pub(super) const fn unset(&mut self, flag: Flag) {
        self.flags = self.flags.without(flag);
    }
}

impl Detail {
    /// Details of an object of a type with some slots.
    #[inline]
    pub const fn new(ty: u32, cap: u32) -> Detail {
        Detail { ty, cap, weakrefs: NIL, entry: NIL, origin: 0 }
    }
}
