//! What a campaign counts. Adding up is commutative and associative, so the order of the parts does not matter.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::examine::Examined;
use super::triples::Triples;
use crate::findings::{Counts, FindingKey, First, RunCounts, SubjectCounts, mix};

use crate::bits::Bits;
use crate::event::Undefined;
use crate::findings::Verdict;
use crate::invariant::{Class, Coverage, Invariant, Phase};
use crate::subject::{End, Fatal};

/// What findings are told apart by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViolationKey {
    /// An invariant is broken.
    Violation {
        /// What it means.
        verdict: Verdict,
        /// Which invariant.
        #[serde(with = "words::invariant")]
        invariant: Invariant,
        /// Index of the collector in the plan.
        collector: usize,
        /// When it broke; `None` for all phases together, where the collector is not to blame.
        #[serde(with = "words::phase")]
        phase: Option<Phase>,
        /// One bug can hide another of the same kind. So what counts is told apart further, by the number of the
        /// scenario: as many of each kind are reduced as there are values, [`SIBLINGS`]. Of what the baseline knows, the index
        /// of the bug there. Else 0.
        sibling: u8,
    },
    /// An interpreter died where behaviour is undefined.
    Death {
        /// What the violation that it ends in means: of class `collector` unless a type lied.
        verdict: Verdict,
        /// Why behaviour is undefined.
        #[serde(with = "words::undefined")]
        reason: Undefined,
        /// Index of its collector in the plan.
        collector: usize,
        /// The index in the baseline of the bug that it is due to, if it is known.
        bug: Option<u16>,
    },
    /// An interpreter did not come to the end.
    Fatal {
        /// Index of its collector in the plan.
        collector: usize,
        /// Why not.
        fatal: Fatal,
    },
}

/// How many scenarios of one kind of new violation are reduced, at most.
pub const SIBLINGS: u64 = 4;
/// How many scenarios in a row have the same sibling.
const STRETCH: u64 = 256;

impl FindingKey for ViolationKey {
    fn is_urgent(self) -> bool {
        self.counts(false) || self.is_crash(false)
    }
}

impl ViolationKey {
    /// Index of the collector in the plan.
    pub const fn collector(self) -> usize {
        match self {
            ViolationKey::Violation { collector, .. }
            | ViolationKey::Death { collector, .. }
            | ViolationKey::Fatal { collector, .. } => collector,
        }
    }

    /// What a violation means; nothing for another end.
    pub const fn verdict(self) -> Option<Verdict> {
        match self {
            ViolationKey::Violation { verdict, .. } | ViolationKey::Death { verdict, .. } => Some(verdict),
            ViolationKey::Fatal { .. } => None,
        }
    }

    /// The broken invariant; nothing for another end.
    pub const fn invariant(self) -> Option<Invariant> {
        match self {
            ViolationKey::Violation { invariant, .. } => Some(invariant),
            ViolationKey::Death { .. } | ViolationKey::Fatal { .. } => None,
        }
    }

    /// The index in the baseline of the bug that it is due to, if it is known.
    pub const fn known_bug(self) -> Option<usize> {
        match self {
            ViolationKey::Violation { verdict: Verdict::Known, sibling, .. } => Some(sibling as usize),
            ViolationKey::Death { bug: Some(bug), .. } => Some(bug as usize),
            _ => None,
        }
    }

    /// True if an interpreter died or did not come to its end, and that sets the exit code; with `strict`, every death does.
    pub fn is_crash(self, strict: bool) -> bool {
        matches!(self, ViolationKey::Death { .. } | ViolationKey::Fatal { .. }) && self.counts(strict)
    }

    /// How an interpreter ended where the outcome is defined; nothing for others.
    pub const fn fatal(self) -> Option<Fatal> {
        match self {
            ViolationKey::Violation { .. } | ViolationKey::Death { .. } => None,
            ViolationKey::Fatal { fatal, .. } => Some(fatal),
        }
    }

