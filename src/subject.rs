//! What runs scenarios: the one trait that a model, a real interpreter or a foreign collector implements.

use crate::event::EventBuffer;
use crate::scenario::Scenario;

/// Why a subject could not run a scenario to its end.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// The subject's process died.
    #[error("{subject} died: {how}")]
    Died {
        /// Which subject.
        subject: String,
        /// Signal or exit code, in words.
        how: String,
    },
    /// The subject did not finish within its limit of steps or time.
    #[error("{subject} did not finish within its limit ({limit})")]
    Limit {
        /// Which subject.
        subject: String,
        /// The limit, in words.
        limit: String,
    },
    /// The subject cannot express something that the scenario contains.
    #[error("{subject} cannot run this scenario: {what}")]
    Unsupported {
        /// Which subject.
        subject: String,
        /// What it lacks.
        what: String,
    },
}

/// What a subject's process holds between two scenarios, as far as it can tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Memory {
    /// All strong references there are (`sys.gettotalrefcount` of a debug build).
    pub references: Option<i64>,
    /// Blocks of memory in use (`sys.getallocatedblocks`).
    pub blocks: Option<i64>,
}

/// Something that runs scenarios and reports what can be observed.
///
/// A subject never judges. It emits the events of [`crate::event`] in the order given there, and the same events for
/// the same scenario every time. Two rules make its stream comparable with others: objects are numbered in order of
/// creation, and an operation without effect emits [`Event::NoEffect`](crate::event::Event::NoEffect).
pub trait Subject {
    /// The name under which the subject appears in reports.
    fn name(&self) -> &str;

    /// Runs the scenario from a fresh heap to its end, or until the buffer is full.
    ///
    /// # Errors
    /// [`Failure`] if the run broke off for a reason that is no event; the events so far have been emitted.
    fn run(&mut self, scenario: &Scenario, out: &mut EventBuffer<'_>) -> Result<(), Failure>;

    /// Runs the scenario so often in one process, each time from a fresh heap, and tells what the process holds after
    /// each run, when nothing of the scenario is left. `None` if it cannot tell, which is what a subject says that
    /// does not implement this.
    ///
    /// # Errors
    /// [`Failure`] if a run broke off.
    fn memory(&mut self, _scenario: &Scenario, _runs: usize) -> Result<Option<Vec<Memory>>, Failure> {
        Ok(None)
    }
}

/// The CPython release that a subject is, or imitates: what a verdict may call documented depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Release {
    /// 2 or 3.
    pub major: u8,
    /// 7, or 4 to 15.
    pub minor: u8,
    /// Patch number.
    pub patch: u8,
}

impl Release {
    /// A release by its numbers.
    pub const fn new(major: u8, minor: u8, patch: u8) -> Release {
        Release { major, minor, patch }
    }
}

impl std::fmt::Display for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}
