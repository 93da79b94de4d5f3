//! Weak references, callbacks and weak containers.

use super::stream::{Stream, acting};
use super::*;
use crate::event::{Code, Event, ObjId, Role, Spot, Undefined};
use crate::scenario::{Base, DeallocFlaws, Kind, Op, Place, ScriptId, Shape};
use Class::{Collector, Documented, TypeFault};

pub(super) const CASES: &[Case] = &[
    case(Invariant::I11, Collector, i11),
    case(Invariant::I12, Collector, i12),
    case(Invariant::I05, TypeFault, i05_made_by_its_action),
    case(Invariant::I13, Collector, i13),
    case(Invariant::I13, TypeFault, i13_made_by_its_action),
    case(Invariant::I14, Collector, i14),
    case(Invariant::I15, Collector, i15),
    case(Invariant::I16, Collector, i16),
    case(Invariant::I17, Collector, i17),
    case(Invariant::I17, Documented, i17_finalizer),
    case(Invariant::I30, Collector, i30_length),
    case(Invariant::I30, TypeFault, i30_forgotten),
    case(Invariant::I30, Collector, i30_skipped),
    case(Invariant::I40, Documented, i40),
];

fn i11(s: &mut Stream, broken: bool) {
    let a = s.node(0);
    let c = s.callable(1);
    let w = s.weak(2, a, Some(c));
    s.var(0, None);
    s.events.push(Event::Dealloc { object: a });
    s.enter(Code::Callback, c, Some(w));
    let lines = [(c, 2, Spot::Gen0), (w, 1, Spot::Gen0), (a, 0, Spot::Untracked)];
    s.snapshot(&lines, &[(w, broken.then_some(a), false)]);
    s.leave();
}

fn i12(s: &mut Stream, broken: bool) {
    let a = s.node(0);
    let w = s.weak(1, a, None);
    s.end(&[(a, 1, Spot::Gen0), (w, 1, Spot::Gen0)], &[(w, (!broken).then_some(a), false)]);
}

fn i13(s: &mut Stream, broken: bool) {
    let a = s.node(0);
    let w = s.weak(1, a, None);
    let z = s.finalizable(2);
    s.slot(a, 0, Some(z));
    s.var(2, None);
    s.var(0, None);
    s.events.push(Event::Dealloc { object: a });
    s.enter(Code::Finalizer, z, None);
    s.answer(w, broken.then_some(a));
    s.leave();
}

/// An object whose deallocator's action runs, and a weak reference to it that the action has made.
fn made_by_its_action(s: &mut Stream) -> [ObjId; 2] {
    let a = s.held(0, acting());
    s.var(0, None);
    s.events.push(Event::Dealloc { object: a });
    s.enter(Code::Dealloc, a, None);
    let w = s.weak(1, a, None);
    [a, w]
}

fn i05_made_by_its_action(s: &mut Stream, broken: bool) {
    let [a, _] = made_by_its_action(s);
    s.leave();
    s.events.push(Event::Free { object: a });
    if broken {
        s.events.push(Event::Undefined { reason: Undefined::DanglingWeakref });
    }
}

fn i13_made_by_its_action(s: &mut Stream, broken: bool) {
    let [a, w] = made_by_its_action(s);
    s.answer(w, broken.then_some(a));
    s.leave();
}

fn i14(s: &mut Stream, broken: bool) {
    let a = s.node(0);
    let c = s.callable(1);
    let w = s.weak(2, a, Some(c));
    s.var(0, None);
    s.events.push(Event::Dealloc { object: a });
    if !broken {
        s.enter(Code::Callback, c, Some(w));
        s.snapshot(&[(c, 2, Spot::Gen0), (w, 1, Spot::Gen0), (a, 0, Spot::Untracked)], &[(w, None, false)]);
        s.leave();
    }
    s.events.push(Event::Free { object: a });
}

