//! A sketch of the heap while a scenario is written: who is held by which variable, who points where.
//!
//! It follows the mutator's own operations and nothing else (no deaths, no user code), which is enough to choose
//! operands that will very likely exist.

use super::random::Random;
use crate::scenario::{Place, ScriptId, Shape};

/// No object.
const NOBODY: u16 = u16::MAX;
/// Slots that a sketch remembers of each object.
const SLOTS: u8 = 4;

/// What objects of a shape can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Traits(u8);

impl Traits {
    /// Has slots to store strong references to.
    pub const HOLDER: Traits = Traits(1);
    pub const WEAKREFABLE: Traits = Traits(2);
    pub const WEAKREF: Traits = Traits(4);
    pub const WEAK_CONTAINER: Traits = Traits(8);
    pub const EXTENSION: Traits = Traits(16);

    /// The traits of each shape.
    const TABLE: [Traits; Shape::ALL.len()] = {
        let mut table = [Traits(0); Shape::ALL.len()];
        let mut i = 0;
        while i < table.len() {
            let shape = Shape::ALL[i];
            let weak_container = matches!(shape, Shape::WeakValueDict | Shape::WeakKeyDict | Shape::WeakSet);
            table[i].0 = (writable(shape) > 0 && !weak_container) as u8
                | (shape.is_weakrefable() as u8) << 1
                | (shape.is_weakref() as u8) << 2
                | (weak_container as u8) << 3
                | (shape.is_extension() as u8) << 4;
            i += 1;
        }
        table
    };
}

/// How many slots of an object can be stored to.
const fn writable(shape: Shape) -> u8 {
    match shape {
        Shape::Node | Shape::Typed | Shape::Instance | Shape::Slotted | Shape::Dict | Shape::WeakValueDict => SLOTS,
        Shape::List => SLOTS,
        Shape::Cell | Shape::KeyedRef | Shape::WeakKeyDict | Shape::WeakSet => 1,
        _ => 0,
    }
}

/// What is known of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thing {
    pub shape: Shape,
    traits: Traits,
    /// The script to be called by.
    pub on_call: Option<ScriptId>,
    writable: u8,
    /// The slots that are filled, a bit each.
    filled: u8,
    slots: [u16; SLOTS as usize],
}

impl Thing {
    #[inline]
    pub fn is(&self, wanted: Traits) -> bool {
        self.traits.0 & wanted.0 != 0
    }

    pub fn is_weak_container(&self) -> bool {
        self.is(Traits::WEAK_CONTAINER)
    }

    /// How many slots can be stored to.
    #[inline]
    fn writable(&self) -> u8 {
        match self.shape {
            // Storing past the end appends, and only one past.
            Shape::List => (self.filled.trailing_ones() as u8 + 1).min(SLOTS),
            _ => self.writable,
        }
    }

    #[inline]
    fn fill(&mut self, slot: u8, content: u16) {
        let slot = slot % SLOTS;
        self.slots[slot as usize] = content;
        let bit = 1 << slot;
        self.filled = if content == NOBODY { self.filled & !bit } else { self.filled | bit };
    }

    /// The first filled slot from `start` on, round.
    #[inline]
    fn filled_from(&self, start: u8) -> Option<u8> {
        let start = start % SLOTS;
        let round = (self.filled | self.filled << SLOTS) >> start;
        (round != 0).then(|| (start + round.trailing_zeros() as u8) % SLOTS)
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
    #[inline]
    pub fn can_follow(&self) -> bool {
        !self.place.is_full()
    }
}

/// Where an object can be stored.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    Var(u16),
    Slot(Spot, u8),
}

impl Target {
    #[inline]
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

    #[inline]
    pub fn add(&mut self, shape: Shape, on_call: Option<ScriptId>) -> u16 {
        let traits = Traits::TABLE[shape as usize];
        let slots = [NOBODY; SLOTS as usize];
        self.things.push(Thing { shape, traits, on_call, writable: writable(shape), filled: 0, slots });
        (self.things.len() - 1) as u16
    }

    #[inline]
    pub fn thing(&self, thing: u16) -> &Thing {
        &self.things[thing as usize]
    }

    /// A variable that was never used.
    #[inline]
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
    #[inline]
    pub fn held(&self) -> &[u16] {
        &self.held
    }

    /// Number of variables used so far.
    #[inline]
    pub fn vars(&self) -> usize {
        self.vars.len()
    }

