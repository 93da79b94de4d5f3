//! Objects and their finalizers, deallocation, tracking.

use super::stream::{Stream, acting, finalizable, hidden};
use super::*;
use crate::event::{Code, Event, Spot, Undefined};
use crate::scenario::{Base, Kind, Op, Place, Shape, SlotSet};
use Class::{Collector, TypeFault};

pub(super) const CASES: &[Case] = &[
    case(Invariant::I01, Collector, i01),
    case(Invariant::I01b, Class::Unpromised, i01b),
    Case { release: Some(Release::new(3, 14, 10)), ..case(Invariant::I01b, Class::Documented, i01b) },
    case(Invariant::I02, Collector, i02),
    case(Invariant::I02, Class::Documented, i02_saved),
    case(Invariant::I03, Collector, i03),
    case(Invariant::I04, Collector, i04),
    case(Invariant::I05, Collector, i05),
    case(Invariant::I06, Collector, i06),
    case(Invariant::I07, Collector, i07),
    case(Invariant::I08, Collector, i08),
    case(Invariant::I09, Collector, i09),
    case(Invariant::I10, Collector, i10),
    case(Invariant::I23, Collector, i23),
    case(Invariant::I24, Collector, i24),
    case(Invariant::I24, TypeFault, i24_tracked_by_its_action),
    case(Invariant::I25, Collector, i25),
    case(Invariant::I26, TypeFault, i26),
    case(Invariant::I27, Collector, i27),
    case(Invariant::I31, Collector, i31),
    case(Invariant::I31, Collector, i31_entry),
    case(Invariant::I31, Collector, i31_callback),
    case(Invariant::I32, Collector, i32),
    case(Invariant::I37, Collector, i37),
];

/// Two nodes in a cycle that nothing else holds, and a surprise finalizer behind a slot that is not reported.
pub(super) fn trash_with_surprise(s: &mut Stream) -> [crate::event::ObjId; 3] {
    let a = s.held(0, hidden(2));
    let b = s.node(1);
    let z = s.finalizable(2);
    s.slot(a, 0, Some(b));
    s.slot(b, 0, Some(a));
    s.slot(a, 1, Some(z));
    for var in 0..3 {
        s.var(var, None);
    }
    s.collect(&[(a, 1, Spot::Gen0), (b, 1, Spot::Gen0), (z, 1, Spot::Gen0)], &[]);
    [a, b, z]
}

fn i01(s: &mut Stream, broken: bool) {
    let [a, b, z] = trash_with_surprise(s);
    s.clear(a);
    s.enter(Code::Finalizer, z, None);
    s.snapshot(&[(a, 2, Spot::Collecting), (b, 1, Spot::Collecting), (z, 1, Spot::Gen2)], &[]);
    s.saw(if broken { a } else { z });
    s.leave();
}

pub(super) fn i01b(s: &mut Stream, broken: bool) {
    let [a, _, z] = trash_with_surprise(s);
    s.clear(a);
    s.enter(Code::Finalizer, z, None);
    s.events.push(Event::Saw { object: if broken { a } else { z }, introspection: true });
    s.leave();
}

fn i02(s: &mut Stream, broken: bool) {
    let a = s.node(0);
    let b = s.node(1);
    s.slot(a, 0, Some(a));
    s.var(0, None);
    s.collect(&[(a, 1, Spot::Gen0), (b, 1, Spot::Gen0)], &[]);
    s.clear(a);
    if broken {
        s.var(0, Some(a));
        s.collected(0, &[(a, 1, Spot::Gen2), (b, 1, Spot::Gen2)], &[]);
    } else {
        s.die(a);
        s.collected(1, &[(b, 1, Spot::Gen2)], &[]);
    }
}

/// `DEBUG_SAVEALL` keeps `c`, which reaches what was cleared before it was switched on.
fn i02_saved(s: &mut Stream, broken: bool) {
    s.op(Op::SaveAll { on: true });
    let a = s.node(0);
    let c = s.node(1);
    s.slot(c, 0, Some(c));
    s.slot(c, 1, Some(a));
    s.var(0, None);
    s.var(1, None);
    s.collect(&[(a, 1, Spot::Gen0), (c, 1, Spot::Gen0)], &[]);
    if broken {
        s.clear(a);
    }
    s.collected(2, &[(a, if broken { 1 } else { 2 }, Spot::Gen2), (c, 2, Spot::Gen2)], &[]);
    if !broken {
        s.events.push(Event::Garbage { object: a });
    }
    s.events.push(Event::Garbage { object: c });
    s.op(Op::Look);
}