    /// True if it sets the exit code: what is new, an interpreter that did not come to the end, a run that differed the
    /// second time; with `strict`, every violation does.
    pub fn counts(self, strict: bool) -> bool {
        strict || matches!(self.verdict(), None | Some(Verdict::New)) || self.invariant() == Some(Invariant::I41)
    }

    /// True if it is shown only on request: neither side can cite a text, and it does not set the exit code.
    pub fn is_hidden(self, strict: bool) -> bool {
        self.verdict() == Some(Verdict::Unpromised) && !self.counts(strict)
    }

    /// The same for all siblings.
    pub fn family(self) -> ViolationKey {
        match self {
            ViolationKey::Violation { verdict: Verdict::Known, .. } => self,
            ViolationKey::Violation { verdict, invariant, collector, phase, .. } => {
                ViolationKey::Violation { verdict, invariant, collector, phase, sibling: 0 }
            }
            other => other,
        }
    }
}

/// Names in files for what has a name already.
mod words {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub mod invariant {
        use super::*;
        use crate::invariant::Invariant;

        pub fn serialize<S: Serializer>(invariant: &Invariant, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_str(invariant.code())
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Invariant, D::Error> {
            let code = String::deserialize(deserializer)?;
            Invariant::parse(&code).ok_or_else(|| Error::custom(format!("no invariant is called `{code}`")))
        }
    }

    pub mod phase {
        use super::*;
        use crate::invariant::Phase;

        pub fn serialize<S: Serializer>(phase: &Option<Phase>, serializer: S) -> Result<S::Ok, S::Error> {
            match phase {
                Some(phase) => serializer.serialize_some(phase.word()),
                None => serializer.serialize_none(),
            }
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Phase>, D::Error> {
            let Some(word) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
            let phase = Phase::ALL.into_iter().find(|phase| phase.word() == word);
            phase.map(Some).ok_or_else(|| Error::custom(format!("no phase is called `{word}`")))
        }
    }

    pub mod undefined {
        use super::*;
        use crate::event::Undefined;

        pub fn serialize<S: Serializer>(reason: &Undefined, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(&format_args!("{reason:?}"))
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Undefined, D::Error> {
            let word = String::deserialize(deserializer)?;
            let reason = Undefined::ALL.iter().find(|reason| format!("{reason:?}") == word);
            reason.copied().ok_or_else(|| Error::custom(format!("no undefined behaviour is called `{word}`")))
        }
    }

    /// Counts by verdict and invariant, as triples; zeros are left out.
    pub mod broken {
        use super::*;
        use crate::findings::Verdict;
        use crate::invariant::Invariant;

        type Broken = [[u64; Invariant::COUNT]; Verdict::ALL.len()];

