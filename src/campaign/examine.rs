//! Runs one scenario on one collector and judges the run.

use super::baseline::Baseline;
use super::tally::Verdict;
use crate::collector::{Collector, Row};
use crate::event::{Digest, Event};
use crate::invariant::{Class, Invariant, Judge, Reached, Violation, differential};
use crate::run::Machine;
use crate::scenario::Scenario;

/// A collector with everything that running and judging scenarios on it needs, used again for each.
#[derive(Debug)]
pub struct Examiner {
    collector: Collector,
    /// What the baseline knows of the row.
    known: [bool; Invariant::COUNT],
    machine: Machine,
    /// For a variant: the row that it is a variant of.
    plain: Option<Box<Machine>>,
    judge: Judge,
    digest: Digest,
    events: Vec<Event>,
    violations: Vec<(Violation, Verdict)>,
}

/// What became of one run.
#[derive(Clone, Copy, Debug)]
pub struct Examined<'e> {
    /// The event stream.
    pub events: &'e [Event],
    /// Its digest.
    pub digest: u64,
    /// All violations, the first is the primary one.
    pub violations: &'e [(Violation, Verdict)],
    /// What the run reached.
    pub reached: Reached,
    /// The invariants that need several runs were judged too.
    pub differential: bool,
    /// A second run was different.
    pub differs: bool,
}

impl Examiner {
    /// An examiner for a collector of the model, of whose row something may be known.
    pub fn new(collector: &Collector, baseline: &Baseline) -> Examiner {
        let row = Row::covering(collector.release).map(Row::collector);
        let plain = row.as_ref().filter(|row| row.rules != collector.rules).map(|row| Box::new(Machine::new(row)));
        let row_name = row.as_ref().map_or("", |row| row.name.as_str());
        Examiner {
            collector: collector.clone(),
            known: std::array::from_fn(|i| baseline.knows(row_name, Invariant::ALL[i]).is_some()),
            machine: Machine::new(collector),
            plain,
            judge: Judge::new(),
            digest: Digest::new(),
            events: Vec::new(),
            violations: Vec::new(),
        }
    }

    /// The collector.
    pub fn collector(&self) -> &Collector {
        &self.collector
    }

    /// Runs and judges a scenario; with `differential`, also by the invariants that need several runs.
    pub fn examine(&mut self, scenario: &Scenario, differential: bool) -> Examined<'_> {
        self.digest.reset();
        self.events.clear();
        self.machine.run(scenario, &mut (&mut self.events, &mut self.digest));
        let release = Some(self.collector.release);
        self.violations.clear();
        let found = self.judge.judge(scenario, &self.events, release);
        self.violations.extend(found.iter().map(|v| (*v, verdict(v, &self.known))));
        let reached = self.judge.reached();
        if differential {
            // The model runs every scenario to its end: it has no failure to report.
            let found = differential::check(&mut self.machine, scenario, release).unwrap_or_default();
            self.violations.extend(found.iter().map(|v| (*v, verdict(v, &self.known))));
        }
        if self.plain.is_some() && self.violations.iter().any(|(_, verdict)| *verdict == Verdict::Known) {
            self.excuse_only_what_the_row_does(scenario, differential);
        }
        let differs = self.violations.iter().any(|(v, _)| v.invariant == Invariant::I41);
        let digest = self.digest.value();
        Examined { events: &self.events, digest, violations: &self.violations, reached, differential, differs }
    }

    /// A row's baseline excuses a variant only where the row itself does the same on the same scenario.
    fn excuse_only_what_the_row_does(&mut self, scenario: &Scenario, differential: bool) {
        let Some(plain) = &mut self.plain else { return };
        let release = Some(self.collector.release);
        let mut events = Vec::new();
        plain.run(scenario, &mut events);
        let mut of_row = self.judge.judge(scenario, &events, release).to_vec();
        if differential {
            of_row.extend(differential::check(plain.as_mut(), scenario, release).unwrap_or_default());
        }
        for (violation, verdict) in &mut self.violations {
            let same = |v: &Violation| (v.invariant, v.class) == (violation.invariant, violation.class);
            if *verdict == Verdict::Known && !of_row.iter().any(same) {
                *verdict = Verdict::New;
            }
        }
    }
}

fn verdict(violation: &Violation, known: &[bool; Invariant::COUNT]) -> Verdict {
    match violation.class {
        Class::Collector if known[violation.invariant as usize] => Verdict::Known,
        Class::Collector => Verdict::New,
        Class::TypeFault => Verdict::TypeFault,
        Class::Documented => Verdict::Documented,
    }
}
