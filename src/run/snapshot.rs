//! Snapshots: the state that a subject shows at every quiescent point and around user code.

use super::Exec;
use crate::event::{Event, Sink, Spot};
use crate::heap::{Flag, List, NIL, Object};

impl<S: Sink> Exec<'_, S> {
    /// Emits a snapshot in the order that [`crate::event`] gives.
    pub(super) fn snapshot(&mut self) {
        if !self.snapshots {
            return;
        }
        self.sink.event(Event::Snapshot);
        let number = self.m.heap.next_snapshot();
        let mut missing = self.m.heap.live();
        let mut linked = 0;
        for (list, spot) in [
            (List::GEN0, Spot::Gen0),
            (List::GEN1, Spot::Gen1),
            (List::GEN2, Spot::Gen2),
            (List::PERMANENT, Spot::Permanent),
        ] {
            let mut o = self.m.heap.object(list.head()).next;
            while o != list.head() {
                let object = self.m.heap.object_mut(o);
                object.shown = number;
                o = object.next;
                linked += u32::from(object.weakrefs != NIL);
                if let Some(event) = state(object, spot) {
                    missing -= 1;
                    self.sink.event(event);
                }
            }
        }
        if missing > 0 {
            for object in &self.m.heap.objects[List::COUNT as usize..] {
                if object.shown == number || object.has(Flag::FREED) {
                    continue;
                }
                linked += u32::from(object.weakrefs != NIL);
                let spot = if !object.has(Flag::HEADER) {
                    Spot::NoHeader
                } else if object.has(Flag::TRACKED) {
                    Spot::Collecting
                } else {
                    Spot::Untracked
                };
                if let Some(event) = state(object, spot) {
                    self.sink.event(event);
                }
            }
        }
        if !self.m.heap.weaks.is_empty() {
            self.weak_states(linked);
        }
        for &o in &self.m.gc.garbage {
            self.sink.event(Event::Garbage { object: self.m.heap.id(o) });
        }
    }

    /// `linked` is the number of objects that have weak references.
    fn weak_states(&mut self, mut linked: u32) {
        let heap = &self.m.heap;
        for object in &heap.objects[List::COUNT as usize..] {
            if linked == 0 {
                break;
            }
            let mut entry = object.weakrefs;
            if entry == NIL || object.has(Flag::FREED) {
                continue;
            }
            linked -= 1;
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
            // A referent here is freed: its deallocator forgot the weak reference.
            let referent = if weak.referent == NIL { None } else { heap.object(weak.referent).id };
            self.sink.event(Event::Weak { weak: id, referent, callback });
        }
    }
}

fn state(object: &Object, spot: Spot) -> Option<Event> {
    let finalized = object.has(Flag::FINALIZED.and(Flag::HEADER));
    object.id.map(|id| Event::State { object: id, refcount: object.refcount, spot, finalized })
}
