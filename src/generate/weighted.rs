//! Weighted choices, some of which depend on features.

use super::feature::{Feature, Features};
use super::random::Random;

/// A choice, the feature that allows it, and its weight.
pub(super) type Row<T> = (T, Option<Feature>, u8);

/// Sum of the weights of some rows.
pub(super) const fn total<T: Copy>(rows: &[Row<T>]) -> usize {
    let (mut total, mut i) = (0, 0);
    while i < rows.len() {
        total += rows[i].2 as usize;
        i += 1;
    }
    total
}

/// A bit of one word for each feature that a table of choices needs, and one for needing none, so that a draw looks at one
/// word: the first 64 features have the bit of their number, the others and none get those that are left.
#[derive(Debug)]
struct FeatureBits {
    /// The bits of the features from the 65th on.
    high: [u8; 64],
    none: u8,
}

impl FeatureBits {
    /// Bits for these features.
    const fn new(features: Features) -> FeatureBits {
        let [mut taken, high] = features.words();
        assert!(taken.count_ones() + high.count_ones() < 64, "a table has room for the choices of 63 features");
        let mut bits = FeatureBits { high: [0; 64], none: taken.trailing_ones() as u8 };
        taken |= 1 << bits.none;
        let mut i = 0;
        while i < 64 {
            if high >> i & 1 != 0 {
                bits.high[i] = taken.trailing_ones() as u8;
                taken |= 1 << bits.high[i];
            }
            i += 1;
        }
        bits
    }

    /// The bit of one of the features, by its number.
    const fn of(&self, number: usize) -> u8 {
        if number < 64 { number as u8 } else { self.high[number - 64] }
    }

    /// The bits of some of the features, and that of none.
    #[inline]
    fn among(&self, features: Features) -> u64 {
        let [mut bits, mut high] = features.words();
        while high != 0 {
            bits |= 1 << self.high[high.trailing_zeros() as usize];
            high &= high - 1;
        }
        bits | 1 << self.none
    }
}

/// Choices of which much is allowed, or of which few are drawn: nothing is prepared, what is not allowed is drawn again.
///
/// `TOTAL` is the sum of the weights, or more.
#[derive(Debug)]
pub(super) struct Weighted<T: 'static, const TOTAL: usize> {
    /// Each choice as often as its weight says, with the bit of the feature that allows it: first what needs none, then in
    /// the order of the features.
    tickets: [(T, u8); TOTAL],
    /// How many tickets there are up to the last one of a feature; first for no feature.
    ends: [u16; 129],
    /// Features that have choices.
    features: Features,
    bits: FeatureBits,
}

impl<T: Copy, const TOTAL: usize> Weighted<T, TOTAL> {
    pub const fn new(rows: &[Row<T>]) -> Self {
        assert!(total(rows) <= TOTAL, "room for the sum of the weights");
        let (mut features, mut i) = (Features::NONE, 0);
        while i < rows.len() {
            if let Some(feature) = rows[i].1 {
                features = features.with(feature);
            }
            i += 1;
        }
        let bits = FeatureBits::new(features);
        let mut choices = Weighted { tickets: [(rows[0].0, bits.none); TOTAL], ends: [0; 129], features, bits };
        let (mut ticket, mut turn) = (0, 0);
        while turn <= Feature::ALL.len() {
            let mut i = 0;
            while i < rows.len() {
                let (item, feature, weight) = rows[i];
                let (bit, its_turn) = match feature {
                    None => (choices.bits.none, 0),
                    Some(feature) => (choices.bits.of(feature as usize), feature as usize + 1),
                };
                if its_turn == turn {
                    let end = ticket + weight as usize;
                    while ticket < end {
                        choices.tickets[ticket] = (item, bit);
                        ticket += 1;
                    }
                }
                i += 1;
            }
            choices.ends[turn] = ticket as u16;
            turn += 1;
        }
        assert!(choices.ends[0] > 0, "something needs no feature");
        choices
    }

    /// The choices that a set of features allows.
    #[inline]
    pub fn among(&self, features: Features) -> Among<'_, T> {
        let features = features.both(self.features);
        let tickets = &self.tickets[..self.ends[features.end()] as usize];
        Among { tickets, allowed: self.bits.among(features) }
    }
}

/// What may be drawn from a [`Weighted`].
pub(super) struct Among<'a, T> {
    tickets: &'a [(T, u8)],
    allowed: u64,
}

impl<T: Copy> Among<'_, T> {
    /// Draws one of the choices.
    #[inline]
    pub fn draw(&self, random: &mut Random) -> T {
        loop {
            let (item, bit) = self.tickets[random.below(self.tickets.len() as u32) as usize];
            if self.allowed >> (bit & 63) & 1 != 0 {
                return item;
            }
        }
    }
}

/// Choices of which little is allowed, one for each feature: those are collected once for many draws.
#[derive(Debug)]
pub(super) struct Catalogue<T: 'static> {
    always: (T, u8),
    /// The choice of each feature and its weight, those of the first 64 features first.
    rows: [[(T, u8); 64]; 2],
    /// Features that have a choice.
    features: Features,
}

/// Most choices of an [`Offer`].
const MOST: usize = 64;

