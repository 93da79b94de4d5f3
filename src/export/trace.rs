//! What a script prints, from the events of the model.

use std::collections::BTreeMap;

use super::instrument::{Instrument, Path, Root};
use super::names::Names;
use crate::event::{Code, Event, ObjId, Role, Spot};
use crate::scenario::{Base, Clear, Finalizer, Kind, NODE_SLOTS, Op, Scenario, ScriptId, Shape};
use crate::subject::Release;

/// What stands between what a line is about and what it says.
pub const ARROW: &str = " -> ";

/// The first release whose `gc.get_objects` takes a generation.
const GENERATIONS: Release = Release::new(3, 8, 0);

/// One line that a script prints.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Line {
    /// User code has started.
    Entered(String),
    /// What is read is this.
    Value(String),
    /// What is read is an object that is being cleared, or has been: it has none, or some, of these slots, but not all.
    PartOf(Vec<u8>),
}

/// How the slots of an object are printed.
fn slots_text(slots: &[u8]) -> String {
    let names: Vec<String> = slots.iter().map(|slot| format!("'s{slot}'")).collect();
    format!("[{}]", names.join(", "))
}

impl Line {
    /// True if a printed line is this one.
    pub fn is(&self, printed: &str) -> bool {
        let value = printed.split_once(ARROW).map(|(_, value)| value);
        match self {
            Line::Entered(name) => printed == name,
            Line::Value(expected) => value == Some(expected),
            Line::PartOf(all) => value.is_some_and(|value| {
                let parts = 0..1u32 << all.len();
                let part = |bits: u32| all.iter().enumerate().filter(move |(i, _)| bits & 1 << i != 0).map(|(_, s)| *s);
                let mut proper = parts.take((1 << all.len()) - 1);
                proper.any(|bits| slots_text(&part(bits).collect::<Vec<u8>>()) == value)
            }),
        }
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Line::Entered(name) => f.write_str(name),
            Line::Value(value) => write!(f, "...{ARROW}{value}"),
            Line::PartOf(all) => write!(f, "...{ARROW}not all of {}", slots_text(all)),
        }
    }
}

/// The objects of a run so far: what variables and slots hold, as the events tell it.
#[derive(Debug)]
pub struct Heap<'s> {
    scenario: &'s Scenario,
    origins: BTreeMap<ObjId, (u32, Role)>,
    vars: BTreeMap<u16, ObjId>,
    slots: BTreeMap<(ObjId, u8), ObjId>,
    /// What objects had when `tp_clear` began on them.
    cleared: BTreeMap<ObjId, Vec<u8>>,
}

impl<'s> Heap<'s> {
    /// Nothing yet.
    pub fn new(scenario: &'s Scenario) -> Heap<'s> {
        Heap {
            scenario,
            origins: BTreeMap::new(),
            vars: BTreeMap::new(),
            slots: BTreeMap::new(),
            cleared: BTreeMap::new(),
        }
    }

    /// Takes one more event.
    pub fn take(&mut self, event: &Event) {
        match *event {
            Event::New { object, origin, role } => drop(self.origins.insert(object, (origin, role))),
            Event::StoreVar { var, object: Some(object) } => drop(self.vars.insert(var, object)),
            Event::StoreVar { var, object: None } => drop(self.vars.remove(&var)),
            Event::StoreSlot { holder, slot: 0xff, .. } => self.slots.retain(|(o, _), _| *o != holder),
            Event::StoreSlot { holder, slot, object: Some(object) } => drop(self.slots.insert((holder, slot), object)),
            Event::StoreSlot { holder, slot, object: None } => drop(self.slots.remove(&(holder, slot))),
            Event::Clear { object } => {
                let attributes = self.attributes(object);
                self.cleared.insert(object, attributes);
                let kept = match self.kind(object).map(|kind| kind.clear) {
                    Some(Clear::Keeps(set)) => set.0,
                    _ => 0,
                };
                self.slots.retain(|(o, slot), _| *o != object || *slot < 8 && kept & 1 << slot != 0);
            }
            Event::Free { object } => self.slots.retain(|(o, _), _| *o != object),
            _ => {}
        }
    }

    /// The kind of an object that an operation names.
    pub fn kind(&self, object: ObjId) -> Option<&'s Kind> {
        let (origin, role) = self.origins.get(&object)?;
        (*role == Role::Named).then(|| self.scenario.ops().get(*origin as usize).and_then(Op::kind))?
    }