fn i03(s: &mut Stream, broken: bool) {
    let a = s.node(0);
    s.slot(a, 0, Some(a));
    if !broken {
        s.var(0, None);
    }
    s.collect(&[(a, if broken { 2 } else { 1 }, Spot::Gen0)], &[]);
    s.clear(a);
}

fn i04(s: &mut Stream, broken: bool) {
    let a = s.node(0);
    s.var(0, None);
    s.die(a);
    if broken {
        s.events.push(Event::Free { object: a });
    }
}

fn i05(s: &mut Stream, broken: bool) {
    let a = s.node(0);
    let b = s.node(1);
    s.slot(b, 0, Some(a));
    s.var(0, None);
    if !broken {
        s.slot(b, 0, None);
    }
    s.die(a);
}

fn i06(s: &mut Stream, broken: bool) {
    let a = s.node(0);
    s.slot(a, 0, Some(a));
    s.end(&[(a, if broken { 3 } else { 2 }, Spot::Gen0)], &[]);
}

fn i07(s: &mut Stream, broken: bool) {
    let a = s.finalizable(0);
    for round in 0..if broken { 2 } else { 1 } {
        s.var(0, None);
        s.enter(Code::Finalizer, a, None);
        s.leave();
        if round == 0 && broken {
            s.var(0, Some(a));
        }
    }
    s.die(a);
}

fn i08(s: &mut Stream, broken: bool) {
    let a = s.finalizable(0);
    let b = s.node(1);
    s.slot(a, 0, Some(b));
    s.slot(b, 0, Some(a));
    s.var(0, None);
    s.var(1, None);
    s.collect(&[(a, 1, Spot::Gen0), (b, 1, Spot::Gen0)], &[]);
    if !broken {
        s.enter(Code::Finalizer, a, None);
        s.snapshot(&[(a, 2, Spot::Collecting), (b, 1, Spot::Collecting)], &[]);
        s.leave();
        s.snapshot(&[(a, 2, Spot::Collecting), (b, 1, Spot::Collecting)], &[]);
    }
    s.clear(b);
}

fn i09(s: &mut Stream, broken: bool) {
    let a = s.finalizable(0);
    if !broken {
        s.var(0, None);
    }
    s.enter(Code::Finalizer, a, None);
    s.leave();
}

fn i10(s: &mut Stream, broken: bool) {
    let a = s.finalizable(0);
    s.var(0, None);
    if !broken {
        s.enter(Code::Finalizer, a, None);
        s.leave();
    }
    s.die(a);
}

fn i23(s: &mut Stream, broken: bool) {
    let list = s.held(0, Kind::new(Shape::List));
    let a = s.node(1);
    s.slot(list, 0, Some(a));
    let spot = if broken { Spot::Untracked } else { Spot::Gen0 };
    let other = s.held(2, Kind::new(Shape::Dict));
    s.end(&[(a, 2, Spot::Gen0), (list, 1, spot), (other, 1, Spot::Untracked)], &[]);
}

fn i24(s: &mut Stream, broken: bool) {
    let a = s.node(0);
    if broken {
        s.var(0, None);
        s.end(&[(a, 0, Spot::Gen0)], &[]);
    } else {
        s.end(&[(a, 1, Spot::Gen0)], &[]);
    }
}

fn i24_tracked_by_its_action(s: &mut Stream, broken: bool) {
    s.script(2, &[Op::Track { object: Place::of(Base::Owner) }]);
    let a = s.held(0, acting());
    s.var(0, None);
    s.events.push(Event::Dealloc { object: a });
    s.enter(Code::Dealloc, a, None);
    s.snapshot(&[(a, 1, Spot::Untracked)], &[]);
    s.leave();
    s.snapshot(&[(a, 1, if broken { Spot::Gen0 } else { Spot::Untracked })], &[]);
    s.events.push(Event::Free { object: a });
}

fn i25(s: &mut Stream, broken: bool) {
    let a = s.node(0);
    let b = s.node(1);
    if broken {
        s.end(&[(a, 1, Spot::Gen0)], &[]);
    } else {
        s.end(&[(a, 1, Spot::Gen0), (b, 1, Spot::Gen0)], &[]);
    }
}

fn i26(s: &mut Stream, broken: bool) {
    let mut kind = Kind::new(Shape::Node);
    kind.doubled = SlotSet(u8::from(broken));
    let a = s.held(0, kind);
    let b = s.node(1);
    s.slot(a, 0, Some(b));
    s.collect(&[(a, 1, Spot::Gen0), (b, 2, Spot::Gen0)], &[]);
    s.collected(0, &[(a, 1, Spot::Gen2), (b, 2, Spot::Gen2)], &[]);
}

