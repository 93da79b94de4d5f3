//! The record of one object.

use crate::event::ObjId;
use crate::scenario::Kind;

/// Index of an object in the heap's arena. Not an identity: see [`Object::id`].
pub type Idx = u32;
/// No object.
pub const NIL: Idx = u32::MAX;

/// A bit of an object's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flag(u16);

impl Flag {
    /// The type has the GC flag: there is a GC header.
    pub const HEADER: Flag = Flag(1);
    /// Linked in one of the collector's lists.
    pub const TRACKED: Flag = Flag(2);
    /// Member of the set that a running collection examines.
    pub const COLLECTING: Flag = Flag(4);
    /// The finalized bit of the GC header.
    pub const FINALIZED: Flag = Flag(8);
    /// The memory has been released.
    pub const FREED: Flag = Flag(16);
    /// `tp_clear` has run.
    pub const CLEARED: Flag = Flag(32);
    /// `traverse` has been called an odd number of times.
    pub const ODD: Flag = Flag(64);
    /// The type has `tp_clear` on this release.
    pub const CLEARABLE: Flag = Flag(128);
    /// Deallocation has passed the point of no return.
    pub const DYING: Flag = Flag(256);
    /// A legacy finalizer as the collector sees it.
    pub const LEGACY: Flag = Flag(512);
    /// Set while a walk has the object as visited.
    pub const MARK: Flag = Flag(1024);
    /// Traverse visits less than all slots once each: look at the kind.
    pub const UNFAITHFUL: Flag = Flag(2048);
    /// The instance keeps its attributes in a dict of its own, in slot 0.
    pub const OWN_DICT: Flag = Flag(4096);
    /// A function that had a closure when it was cleared.
    pub const LOST_CLOSURE: Flag = Flag(8192);

    /// The type has a finalizer on this release (`tp_finalize`, or `tp_del` of a Python class before 3.4).
    pub const FINALIZES: Flag = Flag(16384);
    /// A temporary tuple that stands for the frame of a function: its slots are dropped from the first to the last.
    pub const FRAME: Flag = Flag(32768);

    /// Both flags.
    pub const fn and(self, other: Flag) -> Flag {
        Flag(self.0 | other.0)
    }
}

/// One object of the heap, the temporary tuples of weak reference processing included.
#[derive(Clone, Copy, Debug)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    flags: u16,
    /// Number of slots in use.
    pub len: u16,
    /// Number of slots allocated.
    pub cap: u16,
    /// Believed number of strong references.
    pub refcount: u32,
    /// Scratch count of a collection: references from outside the examined set.
    pub gc_refs: i32,
    /// Neighbour in the list the object is linked in.
    pub prev: Idx,
    /// Neighbour in the list the object is linked in.
    pub next: Idx,
    /// First slot in the heap's slot arena.
    pub slots: u32,
    /// First weak reference to this object, as index in the table of weak references.
    pub weakrefs: u32,
    /// For a weak reference: its own entry in the table of weak references.
    pub weak: u32,
    /// Number of the last snapshot that has shown it.
    pub shown: u32,
    /// Index of the operation that created it, among all operations of the scenario.
    pub origin: u32,
    /// Identity in events; `None` for list heads and temporary tuples.
    pub id: Option<ObjId>,
}

impl Object {
    /// An object without references, slots and links.
    pub const fn new(kind: Kind) -> Object {
        Object {
            kind,
            flags: 0,
            len: 0,
            cap: 0,
            refcount: 0,
            gc_refs: 0,
            prev: NIL,
            next: NIL,
            slots: 0,
            weakrefs: NIL,
            weak: NIL,
            shown: 0,
            origin: 0,
            id: None,
        }
    }

    /// True if the flag (all of several) is set.
    #[inline]
    pub const fn has(&self, flag: Flag) -> bool {
        self.flags & flag.0 == flag.0
    }

    /// Sets the flag.
    #[inline]
    pub const fn set(&mut self, flag: Flag) {
        self.flags |= flag.0;
    }

    /// Takes the flag away.
    #[inline]
    pub const fn unset(&mut self, flag: Flag) {
        self.flags &= !flag.0;
    }

    /// Sets or unsets the flag.
    #[inline]
    pub const fn put(&mut self, flag: Flag, on: bool) {
        if on { self.set(flag) } else { self.unset(flag) }
    }

    /// Turns the flag over.
    #[inline]
    pub const fn flip(&mut self, flag: Flag) {
        self.flags ^= flag.0;
    }
}
