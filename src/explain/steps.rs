//! The heap after each step of the model: what pictures of a run are made of.

use std::ops::Range;

use super::heap_pictures::{HeapPicture, MAX_OBJECTS, shot};
use super::{Run, moments_of};
use crate::event::{Event, EventBuffer, MOST_KEPT};
use crate::model::machine::{Machine, Observer, PhasePoint, View};
use crate::subject::Moment;

/// How many objects all pictures of a run show together at most: what bounds their memory.
const MOST_SEEN: usize = 400_000;

/// The heap at one moment of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepPicture {
    /// The phase of a collection, if it was taken at one.
    pub phase: Option<PhasePoint>,
    /// The heap.
    pub heap: HeapPicture,
}

/// A run, event by event, with the heap where it is known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Steps {
    /// The events, as far as they are kept.
    pub events: Vec<Event>,
    /// How many there were.
    pub total: u64,
    /// The heap after each step of the model and at each phase, in the order of events.
    pub pictures: Vec<StepPicture>,
    /// How many pictures are missing: the heap was too large, or there were too many.
    pub missed: usize,
    /// The largest number of objects that a heap had of which no picture was taken.
    pub too_large: Option<u32>,
}

impl Steps {
    /// What is missing, in words.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(objects) = self.too_large {
            notes.push(format!(
                "a heap of {objects} objects is not looked into ({MAX_OBJECTS} are the most): the drawing is read off the events"
            ));
        } else if self.missed > 0 {
            notes.push(format!("{} steps are too many to be looked into: they are read off the events", self.missed));
        }
        if self.total > self.events.len() as u64 {
            notes.push(format!("only the first {} of {} events are drawn", self.events.len(), self.total));
        }
        notes
    }
}

/// The steps of a run. `real` are the events of an interpreter, whose heap is known as far as its row did the same; nothing
/// for a run of the model. `window` chooses the events of which pictures are taken.
pub fn steps(run: &Run<'_>, real: Option<&[Event]>, window: impl FnOnce(&[Event]) -> Range<usize>) -> Steps {
    let scenario = &run.document.scenario;
    let mut steps = Steps::default();
    let told: Option<Vec<Moment>> = match real {
        Some(events) => {
            steps.events = events.to_vec();
            steps.total = run.log.total() as u64;
            moments_of(scenario, events)
        }
        None => {
            let mut out = EventBuffer::new(&mut steps.events).keep(MOST_KEPT);
            Machine::new(&run.collector).run(scenario, &mut out);
            steps.total = out.finish();
            None
        }
    };
    let mut window = window(&steps.events);
    window.end = window.end.min(run.decided());
    let mut taker = StepTaker { window, ..StepTaker::default() };
    let mut rest = Vec::new();
    let mut out = EventBuffer::new(&mut rest).keep(0);
    Machine::new(&run.collector).run_observed(scenario, told.as_deref(), &mut out, &mut taker);
    Steps { pictures: taker.pictures, missed: taker.missed, too_large: taker.too_large, ..steps }
}

/// Takes a picture after each step.
#[derive(Default)]
struct StepTaker {
    window: Range<usize>,
    pictures: Vec<StepPicture>,
    seen: usize,
    missed: usize,
    too_large: Option<u32>,
    last: Option<PhasePoint>,
}

impl StepTaker {
    fn take(&mut self, phase: Option<PhasePoint>, view: &View<'_>) {
        let at = view.events as usize;
        if at < self.window.start || at >= self.window.end {
            return;
        }
        let created = view.heap.created();
        if created > MAX_OBJECTS {
            self.too_large = self.too_large.max(Some(created));
        }
        if created > MAX_OBJECTS || self.seen > MOST_SEEN {
            self.missed += 1;
            return;
        }
        let heap = shot(phase.or(self.last).unwrap_or(PhasePoint::Start), view);
        self.seen += heap.objects.len().max(1);
        self.pictures.push(StepPicture { phase, heap });
    }
}

impl Observer for StepTaker {
    fn at_phase(&mut self, moment: PhasePoint, view: &View<'_>) {
        self.last = Some(moment);
        self.take(Some(moment), view);
    }

    fn at_step(&mut self, view: &View<'_>) {
        self.take(None, view);
    }
}
