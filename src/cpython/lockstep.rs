//! Model against interpreter, event by event.
//!
//! Where the model says that behaviour is undefined, the events before that point are compared, and whatever the
//! interpreter does afterwards is agreement. Its memory may be damaged then: such a scenario has a process of its own.
//! A difference is confirmed in a fresh process before it is reported.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::compile::SetupError;
use super::find::Interpreter;
use super::subject::{Limits, Outcome, Python};
use crate::collector::Collector;
use crate::event::{Event, Undefined};
use crate::run::Machine;
use crate::scenario::Scenario;
use crate::subject::Failure;

/// How many events before a difference are kept.
pub const CONTEXT: usize = 16;
/// How many scenarios go to an interpreter at once.
const BATCH: u64 = 250;

/// Where model and interpreter part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Position of the first event in which they differ.
    pub at: usize,
    /// The events before it, at most [`CONTEXT`].
    pub before: Vec<Event>,
    /// What the model goes on with, at most [`CONTEXT`] events; none if it has ended.
    pub model: Vec<Event>,
    /// What the interpreter goes on with; none if it has ended.
    pub real: Vec<Event>,
    /// Why the interpreter did not come to its end, if so.
    pub failure: Option<Failure>,
}

/// What the comparison of one scenario found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The same events.
    Same,
    /// The model says that behaviour is undefined from some event on; all events before it are the same.
    Undefined {
        /// Why it is undefined.
        reason: Undefined,
        /// Whether the interpreter died of it.
        died: bool,
    },
    /// The interpreter cannot build or do what the scenario asks for.
    Unsupported {
        /// What that is.
        what: String,
    },
    /// The interpreter ran into a limit of time, memory or events that says nothing about the scenario.
    Limit {
        /// Which limit.
        what: String,
    },
    /// A difference that did not show again in a fresh process.
    Unconfirmed(Box<Difference>),
    /// A difference, confirmed in a fresh process.
    Different(Box<Difference>),
}

/// One model and one interpreter.
#[derive(Debug)]
pub struct Lockstep {
    machine: Machine,
    python: Python,
    expected: Vec<Vec<Event>>,
}

impl Lockstep {
    /// Pairs a collector of the model with an interpreter.
    ///
    /// # Errors
    /// [`SetupError`] if the interpreter cannot be made ready.
    pub fn new(collector: &Collector, interpreter: Interpreter, limits: Limits) -> Result<Lockstep, SetupError> {
        let python = Python::new(interpreter, limits)?;
        Ok(Lockstep { machine: Machine::new(collector), python, expected: Vec::new() })
    }

    /// The interpreter's side.
    pub fn python(&mut self) -> &mut Python {
        &mut self.python
    }

    /// Compares scenarios and hands out a verdict for each, with its position; not in order.
    ///
    /// # Errors
    /// [`SetupError`] if a new process was needed and could not be started.
    pub fn compare<S: Borrow<Scenario>>(
        &mut self,
        scenarios: &[S],
        mut each: impl FnMut(usize, Verdict),
    ) -> Result<(), SetupError> {
        self.expected.resize_with(self.expected.len().max(scenarios.len()), Vec::new);
        let (mut defined, mut undefined) = (Vec::new(), Vec::new());
        for (i, scenario) in scenarios.iter().enumerate() {
            let events = &mut self.expected[i];
            events.clear();
            self.machine.run(scenario.borrow(), events);
            match events.last() {
                Some(Event::Undefined { .. }) => undefined.push(i),
                _ => defined.push(i),
            }
        }
        let mut again = Vec::new();
        let batch: Vec<&Scenario> = defined.iter().map(|i| scenarios[*i].borrow()).collect();
        self.python.run_batch(&batch, |outcome| {
            let i = defined[outcome.index];
            match judge(&self.expected[i], &outcome) {
                Verdict::Different(_) => again.push(i),
                verdict => each(i, verdict),
            }
        })?;
        for i in undefined {
            match self.alone(scenarios[i].borrow(), i)? {
                Verdict::Different(_) => again.push(i),
                verdict => each(i, verdict),
            }
        }
        for i in again {
            // Twice: a difference that is not there both times is reported as what it is.
            let first = self.alone(scenarios[i].borrow(), i)?;
            let verdict = match (first, self.alone(scenarios[i].borrow(), i)?) {
                (first @ Verdict::Different(_), Verdict::Different(_)) => first,
                (Verdict::Different(d), _) | (_, Verdict::Different(d)) => Verdict::Unconfirmed(d),
                (Verdict::Same, _) => {
                    let nothing = Vec::new();
                    let (before, model, real) = (nothing.clone(), nothing.clone(), nothing);
                    Verdict::Unconfirmed(Box::new(Difference { at: 0, before, model, real, failure: None }))
                }
                (verdict, _) => verdict,
            };
            each(i, verdict);
        }
        Ok(())
    }

