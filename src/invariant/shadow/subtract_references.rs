//! The collector's own algorithm: what of a set is unreachable, given reference counts.

use super::facts::Facts;
use super::graph::{Graph, LINK, bit};
use super::object::Object;
use super::object_set::ObjectSet;

/// Which edges a pass sees.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// The first traverse of an object.
    Subtract,
    /// The second one.
    Walk,
}

/// How often `traverse` reports a slot.
fn multiplicity(facts: &Facts, slot: u8, pass: Pass) -> i64 {
    if facts.is(Facts::NO_HEADER) {
        return 0;
    }
    if slot == LINK || slot >= 8 {
        return 1;
    }
    let bit = 1u8 << slot;
    if facts.hidden & bit != 0 || pass == Pass::Walk && facts.fickle & bit != 0 {
        0
    } else if facts.doubled & bit != 0 {
        2
    } else {
        1
    }
}

/// A sum for each object, kept for its memory.
#[derive(Debug)]
pub(super) struct Sums {
    /// Of small runs, by edge; those of objects outside the set mean nothing.
    few: [i64; 64],
    many: Vec<i64>,
}

impl Default for Sums {
    fn default() -> Self {
        Sums { few: [0; 64], many: Vec::new() }
    }
}

impl Graph<'_> {
    /// Calls `f` with each edge of an object that a pass sees.
    pub fn for_visible(&self, object: &Object, pass: Pass, mut f: impl FnMut(u32)) {
        self.for_edges(object, |slot, edge| {
            if multiplicity(&object.facts, slot, pass) > 0 {
                f(edge);
            }
        });
    }

    /// Removes from `set` what is reachable, given reference counts. False if some count went below zero.
    #[inline]
    pub fn deduce(
        &self,
        small: bool,
        sums: &mut Sums,
        set: &mut ObjectSet,
        stack: &mut Vec<u32>,
        count: impl Fn(&Object) -> u32,
    ) -> bool {
        if small {
            let (rest, honest) = self.deduce_word(&mut sums.few, set.word(), count);
            set.set_word(rest);
            honest
        } else {
            self.deduce_set(&mut sums.many, set, stack, count)
        }
    }

    #[inline]
    fn deduce_word(&self, sums: &mut [i64; 64], set: u64, count: impl Fn(&Object) -> u32) -> (u64, bool) {
        for index in members(set) {
            sums[(index + 1) % 64] = i64::from(count(&self.objects[index]));
        }
        for index in members(set) {
            let object = &self.objects[index];
            if object.facts.is(Facts::UNFAITHFUL) || object.aux != 0 {
                self.for_edges(object, |slot, edge| {
                    sums[edge as usize % 64] -= multiplicity(&object.facts, slot, Pass::Subtract);
                });
                continue;
            }
            let [a, b, c, d] = object.slots;
            for edge in [a, b, c, d, object.link] {
                sums[edge as usize % 64] -= 1;
            }
        }
        let (mut front, mut honest) = (0, true);
        for index in members(set) {
            let sum = sums[(index + 1) % 64];
            honest &= sum >= 0;
            front |= if sum > 0 { bit(index as u32) } else { 0 };
        }
        let mut rest = set;
        while front != 0 {
            let index = front.trailing_zeros() as usize;
            rest &= !(1 << index);
            let object = &self.objects[index];
            let mut edges = 0u64;
            if object.facts.is(Facts::UNFAITHFUL) {
                self.for_visible(object, Pass::Walk, |edge| edges |= bit(edge) >> 1);
            } else {
                edges = self.targets(object);
            }
            front = (front | edges) & rest;
        }
        (rest, honest)
    }

    fn deduce_set(
        &self,
        sums: &mut Vec<i64>,
        set: &mut ObjectSet,
        stack: &mut Vec<u32>,
        count: impl Fn(&Object) -> u32,
    ) -> bool {
        let mut honest = true;
        sums.clear();
        sums.resize(self.objects.len(), 0);
        for index in set.iter() {
            let object = &self.objects[index];
            sums[index] += i64::from(count(object));
            self.for_edges(object, |slot, edge| {
                let target = edge as usize - 1;
                if set.has(target) {
                    sums[target] -= multiplicity(&object.facts, slot, Pass::Subtract);
                }
            });
        }
        stack.clear();
        for index in set.iter() {
            honest &= sums[index] >= 0;
            if sums[index] > 0 {
                stack.push(index as u32 + 1);
            }
        }
        while let Some(at) = stack.pop() {
            let index = at as usize - 1;
            if !set.has(index) {
                continue;
            }
            set.remove(index);
            self.for_visible(&self.objects[index], Pass::Walk, |edge| {
                if set.has(edge as usize - 1) {
                    stack.push(edge);
                }
            });
        }
        honest
    }
}

/// The bits of a word, in ascending order.
#[inline]
fn members(set: u64) -> impl Iterator<Item = usize> {
    let mut rest = set;
    std::iter::from_fn(move || {
        let index = (rest != 0).then(|| rest.trailing_zeros() as usize);
        rest &= rest.wrapping_sub(1);
        index
    })
}
