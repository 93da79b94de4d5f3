//! Snapshots: the state that a subject shows at every quiescent point and around user code.

use super::Exec;
use crate::event::{Event, Sink, Spot};
use crate::heap::{Flag, Idx, List, NIL};

impl<S: Sink> Exec<'_, S> {
    /// Emits a snapshot in the order that [`crate::event`] gives.
    pub(super) fn snapshot(&mut self) {
        if !self.snapshots {
            return;
        }
        self.sink.event(Event::Snapshot);
        for (list, spot) in [
            (List::GEN0, Spot::Gen0),
            (List::GEN1, Spot::Gen1),
            (List::GEN2, Spot::Gen2),
            (List::PERMANENT, Spot::Permanent),
        ] {
            let mut o = self.m.heap.object(list.head()).next;
            while o != list.head() {
                self.m.heap.object_mut(o).set(Flag::MARK);
                self.state(o, spot);
                o = self.m.heap.object(o).next;
            }
        }
        let mut any_weak = false;
        for o in List::COUNT..self.m.heap.objects.len() as Idx {
            let object = self.m.heap.object_mut(o);
            any_weak |= object.weak != NIL;
            if object.has(Flag::MARK) {
                object.unset(Flag::MARK);
                continue;
            }
            if object.has(Flag::FREED) || object.id.is_none() {
                continue;
            }
            let spot = if !object.has(Flag::HEADER) {
                Spot::NoHeader
            } else if object.has(Flag::TRACKED) {
                Spot::Collecting
            } else {
                Spot::Untracked
            };
            self.state(o, spot);
        }
        if any_weak {
            self.weak_states();
        }
        for &o in &self.m.gc.garbage {
            self.sink.event(Event::Garbage { object: self.m.heap.id(o) });
        }
    }

    fn state(&mut self, o: Idx, spot: Spot) {
        let object = self.m.heap.object(o);
        if let Some(id) = object.id {
            let finalized = object.has(Flag::FINALIZED.and(Flag::HEADER));
            self.sink.event(Event::State { object: id, refcount: object.refcount, spot, finalized });
        }
    }

    fn weak_states(&mut self) {
        let heap = &self.m.heap;
        for o in List::COUNT..heap.objects.len() as Idx {
            let object = heap.object(o);
            if object.has(Flag::FREED) {
                continue;
            }
            let mut entry = object.weakrefs;
            while entry != NIL {
                let weak = heap.weaks[entry as usize];
                self.sink.event(Event::Weak {
                    weak: heap.id(weak.object),
                    referent: object.id,
                    callback: weak.callback != NIL,
                });
                entry = weak.next;
            }
        }
        for weak in &heap.weaks {
            let object = heap.object(weak.object);
            if object.has(Flag::FREED) || (weak.referent != NIL && !heap.object(weak.referent).has(Flag::FREED)) {
                continue;
            }
            let (id, callback) = (heap.id(weak.object), weak.callback != NIL);
            self.sink.event(Event::Weak { weak: id, referent: None, callback });
        }
    }
}
