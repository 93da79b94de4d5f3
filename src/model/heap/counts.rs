//! Reference counts: everything that changes one goes through here.

use super::Heap;
use super::flags::Flag;
use super::object::{Idx, NIL};

impl Heap {
    /// Counts one reference more; false if the object's memory has been released.
    #[inline]
    pub fn add_reference(&mut self, o: Idx) -> bool {
        let object = &mut self.objects[o as usize];
        object.refcount += 1;
        !object.has(Flag::FREED)
    }

    /// Counts one reference less: how many are left. Nothing happens, and nothing is the answer, if there is none or the
    /// object's memory has been released.
    #[inline]
    pub fn drop_reference(&mut self, o: Idx) -> Option<u32> {
        let object = &mut self.objects[o as usize];
        if object.refcount == 0 || object.has(Flag::FREED) {
            return None;
        }
        object.refcount -= 1;
        Some(object.refcount)
    }

    /// Counts one reference less if that is not the last; false if it is.
    #[inline]
    pub fn drop_unless_last(&mut self, o: Idx) -> bool {
        let object = &mut self.objects[o as usize];
        let more = object.refcount > 1;
        if more {
            object.refcount -= 1;
        }
        more
    }

    /// Takes back what was counted for a while, without consequences: how many are left.
    #[inline]
    pub fn take_reference_back(&mut self, o: Idx) -> u32 {
        let object = &mut self.objects[o as usize];
        object.refcount = object.refcount.saturating_sub(1);
        object.refcount
    }

    /// The last reference is dropped by a deallocator, which goes on with the object.
    #[inline]
    pub fn drop_last_reference(&mut self, o: Idx) {
        self.objects[o as usize].refcount = 0;
    }

    /// The one artificial reference to a dying object while user code runs on it.
    #[inline]
    pub fn revive(&mut self, o: Idx) {
        self.objects[o as usize].refcount = 1;
    }

    /// Empties the slots of an object from number `step` on, from the first to the last, and drops what they hold, up to
    /// the first reference that is the last to its object: that object, which still counts it, or `NIL`.
    #[inline(always)]
    pub fn drop_slots_until_last(&mut self, o: Idx, step: &mut u32) -> Idx {
        let Heap { objects, slots, .. } = self;
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
}
