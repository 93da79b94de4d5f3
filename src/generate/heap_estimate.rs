//! An estimate of the heap while a scenario is written: who is held by which variable, who points where.
//!
//! It follows the mutator's own operations and nothing else (no deaths, no user code), which is enough to choose
//! operands that will very likely exist.

use super::random::Random;
use crate::scenario::{Base, NODE_SLOTS, Place, ScriptId, Shape};

/// No object.
const NOBODY: u16 = u16::MAX;
/// Instead of a holder: a variable that is not there yet, the next one.
const NEXT: u16 = u16::MAX - 1;
/// Slots that the estimate remembers of each object.
const SLOTS: u8 = NODE_SLOTS;

/// What an object is and can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Traits(u16);

impl Traits {
    /// Has slots to store strong references to.
    pub const HOLDER: Traits = Traits(1);
    pub const WEAKREFABLE: Traits = Traits(2);
    pub const WEAKREF: Traits = Traits(4);
    pub const WEAK_CONTAINER: Traits = Traits(8);
    pub const EXTENSION: Traits = Traits(16);
    pub const TUPLE: Traits = Traits(32);
    pub const FUNCTION: Traits = Traits(64);
    /// Can be stored in a weak container, and is none.
    pub const MEMBER: Traits = Traits(128);
    /// Has a script to be called by.
    pub const CALLABLE: Traits = Traits(256);
    /// Storing past the end appends, and only one past.
    const APPENDS: Traits = Traits(512);
    pub const VALUE_DICT: Traits = Traits(1024);
    /// Is no weak reference.
    pub const STRONG: Traits = Traits(2048);
    pub const ANY: Traits = Traits(4096);

    const fn of(shape: Shape) -> Traits {
        let weak_container = shape.is_weak_container();
        Traits(
            (shape.facts().writable > 0 && !weak_container) as u16
                | (shape.is_weakrefable() as u16) << 1
                | (shape.is_weakref() as u16) << 2
                | (weak_container as u16) << 3
                | (shape.is_extension() as u16) << 4
                | (matches!(shape, Shape::Tuple) as u16) << 5
                | (matches!(shape, Shape::Function) as u16) << 6
                | ((shape.is_weakrefable() && !weak_container) as u16) << 7
                | (matches!(shape, Shape::List) as u16) << 9
                | (shape.is_value_dict() as u16) << 10
                | (!shape.is_weakref() as u16) << 11
                | Traits::ANY.0,
        )
    }
}

/// A new object of each shape.
static NEW: [Thing; Shape::ALL.len()] = {
    let empty = Thing { slots: [NOBODY; SLOTS as usize], traits: Traits(0), filled: 0, writable: 0, on_call: None };
    let mut new = [empty; Shape::ALL.len()];
    let mut i = 0;
    while i < new.len() {
        new[i].traits = Traits::of(Shape::ALL[i]);
        new[i].writable = Shape::ALL[i].facts().writable;
        i += 1;
    }
    new
};

/// What is known of an object.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub(super) struct Thing {
    slots: [u16; SLOTS as usize],
    traits: Traits,
    /// The slots that are filled, a bit each.
    filled: u8,
    writable: u8,
    /// The script to be called by.
    pub on_call: Option<ScriptId>,
}

impl Thing {
    #[inline]
    pub fn is(&self, wanted: Traits) -> bool {
        self.traits.0 & wanted.0 != 0
    }

    /// How many slots can be stored to.
    #[inline]
    fn writable(&self) -> u8 {
        if self.is(Traits::APPENDS) { (self.filled.trailing_ones() as u8 + 1).min(SLOTS) } else { self.writable }
    }

    #[inline]
    fn fill(&mut self, slot: u8, content: u16) {
        let slot = slot % SLOTS;
        self.slots[slot as usize] = content;
        self.filled = self.filled & !(1 << slot) | ((content != NOBODY) as u8) << slot;
    }

    /// The first filled slot from `start` on, round.
    #[inline]
    fn filled_from(&self, start: u8) -> Option<u8> {
        let start = start % SLOTS;
        let round = (self.filled as u32 | (self.filled as u32) << SLOTS) >> start;
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
    /// Nothing, where an object could be.
    pub const NOTHING: Spot = Spot { place: Place::NOTHING, thing: NOBODY };

    #[inline]
    pub fn is_nothing(&self) -> bool {
        self.thing == NOBODY
    }

    /// Whether a slot of the object can be named, too.
    #[inline]
    pub fn can_follow(&self) -> bool {
        !self.place.is_full()
    }
}

/// Where an object can be stored: a variable, or a slot of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub place: Place,
    /// The object whose slot it is, [`NOBODY`] or [`NEXT`].
    holder: u16,
}