    /// What a variable holds.
    pub fn var(&self, var: u16) -> Option<ObjId> {
        self.vars.get(&var).copied()
    }

    /// What a slot holds; that of an instance may be in its dict.
    pub fn slot(&self, object: ObjId, slot: u8) -> Option<ObjId> {
        self.slots.get(&(self.dict_of(object).unwrap_or(object), slot)).copied()
    }

    /// The dict of an instance that has one of its own.
    fn dict_of(&self, object: ObjId) -> Option<ObjId> {
        let dict = self.slots.get(&(object, 0)).copied()?;
        self.origins.get(&dict).is_some_and(|(_, role)| *role == Role::InstanceDict).then_some(dict)
    }

    /// True if `tp_clear` has begun on an object, or on its dict.
    pub fn is_cleared(&self, object: ObjId) -> bool {
        self.cleared.contains_key(&object)
    }

    /// The attributes that hold something.
    fn attributes(&self, object: ObjId) -> Vec<u8> {
        (0..NODE_SLOTS).filter(|slot| self.slot(object, *slot).is_some()).collect()
    }

    /// What `show` prints of an object.
    pub fn show(&self, object: Option<ObjId>) -> Line {
        let Some(object) = object else { return Line::Value("None".to_owned()) };
        let Some(kind) = self.kind(object) else { return Line::Value("[]".to_owned()) };
        match kind.shape {
            Shape::Node | Shape::Typed | Shape::Instance | Shape::Slotted | Shape::Bare => {}
            Shape::List | Shape::Dict => {
                let len = self.slots.keys().filter(|(o, _)| *o == object).count();
                return Line::Value(len.to_string());
            }
            _ => return Line::Value("[]".to_owned()),
        }
        match self.cleared.get(&object) {
            Some(had) if !had.is_empty() => Line::PartOf(had.clone()),
            _ => Line::Value(slots_text(&self.attributes(object))),
        }
    }

    /// Where a path leads.
    pub fn follow(&self, path: &Path, owner: Option<ObjId>) -> Option<ObjId> {
        let start = match path.root {
            Root::Owner => owner,
            Root::Var(var) => self.var(var),
        };
        path.steps.iter().try_fold(start?, |object, (_, slot)| self.slot(object, *slot))
    }

    /// What objects hold, with the shape of the holder: what a path can be made of.
    pub fn edges(&self, object: ObjId) -> Vec<((Shape, u8), ObjId)> {
        let Some(kind) = self.kind(object) else { return Vec::new() };
        let holder = self.dict_of(object).unwrap_or(object);
        let range = (holder, 0)..=(holder, 0xff);
        self.slots.range(range).map(|((_, slot), held)| ((kind.shape, *slot), *held)).collect()
    }

    /// The script that an object runs for a kind of code.
    pub fn script(&self, code: Code, owner: ObjId) -> Option<ScriptId> {
        let kind = self.kind(owner)?;
        match code {
            Code::Finalizer | Code::LegacyFinalizer => kind.finalizer.map(|f| match f {
                Finalizer::Modern(script) | Finalizer::Legacy(script) => script,
            }),
            Code::Callback | Code::GcCallback | Code::Call => kind.on_call,
            Code::Dealloc => kind.on_dealloc,
        }
    }
}

