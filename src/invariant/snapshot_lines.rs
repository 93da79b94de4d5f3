//! What the judge does with the lines of snapshots: the shadow heap reads those that say nothing new.

use super::judge::Judge;
use super::shadow::Object;
use crate::event::{Event, ObjId, Spot};

impl Judge {
    /// Reads the lines of a snapshot that the events start with, and gives the events after them.
    #[inline]
    pub(super) fn lines<'a>(&mut self, mut events: &'a [Event]) -> &'a [Event] {
        let last = self.s.confidence().at().wrapping_add(events.len() as u32);
        loop {
            events = self.states(events, last);
            events = self.weaks(events, last);
            while let [Event::Garbage { object }, rest @ ..] = events {
                self.s.set_at(last.wrapping_sub(rest.len() as u32));
                self.used(Some(*object));
                self.s.apply_garbage(*object);
                events = rest;
            }
            if !matches!(events, [Event::State { .. } | Event::Weak { .. }, ..]) {
                self.s.set_at(last.wrapping_sub(events.len() as u32));
                return events;
            }
        }
    }

    /// `last` is the number of the last event.
    #[inline]
    fn states<'a>(&mut self, mut events: &'a [Event], last: u32) -> &'a [Event] {
        loop {
            events = self.s.read_lines(events);
            let [Event::State { object, refcount, spot, finalized }, rest @ ..] = events else { return events };
            self.s.set_at(last.wrapping_sub(rest.len() as u32));
            self.odd_line(*object, *refcount, *spot, *finalized);
            events = rest;
        }
    }

    /// A line that an invariant may object to.
    #[inline(never)]
    fn odd_line(&mut self, object: ObjId, refcount: u32, spot: Spot, finalized: bool) {
        if !self.s.begin_odd_line(object) {
            return;
        }
        self.used(Some(object));
        let (s, out) = (&mut self.s, &mut self.out);
        ask!(odd_line(s, out, object, refcount, spot));
        s.end_odd_line(object, refcount, spot, finalized);
    }

    #[inline]
    fn weaks<'a>(&mut self, events: &'a [Event], last: u32) -> &'a [Event] {
        let mut rest = events;
        while let [Event::Weak { weak, referent, callback }, after @ ..] = rest {
            rest = after;
            if let Some(referent) = referent
                && self.s.get(*referent).is_some_and(|o| o.is(Object::FREED))
            {
                self.s.set_at(last.wrapping_sub(after.len() as u32));
                self.used_freed(*referent);
            }
            self.s.apply_weak(*weak, referent.is_some(), *callback);
        }
        rest
    }
}
