//! What the judge does with the lines of snapshots: the shadow heap reads those that say nothing new.

use super::judge::Judge;
use super::shadow::{Line, Shadow};
use super::violations::Violations;
use crate::event::Event;

impl Judge {
    /// Reads the lines of a snapshot that the events start with, and gives the events after them.
    #[inline]
    pub(super) fn lines<'a>(&mut self, mut events: &'a [Event]) -> &'a [Event] {
        let last = self.s.confidence().at().wrapping_add(events.len() as u32);
        loop {
            let (s, out) = (&mut self.s, &mut self.out);
            events = s.read_lines(events, last, |s, line| odd_line(s, out, line));
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
    fn weaks<'a>(&mut self, events: &'a [Event], last: u32) -> &'a [Event] {
        let mut rest = events;
        while let [Event::Weak { weak, referent, callback }, after @ ..] = rest {
            rest = after;
            if let Some(referent) = referent
                && self.s.objects().is_freed(*referent)
            {
                self.s.set_at(last.wrapping_sub(after.len() as u32));
                self.used_freed(*referent);
            }
            self.s.apply_weak(*weak, referent.is_some(), *callback);
        }
        rest
    }
}

/// A line that an invariant may object to.
#[inline(never)]
fn odd_line(s: &mut Shadow, out: &mut Violations, line: Line) {
    if !s.begin_odd_line(line) {
        return;
    }
    let (object, refcount, spot) = line.says();
    if s.objects().is_freed(object) {
        ask!(used(s, out, object));
    }
    ask!(odd_line(s, out, object, refcount, spot));
    s.end_odd_line(line);
}