    /// Runs one scenario in a process of its own.
    fn alone(&mut self, scenario: &Scenario, expected: usize) -> Result<Verdict, SetupError> {
        self.python.restart();
        let mut verdict = Verdict::Same;
        self.python.run_batch(&[scenario], |outcome| verdict = judge(&self.expected[expected], &outcome))?;
        self.python.restart();
        Ok(verdict)
    }
}

/// Compares what the model said with what the interpreter did.
fn judge(expected: &[Event], outcome: &Outcome<'_>) -> Verdict {
    let (expected, undefined) = match expected.split_last() {
        Some((Event::Undefined { reason }, before)) => (before, Some(*reason)),
        _ => (expected, None),
    };
    if let Some(Failure::Unsupported { what, .. }) = &outcome.failure {
        return Verdict::Unsupported { what: what.clone() };
    }
    let real = outcome.events;
    let same = expected.iter().zip(real).take_while(|(a, b)| a == b).count();
    if let Some(reason) = undefined
        && same == expected.len()
    {
        return Verdict::Undefined { reason, died: outcome.failure.is_some() };
    }
    if let Some(Failure::Limit { limit, .. }) = &outcome.failure
        && same == real.len()
    {
        return Verdict::Limit { what: limit.clone() };
    }
    if outcome.failure.is_none() && same == expected.len() && same == real.len() {
        return Verdict::Same;
    }
    let ahead = |events: &[Event]| events[same..(same + CONTEXT).min(events.len())].to_vec();
    Verdict::Different(Box::new(Difference {
        at: same,
        before: expected[same.saturating_sub(CONTEXT)..same].to_vec(),
        model: ahead(expected),
        real: ahead(real),
        failure: outcome.failure.clone(),
    }))
}

/// What the comparison of many scenarios found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// How many agreed in every event.
    pub same: u64,
    /// How many agreed up to undefined behaviour, and of how many of these the interpreter died, by reason.
    pub undefined: BTreeMap<u8, (u64, u64)>,
    /// How many could not be run, by what the interpreter lacks.
    pub unsupported: BTreeMap<String, u64>,
    /// How many ran into a limit, by limit.
    pub limits: BTreeMap<String, u64>,
    /// Differences that did not show again, by number of the scenario.
    pub unconfirmed: BTreeMap<u64, Difference>,
    /// Confirmed differences, by number of the scenario.
    pub different: BTreeMap<u64, Difference>,
}

impl Tally {
    /// Counts a verdict on the scenario with a number.
    pub fn add(&mut self, number: u64, verdict: Verdict) {
        match verdict {
            Verdict::Same => self.same += 1,
            Verdict::Undefined { reason, died } => {
                let entry = self.undefined.entry(reason as u8).or_default();
                entry.0 += 1;
                entry.1 += u64::from(died);
            }
            Verdict::Unsupported { what } => *self.unsupported.entry(what).or_default() += 1,
            Verdict::Limit { what } => *self.limits.entry(what).or_default() += 1,
            Verdict::Unconfirmed(difference) => drop(self.unconfirmed.insert(number, *difference)),
            Verdict::Different(difference) => drop(self.different.insert(number, *difference)),
        }
    }

    /// How many scenarios have been compared.
    pub fn scenarios(&self) -> u64 {
        let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
        self.same
            + self.undefined.values().map(|counts| counts.0).sum::<u64>()
            + sum(&self.unsupported)
            + sum(&self.limits)
            + self.unconfirmed.len() as u64
            + self.different.len() as u64
    }
}

/// Compares the scenarios with numbers `0..count`, which `make` makes, with `jobs` interpreters at a time. The result
/// does not depend on `jobs`.
///
/// # Errors
/// The first [`SetupError`] of a worker; the others finish their batch.
pub fn compare_all(
    collector: &Collector,
    interpreter: &Interpreter,
    limits: Limits,
    jobs: usize,
    count: u64,
    make: impl Fn(u64) -> Scenario + Sync,
) -> Result<Tally, SetupError> {
    let next = AtomicU64::new(0);
    let tally = Mutex::new(Tally::default());
    let failed: Mutex<Option<SetupError>> = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                let work = || -> Result<(), SetupError> {
                    let mut lockstep = Lockstep::new(collector, interpreter.clone(), limits)?;
                    loop {
                        let from = next.fetch_add(BATCH, Ordering::Relaxed);
                        if from >= count || failed.lock().is_ok_and(|failed| failed.is_some()) {
                            return Ok(());
                        }
                        let scenarios: Vec<Scenario> = (from..(from + BATCH).min(count)).map(&make).collect();
                        lockstep.compare(&scenarios, |i, verdict| {
                            tally
                                .lock()
                                .unwrap_or_else(std::sync::PoisonError::into_inner)
                                .add(from + i as u64, verdict);
                        })?;
                    }
                };
                if let Err(error) = work()
                    && let Ok(mut failed) = failed.lock()
                {
                    failed.get_or_insert(error);
                }
            });
        }
    });
    match failed.into_inner() {
        Ok(Some(error)) => Err(error),
        _ => Ok(tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)),
    }
}
