//! Deduction of what is unreachable: the order of every list move is exact (semantics 4.3).

use super::switch::{Rules, Switch};
use crate::event::Undefined;
use crate::heap::{Flag, Heap, Idx, List};
use crate::scenario::Shape;

/// Sets `gc_refs` of every member to its reference count less the references from inside the list.
fn subtract_internal(heap: &mut Heap, list: List, rules: Rules) -> Result<(), Undefined> {
    let mut o = heap.object(list.head()).next;
    while o != list.head() {
        let object = heap.object_mut(o);
        if object.refcount == 0 && !rules.has(Switch::BugFreeTwice) {
            return Err(Undefined::DeadTracked);
        }
        object.gc_refs = object.refcount as i32;
        object.set(Flag::COLLECTING);
        o = object.next;
    }
    let mut negative = false;
    let twice = rules.has(Switch::BugTraverseTwice);
    let mut o = heap.object(list.head()).next;
    while o != list.head() {
        let next = heap.object(o).next;
        let mut last = None;
        heap.traverse(o, |objects, child| {
            let child = &mut objects[child as usize];
            if child.has(Flag::COLLECTING) {
                child.gc_refs -= 1;
                negative |= child.gc_refs < 0;
            }
        });
        if twice && heap.object(o).kind.shape == Shape::List {
            heap.traverse(o, |_, child| {
                last.get_or_insert(child);
            });
            if let Some(child) = last
                && heap.object(child).has(Flag::COLLECTING)
                && heap.object(child).gc_refs > 0
            {
                heap.object_mut(child).gc_refs -= 1;
            }
        }
        o = next;
    }
    if rules.has(Switch::BugIgnoreOuterReference) {
        let last = heap.object(list.head()).prev;
        if last != list.head() && heap.object(last).gc_refs > 0 {
            heap.object_mut(last).gc_refs = 0;
        }
    }
    if negative { Err(Undefined::OverReported) } else { Ok(()) }
}

/// Splits `young` into what stays and `unreachable` (appended, flag kept set).
///
/// # Errors
/// [`Undefined`] if a member is dead or a `traverse` reported more references than there are.
pub fn deduce_unreachable(heap: &mut Heap, young: List, unreachable: List, rules: Rules) -> Result<(), Undefined> {
    subtract_internal(heap, young, rules)?;
    let shallow = rules.has(Switch::BugShallowReachability);
    let mut o = heap.object(young.head()).next;
    while o != young.head() {
        if heap.object(o).gc_refs > 0 {
            let moved_back = heap.object(o).has(Flag::MARK);
            heap.object_mut(o).unset(Flag::MARK);
            if !(shallow && moved_back) {
                walk_reachable(heap, o, young);
            }
            heap.object_mut(o).unset(Flag::COLLECTING);
            o = heap.object(o).next;
        } else {
            let next = heap.object(o).next;
            heap.move_to(unreachable, o);
            // Marked as set aside: a later member may still bring it back.
            heap.object_mut(o).set(Flag::MARK);
            o = next;
        }
    }
    let mut o = heap.object(unreachable.head()).next;
    while o != unreachable.head() {
        heap.object_mut(o).unset(Flag::MARK);
        o = heap.object(o).next;
    }
    Ok(())
}

/// Visits what a reachable member refers to: members set aside go to the tail of `young`, others are marked.
fn walk_reachable(heap: &mut Heap, o: Idx, young: List) {
    heap.traverse(o, |objects, child| {
        let c = &mut objects[child as usize];
        if !c.has(Flag::COLLECTING) {
            return;
        }
        if c.gc_refs == 0 {
            c.gc_refs = 1;
            if c.has(Flag::MARK) {
                let (prev, next) = (c.prev, c.next);
                objects[prev as usize].next = next;
                objects[next as usize].prev = prev;
                let last = objects[young.head() as usize].prev;
                objects[last as usize].next = child;
                objects[young.head() as usize].prev = child;
                let c = &mut objects[child as usize];
                c.prev = last;
                c.next = young.head();
            }
        }
    });
}

/// Takes the collecting flag from every member.
pub fn clear_flags(heap: &mut Heap, list: List) {
    let mut o = heap.object(list.head()).next;
    while o != list.head() {
        heap.object_mut(o).unset(Flag::COLLECTING);
        o = heap.object(o).next;
    }
}

/// True if a member of the list has a reference from outside it: the resurrection check up to 3.8.
///
/// # Errors
/// As [`deduce_unreachable`].
pub fn has_outside_reference(heap: &mut Heap, list: List, rules: Rules) -> Result<bool, Undefined> {
    subtract_internal(heap, list, rules)?;
    let mut o = heap.object(list.head()).next;
    while o != list.head() {
        if heap.object(o).gc_refs > 0 {
            return Ok(true);
        }
        o = heap.object(o).next;
    }
    Ok(false)
}
