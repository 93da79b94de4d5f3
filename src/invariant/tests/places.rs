//! What invariants look at, place by place: each kind of code, of object and of moment at which something can go wrong.

use super::cases_objects::trash_with_surprise;
use super::cases_weakrefs::weak_value_dict;
use super::stream::{Stream, acting, finalizable};
use super::*;
use crate::event::{Code, Event, Role, Spot};
use crate::scenario::{Kind, Op, Place, ScriptId, Shape};
use Class::Collector;

#[test]
fn cleared_objects_are_seen_by_any_user_code() {
    for code in [Code::Finalizer, Code::LegacyFinalizer, Code::Callback, Code::GcCallback, Code::Dealloc] {
        for called in [false, true] {
            let mut s = Stream::new();
            let [a, _, z] = trash_with_surprise(&mut s);
            s.clear(a);
            s.enter(code, z, None);
            if called {
                s.enter(Code::Call, z, None);
            }
            s.saw(a);
            // The object whose deallocator runs has often been cleared.
            let expected = (code != Code::Dealloc).then_some(Collector);
            assert_eq!(class(&s, Invariant::I01), expected, "{code:?}, called: {called}");
        }
    }
}

#[test]
fn the_first_finalizer_of_a_collection_is_judged() {
    let mut s = Stream::new();
    let a = s.finalizable(0);
    s.slot(a, 0, Some(a));
    s.collect(&[(a, 2, Spot::Gen0)], &[]);
    s.enter(Code::Finalizer, a, None);
    s.snapshot(&[(a, 3, Spot::Gen0)], &[]);
    s.leave();
    assert_eq!(class(&s, Invariant::I09), Some(Collector));
}

#[test]
fn every_way_to_finalize_is_missed() {
    for kind in [finalizable(), legacy()] {
        let mut s = Stream::new();
        let a = s.held(0, kind);
        s.var(0, None);
        s.die(a);
        assert_eq!(class(&s, Invariant::I10), Some(Collector), "{kind:?}");
    }
}

/// One whose referent lives is dead, and its callback has run.
#[test]
fn every_kind_of_weak_reference_is_judged() {
    for shape in [Shape::Ref, Shape::Proxy, Shape::KeyedRef] {
        let mut s = Stream::new();
        let a = s.node(0);
        let c = s.callable(1);
        let w = s.weak_of(shape, 2, a, Some(c));
        let lines = [(a, 1, Spot::Gen0), (c, 2, Spot::Gen0), (w, 1, Spot::Gen0)];
        s.enter(Code::Callback, c, Some(w));
        s.snapshot(&lines, &[(w, None, true)]);
        s.leave();
        s.end(&lines, &[(w, None, true)]);
        for invariant in [Invariant::I12, Invariant::I16] {
            assert_eq!(class(&s, invariant), Some(Collector), "{invariant}: {shape:?}");
        }
    }
}

#[test]
fn an_object_in_the_trashcan_is_no_answer() {
    let mut s = Stream::new();
    let a = s.node(0);
    let w = s.weak(1, a, None);
    let z = s.finalizable(2);
    s.var(0, None);
    s.var(2, None);
    s.enter(Code::Finalizer, z, None);
    let lines = [(w, 1, Spot::Gen0), (z, 1, Spot::Gen0), (a, 0, Spot::Untracked)];
    s.snapshot(&lines, &[(w, Some(a), false)]);
    s.answer(w, Some(a));
    s.leave();
    assert_eq!(class(&s, Invariant::I13), Some(Collector));
}

#[test]
fn legacy_objects_must_be_listed() {
    for listed in [false, true] {
        let mut s = Stream::new();
        let a = s.held(0, legacy());
        s.slot(a, 0, Some(a));
        s.var(0, None);
        s.collect(&[(a, 1, Spot::Gen0)], &[]);
        s.events.push(Event::CollectEnd { generation: 2, returned: 1, uncollectable: 1 });
        s.snapshot(&[(a, 1 + u32::from(listed), Spot::Gen2)], &[]);
        if listed {
            s.events.push(Event::Garbage { object: a });
        }
        s.op(Op::Look);
        assert_eq!(class(&s, Invariant::I21), (!listed).then_some(Collector));
    }
}

