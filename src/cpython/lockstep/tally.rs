//! What a comparison counts. Adding up is commutative, so the order of the parts does not matter.

use std::collections::BTreeMap;

use super::Compared;
use super::difference::{Comparison, Kind, Looseness};
use crate::event::Undefined;

/// The counts of one interpreter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Scenarios run.
    pub scenarios: u64,
    /// Streams that were equal to the end.
    pub same: u64,
    /// Streams that differed, deaths and limits not counted.
    pub differ: u64,
    /// Deaths where the model goes on.
    pub crashed: u64,
    /// Limits of time or memory reached where the model goes on.
    pub limited: u64,
    /// Equal up to undefined behaviour, by reason.
    pub undefined: [u64; Undefined::ALL.len()],
    /// Not run, by reason.
    pub unsupported: BTreeMap<String, u64>,
    /// Equal but for something that is not promised, by what.
    pub loose: [u64; Looseness::ALL.len()],
    /// Run in a fresh process as well.
    pub sampled: u64,
    /// A fresh process did something else.
    pub unstable: u64,
    /// Digest of the interpreter's event streams.
    pub digest: u64,
}

impl Tally {
    /// Counts one scenario, number `n` of its campaign.
    pub fn add(&mut self, n: u64, compared: &Compared) {
        self.scenarios += 1;
        self.sampled += u64::from(compared.sampled);
        self.unstable += u64::from(compared.unstable);
        self.digest = self.digest.wrapping_add(mix(n, compared.digest));
        match &compared.comparison {
            Comparison::Same => self.same += 1,
            Comparison::Undefined(reason) => self.undefined[*reason as usize] += 1,
            Comparison::Unsupported(what) => match self.unsupported.get_mut(what) {
                Some(count) => *count += 1,
                None => {
                    self.unsupported.insert(what.clone(), 1);
                }
            },
            Comparison::Loose(looseness) => self.loose[*looseness as usize] += 1,
            Comparison::Different(difference) => match difference.kind {
                Kind::Crash => self.crashed += 1,
                Kind::Limit => self.limited += 1,
                Kind::Events(..) => self.differ += 1,
            },
        }
    }

    /// Adds the counts of other scenarios.
    pub fn absorb(&mut self, other: &Tally) {
        self.scenarios += other.scenarios;
        self.same += other.same;
        self.differ += other.differ;
        self.crashed += other.crashed;
        self.limited += other.limited;
        self.sampled += other.sampled;
        self.unstable += other.unstable;
        self.digest = self.digest.wrapping_add(other.digest);
        let arrays = self.undefined.iter_mut().zip(&other.undefined);
        arrays.chain(self.loose.iter_mut().zip(&other.loose)).for_each(|(mine, theirs)| *mine += theirs);
        for (what, count) in &other.unsupported {
            *self.unsupported.entry(what.clone()).or_default() += count;
        }
    }

    /// True if no scenario showed a disagreement.
    pub fn agrees(&self) -> bool {
        self.differ + self.crashed + self.limited + self.unstable == 0
    }
}

/// The counts of some of a campaign's scenarios.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Part {
    /// By interpreter.
    pub tallies: Vec<Tally>,
    /// The first scenario of each kind of difference, by interpreter.
    pub firsts: BTreeMap<(usize, Kind), u64>,
    /// The first scenario of each interpreter that a fresh process ran differently.
    pub unstable: BTreeMap<usize, u64>,
}

impl Part {
    /// Nothing yet, for so many interpreters.
    pub fn new(interpreters: usize) -> Part {
        Part { tallies: vec![Tally::default(); interpreters], ..Part::default() }
    }

    /// Counts one scenario, number `n`, of an interpreter.
    pub fn add(&mut self, interpreter: usize, n: u64, compared: &Compared) {
        self.tallies[interpreter].add(n, compared);
        if let Comparison::Different(difference) = &compared.comparison {
            let first = self.firsts.entry((interpreter, difference.kind)).or_insert(n);
            *first = n.min(*first);
        }
        if compared.unstable {
            let first = self.unstable.entry(interpreter).or_insert(n);
            *first = n.min(*first);
        }
    }

    /// Adds the counts of other scenarios of the same campaign.
    pub fn absorb(&mut self, other: &Part) {
        self.tallies.iter_mut().zip(&other.tallies).for_each(|(mine, theirs)| mine.absorb(theirs));
        for (key, n) in &other.firsts {
            let first = self.firsts.entry(*key).or_insert(*n);
            *first = (*n).min(*first);
        }
        for (key, n) in &other.unstable {
            let first = self.unstable.entry(*key).or_insert(*n);
            *first = (*n).min(*first);
        }
    }

    /// Digest of all event streams of all interpreters.
    pub fn digest(&self) -> u64 {
        self.tallies.iter().fold(0, |digest, tally| mix(digest, tally.digest))
    }
}

fn mix(a: u64, b: u64) -> u64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&a.to_le_bytes());
    bytes[8..].copy_from_slice(&b.to_le_bytes());
    xxhash_rust::xxh3::xxh3_64(&bytes)
}
