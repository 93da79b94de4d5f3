//! Large graphs in one operation. Its own allocations are counted and start no collection inside it.

use super::Execution;
use crate::model::heap::{Flag, Idx, NIL};
use crate::scenario::{Bulk, Kind, MAX_OBJECTS, Place};

/// Highest number of objects of one graph.
pub const MAX_BUILD: u32 = 0x00ff_ffff;

impl Execution<'_, '_> {
    /// Builds a graph of extension objects; false if the kind cannot be built this way or there is nothing to build.
    pub(super) fn build(&mut self, pc: u32, dst: Place, bulk: Bulk, kind: Kind, count: u32) -> bool {
        let room = MAX_OBJECTS.saturating_sub(self.process.heap.created());
        let count = count.min(MAX_BUILD).min(room);
        if !kind.shape.is_extension() || count == 0 {
            return false;
        }
        let ty = self.type_of(pc, &kind);
        let header = self.process.heap.type_at(ty).flags.has(Flag::HEADER);
        self.process.heap.reserve(count as usize, count as usize * self.process.heap.type_at(ty).slots as usize);
        let mut first = NIL;
        let mut last = NIL;
        for i in 0..count {
            let o = self.create(pc, ty, [NIL; 2]);
            if header {
                self.process.interp.gc.count[0] += 1;
            }
            match bulk {
                Bulk::Chain | Bulk::Ring => self.own(o, 0, last),
                Bulk::Tree => {}
                Bulk::Knots => {
                    self.incref(o);
                    self.own(o, 0, o);
                    self.own(o, 1, last);
                }
            }
            if i == 0 {
                first = o;
            }
            last = o;
        }
        let handle = match bulk {
            Bulk::Chain | Bulk::Knots => last,
            Bulk::Ring => {
                self.incref(last);
                self.own(first, 1, last);
                last
            }
            Bulk::Tree => {
                // Created one after the other, so the children of object i are at known distances.
                for i in 0..count {
                    for (slot, child) in [2 * i as u64 + 1, 2 * i as u64 + 2].into_iter().enumerate() {
                        if child < count as u64 {
                            self.own(first + i, slot as u8, first + child as Idx);
                        }
                    }
                }
                first
            }
        };
        if header && self.told.is_none() && self.process.interp.gc.wants_collection(&self.process.rules) {
            self.process.interp.gc.due.get_or_insert(None);
        }
        self.keep(dst, handle);
        true
    }

    /// Stores a reference that is already counted into an empty slot.
    fn own(&mut self, holder: Idx, slot: u8, o: Idx) {
        if o != NIL {
            self.process.heap.set_raw(holder, slot as usize, o);
            self.report_store(holder, slot, o);
        }
    }
}
