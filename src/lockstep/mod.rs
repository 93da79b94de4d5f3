//! The model and a real interpreter in lockstep: both run the same scenarios, and their event streams must be equal.

mod campaign;
mod compared_counts;
mod difference;
mod finding;
mod panel;
mod plan;

use std::borrow::Borrow;
use std::ops::Range;
use std::sync::Arc;

use crate::event::{Digest, Event, EventBuffer};
use crate::scenario::Scenario;
use crate::subject::{Declaration, Moment, Needs, NotObserved, SetupError, Spec, Subject, is_scheduled};
use crate::supervise::Limits;

pub use campaign::{ComparisonOutcome, Skipped, run, run_under};
pub use compared_counts::{ComparedCounts, ComparedTotals, DifferenceKey};
pub use difference::{Comparison, Difference, DifferenceKind, Looseness, compare, compare_observed, word};
pub use finding::{ReducedDifference, reduce};
pub use plan::{ComparisonPlan, Target};

/// A subject and one with a process of its own that should do the same.
pub struct Lockstep {
    /// What the model is.
    declaration: Declaration,
    model: Box<dyn Subject>,
    real: Arc<dyn Spec>,
    /// Runs what is defined to the end.
    steady: Box<dyn Subject>,
    /// Runs what may break its process, with less time: what is broken may be walked for ever.
    risky: Option<Box<dyn Subject>>,
    /// Runs one scenario per process.
    fresh: Option<Box<dyn Subject>>,
    limits: Limits,
    /// What the interpreter's events show.
    observes: Needs,
    events: Vec<Event>,
    ranges: Vec<Range<usize>>,
    /// The model's events with the interpreter's schedule.
    followed: Vec<Event>,
}

/// What came of one scenario of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compared {
    /// Its position in the batch.
    pub index: usize,
    /// What came of the comparison; of a fresh process, if the scenario was run in one too.
    pub comparison: Comparison,
    /// Digest of the interpreter's events, the part that was compared.
    pub digest: u64,
    /// What no event shows of it, by number.
    pub not_observed: [bool; NotObserved::ALL.len()],
    /// It was run in a fresh process too.
    pub sampled: bool,
    /// A fresh process did something else than the worker, though nothing undefined had happened there.
    pub unstable: bool,
    /// The collector's lists were not observed: everything else was compared.
    pub without_lists: bool,
}

impl Lockstep {
    /// Compares the first of some subjects with processes with the first of some that have none.
    ///
    /// # Errors
    /// [`SetupError`] if one cannot be set up.
    pub fn new(real: Arc<dyn Spec>, model: &dyn Spec, limits: Limits) -> Result<Lockstep, SetupError> {
        let steady = real.subject(0, limits)?;
        Ok(Lockstep {
            declaration: model.declarations()[0].clone(),
            model: model.subject(0, limits)?,
            observes: steady.declaration().observes,
            steady,
            real,
            risky: None,
            fresh: None,
            limits,
            events: Vec::new(),
            ranges: Vec::new(),
            followed: Vec::new(),
        })
    }

    /// What is compared with.
    pub fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    /// The subject with a process.
    pub fn real(&mut self) -> &mut dyn Subject {
        self.steady.as_mut()
    }

    /// Compares with the first of some other subjects from now on.
    ///
    /// # Errors
    /// [`SetupError`] if it cannot be set up.
    pub fn set_model(&mut self, model: &dyn Spec) -> Result<(), SetupError> {
        self.declaration = model.declarations()[0].clone();
        self.model = model.subject(0, self.limits)?;
        Ok(())
    }

