//! The one sink of subjects: it keeps the events of a run, passes them on in slices, or both, in bounded memory.

use super::{Event, Observation};

/// How many events of a run are kept for those who look at a run as a whole, 4 MiB of them: a scenario that people read
/// has some hundred, but each snapshot of a graph of a million objects has a million.
pub const MOST_KEPT: usize = 1 << 18;
/// How many events are passed on at a time once no more are kept.
const SLICE: usize = 1 << 12;
/// The least that memory grows by, in events.
const LEAST_GROWTH: usize = 64;

/// A function that is called with each slice.
type OfSlices<'r> = dyn FnMut(&[Event]) + 'r;

/// Takes the events of one run.
///
/// It keeps them, all or the first so many, and passes them on to a receiver, if there is one. The memory is the
/// caller's, who gets it back with what is kept when the buffer is finished or dropped, and may use it for the next run:
/// once it is large enough, a run of which all is kept allocates nothing.
///
/// ```
/// use coroner::event::{Event, EventBuffer};
///
/// let (mut memory, mut steps) = (Vec::new(), 0);
/// let mut receiver = |events: &[Event]| steps += events.len();
/// let mut out = EventBuffer::new(&mut memory).keep(2).pass_to(&mut receiver);
/// (0..10).for_each(|op| out.event(Event::Step { op }));
/// assert_eq!(out.finish(), 10);
/// assert_eq!((steps, memory.len()), (10, 2));
/// ```
pub struct EventBuffer<'r> {
    /// What is kept; once no more is, the slice that is passed on next.
    events: Vec<Event>,
    /// The number of `events` with which the subject may end the run.
    full: usize,
    /// How many of `events` have been passed on, or were there before the run.
    from: usize,
    /// How many events of the run have been passed on.
    passed: u64,
    /// The length up to which events are kept.
    most: usize,
    /// What is kept, while `events` is not.
    kept: Option<Vec<Event>>,
    observation: Observation,
    receiver: Option<&'r mut OfSlices<'r>>,
    /// Whose the memory is.
    home: &'r mut Vec<Event>,
}

impl<'r> EventBuffer<'r> {
    /// Keeps every event in this memory; what was in it is gone.
    pub fn new(memory: &'r mut Vec<Event>) -> EventBuffer<'r> {
        memory.clear();
        EventBuffer::append(memory)
    }

    /// Keeps every event after those that are in this memory, which are not part of the run.
    pub fn append(memory: &'r mut Vec<Event>) -> EventBuffer<'r> {
        let events = std::mem::take(memory);
        EventBuffer {
            full: usize::MAX,
            from: events.len(),
            passed: 0,
            most: usize::MAX,
            kept: None,
            observation: Observation::Full,
            receiver: None,
            home: memory,
            events,
        }
    }

    /// Keeps the first so many events of the run only.
    pub fn keep(mut self, most: usize) -> EventBuffer<'r> {
        self.most = self.from.saturating_add(most);
        self
    }

    /// Is full with so many events: the subject may end the run there. Until it does, events are taken as before.
    pub fn end_at(mut self, events: usize) -> EventBuffer<'r> {
        self.full = self.from.saturating_add(events);
        self
    }

    /// Says what the subject shall show of its state; all of it if nothing is said.
    pub fn observe(mut self, observation: Observation) -> EventBuffer<'r> {
        self.observation = observation;
        self
    }

    /// Passes all events of the run on, kept ones too, once and in order, in slices of any length: a run all of which is
    /// kept in one.
    pub fn pass_to(mut self, receiver: &'r mut OfSlices<'r>) -> EventBuffer<'r> {
        self.receiver = Some(receiver);
        self
    }

    /// Is full with so many events more than it has.
    pub(crate) fn end_after(&mut self, events: usize) {
        self.full = self.events.len().saturating_add(events);
    }

    /// Takes one event.
    #[inline(always)]
    pub fn event(&mut self, event: Event) {
        if self.events.len() == self.events.capacity() {
            self.make_room();
        }
        self.events.push(event);
    }

    /// What the subject shall show of its state. It does not change during a run.
    pub fn observation(&self) -> Observation {
        self.observation
    }

    /// True if the subject may end the run where it is: nobody looks at what follows.
    #[inline(always)]
    pub fn is_full(&self) -> bool {
        self.events.len() >= self.full
    }

    /// How many events the run has had so far.
    pub fn count(&self) -> u64 {
        self.passed + (self.events.len() - self.from) as u64
    }

    /// Passes on what has not been, gives the memory back and says how many events the run had.
    pub fn finish(mut self) -> u64 {
        self.pass_on();
        self.passed
    }

    /// Room for one more event, where memory has no place left.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self) {
        let len = self.events.len();
        if self.kept.is_none() && len < self.most {
            self.events.reserve_exact(len.max(LEAST_GROWTH).min(self.most - len));
            return;
        }
        self.pass_on();
        self.full = self.full.saturating_sub(len);
        self.from = 0;
        if self.kept.is_none() && self.most > 0 {
            self.kept = Some(std::mem::replace(&mut self.events, Vec::with_capacity(SLICE)));
        } else {
            self.events.clear();
            self.events.reserve_exact(SLICE);
        }
    }

    fn pass_on(&mut self) {
        let events = &self.events[self.from..];
        self.from += events.len();
        self.passed += events.len() as u64;
        // If it panics it is not called again.
        if let Some(receiver) = self.receiver.take_if(|_| !events.is_empty()) {
            receiver(events);
            self.receiver = Some(receiver);
        }
    }
}

