//! Slots: what an object holds strongly, besides a weak reference's callback.

use super::flags::Flag;
use super::object::{Idx, NIL, Object};
use super::{Heap, make_room};
use crate::scenario::{MAX_ITEMS, Shape, SlotOrder};

/// One entry of a dict: a small integer key, or an object key stored as its index plus [`DictEntry::OBJECT`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DictEntry {
    /// The key.
    pub key: u32,
    /// The value, or `NIL` if the entry was deleted.
    pub value: Idx,
}

impl DictEntry {
    /// Keys from here on are objects.
    pub const OBJECT: u32 = 1 << 16;

    /// The key's object, if it is one.
    pub const fn key_object(self) -> Option<Idx> {
        if self.key >= DictEntry::OBJECT { Some(self.key - DictEntry::OBJECT) } else { None }
    }
}

impl Heap {
    /// Raw slot number `i` (dicts: a key or a value).
    #[inline]
    pub fn raw(&self, o: Idx, i: usize) -> Idx {
        self.slots[self.objects[o as usize].slots as usize + i]
    }

    /// Changes raw slot number `i` and returns the old content.
    #[inline]
    pub fn set_raw(&mut self, o: Idx, i: usize, value: Idx) -> Idx {
        let at = self.objects[o as usize].slots as usize + i;
        std::mem::replace(&mut self.slots[at], value)
    }

    /// Number of entries of a dict, deleted ones included.
    #[inline]
    pub fn entries(&self, dict: Idx) -> usize {
        self.objects[dict as usize].len as usize / 2
    }

    /// Entry number `i` of a dict in table order.
    #[inline]
    pub fn entry(&self, dict: Idx, i: usize) -> DictEntry {
        DictEntry { key: self.raw(dict, 2 * i), value: self.raw(dict, 2 * i + 1) }
    }

    /// Position of a key among the entries of a dict.
    pub fn find_key(&self, dict: Idx, key: u32) -> Option<usize> {
        (0..self.entries(dict)).find(|&i| {
            let entry = self.entry(dict, i);
            entry.key == key && entry.value != NIL
        })
    }

    /// Appends an entry to a dict.
    ///
    /// Entries that were deleted are squeezed out first if there are very many, as no dict of a scenario has more
    /// than [`MAX_ITEMS`] others: storing and deleting for ever must not take ever longer. The data of weak
    /// containers, whose entries are known by number, never has so many.
    pub fn push_entry(&mut self, dict: Idx, entry: DictEntry) {
        if self.entries(dict) >= 4 * MAX_ITEMS as usize {
            self.squeeze(dict);
        }
        self.push_raw(dict, entry.key);
        self.push_raw(dict, entry.value);
    }

    fn squeeze(&mut self, dict: Idx) {
        let mut kept = 0;
        for i in 0..self.entries(dict) {
            let entry = self.entry(dict, i);
            if entry.value != NIL {
                self.set_raw(dict, 2 * kept, entry.key);
                self.set_raw(dict, 2 * kept + 1, entry.value);
                kept += 1;
            }
        }
        self.objects[dict as usize].len = 2 * kept as u32;
    }

    /// Appends a raw slot, moving the slots to the end of the arena when they are full.
    pub fn push_raw(&mut self, o: Idx, value: Idx) {
        let object = &mut self.objects[o as usize];
        let (start, len) = (object.slots as usize, object.len as usize);
        let cap = &mut self.details[o as usize].cap;
        if object.len == *cap {
            *cap = (*cap * 2).max(4);
            make_room(&mut self.slots, *cap as usize);
            let new = self.slots.len();
            self.slots.extend_from_within(start..start + len);
            self.slots.resize(new + *cap as usize, NIL);
            object.slots = new as u32;
        }
        self.slots[object.slots as usize + len] = value;
        object.len += 1;
    }

    /// Takes the last raw slot away and returns what was in it, if there is one.
    pub fn pop_raw(&mut self, o: Idx) -> Option<Idx> {
        let object = &mut self.objects[o as usize];
        object.len = object.len.checked_sub(1)?;
        Some(self.slots[object.slots as usize + object.len as usize])
    }

    /// Takes all slots from an object. They stay in the arena.
    pub fn detach_slots(&mut self, o: Idx) {
        let object = &mut self.objects[o as usize];
        object.len = 0;
        object.slots = 0;
        self.details[o as usize].cap = 0;
    }

    /// Takes all slots but the first from an object that has some, and empties that.
    pub fn keep_one_slot(&mut self, o: Idx) {
        self.objects[o as usize].len = 1;
        self.set_raw(o, 0, NIL);
    }

    /// What slot `slot` of an object holds, as a path of a scenario sees it; `None` if there is no such slot.
    #[inline]
    pub fn get(&self, o: Idx, slot: u8) -> Option<Idx> {
        let object = &self.objects[o as usize];
        let slot = slot as usize;
        match object.shape {
            Shape::Dict => Some(self.find_key(o, slot as u32).map_or(NIL, |i| self.entry(o, i).value)),
            Shape::Instance if object.has(Flag::OWN_DICT) => match self.raw(o, 0) {
                NIL => (slot < crate::scenario::NODE_SLOTS as usize).then_some(NIL),
                dict => self.get(dict, slot as u8),
            },
            shape if shape.is_weak_container() => None,
            _ => (slot < object.len as usize).then(|| self.raw(o, slot)),
        }
    }

    /// Which of `len` raw slots `clear` and dealloc of a shape drop as number `step`. The temporary tuple that stands for
    /// a frame goes from the first to the last.
    #[inline]
    pub const fn drop_position(object: &Object, step: u32) -> u32 {
        let len = object.len;
        match object.shape.order() {
            SlotOrder::LastToFirst if !object.has(Flag::FRAME) => len - 1 - step,
            SlotOrder::SecondThirdFirst => (step + 1) % len,
            _ => step,
        }
    }
}