#[test]
fn every_shape_that_is_cleared_must_go() {
    for shape in [Shape::Node, Shape::Typed, Shape::List, Shape::Dict, Shape::Slotted, Shape::Instance, Shape::Cell] {
        let mut s = Stream::new();
        let r = s.finalizable(0);
        let p = s.held(1, Kind::new(shape));
        for (var, object) in [(0, r), (1, p)] {
            s.slot(object, 0, Some(object));
            s.var(var, None);
        }
        s.collect(&[(r, 1, Spot::Gen0), (p, 1, Spot::Gen0)], &[]);
        s.enter(Code::Finalizer, r, None);
        s.snapshot(&[(r, 2, Spot::Collecting), (p, 1, Spot::Collecting)], &[]);
        s.var(0, Some(r));
        s.leave();
        s.snapshot(&[(r, 3, Spot::Collecting), (p, 1, Spot::Collecting)], &[]);
        s.collected(0, &[(r, 2, Spot::Gen2), (p, 1, Spot::Gen2)], &[]);
        s.op(Op::Look);
        assert_eq!(class(&s, Invariant::I22), Some(Collector), "{shape:?}");
    }
}

#[test]
fn lists_are_in_order() {
    for in_order in [false, true] {
        let mut s = Stream::new();
        let a = s.node(0);
        let b = s.node(1);
        let (first, second) = if in_order { (a, b) } else { (b, a) };
        s.collect(&[(a, 1, Spot::Gen0), (b, 1, Spot::Gen0)], &[]);
        s.collected(0, &[(a, 1, Spot::Gen2), (b, 1, Spot::Gen2)], &[]);
        s.op(Op::Freeze);
        let spot = |object| if object == b { Spot::Permanent } else { Spot::Gen2 };
        s.end(&[(first, 1, spot(first)), (second, 1, spot(second))], &[]);
        assert_eq!(class(&s, Invariant::I25), (!in_order).then_some(Collector));
    }
}

#[test]
fn an_object_is_cleared_once() {
    let mut s = Stream::new();
    let a = s.node(0);
    s.slot(a, 0, Some(a));
    s.var(0, None);
    s.collect(&[(a, 1, Spot::Gen0)], &[]);
    s.clear(a);
    s.clear(a);
    assert_eq!(class(&s, Invariant::I27), Some(Collector));
}

#[test]
fn every_weak_container_tells_its_length() {
    for shape in [Shape::WeakSet, Shape::WeakValueDict, Shape::WeakKeyDict] {
        for len in [1, 2] {
            let mut s = Stream::new();
            let d = s.held(0, Kind::new(shape));
            let data = s.part(Role::ContainerData);
            let remove = s.part(Role::ContainerRemove);
            s.slot(d, 0, Some(data));
            s.slot(d, 1, Some(remove));
            s.op(Op::Len { container: Place::var(0) });
            s.events.push(Event::Length { container: d, len, raw: 2 });
            assert_eq!(class(&s, Invariant::I30), (len != 2).then_some(Collector), "{shape:?}");
        }
    }
}

#[test]
fn the_mutator_sees_nothing_cleared() {
    let mut s = Stream::new();
    let a = s.node(0);
    s.slot(a, 0, Some(a));
    s.var(0, None);
    s.collect(&[(a, 1, Spot::Gen0)], &[]);
    s.clear(a);
    s.collected(0, &[(a, 1, Spot::Gen2)], &[]);
    s.op(Op::Look);
    s.saw(a);
    assert_eq!(class(&s, Invariant::I02), Some(Collector));
}

#[test]
fn a_death_begins_once() {
    let mut s = Stream::new();
    let a = s.node(0);
    s.var(0, None);
    s.events.extend([Event::Dealloc { object: a }; 2]);
    assert_eq!(class(&s, Invariant::I04), Some(Collector));
}

#[test]
fn a_death_ends() {
    let mut s = Stream::new();
    let a = s.node(0);
    s.var(0, None);
    s.events.push(Event::Dealloc { object: a });
    s.end(&[], &[]);
    assert_eq!(class(&s, Invariant::I37), Some(Collector));
}

#[test]
fn a_freed_object_is_not_spoken_of() {
    let mut s = Stream::new();
    let a = s.node(0);
    let b = s.node(1);
    s.var(0, None);
    s.die(a);
    s.slot(b, 0, Some(a));
    assert_eq!(class(&s, Invariant::I05), Some(Collector));
}

#[test]
fn an_action_of_a_cleared_object_is_its_types_fault() {
    let mut s = Stream::new();
    let a = s.held(0, acting());
    s.slot(a, 0, Some(a));
    s.var(0, None);
    s.collect(&[(a, 1, Spot::Gen0)], &[]);
    s.clear(a);
    s.events.push(Event::Dealloc { object: a });
    s.enter(Code::Dealloc, a, None);
    s.leave();
    assert_eq!(class(&s, Invariant::I08), Some(Class::TypeFault));
}

#[test]
fn what_a_legacy_object_keeps_is_not_finalized() {
    let mut s = Stream::new();
    let a = s.held(0, legacy());
    let b = s.finalizable(1);
    s.slot(a, 0, Some(a));
    s.slot(a, 1, Some(b));
    s.var(0, None);
    s.var(1, None);
    s.collect(&[(a, 1, Spot::Gen0), (b, 1, Spot::Gen0)], &[]);
    s.enter(Code::Finalizer, b, None);
    s.leave();
    assert_eq!(class(&s, Invariant::I09), Some(Collector));
}

