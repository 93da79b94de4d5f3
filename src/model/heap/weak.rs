//! Weak reference lists: canonical reference, canonical proxy, then the others, newest first.

use super::flags::Flag;
use super::object::{Idx, NIL};
use super::{Heap, make_room};
use crate::scenario::Shape;

/// One weak reference object's state.
#[derive(Clone, Copy, Debug)]
pub struct Weak {
    /// The weak reference object.
    pub object: Idx,
    /// What it refers to, or `NIL` once cleared.
    pub referent: Idx,
    /// Its callback, or `NIL`.
    pub callback: Idx,
    /// The key of an entry of a weak value dictionary.
    pub key: u8,
    prev: u32,
    /// Next entry in the referent's list.
    pub next: u32,
}

impl Heap {
    /// The state of a weak reference object.
    #[inline]
    pub fn weak(&self, o: Idx) -> &Weak {
        &self.weaks[self.details[o as usize].entry as usize]
    }

    /// The state of a weak reference object, to be changed.
    #[inline]
    pub fn weak_mut(&mut self, o: Idx) -> &mut Weak {
        &mut self.weaks[self.details[o as usize].entry as usize]
    }

    /// The shared reference or proxy of an object, if it exists.
    pub fn canonical(&self, referent: Idx, shape: Shape) -> Option<Idx> {
        let mut entry = self.details[referent as usize].weakrefs;
        for _ in 0..2 {
            let weak = self.weaks.get(entry as usize)?;
            if weak.callback != NIL {
                return None;
            }
            let found = self.objects[weak.object as usize].shape;
            if found == shape {
                return Some(weak.object);
            }
            if found == Shape::KeyedRef {
                return None;
            }
            entry = weak.next;
        }
        None
    }

    /// Makes `o` a weak reference to `referent`. The callback's reference count is the caller's business.
    pub fn link_weak(&mut self, o: Idx, referent: Idx, callback: Idx) {
        let entry = self.weaks.len() as u32;
        make_room(&mut self.weaks, 1);
        self.weaks.push(Weak { object: o, referent, callback, key: 0, prev: NIL, next: NIL });
        self.live_weaks += 1;
        self.details[o as usize].entry = entry;
        self.objects[referent as usize].set(Flag::WATCHED);
        let shape = self.objects[o as usize].shape;
        let is_canonical = callback == NIL && shape != Shape::KeyedRef;
        let reference = self.canonical(referent, Shape::Ref);
        let proxy = self.canonical(referent, Shape::Proxy);
        let after = match (is_canonical, shape) {
            (true, Shape::Ref) => None,
            (true, _) => reference,
            (false, _) => proxy.or(reference),
        };
        match after {
            None => {
                let head = self.details[referent as usize].weakrefs;
                self.weaks[entry as usize].next = head;
                if head != NIL {
                    self.weaks[head as usize].prev = entry;
                }
                self.details[referent as usize].weakrefs = entry;
            }
            Some(before) => {
                let before = self.details[before as usize].entry;
                let next = self.weaks[before as usize].next;
                self.weaks[entry as usize].prev = before;
                self.weaks[entry as usize].next = next;
                self.weaks[before as usize].next = entry;
                if next != NIL {
                    self.weaks[next as usize].prev = entry;
                }
            }
        }
    }

    /// Clears a weak reference: it answers `None` from now on and leaves the referent's list. The callback stays.
    pub fn clear_weak(&mut self, o: Idx) {
        let entry = self.details[o as usize].entry;
        let weak = self.weaks[entry as usize];
        if weak.referent == NIL {
            return;
        }
        if weak.prev == NIL {
            self.details[weak.referent as usize].weakrefs = weak.next;
            if weak.next == NIL {
                self.objects[weak.referent as usize].unset(Flag::WATCHED);
            }
        } else {
            self.weaks[weak.prev as usize].next = weak.next;
        }
        if weak.next != NIL {
            self.weaks[weak.next as usize].prev = weak.prev;
        }
        let weak = &mut self.weaks[entry as usize];
        weak.referent = NIL;
        weak.prev = NIL;
        weak.next = NIL;
    }

    /// Clears every weak reference to an object.
    pub fn clear_all_weaks(&mut self, referent: Idx) {
        while self.details[referent as usize].weakrefs != NIL {
            let first = self.details[referent as usize].weakrefs;
            self.clear_weak(self.weaks[first as usize].object);
        }
    }

    /// What a weak reference answers: its referent, unless it is cleared or the referent is dying.
    pub fn answer(&self, o: Idx) -> Option<Idx> {
        let referent = self.weak(o).referent;
        (referent != NIL && self.objects[referent as usize].refcount > 0).then_some(referent)
    }

    /// True if a weak reference has outlived the memory of its referent, whose deallocator forgot it: what a use of it
    /// does is undefined.
    #[inline]
    pub fn dangles(&self, o: Idx) -> bool {
        let referent = self.weak(o).referent;
        referent != NIL && self.objects[referent as usize].has(Flag::FREED)
    }

    /// True if the object is a weak reference.
    #[inline]
    pub fn is_weak(&self, o: Idx) -> bool {
        self.objects[o as usize].shape.is_weakref()
    }

    /// Number of weak references to an object.
    pub fn weak_count(&self, referent: Idx) -> u32 {
        let mut n = 0;
        let mut entry = self.details[referent as usize].weakrefs;
        while entry != NIL {
            n += 1;
            entry = self.weaks[entry as usize].next;
        }
        n
    }

    /// True if `o` is linked in a list that still belongs to the running collection.
    #[inline]
    pub fn is_collecting(&self, o: Idx) -> bool {
        self.objects[o as usize].has(Flag::COLLECTING)
    }
}
