//! Legacy finalizers: what they reach is uncollectable (semantics 4.2 D).

use crate::model::heap::{Flag, Heap, List};

/// Moves every object with a legacy finalizer, and everything it reaches, from `unreachable` to [`List::LEGACY`].
pub fn split_legacy(heap: &mut Heap, unreachable: List) {
    let mut o = heap.object(unreachable.head()).next;
    while o != unreachable.head() {
        let next = heap.object(o).next;
        if heap.object(o).has(Flag::LEGACY) {
            heap.object_mut(o).unset(Flag::COLLECTING);
            heap.move_to(List::LEGACY, o);
        }
        o = next;
    }
    let mut o = heap.object(List::LEGACY.head()).next;
    while o != List::LEGACY.head() {
        heap.traverse(o, |objects, child| {
            let c = &mut objects[child as usize];
            if !c.has(Flag::COLLECTING) {
                return;
            }
            c.unset(Flag::COLLECTING);
            let (prev, next) = (c.prev, c.next);
            objects[prev as usize].next = next;
            objects[next as usize].prev = prev;
            let last = objects[List::LEGACY.head() as usize].prev;
            objects[last as usize].next = child;
            objects[List::LEGACY.head() as usize].prev = child;
            let c = &mut objects[child as usize];
            c.prev = last;
            c.next = List::LEGACY.head();
        });
        o = heap.object(o).next;
    }
}
