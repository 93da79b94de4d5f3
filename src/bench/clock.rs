//! Times of things that take turns.

use std::time::{Duration, Instant};

/// Nanoseconds of several things, each measured many times in turns.
#[derive(Clone, Debug)]
pub struct Turns<const N: usize> {
    times: [Vec<f64>; N],
}

impl<const N: usize> Turns<N> {
    /// Nothing measured yet.
    pub fn new() -> Turns<N> {
        Turns { times: std::array::from_fn(|_| Vec::new()) }
    }

    /// Measures something as thing number `at` and passes on what it makes.
    pub fn time<T>(&mut self, at: usize, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let made = work();
        self.times[at].push(start.elapsed().as_nanos() as f64);
        made
    }

    /// Adds a time that was taken elsewhere.
    pub fn add(&mut self, at: usize, nanoseconds: f64) {
        self.times[at].push(nanoseconds);
    }

    /// The median time of a thing: what a moment of a busy machine does not move. 0 if it was not measured.
    pub fn median(&self, at: usize) -> f64 {
        let mut times = self.times[at].clone();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or(0.0)
    }
}

impl<const N: usize> Default for Turns<N> {
    fn default() -> Turns<N> {
        Turns::new()
    }
}

/// Calls `turn` until the time is over, at least three times.
pub fn repeat(time: Duration, mut turn: impl FnMut()) {
    let start = Instant::now();
    let mut turns = 0;
    while turns < 3 || start.elapsed() < time {
        turn();
        turns += 1;
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
    fn the_median_forgets_the_odd_one() {
        let mut turns = Turns::<2>::new();
        for nanoseconds in [5.0, 1000.0, 4.0, 6.0, 5.0] {
            turns.add(1, nanoseconds);
        }
        assert_eq!((turns.median(0), turns.median(1)), (0.0, 5.0));
        assert_eq!(turns.time(0, || 7), 7);
        assert!(turns.median(0) > 0.0);
        assert_eq!(per_second(2000.0), 500_000);
        assert_eq!(per_second(0.0), 0);
        let mut calls = 0;
        repeat(Duration::ZERO, || calls += 1);
        assert_eq!(calls, 3);
    }
}
