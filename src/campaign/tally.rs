//! What a campaign counts. Adding up is commutative and associative, so the order of the parts does not matter.

use std::collections::BTreeMap;

use super::examine::{End, Examined, Fatal};
use crate::invariant::{Class, Invariant, Phase, Reached};

/// What a violation means for the exit code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// A `collector` violation that is not in the baseline.
    New,
    /// A `collector` violation that is in the baseline.
    Known,
    /// A `type-fault` violation.
    TypeFault,
    /// A `documented` violation.
    Documented,
}

impl Verdict {
    /// Every verdict, the most serious first.
    pub const ALL: [Verdict; 4] = [Verdict::New, Verdict::Known, Verdict::TypeFault, Verdict::Documented];

    /// The class of the violation.
    pub const fn class(self) -> Class {
        match self {
            Verdict::New | Verdict::Known => Class::Collector,
            Verdict::TypeFault => Class::TypeFault,
            Verdict::Documented => Class::Documented,
        }
    }

    /// The mark in tables.
    pub const fn mark(self) -> char {
        match self {
            Verdict::New => 'C',
            Verdict::Known => 'k',
            Verdict::TypeFault => 't',
            Verdict::Documented => 'd',
        }
    }

    /// What the mark means.
    pub const fn meaning(self) -> &'static str {
        match self {
            Verdict::New => "collector",
            Verdict::Known => "collector, known (baseline)",
            Verdict::TypeFault => "type-fault",
            Verdict::Documented => "documented",
        }
    }
}

/// What findings are told apart by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Key {
    /// What it means.
    pub verdict: Verdict,
    /// The broken invariant.
    pub invariant: Invariant,
    /// Index of the collector in the plan.
    pub collector: usize,
    /// When it broke; `None` for all phases together, where the collector is not to blame.
    pub phase: Option<Phase>,
}

/// The scenario that stands for a key: the first in which the violation is the primary one, or, failing that, the
/// first in which it occurs. The order of the fields makes that the least value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct First {
    /// Another violation came before it in the same run.
    pub secondary: bool,
    /// Number of the scenario.
    pub scenario: u64,
}

/// The counts of one collector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tally {
    /// Digest of all event streams.
    pub digest: u64,
    /// What the runs reached.
    pub reached: Reached,
    /// Scenarios with a violation, by verdict and invariant.
    pub broken: [[u64; Invariant::COUNT]; Verdict::ALL.len()],
    /// Scenarios with a violation of any class.
    pub violated: u64,
    /// Scenarios judged by the invariants that need several runs, too.
    pub differential: u64,
    /// Scenarios whose second run differed from the first.
    pub nondeterministic: u64,
    /// Scenarios that ended in undefined behaviour.
    pub undefined: u64,
    /// Scenarios that the interpreter died of after its last event.
    pub teardown: u64,
    /// Scenarios that the interpreter died of.
    pub crashed: u64,
    /// Scenarios that reached a limit of the interpreter's worker.
    pub limited: u64,
    /// Scenarios that the interpreter cannot run, by reason.
    pub unsupported: BTreeMap<String, u64>,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally {
            digest: 0,
            reached: Reached::default(),
            broken: [[0; Invariant::COUNT]; Verdict::ALL.len()],
            violated: 0,
            differential: 0,
            nondeterministic: 0,
            undefined: 0,
            teardown: 0,
            crashed: 0,
            limited: 0,
            unsupported: BTreeMap::new(),
        }
    }
}

impl Tally {
    /// How many scenarios showed a violation of this invariant with this verdict.
    pub fn count(&self, verdict: Verdict, invariant: Invariant) -> u64 {
        self.broken[verdict as usize][invariant as usize]
    }

    fn absorb(&mut self, other: &Tally) {
        self.digest = self.digest.wrapping_add(other.digest);
        self.reached.add(&other.reached);
        for (mine, theirs) in self.broken.iter_mut().flatten().zip(other.broken.iter().flatten()) {
            *mine += theirs;
        }
        self.violated += other.violated;
        self.differential += other.differential;
        self.nondeterministic += other.nondeterministic;
        self.undefined += other.undefined;
        self.teardown += other.teardown;
        self.crashed += other.crashed;
        self.limited += other.limited;
        for (what, count) in &other.unsupported {
            *self.unsupported.entry(what.clone()).or_default() += count;
        }
    }
}

