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
        let (stamp, collects) = (self.s.stamp, self.s.col.active);
        let (mut order, mut odd) = (self.s.list_order, 0);
        let mut rest = events;
        while let [Event::State { object, refcount, spot, finalized }, after @ ..] = rest {
            rest = after;
            let (place, line) = (*spot as u8, usual(*spot, *finalized));
            if let Some(o) = self.s.objects.get_mut(object.index()) {
                // The line for a live object with references, in order, where it was before.
                if o.usual == line && place >= order && *refcount != 0 && o.stamp != stamp {
                    o.refcount = *refcount;
                    o.stamp = stamp;
                    order = place;
                    continue;
                }
                // A line that says something new and nothing wrong.
                let before = order.min(LAST);
                let (place, rank, line) = match spot {
                    Spot::Gen0 | Spot::Gen1 | Spot::Gen2 | Spot::Permanent => (place, place, line),
                    Spot::Collecting => (before, o.generation, UNUSUAL),
                    Spot::Untracked => (LAST, i32_generation::NOT_IN_A_LIST, UNUSUAL),
                    Spot::NoHeader => (LAST, i32_generation::NOT_IN_A_LIST, line),
                };
                let younger = (rank < o.generation) & (o.generation != i32_generation::NOT_IN_A_LIST);
                let wrong = younger | (*refcount == 0) | (o.stamp == stamp) | (place < before) | o.is(Object::GONE);
                if !wrong & (collects | (*spot != Spot::Collecting)) {
                    o.refcount = *refcount;
                    o.stamp = stamp;
                    o.spot = *spot;
                    o.status |= usual(*spot, *finalized) & Object::FINALIZED;
                    o.generation = rank;
                    o.usual = line;
                    order = place;
                    if *spot == Spot::Untracked {
                        self.s.untracked.push(object.index() as u32 + 1);
                    }
                    continue;
                }
            }
            odd += 1;
            self.s.list_order = order.min(LAST);
            self.s.at = at.wrapping_add((events.len() - after.len()) as u32);
            self.odd_line(*object, *refcount, *spot, *finalized);
            order = self.s.list_order;
        }
        let read = (events.len() - rest.len()) as u32;
        self.s.list_order = order.min(LAST);
        self.s.listed += read - odd;
        self.s.at = at.wrapping_add(read);
        rest
    }

    /// A line that an invariant may object to.
    #[inline(never)]
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
    fn weaks<'a>(&mut self, events: &'a [Event]) -> &'a [Event] {
        let at = self.s.at;
        let mut rest = events;
        while let [Event::Weak { weak, referent, callback }, after @ ..] = rest {
            rest = after;
            if let Some(referent) = referent
                && self.s.get(*referent).is_some_and(|o| o.is(Object::FREED))
            {
                self.s.at = at.wrapping_add((events.len() - after.len()) as u32);
                i05_no_dangling::used(&self.s, &mut self.out, *referent);
            }
            self.s.fold_weak(*weak, referent.is_some(), *callback);
        }
        self.s.at = at.wrapping_add((events.len() - rest.len()) as u32);
        rest
    }
}
