//! What the shadow heap knows: what holds what, what a collection has found, and what became of weak references.

use super::stream::{Stream, hidden};
use super::*;
use crate::event::{Code, Event, Spot};
use crate::scenario::{Clear, Op, Place, SlotSet};
use Class::Collector;

/// Asserts that a stream of 3.12.1 keeps an invariant, which is judged.
fn keeps(s: &Stream, invariant: Invariant) {
    let mut judge = Judge::new();
    let found = judge.judge(&s.scenario(), &s.events, &declared(Some(Release::new(3, 12, 1)))).to_vec();
    assert_eq!(class_of(&found, invariant), None, "{found:?}");
    assert!(judge.judged(invariant).passed > 0, "{invariant} was not judged: {found:?}");
}

#[test]
fn an_entry_that_was_not_added_holds_nothing() {
    let mut s = Stream::new();
    let c = s.callable(0);
    s.op(Op::AddGcCallback { callable: Place::var(0) });
    s.events.push(Event::NoEffect);
    s.end(&[(c, 1, Spot::Gen0)], &[]);
    keeps(&s, Invariant::I06);
}

#[test]
fn garbage_holds_what_it_lists() {
    let mut s = Stream::new();
    let a = s.node(0);
    s.end(&[(a, 2, Spot::Gen0)], &[]);
    s.events.push(Event::Garbage { object: a });
    keeps(&s, Invariant::I06);
}

#[test]
fn a_weak_reference_holds_its_callback() {
    let mut s = Stream::new();
    let c = s.callable(0);
    let a = s.node(1);
    let w = s.weak(2, a, Some(c));
    s.end(&[(c, 2, Spot::Gen0), (a, 1, Spot::Gen0), (w, 1, Spot::Gen0)], &[(w, Some(a), true)]);
    keeps(&s, Invariant::I06);
}

#[test]
fn slots_are_emptied_together() {
    let mut s = Stream::new();
    let a = s.node(0);
    let b = s.node(1);
    s.slot(a, 0, Some(b));
    s.var(1, None);
    s.slot(a, 0xff, None);
    s.die(b);
    keeps(&s, Invariant::I05);
}

#[test]
fn a_store_into_what_is_being_cleared_may_be_dropped() {
    let mut s = Stream::new();
    let a = s.node(0);
    let b = s.node(1);
    s.slot(a, 0, Some(a));
    s.var(0, None);
    s.collect(&[(a, 1, Spot::Gen0), (b, 1, Spot::Gen0)], &[]);
    s.clear(a);
    s.slot(a, 1, Some(b));
    s.var(1, None);
    s.die(b);
    assert_eq!(class(&s, Invariant::I05), None);
}

#[test]
fn a_slot_that_is_kept_holds() {
    let mut s = Stream::new();
    let a = s.held(0, Kind { clear: Clear::Keeps(SlotSet(1)), ..Kind::new(Shape::Node) });
    let b = s.node(1);
    s.slot(a, 0, Some(b));
    s.slot(a, 1, Some(a));
    s.var(0, None);
    s.var(1, None);
    s.collect(&[(a, 1, Spot::Gen0), (b, 1, Spot::Gen0)], &[]);
    s.clear(a);
    s.die(b);
    assert_eq!(class(&s, Invariant::I05), Some(Collector));
}

/// The collector does not see who holds `b`: it is alive for it, and so must its weak reference be.
#[test]
fn what_a_hidden_edge_holds_is_no_trash() {
    let mut s = Stream::new();
    let a = s.held(0, hidden(1));
    let b = s.node(1);
    let w = s.weak(2, b, None);
    for (slot, object) in [(0, b), (1, a)] {
        s.slot(a, slot, Some(object));
    }
    s.slot(b, 0, Some(b));
    s.var(0, None);
    s.var(1, None);
    let lines = [(a, 1, Spot::Gen0), (b, 2, Spot::Gen0), (w, 1, Spot::Gen0)];
    s.collect(&lines, &[(w, Some(b), false)]);
    s.clear(a);
    s.die(a);
    s.collected(1, &[(b, 1, Spot::Gen2), (w, 1, Spot::Gen2)], &[(w, None, false)]);
    s.op(Op::Look);
    assert_eq!(class(&s, Invariant::I12), Some(Collector));
}

