//! Snapshots: the state that a subject shows at every quiescent point and around user code.

use super::Exec;
use crate::event::{Event, Sink, Spot};
use crate::heap::{Flag, List, NIL, Object};

impl<S: Sink> Exec<'_, S> {
    /// Emits a snapshot in the order that [`crate::event`] gives.
    #[inline]
    pub(super) fn snapshot(&mut self) {
        if self.snapshots {
            self.take_snapshot();
        }
    }

    fn take_snapshot(&mut self) {
        self.sink.event(Event::Snapshot);
        let heap = &mut self.m.heap;
        heap.tidy_roster();
        let number = heap.next_snapshot();
        // Where a deallocator forgets to untrack, the lists have freed members: they are shown, and counted in `missing`.
        let mut missing = heap.balance();
        let mut left = heap.live();
        let mut linked = 0;
        for (list, spot) in [
            (List::GEN0, Spot::Gen0),
            (List::GEN1, Spot::Gen1),
            (List::GEN2, Spot::Gen2),
            (List::PERMANENT, Spot::Permanent),
        ] {
            let mut o = heap.object(list.head()).next;
            while o != list.head() {
                let object = heap.show(o, number);
                o = object.next;
                linked += u32::from(object.has(Flag::WATCHED));
                if let Some(event) = state(object, spot) {
                    missing = missing.wrapping_sub(1);
                    left -= u32::from(!object.has(Flag::FREED));
                    self.sink.event(event);
                }
            }
        }
        if missing > 0 && left > 0 {
            let sink = &mut *self.sink;
            heap.walk_live(|heap, o| {
                if heap.is_shown(o, number) {
                    return true;
                }
                let object = heap.object(o);
                linked += u32::from(object.has(Flag::WATCHED));
                let spot = if !object.has(Flag::HEADER) {
                    Spot::NoHeader
                } else if object.has(Flag::TRACKED) {
                    Spot::Collecting
                } else {
                    Spot::Untracked
                };
                if let Some(event) = state(object, spot) {
                    left -= 1;
                    sink.event(event);
                }
                left > 0
            });
        }
        if self.m.heap.live_weaks() > 0 || linked > 0 {
            self.weak_states(linked);
        }
        for &o in &self.m.gc.garbage {
            self.sink.event(Event::Garbage { object: self.m.heap.id(o) });
        }
    }

    /// `linked` is the number of objects that have weak references.
    fn weak_states(&mut self, mut linked: u32) {
        let sink = &mut *self.sink;
        // Those in no list of a living referent, or not met there.
        let mut missing = self.m.heap.live_weaks();
        if linked > 0 {
            self.m.heap.walk_live(|heap, o| {
                let object = heap.object(o);
                if !object.has(Flag::WATCHED) {
                    return true;
                }
                let mut entry = heap.detail(o).weakrefs;
                while entry != NIL {
                    let weak = heap.weaks[entry as usize];
                    missing -= u32::from(!heap.object(weak.object).has(Flag::FREED));
                    let callback = weak.callback != NIL;
                    sink.event(Event::Weak { weak: heap.id(weak.object), referent: object.id, callback });
                    entry = weak.next;
                }
                linked -= 1;
                linked > 0
            });
        }
        if missing == 0 {
            return;
        }
        self.m.heap.walk_live(|heap, o| {
            if !heap.is_weak(o) {
                return true;
            }
            let weak = heap.weak(o);
            if weak.referent == NIL || heap.object(weak.referent).has(Flag::FREED) {
                // A referent here is freed: its deallocator forgot the weak reference.
                let referent = if weak.referent == NIL { None } else { heap.object(weak.referent).id };
                sink.event(Event::Weak { weak: heap.id(o), referent, callback: weak.callback != NIL });
                missing -= 1;
            }
            missing > 0
        });
    }
}

#[inline]
fn state(object: &Object, spot: Spot) -> Option<Event> {
    let finalized = object.has(Flag::FINALIZED.and(Flag::HEADER));
    object.id.map(|id| Event::State { object: id, refcount: object.refcount, spot, finalized })
}
