//! Deduction of what is unreachable: the order of every list move is exact.
//!
//! The walks look at [`Object`] and the slots only, and each gathers what would otherwise take a walk of its own: how
//! many members there are, and what kinds of objects, so that phases with nothing to do need not look for it.

use super::recorded_rules::AskedRules;
use super::switches::Switch;
use crate::event::Undefined;
use crate::model::heap::{Flag, Heap, Idx, List, Object};
use crate::scenario::{Shape, Shapes};

/// What a walk over a list has met.
#[derive(Clone, Copy, Debug)]
pub struct Members {
    /// How many there are.
    pub count: u32,
    /// Flags that any of them has.
    pub flags: Flag,
    /// Their shapes.
    pub shapes: Shapes,
}

/// What [`deduce_unreachable`] has met.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// The examined set.
    pub set: Members,
    /// The unreachable part of it.
    pub unreachable: Members,
}

impl Members {
    /// A walk that has met nobody.
    pub const NONE: Members = Members { count: 0, flags: Flag::NONE, shapes: Shapes::NONE };

    /// No phase may take it for granted that there is nothing to do.
    #[must_use]
    pub fn anything(self) -> Members {
        Members { flags: Flag::ALL, shapes: Shapes::ALL, ..self }
    }

    /// True if weak references to members, or members that are weak references, may exist.
    pub fn concern_weakrefs(self) -> bool {
        self.flags.has(Flag::WATCHED) || self.shapes.meets(Shapes::WEAKREFS)
    }

    #[inline]
    fn add(&mut self, object: &Object) {
        self.count += 1;
        self.flags = self.flags.and(object.flags());
        self.shapes = self.shapes.with(object.shape);
    }
}

/// Sets `gc_refs` of every member to its reference count less the references from inside the list.
fn subtract_internal(heap: &mut Heap, list: List, rules: &AskedRules) -> Result<Members, Undefined> {
    let dead_is_fine = rules.has(Switch::BugFreeTwice);
    let mut members = Members::NONE;
    let mut o = heap.object(list.head()).next;
    while o != list.head() {
        let object = heap.start_counting(o);
        if object.refcount == 0 && !dead_is_fine {
            return Err(Undefined::DeadTracked);
        }
        members.add(object);
        o = object.next;
    }
    let mut negative = false;
    let twice = rules.has(Switch::BugTraverseTwice);
    let mut o = heap.object(list.head()).next;
    while o != list.head() {
        let next = heap.object(o).next;
        heap.traverse(o, |objects, child| {
            if objects.get(child).has(Flag::COLLECTING) {
                negative |= objects.subtract_reference(child) < 0;
            }
        });
        if twice {
            report_last_item_again(heap, o);
        }
        o = next;
    }
    if rules.has(Switch::BugIgnoreOuterReference) {
        let last = heap.object(list.head()).prev;
        if last != list.head() && heap.object(last).gc_refs > 0 {
            heap.set_gc_refs(last, 0);
        }
    }
    if negative { Err(Undefined::OverReported) } else { Ok(members) }
}

/// The planted bug of a list's `traverse` that reports its last item twice.
fn report_last_item_again(heap: &mut Heap, o: Idx) {
    if heap.object(o).shape != Shape::List {
        return;
    }
    let mut last = None;
    heap.traverse(o, |_, child| {
        last.get_or_insert(child);
    });
    if let Some(child) = last
        && heap.object(child).has(Flag::COLLECTING)
        && heap.object(child).gc_refs > 0
    {
        heap.set_gc_refs(child, heap.object(child).gc_refs - 1);
    }
}

/// The scratch count of a member that is set aside: a later one may still bring it back.
const ASIDE: i32 = -1;

/// Splits `young` into what stays and `unreachable` (appended, flag kept set).
///
/// # Errors
/// [`Undefined`] if a member is dead or a `traverse` reported more references than there are.
pub fn deduce_unreachable(
    heap: &mut Heap,
    young: List,
    unreachable: List,
    rules: &AskedRules,
) -> Result<Found, Undefined> {
    let set = subtract_internal(heap, young, rules)?;
    let shallow = rules.has(Switch::BugShallowReachability);
    let mut aside = Members::NONE;
    let mut back = false;
    let mut o = heap.object(young.head()).next;
    while o != young.head() {
        let object = heap.object(o);
        if object.gc_refs > 0 {
            let moved_back = object.has(Flag::MARK);
            heap.unset(o, Flag::MARK.and(Flag::COLLECTING));
            let skipped = mutant!(SecondPassSkipsFunctions) && unreachable == List::FINAL;
            if !(shallow && moved_back || skipped && heap.object(o).shape == Shape::Function) {
                back |= walk_reachable(heap, o, young);
            }
            o = heap.object(o).next;
        } else {
            o = set_aside(heap, o, young, unreachable, &mut aside);
        }
    }
    if back {
        aside = Members::NONE;
        let mut o = heap.object(unreachable.head()).next;
        while o != unreachable.head() {
            let object = heap.object(o);
            aside.add(object);
            o = object.next;
        }
    }
    Ok(Found { set, unreachable: aside })
}

/// Moves `first` and the members after it that nobody outside refers to, one after the other, and as a whole because
/// that is fewer stores. Where the walk goes on.
fn set_aside(heap: &mut Heap, first: Idx, young: List, unreachable: List, aside: &mut Members) -> Idx {
    let (mut last, mut o) = (first, first);
    while o != young.head() {
        let object = heap.object(o);
        if object.gc_refs > 0 {
            break;
        }
        aside.add(object);
        let next = object.next;
        heap.set_gc_refs(o, ASIDE);
        (last, o) = (o, next);
    }
    heap.unlink_run(first, last);
    heap.append_run(unreachable, first, last);
    o
}

/// Visits what a reachable member refers to: members set aside go to the tail of `young`, others are marked as
/// reachable. True if any was set aside.
#[inline]
fn walk_reachable(heap: &mut Heap, o: Idx, young: List) -> bool {
    let mut back = false;
    heap.traverse(o, |objects, child| {
        let c = objects.get(child);
        if c.gc_refs > 0 || !c.has(Flag::COLLECTING) {
            return;
        }
        if c.gc_refs == ASIDE {
            back = true;
            objects.set(child, Flag::MARK);
            objects.move_to(young, child);
        }
        objects.set_gc_refs(child, 1);
    });
    back
}

/// Takes the collecting flag from every member.
pub fn clear_flags(heap: &mut Heap, list: List) {
    let mut o = heap.object(list.head()).next;
    while o != list.head() {
        heap.unset(o, Flag::COLLECTING);
        o = heap.object(o).next;
    }
}

/// True if a member of the list has a reference from outside it: the resurrection check up to 3.8.
///
/// # Errors
/// As [`deduce_unreachable`].
pub fn has_outside_reference(heap: &mut Heap, list: List, rules: &AskedRules) -> Result<bool, Undefined> {
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
