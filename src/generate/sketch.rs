//! A sketch of the heap while a scenario is written: who is held by which variable, who points where.
//!
//! It follows the mutator's own operations and nothing else (no deaths, no user code), which is enough to choose
//! operands that will very likely exist.

use super::random::Random;
use crate::scenario::{Place, ScriptId, Shape};

/// No object.
const NOBODY: u16 = u16::MAX;
/// Slots that a sketch remembers of each object.
const SLOTS: usize = 4;

/// What is known of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thing {
    pub shape: Shape,
    /// The script to be called by.
    pub on_call: Option<ScriptId>,
    slots: [u16; SLOTS],
}

impl Thing {
    /// How many slots can be stored to.
    fn writable(&self) -> u8 {
        match self.shape {
            Shape::Node | Shape::Typed | Shape::Instance | Shape::Slotted | Shape::Dict | Shape::WeakValueDict => 4,
            // Storing past the end appends, and only one past.
            Shape::List => self.slots.iter().position(|s| *s == NOBODY).map_or(SLOTS, |p| p + 1) as u8,
            Shape::Cell | Shape::KeyedRef | Shape::WeakKeyDict | Shape::WeakSet => 1,
            _ => 0,
        }
    }

    fn keeps_strongly(&self) -> bool {
        !matches!(self.shape, Shape::WeakValueDict | Shape::WeakKeyDict | Shape::WeakSet)
    }

    pub fn is_weak_container(&self) -> bool {
        !self.keeps_strongly()
    }
}

/// An object and a place that names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub place: Place,
    pub thing: u16,
}

impl Spot {
    /// Whether a slot of the object can be named, too.
    pub fn can_follow(&self) -> bool {
        self.place.path().len() < 2
    }
}

/// Where an object can be stored.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    Var(u16),
    Slot(Spot, u8),
}

