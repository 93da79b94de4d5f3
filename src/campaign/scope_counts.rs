//! What collectors do on the scenarios of a scope: counted, and kept between processes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Examined, Examiner};
use crate::enumerate::{Enumeration, Scope};
use crate::findings::{RunCounts, Verdict};
use crate::invariant::Invariant;
use crate::scenario::Scenario;
use crate::subject::End;

/// What is told apart: the collector by its number, what a violation means, the broken invariant.
pub type Key = (usize, Verdict, Invariant);

/// Scenarios with one kind of violation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScopeVerdicts {
    /// How many.
    pub scenarios: u64,
    /// Index of the first.
    pub first: u64,
}

/// Why a run of a scenario was not judged to its last event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Failure {
    /// The interpreter died where the outcome is defined.
    Died,
    /// It did not come to an end within its limits.
    Limited,
    /// It has no way to run it: nothing was judged.
    Unsupported,
    /// It ended in undefined behaviour, and was judged up to there.
    Undefined,
}

impl Failure {
    const ALL: [Failure; 4] = [Failure::Died, Failure::Limited, Failure::Unsupported, Failure::Undefined];

    /// The word in tables and files.
    pub const fn word(self) -> &'static str {
        match self {
            Failure::Died => "died",
            Failure::Limited => "did not come to its end",
            Failure::Unsupported => "not run",
            Failure::Undefined => "undefined",
        }
    }

    /// True if it speaks against the interpreter.
    pub const fn is_fatal(self) -> bool {
        matches!(self, Failure::Died | Failure::Limited)
    }

    fn of(run: &Examined<'_>) -> Option<Failure> {
        match run.end {
            // A run of the model that ends so has come to its end.
            _ if run.reached.undefined > 0 => Some(Failure::Undefined),
            End::Undefined(..) => Some(Failure::Undefined),
            End::Complete | End::Teardown => None,
            End::Crashed(_) => Some(Failure::Died),
            End::Limit(_) => Some(Failure::Limited),
            End::Unsupported(_) => Some(Failure::Unsupported),
        }
    }
}

/// The counts of an enumeration, as far as it has come. A survey that goes on in another process ends as one that was
/// never interrupted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScopeCounts {
    /// What is enumerated.
    pub scope: Scope,
    /// The names of the collectors.
    pub collectors: Vec<String>,
    /// The index at which it began.
    pub from: u64,
    /// The index at which it goes on.
    pub position: u64,
    /// Scenarios that were run, each on every collector.
    pub scenarios: u64,
    /// Runs that were judged: the others were the same as one of these.
    pub judged: u64,
    /// Scenarios by kind of violation.
    pub found: BTreeMap<Key, ScopeVerdicts>,
    /// Scenarios whose run on a collector, by its number, was not judged to the last event.
    pub failed: BTreeMap<(usize, Failure), ScopeVerdicts>,
}

/// The form in which a survey is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    schema: u32,
    program: String,
    objects: u8,
    edges: u8,
    decorations: u8,
    collectors: Vec<String>,
    from: u64,
    position: u64,
    scenarios: u64,
    judged: u64,
    found: Vec<StoredCount>,
    failed: Vec<StoredFailure>,
}

#[derive(Serialize, Deserialize)]
struct StoredCount {
    collector: usize,
    verdict: usize,
    invariant: String,
    scenarios: u64,
    first: u64,
}

#[derive(Serialize, Deserialize)]
struct StoredFailure {
    collector: usize,
    failure: usize,
    scenarios: u64,
    first: u64,
}

const SCHEMA: u32 = 2;

impl ScopeCounts {
    /// A survey that has yet to begin, at an index of the scope.
    pub fn new(scope: Scope, collectors: Vec<String>, from: u64) -> ScopeCounts {
        ScopeCounts {
            scope,
            collectors,
            from,
            position: from,
            scenarios: 0,
            judged: 0,
            found: BTreeMap::new(),
            failed: BTreeMap::new(),
        }
    }

    /// Runs at most `most` scenarios more; false if there are no more. The enumeration is of the survey's scope, the
    /// groups have its collectors, each with the index of its first.
    pub fn advance(&mut self, all: &mut Enumeration, groups: &mut [(usize, Examiner)], most: u64) -> bool {
        let mut scenario = Scenario::new();
        let judged = |groups: &[(usize, Examiner)]| groups.iter().map(|(_, e)| e.judged()).sum::<u64>();
        let before = judged(groups);
        let mut more = true;
        all.seek(self.position);
        for _ in 0..most {
            let Some(index) = all.fill(&mut scenario) else {
                more = false;
                break;
            };
            self.scenarios += 1;
            let new = ScopeVerdicts { scenarios: 0, first: index };
            for (first, group) in groups.iter_mut() {
                group.examine_each(&scenario, false, |at, run| self.count(*first + at, new, run));
            }
        }
        self.position = Enumeration::position(all);
        self.judged += judged(groups) - before;
        more
    }

    /// How the runs of a collector, by its number, ended.
    pub fn run_counts(&self, at: usize) -> RunCounts {
        let of = |failure| self.failed.get(&(at, failure)).map_or(0, |counts| counts.scenarios);
        let mut counts = RunCounts {
            runs: self.scenarios,
            whole: 0,
            undefined: of(Failure::Undefined),
            unsupported: of(Failure::Unsupported),
            limited: of(Failure::Limited),
            died: of(Failure::Died),
        };
        let rest = counts.undefined + counts.unsupported + counts.limited + counts.died;
        counts.whole = counts.runs.saturating_sub(rest);
        counts
    }

