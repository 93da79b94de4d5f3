//! What a scenario does on every row of the model, and what of it a script must show.

use super::instrument::Instrument;
use super::names::Names;
use super::trace::{self, Heap, Line};
use crate::event::{Event, Undefined, record};
use crate::invariant::{Class, Judge, Violation};
use crate::model::collector::Collector;
use crate::model::machine::Machine;
use crate::scenario::{Scenario, ScriptId};
use crate::subject::Release;

/// What a script prints on one row, and what that shows.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The row.
    pub row: Collector,
    /// The lines that it prints; up to where behaviour is undefined, if it is.
    pub outcome: Outcome,
    /// The violations of the translated scenario.
    pub violations: Vec<Violation>,
}

/// What can be seen of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Lines.
    pub lines: Vec<Line>,
    /// After them behaviour is undefined: the process may die.
    pub undefined: Option<Undefined>,
}

impl Expected {
    /// True if an invariant is violated and the collector is to blame.
    pub fn is_bad(&self) -> bool {
        self.violations.iter().any(|v| v.class == Class::Collector)
    }
}

/// A scenario on every row.
pub struct Judged {
    /// In the order of releases.
    pub rows: Vec<Row>,
}

/// A scenario on one row.
pub struct Row {
    /// The row.
    pub collector: Collector,
    /// What happened.
    pub events: Vec<Event>,
    /// What of it is wrong.
    pub violations: Vec<Violation>,
    /// Why the rest is undefined, if it is.
    pub undefined: Option<Undefined>,
}

/// What of a run no translation may change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Entered(Option<ScriptId>),
    Answered(bool),
    Long(u32),
}

impl Row {
    /// The invariants that are violated by the collector's fault.
    fn codes(&self) -> Vec<&'static str> {
        self.codes_if(|v| v.class == Class::Collector)
    }

    /// The invariants that are violated, whoever is to blame.
    fn all_codes(&self) -> Vec<&'static str> {
        self.codes_if(|_| true)
    }

    fn codes_if(&self, is_meant: impl Fn(&Violation) -> bool) -> Vec<&'static str> {
        let mut codes: Vec<&str> = self.violations.iter().filter(|v| is_meant(v)).map(|v| v.invariant.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    fn steps(&self, scenario: &Scenario) -> Vec<Step> {
        let mut heap = Heap::new(scenario);
        let mut steps = Vec::new();
        for event in &self.events {
            heap.take(event);
            match *event {
                Event::Enter { code, owner, .. } => steps.push(Step::Entered(heap.script(code, owner))),
                Event::Answer { referent, .. } => steps.push(Step::Answered(referent.is_some())),
                Event::Length { len, .. } => steps.push(Step::Long(len)),
                _ => {}
            }
        }
        steps
    }

    /// True from the first release on whose classes have finalizers as C types have.
    fn has_finalizers(&self) -> bool {
        self.collector.release >= Release::new(3, 4, 0)
    }
}

impl Judged {
    /// Runs a scenario on every row.
    pub fn new(scenario: &Scenario) -> Judged {
        let mut judge = Judge::new();
        let rows = Collector::all().into_iter().map(|collector| {
            let events = record(|out| Machine::new(&collector).run(scenario, out));
            let violations = judge.judge(scenario, &events, &collector.declaration()).to_vec();
            let undefined = match events.last() {
                Some(Event::Undefined { reason }) => Some(*reason),
                _ => None,
            };
            Row { collector, events, violations, undefined }
        });
        Judged { rows: rows.collect() }
    }

    /// The operations of the main body that have no effect on any row, by number.
    pub fn idle(&self) -> Vec<u32> {
        let idle = |row: &Row| -> Vec<u32> {
            let pairs = row.events.windows(2);
            let found = pairs.filter_map(|pair| match pair {
                [Event::Step { op }, Event::NoEffect] => Some(*op),
                _ => None,
            });
            found.collect()
        };
        let mut all = self.rows.iter().map(idle);
        let first = all.next().unwrap_or_default();
        // A row on which the run broke off before says nothing of what comes after.
        all.fold(first, |common, other| common.into_iter().filter(|op| other.contains(op)).collect())
    }

