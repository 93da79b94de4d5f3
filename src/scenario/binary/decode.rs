//! Reads the binary form: strictly for files, totally for fuzzers. Both are one reader, so that they cannot differ
//! on what is valid.

use super::super::{
    Base, Bulk, Clear, DeallocFlaws, Finalizer, Kind, MAX_COUNT, MAX_OPS, MAX_SCRIPTS, MAX_SLOT, MAX_VARS, NODE_SLOTS,
    Numbered, Op, Opcode, Operand, Place, Scenario, ScriptId, Shape, SlotSet, Stands, Tracking,
};
use super::error::BinaryError;
use super::likely::{LIKELY_SHAPES, LIKELY_TAGS, Tag};
use super::{CLEAR_MISSING, MAGIC, VERSION, WIDE_VAR, flag, rare, tag};

/// Highest count of a `Build` that the total reader gives: bytes of a fuzzer must not mean ten million objects.
pub const MAX_TOTAL_COUNT: u32 = 1024;

/// Reads a binary file.
///
/// # Errors
/// [`BinaryError`] for anything that [`encode`](super::encode) does not write. Memory stays proportional to the
/// number of operations, which is limited.
pub fn decode(bytes: &[u8]) -> Result<Scenario, BinaryError> {
    let mut scenario = Scenario::new();
    decode_into(bytes, &mut scenario)?;
    Ok(scenario)
}

/// As [`decode`], into memory that is used again. After an error the scenario is of no use.
///
/// # Errors
/// As [`decode`].
pub fn decode_into(bytes: &[u8], scenario: &mut Scenario) -> Result<(), BinaryError> {
    scenario.clear();
    let Some(rest) = bytes.strip_prefix(&MAGIC) else {
        let cut = !bytes.is_empty() && MAGIC.starts_with(bytes);
        return Err(if cut { BinaryError::Truncated { offset: bytes.len() } } else { BinaryError::NoScenario });
    };
    match rest.first() {
        Some(&VERSION) => {}
        Some(&version) => return Err(BinaryError::UnknownVersion { version }),
        None => return Err(BinaryError::Truncated { offset: bytes.len() }),
    }
    Reader::<false>::new(bytes, MAGIC.len() + 1).read(scenario)
}

/// The scenario that any bytes mean. For the output of [`encode`](super::encode) of a scenario in normal form it is
/// that scenario, but for counts above [`MAX_TOTAL_COUNT`].
pub fn decode_total(bytes: &[u8]) -> Scenario {
    let mut scenario = Scenario::new();
    decode_total_into(bytes, &mut scenario);
    scenario
}

/// As [`decode_total`], into memory that is used again.
pub fn decode_total_into(bytes: &[u8], scenario: &mut Scenario) {
    scenario.clear();
    let [a, b, c, d] = MAGIC;
    let start = if bytes.starts_with(&[a, b, c, d, VERSION]) { MAGIC.len() + 1 } else { 0 };
    // The total reader has no error to report.
    let _ = Reader::<true>::new(bytes, start).read(scenario);
}

/// What a place is read for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Something is stored there; nothing means that it is dropped.
    Target,
    /// Something is stored there, or it is emptied.
    RequiredTarget,
    /// Something is read there; nothing is allowed.
    Source,
    /// Something is read there, and nothing would make the operation vain.
    Required,
}

struct Reader<'b, const TOTAL: bool> {
    bytes: &'b [u8],
    at: usize,
    /// Variables met so far.
    vars: u16,
    in_script: bool,
}

type Read<T> = Result<T, BinaryError>;

