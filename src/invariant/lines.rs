//! Reads the lines of snapshots.

use super::judge::Judge;
use super::shadow::{Object, usual};
use super::{i05_no_dangling, i24_publish_complete, i25_list_integrity, i32_generation};
use crate::event::{Event, ObjId, Spot};

impl Judge {
    /// Reads the lines of a snapshot that the events start with, and says how many they are.
    #[inline]
    pub(super) fn lines(&mut self, events: &[Event]) -> usize {
        let first = self.s.at;
        let (stamp, mut order, mut listed) = (self.s.stamp, self.s.list_order, 0);
        let mut read = 0;
        for event in events {
            match *event {
                Event::State { object, refcount, spot, finalized } => {
                    let line = usual(spot, finalized);
                    // The line for a live object with references, in order, where it was before.
                    if let Some(o) = self.s.objects.get_mut(object.index())
                        && o.usual == line
                        && spot as u8 >= order
                        && refcount != 0
                        && o.stamp != stamp
                    {
                        o.refcount = refcount;
                        o.stamp = stamp;
                        order = spot as u8;
                        listed += 1;
                    } else {
                        self.s.at = first + read as u32;
                        self.s.list_order = order;
                        self.changed_line(object, refcount, spot, finalized);
                        order = self.s.list_order;
                    }
                }
                Event::Weak { weak, referent, callback } => {
                    if let Some(object) = referent
                        && self.s.get(object).is_some_and(|o| o.is(Object::FREED))
                    {
                        self.s.at = first + read as u32;
                        i05_no_dangling::used(&self.s, &mut self.out, object);
                    }
                    self.s.fold_weak(weak, referent.is_some(), callback);
                }
                Event::Garbage { object } => {
                    self.s.at = first + read as u32;
                    i05_no_dangling::used(&self.s, &mut self.out, object);
                    self.s.fold_garbage(object);
                }
                _ => break,
            }
            read += 1;
        }
        self.s.list_order = order;
        self.s.listed += listed;
        self.s.at = first + (read as u32).saturating_sub(1);
        read
    }

    /// A line that says something new, or something wrong.
    #[inline(never)]
    fn changed_line(&mut self, object: ObjId, refcount: u32, spot: Spot, finalized: bool) {
        let (s, out) = (&mut self.s, &mut self.out);
        let index = object.index();
        let Some(o) = s.objects.get_mut(index) else {
            s.lost = true;
            return;
        };
        let (order, rank) = match spot {
            Spot::Collecting => (s.list_order, o.generation),
            Spot::Untracked | Spot::NoHeader => (4, i32_generation::NOT_IN_A_LIST),
            _ => (spot as u8, spot as u8),
        };
        let younger = rank < o.generation && o.generation != i32_generation::NOT_IN_A_LIST;
        let stray = spot == Spot::Collecting && !s.col.active;
        if o.is(Object::GONE) || refcount == 0 || o.stamp == s.stamp || order < s.list_order || younger || stray {
            i05_no_dangling::used(s, out, object);
            i24_publish_complete::state(s, out, object, refcount, spot);
            i25_list_integrity::state(s, out, object, spot);
            i32_generation::state(s, out, object, refcount, spot);
            s.fold_odd_state(index, refcount, spot, finalized);
            return;
        }
        s.list_order = order;
        s.listed += 1;
        o.refcount = refcount;
        o.stamp = s.stamp;
        o.spot = spot;
        o.status |= if finalized { Object::FINALIZED } else { 0 };
        o.generation = rank;
        o.usual = super::shadow::UNUSUAL;
        match spot {
            Spot::Gen0 | Spot::Gen1 | Spot::Gen2 | Spot::Permanent => o.usual = usual(spot, finalized),
            Spot::Untracked => s.untracked.push(index as u32 + 1),
            Spot::Collecting | Spot::NoHeader => {}
        }
    }
}