    /// Whether a translation shows what this shows: the same invariants violated by the collector's fault, the same
    /// code run in the same order with the same answers. Before 3.4 `__del__` is not what `tp_finalize` is: there a
    /// translation may differ, unless it is `exact` or nothing is wrong later.
    ///
    /// # Errors
    /// What is different.
    pub fn is_kept_by(&self, other: &Judged, exact: bool) -> Result<(), String> {
        let is_bad = |row: &&Row| row.violations.iter().any(|v| v.class == Class::Collector);
        let only_before =
            self.rows.iter().any(|row| is_bad(&row)) && !self.rows.iter().filter(is_bad).any(Row::has_finalizers);
        for (one, two) in self.rows.iter().zip(&other.rows) {
            if !exact && !only_before && !one.has_finalizers() {
                continue;
            }
            let (codes, others) = (one.codes(), two.codes());
            if codes != others || one.undefined != two.undefined {
                let words = |codes: &[&str]| if codes.is_empty() { "nothing".to_owned() } else { codes.join(", ") };
                let (codes, others) = (words(&codes), words(&others));
                return Err(format!("with Python's types {} violates {others}, not {codes}", one.collector.name));
            }
        }
        Ok(())
    }

    /// Whether two scenarios do the same, as far as scripts show it.
    pub fn is_same(&self, other: &Judged) -> bool {
        self.is_kept_by(other, true).is_ok()
    }

    /// Whether the same code runs in the same order with the same answers.
    ///
    /// # Errors
    /// On which row not.
    pub fn runs_as(&self, scenario: &Scenario, other: &Judged, translated: &Scenario) -> Result<(), String> {
        for (one, two) in self.rows.iter().zip(&other.rows).filter(|(row, _)| row.has_finalizers()) {
            if one.steps(scenario) != two.steps(translated) {
                return Err(format!("with Python's types {} runs other code, or in another order", one.collector.name));
            }
        }
        Ok(())
    }

    /// What differs in a translation where it may.
    pub fn differences(&self, other: &Judged) -> Vec<String> {
        let rows = self.rows.iter().zip(&other.rows).filter(|(one, two)| one.codes() != two.codes());
        rows.map(|(one, two)| {
            let (old, new) = (one.codes().join(", "), two.codes().join(", "));
            let words = |codes: String| if codes.is_empty() { "nothing".to_owned() } else { codes };
            format!("{}: {} with types in C, {} with these", one.collector.name, words(old), words(new))
        })
        .collect()
    }

    /// What a script prints on each row.
    pub fn expected(&self, scenario: &Scenario, names: &Names, instrument: &Instrument) -> Vec<Expected> {
        let outcome = |row: &Row| {
            let emptied = trace::calls_emptied(scenario, &row.events);
            let events = &row.events[..emptied.unwrap_or(row.events.len())];
            Outcome {
                lines: trace::lines(scenario, names, (events, row.collector.release), instrument),
                undefined: row.undefined.or(emptied.map(|_| Undefined::CalledCleared)),
            }
        };
        let expected = |row: &Row| Expected {
            row: row.collector.clone(),
            outcome: outcome(row),
            violations: row.violations.clone(),
        };
        self.rows.iter().map(expected).collect()
    }

    /// Whether each violation that is the collector's fault (`every`: of whatever class) can be seen: the process may die of
    /// it, or a row without it prints something else (`from_all`: every such row that has the same kind of finalizers). With
    /// `counts_left` the script says how many objects are left.
    ///
    /// # Errors
    /// Which one cannot.
    pub fn is_visible(
        &self,
        expected: &[Expected],
        counts_left: bool,
        every: bool,
        from_all: bool,
    ) -> Result<(), String> {
        if expected.iter().all(|e| e.outcome.lines.is_empty() && e.outcome.undefined.is_none()) {
            return Err("nothing of it can be seen from a script".to_owned());
        }
        let codes = |row: &Row| if every { row.all_codes() } else { row.codes() };
        for (row, shown) in self.rows.iter().zip(expected) {
            for code in codes(row) {
                // Garbage that stays is what the count of what is left shows.
                let stays = ["I19", "I20", "I39"].contains(&code) && counts_left;
                let lacks = |other: &Row| !codes(other).contains(&code);
                let same_era = |other: &Row| other.has_finalizers() == row.has_finalizers();
                let has_peer = self.rows.iter().any(|other| lacks(other) && same_era(other));
                let mut others = self.rows.iter().zip(expected).filter(|(other, _)| lacks(other));
                let same = |printed: &Expected| printed.outcome.lines == shown.outcome.lines;
                let hidden = match from_all {
                    true => others.any(|(other, printed)| (!has_peer || same_era(other)) && same(printed)),
                    false => others.clone().next().is_some() && others.all(|(_, printed)| same(printed)),
                };
                if shown.outcome.undefined.is_none() && !stays && hidden {
                    return Err(format!("what violates {code} on {} cannot be seen from a script", row.collector.name));
                }
            }
        }
        Ok(())
    }
}
