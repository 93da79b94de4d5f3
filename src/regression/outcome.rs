//! What a collector does with a scenario, as far as a regression file can state it.

use crate::event::{Code, Digest, Event, EventBuffer, MOST_KEPT, ObjId, Role};
use crate::invariant::Judge;
use crate::scenario::Scenario;
use crate::scenario::text::{Document, ExpectedViolation, Fact, origin};
use crate::subject::{Catalogue, Declaration, SetupError, Spec};
use crate::supervise::Limits;

/// Runs regression files. One runner for many files keeps its memory between them.
pub struct Runner<'c> {
    /// Where the subjects are found that files name.
    pub(super) catalogue: &'c dyn Catalogue,
    /// Memory for events that wait to be judged.
    memory: Vec<Event>,
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

impl<'c> Runner<'c> {
    /// A runner of files that name subjects of a catalogue.
    pub fn new(catalogue: &'c dyn Catalogue) -> Runner<'c> {
        Runner { catalogue, memory: Vec::new(), judge: Judge::new() }
    }

    /// Runs a file's scenario on the first of some subjects and judges the events as they come.
    ///
    /// # Errors
    /// [`SetupError`] if it cannot be set up.
    pub fn outcome(&mut self, document: &Document, spec: &dyn Spec) -> Result<Outcome, SetupError> {
        let mut subject = spec.subject(0, Limits::default())?;
        let Runner { memory, judge, .. } = self;
        let mut judging = Judging::new(document, &spec.declarations()[0], judge);
        let mut take = |events: &[Event]| judging.take(events);
        let mut out = EventBuffer::new(memory).keep(MOST_KEPT).pass_to(&mut take);
        // What broke off is judged as far as it came.
        let _ = subject.run(&document.scenario, &mut out);
        out.finish();
        Ok(judging.outcome())
    }

    /// Judges a run of a file's scenario that somebody else made, as a run of this subject.
    pub fn outcome_of(&mut self, document: &Document, subject: &Declaration, events: &[Event]) -> Outcome {
        let mut judging = Judging::new(document, subject, &mut self.judge);
        judging.take(events);
        judging.outcome()
    }
}

/// A run that is being judged.
struct Judging<'r> {
    digest: Digest,
    judge: &'r mut Judge,
    facts: Facts,
}

impl<'r> Judging<'r> {
    fn new(document: &Document, subject: &Declaration, judge: &'r mut Judge) -> Judging<'r> {
        judge.start(&document.scenario, subject);
        Judging { digest: Digest::new(), judge, facts: Facts::new(&document.scenario) }
    }

    fn take(&mut self, events: &[Event]) {
        self.digest.take(events);
        self.facts.take(events);
        self.judge.take(events);
    }

    fn outcome(self) -> Outcome {
        let found = self.judge.finish().iter();
        let mut violations: Vec<ExpectedViolation> =
            found.map(|v| ExpectedViolation { code: v.invariant.code().to_owned(), class: v.class }).collect();
        violations.sort_unstable();
        violations.dedup();
        Outcome { digest: self.digest.value(), violations, facts: self.facts.finish() }
    }
}

/// Every fact that the events make true.
pub fn facts(scenario: &Scenario, events: &[Event]) -> Vec<Fact> {
    let mut facts = Facts::new(scenario);
    facts.take(events);
    facts.finish()
}

/// What the events so far make true.
struct Facts {
    /// The operations that create what variables hold first, with these variables.
    origins: Vec<(u32, u16)>,
    vars: Vec<(ObjId, u16)>,
    facts: Vec<Fact>,
    returned: Option<u32>,
    garbage: u32,
    undefined: bool,
}

impl Facts {
    fn new(scenario: &Scenario) -> Facts {
        let origins = (0..scenario.vars()).filter_map(|var| origin(scenario, var).map(|op| (op as u32, var)));
        Facts {
            origins: origins.collect(),
            vars: Vec::new(),
            facts: Vec::new(),
            returned: None,
            garbage: 0,
            undefined: false,
        }
    }

    fn var_of(&self, object: ObjId) -> Option<u16> {
        self.vars.iter().find(|(o, _)| *o == object).map(|(_, var)| *var)
    }

    fn take(&mut self, events: &[Event]) {
        for event in events {
            match *event {
                Event::New { object, origin, role: Role::Named } => {
                    if let Some(at) = self.origins.iter().position(|(o, _)| *o == origin) {
                        let (_, var) = self.origins.swap_remove(at);
                        self.vars.push((object, var));
                        self.facts.push(Fact::Alive(var));
                    }
                }
                Event::Clear { object } => self.facts.extend(self.var_of(object).map(Fact::Cleared)),
                Event::Enter { code: Code::Finalizer | Code::LegacyFinalizer, owner, .. } => {
                    self.facts.extend(self.var_of(owner).map(Fact::Finalized));
                }
                Event::Free { object } => {
                    if let Some(var) = self.var_of(object) {
                        self.facts.retain(|f| *f != Fact::Alive(var));
                        self.facts.push(Fact::Freed(var));
                    }
                }
                Event::CollectEnd { returned, .. } => self.returned = Some(returned),
                Event::Snapshot => self.garbage = 0,
                Event::Garbage { .. } => self.garbage += 1,
                Event::Undefined { .. } => self.undefined = true,
                _ => {}
            }
        }
    }

    fn finish(self) -> Vec<Fact> {
        let mut facts = self.facts;
        facts.extend(self.returned.map(Fact::Returned));
        facts.push(if self.undefined { Fact::Undefined } else { Fact::Garbage(self.garbage) });
        facts.sort_unstable();
        facts.dedup();
        facts
    }
}