/// bpo-38006: a weak reference in the trash to an object behind one without GC header.
fn i15(s: &mut Stream, broken: bool) {
    let a = s.node(0);
    let mut blind = Kind::new(Shape::Node);
    blind.tracking = crate::scenario::Tracking::NoHeader;
    let z = s.held(1, blind);
    let c = s.callable(2);
    let w = s.weak(3, z, Some(c));
    s.slot(a, 0, Some(a));
    s.slot(a, 1, Some(z));
    // The weak reference is trash in the broken stream, and held by a variable in the sound one.
    s.slot(a, 2, Some(w));
    s.var(0, None);
    s.var(1, None);
    let held = u32::from(!broken);
    if broken {
        s.var(2, None);
        s.var(3, None);
    }
    let lines = |a_count| {
        [(a, a_count, Spot::Gen0), (c, 1 + held, Spot::Gen0), (w, 1 + held, Spot::Gen0), (z, 1, Spot::NoHeader)]
    };
    s.collect(&lines(1), &[(w, Some(z), true)]);
    s.clear(a);
    s.events.push(Event::Dealloc { object: z });
    s.enter(Code::Callback, c, Some(w));
    s.leave();
    s.events.push(Event::Free { object: z });
}

fn i16(s: &mut Stream, broken: bool) {
    let a = s.node(0);
    let c = s.callable(1);
    let w = s.weak(2, a, Some(c));
    let lines = [(a, 1, Spot::Gen0), (c, 2, Spot::Gen0), (w, 1, Spot::Gen0)];
    if !broken {
        s.var(0, None);
        s.events.push(Event::Dealloc { object: a });
    }
    s.enter(Code::Callback, c, Some(w));
    if broken {
        s.snapshot(&lines, &[(w, None, true)]);
    } else {
        s.snapshot(&[lines[1], lines[2], (a, 0, Spot::Untracked)], &[(w, None, false)]);
    }
    s.leave();
    if broken {
        s.end(&lines, &[(w, None, true)]);
    } else {
        s.events.push(Event::Free { object: a });
        s.end(&[(c, 1, Spot::Gen0), lines[2]], &[(w, None, false)]);
    }
}

fn i17(s: &mut Stream, broken: bool) {
    let a = s.node(0);
    let c = s.callable(1);
    let older = s.weak(2, a, Some(c));
    let newer = s.weak(3, a, Some(c));
    s.var(0, None);
    s.events.push(Event::Dealloc { object: a });
    let order = if broken { [older, newer] } else { [newer, older] };
    for weak in order {
        s.enter(Code::Callback, c, Some(weak));
        s.leave();
    }
    s.events.push(Event::Free { object: a });
}

fn i17_finalizer(s: &mut Stream, broken: bool) {
    let a = s.finalizable(0);
    let c = s.callable(1);
    let w = s.weak(2, a, Some(c));
    s.var(0, None);
    for callback in [broken, !broken] {
        if callback {
            s.enter(Code::Callback, c, Some(w));
        } else {
            s.enter(Code::Finalizer, a, None);
        }
        s.leave();
    }
    s.die(a);
}

/// A weak value dictionary in variable 0 with one entry for an object in variable 1.
pub(super) fn weak_value_dict(s: &mut Stream, value: Kind) -> [crate::event::ObjId; 3] {
    let d = s.held(0, Kind::new(Shape::WeakValueDict));
    let data = s.part(Role::ContainerData);
    let remove = s.part(Role::ContainerRemove);
    s.slot(d, 0, Some(data));
    s.slot(d, 1, Some(remove));
    let v = s.held(1, value);
    s.op(Op::Set { dst: Place::var(0).slot(0), src: Place::var(1) });
    let entry = s.part_of(d, Role::ContainerEntry);
    s.events.push(Event::NewWeak { weak: entry, referent: v, callback: Some(remove) });
    s.slot(data, 0, Some(entry));
    [d, v, entry]
}

fn i30_length(s: &mut Stream, broken: bool) {
    let [d, ..] = weak_value_dict(s, Kind::new(Shape::Node));
    s.op(Op::Len { container: Place::var(0) });
    s.events.push(Event::Length { container: d, len: 1, raw: if broken { 2 } else { 1 } });
}

/// The deallocator of the value forgets the entry of the dictionary.
fn i30_forgotten(s: &mut Stream, broken: bool) {
    let flaws = DeallocFlaws { keeps_weakrefs: true, ..DeallocFlaws::default() };
    let [d, v, _] = weak_value_dict(s, Kind { flaws, ..Kind::new(Shape::Node) });
    if broken {
        s.var(1, None);
        s.die(v);
    }
    s.op(Op::Len { container: Place::var(0) });
    s.events.push(Event::Length { container: d, len: 1, raw: 1 });
}

