//! Runs one scenario on one collector, or on a real interpreter, and judges the run.

mod share;
#[cfg(test)]
mod tests;

pub(super) use share::Shared;

use crate::cpython::{Interpreter, Python};
use crate::event::{Digest, Event, EventBuffer, MOST_KEPT, Undefined};
use crate::findings::{Baseline, End, Verdict, count_objects};
use crate::invariant::{Answers, Class, Coverage, Invariant, Judge, Questions, Violation, differential};
use crate::model::collector::{Collector, Row, Rules};
use crate::model::machine::Machine;
use crate::scenario::Scenario;
use crate::subject::Failure;
use crate::supervise::Limits;

/// A collector with everything that running and judging scenarios on it needs, used again for each.
#[derive(Debug)]
pub struct Examiner {
    collector: Collector,
    /// What a judge knows of its release.
    answers: Answers,
    /// What the baseline knows of the row.
    known: [bool; Invariant::COUNT],
    machine: Machine,
    /// For a variant: the row that it is a variant of.
    plain: Option<Box<Machine>>,
    judge: Judge,
    digest: Digest,
    /// The digest of the last run's events.
    stream: u64,
    events: Vec<Event>,
    /// How many events there were.
    total: u64,
    reached: Coverage,
    violations: Vec<(Violation, Verdict)>,
    end: End,
    /// The last run was judged by the invariants that need several.
    differential: bool,
    /// The switches that the last run depended on, and what of the release its judging did.
    asked: (Rules, Questions),
    /// Who runs the scenarios instead of the model.
    real: Option<Real>,
}

/// A real interpreter, and the model's prediction of what is undefined on it.
#[derive(Debug)]
struct Real {
    interpreter: Interpreter,
    limits: Limits,
    python: Option<Python>,
    model: Vec<Event>,
}

/// What became of one run.
#[derive(Clone, Copy, Debug)]
pub struct Examined<'e> {
    /// The event stream; of a run of the model with more than [`MOST_KEPT`] events the first so many.
    pub events: &'e [Event],
    /// How many events there were.
    pub total: u64,
    /// Digest of all of them.
    pub digest: u64,
    /// All violations, the first is the primary one.
    pub violations: &'e [(Violation, Verdict)],
    /// What the run reached.
    pub reached: Coverage,
    /// The invariants that need several runs were judged too: all of them, which those of a run with more than
    /// [`MOST_KEPT`] events are not.
    pub differential: bool,
    /// A second run was different.
    pub differs: bool,
    /// How the run ended.
    pub end: &'e End,
}

impl Examined<'_> {
    /// True if the run had more than [`MOST_KEPT`] events.
    pub fn is_long(&self) -> bool {
        self.total > MOST_KEPT as u64
    }

    /// How many events were not kept.
    pub fn left_out(&self) -> u64 {
        self.total - self.events.len() as u64
    }

    /// How many objects the run had: as [`count_objects`] says, or all that were created if not all events were kept.
    pub fn objects(&self) -> u32 {
        if self.left_out() > 0 { self.reached.objects as u32 } else { count_objects(self.events) }
    }
}

impl Examiner {
    /// An examiner for a collector of the model, of whose row something may be known.
    pub fn new(collector: &Collector, baseline: &Baseline) -> Examiner {
        let row = Row::covering(collector.release).map(Row::collector);
        let plain = row.as_ref().filter(|row| row.rules != collector.rules).map(|row| Box::new(Machine::new(row)));
        let row_name = row.as_ref().map_or("", |row| row.name.as_str());
        Examiner {
            collector: collector.clone(),
            answers: Answers::of(collector.release),
            known: std::array::from_fn(|i| baseline.knows(row_name, Invariant::ALL[i]).is_some()),
            machine: Machine::new(collector),
            plain,
            judge: Judge::new(),
            digest: Digest::new(),
            stream: 0,
            events: Vec::new(),
            total: 0,
            reached: Coverage::default(),
            violations: Vec::new(),
            end: End::Complete,
            differential: false,
            asked: (Rules::NONE, Questions::ALL),
            real: None,
        }
    }

