//! Where the run of an interpreter does something else than the row that covers it: up to there the row knows what went on
//! inside, from there on only the events say what happened.

use serde::Serialize;

use super::Run;
use super::event_words::words_of_any;
use crate::event::{Event, Phase, Place};

/// The first difference between the events of a run and those of a row.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// The row.
    pub row: String,
    /// How many events are the same; the number, from 0, of the first that is not.
    pub event: usize,
    /// The step of the mutator, from 1.
    pub step: Option<u32>,
    /// Where that step is, in words.
    pub place: String,
    /// The step in words.
    pub operation: String,
    /// The phase of the collection that was running, by the events before.
    pub phase: &'static str,
    /// The row's event there, in words.
    pub expected: String,
    /// The run's event there, in words.
    pub shown: String,
}

/// How far a row speaks for the run of an interpreter.
#[derive(Debug)]
pub(super) struct Common {
    /// The row.
    pub row: String,
    /// How many events are the same.
    pub at: usize,
    /// What the row decided inside a collection is known to be what the run did if it is at an event before this: a
    /// collection in which the two part is read off the events from its start.
    pub decided: usize,
    /// The next event of the row, and of the run.
    next: [Option<Event>; 2],
    /// After the common events.
    place: Place,
}

impl Common {
    /// Compares a row's events with those of a run of so many, the first of which are kept; nothing if all are the same.
    pub fn of(row: &str, model: &[Event], real: &[Event], total: u64) -> Option<Common> {
        let at = model.iter().zip(real).take_while(|(model, real)| model == real).count();
        let is_whole = total == real.len() as u64;
        if is_whole && model.len() == real.len() && at == real.len() {
            return None;
        }
        let next = match !is_whole && at == real.len() {
            true => [None, None],
            false => [model.get(at).copied(), real.get(at).copied()],
        };
        Some(Common {
            row: row.to_owned(),
            at,
            decided: last_open(&real[..at], next).unwrap_or(at),
            next,
            place: Place::after(&real[..at]),
        })
    }

    /// The runs do something else, as far as the events are kept.
    pub fn differs(&self) -> bool {
        self.next != [None, None]
    }
}

/// Where the collection starts that the common events leave open: it has not ended, or the snapshot after its end is not
/// common to its last line.
fn last_open(common: &[Event], next: [Option<Event>; 2]) -> Option<usize> {
    let start = common.iter().rposition(|event| matches!(event, Event::CollectStart { .. }))?;
    let after = &common[start..];
    let end = after.iter().rposition(|event| matches!(event, Event::CollectEnd { .. }));
    let goes_on = |event: &Option<Event>| event.is_some_and(|event| !event.is_part_of_snapshot());
    let is_over = end.is_some_and(|end| {
        after[end + 1..].iter().any(|event| !event.is_part_of_snapshot()) || next.iter().all(goes_on)
    });
    (!is_over).then_some(start)
}

/// The difference in words, if there is one.
pub(super) fn difference(run: &Run<'_>) -> Option<Difference> {
    let common = run.common.as_ref().filter(|common| common.differs())?;
    let words = |event: Option<Event>| match event {
        Some(event) => words_of_any(run, &event),
        None => "no further event".to_owned(),
    };
    let (Place { step, phase, .. }, [expected, shown]) = (common.place, common.next.map(words));
    Some(Difference {
        row: common.row.clone(),
        event: common.at,
        step: step.map(|step| step + 1),
        place: step.map_or_else(|| "before the first step".to_owned(), |step| run.place(step)),
        operation: step.map_or_else(String::new, |step| run.operation(step)),
        phase: Phase::word(phase),
        expected,
        shown,
    })
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Difference { row, event, place, operation, phase, expected, shown, .. } = self;
        let events = if *event == 1 { "event" } else { "events" };
        let operation = if operation.is_empty() { String::new() } else { format!(" ({operation})") };
        write!(f, "this run differs from {row} after {event} {events}, in {place}{operation}, phase {phase}: ")?;
        write!(f, "there `{expected}`, here `{shown}`; what follows is read off the events alone")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Event = Event::CollectStart { generation: 2, automatic: false };
    const END: Event = Event::CollectEnd { generation: 2, returned: 0, uncollectable: 0 };
    const STREAM: [Event; 7] =
        [Event::Step { op: 0 }, START, Event::Snapshot, END, Event::Snapshot, Event::Step { op: 1 }, Event::End];

    /// Where a run parts with a row that has these events, and up to where the row's decisions are those of the run.
    fn parts(real: &[Event], total: usize) -> Option<(usize, usize, bool)> {
        let common = Common::of("row", &STREAM, real, total as u64)?;
        Some((common.at, common.decided, common.differs()))
    }

    #[test]
    fn a_row_speaks_for_collections_that_ended_in_the_same_way() {
        assert_eq!(parts(&STREAM, STREAM.len()), None);
        for at in 0..STREAM.len() {
            let mut other = STREAM;
            other[at] = Event::Refused;
            // In the collection, its last snapshot, or right after it, where the row's snapshot has ended too.
            let decided = if (2..5).contains(&at) { 1 } else { at };
            assert_eq!(parts(&other, other.len()), Some((at, decided, true)), "{at}");
        }
    }

    #[test]
    fn a_run_that_breaks_off_parts_there() {
        assert_eq!(parts(&STREAM[..3], 3), Some((3, 1, true)));
        assert_eq!(parts(&STREAM[..5], 5), Some((5, 1, true)), "its snapshot may have lost lines");
        assert_eq!(parts(&STREAM[..6], 6), Some((6, 6, true)));
    }

    #[test]
    fn a_run_that_is_not_kept_to_its_end_is_no_difference() {
        assert_eq!(parts(&STREAM[..3], 7), Some((3, 1, false)));
        assert_eq!(parts(&STREAM[..6], 7), Some((6, 6, false)));
    }
}