        pub fn serialize<S: Serializer>(broken: &Broken, serializer: S) -> Result<S::Ok, S::Error> {
            let all = Verdict::ALL.iter().flat_map(|v| Invariant::ALL.iter().map(move |i| (*v, *i)));
            let counts = all.map(|(v, i)| (v, i.code(), broken[v as usize][i as usize]));
            serializer.collect_seq(counts.filter(|(.., count)| *count > 0))
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Broken, D::Error> {
            let mut broken = [[0; Invariant::COUNT]; Verdict::ALL.len()];
            for (verdict, code, count) in Vec::<(Verdict, String, u64)>::deserialize(deserializer)? {
                let invariant = Invariant::parse(&code);
                let invariant = invariant.ok_or_else(|| Error::custom(format!("no invariant is called `{code}`")))?;
                broken[verdict as usize][invariant as usize] = count;
            }
            Ok(broken)
        }
    }
}

/// The counts of one collector.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct JudgedCounts {
    /// Digest of all event streams.
    pub digest: u64,
    /// What the runs reached.
    pub reached: Coverage,
    /// Scenarios with a violation, by verdict and invariant.
    #[serde(with = "words::broken")]
    pub broken: [[u64; Invariant::COUNT]; Verdict::ALL.len()],
    /// Scenarios with a violation of any class.
    pub violated: u64,
    /// Scenarios with an `unpromised` violation; one whose second run differed is counted as that.
    pub unpromised: u64,
    /// Scenarios judged by the invariants that need several runs, too.
    pub differential: u64,
    /// Scenarios whose second run differed from the first.
    pub nondeterministic: u64,
    /// Scenarios that ended in undefined behaviour.
    pub undefined: u64,
    /// Those of them that the interpreter died of.
    #[serde(default)]
    pub died_where_undefined: u64,
    /// Scenarios that the interpreter died of after its last event.
    pub teardown: u64,
    /// Scenarios that the interpreter died of.
    pub crashed: u64,
    /// Scenarios that reached a limit of the interpreter's worker.
    pub limited: u64,
    /// Scenarios that the interpreter cannot run, by reason.
    pub unsupported: BTreeMap<String, u64>,
    /// What happened to which kind of object in which phase, of the scenarios that are sampled.
    #[serde(default)]
    pub triples: Triples,
}

impl Default for JudgedCounts {
    fn default() -> JudgedCounts {
        JudgedCounts {
            digest: 0,
            reached: Coverage::default(),
            broken: [[0; Invariant::COUNT]; Verdict::ALL.len()],
            violated: 0,
            unpromised: 0,
            differential: 0,
            nondeterministic: 0,
            undefined: 0,
            died_where_undefined: 0,
            teardown: 0,
            crashed: 0,
            limited: 0,
            unsupported: BTreeMap::new(),
            triples: Triples::default(),
        }
    }
}

impl JudgedCounts {
    /// How the runs ended.
    pub fn run_counts(&self) -> RunCounts {
        let (runs, undefined) = (self.reached.runs, self.reached.undefined);
        let unsupported: u64 = self.unsupported.values().sum();
        let (limited, died) = (self.limited, self.crashed);
        let whole = runs - (undefined + unsupported + limited + died).min(runs);
        RunCounts { runs, whole, undefined, unsupported, limited, died }
    }