    /// Counts what became of one run.
    fn count(&mut self, at: usize, new: ScopeVerdicts, run: &Examined<'_>) {
        let violations = run.violations;
        if let Some(failure) = Failure::of(run) {
            self.failed.entry((at, failure)).or_insert(new).scenarios += 1;
        }
        for (n, (violation, verdict)) in violations.iter().enumerate() {
            let same = |(v, other): &(crate::invariant::Violation, Verdict)| {
                (v.invariant, *other) == (violation.invariant, *verdict)
            };
            if !violations[..n].iter().any(same) {
                let key = (at, *verdict, violation.invariant);
                self.found.entry(key).or_insert(new).scenarios += 1;
            }
        }
    }

    /// The survey as text.
    pub fn store(&self) -> String {
        let Scope { objects, edges, decorations } = self.scope;
        let count = |((collector, verdict, invariant), count): (&Key, &ScopeVerdicts)| StoredCount {
            collector: *collector,
            verdict: *verdict as usize,
            invariant: invariant.code().to_owned(),
            scenarios: count.scenarios,
            first: count.first,
        };
        let failure = |((collector, failure), count): (&(usize, Failure), &ScopeVerdicts)| StoredFailure {
            collector: *collector,
            failure: *failure as usize,
            scenarios: count.scenarios,
            first: count.first,
        };
        let stored = Stored {
            schema: SCHEMA,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            objects,
            edges,
            decorations,
            collectors: self.collectors.clone(),
            from: self.from,
            position: self.position,
            scenarios: self.scenarios,
            judged: self.judged,
            found: self.found.iter().map(count).collect(),
            failed: self.failed.iter().map(failure).collect(),
        };
        // Numbers and strings can always be written.
        serde_json::to_string_pretty(&stored).unwrap_or_default() + "\n"
    }

    /// Reads what [`ScopeCounts::store`] wrote.
    ///
    /// # Errors
    /// A sentence, if the text is no survey of this version of the program.
    pub fn load(text: &str) -> Result<ScopeCounts, String> {
        let stored: Stored = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if (stored.schema, stored.program.as_str()) != (SCHEMA, env!("CARGO_PKG_VERSION")) {
            return Err(format!("was written by version {}", stored.program));
        }
        let mut found = BTreeMap::new();
        for count in &stored.found {
            let invariant = Invariant::ALL.iter().find(|i| i.code() == count.invariant);
            let verdict = Verdict::ALL.get(count.verdict);
            let (Some(invariant), Some(verdict)) = (invariant, verdict) else {
                return Err(format!("counts {}, which is no invariant", count.invariant));
            };
            if count.collector >= stored.collectors.len() {
                return Err(format!("counts collector {}, which is not there", count.collector));
            }
            let key = (count.collector, *verdict, *invariant);
            found.insert(key, ScopeVerdicts { scenarios: count.scenarios, first: count.first });
        }
        let mut failed = BTreeMap::new();
        for count in &stored.failed {
            let Some(failure) = Failure::ALL.get(count.failure).filter(|_| count.collector < stored.collectors.len())
            else {
                return Err("counts a failure that is none".to_owned());
            };
            let new = ScopeVerdicts { scenarios: count.scenarios, first: count.first };
            failed.insert((count.collector, *failure), new);
        }
        Ok(ScopeCounts {
            scope: Scope { objects: stored.objects, edges: stored.edges, decorations: stored.decorations },
            collectors: stored.collectors,
            from: stored.from,
            position: stored.position,
            scenarios: stored.scenarios,
            judged: stored.judged,
            found,
            failed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::Baseline;
    use crate::model::collector::Collector;
    use crate::model::rows::Rows;

    #[test]
    fn a_survey_that_is_interrupted_ends_as_one_that_is_not() {
        let collectors = ["cpython-2.7", "cpython-3.13.0", "cpython-3.15"].map(|n| Collector::parse(n).unwrap());
        let scope = Scope { decorations: 1, ..Scope::new(2) };
        let names = collectors.iter().map(|c| c.name.clone()).collect::<Vec<String>>();
        let survey = |steps: &[u64]| {
            let mut survey = ScopeCounts::new(scope, names.clone(), 0);
            for most in steps {
                // As a new process does it.
                survey = ScopeCounts::load(&survey.store()).unwrap();
                let rows = Examiner::new(&Rows::new(collectors.to_vec()), &Baseline::empty());
                survey.advance(&mut Enumeration::new(scope), &mut [(0, rows)], *most);
            }
            survey
        };
        let whole = survey(&[u64::MAX]);
        assert_eq!(whole.scenarios, Enumeration::new(scope).total());
        assert!(whole.found.keys().any(|(_, verdict, _)| *verdict == Verdict::New));
        assert_eq!(survey(&[1, 0, 700, 13, u64::MAX, 5]), whole);
    }

    #[test]
    fn what_is_no_survey_is_refused() {
        let survey = ScopeCounts::new(Scope::new(1), vec!["cpython-3.15".to_owned()], 0);
        let text = survey.store();
        assert_eq!(ScopeCounts::load(&text), Ok(survey));
        assert!(ScopeCounts::load("").is_err());
        assert!(ScopeCounts::load(&text[..text.len() / 2]).is_err());
        assert!(ScopeCounts::load(&text.replace("\"schema\": 2", "\"schema\": 99")).is_err());
        let count = r#""found": [{"collector": 7, "verdict": 0, "invariant": "I15", "scenarios": 1, "first": 0}]"#;
        assert!(ScopeCounts::load(&text.replace("\"found\": []", count)).is_err());
    }
}
