//! Every form of a scenario has everything that it says: each property of a kind, and each operand of an operation.

use std::collections::BTreeSet;

use super::{
    Bulk, Clear, DeallocFlaws, Finalizer, Kind, MAX_COUNT, OPERATIONS, Op, Place, Scenario, ScriptId, Shape, SlotSet,
    Tracking, binary, layout, text,
};

/// A node with one property, and where the record for the probe has it: the byte of the kind, and its value.
fn properties() -> Vec<(Kind, usize, u8)> {
    let (node, script) = (Kind::new(Shape::Node), ScriptId(1));
    let flaws = |keeps_tracked, keeps_weakrefs| DeallocFlaws { keeps_tracked, keeps_weakrefs };
    let mut all = vec![
        (Kind::new(Shape::Typed), 0, Shape::Typed as u8),
        (Kind { tracking: Tracking::Untracked, ..node }, 1, 1),
        (Kind { tracking: Tracking::NoHeader, ..node }, 1, 2),
        (Kind { clear: Clear::Missing, ..node }, 6, 1),
        (Kind { finalizer: Some(Finalizer::Modern(script)), ..node }, 7, 1),
        (Kind { finalizer: Some(Finalizer::Modern(script)), ..node }, 8, 1),
        (Kind { finalizer: Some(Finalizer::Legacy(script)), ..node }, 7, 2),
        (Kind { finalizer: Some(Finalizer::Legacy(script)), ..node }, 8, 1),
        (Kind { on_call: Some(script), ..node }, 9, 1),
        (Kind { on_dealloc: Some(script), ..node }, 10, 1),
        (Kind { flaws: flaws(true, false), ..node }, 11, 1),
        (Kind { flaws: flaws(false, true), ..node }, 12, 1),
    ];
    for set in [SlotSet(1), SlotSet(6), SlotSet::ALL] {
        all.extend([
            (Kind { hidden: set, ..node }, 2, set.0),
            (Kind { doubled: set, ..node }, 3, set.0),
            (Kind { fickle: set, ..node }, 4, set.0),
            (Kind { clear: Clear::Keeps(set), ..node }, 5, set.0),
        ]);
    }
    all
}

/// Operations that differ in one operand from another one.
fn operations() -> Vec<Op> {
    let [a, b, none] = [Place::var(0), Place::var(1), Place::NOTHING];
    let mut ops: Vec<Op> = OPERATIONS.iter().filter(|about| about.usages.len() == 1).map(|about| about.blank).collect();
    ops.retain(|op| matches!(op, Op::Look | Op::Scan | Op::Enable | Op::Disable | Op::Freeze | Op::Unfreeze));
    ops.extend([Op::EmptyGarbage, Op::EmptyGcCallbacks, Op::SaveAll { on: true }, Op::SaveAll { on: false }]);
    for place in [a, b, a.slot(0), a.slot(1), a.slot(1).slot(2), a.slot(1).slot(3), b.slot(1).slot(3), a.slot(63)] {
        ops.extend([
            Op::Set { dst: place, src: b },
            Op::Set { dst: place, src: none },
            Op::Set { dst: Place::var(2), src: place },
            Op::Deref { dst: place, weak: b },
            Op::Deref { dst: none, weak: place },
            Op::Call { callable: place },
            Op::AddGcCallback { callable: place },
            Op::Track { object: place },
            Op::Untrack { object: place },
            Op::Len { container: place },
            Op::Iterate { container: place, script: ScriptId(1) },
            Op::New { dst: place, kind: Kind::new(Shape::Ref), items: [b, none] },
            Op::New { dst: none, kind: Kind::new(Shape::Ref), items: [b, place] },
            Op::New { dst: none, kind: Kind::new(Shape::Tuple), items: [place, a] },
        ]);
    }
    ops.extend((0..3).map(|generation| Op::Collect { generation }));
    ops.extend([(1, 0), (1, 2), (9, 0)].map(|(after, generation)| Op::CollectAtAllocation { after, generation }));
    for thresholds in [[1, 2, 3], [4, 2, 3], [1, 4, 3], [1, 2, 4], [0x101, 2, 3], [1, 0x102, 3], [1, 2, 0x103]] {
        ops.push(Op::SetThreshold { thresholds });
    }
    ops.extend([(1, 0), (2, 0), (1, 1)].map(|(times, script)| Op::Repeat { times, script: ScriptId(script) }));
    for bulk in Bulk::ALL {
        for count in [1, 300, 70_000, MAX_COUNT] {
            ops.push(Op::Build { dst: a, bulk, kind: Kind::new(Shape::Node), count });
        }
    }
    ops.push(Op::Build { dst: a, bulk: Bulk::Ring, kind: Kind::new(Shape::Typed), count: 1 });
    ops
}

