//! Random numbers that stay the same: seeds, streams by name, and our own bounded integers.
//!
//! A [`Seed`] is a ChaCha8 key. A stream is the same key with a nonce made from the stream's name, so a draw added to
//! one stream moves nothing in another. Part `n` of a stream is a position in it, so scenario `n` can be made alone
//! at the price of one jump. Everything is built on `next_u64` of `rand_chacha`, whose values are stable.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::fmt;
use std::str::FromStr;

/// Binary logarithm of the number of 32-bit words from one part of a stream to the next.
const PART_BITS: u32 = 24;

/// A number of 256 bits, big-endian: printed and read as hexadecimal digits without leading zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Seed(pub [u8; 32]);

impl Seed {
    /// The random numbers of one concern.
    pub fn stream(&self, name: &str) -> Random {
        let mut chacha = ChaCha8Rng::from_seed(self.0);
        chacha.set_stream(fnv1a(name));
        Random { chacha, bits: 0, left: 0 }
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

/// A stream of random numbers. Small choices are cut out of 64-bit blocks.
#[derive(Clone, Debug)]
pub struct Random {
    chacha: ChaCha8Rng,
    bits: u64,
    left: u32,
}

impl Random {
    /// Goes to the beginning of part `n` of this stream. A part has room for 2^23 draws of 64 bits.
    #[inline]
    pub fn seek(&mut self, n: u64) {
        self.chacha.set_word_pos((n as u128) << PART_BITS);
        self.left = 0;
    }

    /// The next 64 bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.chacha.next_u64()
    }

    #[cold]
    #[inline(never)]
    fn refill(&mut self) {
        self.bits = self.chacha.next_u64();
        self.left = 64;
    }

    /// The next `count` bits, 1 to 32.
    #[inline]
    fn take(&mut self, count: u32) -> u32 {
        if self.left < count {
            self.refill();
        }
        let value = self.bits & ((1 << count) - 1);
        self.bits >>= count;
        self.left -= count;
        value as u32
    }

    /// A number below `n`, by multiply and shift; 0 if `n` is 0. The probabilities of two numbers differ by less
    /// than one part in 256.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        if n <= 256 { (self.take(16) * n) >> 16 } else { self.below_large(n) }
    }

    #[cold]
    fn below_large(&mut self, n: u32) -> u32 {
        if n <= 1 << 24 {
            ((self.take(32) as u64 * n as u64) >> 32) as u32
        } else {
            ((self.next_u64() as u128 * n as u128) >> 64) as u32
        }
    }

    /// A number below `n`, which costs 16 bits whatever `n` is; 0 if `n` is 0. The probabilities of two numbers differ
    /// by less than `n` parts in 65,536.
    #[inline]
    pub(super) fn below16(&mut self, n: u16) -> u16 {
        ((self.take(16) * n as u32) >> 16) as u16
    }

    /// The next 8 bits.
    #[inline]
    pub(super) fn byte(&mut self) -> u8 {
        self.take(8) as u8
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
        self.take(8) < of256 as u32
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
        if items.is_empty() { None } else { Some(items[self.index(items.len())]) }
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
        a.seek(5);
        let fifth = a.next_u64();
        assert_ne!(first, fifth);
        a.seek(0);
        assert_eq!(first, a.next_u64());
        b.below(10);
        b.seek(5);
        let mut alone = seed.stream("scripts");
        alone.seek(5);
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
        random.seek(2);
        let drawn: Vec<u32> = (0..6).map(|_| random.below(100)).collect();
        assert_eq!(drawn, PINNED);
    }

    const PINNED: [u32; 6] = [81, 10, 42, 96, 86, 47];
}