    /// The bounds of the workers.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Sets the bounds of the workers, which are replaced.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        self.steady.set_limits(limits);
        (self.risky, self.fresh) = (None, None);
    }

    /// Compares one scenario in the worker, without confirmation.
    ///
    /// # Errors
    /// [`SetupError`] if a new process was needed and could not be started.
    pub fn compare(&mut self, scenario: &Scenario) -> Result<Comparison, SetupError> {
        self.run_model(&[scenario]);
        let mut told = Told {
            model: self.model.as_mut(),
            limits: self.limits,
            observes: self.observes,
            events: &mut self.followed,
        };
        if !ends_undefined(&self.events) {
            return Ok(run_one(self.steady.as_mut(), scenario, &self.events, &mut told)?.0);
        }
        let risky = companion(&mut self.risky, self.real.as_ref(), self.limits.hurried())?;
        match run_one(risky, scenario, &self.events, &mut told)?.0 {
            hurried if is_limit(&hurried) => Ok(self.in_fresh(scenario, 0)?.0),
            comparison => Ok(comparison),
        }
    }

    /// Compares one scenario in a process of its own.
    ///
    /// # Errors
    /// As [`Lockstep::compare`].
    pub fn compare_fresh(&mut self, scenario: &Scenario) -> Result<Comparison, SetupError> {
        self.run_model(&[scenario]);
        Ok(self.in_fresh(scenario, 0)?.0)
    }

    /// Compares scenarios. Differences, and the scenarios that `sample` chooses, are run in a fresh process as well.
    /// Outcomes come in no particular order, one for each scenario.
    ///
    /// # Errors
    /// As [`Lockstep::compare`]; the outcomes so far have been handed out.
    pub fn compare_batch<S: Borrow<Scenario>>(
        &mut self,
        scenarios: &[S],
        sample: impl Fn(usize) -> bool,
        each: impl FnMut(Compared),
    ) -> Result<(), SetupError> {
        self.run_model(scenarios);
        self.compare_foreseen(scenarios, sample, each)
    }

    /// Compares scenarios of which it may be known what the model does: all its events.
    fn compare_known<'k, S: Borrow<Scenario>>(
        &mut self,
        scenarios: &[S],
        known: impl Fn(usize) -> Option<&'k [Event]>,
        sample: impl Fn(usize) -> bool,
        each: impl FnMut(Compared),
    ) -> Result<(), SetupError> {
        self.forget();
        for (index, scenario) in scenarios.iter().enumerate() {
            match known(index) {
                Some(events) => {
                    let from = self.events.len();
                    self.events.extend_from_slice(events);
                    self.ranges.push(from..self.events.len());
                }
                None => self.add_model(scenario.borrow()),
            }
        }
        self.observes.restrict(&mut self.events);
        self.compare_foreseen(scenarios, sample, each)
    }

    /// Compares scenarios that the model has run.
    fn compare_foreseen<S: Borrow<Scenario>>(
        &mut self,
        scenarios: &[S],
        sample: impl Fn(usize) -> bool,
        mut each: impl FnMut(Compared),
    ) -> Result<(), SetupError> {
        let without_lists = !self.observes.shows_lists();
        let (risky, steady): (Vec<usize>, Vec<usize>) = (0..scenarios.len()).partition(|i| self.risk(*i));
        let mut again = Vec::new();
        for (indices, risky) in [(steady, false), (risky, true)] {
            let batch: Vec<&Scenario> = indices.iter().map(|i| scenarios[*i].borrow()).collect();
            let python = match risky && !batch.is_empty() {
                true => companion(&mut self.risky, self.real.as_ref(), self.limits.hurried())?,
                false => self.steady.as_mut(),
            };
            let mut told = Told {
                model: self.model.as_mut(),
                limits: self.limits,
                observes: self.observes,
                events: &mut self.followed,
            };
            let own = python.has_own_schedule();
            python.run_scheduled(&batch, &mut |at, events, moments, failure| {
                let index = indices[at];
                let follows = own && is_scheduled(batch[at]);
                let model = match follows {
                    true => told.follow(batch[at], moments),
                    false => &self.events[self.ranges[index].clone()],
                };
                let comparison = compare(model, events, failure);
                let digest = if follows { 0 } else { digest(model, events) };
                let not_observed = NotObserved::of(batch[at]);
                let (sampled, unstable) = (false, false);
                let compared = Compared { index, comparison, digest, not_observed, sampled, unstable, without_lists };
                if sample(index) || matches!(compared.comparison, Comparison::Different(_)) {
                    again.push((compared, risky));
                } else {
                    each(compared);
                }
            })?;
        }
        for (mut compared, risky) in again {
            let (comparison, digest) = self.in_fresh(scenarios[compared.index].borrow(), compared.index)?;
            // Where behaviour is undefined, anything may have happened to the process before.
            compared.unstable = !risky
                && !is_limit(&compared.comparison)
                && (kind(&comparison), digest) != (kind(&compared.comparison), compared.digest);
            compared.sampled = sample(compared.index);
            (compared.comparison, compared.digest) = (comparison, digest);
            each(compared);
        }
        Ok(())
    }

    fn run_model<S: Borrow<Scenario>>(&mut self, scenarios: &[S]) {
        self.forget();
        scenarios.iter().for_each(|scenario| self.add_model(scenario.borrow()));
        self.observes.restrict(&mut self.events);
    }

    fn forget(&mut self) {
        self.events.clear();
        self.ranges.clear();
    }

    /// Runs the next scenario in the model.
    fn add_model(&mut self, scenario: &Scenario) {
        let (from, most) = (self.events.len(), self.limits.events());
        // What broke off is compared as far as it came.
        let _ = self.model.run(scenario, &mut EventBuffer::append(&mut self.events).keep(most).end_at(most));
        self.ranges.push(from..self.events.len());
    }

    fn risk(&self, index: usize) -> bool {
        ends_undefined(&self.events[self.ranges[index].clone()])
    }

    fn in_fresh(&mut self, scenario: &Scenario, index: usize) -> Result<(Comparison, u64), SetupError> {
        let model = &self.events[self.ranges[index].clone()];
        let mut told = Told {
            model: self.model.as_mut(),
            limits: self.limits,
            observes: self.observes,
            events: &mut self.followed,
        };
        if ends_undefined(model) {
            let risky = companion(&mut self.risky, self.real.as_ref(), self.limits.hurried())?;
            risky.restart();
            let hurried = run_one(risky, scenario, model, &mut told)?;
            if !is_limit(&hurried.0) {
                return Ok(hurried);
            }
        }
        let fresh = companion(&mut self.fresh, self.real.as_ref(), self.limits)?;
        let result = run_one(fresh, scenario, model, &mut told);
        fresh.restart();
        result
    }
}

