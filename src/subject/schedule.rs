//! Automatic collections: whose schedule they have.

use super::Failure;
use crate::event::Event;
use crate::scenario::{Op, Scenario};

/// A place in a run at which a subject with a schedule of its own could start a collection, and at which its counts asked for
/// one. What the subject counts nobody else can know, and so another one that is to do the same has to be told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Moment {
    /// How many events the run had had.
    pub at: u64,
    /// What `gc.get_count()` would have said: allocations less deallocations since the last collection, collections of the
    /// young generation, collections of the middle one. The allocation that is being made does not count yet.
    pub counts: [u32; 3],
}

impl Moment {
    /// The moments at which a run has started automatic collections, with counts that ask for just those: for who wants to know
    /// what another subject would have done there, not whether they were right.
    pub fn shown_by(events: &[Event]) -> Vec<Moment> {
        const ENOUGH: u32 = u32::MAX / 2;
        let moment = |(at, event): (usize, &Event)| match *event {
            Event::CollectStart { generation, automatic: true } => {
                Some(Moment { at: at as u64, counts: [0, 1, 2].map(|g| if g <= generation { ENOUGH } else { 0 }) })
            }
            _ => None,
        };
        events.iter().enumerate().filter_map(moment).collect()
    }
}

/// Takes the runs of a batch, as [`EachRun`](super::EachRun) does, with the moments of each.
pub type EachScheduledRun<'e> = dyn FnMut(usize, &[Event], &[Moment], Option<&Failure>) + 'e;

/// True if automatic collections may start in the course of a scenario, other than those that it places itself.
pub fn is_scheduled(scenario: &Scenario) -> bool {
    scenario.ops().iter().any(|op| matches!(op, Op::Enable))
}
