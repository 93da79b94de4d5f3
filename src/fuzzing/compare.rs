//! The target `compare`: one input is run on two collectors, and user code must see the same on both.

use super::mutation::read;
use super::scenarios::{Setting, SettingError};
use crate::event::{Event, EventBuffer, Observation};
use crate::model::collector::Collector;
use crate::model::machine::Machine;
use crate::scenario::{Scenario, text};

/// What is compared if `CORONER_COMPARE` names nothing: the newest two releases.
const NEWEST: (&str, &str) = ("cpython-3.14", "cpython-3.15");

/// A scenario on which two collectors differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The names of the two.
    pub collectors: [String; 2],
    /// The index of the first event that differs.
    pub at: usize,
    /// That event on each, if there is one.
    pub events: [Option<Event>; 2],
    /// The scenario as text.
    pub text: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [a, b] = &self.collectors;
        writeln!(f, "{a} and {b} differ at event {}:", self.at)?;
        for (name, event) in self.collectors.iter().zip(&self.events) {
            match event {
                Some(event) => writeln!(f, "    {name}: {event:?}")?,
                None => writeln!(f, "    {name}: no more events")?,
            }
        }
        writeln!(f, "see each with: coroner explain CRASH-FILE --collector {a}")?;
        writeln!(f, "               coroner explain CRASH-FILE --collector {b}")?;
        write!(f, "the scenario:\n{}", self.text)
    }
}

/// Runs inputs on two collectors and keeps its memory between them.
#[derive(Debug)]
pub struct Compare {
    machines: [Machine; 2],
    names: [String; 2],
    /// What happens on each, not where the collector keeps it.
    events: [Vec<Event>; 2],
    scenario: Scenario,
}

impl Compare {
    /// Compares the collectors that a setting names.
    ///
    /// # Errors
    /// If a name means nothing, or both mean the same collector.
    pub fn new(setting: &Setting) -> Result<Compare, SettingError> {
        let (a, b) = match &setting.compare {
            Some((a, b)) => (a.as_str(), b.as_str()),
            None => NEWEST,
        };
        let wrong = |message: String| SettingError::new("CORONER_COMPARE", message);
        let parse = |name: &str| Collector::parse(name).map_err(|error| wrong(error.to_string()));
        let (a, b) = (parse(a)?, parse(b)?);
        if a.rules == b.rules {
            return Err(wrong(format!("{} and {} are the same collector", a.name, b.name)));
        }
        Ok(Compare {
            machines: [Machine::new(&a), Machine::new(&b)],
            names: [a.name, b.name],
            events: [Vec::new(), Vec::new()],
            scenario: Scenario::new(),
        })
    }

    /// Runs one input on both; whether it had an effect, or how they differ. Behaviour that is undefined on one of
    /// them is no difference.
    ///
    /// # Errors
    /// The first difference.
    pub fn run(&mut self, data: &[u8]) -> Result<bool, Box<Difference>> {
        read(data, &mut self.scenario);
        for (machine, events) in self.machines.iter_mut().zip(&mut self.events) {
            machine.run(&self.scenario, &mut EventBuffer::new(events).observe(Observation::Nothing));
            // Return values and counts of collections differ between releases by design.
            events.retain(|event| !matches!(event, Event::CollectStart { .. } | Event::CollectEnd { .. }));
        }
        let [a, b] = &self.events;
        let at = a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()));
        let is_end = |e: Option<&Event>| matches!(e, Some(Event::Undefined { .. }));
        if at == a.len() && at == b.len() || is_end(a.get(at)) || is_end(b.get(at)) {
            return Ok(a.iter().any(|event| matches!(event, Event::New { .. })));
        }
        Err(Box::new(Difference {
            collectors: self.names.clone(),
            at,
            events: [a.get(at).copied(), b.get(at).copied()],
            text: text::print(&self.scenario),
        }))
    }
}
