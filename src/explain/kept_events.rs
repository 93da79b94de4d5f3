//! What is kept of a run to be explained: what is told of it, and what explanations of objects need. A run of a graph of
//! a million objects has hundreds of millions of events, nearly all of them lines of snapshots.

use super::callback_outcomes;
use super::heap_pictures::MAX_OBJECTS;
use crate::event::{Code, Event, ObjId, Role, Spot};
use crate::scenario::Scenario;

/// Most events that are told of one step.
const TOLD_OF_STEP: usize = 500;
/// The same once [`TOLD`] events have been told.
const TOLD_LATE: usize = 10;
/// How many events are told before the rest is told in brief: what nobody would read to the end.
const TOLD: usize = 20_000;
/// Most events that are kept, whatever they are.
pub(super) const MOST_LINES: usize = 1 << 20;

/// An event that is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// Its number among all events of the run, from 0.
    pub at: usize,
    /// What happened.
    pub event: Event,
    /// It is part of the story: not too far from the beginning of its step.
    pub is_told: bool,
}

/// The events of a run, as far as they are kept.
#[derive(Debug)]
pub struct KeptEvents<'s> {
    scenario: &'s Scenario,
    lines: Vec<Line>,
    /// Steps in which events were left out: the number of the event after the last, and how many were left out.
    left_out: Vec<(usize, usize)>,
    total: usize,
    story: Story,
    /// Objects whose fate is explained.
    watched: Bits,
    /// Those of them with a finalizer whose finalized bit has not been seen.
    unmarked: Bits,
    weakrefs: usize,
    finalizers: usize,
    /// Events that should have been kept when there was no room.
    lost: usize,
}

/// Counts what is told.
#[derive(Debug, Default)]
struct Story {
    all: usize,
    of_step: usize,
    left_out: usize,
}

impl Story {
    /// Whether the next event is told.
    fn next(&mut self) -> bool {
        let most = if self.all < TOLD { TOLD_OF_STEP } else { TOLD_LATE };
        let is_told = self.of_step < most;
        self.of_step += usize::from(is_told);
        self.all += usize::from(is_told);
        self.left_out += usize::from(!is_told);
        is_told
    }

    /// How many events of the step that ends were left out.
    fn end_step(&mut self) -> usize {
        self.of_step = 0;
        std::mem::take(&mut self.left_out)
    }
}

/// A set of objects.
#[derive(Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn has(&self, object: ObjId) -> bool {
        self.0.get(object.index() / 64).is_some_and(|word| word >> (object.index() % 64) & 1 != 0)
    }

    fn set(&mut self, object: ObjId) {
        let word = object.index() / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (object.index() % 64);
    }

    fn unset(&mut self, object: ObjId) {
        if let Some(word) = self.0.get_mut(object.index() / 64) {
            *word &= !(1 << (object.index() % 64));
        }
    }
}

impl<'s> KeptEvents<'s> {
    /// A log of a run that has not begun.
    pub fn new(scenario: &'s Scenario) -> KeptEvents<'s> {
        KeptEvents {
            scenario,
            lines: Vec::new(),
            left_out: Vec::new(),
            total: 0,
            story: Story::default(),
            watched: Bits::default(),
            unmarked: Bits::default(),
            weakrefs: 0,
            finalizers: 0,
            lost: 0,
        }
    }

    /// The events that were kept.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The kept events from a number on.
    pub fn from(&self, at: usize) -> &[Line] {
        &self.lines[self.lines.partition_point(|line| line.at < at)..]
    }

    /// The kept events before a number.
    pub fn before(&self, at: usize) -> &[Line] {
        &self.lines[..self.lines.partition_point(|line| line.at < at)]
    }

    /// Where events of steps were left out, and how many.
    pub(crate) fn left_out(&self) -> &[(usize, usize)] {
        &self.left_out
    }

    /// How many events there were.
    pub fn total(&self) -> usize {
        self.total
    }

    /// How many events were dropped that should have been kept.
    pub fn lost(&self) -> usize {
        self.lost
    }

    /// Takes the next events.
    pub fn take(&mut self, events: &[Event]) {
        events.iter().for_each(|event| self.event(*event));
    }

    /// No event follows.
    pub(super) fn finish(&mut self) {
        self.end_step();
    }

    fn end_step(&mut self) {
        let left_out = self.story.end_step();
        if left_out > 0 {
            self.left_out.push((self.total, left_out));
        }
    }

    fn is_watched(&self, object: ObjId) -> bool {
        object.index() < MAX_OBJECTS as usize || self.watched.has(object)
    }

    /// Whether an event is kept although it is not told.
    fn is_needed(&mut self, event: &Event) -> bool {
        match *event {
            Event::Step { .. } | Event::Enter { .. } | Event::Leave => true,
            Event::CollectStart { .. } | Event::CollectEnd { .. } | Event::Undefined { .. } | Event::End => true,
            Event::Clear { object } | Event::Dealloc { object } | Event::Free { object } => self.is_watched(object),
            Event::New { object, origin, role: Role::Named } => {
                let kind = self.scenario.ops().get(origin as usize).and_then(|op| op.kind());
                let is_first =
                    kind.is_some_and(|k| k.finalizer.is_some()) && self.finalizers < callback_outcomes::MOST_TOLD;
                if is_first {
                    self.finalizers += 1;
                    self.watched.set(object);
                    self.unmarked.set(object);
                }
                is_first
            }
            Event::NewWeak { weak, referent, .. } => {
                let is_first = self.weakrefs < callback_outcomes::MOST_TOLD;
                if is_first {
                    self.weakrefs += 1;
                    self.watched.set(weak);
                    self.watched.set(referent);
                }
                is_first
            }
            Event::State { object, finalized: true, spot, .. } => {
                let is_news = spot != Spot::NoHeader && self.unmarked.has(object);
                if is_news {
                    self.unmarked.unset(object);
                }
                is_news
            }
            _ => false,
        }
    }

    fn event(&mut self, event: Event) {
        if let Event::Step { .. } = event {
            self.end_step();
        }
        let is_told = is_told(&event) && self.story.next();
        if self.is_needed(&event) || is_told {
            if self.lines.len() < MOST_LINES {
                self.lines.push(Line { at: self.total, event, is_told });
            } else {
                self.lost += 1;
            }
        }
        self.total += 1;
    }
}

/// Whether there are words for an event: not for steps, which are headings, and for what snapshots are made of.
fn is_told(event: &Event) -> bool {
    !matches!(
        event,
        Event::Step { .. } | Event::Snapshot | Event::State { .. } | Event::Weak { .. } | Event::Garbage { .. }
    )
}

/// True if the event is the start of this object's finalizer.
pub(super) fn is_finalizer_of(event: &Event, object: ObjId) -> bool {
    matches!(*event, Event::Enter { code: Code::Finalizer | Code::LegacyFinalizer, owner, .. } if owner == object)
}
