//! Writes the binary form.

use super::super::{Clear, Finalizer, Kind, Op, Operand, Place, Scenario, ScriptId, Shape, SlotSet, Tracking};
use super::{CLEAR_MISSING, MAGIC, VERSION, WIDE_VAR, flag, rare, tag};

/// Appends the binary form of a scenario to `out`. [`decode`](super::decode) gives back exactly what was written if
/// the scenario is in normal form.
pub fn encode(scenario: &Scenario, out: &mut Vec<u8>) {
    out.extend_from_slice(&MAGIC);
    out.push(VERSION);
    for body in 0..scenario.bodies() {
        if body > 0 {
            out.push(tag::NEXT);
        }
        scenario.body(body).iter().for_each(|op| write(out, op));
    }
    out.push(tag::END);
}

/// The binary form of a scenario.
pub fn encode_to_vec(scenario: &Scenario) -> Vec<u8> {
    let mut out = Vec::new();
    encode(scenario, &mut out);
    out
}

fn write(out: &mut Vec<u8>, op: &Op) {
    out.push(op.opcode() as u8);
    let mut copy = *op;
    let (mut shape, mut members) = (None, None);
    copy.for_each_operand(|operand| match operand {
        Operand::Target(at) | Operand::Assigned(at) | Operand::Source(at) | Operand::Object(at) => place(out, *at),
        Operand::Kind(kind) => {
            shape = Some(kind.shape);
            write_kind(out, kind);
        }
        Operand::Items(items) => {
            let taken = shape.map_or(0, Shape::items);
            items[..taken].iter().for_each(|item| place(out, *item));
        }
        Operand::Graph(kind) => members = Some(*kind),
        Operand::Count(count) => {
            number(out, *count);
            members.iter().for_each(|kind| write_kind(out, kind));
        }
        Operand::Bulk(bulk) => out.push(*bulk as u8),
        Operand::Generation(byte) | Operand::Allocation(byte) | Operand::Times(byte) => out.push(*byte),
        Operand::Thresholds(thresholds) => thresholds.iter().for_each(|t| out.extend(t.to_le_bytes())),
        Operand::SaveAll(on) => out.push(u8::from(*on)),
        Operand::Body(script) => out.push(script.0),
    });
}

fn place(out: &mut Vec<u8>, place: Place) {
    let (base, var) = place.base.parts();
    let path = place.path();
    out.push(base as u8 | (path.len() as u8) << 2 | (var.min(WIDE_VAR) as u8) << 4);
    if var >= WIDE_VAR {
        out.extend(var.to_le_bytes());
    }
    out.extend_from_slice(path);
}

fn number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn write_kind(out: &mut Vec<u8>, kind: &Kind) {
    out.push(kind.shape as u8);
    if !kind.shape.is_extension() {
        if kind.shape.can_finalize() || kind.shape.can_call() {
            let script = kind.finalizer.map(script_of).or(kind.on_call);
            out.push(script.map_or(0, |s| s.0.saturating_add(1)));
        }
        return;
    }
    let mut flags = match kind.tracking {
        Tracking::Tracked => 0,
        Tracking::Untracked => 1,
        Tracking::NoHeader => 2,
    };
    let mut rares = 0;
    let (kept, missing) = match kind.clear {
        Clear::Keeps(set) => (set, false),
        Clear::Missing => (SlotSet(CLEAR_MISSING), true),
    };
    let has_clear = missing || kept != SlotSet::NONE && !mutant!(CodecWithoutKeptSlots);
    for (present, bit) in [
        (kind.hidden != SlotSet::NONE, flag::HIDDEN),
        (has_clear, flag::CLEAR),
        (kind.finalizer.is_some(), flag::FINALIZER),
        (kind.on_call.is_some(), flag::CALL),
        (kind.on_dealloc.is_some(), flag::DEALLOC),
    ] {
        flags |= if present { bit } else { 0 };
    }
    for (present, bit) in [
        (kind.doubled != SlotSet::NONE, rare::DOUBLED),
        (kind.fickle != SlotSet::NONE, rare::FICKLE),
        (kind.flaws.keeps_tracked, rare::KEEPS_TRACKED),
        (kind.flaws.keeps_weakrefs && !mutant!(CodecWithoutWeakrefsFlaw), rare::KEEPS_WEAKREFS),
        (matches!(kind.finalizer, Some(Finalizer::Legacy(_))), rare::LEGACY),
    ] {
        rares |= if present { bit } else { 0 };
    }
    if rares == 0 {
        out.push(flags);
    } else {
        out.extend([flags | flag::RARE, rares]);
    }
    let sets = [kind.hidden, kind.doubled, kind.fickle].into_iter().filter(|set| *set != SlotSet::NONE);
    out.extend(sets.map(|set| set.0));
    if has_clear {
        out.push(kept.0);
    }
    let scripts = [kind.finalizer.map(script_of), kind.on_call, kind.on_dealloc];
    out.extend(scripts.into_iter().flatten().map(|script| script.0));
}

fn script_of(finalizer: Finalizer) -> ScriptId {
    match finalizer {
        Finalizer::Modern(script) | Finalizer::Legacy(script) => script,
    }
}
