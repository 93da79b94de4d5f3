//! Mutation and crossover of inputs: read as scenarios, changed as scenarios, written in the strict binary form.

use crate::generate::Seed;
use crate::mutate as structural;
use crate::scenario::binary::{MAX_TOTAL_COUNT, decode_into, decode_total_into, encode, encode_to_vec};
use crate::scenario::{Op, Scenario};

/// Most operations of a scenario that mutation makes, unless it had more.
pub const MAX_OPS: usize = 128;
/// How often a change is tried again that became too large.
const ATTEMPTS: u64 = 4;
/// Of 256 mutations, how many are of plain bytes.
const PLAIN: u16 = 32;

/// Reads an input: as the file that it is, so that `coroner replay` sees the same scenario, or else by the total
/// reader. Only that one is safe from counts that no fuzzer should reach.
pub fn read(data: &[u8], scenario: &mut Scenario) {
    let huge = |op: &Op| matches!(op, Op::Build { count, .. } if *count > MAX_TOTAL_COUNT);
    if decode_into(data, scenario).is_err() || scenario.ops().iter().any(huge) {
        decode_total_into(data, scenario);
    }
}

/// The scenario that the bytes mean, in the strict binary form.
pub fn canonical(data: &[u8]) -> Vec<u8> {
    let mut scenario = Scenario::new();
    read(data, &mut scenario);
    encode_to_vec(&scenario)
}

fn random(seed: u32) -> crate::generate::Random {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    Seed(bytes).stream("libfuzzer")
}

/// Writes a changed scenario in the strict binary form. What the form has no place for, such as a store to `arg`, becomes
/// what the total reader makes of it. The scenario's memory is used up by the check.
fn write(scenario: &mut Scenario, bytes: &mut Vec<u8>) {
    bytes.clear();
    encode(scenario, bytes);
    if decode_into(bytes, scenario).is_err() {
        *bytes = canonical(bytes);
    }
}

/// Writes `bytes` to the front of `data` if they fit in `max_size`.
fn put(bytes: &[u8], data: &mut [u8], max_size: usize) -> Option<usize> {
    let room = data.get_mut(..bytes.len()).filter(|_| bytes.len() <= max_size)?;
    room.copy_from_slice(bytes);
    Some(bytes.len())
}

/// Changes the first `size` bytes of `data` and returns how many there are now: at most `max_size`.
///
/// About one mutation in eight is left to `plain`, which changes bytes (`libfuzzer_sys::fuzzer_mutate`); what it
/// leaves is read and written as a scenario if that fits. Never panics, whatever the sizes say.
pub fn mutate(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    plain: impl FnOnce(&mut [u8], usize, usize) -> usize,
) -> usize {
    let max_size = max_size.min(data.len());
    let size = size.min(data.len());
    let mut random = random(seed);
    if random.chance(PLAIN) {
        let size = plain(data, size.min(max_size), max_size).min(max_size);
        return put(&canonical(&data[..size]), data, max_size).unwrap_or(size);
    }
    let mut scenario = Scenario::new();
    let mut bytes = Vec::new();
    for attempt in 0..ATTEMPTS {
        read(&data[..size], &mut scenario);
        // The last attempt gives up operations so that it fits.
        let most = if attempt + 1 == ATTEMPTS { max_size / 8 } else { MAX_OPS.min(max_size / 2) };
        if attempt > 0 {
            shorten(&mut scenario, most);
        }
        structural::mutate(&mut scenario, &mut random, most);
        write(&mut scenario, &mut bytes);
        if let Some(size) = put(&bytes, data, max_size) {
            return size;
        }
    }
    size.min(max_size)
}

/// Writes a scenario made out of two inputs to `out` and returns its size; 0 if nothing fits. Never panics.
pub fn crossover(a: &[u8], b: &[u8], out: &mut [u8], seed: u32) -> usize {
    let mut random = random(seed);
    let [mut first, mut second, mut made] = [Scenario::new(), Scenario::new(), Scenario::new()];
    read(a, &mut first);
    read(b, &mut second);
    let mut bytes = Vec::new();
    for attempt in 0..ATTEMPTS as usize {
        let most = MAX_OPS.min(out.len() / (2 << attempt));
        if attempt > 0 {
            shorten(&mut first, most / 2);
        }
        structural::crossover(&first, &second, &mut made, &mut random, most);
        write(&mut made, &mut bytes);
        let room = out.len();
        if let Some(size) = put(&bytes, out, room) {
            return size;
        }
    }
    0
}

