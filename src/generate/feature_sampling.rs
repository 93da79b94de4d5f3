//! Sets of features drawn all at once.

use super::feature::{Feature, Features};
use super::random::Random;

/// Features with their probability in 256ths, as bit planes: plane `i` has the features whose probability has bit `i`.
///
/// A feature is on if a number of eight random bits is below its probability. All features are compared at once, from the
/// lowest bit to the highest: a bit decides what the lower ones left open or decided. Features beyond the 64th are drawn
/// after the others, and only if there are any: a table without them draws what it did before there were so many.
#[derive(Debug)]
pub(super) struct FeatureOdds {
    /// First those of the first 64 features, then of the others.
    planes: [[u64; 8]; 2],
    /// The first plane that is not empty, of each. Where all are empty nothing is drawn.
    first: [usize; 2],
    /// Features with probability 1.
    always: Features,
}

impl FeatureOdds {
    /// The features of a table, each with its probability of 256.
    pub const fn new(table: &[(Feature, u16)]) -> FeatureOdds {
        let mut odds = FeatureOdds { planes: [[0; 8]; 2], first: [8; 2], always: Features::NONE };
        let mut i = 0;
        while i < table.len() {
            let (feature, of256) = table[i];
            if of256 >= 256 {
                odds.always = odds.always.with(feature);
            } else {
                odds.set(feature as usize, of256);
            }
            i += 1;
        }
        odds
    }

    /// Gives a feature, by its number, a probability below 1.
    const fn set(&mut self, number: usize, of256: u16) {
        let (half, mut plane) = (number / 64, 0);
        while plane < 8 {
            if of256 >> plane & 1 != 0 {
                self.planes[half][plane] |= 1 << (number % 64);
                if plane < self.first[half] {
                    self.first[half] = plane;
                }
            }
            plane += 1;
        }
    }

    /// Draws which of the features are on, each for itself.
    #[inline]
    pub fn draw(&self, random: &mut Random) -> Features {
        let mut on = [0; 2];
        for (on, (planes, first)) in on.iter_mut().zip(self.planes.iter().zip(self.first)) {
            for plane in planes.iter().skip(first) {
                let bits = random.next_u64();
                // Where the random bit is 0 it is below a 1 of the probability; where both are equal, lower bits decide.
                *on = (plane & !bits) | (*on & !(plane ^ bits));
            }
        }
        self.always.and_words(on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::Seed;

    #[test]
    fn features_are_on_as_often_as_the_table_says_and_apart_from_each_other() {
        let table = [(Feature::Scans, 256), (Feature::Lists, 0), (Feature::Bulk, 1), (Feature::Cells, 176)];
        let odds = FeatureOdds::new(&[table[0], table[1], table[2], table[3], (Feature::Tuples, 176)]);
        let mut random = Seed::from(1).stream("test");
        let (mut counts, mut both) = ([0u32; 4], 0u32);
        for _ in 0..25_600 {
            let features = odds.draw(&mut random);
            for (count, (feature, _)) in counts.iter_mut().zip(table) {
                *count += features.has(feature) as u32;
            }
            both += (features.has(Feature::Cells) && features.has(Feature::Tuples)) as u32;
        }
        assert_eq!((counts[0], counts[1]), (25_600, 0));
        assert!(counts[2].abs_diff(100) < 40 && counts[3].abs_diff(17_600) < 300, "{counts:?}");
        assert!(both.abs_diff(12_100) < 300, "{both}");
    }

    #[test]
    fn the_second_64_features_are_drawn_after_the_first_and_only_where_there_are_some() {
        let first = FeatureOdds::new(&[(Feature::Cells, 176), (Feature::Tuples, 24)]);
        let mut both = FeatureOdds::new(&[(Feature::Cells, 176), (Feature::Tuples, 24)]);
        both.set(64, 128);
        both.set(127, 64);
        let draws = |odds: &FeatureOdds, words: usize| {
            let (stream, mut counts) = (Seed::from(1).stream("test"), [0u32; 2]);
            for part in 0..25_600 {
                let (mut random, mut without) = (stream.part(part), stream.part(part));
                let ([low, high], [alone, none]) = (odds.draw(&mut random).words(), first.draw(&mut without).words());
                assert_eq!((low, none), (alone, 0));
                counts[0] += (high & 1) as u32;
                counts[1] += (high >> 63) as u32;
                for _ in 0..words {
                    without.next_u64();
                }
                assert_eq!(random.next_u64(), without.next_u64());
            }
            counts
        };
        assert_eq!(draws(&first, 0), [0, 0]);
        let [even, quarter] = draws(&both, 2);
        assert!(even.abs_diff(12_800) < 300 && quarter.abs_diff(6_400) < 300, "{even} {quarter}");
    }
}
