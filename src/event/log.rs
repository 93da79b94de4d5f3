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

#[cfg(test)]
mod tests {
    use super::*;

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