/// Drops operations from the end of the mutator's body until at most `most` are left in all bodies, or none in it.
fn shorten(scenario: &mut Scenario, most: usize) {
    let mut bodies = scenario.to_bodies();
    let total: usize = bodies.iter().map(Vec::len).sum();
    if let Some(main) = bodies.first_mut() {
        main.truncate(main.len().saturating_sub(total.saturating_sub(most)));
    }
    *scenario = Scenario::from_bodies(&bodies);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Generator, Profile, Size};
    use crate::scenario::binary::decode;

    fn inputs(n: u64) -> Vec<Vec<u8>> {
        let mut generator = Generator::new(Seed::from(4), Profile::named("default").unwrap(), Size::Small);
        (0..n).map(|i| encode_to_vec(&generator.make(i))).collect()
    }

    /// Stands in for libFuzzer's own mutation.
    fn plain(data: &mut [u8], size: usize, max_size: usize) -> usize {
        data[..max_size].iter_mut().step_by(3).for_each(|byte| *byte ^= 0x55);
        size.max(1).min(max_size)
    }

    #[test]
    fn mutation_gives_valid_scenarios_that_fit_and_mostly_differ() {
        let (mut changed, mut bytewise, total) = (0, 0, 400);
        let inputs = inputs(40);
        for seed in 0..total {
            let input = &inputs[seed as usize % 40];
            let mut data = input.clone();
            data.resize(input.len() + 64, 0);
            let max_size = data.len();
            let mut called = false;
            let size = mutate(&mut data, input.len(), max_size, seed, |d, s, m| {
                called = true;
                plain(d, s, m)
            });
            bytewise += u32::from(called);
            assert!(size <= max_size);
            if !called {
                assert_eq!(decode(&data[..size]).err(), None, "seed {seed}");
            }
            changed += u32::from(data[..size] != input[..]);
        }
        assert!(changed > total * 9 / 10, "{changed} of {total} changed");
        assert!((total / 16..total / 4).contains(&bytewise), "{bytewise} of {total} by bytes");
    }

    #[test]
    fn a_valid_input_means_what_the_file_means_even_if_it_is_not_in_normal_form() {
        let var = crate::scenario::Place::var(7);
        let op = Op::Set { dst: var.slot(1), src: var };
        let bytes = encode_to_vec(&Scenario::from_bodies(&[[op]]));
        let mut scenario = Scenario::new();
        read(&bytes, &mut scenario);
        assert_eq!((scenario.ops(), canonical(&bytes)), (&[op][..], bytes));
    }

    #[test]
    fn no_sizes_and_no_bytes_make_it_panic() {
        let inputs = inputs(8);
        for seed in 0..300u32 {
            let input = &inputs[seed as usize % 8];
            for max_size in [0, 1, 4, 5, 6, 9, 17, 60] {
                // libFuzzer's `-minimize_crash` asks for less than there is.
                let mut data = input.clone();
                let size = mutate(&mut data, input.len(), max_size, seed, plain);
                assert!(size <= max_size, "{size} of {max_size}");
                let mut small = vec![0xff; max_size];
                assert!(mutate(&mut small, max_size + 3, max_size + 9, seed, plain) <= max_size);
                let mut out = vec![0; max_size];
                assert!(crossover(input, &small, &mut out, seed) <= max_size);
            }
        }
    }

    #[test]
    fn crossover_gives_valid_scenarios() {
        let inputs = inputs(8);
        let mut made = 0;
        for seed in 0..200u32 {
            let mut out = vec![0; 512];
            let size = crossover(&inputs[seed as usize % 8], &inputs[(seed as usize + 3) % 8], &mut out, seed);
            made += u32::from(size > 0);
            assert!(size == 0 || decode(&out[..size]).is_ok());
        }
        assert!(made > 190, "{made} of 200");
    }
}
