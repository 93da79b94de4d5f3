//! Weighted choices, some of which depend on features.

use super::feature::{Feature, Features};
use super::random::Random;

/// Instead of the number of a feature: none is needed.
const ALWAYS: u8 = 63;

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

/// Choices of which much is allowed, or of which few are drawn: nothing is prepared, what is not allowed is drawn again.
///
/// `TOTAL` is the sum of the weights, or more.
#[derive(Debug)]
pub(super) struct Weighted<T: 'static, const TOTAL: usize> {
    /// Each choice as often as its weight says, with the number of the feature that allows it: first what needs none, then
    /// in the order of the features.
    tickets: [(T, u8); TOTAL],
    /// How many tickets there are up to the last one of a feature; first for no feature.
    ends: [u16; 65],
    /// Features that have choices.
    features: Features,
}

impl<T: Copy, const TOTAL: usize> Weighted<T, TOTAL> {
    pub const fn new(rows: &[Row<T>]) -> Self {
        assert!(total(rows) <= TOTAL, "room for the sum of the weights");
        let mut choices = Weighted { tickets: [(rows[0].0, ALWAYS); TOTAL], ends: [0; 65], features: Features::NONE };
        let (mut ticket, mut turn) = (0, 0);
        while turn <= Feature::ALL.len() {
            let mut i = 0;
            while i < rows.len() {
                let (item, feature, weight) = rows[i];
                let (number, its_turn) = match feature {
                    None => (ALWAYS, 0),
                    Some(feature) => (feature as u8, feature as usize + 1),
                };
                if its_turn == turn {
                    let end = ticket + weight as usize;
                    while ticket < end {
                        choices.tickets[ticket] = (item, number);
                        ticket += 1;
                    }
                    if let Some(feature) = feature {
                        choices.features = choices.features.with(feature);
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
        Among { tickets, allowed: features.bits() | 1 << ALWAYS }
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
            let (item, number) = self.tickets[random.below(self.tickets.len() as u32) as usize];
            if self.allowed >> (number & 63) & 1 != 0 {
                return item;
            }
        }
    }
}

/// Choices of which little is allowed, one for each feature: those are collected once for many draws.
#[derive(Debug)]
pub(super) struct Catalogue<T: 'static> {
    always: (T, u8),
    /// The choice of each feature and its weight.
    rows: [(T, u8); 64],
    /// Features that have a choice.
    features: Features,
}

/// Most choices of an [`Offer`].
const MOST: usize = 24;

impl<T: Copy> Catalogue<T> {
    /// The first row needs no feature, every other one a feature of its own.
    pub const fn new(rows: &[Row<T>]) -> Self {
        assert!(rows[0].1.is_none() && rows[0].2 > 0 && rows.len() <= MOST);
        let always = (rows[0].0, rows[0].2);
        let mut catalogue = Catalogue { always, rows: [always; 64], features: Features::NONE };
        let mut i = 1;
        while i < rows.len() {
            let Some(feature) = rows[i].1 else { panic!("only the first row needs no feature") };
            assert!(!catalogue.features.has(feature), "a feature has one choice");
            catalogue.rows[feature as usize] = (rows[i].0, rows[i].2);
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
        let allowed = features.both(self.features).numbers();
        for (choice, feature) in offer.choices[1..].iter_mut().zip(allowed) {
            let (item, weight) = self.rows[feature as usize & 63];
            total += weight as u16;
            *choice = (total, item);
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
}