impl<T: Copy> Catalogue<T> {
    /// The first row needs no feature, every other one a feature of its own.
    pub const fn new(rows: &[Row<T>]) -> Self {
        assert!(rows[0].1.is_none() && rows[0].2 > 0, "the first row needs no feature");
        assert!(rows.len() <= MOST, "there is room for 64 choices");
        let always = (rows[0].0, rows[0].2);
        let mut catalogue = Catalogue { always, rows: [[always; 64]; 2], features: Features::NONE };
        let mut i = 1;
        while i < rows.len() {
            let Some(feature) = rows[i].1 else { panic!("only the first row needs no feature") };
            assert!(!catalogue.features.has(feature), "a feature has one choice");
            catalogue.rows[feature as usize / 64][feature as usize % 64] = (rows[i].0, rows[i].2);
            catalogue.features = catalogue.features.with(feature);
            i += 1;
        }
        catalogue
    }

    /// Makes `offer` the choices that a set of features allows.
    #[inline]
    pub fn offer(&self, features: Features, offer: &mut Offer<T>) {
        let (item, weight) = self.always;
        let mut total = weight as u16;
        offer.choices[0] = (total, item);
        let mut choices = offer.choices[1..].iter_mut();
        for (rows, mut allowed) in self.rows.iter().zip(features.both(self.features).words()) {
            while allowed != 0
                && let Some(choice) = choices.next()
            {
                let (item, weight) = rows[allowed.trailing_zeros() as usize];
                total += weight as u16;
                *choice = (total, item);
                allowed &= allowed - 1;
            }
        }
        offer.total = total;
    }
}

/// What one scenario may choose from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer<T> {
    /// Each choice with the sum of the weights up to it.
    choices: [(u16, T); MOST],
    total: u16,
}

impl<T: Copy> Offer<T> {
    /// Nothing but one choice.
    pub const fn only(item: T) -> Offer<T> {
        Offer { choices: [(1, item); MOST], total: 1 }
    }

    /// Draws one of the choices.
    #[inline]
    pub fn draw(&self, random: &mut Random) -> T {
        let drawn = random.below(self.total as u32) as u16;
        let choice = self.choices.iter().find(|(end, _)| drawn < *end);
        choice.unwrap_or(&self.choices[0]).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::Seed;

    const ROWS: [Row<char>; 5] = [
        ('a', None, 10),
        ('b', None, 30),
        ('c', Some(Feature::Scans), 15),
        ('d', Some(Feature::Scans), 5),
        ('e', Some(Feature::Lists), 40),
    ];
    static MENU: Weighted<char, 100> = Weighted::new(&ROWS);
    static CATALOGUE: Catalogue<char> = Catalogue::new(&[ROWS[1], ROWS[2], ROWS[4]]);

    /// How often each letter comes of 10,000 draws.
    fn counts(mut draw: impl FnMut(&mut Random) -> char) -> [u32; 5] {
        let mut random = Seed::from(1).stream("test");
        let mut counts = [0; 5];
        for _ in 0..10_000 {
            counts[draw(&mut random) as usize - 'a' as usize] += 1;
        }
        counts
    }

    #[test]
    fn weights_are_kept_and_only_what_is_allowed_is_drawn() {
        let near = |counts: [u32; 5], expected: [u32; 5]| {
            for (count, expected) in counts.into_iter().zip(expected) {
                assert!(count.abs_diff(expected) < 200 && (count == 0) == (expected == 0), "{counts:?}");
            }
        };
        let lists = Features::NONE.with(Feature::Lists);
        let both = lists.with(Feature::Scans).with(Feature::Raises);
        let choices = |features| counts(|random| MENU.among(features).draw(random));
        near(choices(Features::NONE), [2500, 7500, 0, 0, 0]);
        near(choices(lists), [1250, 3750, 0, 0, 5000]);
        near(choices(Features::NONE.with(Feature::Scans)), [1667, 5000, 2500, 833, 0]);
        near(choices(both), [1000, 3000, 1500, 500, 4000]);
        let offer = |features| {
            let mut offer = Offer::only('z');
            CATALOGUE.offer(features, &mut offer);
            counts(|random| offer.draw(random))
        };
        near(offer(Features::NONE), [0, 10_000, 0, 0, 0]);
        near(offer(lists), [0, 4286, 0, 0, 5714]);
        near(offer(both), [0, 3529, 1765, 0, 4706]);
    }

    #[test]
    fn features_beyond_the_64th_and_none_get_bits_that_are_left() {
        let words = |low, high| Features::NONE.and_words([low, high]);
        let bits = FeatureBits::new(words(0b1011 | 1 << 63, 1 | 1 << 40 | 1 << 63));
        assert_eq!([3, 63, 64, 104, 127].map(|number| bits.of(number)), [3, 63, 4, 5, 6]);
        assert_eq!(bits.among(Features::NONE), 1 << 2);
        assert_eq!(bits.among(words(0b1000, 1 << 40)), 1 << 2 | 0b1000 | 1 << 5);
        let all = FeatureBits::new(words(u64::MAX >> 1, 0));
        assert_eq!((all.none, all.among(words(1, 0))), (63, 1 << 63 | 1));
    }
}
