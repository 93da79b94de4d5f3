//! Runs of any length in bounded memory.

use super::{Event, Sink};

/// How many events of a run are kept, 4 MiB of them: a scenario that people read has some hundred, but each snapshot of
/// a graph of a million objects has a million.
pub const MOST_KEPT: usize = 1 << 18;
/// How many events of the rest are handed on at a time.
const BATCH: usize = 1 << 12;

/// Keeps the first [`MOST_KEPT`] events of a run and hands all of them on, in order, in slices; those of a run that is
/// not longer in one.
#[derive(Debug)]
pub struct Tape<'t, F> {
    kept: &'t mut Vec<Event>,
    rest: Vec<Event>,
    /// How many events have been handed on.
    passed: u64,
    each: F,
}

impl<'t, F: FnMut(&[Event])> Tape<'t, F> {
    /// An empty tape; what `kept` had is gone.
    pub fn new(kept: &'t mut Vec<Event>, each: F) -> Tape<'t, F> {
        kept.clear();
        Tape { kept, rest: Vec::new(), passed: 0, each }
    }

    #[cold]
    fn rest(&mut self, event: Event) {
        if self.passed == 0 {
            (self.each)(self.kept);
            self.passed = self.kept.len() as u64;
        }
        self.rest.push(event);
        if self.rest.len() == BATCH {
            (self.each)(&self.rest);
            self.passed += BATCH as u64;
            self.rest.clear();
        }
    }

    /// Hands on what has not been, and says how many events there were.
    pub fn finish(mut self) -> u64 {
        let last = if self.passed == 0 { &*self.kept } else { &self.rest };
        (self.each)(last);
        self.passed + last.len() as u64
    }
}

impl<F: FnMut(&[Event])> Sink for Tape<'_, F> {
    #[inline]
    fn event(&mut self, event: Event) {
        if self.kept.len() < MOST_KEPT {
            self.kept.push(event);
        } else {
            self.rest(event);
        }
    }
}

/// Appends the first so many events of a run to a vector, and has the run end there.
#[derive(Debug)]
pub struct First<'v> {
    kept: &'v mut Vec<Event>,
    /// The length at which the vector is full.
    most: usize,
}

impl<'v> First<'v> {
    /// Room for so many events more.
    pub fn new(kept: &'v mut Vec<Event>, room: usize) -> First<'v> {
        let most = kept.len().saturating_add(room);
        First { kept, most }
    }
}

impl Sink for First<'_> {
    #[inline]
    fn event(&mut self, event: Event) {
        if self.kept.len() < self.most {
            self.kept.push(event);
        }
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.kept.len() >= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_events_are_kept_and_the_run_ends_there() {
        use crate::{model::collector::Collector, model::machine::Machine, scenario::text::parse};
        let scenario = parse("coroner 1\na = chain(500, Node())\ncollect(2)\n").unwrap().scenario;
        let mut machine = Machine::new(&Collector::parse("cpython-3.15").unwrap());
        let mut all = Vec::new();
        machine.run(&scenario, &mut all);
        for room in [0, 100, all.len(), 1_000_000] {
            let mut kept = vec![Event::End];
            let mut first = First::new(&mut kept, room);
            machine.run(&scenario, &mut first);
            assert_eq!(first.is_full(), room <= all.len());
            assert!(kept[1..] == all[..room.min(all.len())], "{room}: {} are kept", kept.len());
        }
    }

    #[test]
    fn every_event_is_handed_on_once_and_in_order() {
        for count in [0, 1, MOST_KEPT, MOST_KEPT + 1, MOST_KEPT + BATCH, MOST_KEPT + 2 * BATCH + 7] {
            let (mut kept, mut next) = (Vec::new(), 0);
            let mut tape = Tape::new(&mut kept, |events: &[Event]| {
                for event in events {
                    assert_eq!(*event, Event::Step { op: next });
                    next += 1;
                }
            });
            (0..count as u32).for_each(|op| tape.event(Event::Step { op }));
            assert_eq!(tape.finish(), count as u64);
            assert_eq!((next as usize, kept.len()), (count, count.min(MOST_KEPT)));
        }
    }
}
