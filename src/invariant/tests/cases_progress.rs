//! Whether collections that are due run (I39).

use super::stream::Stream;
use super::*;
use crate::event::Role;
use crate::event::{Event, ObjId, Spot};
use crate::scenario::{Bulk, Kind, Op, Place, Shape};
use Class::Collector;

pub(super) const CASES: &[Case] = &[
    case(Invariant::I39, Collector, i39_young),
    case(Invariant::I39, Collector, i39_middle),
    case(Invariant::I39, Collector, i39_switched_off),
];

/// Collections are due: of the young generation after two allocations, of the middle one after four.
fn enabled(s: &mut Stream) -> ObjId {
    s.op(Op::SetThreshold { thresholds: [1, 0, 0] });
    s.op(Op::Enable);
    let a = s.node(0);
    s.slot(a, 0, Some(a));
    a
}

/// New objects that stay, and one operation more.
fn allocate(s: &mut Stream, first: u16, count: u16) {
    for var in first..first + count {
        s.node(var);
    }
    s.op(Op::Look);
}

/// A collection of a younger generation that finds nothing, or the object.
fn collect_younger(s: &mut Stream, generation: u8, a: ObjId, from: Spot, found: bool) {
    let held = 1 + u32::from(!found && from == Spot::Gen0);
    s.events.push(Event::CollectStart { generation, automatic: true });
    s.snapshot(&[(a, held, from)], &[]);
    if found {
        s.clear(a);
        s.die(a);
    }
    s.events.push(Event::CollectEnd { generation, returned: u32::from(found), uncollectable: 0 });
    if found {
        s.snapshot(&[], &[]);
    } else {
        s.snapshot(&[(a, held, Spot::Gen1)], &[]);
    }
}

fn i39_young(s: &mut Stream, broken: bool) {
    let a = enabled(s);
    s.var(0, None);
    s.op(Op::Look);
    if !broken {
        collect_younger(s, 0, a, Spot::Gen0, true);
    }
    allocate(s, 1, 3);
}

fn i39_middle(s: &mut Stream, broken: bool) {
    let a = enabled(s);
    collect_younger(s, 0, a, Spot::Gen0, false);
    s.op(Op::Look);
    s.var(0, None);
    s.op(Op::Look);
    if !broken {
        collect_younger(s, 1, a, Spot::Gen1, true);
    }
    allocate(s, 1, 5);
}

/// What is allocated while collection is disabled does not count, and puts nothing off.
fn i39_switched_off(s: &mut Stream, broken: bool) {
    let a = enabled(s);
    s.var(0, None);
    s.op(Op::Disable);
    if broken {
        allocate(s, 1, 5);
    }
    s.op(Op::Enable);
    if broken {
        allocate(s, 6, 3);
    } else {
        collect_younger(s, 0, a, Spot::Gen0, true);
    }
    s.op(Op::Look);
}

#[test]
fn what_is_allocated_while_collection_is_disabled_makes_none_due() {
    let mut s = Stream::new();
    let a = enabled(&mut s);
    s.var(0, None);
    s.op(Op::Disable);
    allocate(&mut s, 1, 9);
    let mut judge = Judge::new();
    let found = judge.judge(&s.scenario(), &s.events, &declared(Some(Release::new(3, 12, 1)))).to_vec();
    assert_eq!((found, a), (Vec::new(), ObjId::from_index(0)));
}

/// An interpreter whose own allocations start collections starts none amid objects that are made in bulk.
#[test]
fn what_is_made_in_bulk_makes_none_due() {
    let found = |in_bulk: bool| {
        let mut s = Stream::new();
        enabled(&mut s);
        s.var(0, None);
        s.op(Op::Look);
        if in_bulk {
            let kind = Kind::new(Shape::Node);
            s.op(Op::Build { dst: Place::var(1), bulk: Bulk::Chain, kind, count: 3 });
            let parts = [(); 3].map(|()| s.part(Role::Named));
            s.var(1, Some(parts[0]));
            s.slot(parts[0], 0, Some(parts[1]));
            s.slot(parts[1], 0, Some(parts[2]));
            s.op(Op::Look);
            s.op(Op::Look);
        } else {
            allocate(&mut s, 1, 3);
        }
        class(&s, Invariant::I39)
    };
    assert_eq!((found(true), found(false)), (None, Some(Collector)));
}
