//! Random scenarios for the tests of this module: bytes of ChaCha8, read by the total decoder.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::{Scenario, binary};

/// `count` scenarios of varying length with their seeds.
pub(super) fn random_scenarios(count: u64) -> impl Iterator<Item = (u64, Scenario)> {
    (0..count).map(|seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let length = (rng.next_u64() % 400) as usize;
        let bytes: Vec<u8> = (0..length).map(|_| rng.next_u64() as u8).collect();
        (seed, binary::decode_total(&bytes))
    })
}
