//! Weighted choices, some of which depend on features.

use super::feature::{Feature, Features};
use super::random::Random;

/// Everything that could be chosen, with the feature that allows it and its weight. The choices of a feature stand
/// together, so that a scenario looks at its own features only.
#[derive(Debug)]
pub(super) struct Menu<T: 'static, const N: usize> {
    entries: [(T, Option<Feature>, u8); N],
    /// Where the choices of each feature are, and how many.
    groups: [(u8, u8); 64],
    /// Features that have choices.
    features: Features,
    /// How many choices need no feature; they come first.
    always: usize,
}

impl<T: Copy, const N: usize> Menu<T, N> {
    pub const fn new(entries: [(T, Option<Feature>, u8); N]) -> Menu<T, N> {
        let mut menu = Menu { entries, groups: [(0, 0); 64], features: Features::NONE, always: 0 };
        let mut i = 0;
        while i < N {
            match menu.entries[i].1 {
                None => {
                    assert!(menu.always == i, "choices without feature come first");
                    menu.always += 1;
                }
                Some(feature) => {
                    let group = &mut menu.groups[feature as usize];
                    assert!(group.1 == 0 || (group.0 + group.1) as usize == i, "a feature's choices stand together");
                    if group.1 == 0 {
                        group.0 = i as u8;
                    }
                    group.1 += 1;
                    menu.features = menu.features.with(feature);
                }
            }
            i += 1;
        }
        menu
    }

    /// The choices that a set of features allows.
    #[inline]
    pub fn offer(&self, features: Features) -> Offer<T, N> {
        let mut offer = Offer { items: [self.entries[0].0; N], ends: [0; N], len: 0, total: 0 };
        for (item, _, weight) in &self.entries[..self.always] {
            offer.push(*item, *weight);
        }
        for feature in features.both(self.features).numbers() {
            let (start, len) = self.groups[feature as usize & 63];
            for (item, _, weight) in &self.entries[start as usize..][..len as usize] {
                offer.push(*item, *weight);
            }
        }
        offer
    }
}

/// What one scenario may choose from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer<T, const N: usize> {
    items: [T; N],
    /// Sum of the weights up to this choice.
    ends: [u16; N],
    len: usize,
    total: u16,
}

impl<T: Copy, const N: usize> Offer<T, N> {
    /// Adds a choice if there is room.
    #[inline]
    pub fn push(&mut self, item: T, weight: u8) {
        if self.len < N {
            self.total += weight as u16;
            self.items[self.len] = item;
            self.ends[self.len] = self.total;
            self.len += 1;
        }
    }

    /// Draws one of the choices.
    #[inline]
    pub fn draw(&self, random: &mut Random) -> T {
        let drawn = random.below16(self.total);
        let mut i = 0;
        while i + 1 < self.len && self.ends[i] <= drawn {
            i += 1;
        }
        self.items[i]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::Seed;

    const MENU: Menu<char, 5> = Menu::new([
        ('a', None, 10),
        ('b', None, 30),
        ('c', Some(Feature::Scans), 20),
        ('d', Some(Feature::Scans), 0),
        ('e', Some(Feature::Lists), 40),
    ]);

    fn counts(features: Features) -> [u32; 5] {
        let mut random = Seed::from(1).stream("test");
        let offer = MENU.offer(features);
        let mut counts = [0; 5];
        for _ in 0..10_000 {
            counts[offer.draw(&mut random) as usize - 'a' as usize] += 1;
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
        near(counts(Features::NONE), [2500, 7500, 0, 0, 0]);
        near(counts(Features::NONE.with(Feature::Lists)), [1250, 3750, 0, 0, 5000]);
        let both = Features::NONE.with(Feature::Lists).with(Feature::Scans).with(Feature::Raises);
        near(counts(both), [1000, 3000, 2000, 0, 4000]);
    }
}