    /// An examiner for a real interpreter: `collector` has its name, and the rules of the row that covers it, which
    /// say only what is undefined. The interpreter is started when the first scenario is run.
    pub fn on(interpreter: &Interpreter, collector: &Collector, limits: Limits, baseline: &Baseline) -> Examiner {
        let real = Real { interpreter: interpreter.clone(), limits, python: None, model: Vec::new() };
        Examiner { real: Some(real), ..Examiner::new(collector, baseline) }
    }

    /// The collector.
    pub fn collector(&self) -> &Collector {
        &self.collector
    }

    /// True if a real interpreter runs the scenarios.
    pub fn is_real(&self) -> bool {
        self.real.is_some()
    }

    /// The bounds of an interpreter's process; the default ones for the model, which has no process.
    pub fn limits(&self) -> Limits {
        self.real.as_ref().map_or_else(Limits::default, |real| real.limits)
    }

    /// Sets the bounds of the processes to come: the next scenario runs in a fresh one.
    pub fn set_limits(&mut self, limits: Limits) {
        if let Some(real) = &mut self.real {
            real.limits = limits;
            real.python = None;
        }
    }

    /// The next scenario runs in a fresh process, if it is an interpreter that runs it.
    pub fn refresh(&mut self) {
        if let Some(python) = self.real.as_mut().and_then(|real| real.python.as_mut()) {
            python.restart();
        }
    }