impl Target {
    #[inline]
    pub const fn var(var: u16) -> Target {
        Target { place: Place::var(var), holder: NOBODY }
    }

    /// A slot, of those that the estimate remembers, of an object whose slots can be named.
    #[inline]
    pub const fn slot(holder: Spot, slot: u8) -> Target {
        Target { place: holder.place.slot(slot % SLOTS), holder: holder.thing }
    }
}

#[derive(Clone, Copy, Debug)]
struct Var {
    /// The last object it held.
    last: u16,
    /// The traits of that object.
    traits: Traits,
    /// Position in `held`, or [`NOBODY`].
    position: u16,
}

/// A variable and the object it holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    var: u16,
    thing: u16,
}

impl Held {
    #[inline]
    fn spot(self) -> Spot {
        Spot { place: Place::var(self.var), thing: self.thing }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct HeapEstimate {
    things: Vec<Thing>,
    vars: Vec<Var>,
    held: Vec<Held>,
    /// The traits that any object has.
    seen: u16,
    /// Variables that any script may store to.
    pub keeps: Vec<u16>,
    /// Variables that only scripts store to, those of a single script included.
    pub kept: Vec<u16>,
}

impl HeapEstimate {
    pub fn clear(&mut self) {
        self.things.clear();
        self.vars.clear();
        self.held.clear();
        self.seen = 0;
        self.keeps.clear();
        self.kept.clear();
    }

    #[inline]
    pub fn add(&mut self, shape: Shape, on_call: Option<ScriptId>) -> u16 {
        let mut thing = NEW[shape as usize];
        thing.on_call = on_call;
        if on_call.is_some() {
            thing.traits.0 |= Traits::CALLABLE.0;
        }
        self.seen |= thing.traits.0;
        let number = self.things.len() as u16;
        self.things.push(thing);
        number
    }

    #[inline]
    pub fn thing(&self, thing: u16) -> &Thing {
        &self.things[thing as usize]
    }

    /// A variable that was never used.
    #[inline]
    pub fn fresh(&mut self) -> u16 {
        let var = self.vars.len() as u16;
        self.vars.push(Var { last: NOBODY, traits: Traits(0), position: NOBODY });
        var
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

    /// How many variables hold something.
    #[inline]
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Some variable that holds something.
    #[inline]
    pub fn any_held(&self, random: &mut Random) -> Option<Spot> {
        random.pick(&self.held).map(Held::spot)
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
        let var = self.vars[var as usize];
        (var.position != NOBODY).then_some(var.last)
    }

    /// A variable that was never used, for an object that is created and stored next.
    #[inline]
    pub fn fresh_target(&self) -> Target {
        Target { place: Place::var(self.vars.len() as u16), holder: NEXT }
    }

    /// Stores an object that was added last.
    #[inline]
    pub fn store_new(&mut self, target: Target, thing: u16) {
        if target.holder < NEXT {
            self.store_in(target, thing);
        } else if let Base::Var(var) = target.place.base {
            if target.holder == NEXT {
                let position = self.held.len() as u16;
                self.vars.push(Var { last: thing, traits: self.things[thing as usize].traits, position });
                self.held.push(Held { var, thing });
            } else {
                self.hold(var, thing);
            }
        }
    }

    /// Stores an object that exists, or nothing.
    #[inline]
    pub fn store(&mut self, target: Target, thing: u16) {
        if target.holder < NEXT {
            self.store_in(target, thing);
        } else if let Base::Var(var) = target.place.base {
            if thing == NOBODY { self.forget(var) } else { self.hold(var, thing) }
        }
    }

    #[inline(always)]
    fn store_in(&mut self, target: Target, thing: u16) {
        let holder = &mut self.things[target.holder as usize];
        let slot = target.place.last();
        if slot < SLOTS && !holder.is(Traits::WEAK_CONTAINER) {
            holder.fill(slot, thing);
        }
    }

    #[inline(never)]
    fn hold(&mut self, var: u16, thing: u16) {
        let entry = &mut self.vars[var as usize];
        entry.last = thing;
        entry.traits = self.things[thing as usize].traits;
        if let Some(held) = self.held.get_mut(entry.position as usize) {
            held.thing = thing;
        } else {
            entry.position = self.held.len() as u16;
            self.held.push(Held { var, thing });
        }
    }

    /// Stores nothing in a variable.
    #[inline]
    pub fn forget(&mut self, var: u16) {
        let position = std::mem::replace(&mut self.vars[var as usize].position, NOBODY);
        if (position as usize) < self.held.len() {
            self.held.swap_remove(position as usize);
            if let Some(moved) = self.held.get(position as usize) {
                self.vars[moved.var as usize].position = position;
            }
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
        let (slot, rest) = random.below_and_rest(count as u32);
        let slot = slot as u8;
        let empty = thing.filled.trailing_ones() as u8;
        let overwrite = thing.filled >> slot & 1 == 0 || rest < 1 << 30 || empty >= count;
        Some(if overwrite { slot } else { empty })
    }

    /// The object in a slot of an object.
    #[inline]
    pub fn follow(&self, spot: Spot, slot: u8) -> Option<Spot> {
        let thing = *self.things[spot.thing as usize].slots.get(slot as usize)?;
        (thing != NOBODY && spot.can_follow()).then(|| Spot { place: spot.place.slot(slot), thing })
    }

    /// Some object: in a variable, or up to two steps from one.
    #[inline(always)]
    pub fn any(&self, random: &mut Random) -> Option<Spot> {
        // One number: which variable, how many steps, and where to look for the first and for the second.
        let (index, rest) = random.below_and_rest(self.held.len() as u32);
        let spot = self.held.get(index as usize)?.spot();
        Some(if rest >> 28 < 9 { spot } else { self.inside(spot, rest) })
    }

    /// The object one or two steps from another, as far as there is one.
    #[inline(never)]
    fn inside(&self, spot: Spot, draw: u32) -> Spot {
        let start = (draw >> 24) as u8 & 15;
        let step = |spot: Spot, start: u8| {
            let thing = &self.things[spot.thing as usize];
            let slot = thing.filled_from(start)?;
            Some(Spot { place: spot.place.slot(slot), thing: thing.slots[slot as usize] })
        };
        let Some(first) = step(spot, start) else { return spot };
        if draw >> 28 < 14 {
            return first;
        }
        step(first, start >> 2).unwrap_or(first)
    }

    /// Some object with a property: a few tries anywhere, then the first held by a variable.
    pub fn find(&self, random: &mut Random, wanted: Traits) -> Option<Spot> {
        self.search(random, wanted)
    }

    #[inline(always)]
    fn search(&self, random: &mut Random, wanted: Traits) -> Option<Spot> {
        if self.seen & wanted.0 == 0 {
            return None;
        }
        for _ in 0..3 {
            let spot = self.any(random)?;
            if self.thing(spot.thing).is(wanted) {
                return Some(spot);
            }
        }
        self.find_held(random, wanted)
    }

    /// Some object with a property that a variable holds.
    pub fn find_held(&self, random: &mut Random, wanted: Traits) -> Option<Spot> {
        let start = random.index(self.held.len());
        let (before, after) = self.held.split_at(start);
        after.iter().chain(before).find(|held| self.thing(held.thing).is(wanted)).map(|held| held.spot())
    }

    /// Some variable that holds, or held last, an object with a property.
    pub fn find_last(&self, random: &mut Random, wanted: Traits) -> Option<u16> {
        self.find_var(random, |var| var.traits.0 & wanted.0 != 0)
    }

    /// The same for any property.
    pub fn find_last_with(&self, random: &mut Random, wanted: impl Fn(&Thing) -> bool) -> Option<u16> {
        self.find_var(random, |var| self.things.get(var.last as usize).is_some_and(&wanted))
    }

    #[inline]
    fn find_var(&self, random: &mut Random, found: impl Fn(&Var) -> bool) -> Option<u16> {
        let start = random.index(self.vars.len());
        let (before, after) = self.vars.split_at(start);
        let position = match after.iter().position(&found) {
            Some(position) => start + position,
            None => before.iter().position(&found)?,
        };
        Some(position as u16)
    }

    /// A place to store to in some object that can hold strong references.
    pub fn slot_target(&self, random: &mut Random) -> Option<Target> {
        let holder = self.search(random, Traits::HOLDER)?;
        if !holder.can_follow() {
            return None;
        }
        self.writable_slot(holder.thing, random).map(|slot| Target::slot(holder, slot))
    }
}
