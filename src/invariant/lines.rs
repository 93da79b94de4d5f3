//! Reads the lines of snapshots.

use super::judge::Judge;
use super::shadow::{Object, UNUSUAL, usual};
use super::{i05_no_dangling, i24_publish_complete, i25_list_integrity, i32_generation};
use crate::event::{Event, ObjId, Spot};

/// Place in list order of what is in no list of a generation.
const LAST: u8 = 4;

impl Judge {
    /// Reads the lines of a snapshot that the events start with, and gives the events after them.
    #[inline]
    pub(super) fn lines<'a>(&mut self, mut events: &'a [Event]) -> &'a [Event] {
        loop {
            events = self.states(events);
            events = self.weaks(events);
            while let [Event::Garbage { object }, rest @ ..] = events {
                self.s.at = self.s.at.wrapping_add(1);
                i05_no_dangling::used(&self.s, &mut self.out, *object);
                self.s.fold_garbage(*object);
                events = rest;
            }
            if !matches!(events, [Event::State { .. } | Event::Weak { .. }, ..]) {
                return events;
            }
        }
    }

    #[inline]
    fn states<'a>(&mut self, events: &'a [Event]) -> &'a [Event] {
        let at = self.s.at;
        let (stamp, mut order, mut changed) = (self.s.stamp, self.s.list_order, 0);
        let mut rest = events;
        while let [Event::State { object, refcount, spot, finalized }, after @ ..] = rest {
            let line = usual(*spot, *finalized);
            // The line for a live object with references, in order, where it was before.
            if let Some(o) = self.s.objects.get_mut(object.index())
                && o.usual == line
                && *spot as u8 >= order
                && *refcount != 0
                && o.stamp != stamp
            {
                o.refcount = *refcount;
                o.stamp = stamp;
                order = *spot as u8;
            } else {
                changed += 1;
                self.s.list_order = order.min(LAST);
                if !self.changed_line(*object, *refcount, *spot, *finalized) {
                    self.s.at = at.wrapping_add((events.len() - after.len()) as u32);
                    self.odd_line(*object, *refcount, *spot, *finalized);
                }
                order = self.s.list_order;
            }
            rest = after;
        }
        let read = (events.len() - rest.len()) as u32;
        self.s.list_order = order.min(LAST);
        self.s.listed += read - changed;
        self.s.at = at.wrapping_add(read);
        rest
    }

    /// A line that says something new and nothing wrong; false if it is another one.
    #[inline]
    fn changed_line(&mut self, object: ObjId, refcount: u32, spot: Spot, finalized: bool) -> bool {
        let s = &mut self.s;
        let Some(o) = s.objects.get_mut(object.index()) else { return false };
        let (order, rank, line) = match spot {
            Spot::Gen0 | Spot::Gen1 | Spot::Gen2 | Spot::Permanent => (spot as u8, spot as u8, usual(spot, finalized)),
            Spot::NoHeader => (LAST, i32_generation::NOT_IN_A_LIST, usual(spot, finalized)),
            Spot::Untracked => (LAST, i32_generation::NOT_IN_A_LIST, UNUSUAL),
            Spot::Collecting if s.col.active => (s.list_order, o.generation, UNUSUAL),
            Spot::Collecting => return false,
        };
        let younger = rank < o.generation && o.generation != i32_generation::NOT_IN_A_LIST;
        if o.is(Object::GONE) || refcount == 0 || o.stamp == s.stamp || order < s.list_order || younger {
            return false;
        }
        o.refcount = refcount;
        o.stamp = s.stamp;
        o.spot = spot;
        o.status |= if finalized { Object::FINALIZED } else { 0 };
        o.generation = rank;
        o.usual = line;
        s.list_order = order;
        s.listed += 1;
        if spot == Spot::Untracked {
            s.untracked.push(object.index() as u32 + 1);
        }
        true
    }

    /// A line that an invariant may object to.
    #[cold]
    fn odd_line(&mut self, object: ObjId, refcount: u32, spot: Spot, finalized: bool) {
        let (s, out) = (&mut self.s, &mut self.out);
        if object.index() >= s.objects.len() {
            s.lost = true;
            return;
        }
        i05_no_dangling::used(s, out, object);
        i24_publish_complete::state(s, out, object, refcount, spot);
        i25_list_integrity::state(s, out, object, spot);
        i32_generation::state(s, out, object, refcount, spot);
        s.fold_odd_state(object.index(), refcount, spot, finalized);
    }

    #[inline]
    fn weaks<'a>(&mut self, mut events: &'a [Event]) -> &'a [Event] {
        while let [Event::Weak { weak, referent, callback }, rest @ ..] = events {
            self.s.at = self.s.at.wrapping_add(1);
            self.used(*referent);
            self.s.fold_weak(*weak, referent.is_some(), *callback);
            events = rest;
        }
        events
    }
}