    /// Runs and judges a scenario as [`Examiner::examine`] does, an interpreter in a fresh process.
    pub fn examine_fresh(&mut self, scenario: &Scenario, differential: bool) -> Examined<'_> {
        self.refresh();
        self.examine(scenario, differential)
    }

    /// Runs and judges a scenario; with `differential`, also by the invariants that need several runs. Of them a run with
    /// more than [`MOST_KEPT`] events is judged by I41 only: I18 and I38 would run it a score of times.
    pub fn examine(&mut self, scenario: &Scenario, differential: bool) -> Examined<'_> {
        self.end = End::Complete;
        if self.real.is_some() {
            self.events.clear();
            self.run_real(scenario, false);
            self.judge_events(scenario);
        } else {
            self.machine.forget_asked();
            self.judge_model(scenario);
        }
        self.conclude(scenario, differential)
    }

    /// What comes after a run has been judged by itself.
    fn conclude(&mut self, scenario: &Scenario, differential: bool) -> Examined<'_> {
        let differential = differential && self.end == End::Complete && self.judge_several_runs(scenario);
        if self.plain.is_some() && self.violations.iter().any(|(_, verdict)| *verdict == Verdict::Known) {
            self.excuse_only_what_the_row_does(scenario, differential);
        }
        if self.total > MOST_KEPT as u64 {
            self.forget();
        }
        self.examined(differential)
    }

    /// Lets go of the memory that a long run took: a score of examiners may take turns with a large graph.
    #[cold]
    fn forget(&mut self) {
        self.machine = Machine::new(&self.collector);
        self.judge = Judge::new();
        if let (Some(plain), Some(row)) = (&mut self.plain, Row::covering(self.collector.release)) {
            **plain = Machine::new(&row.collector());
        }
    }

    /// Runs a scenario on the model and judges the events as they come.
    fn judge_model(&mut self, scenario: &Scenario) {
        self.digest.reset();
        self.judge.start(scenario, Some(self.collector.release));
        let mut judging = |events: &[Event]| {
            self.digest.take(events);
            self.judge.take(events);
        };
        let mut out = EventBuffer::new(&mut self.events).keep(MOST_KEPT).pass_to(&mut judging);
        self.machine.run(scenario, &mut out);
        self.total = out.finish();
        self.asked.0 = self.machine.asked();
        self.finish();
    }

    /// Judges the events of the last run, all of which are kept.
    fn judge(&mut self, scenario: &Scenario) {
        self.judge.start(scenario, Some(self.collector.release));
        self.judge.take(&self.events);
        self.total = self.events.len() as u64;
        self.finish();
    }

    /// Takes over what the judge has found.
    fn finish(&mut self) {
        self.violations.clear();
        self.violations.extend(self.judge.finish().iter().map(|v| (*v, verdict(v, &self.known))));
        self.reached = self.judge.reached();
        self.asked.1 = self.judge.asked();
        self.stream = self.digest.value();
    }

    /// Runs and judges scenarios, an interpreter in one go. `each` gets them in no particular order, with their
    /// positions. What does not end well is run in a fresh process again, and that run counts.
    pub fn examine_batch(
        &mut self,
        scenarios: &[Scenario],
        differential: impl Fn(usize) -> bool,
        mut each: impl FnMut(usize, Examined<'_>),
    ) {
        let mut alone: Vec<(usize, bool)> = Vec::new();
        let Some(mut python) = self.take_python() else {
            for (i, scenario) in scenarios.iter().enumerate() {
                each(i, self.examine(scenario, differential(i)));
            }
            return;
        };
        let mut together = Vec::new();
        for (i, scenario) in scenarios.iter().enumerate() {
            match self.prediction(scenario) {
                Some(_) => alone.push((i, true)),
                None if differential(i) => alone.push((i, false)),
                None => together.push(i),
            }
        }
        let batch: Vec<&Scenario> = together.iter().map(|i| &scenarios[*i]).collect();
        let mut seen = 0;
        let result = python.run_batch(&batch, |outcome| {
            let i = together[outcome.index];
            seen += 1;
            if matches!(outcome.failure, Some(Failure::Died { .. } | Failure::Limit { .. })) {
                alone.push((i, true));
                return;
            }
            self.end = end(outcome.events, outcome.failure.as_ref());
            self.events.clear();
            self.events.extend_from_slice(outcome.events);
            self.judge_events(&scenarios[i]);
            each(i, self.examined(false));
        });
        if result.is_err() {
            // The next start fails likewise, and says so for each scenario.
            alone.extend(together[seen..].iter().map(|i| (*i, false)));
        }
        if let Some(real) = &mut self.real {
            real.python = Some(python);
        }
        for (i, fresh) in alone {
            self.events.clear();
            self.run_real(&scenarios[i], fresh);
            self.judge_events(&scenarios[i]);
            let differential = differential(i) && self.end == End::Complete && self.judge_several_runs(&scenarios[i]);
            each(i, self.examined(differential));
        }
    }

    /// The interpreter, started if need be; `None` for the model, and if it cannot be started.
    fn take_python(&mut self) -> Option<Python> {
        let real = self.real.as_mut()?;
        match real.python.take() {
            Some(python) => Some(python),
            None => Python::new(real.interpreter.clone(), real.limits).ok(),
        }
    }

    /// Where the model says that behaviour is undefined, and why: the number of events before it.
    fn prediction(&mut self, scenario: &Scenario) -> Option<(usize, Undefined)> {
        let real = self.real.as_mut()?;
        let most = real.limits.events();
        self.machine.run(scenario, &mut EventBuffer::new(&mut real.model).keep(most).end_at(most));
        match real.model.last() {
            Some(Event::Undefined { reason }) => Some((real.model.len() - 1, *reason)),
            _ => None,
        }
    }

    /// Runs a scenario on the interpreter, in a fresh process if asked or if the model predicts the worst.
    fn run_real(&mut self, scenario: &Scenario, fresh: bool) {
        let predicted = self.prediction(scenario);
        let Some(mut python) = self.take_python() else {
            self.end = End::Unsupported("the interpreter cannot be started".to_owned());
            return;
        };
        if fresh || predicted.is_some() {
            python.restart();
        }
        let mut failure = None;
        let result = python.run_batch(&[scenario], |outcome| {
            self.events.extend_from_slice(outcome.events);
            failure = outcome.failure;
        });
        self.end = match result {
            Ok(()) => end(&self.events, failure.as_ref()),
            Err(error) => End::Unsupported(error.to_string()),
        };
        let Some(real) = &mut self.real else { return };
        if let Some((at, reason)) = predicted {
            python.restart();
            if self.events.len() >= at && self.events[..at] == real.model[..at] {
                self.events.truncate(at);
                self.events.push(Event::Undefined { reason });
                self.end = End::Undefined(reason);
            }
        }
        real.python = Some(python);
    }

    /// Judges the events of the last run by all invariants that need no other.
    fn judge_events(&mut self, scenario: &Scenario) {
        if self.end.fatal().is_some() {
            // A snapshot that was cut off says nothing about the objects that it lacks.
            let cut = self.events.iter().rposition(|e| !is_part_of_snapshot(e)).map_or(0, |last| last + 1);
            self.events.truncate(cut);
        }
        self.digest.reset();
        self.digest.take(&self.events);
        self.judge(scenario);
    }

    /// False if there was too much to judge by all of the invariants that need several runs.
    fn judge_several_runs(&mut self, scenario: &Scenario) -> bool {
        let release = Some(self.collector.release);
        let is_long = self.total > MOST_KEPT as u64;
        let found = match &mut self.real {
            None if is_long => {
                let differs = differential::same_order(&mut self.machine, scenario);
                differs.ok().flatten().into_iter().collect()
            }
            Some(Real { python: Some(python), .. }) if is_long => {
                differential::same_order(python, scenario).ok().flatten().into_iter().collect()
            }
            // The model runs every scenario to its end: it has no failure to report.
            None => differential::check(&mut self.machine, scenario, release).unwrap_or_default(),
            Some(Real { python: Some(python), .. }) => {
                // What the probe cannot run in one of them does not keep the others from being judged.
                let mut found = Vec::new();
                found.extend(differential::same_order(python, scenario).ok().flatten());
                found.extend(differential::path_independence(python, scenario, release).unwrap_or_default());
                found.extend(differential::steady_state(python, scenario, release).ok().flatten());
                found
            }
            Some(_) => Vec::new(),
        };
        self.violations.extend(found.iter().map(|v| (*v, verdict(v, &self.known))));
        self.asked.0 = self.machine.asked();
        !is_long
    }

    fn examined(&mut self, differential: bool) -> Examined<'_> {
        self.differential = differential;
        let differs = self.violations.iter().any(|(v, _)| v.invariant == Invariant::I41);
        let digest = self.stream;
        let (events, violations, end) = (&self.events, &self.violations, &self.end);
        let (total, reached) = (self.total, self.reached);
        Examined { events, total, digest, violations, reached, differential, differs, end }
    }

    /// A row's baseline excuses a variant only where the row itself does the same on the same scenario.
    fn excuse_only_what_the_row_does(&mut self, scenario: &Scenario, differential: bool) {
        let Some(plain) = &mut self.plain else { return };
        let release = Some(self.collector.release);
        let (mut memory, judge) = (Vec::new(), &mut self.judge);
        judge.start(scenario, release);
        let mut judging = |events: &[Event]| judge.take(events);
        plain.run(scenario, &mut EventBuffer::new(&mut memory).keep(MOST_KEPT).pass_to(&mut judging));
        let mut of_row = self.judge.finish().to_vec();
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

/// How a run on an interpreter ended.
fn end(events: &[Event], failure: Option<&Failure>) -> End {
    let complete = || events.iter().rev().find(|e| !is_part_of_snapshot(e)) == Some(&Event::End);
    match failure {
        None => End::Complete,
        Some(Failure::Unsupported { what, .. }) => End::Unsupported(what.clone()),
        Some(Failure::Died { .. }) if complete() => End::Teardown,
        Some(Failure::Died { how, .. }) => End::Crashed(how.clone()),
        Some(Failure::Limit { limit, .. }) => End::Limit(limit.clone()),
    }
}

fn is_part_of_snapshot(event: &Event) -> bool {
    matches!(event, Event::Snapshot | Event::State { .. } | Event::Weak { .. } | Event::Garbage { .. })
}

fn verdict(violation: &Violation, known: &[bool; Invariant::COUNT]) -> Verdict {
    match violation.class {
        Class::Collector if known[violation.invariant as usize] => Verdict::Known,
        Class::Collector => Verdict::New,
        Class::TypeFault => Verdict::TypeFault,
        Class::Documented => Verdict::Documented,
    }
}
