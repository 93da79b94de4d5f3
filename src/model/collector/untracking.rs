//! Untracking of tuples and dicts that hold nothing the collector cares for.

use crate::model::heap::{Flag, Heap, Idx, List, NIL, RareFlag};
use crate::scenario::Shape;

/// True if a reference to the object may ever be part of a cycle.
pub fn may_be_tracked(heap: &Heap, o: Idx) -> bool {
    let object = heap.object(o);
    object.has(Flag::HEADER) && (object.shape != Shape::Tuple || object.has(Flag::TRACKED))
}

/// Untracks the eligible members of a list: exact tuples, and in full collections up to 3.13 dicts. How many it were.
pub fn untrack_eligible(heap: &mut Heap, list: List, shape: Shape) -> u32 {
    let mut untracked = 0;
    let mut o = heap.object(list.head()).next;
    while o != list.head() {
        let next = heap.object(o).next;
        if heap.object(o).shape == shape && holds_nothing_trackable(heap, o) && !heap.has_rare(o, RareFlag::SET) {
            heap.untrack(o);
            untracked += 1;
        }
        o = next;
    }
    untracked
}

fn holds_nothing_trackable(heap: &Heap, o: Idx) -> bool {
    if heap.object(o).shape == Shape::Dict {
        return (0..heap.entries(o))
            .map(|i| heap.entry(o, i))
            .filter(|e| e.value != NIL)
            .all(|e| !may_be_tracked(heap, e.value) && e.key_object().is_none_or(|key| !may_be_tracked(heap, key)));
    }
    (0..heap.object(o).len as usize).map(|i| heap.raw(o, i)).all(|item| item != NIL && !may_be_tracked(heap, item))
}
