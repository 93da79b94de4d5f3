//! Writes the binary form.

use super::super::{Base, Clear, Finalizer, Kind, Op, Place, Scenario, ScriptId, SlotSet, Tracking};
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
    match *op {
        Op::New { dst, kind, items } => {
            out.push(tag::NEW);
            place(out, dst);
            write_kind(out, &kind);
            items[..kind.shape.items()].iter().for_each(|item| place(out, *item));
        }
        Op::Set { dst, src } => {
            out.push(tag::SET);
            place(out, dst);
            place(out, src);
        }
        Op::Deref { dst, weak } => {
            out.push(tag::DEREF);
            place(out, dst);
            place(out, weak);
        }
        Op::Look => out.push(tag::LOOK),
        Op::Scan => out.push(tag::SCAN),
        Op::Collect { generation } => out.extend([tag::COLLECT, generation]),
        Op::CollectAtAllocation { after, generation } => {
            out.extend([tag::COLLECT_AT_ALLOCATION, after, generation]);
        }
        Op::Call { callable } => with_place(out, tag::CALL, callable),
        Op::Raise => out.push(tag::RAISE),
        Op::Enable => out.push(tag::ENABLE),
        Op::Disable => out.push(tag::DISABLE),
        Op::SetThreshold { thresholds } => {
            out.push(tag::SET_THRESHOLD);
            thresholds.iter().for_each(|t| out.extend(t.to_le_bytes()));
        }
        Op::Freeze => out.push(tag::FREEZE),
        Op::Unfreeze => out.push(tag::UNFREEZE),
        Op::SaveAll { on } => out.extend([tag::SAVE_ALL, u8::from(on)]),
        Op::EmptyGarbage => out.push(tag::EMPTY_GARBAGE),
        Op::AddGcCallback { callable } => with_place(out, tag::ADD_GC_CALLBACK, callable),
        Op::EmptyGcCallbacks => out.push(tag::EMPTY_GC_CALLBACKS),
        Op::Track { object } => with_place(out, tag::TRACK, object),
        Op::Untrack { object } => with_place(out, tag::UNTRACK, object),
        Op::Repeat { times, script } => out.extend([tag::REPEAT, times, script.0]),
        Op::Build { dst, bulk, kind, count } => {
            out.push(tag::BUILD);
            place(out, dst);
            out.push(bulk as u8);
            number(out, count);
            write_kind(out, &kind);
        }
        Op::Len { container } => with_place(out, tag::LEN, container),
        Op::Iterate { container, script } => {
            with_place(out, tag::ITERATE, container);
            out.push(script.0);
        }
    }
}

fn with_place(out: &mut Vec<u8>, tag: u8, operand: Place) {
    out.push(tag);
    place(out, operand);
}

fn place(out: &mut Vec<u8>, place: Place) {
    let (base, var) = match place.base {
        Base::Nothing => (0, 0),
        Base::Var(var) => (1, var),
        Base::Owner => (2, 0),
        Base::Arg => (3, 0),
    };
    let path = place.path();
    out.push(base | (path.len() as u8) << 2 | (var.min(WIDE_VAR) as u8) << 4);
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
    let has_clear = missing || kept != SlotSet::NONE;
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
        (kind.flaws.keeps_weakrefs, rare::KEEPS_WEAKREFS),
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
