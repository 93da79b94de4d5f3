//! How a run ends, and which ends are findings by themselves.

use super::{Death, Failure};
use crate::event::{Event, Undefined};

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// With its last event.
    Complete,
    /// In undefined behaviour: nothing after it is judged. If the process died of it, how.
    Undefined(Undefined, Option<Death>),
    /// The process died after the last event, while leftovers were dropped.
    Teardown,
    /// The subject cannot run the scenario, for this reason.
    Unsupported(String),
    /// The subject reached this limit of time or memory.
    Limit(String),
    /// The process died where the outcome is defined.
    Crashed(Death),
}

/// An end that is a finding by itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fatal {
    /// The interpreter died.
    Crash,
    /// The interpreter reached a limit.
    Limit,
}

impl Fatal {
    /// The word in names and reports.
    pub const fn word(self) -> &'static str {
        match self {
            Fatal::Crash => "crash",
            Fatal::Limit => "limit",
        }
    }
}

impl End {
    /// How a run with these events ended that broke off in this way, if it did.
    pub fn of(events: &[Event], failure: Option<&Failure>) -> End {
        let complete = || events.iter().rev().find(|e| !e.is_part_of_snapshot()) == Some(&Event::End);
        match failure {
            None => End::Complete,
            Some(Failure::Unsupported { what, .. }) => End::Unsupported(what.clone()),
            Some(Failure::Died { .. }) if complete() => End::Teardown,
            Some(Failure::Died { how, .. }) => End::Crashed(Death::new(how, events)),
            Some(Failure::Limit { limit, .. }) => End::Limit(limit.clone()),
        }
    }

    /// What kind of finding it is, if it is one.
    pub const fn fatal(&self) -> Option<Fatal> {
        match self {
            End::Crashed(_) => Some(Fatal::Crash),
            End::Limit(_) => Some(Fatal::Limit),
            _ => None,
        }
    }

    /// How the process died, unless it did so after the last event of a run that was defined to its end.
    pub const fn death(&self) -> Option<&Death> {
        match self {
            End::Crashed(death) | End::Undefined(_, Some(death)) => Some(death),
            _ => None,
        }
    }

    /// The events of a run that ended so, as far as they can be judged: a snapshot that was cut off says nothing about the
    /// objects that it lacks.
    pub fn judged<'e>(&self, events: &'e [Event]) -> &'e [Event] {
        match self.fatal() {
            None => events,
            Some(_) => &events[..events.iter().rposition(|e| !e.is_part_of_snapshot()).map_or(0, |last| last + 1)],
        }
    }
}
