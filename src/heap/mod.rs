//! The heap: objects, slots, reference counts, weak reference lists, the collector's lists. Mechanism, no policy.
//!
//! Everything lives in arenas that are reset between runs, not freed. Nothing here runs user code or knows a
//! release; what a type does on a release was decided when the object was made and is kept in its flags.

mod list;
mod object;
mod slots;
mod traverse;
mod weak;

pub use list::List;
pub use object::{Flag, Idx, NIL, Object};
pub use slots::DictEntry;
pub use traverse::{From, Reference};
pub use weak::Weak;

use crate::event::ObjId;
use crate::scenario::{Kind, Shape};

/// All objects of one run.
#[derive(Clone, Debug, Default)]
pub struct Heap {
    /// Arena of objects; the first [`List::COUNT`] are list heads.
    pub(crate) objects: Vec<Object>,
    /// Arena of slots: object indices or `NIL`.
    pub(crate) slots: Vec<Idx>,
    /// Table of weak references; entries are not reused in a run.
    pub(crate) weaks: Vec<Weak>,
    ids: u32,
    freed: u32,
    snapshots: u32,
    by_id: Vec<Idx>,
    spare: Vec<Idx>,
}

impl Heap {
    /// An empty heap.
    pub fn new() -> Heap {
        let mut heap = Heap::default();
        heap.reset();
        heap
    }

    /// Forgets all objects and keeps the memory.
    pub fn reset(&mut self) {
        self.objects.clear();
        self.slots.clear();
        self.weaks.clear();
        self.by_id.clear();
        self.spare.clear();
        self.ids = 0;
        self.freed = 0;
        self.snapshots = 0;
        for head in 0..List::COUNT {
            let mut object = Object::new(Kind::new(Shape::Bare));
            object.prev = head;
            object.next = head;
            self.objects.push(object);
        }
    }

    /// The object at an index.
    #[inline]
    pub fn object(&self, o: Idx) -> &Object {
        &self.objects[o as usize]
    }

    /// The object at an index, to be changed.
    #[inline]
    pub fn object_mut(&mut self, o: Idx) -> &mut Object {
        &mut self.objects[o as usize]
    }

    /// Adds an object with `slots` empty slots, reference count 0 and the next identity; not tracked.
    pub fn create(&mut self, kind: Kind, slots: u16) -> Idx {
        let o = self.objects.len() as Idx;
        let mut object = Object::new(kind);
        object.id = Some(ObjId::from_index(self.ids));
        self.ids += 1;
        object.slots = self.slots.len() as u32;
        object.len = slots;
        object.cap = slots;
        self.slots.extend(std::iter::repeat_n(NIL, slots as usize));
        self.objects.push(object);
        self.by_id.push(o);
        o
    }

    /// Adds a temporary tuple without identity, with `slots` empty slots and reference count 1; not tracked.
    pub fn create_temporary(&mut self, slots: u16) -> Idx {
        let mut object = Object::new(Kind::new(Shape::Tuple));
        object.refcount = 1;
        object.len = slots;
        object.cap = slots;
        object.slots = self.slots.len() as u32;
        object.set(Flag::HEADER);
        if let Some(o) = self.spare.pop() {
            let old = self.objects[o as usize];
            if old.cap >= slots {
                object.slots = old.slots;
                object.cap = old.cap;
                for slot in 0..slots as usize {
                    self.slots[object.slots as usize + slot] = NIL;
                }
            } else {
                self.slots.extend(std::iter::repeat_n(NIL, slots as usize));
            }
            self.objects[o as usize] = object;
            return o;
        }
        self.slots.extend(std::iter::repeat_n(NIL, slots as usize));
        self.objects.push(object);
        self.objects.len() as Idx - 1
    }

    /// Gives a dead temporary tuple back.
    pub fn recycle_temporary(&mut self, o: Idx) {
        debug_assert!(self.objects[o as usize].id.is_none());
        self.spare.push(o);
    }

    /// Number of objects with identity whose memory has not been released.
    pub fn live(&self) -> u32 {
        self.ids - self.freed
    }

    /// The memory of an object with identity is released.
    pub fn release(&mut self, o: Idx) {
        self.objects[o as usize].set(Flag::FREED);
        self.freed += 1;
    }

    /// The number of the next snapshot.
    pub fn next_snapshot(&mut self) -> u32 {
        self.snapshots += 1;
        self.snapshots
    }

    /// Number of identities given so far.
    pub fn created(&self) -> u32 {
        self.ids
    }

    /// The object with an identity.
    pub fn by_index(&self, index: usize) -> Idx {
        self.by_id[index]
    }

    /// The identity of an object that is no temporary.
    #[inline]
    pub fn id(&self, o: Idx) -> ObjId {
        match self.objects[o as usize].id {
            Some(id) => id,
            None => unreachable!("a temporary tuple has no identity and is never reported"),
        }
    }
}