/// The model, to be told of an interpreter's schedule.
struct Told<'a> {
    model: &'a mut dyn Subject,
    limits: Limits,
    /// What the subject with a process shows.
    observes: Needs,
    events: &'a mut Vec<Event>,
}

impl Told<'_> {
    /// What the model does with that schedule.
    fn follow(&mut self, scenario: &Scenario, moments: &[Moment]) -> &[Event] {
        let most = self.limits.events();
        // What broke off is compared as far as it came.
        let _ = self.model.follow(scenario, moments, &mut EventBuffer::new(self.events).keep(most).end_at(most));
        self.observes.restrict(self.events);
        self.events
    }
}

/// True if a run has come to where behaviour is undefined.
fn ends_undefined(events: &[Event]) -> bool {
    matches!(events.last(), Some(Event::Undefined { .. }))
}

/// Runs one scenario: what came of the comparison with what the model does by itself or, if the interpreter has a schedule of
/// its own, with that; and the digest of the events.
fn run_one(
    python: &mut dyn Subject,
    scenario: &Scenario,
    model: &[Event],
    told: &mut Told<'_>,
) -> Result<(Comparison, u64), SetupError> {
    // A batch of one has one outcome.
    let mut result = (Comparison::Same, 0);
    let follows = python.has_own_schedule() && is_scheduled(scenario);
    python.run_scheduled(&[scenario], &mut |_, events, moments, failure| {
        let model = if follows { told.follow(scenario, moments) } else { model };
        result = (compare(model, events, failure), if follows { 0 } else { digest(model, events) });
    })?;
    Ok(result)
}

/// A limit that a fresh process does not reach says more about the machine, or what the worker had run before, than
/// about the scenario.
fn is_limit(comparison: &Comparison) -> bool {
    matches!(comparison, Comparison::Different(difference) if difference.kind == DifferenceKind::Limit)
}

/// What two comparisons of one scenario are compared by: messages may name times and limits.
fn kind(comparison: &Comparison) -> Option<(DifferenceKind, usize)> {
    match comparison {
        Comparison::Different(difference) => Some((difference.kind, difference.at)),
        _ => None,
    }
}

/// Digest of the events that are compared: none after the model's last. Runs with a schedule of the interpreter's own have none:
/// what it counts depends on what its process has run before.
fn digest(model: &[Event], real: &[Event]) -> u64 {
    let defined = match model.split_last() {
        Some((Event::Undefined { .. }, before)) => before.len().min(real.len()),
        _ => real.len(),
    };
    Digest::of(&real[..defined])
}

/// Another process of the same subject, started when it is needed first.
fn companion<'a>(
    place: &'a mut Option<Box<dyn Subject>>,
    real: &dyn Spec,
    limits: Limits,
) -> Result<&'a mut dyn Subject, SetupError> {
    match place {
        Some(subject) => Ok(subject.as_mut()),
        None => Ok(place.insert(real.subject(0, limits)?).as_mut()),
    }
}