/// A scenario in normal form that ends with an operation, which names two scripts and two objects.
fn ending_with(op: Op) -> Scenario {
    let new = |var: u16, script: u8| {
        let kind = Kind { on_call: Some(ScriptId(script)), ..Kind::new(Shape::Node) };
        Op::New { dst: Place::var(var), kind, items: [Place::NOTHING; 2] }
    };
    let main = vec![new(0, 0), new(1, 1), op];
    let scenario = Scenario::from_bodies(&[main, vec![Op::Look], vec![Op::Scan]]);
    let normal = scenario.normalize();
    assert_eq!(normal, scenario, "{op:?} is not in normal form");
    normal
}

/// One that creates an object of a kind.
fn creating(kind: Kind) -> Scenario {
    assert_eq!(kind, kind.canonical());
    ending_with(Op::New { dst: Place::var(2), kind, items: [Place::NOTHING; 2] })
}

/// The record of the last operation of the main body, for the probe.
fn record(scenario: &Scenario) -> Vec<u8> {
    let (mut bytes, before) = (Vec::new(), 16 + 4 * scenario.bodies().next_multiple_of(2));
    layout::encode(scenario, 0, &mut bytes);
    let size = (bytes.len() - before) / scenario.ops().len();
    bytes[before..].chunks(size).nth(scenario.main().len() - 1).unwrap().to_vec()
}

fn survives_text(scenario: &Scenario) {
    let printed = text::print(scenario);
    let document = text::parse(&printed).unwrap_or_else(|errors| panic!("{errors:?}\n{printed}"));
    assert_eq!(document.scenario, *scenario, "{printed}");
}

fn survives_binary(scenario: &Scenario) {
    assert_eq!(binary::decode(&binary::encode_to_vec(scenario)).as_ref(), Ok(scenario));
}

#[test]
fn every_property_has_its_bytes_on_the_wire() {
    let plain = record(&creating(Kind::new(Shape::Node)));
    for (kind, at, value) in properties() {
        let bytes = record(&creating(kind));
        assert_eq!(bytes[32 + at], value, "{kind:?}");
        assert_ne!(bytes, plain, "{kind:?}");
    }
}

#[test]
fn every_operand_has_its_bytes_on_the_wire() {
    let ops = operations();
    let records: BTreeSet<Vec<u8>> = ops.iter().map(|op| record(&ending_with(*op))).collect();
    assert_eq!(records.len(), ops.len());
}

#[test]
fn every_property_survives_the_binary_form() {
    properties().into_iter().for_each(|(kind, ..)| survives_binary(&creating(kind)));
}

#[test]
fn every_operand_survives_the_binary_form() {
    operations().into_iter().for_each(|op| survives_binary(&ending_with(op)));
}

#[test]
fn every_property_survives_the_text() {
    properties().into_iter().for_each(|(kind, ..)| survives_text(&creating(kind)));
}

#[test]
fn every_operand_survives_the_text() {
    operations().into_iter().for_each(|op| survives_text(&ending_with(op)));
}
