//! Random numbers that stay the same: seeds, streams by name, and our own bounded integers.
//!
//! A [`Seed`] is a ChaCha8 key. A stream's key is what ChaCha8 makes of it with a nonce from the stream's name, so a draw
//! added to one stream moves nothing in another. Part `n` of a stream is a sequence of its own, whose start is a hash of `n`
//! and the stream's key, so scenario `n` can be made alone. A part has a few hundred or thousand draws:
//! a multiplicative congruential sequence of 64 bits is random enough for that, and a block cipher would be a seventh of
//! the work of a scenario.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::fmt;
use std::str::FromStr;

/// A multiplier with good spectra for sequences without increment (Steele and Vigna, 2021).
const MULTIPLIER: u64 = 0xf135_7aea_2e62_a9c5;

/// A number of 256 bits, big-endian: printed and read as hexadecimal digits without leading zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Seed(pub [u8; 32]);

impl Seed {
    /// The random numbers of one concern.
    pub fn stream(&self, name: &str) -> Random {
        let mut chacha = ChaCha8Rng::from_seed(self.0);
        chacha.set_stream(fnv1a(name));
        Random { key: [chacha.next_u64(), chacha.next_u64()], state: 0 }.part(0)
    }
}

impl From<u64> for Seed {
    fn from(number: u64) -> Seed {
        let mut bytes = [0; 32];
        bytes[24..].copy_from_slice(&number.to_be_bytes());
        Seed(bytes)
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut leading = true;
        for (i, byte) in self.0.iter().enumerate() {
            for digit in [byte >> 4, byte & 15] {
                let last = i == 31;
                leading &= digit == 0;
                if !leading {
                    write!(f, "{digit:x}")?;
                } else if last && *byte == 0 {
                    return f.write_str("0");
                }
            }
        }
        Ok(())
    }
}

/// Why a text is not a seed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SeedError {
    /// No digits at all.
    #[error("a seed is 1 to 64 hexadecimal digits; this one is empty")]
    Empty,
    /// More than 64 digits.
    #[error("a seed is 1 to 64 hexadecimal digits; this one has {0}")]
    TooLong(usize),
    /// Something that is not a hexadecimal digit.
    #[error("a seed is 1 to 64 hexadecimal digits; {0:?} is none")]
    NotHex(char),
}

impl FromStr for Seed {
    type Err = SeedError;

    fn from_str(text: &str) -> Result<Seed, SeedError> {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        if digits.is_empty() {
            return Err(SeedError::Empty);
        }
        let mut values = [0u8; 64];
        let mut len = 0;
        for c in digits.chars() {
            let value = c.to_digit(16).ok_or(SeedError::NotHex(c))?;
            if len < values.len() {
                values[len] = value as u8;
            }
            len += 1;
        }
        if len > values.len() {
            return Err(SeedError::TooLong(len));
        }
        values.rotate_right(64 - len);
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(values.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        Ok(Seed(bytes))
    }
}

/// FNV-1a, 64 bits: names to nonces.
const fn fnv1a(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        i += 1;
    }
    hash
}

