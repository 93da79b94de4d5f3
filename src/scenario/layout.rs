//! The layout for C: scenarios as the probe reads them, and the declarations that say so in C.
//!
//! A scenario is a header, the ends of its bodies, and a record for each operation, all little-endian. Numbers and
//! structs are written from the tables here, so that no C file repeats them.

use std::fmt::Write;

use super::operations::Opcode;
use super::place::BaseTag;
use super::{
    Bulk, Clear, Finalizer, Kind, MAX_ITEMS, MAX_VARS, NODE_SLOTS, Numbered, Op, Operand, Place, Property, Scenario,
    ScriptId, Shape, Shapes, Tracking, numbered,
};

/// No script, and no further step of a path.
const NOTHING: u8 = 0xff;
/// Bytes of one operation.
const OP_BYTES: usize = 48;
/// Bytes of one place.
const PLACE_BYTES: usize = 8;

/// A flag of the header: asks for the memory in use after the scenario.
pub(crate) const REPORT_MEMORY: u32 = 1;

numbered! {
    /// Finalizers without their scripts.
    enum FinalizerTag {
        None,
        Modern,
        Legacy,
    }
}

/// The structs. The bytes are written by [`encode`], [`place_bytes`], [`kind_bytes`] and [`encode_op`] in this order.
const STRUCTS: &str = "\
typedef struct { uint32_t size, n_ops, n_bodies, flags; } Header;
typedef struct { uint8_t base, path[2], pad; uint16_t var, pad2; } Place;
typedef struct {
    uint8_t shape, tracking, hidden, doubled, fickle, keeps, no_clear, finalizer;
    uint8_t finalizer_script, on_call, on_dealloc, keeps_tracked, keeps_weakrefs, pad[3];
} Kind;
/* dst: where a result goes; x, y: the other places; a, b, c: small operands, one after the other; n: a count or a
 * script. Three thresholds are n (two) and a, b. */
typedef struct { uint8_t code, a, b, c; uint32_t n; Place dst, x, y; Kind kind; } Op;
";