/// What a script that shows what `instrument` says prints in a run with these events.
pub fn lines(
    scenario: &Scenario,
    names: &Names,
    (events, release): (&[Event], Release),
    instrument: &Instrument,
) -> Vec<Line> {
    let mut heap = Heap::new(scenario);
    let mut lines = Vec::new();
    let mut running: Vec<(Option<ScriptId>, ObjId)> = Vec::new();
    let mut collections: Vec<bool> = Vec::new();
    let (mut looking, mut scanned): (bool, Option<usize>) = (false, None);
    let (mut is_over, mut garbage) = (false, 0);
    let mut spots: BTreeMap<ObjId, Spot> = BTreeMap::new();
    for event in events {
        heap.take(event);
        if let (Some(count), false) = (scanned, matches!(event, Event::Saw { .. })) {
            lines.push(Line::Value(count.to_string()));
            scanned = None;
        }
        let begins = matches!(event, Event::Saw { introspection: false, .. }) && !looking;
        looking = matches!(event, Event::Saw { introspection: false, .. });
        match *event {
            Event::Enter { code, owner, .. } => {
                let script = heap.script(code, owner);
                running.push((script, owner));
                if let (true, Some(script)) = (instrument.prints, script) {
                    lines.push(Line::Entered(names.script(script).to_owned()));
                    if instrument.selves && heap.kind(owner).is_some_and(is_class) {
                        lines.push(heap.show(Some(owner)));
                    }
                }
            }
            Event::Leave => drop(running.pop()),
            Event::Saw { introspection: false, .. } if begins => {
                let (script, owner) = running.last().copied().map_or((None, None), |(s, o)| (s, Some(o)));
                for path in instrument.looks.iter().filter(|(s, _)| *s == script).map(|(_, path)| path) {
                    lines.extend(heap.follow(path, owner).map(|object| heap.show(Some(object))));
                }
            }
            Event::Saw { object, introspection: true } if instrument.scans => {
                *scanned.get_or_insert(0) +=
                    usize::from(heap.is_cleared(object) && heap.kind(object).is_some_and(is_class));
            }
            Event::Answer { referent, .. } if instrument.prints => lines.push(heap.show(referent)),
            Event::Length { len, .. } if instrument.prints => lines.push(Line::Value(len.to_string())),
            Event::CollectStart { automatic, .. } => collections.push(running.is_empty() && !automatic),
            Event::CollectEnd { returned, .. } => {
                let is_told = collections.pop() == Some(true);
                if is_told && instrument.prints && instrument.returned {
                    lines.push(Line::Value(returned.to_string()));
                }
            }
            Event::End => is_over = true,
            Event::Snapshot => spots.clear(),
            Event::State { object, spot, .. } => drop(spots.insert(object, spot)),
            Event::Garbage { .. } if is_over => garbage += 1,
            _ => {}
        }
    }
    if is_over {
        lines.extend(instrument.finals.iter().map(|var| heap.show(heap.var(*var))));
        for path in &instrument.listed {
            let spot = heap.follow(path, None).and_then(|object| spots.get(&object));
            let generation = match spot.filter(|_| release >= GENERATIONS) {
                Some(Spot::Gen0) => "[0]",
                Some(Spot::Gen1) => "[1]",
                Some(Spot::Gen2) => "[2]",
                _ => "[]",
            };
            lines.push(Line::Value(generation.to_owned()));
        }
        if instrument.garbage {
            lines.push(Line::Value(garbage.to_string()));
        }
        if instrument.left {
            let is_left = |(object, spot): &(&ObjId, &Spot)| {
                matches!(spot, Spot::Gen0 | Spot::Gen1 | Spot::Gen2) && heap.kind(**object).is_some_and(is_class)
            };
            lines.push(Line::Value(spots.iter().filter(is_left).count().to_string()));
        }
    }
    lines
}

/// True if objects of a kind are instances of a class of the script.
fn is_class(kind: &Kind) -> bool {
    matches!(kind.shape, Shape::Node | Shape::Typed | Shape::Instance | Shape::Slotted | Shape::Bare)
}

/// Where a Python function runs that `tp_clear` has emptied: it has no globals any more, so that whatever it does is
/// undefined. The index of the event.
pub fn calls_emptied(scenario: &Scenario, events: &[Event]) -> Option<usize> {
    let mut heap = Heap::new(scenario);
    events.iter().position(|event| {
        heap.take(event);
        match event {
            Event::Enter { owner, .. } => {
                heap.is_cleared(*owner) && heap.kind(*owner).is_some_and(|kind| kind.shape == Shape::Function)
            }
            _ => false,
        }
    })
}

/// What a place of the main body names, for a variable without path.
pub fn variable(base: Base) -> Option<u16> {
    match base {
        Base::Var(var) => Some(var),
        _ => None,
    }
}
