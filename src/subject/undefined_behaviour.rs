//! A subject with a process of its own, whose undefined behaviour another subject foresees.

use std::sync::Arc;

use super::is_scheduled;
use super::{
    At, Death, Declaration, End, Failure, Group, Moment, Needs, Receiver, SetupError, Spec, Subject, Variants,
};
use crate::event::{Event, EventBuffer, Observation, Undefined};
use crate::scenario::Scenario;
use crate::supervise::Limits;

/// Starts a subject with these bounds.
pub type Start = Arc<dyn Fn(Limits) -> Result<Box<dyn Subject>, SetupError> + Send + Sync>;

/// A subject that may die of a scenario, and one that says which scenarios are undefined: after the event at which the
/// other one's run ends so, anything may happen, and nothing is judged.
#[derive(Clone)]
pub struct Foreseen {
    declarations: [Declaration; 1],
    limits: Limits,
    start: Start,
    model: Arc<dyn Spec>,
    /// Index of the subject of `model` that foresees.
    row: usize,
}

impl std::fmt::Debug for Foreseen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Foreseen").field("declarations", &self.declarations).finish_non_exhaustive()
    }
}

impl Foreseen {
    /// A subject that is started when the first scenario is run, and what foresees what is undefined on it.
    pub fn new(declaration: Declaration, limits: Limits, start: Start, model: Arc<dyn Spec>, row: usize) -> Foreseen {
        Foreseen { declarations: [declaration], limits, start, model, row }
    }
}

impl Spec for Foreseen {
    fn declarations(&self) -> &[Declaration] {
        &self.declarations
    }

    fn group(&self) -> Box<dyn Group> {
        Box::new(Process {
            start: self.start.clone(),
            limits: self.limits,
            real: None,
            failed: Vec::new(),
            // What cannot be set up foresees nothing.
            model: self.model.subject(self.row, self.limits).ok(),
            observes: self.declarations[0].observes,
            foreseen: Vec::new(),
            events: Vec::new(),
        })
    }

    fn alone(&self, _subject: usize) -> Box<dyn Spec> {
        Box::new(self.clone())
    }

    fn subject(&self, _subject: usize, limits: Limits) -> Result<Box<dyn Subject>, SetupError> {
        (self.start)(limits)
    }

    fn variants(&self) -> Box<dyn Variants> {
        self.model.alone(self.row).variants()
    }

    fn limits(&self) -> Option<Limits> {
        Some(self.limits)
    }
}

/// After so many starts in a row that failed, each of which may have taken its limit of time, there is no other.
const STARTS: usize = 3;

/// The two subjects at work.
struct Process {
    start: Start,
    limits: Limits,
    real: Option<Box<dyn Subject>>,
    /// Why it, or a process of it, could not be started, since the last one could.
    failed: Vec<SetupError>,
    model: Option<Box<dyn Subject>>,
    /// What the subject's events show.
    observes: Needs,
    /// The events of the model's last run.
    foreseen: Vec<Event>,
    /// The events of the last run.
    events: Vec<Event>,
}

impl Process {
    /// The subject, started if need be.
    fn real(&mut self) -> Result<&mut Box<dyn Subject>, SetupError> {
        if let Some(error) = self.failed.last().filter(|_| self.failed.len() >= STARTS) {
            return Err(error.clone());
        }
        match &mut self.real {
            Some(real) => Ok(real),
            none => Ok(none.insert((self.start)(self.limits)?)),
        }
    }

    /// Takes note of whether the subject, or a process of it, could be started.
    fn note(&mut self, result: &Result<(), SetupError>) {
        match result {
            Ok(()) => self.failed.clear(),
            Err(error) if self.failed.len() < STARTS => self.failed.push(error.clone()),
            Err(_) => {}
        }
    }

    /// Where the model says that behaviour is undefined, and why: the number of events before it. It has its own schedule,
    /// or is told that of a run. Only then, or where it is undefined, are its events kept.
    fn foresee(&mut self, scenario: &Scenario, told: Option<&[Moment]>) -> Option<(usize, Undefined)> {
        let most = self.real.as_ref().map_or(self.limits, |real| real.limits()).events();
        let model = self.model.as_mut()?;
        if told.is_none() {
            let mut last = None;
            let mut take = |events: &[Event]| last = events.last().copied().or(last);
            let blind = EventBuffer::new(&mut self.foreseen).keep(0).end_at(most).observe(Observation::Nothing);
            let _ = model.run(scenario, &mut blind.pass_to(&mut take));
            if !matches!(last, Some(Event::Undefined { .. })) {
                return None;
            }
        }
        let mut out = EventBuffer::new(&mut self.foreseen).keep(most).end_at(most);
        // A run that broke off says what came before.
        let _ = match told {
            // The moments of a run are places among all its events.
            Some(moments) => model.follow(scenario, moments, &mut out),
            None => model.run(scenario, &mut out),
        };
        drop(out);
        self.observes.restrict(&mut self.foreseen);
        match self.foreseen.last() {
            Some(Event::Undefined { reason }) => Some((self.foreseen.len() - 1, *reason)),
            _ => None,
        }
    }

