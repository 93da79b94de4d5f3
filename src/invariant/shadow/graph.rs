//! Walks over the objects and their strong edges.
//!
//! A run of few objects, as most are, is walked with one word as the set: see [`Objects::is_small`].
//!
//! [`Objects::is_small`]: super::objects::Objects::is_small

use super::edge::NONE;
use super::object::Object;
use super::object_set::ObjectSet;
use crate::scenario::MAX_ITEMS;

/// Slots where they are unbounded: two per entry of a weak-key dictionary.
pub(super) const OVERFLOW: usize = 2 * MAX_ITEMS as usize;

/// Items of a list or dict; the first four stay unused.
pub(super) type Overflow = [u32; OVERFLOW];

/// The slot number under which an object's link is reported.
pub(super) const LINK: u8 = 0x40;

/// Runs of fewer objects are walked by words: bit n of a word of *edges* is the edge n, so that no object is bit 0.
pub(super) const SMALL: usize = 64;

/// The objects and their edges.
#[derive(Clone, Copy)]
pub(super) struct Graph<'a> {
    pub(super) objects: &'a [Object],
    pub(super) overflow: &'a [Overflow],
}

impl Graph<'_> {
    /// The overflow table of a list or dict.
    #[inline]
    pub fn more(&self, object: &Object) -> Option<&Overflow> {
        if object.aux == 0 || !object.facts.is_unbounded() {
            return None;
        }
        self.overflow.get(object.aux as usize - 1)
    }

    /// Calls `f` with each strong edge of an object.
    #[inline]
    pub fn for_edges(&self, object: &Object, mut f: impl FnMut(u8, u32)) {
        for (slot, edge) in object.slots.iter().enumerate() {
            if *edge != NONE {
                f(slot as u8, *edge);
            }
        }
        if object.link != NONE {
            f(LINK, object.link);
        }
        if let Some(more) = self.more(object) {
            for (slot, edge) in more.iter().enumerate().skip(4) {
                if *edge != NONE {
                    f(slot as u8, *edge);
                }
            }
        }
    }

    /// In a small run: what an object has edges to, as a word of indices.
    #[inline]
    pub fn targets(&self, object: &Object) -> u64 {
        let [a, b, c, d] = object.slots;
        let mut edges = bit(a) | bit(b) | bit(c) | bit(d) | bit(object.link);
        if let Some(more) = self.more(object) {
            edges |= more[4..].iter().fold(0, |edges, edge| edges | bit(*edge));
        }
        edges >> 1
    }

    /// In a small run: what the seeds reach, themselves included.
    #[inline]
    pub fn flood_word(&self, present: u64, seeds: u64) -> u64 {
        let (mut reached, mut followed) = (seeds & present, 0);
        // Most heaps are reached as a whole, long before the edges of every object have been followed.
        while reached != followed && reached != present {
            let index = (reached & !followed).trailing_zeros() as usize;
            followed |= 1 << index;
            let Some(object) = self.objects.get(index) else { return reached };
            reached |= self.targets(object) & present;
        }
        reached
    }

    /// Adds to `set` everything on `stack` and what it reaches.
    pub fn flood(&self, set: &mut ObjectSet, stack: &mut Vec<u32>) {
        while let Some(at) = stack.pop() {
            let Some(object) = self.objects.get((at as usize).wrapping_sub(1)) else { continue };
            if object.is(Object::FREED) || !set.add(at as usize - 1) {
                continue;
            }
            self.for_edges(object, |_, edge| stack.push(edge));
        }
    }
}

/// Each bit. Shifts by variable amounts are turned into vector code that is far slower than a load.
static BITS: [u64; SMALL] = {
    let mut bits = [1; SMALL];
    let mut at = 1;
    while at < SMALL {
        bits[at] = bits[at - 1] << 1;
        at += 1;
    }
    bits
};

/// In a small run: the bit of a counted edge in a word of edges.
#[inline]
pub(super) fn bit(edge: u32) -> u64 {
    BITS[edge as usize % SMALL]
}

/// The bit of an edge in a word of edges; none for one to an object that the stream has not created.
#[inline]
pub(super) fn root(edge: u32) -> u64 {
    if (edge as usize) < SMALL { bit(edge) } else { 0 }
}
