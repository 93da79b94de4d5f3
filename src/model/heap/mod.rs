//! The heap: objects, slots, reference counts, weak reference lists, the collector's lists. Mechanism, no policy.
//!
//! Everything lives in arenas that are reset between runs, not freed. Nothing here runs user code or knows a
//! release; what a type does on a release was decided when the first object of it was made and is kept in flags.
//!
//! The record of an object is split by use: [`Object`] is what collections walk over, [`Detail`] the rest. Kinds are
//! kept once per type. An object with four slots takes 68 bytes; the same in CPython takes 80.

mod counts;
mod flags;
mod list;
mod live_objects;
mod object;
mod slots;
mod traverse;
mod weak;

pub use flags::{Flag, RareFlag};
pub use list::List;
pub use object::{Detail, Idx, NIL, Object, Type};
pub use slots::DictEntry;
pub use traverse::{From, Objects, Reference};
pub use weak::Weak;

use crate::event::ObjId;
use crate::scenario::{Kind, Shape};

/// Makes room for `n` more items of an arena.
#[inline]
fn make_room<T>(arena: &mut Vec<T>, n: usize) {
    if arena.capacity() - arena.len() < n {
        grow(arena, n);
    }
}

/// A small arena doubles. A large one takes little more than it needs: its pages are remapped, not copied, and twice
/// its size would be more memory than CPython takes for the same objects.
#[cold]
fn grow<T>(arena: &mut Vec<T>, n: usize) {
    match arena.len() {
        0..0x1000 => arena.reserve(n),
        len @ 0x1000..0x1_0000 => arena.reserve_exact(n.max(len / 8)),
        len => arena.reserve_exact(n.max(len / 16)),
    }
}

/// All objects of one run.
#[derive(Clone, Debug, Default)]
pub struct Heap {
    /// Arena of objects; the first [`List::COUNT`] are list heads.
    objects: Vec<Object>,
    /// The other half of each object's record.
    details: Vec<Detail>,
    /// Arena of slots: object indices or `NIL`.
    pub(crate) slots: Vec<Idx>,
    /// Where weak references in [`List::CALLS`] came from, if they go back there.
    pub(crate) called_from: Vec<(Idx, List)>,
    /// Table of weak references; entries are not reused in a run.
    pub(crate) weaks: Vec<Weak>,
    /// First one plain type per shape, then those of the run.
    types: Vec<Type>,
    ids: u32,
    /// How often memory was released: a planted bug may do it twice for one object.
    freed: u32,
    /// How many objects it was released of.
    dead: u32,
    /// Weak reference objects whose memory has not been released.
    live_weaks: u32,
    snapshots: u8,
    spare: Vec<Idx>,
    live: live_objects::LiveObjects,
    rare: flags::RareFlags,
}

impl Heap {
    /// An empty heap, with the type of plain objects of each shape.
    pub fn new(plain: [Type; Shape::ALL.len()]) -> Heap {
        let mut heap = Heap::default();
        heap.types.extend(plain);
        heap.add_list_heads();
        heap.reset();
        heap
    }

    /// Forgets all objects and keeps the memory.
    pub fn reset(&mut self) {
        self.objects.truncate(List::COUNT as usize);
        self.details.truncate(List::COUNT as usize);
        self.slots.clear();
        self.weaks.clear();
        self.called_from.clear();
        self.types.truncate(Shape::ALL.len());
        self.spare.clear();
        self.live.reset();
        self.rare.reset();
        self.ids = 0;
        self.freed = 0;
        self.dead = 0;
        self.live_weaks = 0;
        self.snapshots = 0;
        for (i, head) in self.objects.iter_mut().enumerate() {
            head.prev = i as Idx;
            head.next = i as Idx;
        }
    }

    /// The object at an index.
    #[inline]
    pub fn object(&self, o: Idx) -> &Object {
        &self.objects[o as usize]
    }

    /// Sets the flag (all of several) of the object at an index.
    #[inline]
    pub fn set(&mut self, o: Idx, flag: Flag) {
        self.objects[o as usize].set(flag);
    }

    /// Takes the flag (all of several) of the object at an index away.
    #[inline]
    pub fn unset(&mut self, o: Idx, flag: Flag) {
        self.objects[o as usize].unset(flag);
    }

    /// A collection begins to look at the object at an index: its scratch count is its reference count.
    #[inline]
    pub fn start_counting(&mut self, o: Idx) -> &Object {
        let object = &mut self.objects[o as usize];
        object.gc_refs = object.refcount as i32;
        object.set(Flag::COLLECTING);
        object
    }

    /// Changes the scratch count of the object at an index.
    #[inline]
    pub fn set_gc_refs(&mut self, o: Idx, gc_refs: i32) {
        self.objects[o as usize].gc_refs = gc_refs;
    }

    /// The details of the object at an index.
    #[inline]
    pub fn detail(&self, o: Idx) -> &Detail {
        &self.details[o as usize]
    }

    /// The details of the object at an index, to be changed.
    #[inline]
    pub fn detail_mut(&mut self, o: Idx) -> &mut Detail {
        &mut self.details[o as usize]
    }

    /// True if the rare flag of the object at an index is set.
    #[inline]
    pub fn has_rare(&self, o: Idx, flag: RareFlag) -> bool {
        self.rare.has(o, flag)
    }

    /// Sets the rare flag of the object at an index.
    pub fn set_rare(&mut self, o: Idx, flag: RareFlag) {
        self.rare.set(o, flag);
    }

    /// What the object at an index is.
    #[inline]
    pub fn kind(&self, o: Idx) -> &Kind {
        &self.types[self.details[o as usize].ty as usize].kind
    }

