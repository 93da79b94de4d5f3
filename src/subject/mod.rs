//! What runs scenarios: the one trait that a model, a real interpreter or a foreign collector implements.

mod death;
mod declaration;
mod end;
mod expectation;
mod group;
mod not_observed;
mod observed;
mod promise;
mod release;
mod schedule;
mod undefined_behaviour;

use crate::event::{Event, EventBuffer};
use crate::scenario::Scenario;
use crate::supervise::Limits;

pub use death::Death;
pub use declaration::{Declaration, Needs};
pub use end::{End, Fatal};
pub use expectation::{Choice, Expectation, Expectations, Questions, Source, Values};
pub use group::{At, Catalogue, Group, Receiver, SetupError, Spec, UnknownSubject, Variants};
pub use not_observed::NotObserved;
pub use promise::{Permission, Promise, Text};
pub use release::{Release, Releases, Span};
pub use schedule::{EachScheduledRun, Moment, is_scheduled};
pub use undefined_behaviour::{Foreseen, Start};

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

/// Takes the runs of a batch: the position of each, its events up to the failure if there was one, and why it did not come
/// to its end.
pub type EachRun<'e> = dyn FnMut(usize, &[Event], Option<&Failure>) + 'e;

/// Something that runs scenarios and reports what can be observed.
///
/// A subject never judges. It emits the events of [`crate::event`] in the order given there, and the same events for
/// the same scenario every time. Two rules make its stream comparable with others: objects are numbered in order of
/// creation, and an operation without effect emits [`Event::NoEffect`].
pub trait Subject {
    /// What the subject is.
    fn declaration(&self) -> &Declaration;

    /// Runs the scenario from a fresh heap to its end, or until the buffer is full.
    ///
    /// # Errors
    /// [`Failure`] if the run broke off for a reason that is no event; the events so far have been emitted.
    fn run(&mut self, scenario: &Scenario, out: &mut EventBuffer<'_>) -> Result<(), Failure>;

    /// Runs scenarios, together where that is cheaper, in order.
    ///
    /// # Errors
    /// [`SetupError`] if a new process was needed and could not be started; earlier runs have been handed out.
    fn run_batch(&mut self, batch: &[&Scenario], each: &mut EachRun<'_>) -> Result<(), SetupError> {
        let mut events = Vec::new();
        for (index, scenario) in batch.iter().enumerate() {
            let failure = self.run(scenario, &mut EventBuffer::new(&mut events)).err();
            each(index, &events, failure.as_ref());
        }
        Ok(())
    }

    /// Says which runs will be asked for. A subject with a process makes them now, in one round trip, and answers with them:
    /// each once, until the process is replaced or a batch is run.
    fn prepare(&mut self, _batch: &[&Scenario]) {}

    /// True if the subject starts automatic collections by counts of its own, which it tells ([`Moment`]).
    fn has_own_schedule(&self) -> bool {
        false
    }

    /// As [`Subject::run_batch`], with the moments of the subject's own schedule; it has none if it does not say so.
    ///
    /// # Errors
    /// As [`Subject::run_batch`].
    fn run_scheduled(&mut self, batch: &[&Scenario], each: &mut EachScheduledRun<'_>) -> Result<(), SetupError> {
        self.run_batch(batch, &mut |index, events, failure| each(index, events, &[], failure))
    }

    /// As [`Subject::run`], but with the schedule of another subject: where that told of a [`Moment`], a collection starts if
    /// it had to start one there, and nowhere else. A subject that cannot be told does what it does by itself.
    ///
    /// # Errors
    /// As [`Subject::run`].
    fn follow(&mut self, scenario: &Scenario, _moments: &[Moment], out: &mut EventBuffer<'_>) -> Result<(), Failure> {
        self.run(scenario, out)
    }

    /// The id of the subject's process, while it has one.
    fn process_id(&self) -> Option<u32> {
        None
    }

    /// The next scenario runs in a fresh process, if the subject has one.
    fn restart(&mut self) {}

    /// The bounds of the subject's process; the default ones if it has none.
    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// Sets the bounds of the process, if there is one: the next scenario runs in a fresh one that has them.
    fn set_limits(&mut self, _limits: Limits) {}

    /// Runs the scenario so often in one process, the one that it has, each time from a fresh heap, and tells what the
    /// process holds after each run, when nothing of the scenario is left. `None` if it cannot tell, which is what a subject
    /// says that does not implement this.
    ///
    /// # Errors
    /// [`Failure`] if a run broke off.
    fn memory(&mut self, _scenario: &Scenario, _runs: usize) -> Result<Option<Vec<Memory>>, Failure> {
        Ok(None)
    }
}