/// Passes on what has not been, and gives the memory back.
impl Drop for EventBuffer<'_> {
    fn drop(&mut self) {
        // Where the subject panicked nobody is told of half a run.
        if !std::thread::panicking() {
            self.pass_on();
        }
        *self.home = self.kept.take().unwrap_or_else(|| std::mem::take(&mut self.events));
        self.home.truncate(self.most);
    }
}

impl std::fmt::Debug for EventBuffer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventBuffer").field("count", &self.count()).finish_non_exhaustive()
    }
}

/// All events of one run: `record(|out| machine.run(&scenario, out))`.
pub fn record(run: impl FnOnce(&mut EventBuffer<'_>)) -> Vec<Event> {
    let mut events = Vec::new();
    run(&mut EventBuffer::new(&mut events));
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(out: &mut EventBuffer<'_>, count: usize) {
        (0..count as u32).for_each(|op| out.event(Event::Step { op }));
    }

    #[test]
    fn an_event_is_sixteen_bytes() {
        assert!(size_of::<Event>() <= 16);
    }

    #[test]
    fn every_event_is_passed_on_once_and_in_order() {
        for most in [0, 1, 100, MOST_KEPT, usize::MAX] {
            for count in [0, 1, 100, 101, MOST_KEPT, MOST_KEPT + 1, MOST_KEPT + SLICE, MOST_KEPT + 2 * SLICE + 7] {
                let (mut memory, mut next, mut slices) = (Vec::new(), 0, 0);
                let mut receiver = |events: &[Event]| {
                    slices += 1;
                    for event in events {
                        assert_eq!(*event, Event::Step { op: next });
                        next += 1;
                    }
                };
                let mut out = EventBuffer::new(&mut memory).keep(most).pass_to(&mut receiver);
                steps(&mut out, count);
                assert_eq!(out.count(), count as u64);
                assert_eq!(out.finish(), count as u64);
                assert_eq!((next as usize, memory.len()), (count, count.min(most)), "{most} of {count} kept");
                assert!(count > most || slices == usize::from(count > 0), "{slices} slices, {most} of {count} kept");
            }
        }
    }

    #[test]
    fn memory_that_is_larger_than_what_is_kept_is_not_given_up() {
        for count in [3, 10, 999, 1_000, 1_001, 9_999] {
            let (mut memory, mut taken) = (Vec::with_capacity(1_000), 0);
            for most in [10, 0] {
                let mut receiver = |events: &[Event]| taken += events.len();
                steps(&mut EventBuffer::new(&mut memory).keep(most).pass_to(&mut receiver), count);
                assert!(memory.len() == count.min(most) && memory.capacity() >= 1_000);
            }
            assert_eq!(taken, 2 * count);
        }
    }

    #[test]
    fn what_memory_has_is_no_part_of_a_run_that_is_appended() {
        let (mut memory, mut taken) = (vec![Event::End; 3], Vec::new());
        let mut receiver = |events: &[Event]| taken.extend_from_slice(events);
        let mut out = EventBuffer::append(&mut memory).keep(2).end_at(4).pass_to(&mut receiver);
        for op in 0..5 {
            assert_eq!((out.count(), out.is_full()), (u64::from(op), op >= 4));
            out.event(Event::Step { op });
        }
        drop(out);
        assert_eq!(memory, [Event::End, Event::End, Event::End, Event::Step { op: 0 }, Event::Step { op: 1 }]);
        assert_eq!(taken, record(|out| steps(out, 5)));
        steps(&mut EventBuffer::new(&mut memory), 1);
        assert_eq!(memory, [Event::Step { op: 0 }]);
    }

    #[test]
    fn a_buffer_is_full_wherever_its_events_are() {
        for most in [0, 10, SLICE, usize::MAX] {
            for end in [0, 9, 11, SLICE, 2 * SLICE + 5] {
                let mut memory = Vec::new();
                let mut out = EventBuffer::new(&mut memory).keep(most).end_at(end);
                for op in 0..3 * SLICE {
                    assert_eq!(out.is_full(), op >= end, "{op} of {end}, {most} kept");
                    out.event(Event::Step { op: op as u32 });
                }
            }
        }
    }

    #[test]
    fn the_first_events_are_kept_and_the_run_ends_there() {
        use crate::{model::collector::Collector, model::machine::Machine, scenario::text::parse};
        let scenario = parse("coroner 1\na = chain(500, Node())\ncollect(2)\n").unwrap().scenario;
        let mut machine = Machine::new(&Collector::parse("cpython-3.15").unwrap());
        let all = record(|out| machine.run(&scenario, out));
        for room in [0, 100, all.len(), 1_000_000] {
            let mut kept = vec![Event::End];
            let mut out = EventBuffer::append(&mut kept).keep(room).end_at(room);
            machine.run(&scenario, &mut out);
            assert_eq!(out.is_full(), room <= all.len());
            assert!(out.finish() <= all.len() as u64);
            assert!(kept[1..] == all[..room.min(all.len())], "{room}: {} are kept", kept.len());
        }
    }
}