/// The counts of some of a campaign's scenarios.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// How many scenarios.
    pub scenarios: u64,
    /// By collector.
    pub tallies: Vec<Tally>,
    /// What was found.
    pub firsts: BTreeMap<Key, First>,
    /// The first scenario of each such end, by index of the collector.
    pub crashes: BTreeMap<(usize, Fatal), u64>,
}

impl Part {
    /// Nothing yet, for so many collectors.
    pub fn new(collectors: usize) -> Part {
        Part {
            scenarios: 0,
            tallies: vec![Tally::default(); collectors],
            firsts: BTreeMap::new(),
            crashes: BTreeMap::new(),
        }
    }

    /// Counts one run.
    pub fn add(&mut self, collector: usize, scenario: u64, run: &Examined<'_>) {
        let tally = &mut self.tallies[collector];
        // Each run weighs in with its number, so that equal streams of different scenarios do not cancel out.
        tally.digest = tally.digest.wrapping_add(mix(scenario, run.digest));
        tally.reached.add(&run.reached);
        tally.differential += u64::from(run.differential);
        tally.nondeterministic += u64::from(run.differs);
        tally.violated += u64::from(!run.violations.is_empty());
        match run.end {
            End::Complete => {}
            End::Undefined(_) => tally.undefined += 1,
            End::Teardown => tally.teardown += 1,
            End::Limit(_) => tally.limited += 1,
            End::Unsupported(what) => *tally.unsupported.entry(what.clone()).or_default() += 1,
            End::Crashed(_) => tally.crashed += 1,
        }
        if let Some(fatal) = run.end.fatal() {
            let first = self.crashes.entry((collector, fatal)).or_insert(scenario);
            *first = scenario.min(*first);
        }
        let mut seen = [0u64; Verdict::ALL.len()];
        for (position, (violation, verdict)) in run.violations.iter().enumerate() {
            let bit = 1 << violation.invariant as u64;
            if seen[*verdict as usize] & bit == 0 {
                seen[*verdict as usize] |= bit;
                tally.broken[*verdict as usize][violation.invariant as usize] += 1;
            }
            let phase = (violation.class == Class::Collector).then_some(violation.phase);
            let key = Key { verdict: *verdict, invariant: violation.invariant, collector, phase };
            keep_least(&mut self.firsts, key, First { secondary: position > 0, scenario });
        }
    }

    /// Adds the counts of other scenarios of the same campaign.
    pub fn absorb(&mut self, other: &Part) {
        self.scenarios += other.scenarios;
        for (mine, theirs) in self.tallies.iter_mut().zip(&other.tallies) {
            mine.absorb(theirs);
        }
        for (key, first) in &other.firsts {
            keep_least(&mut self.firsts, *key, *first);
        }
        for (key, n) in &other.crashes {
            let first = self.crashes.entry(*key).or_insert(*n);
            *first = (*n).min(*first);
        }
    }

    /// Digest of all event streams of all collectors.
    pub fn digest(&self) -> u64 {
        self.tallies.iter().fold(0, |digest, tally| mix(digest, tally.digest))
    }

    /// What all runs together reached.
    pub fn reached(&self) -> Reached {
        self.tallies.iter().fold(Reached::default(), |mut all, tally| {
            all.add(&tally.reached);
            all
        })
    }

    /// True if a run was different the second time.
    pub fn is_nondeterministic(&self) -> bool {
        self.tallies.iter().any(|t| t.nondeterministic > 0)
    }
}

const _: () = assert!(Invariant::COUNT <= 64);

fn keep_least(firsts: &mut BTreeMap<Key, First>, key: Key, first: First) {
    firsts.entry(key).and_modify(|least| *least = first.min(*least)).or_insert(first);
}

fn mix(a: u64, b: u64) -> u64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&a.to_le_bytes());
    bytes[8..].copy_from_slice(&b.to_le_bytes());
    xxhash_rust::xxh3::xxh3_64(&bytes)
}
