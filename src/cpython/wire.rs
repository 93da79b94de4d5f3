//! The binary form in which scenarios go to the probe: the structs of `probe/probe.h`, little-endian.

use crate::scenario::{Base, Clear, Finalizer, Kind, Op, Place, Scenario, ScriptId, Tracking};

const NOTHING: u8 = 0xff;
/// Bytes of one operation.
const OP_BYTES: usize = 48;

/// Asks for the memory in use after the scenario (`probe.h`).
pub(super) const REPORT_MEMORY: u32 = 1;

/// Appends a scenario: its header, the ends of its bodies, its operations.
pub(super) fn encode(scenario: &Scenario, flags: u32, out: &mut Vec<u8>) {
    let bodies = scenario.bodies();
    let padded = bodies.next_multiple_of(2);
    let size = 16 + padded * 4 + scenario.ops().len() * OP_BYTES;
    for word in [size as u32, scenario.ops().len() as u32, bodies as u32, flags] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    for body in 0..padded {
        out.extend_from_slice(&(scenario.range(body).end as u32).to_le_bytes());
    }
    scenario.ops().iter().for_each(|op| encode_op(op, out));
}

struct Record {
    code: u8,
    small: [u8; 3],
    n: u32,
    places: [Place; 3],
    kind: Option<Kind>,
}

fn encode_op(op: &Op, out: &mut Vec<u8>) {
    let none = Place::NOTHING;
    let mut r = Record { code: 0, small: [0; 3], n: 0, places: [none; 3], kind: None };
    match *op {
        Op::New { dst, kind, items } => {
            r.places = [dst, items[0], items[1]];
            r.kind = Some(kind);
        }
        Op::Set { dst, src } => (r.code, r.places) = (1, [dst, src, none]),
        Op::Deref { dst, weak } => (r.code, r.places) = (2, [dst, weak, none]),
        Op::Look => r.code = 3,
        Op::Scan => r.code = 4,
        Op::Collect { generation } => (r.code, r.small[0]) = (5, generation),
        Op::CollectAtAllocation { after, generation } => (r.code, r.small) = (6, [after, generation, 0]),
        Op::Call { callable } => (r.code, r.places[1]) = (7, callable),
        Op::Raise => r.code = 8,
        Op::Enable => r.code = 9,
        Op::Disable => r.code = 10,
        Op::SetThreshold { thresholds: [a, b, c] } => {
            r.code = 11;
            r.n = u32::from(a) | u32::from(b) << 16;
            r.small = [c as u8, (c >> 8) as u8, 0];
        }
        Op::Freeze => r.code = 12,
        Op::Unfreeze => r.code = 13,
        Op::SaveAll { on } => (r.code, r.small[0]) = (14, u8::from(on)),
        Op::EmptyGarbage => r.code = 15,
        Op::AddGcCallback { callable } => (r.code, r.places[1]) = (16, callable),
        Op::EmptyGcCallbacks => r.code = 17,
        Op::Track { object } => (r.code, r.places[1]) = (18, object),
        Op::Untrack { object } => (r.code, r.places[1]) = (19, object),
        Op::Repeat { times, script } => (r.code, r.small[0], r.n) = (20, times, u32::from(script.0)),
        Op::Build { dst, bulk, kind, count } => {
            (r.code, r.small[0], r.n) = (21, bulk as u8, count);
            r.places[0] = dst;
            r.kind = Some(kind);
        }
        Op::Len { container } => (r.code, r.places[1]) = (22, container),
        Op::Iterate { container, script } => {
            (r.code, r.n) = (23, u32::from(script.0));
            r.places[1] = container;
        }
    }
    out.push(r.code);
    out.extend_from_slice(&r.small);
    out.extend_from_slice(&r.n.to_le_bytes());
    r.places.iter().for_each(|place| encode_place(place, out));
    out.extend_from_slice(&r.kind.map_or([0; 16], |kind| kind_bytes(&kind)));
}

fn encode_place(place: &Place, out: &mut Vec<u8>) {
    let (base, var) = match place.base {
        Base::Nothing => (0, 0),
        Base::Var(var) => (1, var),
        Base::Owner => (2, 0),
        Base::Arg => (3, 0),
    };
    let step = |i: usize| place.path().get(i).copied().unwrap_or(NOTHING);
    out.extend_from_slice(&[base, step(0), step(1), 0]);
    out.extend_from_slice(&var.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
}

fn kind_bytes(kind: &Kind) -> [u8; 16] {
    let script = |id: Option<ScriptId>| id.map_or(NOTHING, |id| id.0);
    let tracking = match kind.tracking {
        Tracking::Tracked => 0,
        Tracking::Untracked => 1,
        Tracking::NoHeader => 2,
    };
    let (keeps, no_clear) = match kind.clear {
        Clear::Keeps(set) => (set.0, 0),
        Clear::Missing => (0, 1),
    };
    let (finalizer, finalizer_script) = match kind.finalizer {
        None => (0, NOTHING),
        Some(Finalizer::Modern(id)) => (1, id.0),
        Some(Finalizer::Legacy(id)) => (2, id.0),
    };
    let flaws = [u8::from(kind.flaws.keeps_tracked), u8::from(kind.flaws.keeps_weakrefs)];
    [
        kind.shape as u8,
        tracking,
        kind.hidden.0,
        kind.doubled.0,
        kind.fickle.0,
        keeps,
        no_clear,
        finalizer,
        finalizer_script,
        script(kind.on_call),
        script(kind.on_dealloc),
        flaws[0],
        flaws[1],
        0,
        0,
        0,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Shape;

    #[test]
    fn a_record_has_the_size_that_the_probe_expects() {
        let kind = Kind::new(Shape::Node);
        let scenario = Scenario::from_bodies(&[
            vec![Op::New { dst: Place::var(3), kind, items: [Place::NOTHING; 2] }, Op::Look],
            vec![Op::Raise],
        ]);
        let mut bytes = Vec::new();
        encode(&scenario, 0, &mut bytes);
        assert_eq!(bytes.len(), 16 + 8 + 3 * OP_BYTES);
        assert_eq!(bytes[..4], (bytes.len() as u32).to_le_bytes());
        assert_eq!(bytes[16..24], [2, 0, 0, 0, 3, 0, 0, 0]);
        assert_eq!(bytes[24 + 8..24 + 16], [1, 0xff, 0xff, 0, 3, 0, 0, 0]);
        assert_eq!(bytes[24 + OP_BYTES], 3);
    }
}
