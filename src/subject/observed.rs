//! What of a stream a subject shows that does not see everything.

use super::Needs;
use crate::event::{Event, ObjId, Spot};

impl Needs {
    /// True if a subject that observes this shows which list of the collector an object is in, and the order of lists.
    pub const fn shows_lists(self) -> bool {
        self.covers(Needs::LISTS.and(Needs::GENERATIONS))
    }

    /// Rewrites a stream of one who sees everything as it is for one who sees no lists, if this is what is observed: every
    /// tracked object counts as one of generation 0, and a snapshot has the tracked ones in order of creation, then the
    /// others.
    pub fn restrict(self, events: &mut [Event]) {
        if self.shows_lists() {
            return;
        }
        for event in &mut *events {
            if let Event::State { spot, .. } = event
                && *spot <= Spot::Collecting
            {
                *spot = Spot::Gen0;
            }
        }
        let order = |event: &Event| -> Option<(bool, ObjId)> {
            if let Event::State { object, spot, .. } = event { Some((*spot != Spot::Gen0, *object)) } else { None }
        };
        let states = events.chunk_by_mut(|a, b| order(a).is_some() == order(b).is_some());
        states.for_each(|group| group.sort_by_key(order));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_order_and_the_places_of_states_are_hidden() {
        let state = |n, spot| Event::State { object: ObjId::from_index(n), refcount: n + 1, spot, finalized: n == 1 };
        let (garbage, leave) = (Event::Garbage { object: ObjId::from_index(0) }, Event::Leave);
        let seen = [
            Event::Snapshot,
            state(3, Spot::Gen2),
            state(1, Spot::Collecting),
            state(0, Spot::Untracked),
            state(2, Spot::NoHeader),
            garbage,
            leave,
            Event::Snapshot,
            state(1, Spot::Permanent),
            Event::End,
        ];
        let expected = [
            Event::Snapshot,
            state(1, Spot::Gen0),
            state(3, Spot::Gen0),
            state(0, Spot::Untracked),
            state(2, Spot::NoHeader),
            garbage,
            leave,
            Event::Snapshot,
            state(1, Spot::Gen0),
            Event::End,
        ];
        for (observes, events) in [(Needs::ALL, seen), (Needs::ALL.without(Needs::GENERATIONS), expected)] {
            let mut restricted = seen;
            observes.restrict(&mut restricted);
            assert_eq!(restricted, events);
        }
    }
}
