//! A set of objects.

/// A set of object indices that keeps its memory. The first 64, which is all that most runs have, are one word.
#[derive(Debug, Default)]
pub(crate) struct ObjectSet {
    first: u64,
    more: Vec<u64>,
}

impl ObjectSet {
    /// Empties the set and makes room for `len` objects, 64 at least.
    #[inline]
    pub fn reset(&mut self, len: usize) {
        self.first = 0;
        if len > 64 || !self.more.is_empty() {
            self.more.clear();
            self.more.resize(len.saturating_sub(64).div_ceil(64), 0);
        }
    }

    /// The members below 64.
    #[inline]
    pub fn word(&self) -> u64 {
        self.first
    }

    /// Makes the set these members below 64, and no others.
    #[inline]
    pub fn set_word(&mut self, word: u64) {
        self.reset(0);
        self.first = word;
    }

    /// Adds these members below 64.
    #[inline]
    pub fn put_word(&mut self, word: u64) {
        self.first |= word;
    }

    /// Makes the set the same as another.
    #[inline]
    pub fn copy_from(&mut self, other: &ObjectSet) {
        self.first = other.first;
        if !self.more.is_empty() || !other.more.is_empty() {
            self.more.clone_from(&other.more);
        }
    }

    #[inline]
    pub fn has(&self, index: usize) -> bool {
        if index < 64 {
            return self.first >> index & 1 != 0;
        }
        self.more.get(index / 64 - 1).is_some_and(|w| w >> (index % 64) & 1 != 0)
    }

    #[inline]
    fn word_mut(&mut self, index: usize) -> Option<&mut u64> {
        if index < 64 { Some(&mut self.first) } else { self.more.get_mut(index / 64 - 1) }
    }

    /// Adds an object; says whether it is new in the set. Objects past the room are ignored.
    #[inline]
    pub fn add(&mut self, index: usize) -> bool {
        let Some(word) = self.word_mut(index) else { return false };
        let bit = 1u64 << (index % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Adds an object, and makes room for it.
    #[inline]
    pub fn put(&mut self, index: usize) {
        if index >= 64 && index / 64 > self.more.len() {
            self.more.resize(index / 64, 0);
        }
        self.add(index);
    }

    #[inline]
    pub fn remove(&mut self, index: usize) {
        if let Some(word) = self.word_mut(index) {
            *word &= !(1u64 << (index % 64));
        }
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.first == 0 && (self.more.is_empty() || self.more.iter().all(|w| *w == 0))
    }

    /// Number of members.
    #[inline]
    pub fn count(&self) -> usize {
        let first = if self.first == 0 { 0 } else { self.first.count_ones() as usize };
        if self.more.is_empty() {
            return first;
        }
        first + self.more.iter().map(|w| w.count_ones() as usize).sum::<usize>()
    }

    /// True if the sets have a member in common.
    #[inline]
    pub fn meets(&self, other: &ObjectSet) -> bool {
        let more = || self.more.iter().zip(&other.more).any(|(a, b)| a & b != 0);
        self.first & other.first != 0 || !self.more.is_empty() && more()
    }

    /// Number of members that both sets have.
    #[inline]
    pub fn common(&self, other: &ObjectSet) -> u32 {
        if self.more.is_empty() {
            return (self.first & other.first).count_ones();
        }
        let more = self.more.iter().zip(&other.more).map(|(a, b)| (a & b).count_ones());
        (self.first & other.first).count_ones() + more.sum::<u32>()
    }

    /// Makes this set the members of `all` that are not in `less`.
    #[inline]
    pub fn difference(&mut self, all: &ObjectSet, less: &ObjectSet) {
        self.first = all.first & !less.first;
        if all.more.is_empty() && self.more.is_empty() {
            return;
        }
        self.more.clear();
        let less = less.more.iter().copied().chain(std::iter::repeat(0));
        self.more.extend(all.more.iter().zip(less).map(|(all, less)| all & !less));
    }

    /// The first of the members that the other set has not for which this holds.
    #[inline]
    pub fn find_without(&self, less: &ObjectSet, mut is: impl FnMut(usize) -> bool) -> Option<usize> {
        let mut word = self.first & !less.first;
        let (mut base, mut at) = (0, 0);
        loop {
            while word != 0 {
                let index = base + word.trailing_zeros() as usize;
                if is(index) {
                    return Some(index);
                }
                word &= word - 1;
            }
            word = self.more.get(at)? & !less.more.get(at).copied().unwrap_or(0);
            base += 64;
            at += 1;
        }
    }

    /// Takes out what the other set has not.
    pub fn keep(&mut self, other: &ObjectSet) {
        self.first &= other.first;
        let others = other.more.iter().copied().chain(std::iter::repeat(0));
        self.more.iter_mut().zip(others).for_each(|(word, other)| *word &= other);
    }

    /// Calls `f` with each member in ascending order: the quickest way through a set.
    #[inline]
    pub fn each(&self, mut f: impl FnMut(usize)) {
        let (mut word, mut base, mut more) = (self.first, 0, self.more.iter());
        loop {
            while word != 0 {
                f(base + word.trailing_zeros() as usize);
                word &= word - 1;
            }
            let Some(next) = more.next() else { return };
            word = *next;
            base += 64;
        }
    }

    /// The members in ascending order.
    #[inline]
    pub fn iter(&self) -> Members<'_> {
        Members { word: self.first, base: 0, more: self.more.iter() }
    }
}

/// The members of a set in ascending order.
#[derive(Clone, Debug)]
pub(crate) struct Members<'a> {
    word: u64,
    base: usize,
    more: std::slice::Iter<'a, u64>,
}

