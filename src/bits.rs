//! Sets of small numbers as bits of a few words: what a table of flags, or of values of several bits, is kept in.

/// A set of numbers below `64 * N`. It is copied, allocates nothing, and all it can do but go through its members it can
/// do where constants are made.
///
/// # Panics
/// Every method that takes a number panics if that is `64 * N` or more.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bits<const N: usize>([u64; N]);

impl<const N: usize> Bits<N> {
    /// No number.
    pub const NONE: Bits<N> = Bits([0; N]);

    /// Every number below `64 * N`.
    pub const ALL: Bits<N> = Bits([u64::MAX; N]);

    /// The words, those of the smallest numbers first.
    #[inline]
    pub const fn words(self) -> [u64; N] {
        self.0
    }

    /// The set with these words.
    #[inline]
    pub const fn from_words(words: [u64; N]) -> Bits<N> {
        Bits(words)
    }

    /// True if a number is in the set.
    #[inline]
    pub const fn has(self, number: usize) -> bool {
        self.0[number / 64] >> (number % 64) & 1 != 0
    }

    /// The set with one number more.
    #[inline]
    pub const fn with(mut self, number: usize) -> Bits<N> {
        self.0[number / 64] |= 1 << (number % 64);
        self
    }

    /// The set with one number less.
    #[inline]
    pub const fn without(mut self, number: usize) -> Bits<N> {
        self.0[number / 64] &= !(1 << (number % 64));
        self
    }

    /// What is in one of the sets.
    #[inline]
    pub const fn union(mut self, other: Bits<N>) -> Bits<N> {
        let mut at = 0;
        while at < N {
            self.0[at] |= other.0[at];
            at += 1;
        }
        self
    }

    /// What is in both sets.
    #[inline]
    pub const fn intersection(mut self, other: Bits<N>) -> Bits<N> {
        let mut at = 0;
        while at < N {
            self.0[at] &= other.0[at];
            at += 1;
        }
        self
    }

    /// True if the sets are the same as far as the numbers of a third go.
    #[inline]
    pub const fn agrees(self, other: Bits<N>, among: Bits<N>) -> bool {
        let mut differ = 0;
        let mut at = 0;
        while at < N {
            differ |= (self.0[at] ^ other.0[at]) & among.0[at];
            at += 1;
        }
        differ == 0
    }

    /// True if everything in the other set is in this one.
    #[inline]
    pub const fn covers(self, other: Bits<N>) -> bool {
        other.agrees(self, other)
    }

    /// True if nothing is in the set.
    #[inline]
    pub const fn is_empty(self) -> bool {
        Bits::NONE.covers(self)
    }

    /// How many numbers are in the set.
    #[inline]
    pub const fn count(self) -> u32 {
        let mut count = 0;
        let mut at = 0;
        while at < N {
            count += self.0[at].count_ones();
            at += 1;
        }
        count
    }

    /// The numbers in ascending order.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = usize> {
        self.0.into_iter().enumerate().flat_map(|(at, word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize);
                rest &= rest.wrapping_sub(1);
                bit.map(|bit| 64 * at + bit)
            })
        })
    }
}

impl<const N: usize> Default for Bits<N> {
    fn default() -> Self {
        Bits::NONE
    }
}

impl<const N: usize> std::fmt::Debug for Bits<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Where a value of a table is kept in [`Bits`]: so many bits in a row, all in one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    first: u16,
    width: u8,
}

impl Field {
    /// The place of a value below `values`, which are 2 at least, where the numbers before `free` are taken; the next
    /// one begins at [`Field::end`].
    pub const fn after(free: usize, values: usize) -> Field {
        let width = usize::BITS - (values - 1).leading_zeros();
        let crosses = free % 64 + width as usize > 64;
        let first = if crosses { free.next_multiple_of(64) } else { free };
        Field { first: first as u16, width: width as u8 }
    }

    /// The first number after it.
    #[inline]
    pub const fn end(self) -> usize {
        self.first as usize + self.width as usize
    }

    /// The word that it is in.
    #[inline]
    pub const fn word(self) -> usize {
        self.first as usize / 64
    }

    /// Its bits in that word.
    #[inline]
    pub const fn mask(self) -> u64 {
        ((1 << self.width) - 1) << (self.first % 64)
    }

    /// All of its numbers.
    #[inline]
    pub const fn all<const N: usize>(self) -> Bits<N> {
        let mut words = [0; N];
        words[self.word()] = self.mask();
        Bits(words)
    }

    /// The value that is kept in a set.
    #[inline]
    pub const fn get<const N: usize>(self, bits: Bits<N>) -> usize {
        ((bits.0[self.word()] & self.mask()) >> (self.first % 64)) as usize
    }

    /// The set with another value.
    #[inline]
    pub const fn set<const N: usize>(self, mut bits: Bits<N>, value: usize) -> Bits<N> {
        let word = bits.0[self.word()] & !self.mask();
        bits.0[self.word()] = word | ((value as u64) << (self.first % 64)) & self.mask();
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_added() {
        let numbers = [0, 63, 64, 127, 200, 255];
        let set = numbers.iter().fold(Bits::<4>::NONE, |set, number| set.with(*number));
        assert_eq!(set.iter().collect::<Vec<_>>(), numbers);
        assert_eq!(set.count(), 6);
        assert!(set.has(64) && !set.has(65) && !set.without(64).has(64) && set.without(65) == set);
        assert_eq!(format!("{:?}", set.without(200)), "{0, 63, 64, 127, 255}");
        assert_eq!(Bits::from_words(set.words()), set);
        assert!(Bits::<4>::default().is_empty() && !set.is_empty() && Bits::<2>::ALL.count() == 128);
    }

    #[test]
    fn sets_are_compared_and_joined() {
        let (a, b) = (Bits::<2>::NONE.with(3).with(70), Bits::<2>::NONE.with(3).with(100));
        assert_eq!(a.union(b).iter().collect::<Vec<_>>(), [3, 70, 100]);
        assert_eq!(a.intersection(b), Bits::NONE.with(3));
        assert!(a.agrees(b, Bits::NONE.with(3).with(71)) && !a.agrees(b, Bits::NONE.with(100)));
        assert!(a.covers(a.intersection(b)) && !a.covers(b) && a.covers(Bits::NONE));
    }

    #[test]
    fn values_of_several_bits_share_a_set() {
        let mut fields = Vec::new();
        let mut free = 0;
        for at in 0..60 {
            let values = 2 + at % 7;
            let field = Field::after(free, values);
            assert!(field.first as usize >= free && field.end().div_ceil(64) == field.word() + 1, "{field:?}");
            free = field.end();
            fields.push((field, values));
        }
        let mut bits = Bits::<4>::NONE;
        for (at, (field, values)) in fields.iter().enumerate() {
            bits = field.set(field.set(bits, values - 1), at % values);
        }
        for (at, (field, values)) in fields.iter().enumerate() {
            assert_eq!(field.get(bits), at % values, "{field:?}");
            assert_eq!(field.get(field.all::<4>()), field.get(Bits::<4>::ALL));
        }
    }
}