    /// How many scenarios showed a violation of this invariant with this verdict.
    pub fn count(&self, verdict: Verdict, invariant: Invariant) -> u64 {
        self.broken[verdict as usize][invariant as usize]
    }
}

impl SubjectCounts for JudgedCounts {
    fn absorb(&mut self, other: &JudgedCounts) {
        self.digest = self.digest.wrapping_add(other.digest);
        self.reached.add(&other.reached);
        for (mine, theirs) in self.broken.iter_mut().flatten().zip(other.broken.iter().flatten()) {
            *mine += theirs;
        }
        self.violated += other.violated;
        self.unpromised += other.unpromised;
        self.differential += other.differential;
        self.nondeterministic += other.nondeterministic;
        self.undefined += other.undefined;
        self.died_where_undefined += other.died_where_undefined;
        self.teardown += other.teardown;
        self.crashed += other.crashed;
        self.limited += other.limited;
        for (what, count) in &other.unsupported {
            *self.unsupported.entry(what.clone()).or_default() += count;
        }
        self.triples.add(&other.triples);
    }
}

/// The counts of some of a campaign's scenarios.
pub type JudgedTotals = Counts<JudgedCounts, ViolationKey>;

impl JudgedTotals {
    /// Counts one run.
    pub fn add(&mut self, collector: usize, scenario: u64, run: &Examined<'_>) {
        let tally = &mut self.tallies[collector];
        // Each run weighs in with its number, so that equal streams of different scenarios do not cancel out.
        tally.digest = tally.digest.wrapping_add(mix(scenario, run.digest));
        tally.reached.add(&run.reached);
        tally.differential += u64::from(run.differential);
        tally.nondeterministic += u64::from(run.differs);
        tally.violated += u64::from(!run.violations.is_empty());
        let unpromised =
            run.violations.iter().any(|(v, _)| v.class == Class::Unpromised && v.invariant != Invariant::I41);
        tally.unpromised += u64::from(unpromised);
        match run.end {
            End::Complete => {}
            End::Undefined(_, death) => {
                tally.undefined += 1;
                tally.died_where_undefined += u64::from(death.is_some());
            }
            End::Teardown => tally.teardown += 1,
            End::Limit(_) => tally.limited += 1,
            End::Unsupported(what) => *tally.unsupported.entry(what.clone()).or_default() += 1,
            End::Crashed(_) => tally.crashed += 1,
        }
        let mut seen = [Bits::<2>::NONE; Verdict::ALL.len()];
        for (violation, verdict) in run.violations {
            let seen = &mut seen[*verdict as usize];
            if !seen.has(violation.invariant as usize) {
                *seen = seen.with(violation.invariant as usize);
                tally.broken[*verdict as usize][violation.invariant as usize] += 1;
            }
        }
        let key = |position: usize| {
            let (violation, verdict) = &run.violations[position];
            ViolationKey::Violation {
                verdict: *verdict,
                invariant: violation.invariant,
                collector,
                phase: (violation.class == Class::Collector).then_some(violation.phase),
                sibling: match (verdict, run.known_bugs[position]) {
                    (Verdict::New, _) => (scenario / STRETCH % SIBLINGS) as u8,
                    (_, bug) => bug.unwrap_or_default() as u8,
                },
            }
        };
        // A death has a line of its own: the violation that it ends in is not another one.
        let death = run.death();
        for position in (0..run.violations.len()).filter(|at| death.is_none_or(|(_, ending)| ending != Some(*at))) {
            let key_of_this = key(position);
            if !(0..position).any(|earlier| key(earlier) == key_of_this) {
                self.see(key_of_this, First { secondary: position > 0, scenario });
            }
        }
        if let Some((reason, ending)) = death {
            let (verdict, bug) = run.death_verdict(reason, ending);
            let key = ViolationKey::Death { verdict, reason, collector, bug };
            self.see(key, First { secondary: false, scenario });
        }
        if let Some(fatal) = run.end.fatal() {
            self.see(ViolationKey::Fatal { collector, fatal }, First { secondary: false, scenario });
        }
    }

    /// Digest of all event streams of all collectors.
    pub fn digest(&self) -> u64 {
        self.tallies.iter().fold(0, |digest, tally| mix(digest, tally.digest))
    }

    /// What all runs together reached.
    pub fn reached(&self) -> Coverage {
        self.tallies.iter().fold(Coverage::default(), |mut all, tally| {
            all.add(&tally.reached);
            all
        })
    }

    /// What happened to which kind of object in which phase, on any collector.
    pub fn triples(&self) -> Triples {
        self.tallies.iter().fold(Triples::default(), |mut all, tally| {
            all.add(&tally.triples);
            all
        })
    }

    /// True if a run was different the second time.
    pub fn is_nondeterministic(&self) -> bool {
        self.tallies.iter().any(|t| t.nondeterministic > 0)
    }
}

const _: () = assert!(Invariant::COUNT <= 128, "there is room for 128 invariants");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_promised_counts_only_if_everything_does() {
        let key =
            |verdict, invariant| ViolationKey::Violation { verdict, invariant, collector: 0, phase: None, sibling: 0 };
        for verdict in Verdict::ALL {
            let key = key(verdict, Invariant::I32);
            assert_eq!(key.counts(false), verdict == Verdict::New);
            assert!(key.counts(true) && !key.is_hidden(true));
            assert_eq!(key.is_hidden(false), verdict == Verdict::Unpromised);
        }
        // A run that differs the second time is nondeterminism, which is never hidden.
        let differs = key(Verdict::Unpromised, Invariant::I41);
        assert!(differs.counts(false) && !differs.is_hidden(false));
    }
}
