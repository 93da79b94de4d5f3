//! The order of a `set`: its hash table (`Objects/setobject.c`), as far as it depends on the hashes. Those are numbers that
//! all differ.

use crate::model::collector::Switch;
use crate::model::heap::Idx;

/// What a place holds whose element was discarded.
const DUMMY: u32 = u32::MAX;
/// Places that are looked at in a row.
const LINEAR_PROBES: usize = 9;
const PERTURB_SHIFT: u32 = 5;
/// Places of a new set.
const MIN_SIZE: usize = 8;

/// How a release looks for a place and when it makes more.
#[derive(Clone, Copy, Debug)]
pub(super) struct SetRules {
    /// [`Switch::SetReusesDummies`].
    reuses: bool,
    /// [`Switch::SetFillsTwoThirds`].
    fills_two_thirds: bool,
}

impl SetRules {
    /// Of the release that has these switches.
    pub(super) fn of(has: impl Fn(Switch) -> bool) -> SetRules {
        SetRules { reuses: has(Switch::SetReusesDummies), fills_two_thirds: has(Switch::SetFillsTwoThirds) }
    }
}

/// Room that both vectors of a set have from the start: they take turns, so that a rare large set would make each grow.
const ROOM: usize = 256;

/// A set: hashes, which are not 0, and what has them.
#[derive(Clone, Debug, Default)]
pub(super) struct SetTable {
    places: Vec<(u32, Idx)>,
    /// Places in use, those of discarded elements included.
    fill: usize,
    used: usize,
    /// The one before a resize, kept for its memory.
    old: Vec<(u32, Idx)>,
}

impl SetTable {
    /// An empty set.
    pub(super) fn reset(&mut self) {
        self.old.clear();
        self.old.reserve(ROOM);
        self.places.clear();
        self.places.reserve(ROOM);
        self.places.resize(MIN_SIZE, (0, 0));
        self.fill = 0;
        self.used = 0;
    }

    /// What it holds, in order.
    pub(super) fn elements(&self) -> impl Iterator<Item = Idx> {
        self.places.iter().filter(|place| place.0 != 0 && place.0 != DUMMY).map(|place| place.1)
    }

    /// The places that are looked at for a hash, in order; `found` says where that ends.
    fn probe(&self, hash: u32, mut found: impl FnMut(usize, u32) -> bool) {
        let mask = self.places.len() - 1;
        let (mut perturb, mut i) = (hash as usize, hash as usize & mask);
        loop {
            let row = if i + LINEAR_PROBES <= mask { LINEAR_PROBES } else { 0 };
            if (i..=i + row).any(|at| found(at, self.places[at].0)) {
                return;
            }
            perturb >>= PERTURB_SHIFT;
            i = (i * 5 + 1 + perturb) & mask;
        }
    }

    /// Adds an element that it does not hold.
    pub(super) fn add(&mut self, hash: u32, element: Idx, rules: SetRules) {
        let (mut unused, mut dummy) = (0, None);
        self.probe(hash, |at, there| {
            if there == DUMMY && rules.reuses && !(rules.fills_two_thirds && dummy.is_some()) {
                dummy = Some(at);
            }
            unused = at;
            there == 0
        });
        self.used += 1;
        if let Some(at) = dummy {
            self.places[at] = (hash, element);
            return;
        }
        self.places[unused] = (hash, element);
        self.fill += 1;
        let mask = self.places.len() - 1;
        let has_room = if rules.fills_two_thirds { self.fill * 3 < mask * 2 } else { self.fill * 5 < mask * 3 };
        if !has_room {
            self.resize(self.used * 4);
        }
    }

    fn resize(&mut self, more_than: usize) {
        let size = (more_than + 1).next_power_of_two().max(MIN_SIZE);
        std::mem::swap(&mut self.places, &mut self.old);
        self.places.clear();
        self.places.resize(size, (0, 0));
        self.fill = self.used;
        for at in 0..self.old.len() {
            let (hash, element) = self.old[at];
            if hash != 0 && hash != DUMMY {
                self.put(hash, element);
            }
        }
    }

    /// Into the first place that is free: nothing was discarded.
    fn put(&mut self, hash: u32, element: Idx) {
        let mut free = 0;
        self.probe(hash, |at, there| {
            free = at;
            there == 0
        });
        self.places[free] = (hash, element);
    }

    /// Takes an element out; its place stays in use.
    pub(super) fn discard(&mut self, element: Idx) {
        if let Some(place) = self.places.iter_mut().find(|p| p.1 == element && p.0 != 0 && p.0 != DUMMY) {
            *place = (DUMMY, 0);
            self.used -= 1;
        }
    }

    /// `set.copy()` into an empty set. Of one that has lost elements the copy has another order, perhaps.
    pub(super) fn copy_to(&self, copy: &mut SetTable) {
        copy.reset();
        if self.used == 0 {
            return;
        }
        copy.used = self.used;
        if self.used * 5 >= (MIN_SIZE - 1) * 3 {
            copy.used = 0;
            copy.resize(self.used * 2);
        }
        if copy.places.len() == self.places.len() && self.fill == self.used {
            copy.places.copy_from_slice(&self.places);
        } else {
            for (hash, element) in self.places.iter().filter(|p| p.0 != 0 && p.0 != DUMMY) {
                copy.put(*hash, *element);
            }
        }
        copy.used = self.used;
        copy.fill = self.used;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(reuses: bool, fills_two_thirds: bool) -> SetRules {
        SetRules { reuses, fills_two_thirds }
    }

    /// Adds the numbers, takes back those that are negative; `list(set)`.
    fn order(steps: &[i32], rules: SetRules) -> Vec<Idx> {
        let mut set = SetTable::default();
        set.reset();
        for step in steps {
            let number = step.unsigned_abs();
            if *step > 0 { set.add(number, number, rules) } else { set.discard(number) }
        }
        set.elements().collect()
    }

    /// What `list()` says in interpreters of 3.6, 3.8 and 3.9.
    #[test]
    fn the_order_is_that_of_the_release() {
        let steps = [18, 10, 5, 13, -5, -18, 21];
        assert_eq!(order(&steps, rules(true, true)), [13, 10, 21]);
        assert_eq!(order(&steps, rules(true, false)), [13, 21, 10]);
        assert_eq!(order(&steps, rules(false, false)), [21, 10, 13]);
        let many: Vec<i32> = (0..20).map(|i| 3 * i + 1).collect();
        assert_eq!(order(&many, rules(true, true))[..4], [1, 34, 4, 37]);
        assert_eq!(order(&many, rules(true, false))[..4], [1, 4, 7, 10]);
    }

    #[test]
    fn a_copy_of_a_set_that_has_lost_elements_has_an_order_of_its_own() {
        let mut set = SetTable::default();
        set.reset();
        [9, 1, 17, 2].into_iter().for_each(|number| set.add(number, number, rules(true, false)));
        set.discard(9);
        let mut copy = SetTable::default();
        set.copy_to(&mut copy);
        assert_eq!(set.elements().collect::<Vec<_>>(), [2, 1, 17]);
        assert_eq!(copy.elements().collect::<Vec<_>>(), [1, 2, 17]);
    }
}
