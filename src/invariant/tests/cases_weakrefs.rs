//! Weak references, callbacks and weak containers.

use super::stream::{Stream, acting};
use super::*;
use crate::event::{Code, Event, ObjId, Role, Spot, Undefined};
use crate::scenario::{Base, DeallocFlaws, Kind, Op, Place, ScriptId, Shape};
use Class::{Collector, Documented, TypeFault};

pub(super) const CASES: &[Case] = &[
    case(Invariant::I11, Collector, i11),
    case(Invariant::I12, Collector, i12),
    case(Invariant::I12, Collector, i12_answer),
    case(Invariant::I05, TypeFault, i05_made_by_its_action),
    case(Invariant::I13, Collector, i13),
    case(Invariant::I13, TypeFault, i13_made_by_its_action),
    case(Invariant::I14, Collector, i14),
    case(Invariant::I15, Collector, i15),
    case(Invariant::I16, Collector, i16),
    case(Invariant::I17, Collector, i17),
    case(Invariant::I17, Class::Unpromised, i17_finalizer),
    case(Invariant::I30, Collector, i30_length),
    case(Invariant::I30, TypeFault, i30_forgotten),
    case(Invariant::I30, Collector, i30_skipped),
    case(Invariant::I40, Documented, i40),
    case(Invariant::I52, Collector, i52_older),
    case(Invariant::I52, Collector, i52_saved),
    case(Invariant::I52, Documented, i52_younger),
    case(Invariant::I52, Documented, i52_clearing),
    Case { release: Some(Release::new(3, 14, 10)), ..case(Invariant::I52, Collector, i52_clearing) },
    Case { release: Some(Release::new(3, 14, 10)), ..case(Invariant::I52, Documented, i52_made_late) },
    Case { release: Some(Release::new(3, 15, 2)), ..case(Invariant::I52, Documented, i52_older) },
    Case { release: Some(Release::new(3, 15, 2)), ..case(Invariant::I52, Collector, i52_armed) },
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

/// The snapshots show nothing: the mutator asks and is told that a live object is gone.
fn i12_answer(s: &mut Stream, broken: bool) {
    let a = s.node(0);
    let w = s.weak(1, a, None);
    s.answer(w, (!broken).then_some(a));
    s.end(&[(a, 1, Spot::Gen0), (w, 1, Spot::Gen0)], &[(w, Some(a), false)]);
}

pub(super) fn i13(s: &mut Stream, broken: bool) {
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

pub(super) fn i13_made_by_its_action(s: &mut Stream, broken: bool) {
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

pub(super) fn i17_finalizer(s: &mut Stream, broken: bool) {
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

/// A collection that finds two objects, calls the finalizer of the first and begins the second's. The first has a weak
/// reference with this callback, which its own finalizer reads too.
fn two_finalizers(s: &mut Stream, callback: Option<ObjId>, saved: bool) -> [ObjId; 2] {
    let (a, b) = (s.finalizable(0), s.finalizable(1));
    let w = s.weak(2, a, callback);
    for (var, object) in [(0, a), (1, b)] {
        s.slot(object, 0, Some(object));
        s.var(var, None);
    }
    let mut lines = vec![(a, 1, Spot::Gen0), (b, 1, Spot::Gen0), (w, 1, Spot::Gen0)];
    lines.extend(callback.map(|c| (c, 2, Spot::Gen0)));
    s.collect(&lines, &[(w, Some(a), callback.is_some())]);
    s.enter(Code::Finalizer, a, None);
    s.answer(w, Some(a));
    if saved {
        s.var(0, Some(a));
    }
    s.leave();
    s.enter(Code::Finalizer, b, None);
    [a, w]
}

fn i52_older(s: &mut Stream, broken: bool) {
    let [a, w] = two_finalizers(s, None, false);
    s.answer(w, broken.then_some(a));
    s.leave();
}

fn i52_armed(s: &mut Stream, broken: bool) {
    let c = s.callable(3);
    let [a, w] = two_finalizers(s, Some(c), false);
    s.answer(w, broken.then_some(a));
    s.leave();
}

/// The finalizer saved its object: a variable holds that, or not any more.
fn i52_saved(s: &mut Stream, broken: bool) {
    let [a, w] = two_finalizers(s, None, true);
    if broken {
        s.var(0, None);
    }
    s.answer(w, Some(a));
    s.leave();
}

fn i52_younger(s: &mut Stream, broken: bool) {
    let [a, _] = two_finalizers(s, None, false);
    let w = s.weak(4, a, None);
    s.answer(w, broken.then_some(a));
    s.leave();
}

/// Finalizers are over and an object has been cleared, of which the other's action hears.
fn clearing_after_finalizers(s: &mut Stream, late: bool, broken: bool) {
    let (a, b) = (s.finalizable(0), s.held(1, acting()));
    for (var, object) in [(0, a), (1, b)] {
        s.slot(object, 0, Some(object));
        s.var(var, None);
    }
    s.collect(&[(a, 1, Spot::Gen0), (b, 1, Spot::Gen0)], &[]);
    s.enter(Code::Finalizer, a, None);
    let early = s.weak(2, a, None);
    s.leave();
    s.clear(b);
    s.events.push(Event::Dealloc { object: b });
    s.enter(Code::Dealloc, b, None);
    let w = if late { s.weak(3, a, None) } else { early };
    s.answer(w, broken.then_some(a));
    s.leave();
}

fn i52_clearing(s: &mut Stream, broken: bool) {
    clearing_after_finalizers(s, false, broken);
}

fn i52_made_late(s: &mut Stream, broken: bool) {
    clearing_after_finalizers(s, true, broken);
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

/// Seed 32, scenario 347928. Before 3.4 the deallocator clears what `__del__` has made, and calls nothing: no text of 2.7
/// lets entries of dead objects stay.
#[test]
fn an_entry_that_a_finalizer_makes_to_its_own_object_must_go_before_3_4_too() {
    let source = "\
coroner 1

def A():
    self[0][0] = self

a = Slotted(finalizer=A)
b = ComposedWeakSet()
a[0] = b
del a
len(b)
";
    for (name, release, class) in
        [("cpython-2.7", Release::new(2, 7, 18), Some(Collector)), ("cpython-3.12", Release::new(3, 12, 1), None)]
    {
        let (found, _) = judged(source, name, release);
        assert_eq!(class_of(&found, Invariant::I30), class, "{name}");
    }
}

/// Weak references that a finalizer makes to its own trash are cleared from 3.13.13, 3.14.4 and 3.15 on, as NEWS says, which
/// says nothing of callbacks and entries: these are due whoever made them. Before 3.4 `__del__` loses both by count, too.
#[test]
fn what_a_finalizer_makes_is_due_like_everything_else() {
    let body = |del: &str, rest: &str| {
        format!(
            "coroner 1\n\ndef C():\n    pass\n\ndef A():\n    {del}\n\nc = Node(call=C)\nd = ComposedWeakSet()\na = Slotted(finalizer=A)\n{rest}"
        )
    };
    let (callback, entry) = ("late = ref(self, c)", "d[0] = self");
    let (cycle, count) = ("a[0] = a\ndel a\ncollect(2)\nlen(d)\n", "del a\nlen(d)\n");
    for (name, release, del, rest, invariant, class) in [
        ("cpython-3.15", Release::new(3, 15, 2), callback, cycle, Invariant::I14, Some(Collector)),
        ("cpython-3.15", Release::new(3, 15, 2), entry, cycle, Invariant::I30, Some(Collector)),
        ("cpython-3.13.13", Release::new(3, 13, 13), callback, cycle, Invariant::I14, Some(Collector)),
        ("cpython-3.13.0", Release::new(3, 13, 0), callback, cycle, Invariant::I14, None),
        ("cpython-3.13.0", Release::new(3, 13, 0), entry, cycle, Invariant::I30, None),
        ("cpython-3.15", Release::new(3, 15, 2), callback, count, Invariant::I14, None),
        ("cpython-3.15", Release::new(3, 15, 2), entry, count, Invariant::I30, None),
        ("cpython-2.7", Release::new(2, 7, 18), callback, count, Invariant::I14, Some(Collector)),
        ("cpython-2.7", Release::new(2, 7, 18), entry, count, Invariant::I30, Some(Collector)),
    ] {
        let (found, _) = judged(&body(del, rest), name, release);
        assert_eq!(class_of(&found, invariant), class, "{name}: {del}, {rest}: {found:?}");
    }
}

/// Up to 3.7 no text forbids that a weak reference in trash calls its callback when a finalizer drops a referent that is
/// no trash; from 3.8 on one does, and from 3.15 on it happens again. What is trash with its referent is silent on all.
#[test]
fn the_callback_of_trash_is_nobodys_fault_before_anything_is_cleared() {
    let source = include_str!("../../../regressions/C01-bpo-38006-A05.scn");
    for (name, release, class) in [
        ("cpython-3.7", Release::new(3, 7, 16), None),
        ("cpython-3.15", Release::new(3, 15, 2), Some(Class::Unpromised)),
        ("cpython-3.15", Release::new(3, 8, 18), Some(Collector)),
        ("cpython-3.8", Release::new(3, 8, 18), None),
    ] {
        let (found, _) = judged(source, name, release);
        assert_eq!(class_of(&found, Invariant::I15), class, "{name}");
    }
}

/// Seed 3, scenario 47626. A weak reference that a finalizer of one collection made, and the next one cleared before its
/// finalizers ran: that is no second clearing, whatever the release.
#[test]
fn what_was_made_in_an_earlier_collection_is_cleared_like_everything_else() {
    let source = "\
coroner 1

def A():
    b = self
    c = ref(b)

def B():
    a = self

a = Node(finalizer=A)
b = Node(finalizer=B)
a[0] = a
del a
b[0] = b
collect(2)
del b
collect(2)
";
    let (found, _) = judged(source, "cpython-3.8", Release::new(3, 8, 18));
    assert_eq!(class_of(&found, Invariant::I12), Some(Documented));
}
