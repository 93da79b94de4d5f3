//! What a collector does with a scenario, as far as a regression file can state it.

use crate::collector::Collector;
use crate::event::{Code, Digest, Event, ObjId, Role, Sink};
use crate::invariant::Judge;
use crate::run::Machine;
use crate::scenario::Scenario;
use crate::scenario::text::{Document, ExpectedViolation, Fact, origin};

/// Runs regression files. One runner for many files keeps its memory between them.
#[derive(Debug, Default)]
pub struct Runner {
    events: Vec<Event>,
    judge: Judge,
}

/// What one collector did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The digest of the event stream.
    pub digest: u64,
    /// Every violation once, sorted.
    pub violations: Vec<ExpectedViolation>,
    /// Every fact that was true at the end, sorted.
    pub facts: Vec<Fact>,
}

/// What a fact is about. A file that states a fact on one topic for one collector states it for all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Topic {
    /// Whether an object is alive or freed.
    Fate(u16),
    /// Whether `tp_clear` ran on an object.
    Cleared(u16),
    /// Whether a finalizer of an object ran.
    Finalized(u16),
    /// What the last collection returned.
    Returned,
    /// How long `gc.garbage` is.
    Garbage,
    /// Whether the run ended in undefined behaviour.
    Undefined,
}

impl Topic {
    /// The topic of a fact.
    pub const fn of(fact: Fact) -> Topic {
        match fact {
            Fact::Alive(var) | Fact::Freed(var) => Topic::Fate(var),
            Fact::Cleared(var) => Topic::Cleared(var),
            Fact::Finalized(var) => Topic::Finalized(var),
            Fact::Returned(_) => Topic::Returned,
            Fact::Garbage(_) => Topic::Garbage,
            Fact::Undefined => Topic::Undefined,
        }
    }
}

impl Runner {
    /// A runner.
    pub fn new() -> Runner {
        Runner::default()
    }

    /// Runs a file's scenario on a collector of the model and judges the run.
    pub fn outcome(&mut self, document: &Document, collector: &Collector) -> Outcome {
        self.events.clear();
        Machine::new(collector).run(&document.scenario, &mut self.events);
        self.judged(document, collector)
    }

    /// Judges a run of a file's scenario that something else than the model made, as a run of a collector.
    pub fn outcome_of(&mut self, document: &Document, collector: &Collector, events: &[Event]) -> Outcome {
        self.events.clear();
        self.events.extend_from_slice(events);
        self.judged(document, collector)
    }

    /// The events of the last run.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    fn judged(&mut self, document: &Document, collector: &Collector) -> Outcome {
        let mut digest = Digest::new();
        for event in &self.events {
            digest.event(*event);
        }
        let found = self.judge.judge(&document.scenario, &self.events, Some(collector.release));
        let mut violations: Vec<ExpectedViolation> =
            found.iter().map(|v| ExpectedViolation { code: v.invariant.code().to_owned(), class: v.class }).collect();
        violations.sort();
        violations.dedup();
        Outcome { digest: digest.value(), violations, facts: facts(&document.scenario, &self.events) }
    }
}

/// Every fact that the events make true.
pub(super) fn facts(scenario: &Scenario, events: &[Event]) -> Vec<Fact> {
    let mut origins: Vec<(u32, u16)> = Vec::new();
    for var in 0..scenario.vars() {
        if let Some(origin) = origin(scenario, var) {
            origins.push((origin as u32, var));
        }
    }
    let mut vars: Vec<(ObjId, u16)> = Vec::new();
    let mut facts = Vec::new();
    let (mut returned, mut garbage, mut undefined) = (None, 0, false);
    let var_of = |vars: &[(ObjId, u16)], object| vars.iter().find(|(o, _)| *o == object).map(|(_, var)| *var);
    for event in events {
        match *event {
            Event::New { object, origin, role: Role::Named } => {
                if let Some(at) = origins.iter().position(|(o, _)| *o == origin) {
                    let (_, var) = origins.swap_remove(at);
                    vars.push((object, var));
                    facts.push(Fact::Alive(var));
                }
            }
            Event::Clear { object } => facts.extend(var_of(&vars, object).map(Fact::Cleared)),
            Event::Enter { code: Code::Finalizer | Code::LegacyFinalizer, owner, .. } => {
                facts.extend(var_of(&vars, owner).map(Fact::Finalized));
            }
            Event::Free { object } => {
                if let Some(var) = var_of(&vars, object) {
                    facts.retain(|f| *f != Fact::Alive(var));
                    facts.push(Fact::Freed(var));
                }
            }
            Event::CollectEnd { returned: n, .. } => returned = Some(n),
            Event::Snapshot => garbage = 0,
            Event::Garbage { .. } => garbage += 1,
            Event::Undefined { .. } => undefined = true,
            _ => {}
        }
    }
    facts.extend(returned.map(Fact::Returned));
    if !undefined {
        facts.push(Fact::Garbage(garbage));
    } else {
        facts.push(Fact::Undefined);
    }
    facts.sort();
    facts.dedup();
    facts
}
