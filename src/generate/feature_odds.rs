//! Sets of features drawn all at once.

use super::feature::{Feature, Features};
use super::random::Random;

/// Features with their probability in 256ths, as bit planes: plane `i` has the features whose probability has bit `i`.
///
/// A feature is on if a number of eight random bits is below its probability. All features are compared at once, from the
/// lowest bit to the highest: a bit decides what the lower ones left open or decided.
#[derive(Debug)]
pub(super) struct FeatureOdds {
    planes: [u64; 8],
    /// The first plane that is not empty.
    first: usize,
    /// Features with probability 1.
    always: Features,
}

impl FeatureOdds {
    /// The features of a table, each with its probability of 256.
    pub const fn new(table: &[(Feature, u16)]) -> FeatureOdds {
        let mut odds = FeatureOdds { planes: [0; 8], first: 8, always: Features::NONE };
        let mut i = 0;
        while i < table.len() {
            let (feature, of256) = table[i];
            if of256 >= 256 {
                odds.always = odds.always.with(feature);
            } else {
                let mut plane = 0;
                while plane < 8 {
                    if of256 >> plane & 1 != 0 {
                        odds.planes[plane] |= 1 << feature as u8;
                        if plane < odds.first {
                            odds.first = plane;
                        }
                    }
                    plane += 1;
                }
            }
            i += 1;
        }
        odds
    }

    /// Draws which of the features are on, each for itself.
    #[inline]
    pub fn draw(&self, random: &mut Random) -> Features {
        let mut on = 0;
        for plane in self.planes.iter().skip(self.first) {
            let bits = random.next_u64();
            // Where the random bit is 0 it is below a 1 of the probability; where both are equal, lower bits decide.
            on = (plane & !bits) | (on & !(plane ^ bits));
        }
        self.always.and_bits(on)
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
}