impl Target {
    pub fn place(self) -> Place {
        match self {
            Target::Var(var) => Place::var(var),
            Target::Slot(holder, slot) => holder.place.slot(slot),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Var {
    content: u16,
    /// The last object it held.
    last: u16,
    /// Position in `held`.
    position: u16,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Sketch {
    things: Vec<Thing>,
    vars: Vec<Var>,
    held: Vec<u16>,
    /// Variables that any script may store to.
    pub keeps: Vec<u16>,
    /// Variables that only scripts store to, those of a single script included.
    pub kept: Vec<u16>,
}

impl Sketch {
    pub fn clear(&mut self) {
        self.things.clear();
        self.vars.clear();
        self.held.clear();
        self.keeps.clear();
        self.kept.clear();
    }

    pub fn add(&mut self, shape: Shape, on_call: Option<ScriptId>) -> u16 {
        self.things.push(Thing { shape, on_call, slots: [NOBODY; SLOTS] });
        (self.things.len() - 1) as u16
    }

    pub fn thing(&self, thing: u16) -> &Thing {
        &self.things[thing as usize]
    }

    /// A variable that was never used.
    pub fn fresh(&mut self) -> u16 {
        self.vars.push(Var { content: NOBODY, last: NOBODY, position: 0 });
        (self.vars.len() - 1) as u16
    }

    /// A fresh variable for scripts to store to.
    pub fn fresh_keep(&mut self) -> u16 {
        let var = self.fresh_own_keep();
        self.keeps.push(var);
        var
    }

    /// A fresh variable for one script to store to.
    pub fn fresh_own_keep(&mut self) -> u16 {
        let var = self.fresh();
        self.kept.push(var);
        var
    }

    /// The variables that hold something.
    pub fn held(&self) -> &[u16] {
        &self.held
    }

    /// Number of variables used so far.
    pub fn vars(&self) -> usize {
        self.vars.len()
    }

    /// What a variable holds, or held last.
    pub fn last(&self, var: u16) -> Option<&Thing> {
        self.things.get(self.vars[var as usize].last as usize)
    }

    pub fn content(&self, var: u16) -> Option<u16> {
        Some(self.vars[var as usize].content).filter(|t| *t != NOBODY)
    }

    pub fn store(&mut self, target: Target, thing: Option<u16>) {
        match target {
            Target::Var(var) => self.store_var(var, thing),
            Target::Slot(holder, slot) => {
                let holder = &mut self.things[holder.thing as usize];
                if holder.keeps_strongly()
                    && let Some(content) = holder.slots.get_mut(slot as usize)
                {
                    *content = thing.unwrap_or(NOBODY);
                }
            }
        }
    }

    fn store_var(&mut self, var: u16, thing: Option<u16>) {
        let entry = &mut self.vars[var as usize];
        let was_held = entry.content != NOBODY;
        entry.content = thing.unwrap_or(NOBODY);
        match (was_held, thing) {
            (false, Some(thing)) => {
                entry.last = thing;
                entry.position = self.held.len() as u16;
                self.held.push(var);
            }
            (true, Some(thing)) => entry.last = thing,
            (true, None) => {
                let position = entry.position as usize;
                self.held.swap_remove(position);
                if let Some(moved) = self.held.get(position) {
                    self.vars[*moved as usize].position = position as u16;
                }
            }
            (false, None) => {}
        }
    }

    /// Fills a slot without an operation: what an object is made of.
    pub fn fill(&mut self, thing: u16, slot: usize, content: u16) {
        self.things[thing as usize].slots[slot] = content;
    }

    /// A slot of the object that is filled.
    pub fn filled_slot(&self, thing: u16, random: &mut Random) -> Option<u8> {
        let slots = &self.things[thing as usize].slots;
        let start = random.index(SLOTS);
        (0..SLOTS).map(|i| (start + i) % SLOTS).find(|s| slots[*s] != NOBODY).map(|s| s as u8)
    }

    /// A slot of the object that can be stored to, mostly an empty one.
    pub fn writable_slot(&self, thing: u16, random: &mut Random) -> Option<u8> {
        let thing = &self.things[thing as usize];
        let count = thing.writable();
        if count == 0 {
            return None;
        }
        let mut slot = random.below(count as u32) as u8;
        if thing.slots[slot as usize] != NOBODY && !random.chance(64) {
            slot = (0..count).find(|s| thing.slots[*s as usize] == NOBODY).unwrap_or(slot);
        }
        Some(slot)
    }

    /// The object in a variable.
    pub fn spot(&self, var: u16) -> Option<Spot> {
        self.content(var).map(|thing| Spot { place: Place::var(var), thing })
    }

    /// The object in a slot of an object.
    pub fn follow(&self, spot: Spot, slot: u8) -> Option<Spot> {
        let thing = *self.things[spot.thing as usize].slots.get(slot as usize)?;
        (thing != NOBODY && spot.can_follow()).then(|| Spot { place: spot.place.slot(slot), thing })
    }

    /// Some object: in a variable, or up to two steps from one.
    pub fn any(&self, random: &mut Random) -> Option<Spot> {
        let var = random.pick(&self.held)?;
        let mut spot = self.spot(var)?;
        let draw = random.below(16);
        let steps = (draw >= 9) as u32 + (draw >= 14) as u32;
        for _ in 0..steps {
            let Some(slot) = self.filled_slot(spot.thing, random) else { break };
            let Some(next) = self.follow(spot, slot) else { break };
            spot = next;
        }
        Some(spot)
    }

    /// Some object with a property: a few tries anywhere, then the first held by a variable.
    pub fn find(&self, random: &mut Random, wanted: impl Fn(&Thing) -> bool) -> Option<Spot> {
        for _ in 0..3 {
            let spot = self.any(random)?;
            if wanted(self.thing(spot.thing)) {
                return Some(spot);
            }
        }
        self.find_held(random, wanted)
    }

    /// Some object with a property that a variable holds.
    pub fn find_held(&self, random: &mut Random, wanted: impl Fn(&Thing) -> bool) -> Option<Spot> {
        let len = self.held.len();
        let start = random.index(len);
        (0..len)
            .map(|i| self.held[(start + i) % len])
            .filter_map(|var| self.spot(var))
            .find(|spot| wanted(self.thing(spot.thing)))
    }

    /// A place to store to in some object that can hold strong references.
    pub fn slot_target(&self, random: &mut Random) -> Option<Target> {
        let holder = self.find(random, |t| t.writable() > 0 && t.keeps_strongly())?;
        if !holder.can_follow() {
            return None;
        }
        self.writable_slot(holder.thing, random).map(|slot| Target::Slot(holder, slot))
    }
}