#[test]
fn collections_are_in_a_row_only_without_a_mutator() {
    for disturbed in [false, true] {
        let mut s = Stream::new();
        let a = s.node(0);
        s.slot(a, 0, Some(a));
        s.var(0, None);
        s.collect(&[(a, 1, Spot::Gen0)], &[]);
        for _ in 0..3 {
            s.collected(1, &[(a, 1, Spot::Gen2)], &[]);
            if disturbed {
                s.var(5, None);
            }
            s.collect(&[(a, 1, Spot::Gen2)], &[]);
        }
        assert_eq!(class(&s, Invariant::I20), (!disturbed).then_some(Collector));
    }
}

/// What legacy objects reach is set aside with them, but not a weak reference whose callback the collector has called.
#[test]
fn a_called_weak_reference_is_not_uncollectable() {
    let source = "\
coroner 1

def A():
    pass

a = Node(legacy=A)
a[0] = a
f = Node(call=A)
x = Node()
x[0] = x
a[1] = ref(x, f)
del x
del a
collect(2)
";
    let (found, judge) = judged(source, "cpython-3.12", Release::new(3, 12, 1));
    assert_eq!(class_of(&found, Invariant::I21), None, "{found:?}");
    assert!(judge.judged(Invariant::I21).passed > 0);
}

/// What its own deallocator's finalizer has saved is tracked anew: this collection does not clear it.
#[test]
fn what_left_the_trash_need_not_go() {
    let source = "\
coroner 1

def F():
    self[0] = self

def G():
    del self[0]

f = Node(finalizer=G)
f[1] = f
f[0] = Slotted(finalizer=F)
del f
collect(2)
";
    let (found, judge) = judged(source, "cpython-3.12", Release::new(3, 12, 1));
    assert_eq!(class_of(&found, Invariant::I22), None, "{found:?}");
    assert!(judge.judged(Invariant::I22).passed > 0);
}

#[test]
fn an_emptied_list_holds_nothing() {
    let mut s = Stream::new();
    let c = s.callable(0);
    s.op(Op::AddGcCallback { callable: Place::var(0) });
    s.op(Op::EmptyGcCallbacks);
    s.end(&[(c, 1, Spot::Gen0)], &[]);
    assert_eq!(class(&s, Invariant::I06), None);
}

#[test]
fn a_dead_weak_reference_stays_dead() {
    let mut s = Stream::new();
    let a = s.node(0);
    let w = s.weak(1, a, None);
    let c = s.callable(2);
    s.enter(Code::Call, c, None);
    s.snapshot(&[(a, 1, Spot::Gen0), (w, 1, Spot::Gen0), (c, 1, Spot::Gen0)], &[(w, None, false)]);
    s.answer(w, Some(a));
    s.leave();
    assert_eq!(class(&s, Invariant::I12), Some(Collector));
}

#[test]
fn an_object_that_its_deallocators_finalizer_saves_may_be_young() {
    for finalized in [false, true] {
        let mut s = Stream::new();
        let a = s.finalizable(0);
        s.collect(&[(a, 1, Spot::Gen0)], &[]);
        s.collected(0, &[(a, 1, Spot::Gen2)], &[]);
        s.op(Op::Look);
        s.var(0, None);
        if finalized {
            s.enter(Code::Finalizer, a, None);
        }
        s.var(0, Some(a));
        if finalized {
            s.leave();
        }
        s.end(&[(a, 1, Spot::Gen0)], &[]);
        let expected = if finalized { Class::Unpromised } else { Collector };
        assert_eq!(class(&s, Invariant::I32), Some(expected));
    }
}

/// The collector has cleared a weak reference that is not trash, and does not call its callback.
#[test]
fn a_collection_owes_the_callbacks_of_its_trash() {
    let mut s = Stream::new();
    let a = s.node(0);
    let c = s.callable(1);
    let w = s.weak(2, a, Some(c));
    let z = s.finalizable(3);
    for object in [a, z] {
        s.slot(object, 0, Some(object));
    }
    s.var(0, None);
    s.var(3, None);
    let held = |callbacks: u32| [(c, 1 + callbacks, Spot::Gen0), (w, 1, Spot::Gen0)];
    let [first, second] = held(1);
    s.collect(&[(a, 1, Spot::Gen0), first, second, (z, 1, Spot::Gen0)], &[(w, Some(a), true)]);
    s.enter(Code::Finalizer, z, None);
    let [first, second] = held(0).map(|(object, count, _)| (object, count, Spot::Gen2));
    let trash = |z_count| [first, second, (a, 1, Spot::Collecting), (z, z_count, Spot::Collecting)];
    s.snapshot(&trash(2), &[(w, None, false)]);
    s.leave();
    s.snapshot(&trash(2), &[(w, None, false)]);
    s.clear(a);
    s.die(a);
    assert_eq!(class(&s, Invariant::I14), Some(Collector));
}
