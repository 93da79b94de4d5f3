//! Legacy finalizers: what they reach is uncollectable.

use crate::model::heap::{Flag, Heap, List};

/// Moves every object with a legacy finalizer, and everything it reaches, from `unreachable` to [`List::LEGACY`].
pub fn split_legacy(heap: &mut Heap, unreachable: List) {
    let mut o = heap.object(unreachable.head()).next;
    while o != unreachable.head() {
        let next = heap.object(o).next;
        if heap.object(o).has(Flag::LEGACY) {
            heap.unset(o, Flag::COLLECTING);
            heap.move_to(List::LEGACY, o);
        }
        o = next;
    }
    let mut o = heap.object(List::LEGACY.head()).next;
    while o != List::LEGACY.head() {
        heap.traverse(o, |objects, child| {
            if objects.get(child).has(Flag::COLLECTING) {
                objects.unset(child, Flag::COLLECTING);
                objects.move_to(List::LEGACY, child);
            }
        });
        o = heap.object(o).next;
    }
}
