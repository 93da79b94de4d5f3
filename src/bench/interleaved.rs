//! Times of things that take turns.

use std::time::{Duration, Instant};

/// The best times of several things on several batches of work, each measured many times in turns. The best time of
/// the same work is what a busy machine moves least. The turns are halves of one run, every other one: how far apart the two
/// are says how much of a figure is the machine's noise.
#[derive(Clone, Debug)]
pub struct Interleaved<const N: usize> {
    batches: Vec<[Best; N]>,
}

/// The best times of one thing on one batch.
#[derive(Clone, Copy, Debug)]
struct Best {
    /// In either half of the turns.
    halves: [f64; 2],
    turns: usize,
}

impl Best {
    const NONE: Best = Best { halves: [f64::MAX; 2], turns: 0 };

    fn of_both(&self) -> f64 {
        self.halves[0].min(self.halves[1])
    }
}

impl<const N: usize> Interleaved<N> {
    /// Nothing measured yet.
    pub fn new(batches: usize) -> Interleaved<N> {
        Interleaved { batches: vec![[Best::NONE; N]; batches] }
    }

    /// Measures thing number `at` on a batch and passes on what it makes.
    pub fn time<T>(&mut self, batch: usize, at: usize, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let made = work();
        self.add(batch, at, start.elapsed().as_nanos() as f64);
        made
    }

    /// Adds a time that was taken elsewhere.
    pub fn add(&mut self, batch: usize, at: usize, nanoseconds: f64) {
        let best = &mut self.batches[batch][at];
        let half = &mut best.halves[best.turns % 2];
        *half = half.min(nanoseconds);
        best.turns += 1;
    }

    /// The nanoseconds of a thing on all batches together; batches on which it was not measured do not count.
    pub fn total(&self, at: usize) -> f64 {
        self.batches.iter().map(|best| best[at].of_both()).filter(|best| *best < f64::MAX).sum()
    }

    /// The same of one half of the turns, on batches that were measured in both.
    fn of_half(&self, at: usize, half: usize) -> f64 {
        let measured = |best: &&[Best; N]| best[at].turns > 1;
        self.batches.iter().filter(measured).map(|best| best[at].halves[half]).sum()
    }

    /// How far the halves of the turns are apart in the time of a thing, in percent of the smaller.
    pub fn spread(&self, at: usize) -> f64 {
        apart(self.of_half(at, 0), self.of_half(at, 1))
    }

    /// How far they are apart in the ratio of two things.
    pub fn spread_of_ratio(&self, one: usize, other: usize) -> f64 {
        let ratio = |half| self.of_half(one, half) / self.of_half(other, half);
        apart(ratio(0), ratio(1))
    }
}

/// How far two figures are apart, in percent of the smaller; nothing where one is no figure.
fn apart(one: f64, other: f64) -> f64 {
    let percent = ((one - other).abs() / one.min(other)) * 100.0;
    if percent.is_finite() { percent } else { 0.0 }
}

/// Calls `turn` with each batch's number in turn until the time is over, at least three times with each.
pub fn repeat(time: Duration, batches: usize, mut turn: impl FnMut(usize)) {
    let start = Instant::now();
    let mut rounds = 0;
    while rounds < 3 || start.elapsed() < time {
        (0..batches).for_each(&mut turn);
        rounds += 1;
    }
}

/// How many per second, if one takes so many nanoseconds.
pub fn per_second(nanoseconds: f64) -> u64 {
    if nanoseconds > 0.0 { (1e9 / nanoseconds) as u64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_each_batch_counts() {
        let mut turns = Interleaved::<2>::new(3);
        for (batch, nanoseconds) in [(0, 5.0), (1, 1000.0), (0, 4.0), (1, 6.0)] {
            turns.add(batch, 1, nanoseconds);
        }
        assert_eq!((turns.total(0), turns.total(1)), (0.0, 10.0));
        assert_eq!(turns.time(2, 0, || 7), 7);
        assert!(turns.total(0) > 0.0);
    }

    #[test]
    fn the_spread_is_the_distance_of_every_other_turn() {
        let mut turns = Interleaved::<2>::new(2);
        for nanoseconds in [100.0, 130.0, 140.0, 110.0] {
            turns.add(0, 0, nanoseconds);
        }
        assert_eq!((turns.total(0), turns.spread(0).round()), (100.0, 10.0));
        // The other thing is as much slower in the same half: the ratio does not move.
        turns.add(0, 1, 200.0);
        turns.add(0, 1, 220.0);
        assert_eq!(turns.spread_of_ratio(0, 1).round(), 0.0);
        // What was measured once has no spread.
        turns.add(1, 0, 7.0);
        assert_eq!((turns.total(0), turns.spread(0).round()), (107.0, 10.0));
        assert_eq!(Interleaved::<1>::new(1).spread(0), 0.0);
    }

    #[test]
    fn every_batch_has_three_turns_at_least() {
        let mut calls = [0; 2];
        repeat(Duration::ZERO, 2, |batch| calls[batch] += 1);
        assert_eq!(calls, [3, 3]);
        assert_eq!(per_second(2000.0), 500_000);
        assert_eq!(per_second(0.0), 0);
    }
}
