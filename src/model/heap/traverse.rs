//! `tp_traverse`: which references an object reports, in which order.

use super::Heap;
use super::flags::{Flag, RareFlag};
use super::list::{self, List};
use super::object::{Idx, NIL, Object};
use super::slots::DictEntry;
use crate::scenario::{Shape, SlotOrder};

/// A strong reference as [`Heap::references`] tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reference {
    /// Which part of the holder.
    pub from: From,
    /// What is referred to.
    pub to: Idx,
    /// How often the next `traverse` reports it: once, unless the type lies.
    pub reported: u32,
}

/// The part of an object that a reference is in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum From {
    /// A slot, item or attribute, or the value of a small integer key.
    Slot(u8),
    /// A key of a dict that is an object.
    Key,
    /// The value of such a key.
    Value,
    /// The callback of a weak reference.
    Callback,
}

/// The objects of a heap while one of them is traversed.
pub struct Objects<'h>(&'h mut [Object]);

impl Objects<'_> {
    /// The object at an index.
    #[inline]
    pub fn get(&self, o: Idx) -> &Object {
        &self.0[o as usize]
    }

    /// Sets the flag of an object.
    #[inline]
    pub fn set(&mut self, o: Idx, flag: Flag) {
        self.0[o as usize].set(flag);
    }

    /// Takes the flag of an object away.
    #[inline]
    pub fn unset(&mut self, o: Idx, flag: Flag) {
        self.0[o as usize].unset(flag);
    }

    /// One of the references that a collection counts to an object comes from inside: how many are left.
    #[inline]
    pub fn subtract_reference(&mut self, o: Idx) -> i32 {
        let object = &mut self.0[o as usize];
        object.gc_refs -= 1;
        object.gc_refs
    }

    /// Changes the scratch count of an object.
    #[inline]
    pub fn set_gc_refs(&mut self, o: Idx, gc_refs: i32) {
        self.0[o as usize].gc_refs = gc_refs;
    }

    /// Moves an object to the end of a list.
    #[inline]
    pub fn move_to(&mut self, list: List, o: Idx) {
        list::unlink(self.0, o);
        list::append(self.0, list, o);
    }
}

impl Heap {
    /// Calls `visit` for every reference that `traverse` of `o` reports, in its order.
    ///
    /// Lists and tuples go from the last item to the first; dicts value, then key; functions defaults, dict,
    /// closure; weak references report their callback only.
    #[inline]
    pub fn traverse(&mut self, o: Idx, mut visit: impl FnMut(&mut Objects<'_>, Idx)) {
        let Heap { objects, details, slots, weaks, types, rare, .. } = self;
        let object = &objects[o as usize];
        let (shape, unfaithful, frame) = (object.shape, object.has(Flag::UNFAITHFUL), object.has(Flag::FRAME));
        let mine = &slots[object.slots as usize..(object.slots + object.len) as usize];
        let objects = &mut Objects(objects);
        match shape.order() {
            SlotOrder::LastToFirst if !frame => {
                for s in mine.iter().rev().filter(|s| **s != NIL) {
                    visit(objects, *s);
                }
            }
            SlotOrder::Entries => {
                for pair in mine.chunks_exact(2).filter(|pair| pair[1] != NIL) {
                    visit(objects, pair[1]);
                    if let Some(key) = (DictEntry { key: pair[0], value: pair[1] }).key_object() {
                        visit(objects, key);
                    }
                }
            }
            SlotOrder::SecondThirdFirst => {
                for slot in [1, 2, 0] {
                    if mine[slot] != NIL {
                        visit(objects, mine[slot]);
                    }
                }
            }
            _ if unfaithful => {
                let odd = rare.flip(o, RareFlag::ODD);
                let kind = &types[details[o as usize].ty as usize].kind;
                for (slot, s) in mine.iter().enumerate() {
                    if *s == NIL || kind.hidden.has(slot) || (kind.fickle.has(slot) && !odd) {
                        continue;
                    }
                    visit(objects, *s);
                    if kind.doubled.has(slot) {
                        visit(objects, *s);
                    }
                }
            }
            _ => {
                for s in mine.iter().filter(|s| **s != NIL) {
                    visit(objects, *s);
                }
            }
        }
        if shape.is_weakref() {
            let callback = weaks[details[o as usize].entry as usize].callback;
            if callback != NIL {
                visit(objects, callback);
            }
        }
    }

    /// Every strong reference of `o` with how often its next `traverse` will report it. For explanations: it
    /// changes nothing, and is not how the collector looks.
    pub fn references(&self, o: Idx) -> Vec<Reference> {
        let object = &self.objects[o as usize];
        let kind = self.kind(o);
        let unfaithful = object.has(Flag::UNFAITHFUL);
        // The next call is an odd one if the calls so far are even in number.
        let odd = !self.rare.has(o, RareFlag::ODD);
        let mut found = Vec::new();
        for i in 0..object.len as usize {
            let to = self.raw(o, i);
            if object.shape == Shape::Dict {
                if i % 2 == 1 && to != NIL {
                    let entry = self.entry(o, i / 2);
                    let key = entry.key_object();
                    found.extend(key.map(|to| Reference { from: From::Key, to, reported: 1 }));
                    let from = if key.is_some() { From::Value } else { From::Slot(entry.key as u8) };
                    found.push(Reference { from, to, reported: 1 });
                }
            } else if to != NIL {
                let silent = unfaithful && (kind.hidden.has(i) || (kind.fickle.has(i) && !odd));
                let twice = unfaithful && kind.doubled.has(i);
                let reported = if silent { 0 } else { 1 + u32::from(twice) };
                found.push(Reference { from: From::Slot(i as u8), to, reported });
            }
        }
        if self.is_weak(o) && self.weak(o).callback != NIL {
            found.push(Reference { from: From::Callback, to: self.weak(o).callback, reported: 1 });
        }
        found
    }

    /// Runs `visit` on every strong reference of `o`, hidden ones included, in slot order; a weak reference's
    /// callback comes last.
    pub fn for_each_edge(&self, o: Idx, mut visit: impl FnMut(Idx)) {
        let object = &self.objects[o as usize];
        let slots = &self.slots[object.slots as usize..object.slots as usize + object.len as usize];
        if object.shape == Shape::Dict {
            for pair in slots.chunks_exact(2) {
                if pair[1] != NIL {
                    if let Some(key) = (DictEntry { key: pair[0], value: pair[1] }).key_object() {
                        visit(key);
                    }
                    visit(pair[1]);
                }
            }
        } else {
            slots.iter().filter(|s| **s != NIL).for_each(|s| visit(*s));
        }
        if object.shape.is_weakref() {
            let callback = self.weak(o).callback;
            if callback != NIL {
                visit(callback);
            }
        }
    }
}