/// An object that dies, the callable of a weak reference to it, and the weak reference.
fn watched_death(s: &mut Stream) -> [crate::event::ObjId; 3] {
    let a = s.node(0);
    let c = s.callable(1);
    let w = s.weak(2, a, Some(c));
    s.var(0, None);
    s.events.push(Event::Dealloc { object: a });
    s.enter(Code::Callback, c, Some(w));
    [a, c, w]
}

#[test]
fn a_callback_asks_its_weak_reference() {
    let mut s = Stream::new();
    let [a, _, w] = watched_death(&mut s);
    s.answer(w, Some(a));
    assert_eq!(class(&s, Invariant::I11), Some(Collector));
}

#[test]
fn a_callback_is_called_once() {
    let mut s = Stream::new();
    let [_, c, w] = watched_death(&mut s);
    s.leave();
    s.enter(Code::Callback, c, Some(w));
    s.leave();
    assert_eq!(class(&s, Invariant::I14), Some(Collector));
}

#[test]
fn a_dying_object_is_in_no_list() {
    let mut s = Stream::new();
    let [a, c, w] = watched_death(&mut s);
    s.snapshot(&[(a, 1, Spot::Gen0), (c, 2, Spot::Gen0), (w, 2, Spot::Gen0)], &[(w, None, false)]);
    s.leave();
    assert_eq!(class(&s, Invariant::I24), Some(Collector));
}

#[test]
fn a_collection_calls_no_callback_of_its_trash() {
    let mut s = Stream::new();
    let a = s.node(0);
    let c = s.callable(1);
    let w = s.weak(2, a, Some(c));
    for (slot, object) in (0..).zip([a, c, w]) {
        s.slot(a, slot, Some(object));
        s.var(u16::from(slot), None);
    }
    s.collect(&[(a, 1, Spot::Gen0), (c, 2, Spot::Gen0), (w, 1, Spot::Gen0)], &[(w, Some(a), true)]);
    s.enter(Code::Callback, c, Some(w));
    s.leave();
    assert_eq!(class(&s, Invariant::I15), Some(Collector));
}

#[test]
fn uncollectable_objects_are_counted() {
    for uncollectable in [0, 1] {
        let mut s = Stream::new();
        let a = s.held(0, legacy());
        s.slot(a, 0, Some(a));
        s.var(0, None);
        s.collect(&[(a, 1, Spot::Gen0)], &[]);
        s.events.push(Event::CollectEnd { generation: 2, returned: 1, uncollectable });
        s.snapshot(&[(a, 2, Spot::Gen2)], &[]);
        s.events.push(Event::Garbage { object: a });
        s.op(Op::Look);
        assert_eq!(class(&s, Invariant::I21), (uncollectable == 0).then_some(Collector));
    }
}

#[test]
fn a_collection_leaves_counts_alone() {
    let mut s = Stream::new();
    let a = s.node(0);
    s.collect(&[(a, 1, Spot::Gen0)], &[]);
    s.collected(0, &[(a, 2, Spot::Gen2)], &[]);
    s.op(Op::Look);
    assert_eq!(class(&s, Invariant::I26), Some(Collector));
}

#[test]
fn a_removal_takes_no_live_entry() {
    let mut s = Stream::new();
    let [d, v, entry] = weak_value_dict(&mut s, Kind::new(Shape::Node));
    let [data, remove] = [1, 2].map(|after| crate::event::ObjId::from_index(d.index() as u32 + after));
    s.enter(Code::Callback, remove, Some(entry));
    s.snapshot(&[(v, 1, Spot::Gen0)], &[(entry, Some(v), true)]);
    s.slot(data, 0, None);
    s.leave();
    assert_eq!(class(&s, Invariant::I30), Some(Collector));
}

#[test]
fn an_iteration_shows_an_entry_once() {
    let mut s = Stream::new();
    let d = s.held(0, Kind::new(Shape::WeakSet));
    let v = s.node(1);
    s.op(Op::Iterate { container: Place::var(0), script: ScriptId(2) });
    s.events.extend([Event::Yielded { container: d, entry: v }; 2]);
    s.op(Op::Look);
    assert_eq!(class(&s, Invariant::I30), Some(Collector));
}

#[test]
fn older_generations_are_not_cleared() {
    let mut s = Stream::new();
    s.generation = 0;
    let a = s.node(0);
    s.slot(a, 0, Some(a));
    s.var(0, None);
    s.collect(&[(a, 1, Spot::Gen2)], &[]);
    s.clear(a);
    assert_eq!(class(&s, Invariant::I32), Some(Collector));
}