/// The output function of SplitMix64: every bit of the result depends on every bit of the argument.
#[inline]
const fn mix(mut z: u64) -> u64 {
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// A stream of random numbers. Each draw is one step, of which the upper half is used: the lower bits are not random.
#[derive(Clone, Debug)]
pub struct Random {
    key: [u64; 2],
    state: u64,
}

impl Random {
    /// Part `n` of this stream, from its beginning.
    #[must_use]
    #[inline]
    pub fn part(&self, n: u64) -> Random {
        let weyl = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(self.key[0]);
        Random { key: self.key, state: (mix(weyl) ^ self.key[1]) | 1 }
    }

    /// The next 32 bits.
    #[inline]
    pub(super) fn word(&mut self) -> u32 {
        self.state = self.state.wrapping_mul(MULTIPLIER);
        (self.state >> 32) as u32
    }

    /// The next 64 bits, which are two draws.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        (self.word() as u64) << 32 | self.word() as u64
    }

    /// A number below `n`, by multiply and shift; 0 if `n` is 0. The probabilities of two numbers differ by less than
    /// `n` parts in 2^32.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        ((self.word() as u64 * n as u64) >> 32) as u32
    }

    /// A number below `n` as by [`Random::below`], and what the draw has left: about `32 - log2(n)` random bits, the
    /// highest first.
    #[inline]
    pub(super) fn below_and_rest(&mut self, n: u32) -> (u32, u32) {
        let product = self.word() as u64 * n as u64;
        ((product >> 32) as u32, product as u32)
    }

    /// The next 8 bits.
    #[inline]
    pub(super) fn byte(&mut self) -> u8 {
        (self.word() >> 24) as u8
    }

    /// An index of a sequence of `len` items; 0 if it is empty.
    #[inline]
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len.min(u32::MAX as usize) as u32) as usize
    }

    /// A number from `low` to `high`, both included; `low` if the range is empty.
    #[inline]
    pub fn range(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True with probability `of256` / 256.
    #[inline]
    pub fn chance(&mut self, of256: u16) -> bool {
        self.word() >> 24 < of256 as u32
    }

    /// An index with probability proportional to its weight; 0 if all weights are 0.
    #[inline]
    pub fn weighted(&mut self, weights: &[u8]) -> usize {
        let total = weights.iter().map(|w| *w as u32).sum();
        let mut rest = self.below(total);
        for (i, weight) in weights.iter().enumerate() {
            let weight = *weight as u32;
            if rest < weight {
                return i;
            }
            rest -= weight;
        }
        0
    }

    /// One of the items, all equally likely.
    #[inline]
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        let index = self.index(items.len());
        items.get(index).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_print_and_parse() {
        for (text, printed) in [("0", "0"), ("2a", "2a"), ("0x00ff", "ff"), ("DEADBEEF", "deadbeef"), ("100", "100")] {
            let seed: Seed = text.parse().unwrap();
            assert_eq!(seed.to_string(), printed);
            assert_eq!(seed.to_string().parse(), Ok(seed));
        }
        assert_eq!("2a".parse(), Ok(Seed::from(42)));
        let long = "f".repeat(64);
        assert_eq!(long.parse::<Seed>().unwrap().to_string(), long);
    }

    #[test]
    fn bad_seeds_are_refused() {
        assert_eq!("".parse::<Seed>(), Err(SeedError::Empty));
        assert_eq!("0x".parse::<Seed>(), Err(SeedError::Empty));
        assert_eq!("12g".parse::<Seed>(), Err(SeedError::NotHex('g')));
        assert_eq!("0".repeat(65).parse::<Seed>(), Err(SeedError::TooLong(65)));
    }

    #[test]
    fn streams_and_parts_are_apart() {
        let seed = Seed::from(7);
        let (mut a, mut b) = (seed.stream("graph"), seed.stream("scripts"));
        let first = a.next_u64();
        assert_ne!(first, b.next_u64());
        let mut a = a.part(5);
        let fifth = a.next_u64();
        assert_ne!(first, fifth);
        let mut a = a.part(0);
        assert_eq!(first, a.next_u64());
        b.below(10);
        let mut b = b.part(5);
        let mut alone = seed.stream("scripts");
        alone = alone.part(5);
        assert_eq!(b.below(1000), alone.below(1000));
    }

    #[test]
    fn bounded_numbers_stay_in_bounds_and_reach_them() {
        let mut random = Seed::from(1).stream("test");
        for n in [1u32, 2, 7, 256, 257, 1000] {
            let drawn: Vec<u32> = (0..n * 40).map(|_| random.below(n)).collect();
            assert!(drawn.iter().all(|d| *d < n));
            assert!(drawn.contains(&0) && drawn.contains(&(n - 1)), "{n}");
        }
        assert_eq!(random.below(0), 0);
        assert!((0..100).all(|_| random.below(u32::MAX) < u32::MAX));
        assert!((0..100).all(|_| (3..=5).contains(&random.range(3, 5))));
        assert_eq!(random.range(5, 3), 5);
        assert!((0..100).all(|_| !random.chance(0) && random.chance(256)));
    }

    /// How far the numbers of pairs of draws of 16, as a table, are from being equal: chi-square, of which 255 is expected.
    fn unevenness(pairs: impl Iterator<Item = (u32, u32)>) -> f64 {
        let mut counts = [0u32; 256];
        pairs.for_each(|(a, b)| counts[(a * 16 + b) as usize] += 1);
        let expected = counts.iter().sum::<u32>() as f64 / 256.0;
        counts.iter().map(|count| (*count as f64 - expected).powi(2) / expected).sum()
    }

    /// What a scenario draws says nothing of what it draws next, nor of what the next scenario or another stream draws.
    #[test]
    fn draws_parts_and_streams_say_nothing_of_each_other() {
        let (stream, other) = (Seed::from(12).stream("graph"), Seed::from(12).stream("scripts"));
        let nth = |mut random: Random, n: usize| (0..=n).map(|_| random.below(16)).last().unwrap();
        for n in [0, 1, 7] {
            let parts = unevenness((0..25_600).map(|part| (nth(stream.part(part), n), nth(stream.part(part + 1), n))));
            let streams = unevenness((0..25_600).map(|part| (nth(stream.part(part), n), nth(other.part(part), n))));
            let draws = unevenness((0..25_600).map(|part| (nth(stream.part(part), n), nth(stream.part(part), n + 1))));
            // Six standard deviations.
            for found in [parts, streams, draws] {
                assert!((120.0..390.0).contains(&found), "{n}: {parts} {streams} {draws}");
            }
        }
    }

    #[test]
    fn a_draw_can_be_used_twice() {
        let mut random = Seed::from(4).stream("test");
        let pairs = (0..25_600).map(|_| random.below_and_rest(16)).map(|(first, rest)| (first, rest >> 28));
        assert!((120.0..390.0).contains(&unevenness(pairs)));
        assert_eq!(random.below_and_rest(0), (0, 0));
    }

    #[test]
    fn weights_are_kept() {
        let mut random = Seed::from(2).stream("test");
        let mut counts = [0u32; 4];
        for _ in 0..6000 {
            counts[random.weighted(&[1, 0, 3, 2])] += 1;
        }
        assert_eq!(counts[1], 0);
        for (count, expected) in counts.iter().zip([1000u32, 0, 3000, 2000]) {
            assert!(count.abs_diff(expected) < 150, "{counts:?}");
        }
        assert_eq!(random.weighted(&[0, 0]), 0);
        assert_eq!(random.weighted(&[]), 0);
    }

    #[test]
    fn the_values_are_pinned() {
        let mut random = Seed::from(3).stream("graph");
        random = random.part(2);
        let drawn: Vec<u32> = (0..6).map(|_| random.below(100)).collect();
        assert_eq!(drawn, PINNED);
    }

    const PINNED: [u32; 6] = [85, 70, 13, 9, 3, 98];
}
