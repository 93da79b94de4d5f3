//! Subjects that are run together, because that is cheaper: the rows of a model, or many scenarios in one process.

use super::{Declaration, End, Subject};
use crate::event::Event;
use crate::scenario::Scenario;
use crate::supervise::Limits;

/// A subject cannot be set up: one line that says what to install or to do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct SetupError(pub String);

/// Which run of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct At {
    /// Index of the scenario in the batch.
    pub scenario: usize,
    /// Index of the subject in the group.
    pub subject: usize,
}

/// Takes the runs of a group.
pub trait Receiver {
    /// Events of a run, in order and in slices: of a run that has at most [`MOST_KEPT`](crate::event::MOST_KEPT) all in one.
    fn events(&mut self, at: At, events: &[Event]);

    /// The run is over. If it is the same as that of an earlier subject of the group, `same_as` says of which, and there
    /// were no events.
    fn ended(&mut self, at: At, end: End, same_as: Option<usize>);
}

/// Subjects that run the same scenarios.
pub trait Group {
    /// Runs scenarios on every subject, in any order of scenarios; the subjects of one scenario follow in their order. What
    /// does not end well in a batch of several is run again by itself in a fresh process, and that run counts.
    fn run(&mut self, batch: &[&Scenario], to: &mut dyn Receiver);

    /// One of the subjects, to be run by itself; nothing if it cannot be set up.
    fn one(&mut self, subject: usize) -> Option<&mut dyn Subject>;

    /// True if a subject does the same as another one has done since the last [`Group::run`] began, runs by way of
    /// [`Group::one`] included. False if that is not known.
    fn is_alike(&self, _subject: usize, _other: usize) -> bool {
        false
    }
}

/// The models that subjects are, or imitate, with switches changed: what a subject does by its row, and what the row would do
/// if a bug were not in it.
pub trait Variants {
    /// The row of a subject with these switches changed (`+name`, `-name`, as in the name of a collector; none for the row
    /// itself); nothing if the subject has no row, or a switch does not exist.
    fn variant(&mut self, subject: usize, switches: &str) -> Option<&mut dyn Subject>;
}

/// Subjects without rows have no variants.
struct NoVariants;

impl Variants for NoVariants {
    fn variant(&mut self, _subject: usize, _switches: &str) -> Option<&mut dyn Subject> {
        None
    }
}

/// Who runs scenarios: something to make groups of, as many as there are workers.
pub trait Spec: Send + Sync + std::fmt::Debug {
    /// What the subjects are, in order.
    fn declarations(&self) -> &[Declaration];

    /// All subjects, to be run together. What cannot be set up says so when it is run.
    fn group(&self) -> Box<dyn Group>;

    /// One of the subjects alone.
    fn alone(&self, subject: usize) -> Box<dyn Spec>;

    /// One of the subjects, with these bounds if it has a process.
    ///
    /// # Errors
    /// [`SetupError`] if it cannot be set up.
    fn subject(&self, subject: usize, limits: Limits) -> Result<Box<dyn Subject>, SetupError>;

    /// The rows of the subjects, to be run with switches changed.
    fn variants(&self) -> Box<dyn Variants> {
        Box::new(NoVariants)
    }

    /// The bounds of the subjects' processes; nothing if they run in this one. Those with processes of their own are given
    /// many scenarios at a time, and what they show counts if a fresh process shows it too.
    fn limits(&self) -> Option<Limits> {
        None
    }
}

/// Finds subjects by name.
pub trait Catalogue: Sync {
    /// The names of all that are run where nobody is named, in order.
    fn all(&self) -> Vec<String>;

    /// The subject with a name.
    ///
    /// # Errors
    /// The part of the name that means nothing, and the nearest name that would.
    fn find(&self, name: &str) -> Result<Box<dyn Spec>, UnknownSubject>;

    /// True if subjects with these names do the same, whatever may be expected of them.
    fn is_same(&self, name: &str, other: &str) -> bool;
}

/// A name that no subject has.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct UnknownSubject(pub String);
