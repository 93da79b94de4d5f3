//! Reads the lines of snapshots.

use super::judge::Judge;
use super::shadow::{NOT_IN_A_LIST, Object, UNUSUAL, usual};
use super::{i05_no_dangling, i24_publish_complete, i25_list_integrity, i32_generation};
use crate::event::{Event, ObjId, Spot};

/// Place in list order of what is in no list of a generation.
const LAST: u8 = 4;

impl Judge {
    /// Reads the lines of a snapshot that the events start with, and gives the events after them.
    #[inline]
    pub(super) fn lines<'a>(&mut self, mut events: &'a [Event]) -> &'a [Event] {
        let last = self.s.at.wrapping_add(events.len() as u32);
        loop {
            events = self.states(events, last);
            events = self.weaks(events, last);
            while let [Event::Garbage { object }, rest @ ..] = events {
                self.s.at = last.wrapping_sub(rest.len() as u32);
                i05_no_dangling::used(&self.s, &mut self.out, *object);
                self.s.apply_garbage(*object);
                events = rest;
            }
            if !matches!(events, [Event::State { .. } | Event::Weak { .. }, ..]) {
                self.s.at = last.wrapping_sub(events.len() as u32);
                return events;
            }
        }
    }

    /// `last` is the number of the last event.
    #[inline]
    fn states<'a>(&mut self, events: &'a [Event], last: u32) -> &'a [Event] {
        let stamp = self.s.stamp;
        let (mut order, mut odd, mut uneven) = (self.s.list_order, 0, 0);
        if let [Event::State { spot, .. }, ..] = events {
            self.s.youngest = self.s.youngest.min(*spot as u8);
        }
        let mut rest = events;
        loop {
            rest = usual_lines(&mut self.s.objects, stamp, rest, &mut order, &mut uneven);
            let [Event::State { object, refcount, spot, finalized }, after @ ..] = rest else { break };
            rest = after;
            self.s.list_order = order.min(LAST);
            self.s.at = last.wrapping_sub(after.len() as u32);
            odd += u32::from(!self.rare_line(*object, *refcount, *spot, *finalized));
            order = self.s.list_order;
        }
        self.s.list_order = order.min(LAST);
        self.s.listed += (events.len() - rest.len()) as u32 - odd;
        self.s.uneven |= uneven;
        rest
    }

    /// A line that shows the object in no list of a generation, or is odd. False if it is odd.
    #[inline(never)]
    fn rare_line(&mut self, object: ObjId, refcount: u32, spot: Spot, finalized: bool) -> bool {
        let s = &mut self.s;
        let before = s.list_order;
        if let Some(o) = s.objects.get_mut(object.index()) {
            let (place, rank, line) = match spot {
                Spot::Gen0 | Spot::Gen1 | Spot::Gen2 | Spot::Permanent => {
                    return self.odd_line(object, refcount, spot, finalized);
                }
                Spot::Collecting => (before, o.generation, UNUSUAL),
                Spot::Untracked => (LAST, NOT_IN_A_LIST, UNUSUAL),
                Spot::NoHeader => (LAST, NOT_IN_A_LIST, usual(spot, finalized)),
            };
            let wrong = (refcount == 0) | (o.stamp == s.stamp) | o.is(Object::GONE);
            if !wrong & (s.col.active | (spot != Spot::Collecting)) {
                s.uneven |= refcount ^ o.in_edges;
                o.refcount = refcount;
                o.stamp = s.stamp;
                o.spot = spot;
                o.status |= usual(spot, finalized) & Object::FINALIZED;
                o.generation = rank;
                o.usual = line;
                s.list_order = place;
                if spot == Spot::Untracked {
                    s.untracked.push(object.index() as u32 + 1);
                }
                // Objects in lists may follow.
                s.youngest = if spot == Spot::Collecting { 0 } else { s.youngest };
                return true;
            }
        }
        self.odd_line(object, refcount, spot, finalized)
    }

    /// A line that an invariant may object to.
    fn odd_line(&mut self, object: ObjId, refcount: u32, spot: Spot, finalized: bool) -> bool {
        let (s, out) = (&mut self.s, &mut self.out);
        (s.uneven, s.youngest) = (1, 0);
        if object.index() >= s.objects.len() {
            s.stream_unclear = true;
            return false;
        }
        i05_no_dangling::used(s, out, object);
        i24_publish_complete::state(s, out, object, refcount, spot);
        i25_list_integrity::state(s, out, object, spot);
        i32_generation::state(s, out, object, refcount, spot);
        s.apply_odd_state(object.index(), refcount, spot, finalized);
        false
    }

    #[inline]
    fn weaks<'a>(&mut self, events: &'a [Event], last: u32) -> &'a [Event] {
        let mut rest = events;
        while let [Event::Weak { weak, referent, callback }, after @ ..] = rest {
            rest = after;
            if let Some(referent) = referent
                && self.s.get(*referent).is_some_and(|o| o.is(Object::FREED))
            {
                self.s.at = last.wrapping_sub(after.len() as u32);
                i05_no_dangling::used(&self.s, &mut self.out, *referent);
            }
            self.s.apply_weak(*weak, referent.is_some(), *callback);
        }
        rest
    }
}

/// Reads lines up to the first that is not that of a live object with references, in order, where it was before or in a
/// list that it may have gone to.
#[inline(always)]
fn usual_lines<'a>(
    objects: &mut [Object],
    stamp: u32,
    mut lines: &'a [Event],
    order: &mut u8,
    uneven: &mut u32,
) -> &'a [Event] {
    while let [Event::State { object, refcount, spot, finalized }, rest @ ..] = lines {
        let (place, line) = (*spot as u8, usual(*spot, *finalized));
        let Some(o) = objects.get_mut(object.index()) else { break };
        if place < *order || *refcount == 0 || o.stamp == stamp || (o.usual != line && !o.moves_on(*spot, line)) {
            break;
        }
        *uneven |= *refcount ^ o.in_edges;
        o.refcount = *refcount;
        o.stamp = stamp;
        *order = place;
        lines = rest;
    }
    lines
}
