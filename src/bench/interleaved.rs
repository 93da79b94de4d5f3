//! Times of things that take turns.

use std::time::{Duration, Instant};

/// The best times of several things on several batches of work, each measured many times in turns. The best time of
/// the same work is what a busy machine moves least.
#[derive(Clone, Debug)]
pub struct Interleaved<const N: usize> {
    best: Vec<[f64; N]>,
}

impl<const N: usize> Interleaved<N> {
    /// Nothing measured yet.
    pub fn new(batches: usize) -> Interleaved<N> {
        Interleaved { best: vec![[f64::MAX; N]; batches] }
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
        let best = &mut self.best[batch][at];
        *best = best.min(nanoseconds);
    }

    /// The nanoseconds of a thing on all batches together; batches on which it was not measured do not count.
    pub fn total(&self, at: usize) -> f64 {
        self.best.iter().map(|best| best[at]).filter(|best| *best < f64::MAX).sum()
    }
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
    fn every_batch_has_three_turns_at_least() {
        let mut calls = [0; 2];
        repeat(Duration::ZERO, 2, |batch| calls[batch] += 1);
        assert_eq!(calls, [3, 3]);
        assert_eq!(per_second(2000.0), 500_000);
        assert_eq!(per_second(0.0), 0);
    }
}