    /// Adds a type; the number by which objects name it. The plain type of a shape has the shape's number.
    #[inline]
    pub fn add_type(&mut self, ty: Type) -> u32 {
        self.types.push(ty);
        self.types.len() as u32 - 1
    }

    /// The type with a number.
    #[inline]
    pub fn type_at(&self, ty: u32) -> &Type {
        &self.types[ty as usize]
    }

    /// Makes room for `objects` more objects with `slots` slots in all, and for no more: millions of objects should
    /// not take twice their size.
    pub fn reserve(&mut self, objects: usize, slots: usize) {
        self.objects.reserve_exact(objects);
        self.details.reserve_exact(objects);
        self.slots.reserve_exact(slots);
    }

    /// Bytes of memory that the arenas take.
    pub fn bytes(&self) -> usize {
        fn bytes<T>(v: &Vec<T>) -> usize {
            v.capacity() * size_of::<T>()
        }
        bytes(&self.objects)
            + bytes(&self.details)
            + bytes(&self.slots)
            + bytes(&self.weaks)
            + bytes(&self.types)
            + bytes(&self.spare)
            + self.live.bytes()
            + self.rare.bytes()
    }

    /// Adds an object with `slots` empty slots, reference count 1 and the next identity; not tracked.
    #[inline(always)]
    pub fn create(&mut self, ty: u32, shape: Shape, flags: Flag, slots: u32) -> Idx {
        let o = self.objects.len() as Idx;
        if self.objects.len() == self.objects.capacity() {
            grow(&mut self.objects, 1);
            grow(&mut self.details, 1);
        }
        make_room(&mut self.slots, slots as usize);
        let mut object = Object::new(shape, flags);
        object.refcount = 1;
        object.id = Some(ObjId::from_index(self.ids));
        self.ids += 1;
        // Without slots the place must hold even when the end of the arena is given back.
        object.slots = if slots == 0 { 0 } else { self.slots.len() as u32 };
        object.len = slots;
        if slots == 4 {
            self.slots.extend_from_slice(&[NIL; 4]);
        } else {
            self.slots.resize(self.slots.len() + slots as usize, NIL);
        }
        self.objects.push(object);
        self.details.push(Detail::new(ty, slots));
        o
    }

    /// Adds a temporary tuple without identity, with `slots` empty slots and reference count 1; not tracked.
    pub fn create_temporary(&mut self, slots: u32) -> Idx {
        self.create_unnamed(Shape::Tuple, slots)
    }

    /// The same for an object of any shape: one that is there, and that no event tells of.
    pub fn create_unnamed(&mut self, shape: Shape, slots: u32) -> Idx {
        let mut object = Object::new(shape, Flag::HEADER);
        object.refcount = 1;
        object.len = slots;
        object.slots = if slots == 0 { 0 } else { self.slots.len() as u32 };
        let mut detail = Detail::new(shape as u32, slots);
        if let Some(o) = self.spare.pop() {
            let (old, cap) = (self.objects[o as usize].slots, self.details[o as usize].cap);
            if cap >= slots {
                object.slots = old;
                detail.cap = cap;
                self.slots[old as usize..(old + slots) as usize].fill(NIL);
            } else {
                self.slots.resize(self.slots.len() + slots as usize, NIL);
            }
            self.objects[o as usize] = object;
            self.details[o as usize] = detail;
            self.rare.forget(o);
            return o;
        }
        self.slots.resize(self.slots.len() + slots as usize, NIL);
        self.objects.push(object);
        self.details.push(detail);
        self.objects.len() as Idx - 1
    }

    /// Gives a dead temporary tuple back.
    pub fn recycle_temporary(&mut self, o: Idx) {
        debug_assert!(self.objects[o as usize].id.is_none());
        self.spare.push(o);
    }

    /// Number of objects with identity less the number of times that memory was released, modulo 2^32: a planted bug releases
    /// it twice.
    #[inline]
    pub fn balance(&self) -> u32 {
        self.ids.wrapping_sub(self.freed)
    }

    /// Number of objects with identity whose memory has not been released.
    #[inline]
    pub fn live(&self) -> u32 {
        self.ids - self.dead
    }

    /// Number of weak reference objects whose memory has not been released.
    #[inline]
    pub fn live_weaks(&self) -> u32 {
        self.live_weaks
    }

    /// The memory of an object with identity is released.
    #[inline]
    pub fn release(&mut self, o: Idx) {
        let object = &mut self.objects[o as usize];
        self.freed += 1;
        if !object.has(Flag::FREED) {
            object.set(Flag::FREED);
            self.dead += 1;
            self.live_weaks -= u32::from(object.shape.is_weakref());
        }
    }

    /// How many objects there were room for: at least as many as there ever were at a time.
    pub fn places(&self) -> usize {
        self.objects.len() - List::COUNT as usize
    }

    /// Number of identities given so far.
    #[inline]
    pub fn created(&self) -> u32 {
        self.ids
    }

    /// The objects whose memory has not been released, in order of creation.
    pub fn in_order(&self) -> impl Iterator<Item = Idx> + '_ {
        let first = List::COUNT as usize;
        self.objects[first..]
            .iter()
            .zip(List::COUNT..)
            .filter(|(object, _)| object.id.is_some() && !object.has(Flag::FREED))
            .map(|(_, o)| o)
    }

    /// The identity of an object that is no temporary.
    #[inline]
    pub fn id(&self, o: Idx) -> ObjId {
        self.objects[o as usize].identity()
    }
}
