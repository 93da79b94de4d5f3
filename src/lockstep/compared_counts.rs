//! What a comparison counts. Adding up is commutative, so the order of the parts does not matter.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Compared;
use super::difference::{Comparison, DifferenceKind, Looseness};
use crate::event::Undefined;
use crate::findings::{Counts, FindingKey, First, RunCounts, SubjectCounts, mix};
use crate::subject::NotObserved;

/// The counts of one interpreter.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ComparedCounts {
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
    /// Compared to the end though something is not observed, by what.
    #[serde(default)]
    pub not_observed: [u64; NotObserved::ALL.len()],
    /// Run in a fresh process as well.
    pub sampled: u64,
    /// A fresh process did something else.
    pub unstable: u64,
    /// Compared without the collector's lists, which the probe did not find.
    #[serde(default)]
    pub without_lists: u64,
    /// Digest of the interpreter's event streams.
    pub digest: u64,
}

impl ComparedCounts {
    /// Counts one scenario, number `n` of its campaign.
    pub fn add(&mut self, n: u64, compared: &Compared) {
        self.scenarios += 1;
        self.sampled += u64::from(compared.sampled);
        self.unstable += u64::from(compared.unstable);
        self.without_lists += u64::from(compared.without_lists);
        self.digest = self.digest.wrapping_add(mix(n, compared.digest));
        match &compared.comparison {
            Comparison::Same => {
                self.same += 1;
                let counts = self.not_observed.iter_mut().zip(compared.not_observed);
                counts.for_each(|(count, found)| *count += u64::from(found));
            }
            Comparison::Undefined(reason) => self.undefined[*reason as usize] += 1,
            Comparison::Unsupported(what) => match self.unsupported.get_mut(what) {
                Some(count) => *count += 1,
                None => {
                    self.unsupported.insert(what.clone(), 1);
                }
            },
            Comparison::Loose(looseness) => self.loose[*looseness as usize] += 1,
            Comparison::Different(difference) => match difference.kind {
                DifferenceKind::Crash => self.crashed += 1,
                DifferenceKind::Limit => self.limited += 1,
                DifferenceKind::Events(..) => self.differ += 1,
            },
        }
    }

    /// How the runs of so many scenarios ended, counting those that the interpreter was not there for.
    pub fn run_counts(&self, scenarios: u64) -> RunCounts {
        RunCounts {
            runs: scenarios,
            whole: self.same + self.differ + self.loose.iter().sum::<u64>(),
            undefined: self.undefined.iter().sum(),
            unsupported: self.unsupported.values().sum(),
            limited: self.limited,
            died: self.crashed,
        }
    }

    /// True if no scenario showed a disagreement.
    pub fn agrees(&self) -> bool {
        self.differ + self.crashed + self.limited + self.unstable == 0
    }
}

impl SubjectCounts for ComparedCounts {
    fn absorb(&mut self, other: &ComparedCounts) {
        self.scenarios += other.scenarios;
        self.same += other.same;
        self.differ += other.differ;
        self.crashed += other.crashed;
        self.limited += other.limited;
        self.sampled += other.sampled;
        self.unstable += other.unstable;
        self.without_lists += other.without_lists;
        self.digest = self.digest.wrapping_add(other.digest);
        let arrays = self.undefined.iter_mut().zip(&other.undefined);
        let arrays = arrays.chain(self.loose.iter_mut().zip(&other.loose));
        let arrays = arrays.chain(self.not_observed.iter_mut().zip(&other.not_observed));
        arrays.for_each(|(mine, theirs)| *mine += theirs);
        for (what, count) in &other.unsupported {
            *self.unsupported.entry(what.clone()).or_default() += count;
        }
    }
}

/// What findings are told apart by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct DifferenceKey {
    /// Index of the target in the plan.
    pub target: usize,
    /// The difference; `None` if a fresh process did something else.
    pub kind: Option<DifferenceKind>,
}

impl FindingKey for DifferenceKey {
    fn is_urgent(self) -> bool {
        true
    }
}

/// The counts of some of a campaign's scenarios.
pub type ComparedTotals = Counts<ComparedCounts, DifferenceKey>;

impl ComparedTotals {
    /// Counts one scenario, number `n`, of a target.
    pub fn add(&mut self, target: usize, n: u64, compared: &Compared) {
        self.tallies[target].add(n, compared);
        let first = First { secondary: false, scenario: n };
        if let Comparison::Different(difference) = &compared.comparison {
            self.see(DifferenceKey { target, kind: Some(difference.kind) }, first);
        }
        if compared.unstable {
            self.see(DifferenceKey { target, kind: None }, first);
        }
    }

    /// Digest of all event streams of all interpreters.
    pub fn digest(&self) -> u64 {
        self.tallies.iter().fold(0, |digest, tally| mix(digest, tally.digest))
    }
}