impl Iterator for Members<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.word == 0 {
            self.word = *self.more.next()?;
            self.base += 64;
        }
        let bit = self.word.trailing_zeros() as usize;
        self.word &= self.word - 1;
        Some(self.base + bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(set: &ObjectSet) -> Vec<usize> {
        set.iter().collect()
    }

    #[test]
    fn a_set_holds_what_was_added_on_both_sides_of_the_first_word() {
        let mut set = ObjectSet::default();
        set.reset(200);
        let added = [0, 1, 63, 64, 127, 128, 199];
        assert!(added.iter().all(|i| set.add(*i)));
        assert!(!set.add(64) && !set.add(0));
        assert_eq!(members(&set), added);
        assert_eq!(set.count(), added.len());
        set.remove(64);
        set.remove(0);
        assert!(!set.has(64) && !set.has(0) && set.has(63) && !set.has(65) && !set.has(5000));
        let (mut less, mut rest) = (ObjectSet::default(), ObjectSet::default());
        less.put(128);
        less.put(1);
        rest.difference(&set, &less);
        assert_eq!(members(&rest), [63, 127, 199]);
        assert_eq!((set.common(&less), set.common(&rest)), (2, 3));
        assert!(set.meets(&less) && rest.meets(&set) && !rest.meets(&less));
        assert_eq!(set.find_without(&rest, |_| true), Some(1));
        assert_eq!(set.find_without(&less, |index| index > 63), Some(127));
        assert_eq!(set.find_without(&less, |index| index > 199), None);
        assert_eq!(set.find_without(&set, |_| true), None);
        less.remove(1);
        assert!(set.meets(&less) && set.common(&less) == 1);
    }

    #[test]
    fn a_set_that_is_reset_is_empty_and_ignores_what_is_past_its_room() {
        let mut set = ObjectSet::default();
        set.put(300);
        assert!(set.has(300) && !set.is_empty());
        set.reset(10);
        assert!(set.is_empty() && !set.has(300));
        assert!(!set.add(64) && set.add(9));
        set.set_word(0b101);
        assert_eq!(members(&set), [0, 2]);
        assert_eq!(set.word(), 0b101);
    }
}