/// Appends a scenario: its header, the ends of its bodies, its operations.
pub(crate) fn encode(scenario: &Scenario, flags: u32, out: &mut Vec<u8>) {
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

/// Where the parts of a record are.
mod at {
    pub const SMALL: usize = 1;
    pub const N: usize = 4;
    pub const DST: usize = 8;
    pub const PLACES: usize = 16;
    pub const KIND: usize = 32;
}

/// The record of an operation, filled operand by operand.
struct Record {
    bytes: [u8; OP_BYTES],
    /// Where the next small operand and the next place go.
    small: usize,
    place: usize,
}

impl Record {
    fn put<const N: usize>(&mut self, at: usize, bytes: [u8; N]) {
        self.bytes[at..at + N].copy_from_slice(&bytes);
    }

    fn small(&mut self, byte: u8) {
        assert!(self.small < at::N, "three small operands");
        self.bytes[self.small] = byte;
        self.small += 1;
    }

    fn place(&mut self, place: Place) {
        assert!(self.place < at::KIND, "two places that are read");
        self.put(self.place, place_bytes(place));
        self.place += PLACE_BYTES;
    }
}

fn encode_op(op: &Op, out: &mut Vec<u8>) {
    let mut r = Record { bytes: [0; OP_BYTES], small: at::SMALL, place: at::PLACES };
    r.bytes[0] = code(op.opcode());
    for place in [at::DST, at::PLACES, at::PLACES + PLACE_BYTES] {
        r.put(place, place_bytes(Place::NOTHING));
    }
    let mut copy = *op;
    copy.for_each_operand(|operand| match operand {
        Operand::Target(place) | Operand::Assigned(place) => r.put(at::DST, place_bytes(*place)),
        Operand::Source(place) | Operand::Object(place) => r.place(*place),
        Operand::Items(items) => items.iter().for_each(|item| r.place(*item)),
        Operand::Kind(kind) | Operand::Graph(kind) => r.put(at::KIND, kind_bytes(kind)),
        Operand::Bulk(bulk) => r.small(*bulk as u8),
        Operand::Generation(byte) | Operand::Allocation(byte) | Operand::Times(byte) => r.small(*byte),
        Operand::SaveAll(on) => r.small(u8::from(*on)),
        Operand::Count(count) => r.put(at::N, count.to_le_bytes()),
        Operand::Body(script) => r.put(at::N, u32::from(script.0).to_le_bytes()),
        Operand::Thresholds([first, second, third]) => {
            r.put(at::N, first.to_le_bytes());
            r.put(at::N + 2, second.to_le_bytes());
            (if mutant!(WireWithoutThirdThreshold) { 0 } else { *third })
                .to_le_bytes()
                .into_iter()
                .for_each(|byte| r.small(byte));
        }
    });
    out.extend_from_slice(&r.bytes);
}

/// The number of an operation, which counts from 0 here.
fn code(opcode: Opcode) -> u8 {
    opcode.number() - Opcode::ALL[0].number()
}

fn place_bytes(place: Place) -> [u8; PLACE_BYTES] {
    let (base, var) = place.base.parts();
    let steps = if mutant!(WireShortensPaths) { 1 } else { place.path().len() };
    let step = |i: usize| place.path()[..steps.min(place.path().len())].get(i).copied().unwrap_or(NOTHING);
    let [low, high] = var.to_le_bytes();
    [base.number(), step(0), step(1), 0, low, high, 0, 0]
}

fn kind_bytes(kind: &Kind) -> [u8; 16] {
    let script = |id: Option<ScriptId>| id.map_or(NOTHING, |id| id.0);
    let (keeps, no_clear) = match kind.clear {
        Clear::Keeps(set) => (set.0, 0),
        Clear::Missing => (0, 1),
    };
    let (finalizer, finalizer_script) = match kind.finalizer {
        None => (FinalizerTag::None, NOTHING),
        Some(Finalizer::Modern(id)) => (FinalizerTag::Modern, id.0),
        Some(Finalizer::Legacy(id)) if mutant!(WireModernizesLegacy) => (FinalizerTag::Modern, id.0),
        Some(Finalizer::Legacy(id)) => (FinalizerTag::Legacy, id.0),
    };
    let flaws =
        [u8::from(kind.flaws.keeps_tracked), u8::from(kind.flaws.keeps_weakrefs && !mutant!(WireWithoutWeakrefsFlaw))];
    [
        kind.shape.number(),
        kind.tracking.number(),
        kind.hidden.0,
        if mutant!(WireWithoutDoubled) { 0 } else { kind.doubled.0 },
        kind.fickle.0,
        keeps,
        no_clear,
        finalizer.number(),
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

/// The declarations of everything above: limits, enums, sets of shapes, structs.
pub(crate) fn declarations() -> String {
    let mut out = String::new();
    let limits: [(&str, u32); 6] = [
        ("NODE_SLOTS", NODE_SLOTS.into()),
        ("MAX_VARS", MAX_VARS.into()),
        ("MAX_ITEMS", MAX_ITEMS.into()),
        ("NO_STEP", NOTHING.into()),
        ("NO_SCRIPT", NOTHING.into()),
        ("REPORT_MEMORY", REPORT_MEMORY),
    ];
    for (name, value) in limits {
        define(&mut out, name, format_args!("{value}"));
    }
    enumeration::<BaseTag>(&mut out, "BASE");
    enumeration::<Shape>(&mut out, "SHAPE");
    enumeration::<Tracking>(&mut out, "TRACKING");
    enumeration::<FinalizerTag>(&mut out, "FINALIZER");
    enumeration::<Bulk>(&mut out, "BULK");
    list(&mut out, "OP", Opcode::ALL.iter().map(|opcode| (opcode.name(), code(*opcode))));
    for property in Property::ALL {
        let set = Shapes::having(property).bits();
        define(&mut out, &format!("{}_SHAPES", screaming(property.name())), format_args!("UINT64_C({set:#x})"));
    }
    out.push_str(STRUCTS);
    let _ = writeln!(out, "typedef char an_operation_has_{OP_BYTES}_bytes[sizeof(Op) == {OP_BYTES} ? 1 : -1];");
    out
}

/// Appends an enum: each value with its number, its name after a prefix.
pub(crate) fn enumeration<T: Numbered>(out: &mut String, prefix: &str) {
    list(out, prefix, T::VALUES.iter().map(|value| (value.name(), value.number())));
}

// Writing to a string cannot fail.
fn list(out: &mut String, prefix: &str, values: impl Iterator<Item = (&'static str, u8)>) {
    out.push_str("enum {\n");
    for (name, number) in values {
        let _ = writeln!(out, "    {prefix}_{} = {number},", screaming(name));
    }
    out.push_str("};\n");
}

fn define(out: &mut String, name: &str, value: std::fmt::Arguments<'_>) {
    let _ = writeln!(out, "#define {name} {value}");
}

/// `NoHeader` as `NO_HEADER`.
fn screaming(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_uppercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::OPERATIONS;
    use super::*;

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

    #[test]
    fn every_operation_has_room_in_its_record() {
        for (number, operation) in (0..).zip(&OPERATIONS) {
            let mut bytes = Vec::new();
            encode_op(&operation.blank, &mut bytes);
            assert_eq!((bytes.len(), bytes[0]), (OP_BYTES, number), "{:?}", operation.opcode);
        }
    }

    #[test]
    fn operands_are_where_the_structs_say() {
        let record = |op: Op| {
            let mut bytes = Vec::new();
            encode_op(&op, &mut bytes);
            bytes
        };
        let thresholds = record(Op::SetThreshold { thresholds: [0x102, 0x304, 0x506] });
        assert_eq!(thresholds[..8], [11, 6, 5, 0, 2, 1, 4, 3]);
        let iterate = record(Op::Iterate { container: Place::var(1).slot(2), script: ScriptId(7) });
        assert_eq!(iterate[..8], [23, 0, 0, 0, 7, 0, 0, 0]);
        assert_eq!(iterate[8..24], [0, 0xff, 0xff, 0, 0, 0, 0, 0, 1, 2, 0xff, 0, 1, 0, 0, 0]);
        let kind = Kind { finalizer: Some(Finalizer::Legacy(ScriptId(5))), ..Kind::new(Shape::Typed) };
        let build = record(Op::Build { dst: Place::NOTHING, bulk: Bulk::Tree, kind, count: 0x30201 });
        assert_eq!(build[..8], [21, 2, 0, 0, 1, 2, 3, 0]);
        assert_eq!(build[32..], [1, 0, 0, 0, 0, 0, 0, 2, 5, 0xff, 0xff, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn the_declarations_name_what_the_tables_have() {
        let declarations = declarations();
        for line in [
            "#define MAX_VARS 1024",
            "    BASE_ARG = 3,",
            "    SHAPE_WEAK_VALUE_DICT = 14,",
            "    TRACKING_NO_HEADER = 2,",
            "    OP_NEW = 0,",
            "    OP_COLLECT_AT_ALLOCATION = 6,",
            "#define WEAKREF_SHAPES UINT64_C(0x3800)",
        ] {
            assert!(declarations.lines().any(|l| l == line), "{line} is not in\n{declarations}");
        }
    }
}