fn i27(s: &mut Stream, broken: bool) {
    let a = s.node(0);
    s.slot(a, 0, Some(a));
    s.var(0, None);
    s.collect(&[(a, 1, Spot::Gen0)], &[]);
    s.clear(a);
    if broken {
        s.events.push(Event::Undefined { reason: Undefined::CalledCleared });
    }
}

fn i31(s: &mut Stream, broken: bool) {
    s.script(0, &[Op::Look, Op::Raise]);
    let a = s.finalizable(0);
    s.var(0, None);
    s.enter(Code::Finalizer, a, None);
    s.leave();
    if !broken {
        s.unraisable(a);
    }
    s.die(a);
}

/// Between an entry of `gc.callbacks` and the report of its error, what waits in the trashcan dies.
fn i31_entry(s: &mut Stream, broken: bool) {
    s.script(1, &[Op::Look, Op::Raise]);
    let entry = s.callable(0);
    let waiting = s.node(1);
    s.var(1, None);
    s.enter(Code::GcCallback, entry, None);
    s.leave();
    s.die(waiting);
    if !broken {
        s.unraisable(entry);
    }
    s.end(&[(entry, 1, Spot::Gen0)], &[]);
}

/// The same between a callback and the report of its error.
fn i31_callback(s: &mut Stream, broken: bool) {
    s.script(1, &[Op::Look, Op::Raise]);
    let callback = s.callable(0);
    let referent = s.node(1);
    let waiting = s.node(2);
    let weak = s.weak(3, referent, Some(callback));
    s.var(2, None);
    s.var(1, None);
    s.events.push(Event::Dealloc { object: referent });
    s.enter(Code::Callback, callback, Some(weak));
    s.leave();
    s.die(waiting);
    if !broken {
        s.unraisable(callback);
    }
    s.events.push(Event::Free { object: referent });
    s.end(&[(callback, 1, Spot::Gen0), (weak, 1, Spot::Gen0)], &[(weak, None, false)]);
}

fn i32(s: &mut Stream, broken: bool) {
    let a = s.node(0);
    s.collect(&[(a, 1, Spot::Gen0)], &[]);
    s.collected(0, &[(a, 1, if broken { Spot::Gen1 } else { Spot::Gen2 })], &[]);
}

fn i37(s: &mut Stream, broken: bool) {
    let a = s.node(0);
    s.var(0, None);
    if broken {
        s.end(&[(a, 0, Spot::Untracked)], &[]);
    } else {
        s.die(a);
        s.end(&[], &[]);
    }
}

#[test]
fn a_lying_type_takes_the_blame() {
    let mut s = Stream::new();
    let mut kind = Kind::new(Shape::Node);
    kind.doubled = SlotSet(1);
    let d = s.held(0, kind);
    let n = s.node(1);
    s.slot(d, 0, Some(n));
    s.collect(&[(d, 1, Spot::Gen0), (n, 2, Spot::Gen0)], &[]);
    s.clear(n);
    let found = Judge::new().judge(&s.scenario(), &s.events, &declared(None)).to_vec();
    let cleared = found.iter().find(|v| v.invariant == Invariant::I03);
    assert_eq!(cleared.map(|v| v.class), Some(TypeFault));
}

#[test]
fn an_object_without_header_may_be_finalized_again() {
    let mut s = Stream::new();
    let mut kind = finalizable();
    kind.tracking = crate::scenario::Tracking::NoHeader;
    let a = s.held(0, kind);
    for _ in 0..2 {
        s.var(0, None);
        s.enter(Code::Finalizer, a, None);
        s.var(0, Some(a));
        s.leave();
    }
    let found = Judge::new().judge(&s.scenario(), &s.events, &declared(None)).to_vec();
    assert_eq!(found.iter().map(|v| (v.invariant, v.class)).collect::<Vec<_>>(), [(Invariant::I07, Class::Documented)]);
}

/// Code that a collection runs at the end of an operation and that has no effect says nothing of the operation itself.
#[test]
fn what_has_no_effect_in_a_script_takes_no_entry_back() {
    let found = |in_script: bool| {
        let mut s = Stream::new();
        let a = s.callable(0);
        s.op(Op::AddGcCallback { callable: Place::var(0) });
        if in_script {
            s.enter(Code::GcCallback, a, None);
        }
        s.events.push(Event::NoEffect);
        if in_script {
            s.leave();
        }
        s.end(&[(a, 2, Spot::Gen0)], &[]);
        class(&s, Invariant::I06)
    };
    assert_eq!((found(true), found(false)), (None, Some(Collector)));
}