    /// Runs a scenario by itself, in a fresh process if asked or if the model foresees the worst.
    fn run_alone(&mut self, scenario: &Scenario, at: At, fresh: bool, to: &mut dyn Receiver) {
        let mut foreseen = self.foresee(scenario, None);
        let (mut failure, mut events) = (None, std::mem::take(&mut self.events));
        let (mut moments, mut follows) = (Vec::new(), is_scheduled(scenario));
        events.clear();
        let result = self.real().and_then(|real| {
            if fresh || foreseen.is_some() {
                real.restart();
            }
            follows &= real.has_own_schedule();
            real.run_scheduled(&[scenario], &mut |_, run, told, why| {
                events.extend_from_slice(run);
                moments.extend_from_slice(told);
                failure = why.cloned();
            })
        });
        self.events = events;
        self.note(&result);
        if follows && result.is_ok() {
            foreseen = self.foresee(scenario, Some(&moments));
        }
        let mut end = match &result {
            Ok(()) => End::of(&self.events, failure.as_ref()),
            Err(error) => End::Unsupported(error.to_string()),
        };
        if let (Some((at, reason)), Some(real)) = (foreseen, &mut self.real) {
            real.restart();
            if self.events.len() >= at && self.events[..at] == self.foreseen[..at] {
                let death = match &failure {
                    Some(Failure::Died { how, .. }) => Some(Death::new(how, &self.events)),
                    _ => None,
                };
                self.events.truncate(at);
                self.events.push(Event::Undefined { reason });
                end = End::Undefined(reason, death);
            }
        }
        to.events(at, end.judged(&self.events));
        to.ended(at, end, None);
    }
}

impl Group for Process {
    fn run(&mut self, batch: &[&Scenario], to: &mut dyn Receiver) {
        let at = |scenario| At { scenario, subject: 0 };
        if let [scenario] = batch {
            return self.run_alone(scenario, at(0), false, to);
        }
        let (mut alone, mut together) = (Vec::new(), Vec::new());
        for (i, scenario) in batch.iter().enumerate() {
            match self.foresee(scenario, None) {
                Some(_) => alone.push((i, true)),
                None => together.push(i),
            }
        }
        let chosen: Vec<&Scenario> = together.iter().map(|i| batch[*i]).collect();
        let mut seen = 0;
        let mut scheduled = Vec::new();
        let result = self.real().and_then(|real| {
            let own = real.has_own_schedule();
            real.run_scheduled(&chosen, &mut |index, events, moments, failure| {
                let i = together[index];
                seen += 1;
                if matches!(failure, Some(Failure::Died { .. } | Failure::Limit { .. })) {
                    alone.push((i, true));
                    return;
                }
                if own && !moments.is_empty() {
                    scheduled.push((i, End::of(events, failure), events.to_vec(), moments.to_vec()));
                    return;
                }
                let end = End::of(events, failure);
                to.events(at(i), end.judged(events));
                to.ended(at(i), end, None);
            })
        });
        self.note(&result);
        for (i, end, events, moments) in scheduled {
            // With the subject's schedule behaviour may be undefined where the model's own led elsewhere.
            if self.foresee(batch[i], Some(&moments)).is_some() {
                alone.push((i, true));
                continue;
            }
            to.events(at(i), end.judged(&events));
            to.ended(at(i), end, None);
        }
        if result.is_err() {
            // The next start fails likewise, and says so for each scenario.
            alone.extend(together[seen..].iter().map(|i| (*i, false)));
        }
        for (i, fresh) in alone {
            self.run_alone(batch[i], at(i), fresh, to);
        }
    }

    fn one(&mut self, _subject: usize) -> Option<&mut dyn Subject> {
        self.real().ok().map(|real| real.as_mut() as &mut dyn Subject)
    }
}