impl<'b, const TOTAL: bool> Reader<'b, TOTAL> {
    fn new(bytes: &'b [u8], at: usize) -> Reader<'b, TOTAL> {
        Reader { bytes, at, vars: 0, in_script: false }
    }

    fn read(&mut self, scenario: &mut Scenario) -> Read<()> {
        while !TOTAL || self.at < self.bytes.len() {
            if scenario.ops.len() == MAX_OPS && self.bytes.get(self.at) != Some(&tag::END) {
                let (offset, what, limit) = (self.at, "operations", MAX_OPS);
                if TOTAL {
                    break;
                }
                return Err(BinaryError::Limit { offset, what, limit });
            }
            match self.tag()? {
                Tag::Next => self.next_body(scenario)?,
                Tag::End if TOTAL => {}
                Tag::End => break,
                Tag::Operation(opcode) => {
                    let op = self.op(opcode)?;
                    scenario.push(op);
                }
            }
        }
        if !TOTAL && self.at < self.bytes.len() {
            return Err(BinaryError::Trailing { offset: self.at });
        }
        self.resolve_scripts(scenario)
    }

    fn next_body(&mut self, scenario: &mut Scenario) -> Read<()> {
        if scenario.bodies() == 0 {
            scenario.start_body();
        }
        if scenario.scripts() == MAX_SCRIPTS {
            let (offset, what, limit) = (self.at, "scripts", MAX_SCRIPTS);
            return if TOTAL { Ok(()) } else { Err(BinaryError::Limit { offset, what, limit }) };
        }
        scenario.start_body();
        self.in_script = true;
        Ok(())
    }

    /// Scripts may be named before they are read: at the end it is known which exist.
    fn resolve_scripts(&self, scenario: &mut Scenario) -> Read<()> {
        let scripts = scenario.scripts();
        let mut missing = None;
        for op in &mut scenario.ops {
            let complete = op.map_scripts(|script| match script.0 as usize {
                known if known < scripts => Some(script),
                _ if scripts == 0 => {
                    missing = Some(script);
                    None
                }
                unknown => {
                    missing = Some(script);
                    Some(ScriptId((unknown % scripts) as u8))
                }
            });
            if !complete {
                *op = Op::Look;
            }
        }
        match missing {
            Some(script) if !TOTAL => {
                Err(BinaryError::Invalid { offset: self.at, what: "script of this file", value: script.0 as u32 })
            }
            _ => Ok(()),
        }
    }

    fn byte(&mut self) -> Read<u8> {
        match self.bytes.get(self.at) {
            Some(byte) => {
                self.at += 1;
                Ok(*byte)
            }
            None if TOTAL => Ok(0),
            None => Err(BinaryError::Truncated { offset: self.at }),
        }
    }

    /// A byte below `limit`.
    fn below(&mut self, limit: u8, what: &'static str) -> Read<u8> {
        let byte = self.byte()?;
        if byte < limit { Ok(byte) } else { self.otherwise(byte % limit, what, byte as u32) }
    }

    /// What to do with a value that is not valid: take another one, or refuse it.
    fn otherwise<T>(&self, instead: T, what: &'static str, value: u32) -> Read<T> {
        let offset = self.at.saturating_sub(1);
        if TOTAL { Ok(instead) } else { Err(BinaryError::Invalid { offset, what, value }) }
    }

    fn word(&mut self) -> Read<u16> {
        Ok(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    fn tag(&mut self) -> Read<Tag> {
        let byte = self.byte()?;
        match (byte, Opcode::from_number(byte)) {
            (tag::NEXT, _) => Ok(Tag::Next),
            (tag::END, _) => Ok(Tag::End),
            (_, Some(opcode)) => Ok(Tag::Operation(opcode)),
            _ => self.otherwise(LIKELY_TAGS[byte as usize % LIKELY_TAGS.len()], "tag", byte as u32),
        }
    }

    fn script(&mut self) -> Read<ScriptId> {
        Ok(ScriptId(self.below(MAX_SCRIPTS as u8, "script")?))
    }

    fn op(&mut self, opcode: Opcode) -> Read<Op> {
        let operation = opcode.operation();
        if operation.stands == Stands::Scripts && !self.in_script {
            let (offset, value) = (self.at.saturating_sub(1), opcode as u8);
            let word = operation.usages[0].form;
            return if TOTAL { Ok(Op::Look) } else { Err(BinaryError::Misplaced { offset, value, word }) };
        }
        let mut op = operation.blank;
        let (mut shape, mut members) = (Shape::Node, None);
        op.operands(|operand| {
            match operand {
                Operand::Target(place) => *place = self.place(Role::Target)?,
                Operand::Assigned(place) => *place = self.place(Role::RequiredTarget)?,
                Operand::Source(place) => *place = self.place(Role::Source)?,
                Operand::Object(place) => *place = self.place(Role::Required)?,
                Operand::Kind(kind) => {
                    *kind = self.kind(false)?;
                    shape = kind.shape;
                }
                Operand::Items(items) => {
                    for (i, item) in items.iter_mut().enumerate().take(shape.items()) {
                        *item = self.place(if i < shape.required_items() { Role::Required } else { Role::Source })?;
                    }
                }
                Operand::Graph(kind) => members = Some(kind),
                Operand::Count(count) => {
                    *count = self.count()?;
                    if let Some(kind) = members.take() {
                        *kind = self.kind(true)?;
                    }
                }
                Operand::Bulk(bulk) => {
                    *bulk = Bulk::ALL[self.below(Bulk::ALL.len() as u8, "shape of a graph")? as usize];
                }
                Operand::Generation(generation) => *generation = self.below(3, "generation")?,
                Operand::Allocation(after) => *after = self.byte()?,
                Operand::Times(times) => {
                    *times = match self.byte()? {
                        0 => self.otherwise(1, "number of times", 0)?,
                        times => times,
                    }
                }
                Operand::Thresholds(thresholds) => {
                    for threshold in thresholds {
                        *threshold = self.word()?;
                    }
                }
                Operand::SaveAll(on) => *on = self.below(2, "state (on or off)")? == 1,
                Operand::Body(script) => *script = self.script()?,
            }
            Ok(())
        })?;
        Ok(op)
    }

    fn count(&mut self) -> Read<u32> {
        let mut count = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            count |= ((byte & 0x7f) as u32) << if mutant!(CodecShortensCounts) { shift.min(14) } else { shift };
            if byte < 0x80 {
                break;
            }
            if shift == 21 {
                return self.otherwise(1, "count", count);
            }
        }
        match count {
            1..=MAX_COUNT if !TOTAL => Ok(count),
            1..=MAX_TOTAL_COUNT => Ok(count),
            _ => self.otherwise(1 + count % MAX_TOTAL_COUNT, "count", count),
        }
    }

    fn place(&mut self, role: Role) -> Read<Place> {
        let byte = self.byte()?;
        let nibble = (byte >> 4) as u16;
        let is_target = matches!(role, Role::Target | Role::RequiredTarget);
        let base = match byte & 3 {
            0 if matches!(role, Role::Required | Role::RequiredTarget) => {
                self.otherwise(self.likely_var(nibble), "place", byte as u32)?
            }
            0 if byte != 0 => return self.otherwise(Place::NOTHING, "place", byte as u32),
            0 => return Ok(Place::NOTHING),
            1 => {
                let var = if nibble == WIDE_VAR { self.word()? } else { nibble };
                if var < MAX_VARS && (!TOTAL || var <= self.vars) {
                    Base::Var(var)
                } else {
                    self.otherwise(self.likely_var(var), "variable", var as u32)?
                }
            }
            _ if !self.in_script => self.otherwise(self.likely_var(nibble), "place of the mutator", byte as u32)?,
            2 => Base::Owner,
            _ => Base::Arg,
        };
        let mut place = Place::of(base);
        let slots = match byte >> 2 & 3 {
            3 => self.otherwise(0, "number of slots", 3)?,
            slots => slots,
        };
        for _ in 0..slots {
            let slot = self.byte()?;
            let slot = if slot <= MAX_SLOT { slot } else { self.otherwise(slot % NODE_SLOTS, "slot", slot as u32)? };
            place = place.slot(slot);
        }
        match base {
            Base::Var(var) => self.vars = self.vars.max((var + 1).min(MAX_VARS)),
            _ if is_target && slots == 0 => {
                let slot = (nibble % NODE_SLOTS as u16) as u8;
                place = self.otherwise(place.slot(slot), "target", byte as u32)?;
            }
            _ => {}
        }
        Ok(place)
    }

    /// A variable that was met before, if there is one.
    fn likely_var(&self, number: u16) -> Base {
        Base::Var(number % self.vars.max(1))
    }

    fn kind(&mut self, extension: bool) -> Read<Kind> {
        let byte = self.byte()?;
        let shape = match Shape::ALL.get(byte as usize) {
            Some(shape) => *shape,
            None => self.otherwise(LIKELY_SHAPES[byte as usize % LIKELY_SHAPES.len()], "shape", byte as u32)?,
        };
        let shape = if extension && !shape.is_extension() {
            self.otherwise([Shape::Node, Shape::Typed][byte as usize % 2], "extension shape", byte as u32)?
        } else {
            shape
        };
        let mut kind = Kind::new(shape);
        if shape.is_extension() {
            self.extension(&mut kind)?;
        } else if shape.can_finalize() || shape.can_call() {
            let script = match self.byte()? {
                0 => None,
                next if next as usize <= MAX_SCRIPTS => Some(ScriptId(next - 1)),
                next => self.otherwise(Some(ScriptId(next - 1)), "script", next as u32 - 1)?,
            };
            kind.finalizer = script.map(Finalizer::Modern);
            kind.on_call = script;
        }
        Ok(kind.canonical())
    }

    fn extension(&mut self, kind: &mut Kind) -> Read<()> {
        let flags = self.byte()?;
        kind.tracking = match flags & 3 {
            0 => Tracking::Tracked,
            1 => Tracking::Untracked,
            2 => Tracking::NoHeader,
            other => self.otherwise(Tracking::Tracked, "tracking", other as u32)?,
        };
        let mut rares = 0;
        if flags & flag::RARE != 0 {
            rares = self.byte()?;
            if rares > rare::ALL {
                rares = self.otherwise(0, "set of rare flags", rares as u32)?;
            }
        }
        if flags & flag::HIDDEN != 0 {
            kind.hidden = self.slots()?;
        }
        if rares & rare::DOUBLED != 0 {
            kind.doubled = self.slots()?;
        }
        if rares & rare::FICKLE != 0 {
            kind.fickle = self.slots()?;
        }
        if flags & flag::CLEAR != 0 {
            kind.clear = match self.byte()? {
                CLEAR_MISSING => Clear::Missing,
                set if set <= SlotSet::ALL.0 => Clear::Keeps(SlotSet(set)),
                other if other & 1 == 0 => self.otherwise(Clear::Missing, "way to clear", other as u32)?,
                other => self.otherwise(Clear::Keeps(SlotSet(other >> 4)), "way to clear", other as u32)?,
            };
        }
        if flags & flag::FINALIZER != 0 {
            let script = self.script()?;
            let legacy = rares & rare::LEGACY != 0;
            kind.finalizer = Some(if legacy { Finalizer::Legacy(script) } else { Finalizer::Modern(script) });
        }
        if flags & flag::CALL != 0 {
            kind.on_call = Some(self.script()?);
        }
        if flags & flag::DEALLOC != 0 {
            kind.on_dealloc = Some(self.script()?).filter(|_| !mutant!(CodecWithoutDealloc));
        }
        kind.flaws = DeallocFlaws {
            keeps_tracked: rares & rare::KEEPS_TRACKED != 0,
            keeps_weakrefs: rares & rare::KEEPS_WEAKREFS != 0,
        };
        Ok(())
    }

    fn slots(&mut self) -> Read<SlotSet> {
        Ok(SlotSet(self.below(SlotSet::ALL.0 + 1, "set of slots")?))
    }
}