fn i30_skipped(s: &mut Stream, broken: bool) {
    let [d, v, _] = weak_value_dict(s, Kind::new(Shape::Node));
    s.op(Op::Iterate { container: Place::of(Base::Var(0)), script: ScriptId(2) });
    if !broken {
        s.events.push(Event::Yielded { container: d, entry: v });
    }
    s.op(Op::Look);
}

fn i40(s: &mut Stream, broken: bool) {
    let d = s.held(0, Kind::new(Shape::WeakKeyDict));
    let data = s.part(Role::ContainerData);
    let remove = s.part(Role::ContainerRemove);
    s.slot(d, 0, Some(data));
    s.slot(d, 1, Some(remove));
    let key = s.node(1);
    let value = s.node(2);
    s.op(Op::Set { dst: Place::var(0).slot(0), src: Place::var(1) });
    let entry = s.part_of(d, Role::ContainerEntry);
    s.events.push(Event::NewWeak { weak: entry, referent: key, callback: Some(remove) });
    s.slot(data, 0, Some(entry));
    s.slot(data, 1, Some(value));
    s.slot(value, 0, Some(key));
    s.var(2, None);
    if broken {
        s.var(1, None);
    }
    let key_count = if broken { 1 } else { 2 };
    let lines = |spot| {
        [(d, 1, spot), (data, 1, spot), (remove, 2, spot), (key, key_count, spot), (value, 1, spot), (entry, 1, spot)]
    };
    let weaks = [(entry, Some(key), true)];
    s.collect(&lines(Spot::Gen0), &weaks);
    s.collected(0, &lines(Spot::Gen2), &weaks);
}

#[test]
fn a_referent_that_a_finalizer_saved_is_documented() {
    let mut s = Stream::new();
    let a = s.finalizable(0);
    let w = s.weak(1, a, None);
    s.slot(a, 0, Some(a));
    s.var(0, None);
    s.collect(&[(a, 1, Spot::Gen0), (w, 1, Spot::Gen0)], &[(w, Some(a), false)]);
    s.enter(Code::Finalizer, a, None);
    s.snapshot(&[(w, 1, Spot::Gen2), (a, 2, Spot::Collecting)], &[(w, None, false)]);
    s.var(0, Some(a));
    s.leave();
    s.snapshot(&[(w, 1, Spot::Gen2), (a, 3, Spot::Collecting)], &[(w, None, false)]);
    s.collected(0, &[(w, 1, Spot::Gen2), (a, 2, Spot::Gen2)], &[(w, None, false)]);
    let scenario = s.scenario();
    let classes = |release| {
        let found = Judge::new().judge(&scenario, &s.events, &declared(release)).to_vec();
        found.iter().map(|v| (v.invariant, v.class)).collect::<Vec<_>>()
    };
    assert_eq!(classes(Some(Release::new(3, 12, 1))), [(Invariant::I12, Documented)]);
    // From 3.15 on a weak reference without callback stays alive (gh-135552).
    assert_eq!(classes(Some(Release::new(3, 15, 2))), [(Invariant::I12, Collector)]);
}

/// Seed 32, scenario 347928. Before 3.4 the deallocator clears what `__del__` has made, and calls nothing.
#[test]
fn an_entry_that_a_finalizer_makes_to_its_own_object_stays_before_3_4() {
    let source = "\
coroner 1

def A():
    self[0][0] = self

a = Slotted(finalizer=A)
b = WeakSet()
a[0] = b
del a
len(b)
";
    for (name, release, class) in [
        ("cpython-2.7", Release::new(2, 7, 18), Some(Documented)),
        // The same events from a release that promises more are the collector's fault.
        ("cpython-2.7", Release::new(3, 12, 1), Some(Collector)),
        ("cpython-3.12", Release::new(3, 12, 1), None),
    ] {
        let (found, _) = judged(source, name, release);
        assert_eq!(class_of(&found, Invariant::I30), class, "{name}");
    }
}