    /// What a variable holds, or held last.
    #[inline]
    pub fn last(&self, var: u16) -> Option<&Thing> {
        self.things.get(self.vars[var as usize].last as usize)
    }

    #[inline]
    pub fn content(&self, var: u16) -> Option<u16> {
        Some(self.vars[var as usize].content).filter(|t| *t != NOBODY)
    }

    #[inline]
    pub fn store(&mut self, target: Target, thing: Option<u16>) {
        match target {
            Target::Var(var) => self.store_var(var, thing),
            Target::Slot(holder, slot) => {
                let holder = &mut self.things[holder.thing as usize];
                if slot < SLOTS && !holder.is_weak_container() {
                    holder.fill(slot, thing.unwrap_or(NOBODY));
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
    #[inline]
    pub fn fill(&mut self, thing: u16, slot: u8, content: u16) {
        self.things[thing as usize].fill(slot, content);
    }

    /// A slot of the object that is filled.
    #[inline]
    pub fn filled_slot(&self, thing: u16, random: &mut Random) -> Option<u8> {
        self.things[thing as usize].filled_from(random.byte())
    }

    /// A slot of the object that can be stored to, mostly an empty one.
    #[inline]
    pub fn writable_slot(&self, thing: u16, random: &mut Random) -> Option<u8> {
        let thing = &self.things[thing as usize];
        let count = thing.writable();
        if count == 0 {
            return None;
        }
        // Three of four times a filled slot is not overwritten if there is an empty one.
        let draw = random.byte();
        let slot = (((draw & 63) as u16 * count as u16) >> 6) as u8;
        let empty = thing.filled.trailing_ones() as u8;
        let overwrite = thing.filled & 1 << slot == 0 || draw < 64 || empty >= count;
        Some(if overwrite { slot } else { empty })
    }

    /// The object in a variable.
    #[inline]
    pub fn spot(&self, var: u16) -> Option<Spot> {
        self.content(var).map(|thing| Spot { place: Place::var(var), thing })
    }

    /// The object in a slot of an object.
    #[inline]
    pub fn follow(&self, spot: Spot, slot: u8) -> Option<Spot> {
        let thing = *self.things[spot.thing as usize].slots.get(slot as usize)?;
        (thing != NOBODY && spot.can_follow()).then(|| Spot { place: spot.place.slot(slot), thing })
    }

    /// Some object: in a variable, or up to two steps from one.
    pub fn any(&self, random: &mut Random) -> Option<Spot> {
        let var = random.pick(&self.held)?;
        let mut spot = self.spot(var)?;
        // One byte: how many steps, and where to look for the first and for the second.
        let draw = random.byte();
        let (steps, mut start) = (draw & 15, draw >> 4);
        for least in [9, 14] {
            if steps < least {
                break;
            }
            let Some(slot) = self.things[spot.thing as usize].filled_from(start) else { break };
            spot = Spot { place: spot.place.slot(slot), thing: self.things[spot.thing as usize].slots[slot as usize] };
            start >>= 2;
        }
        Some(spot)
    }

    /// Some object with a property: a few tries anywhere, then the first held by a variable.
    #[inline]
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
    #[inline]
    pub fn find_held(&self, random: &mut Random, wanted: impl Fn(&Thing) -> bool) -> Option<Spot> {
        let start = random.index(self.held.len());
        let (before, after) = self.held.split_at(start);
        after.iter().chain(before).filter_map(|var| self.spot(*var)).find(|spot| wanted(self.thing(spot.thing)))
    }

    /// Some variable that holds, or held last, an object with a property.
    #[inline]
    pub fn find_last(&self, random: &mut Random, wanted: impl Fn(&Thing) -> bool) -> Option<u16> {
        let start = random.index(self.vars.len());
        let (before, after) = self.vars.split_at(start);
        let found = |var: &Var| self.things.get(var.last as usize).is_some_and(&wanted);
        let position = match after.iter().position(found) {
            Some(position) => start + position,
            None => before.iter().position(found)?,
        };
        Some(position as u16)
    }

    /// A place to store to in some object that can hold strong references.
    #[inline]
    pub fn slot_target(&self, random: &mut Random) -> Option<Target> {
        let holder = self.find(random, |t| t.is(Traits::HOLDER))?;
        if !holder.can_follow() {
            return None;
        }
        self.writable_slot(holder.thing, random).map(|slot| Target::Slot(holder, slot))
    }
}
