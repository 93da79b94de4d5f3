//! The mutator's body: build, link, watch, drop, collect, and again.

use super::builder::{Builder, script_of};
use super::feature::Feature;
use super::menu::{Menu, Offer};
use super::plan::Role;
use super::sketch::{Target, Traits};
use crate::scenario::{Bulk, Kind, Op, Place, Shape, Tracking};

/// What the mutator can do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    New,
    Link,
    Tie,
    Weakref,
    Unlink,
    Drop,
    Copy,
    Move,
    Deref,
    Look,
    Scan,
    Collect,
    AtAllocation,
    Call,
    Enable,
    Disable,
    Thresholds,
    Freeze,
    Unfreeze,
    SaveAll,
    EmptyGarbage,
    GcCallback,
    EmptyGcCallbacks,
    Track,
    Untrack,
    Repeat,
    Build,
    Store,
    Len,
    Iterate,
}

/// How many rows [`steps`] has.
const ROWS: usize = 33;

/// What may happen while objects are built.
static STEPS: Menu<Step, ROWS> = Menu::new(steps(false));

/// The same where operations come in any order: more of what else comes at the end.
static LOOSE_STEPS: Menu<Step, ROWS> = Menu::new(steps(true));

/// Steps with the feature that allows them and their weight.
const fn steps(loose: bool) -> [(Step, Option<Feature>, u8); ROWS] {
    let [few, drops, collections] = if loose { [8, 26, 9] } else { [3, 6, 3] };
    [
        (Step::New, None, 60),
        (Step::Link, None, 30),
        (Step::Tie, None, 16),
        (Step::Unlink, None, few),
        (Step::Drop, None, drops),
        (Step::Copy, None, 2),
        (Step::Move, None, 4),
        (Step::Look, None, 1),
        (Step::Collect, None, collections),
        (Step::Weakref, Some(Feature::Weakrefs), 34),
        (Step::Deref, Some(Feature::Weakrefs), few),
        (Step::Scan, Some(Feature::Scans), 2),
        (Step::AtAllocation, Some(Feature::AtAllocation), 10),
        (Step::Call, Some(Feature::Calls), 8),
        (Step::Enable, Some(Feature::Automatic), 3),
        (Step::Disable, Some(Feature::Automatic), 1),
        (Step::Thresholds, Some(Feature::Automatic), 3),
        (Step::Freeze, Some(Feature::Freeze), 5),
        (Step::Unfreeze, Some(Feature::Freeze), 6),
        (Step::SaveAll, Some(Feature::SaveAll), 4),
        (Step::EmptyGarbage, Some(Feature::SaveAll), 3),
        (Step::EmptyGarbage, Some(Feature::Legacy), 3),
        (Step::GcCallback, Some(Feature::GcCallbacks), 8),
        (Step::EmptyGcCallbacks, Some(Feature::GcCallbacks), 2),
        (Step::Track, Some(Feature::Untracked), 7),
        (Step::Untrack, Some(Feature::Untracked), 5),
        (Step::Repeat, Some(Feature::Repeats), 3),
        (Step::Build, Some(Feature::Bulk), 6),
        (Step::Store, Some(Feature::WeakDicts), 26),
        (Step::Len, Some(Feature::WeakDicts), 5),
        (Step::Store, Some(Feature::WeakSets), 20),
        (Step::Len, Some(Feature::WeakSets), 4),
        (Step::Iterate, Some(Feature::Iteration), 7),
    ]
}

impl Builder<'_> {
    /// Writes the mutator's body.
    pub fn live(&mut self) {
        self.prelude();
        let rounds = self.configuration.rounds;
        let menu = if self.configuration.loose { &LOOSE_STEPS } else { &STEPS };
        let steps = menu.offer(self.configuration.features);
        for round in 0..rounds {
            let objects = self.configuration.objects.div_ceil(rounds);
            // Dropping takes about an operation per variable, so building gets the rest.
            let budget = (self.configuration.operations * 5 / 8).div_ceil(rounds) as usize;
            self.build(&steps, objects, budget);
            self.drop_roots();
            if round + 1 < rounds {
                self.collect();
                self.after();
            }
        }
        self.finish();
    }

    /// Modes that are set before anything is built, and the variables of scripts.
    fn prelude(&mut self) {
        let f = self.configuration.features;
        if f.has(Feature::Resurrection) || f.has(Feature::LateWeakrefs) || f.has(Feature::Creation) {
            self.sketch.fresh_keep();
        }
        if f.has(Feature::Automatic) && self.random.chance(176) {
            self.thresholds();
            self.op(Op::Enable);
        }
        if f.has(Feature::SaveAll) && self.random.chance(96) {
            self.op(Op::SaveAll { on: true });
        }
        if f.has(Feature::GcCallbacks) && self.random.chance(144) {
            self.gc_callback();
        }
    }

    fn build(&mut self, steps: &Offer<Step, ROWS>, mut objects: u32, budget: usize) {
        let end = self.out.ops().len() + budget;
        if self.has(Feature::Planted) {
            self.plant();
            objects = objects.saturating_sub(3);
        }
        while self.out.ops().len() < end && !self.full() {
            let mut step = steps.draw(self.random);
            if step == Step::New && objects == 0 {
                step = if self.random.chance(128) { Step::Tie } else { Step::Link };
            }
            if step == Step::New {
                objects -= 1;
            }
            let before = self.out.ops().len();
            self.step(step);
            if self.out.ops().len() == before {
                // Nothing to do it with yet: an object is always something.
                self.new_object();
            }
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::New => self.new_object(),
            Step::Link => self.link_two(),
            Step::Tie => self.tie(),
            Step::Weakref => self.weakref(),
            Step::Unlink => self.unlink(),
            Step::Drop => {
                if let Some(var) = self.random.pick(self.sketch.held()) {
                    self.drop_var(var);
                }
            }
            Step::Copy => self.copy(),
            Step::Move => self.move_inside(),
            Step::Deref => self.deref(),
            Step::Look => self.op(Op::Look),
            Step::Scan => self.op(Op::Scan),
            Step::Collect => self.collect(),
            Step::AtAllocation => self.at_allocation(),
            Step::Call => self.call(),
            Step::Enable => self.op(Op::Enable),
            Step::Disable => self.op(Op::Disable),
            Step::Thresholds => self.thresholds(),
            Step::Freeze => self.op(Op::Freeze),
            Step::Unfreeze => self.op(Op::Unfreeze),
            Step::SaveAll => {
                let on = self.random.chance(128);
                self.op(Op::SaveAll { on });
            }
            Step::EmptyGarbage => self.op(Op::EmptyGarbage),
            Step::GcCallback => self.gc_callback(),
            Step::EmptyGcCallbacks => self.op(Op::EmptyGcCallbacks),
            Step::Track | Step::Untrack => {
                let Some(spot) = self.sketch.find(self.random, |t| t.is(Traits::EXTENSION)) else { return };
                let object = spot.place;
                self.op(if step == Step::Track { Op::Track { object } } else { Op::Untrack { object } });
            }
            Step::Repeat => {
                let times = self.random.range(2, 4) as u8;
                let script = self.plan(Role::Body);
                self.op(Op::Repeat { times, script });
            }
            Step::Build => self.build_graph(),
            Step::Store => self.store_weakly(),
            Step::Len => self.len(),
            Step::Iterate => self.iterate(),
        }
    }

    fn new_object(&mut self) {
        let mut kind = self.draw_kind();
        let probability = self.configuration.user_code;
        self.add_code(&mut kind, probability);
        let mut items = [None, None];
        match kind.shape {
            Shape::KeyedRef => return self.weakref(),
            Shape::Tuple => items = [self.sketch.any(self.random), self.sketch.any(self.random)],
            Shape::Cell => items[0] = self.sketch.any(self.random),
            Shape::Function => {
                items[0] = if self.random.chance(144) { self.closure() } else { None };
                if self.random.chance(64) {
                    items[1] = self.sketch.find(self.random, |t| t.shape == Shape::Tuple);
                }
            }
            Shape::Method => {
                let function = match self.sketch.find(self.random, |t| t.shape == Shape::Function) {
                    Some(function) => function,
                    None => self.new_var(Kind::new(Shape::Function), [None, None]),
                };
                items = [Some(function), self.sketch.any(self.random)];
            }
            Shape::Finalize => {
                let Some(referent) = self.sketch.find(self.random, |t| t.is(Traits::WEAKREFABLE)) else {
                    return;
                };
                items = [Some(referent), Some(self.callable())];
            }
            _ => {}
        }
        let target = self.target();
        let spot = self.create(target, kind, items);
        let thing = *self.sketch.thing(spot.thing);
        if thing.is_weak_container() {
            self.store_weakly();
        } else if self.random.chance(72)
            && spot.can_follow()
            && let Some(slot) = self.sketch.writable_slot(spot.thing, self.random)
        {
            // A self edge is the cheapest cycle.
            self.link(spot, slot, spot);
        }
    }

    /// An edge from some object to some object.
    fn link_two(&mut self) {
        let Some(target) = self.sketch.slot_target(self.random) else { return };
        let Some(content) = self.sketch.any(self.random) else { return };
        self.set(target, Some(content));
    }

    /// Closes a cycle: an object gets an edge back to one that points to it.
    fn tie(&mut self) {
        let Some(first) = self.sketch.any(self.random) else { return };
        let Some(out) = self.sketch.filled_slot(first.thing, self.random) else { return self.link_two() };
        let Some(second) = self.sketch.follow(first, out) else { return self.link_two() };
        if second.thing == first.thing {
            return self.link_two();
        }
        let Some(slot) = self.sketch.writable_slot(second.thing, self.random) else { return };
        self.link(second, slot, first);
    }

    fn unlink(&mut self) {
        let Some(holder) = self.sketch.any(self.random) else { return };
        if let Some(slot) = self.sketch.filled_slot(holder.thing, self.random)
            && holder.can_follow()
        {
            self.set(Target::Slot(holder, slot), None);
        }
    }

    fn copy(&mut self) {
        let Some(spot) = self.sketch.any(self.random) else { return };
        let var = self.sketch.fresh();
        self.set(Target::Var(var), Some(spot));
    }

    /// Moves an object from its variable into a slot of another.
    fn move_inside(&mut self) {
        let Some(var) = self.random.pick(self.sketch.held()) else { return };
        let (Some(spot), Some(target)) = (self.sketch.spot(var), self.sketch.slot_target(self.random)) else { return };
        self.set(target, Some(spot));
        self.drop_var(var);
    }

    fn deref(&mut self) {
        let Some(weak) = self.sketch.find(self.random, |t| t.is(Traits::WEAKREF)) else { return };
        self.op(Op::Deref { dst: Place::NOTHING, weak: weak.place });
    }

    fn collect(&mut self) {
        let generation = [0, 0, 1, 1, 2, 2, 2, 2][self.random.index(8)];
        self.op(Op::Collect { generation });
    }

    fn at_allocation(&mut self) {
        let after = self.random.range(1, 6) as u8;
        let generation = self.random.below(3) as u8;
        self.op(Op::CollectAtAllocation { after, generation });
    }

    fn thresholds(&mut self) {
        let r = &mut self.random;
        let thresholds = [r.range(1, 8) as u16, r.range(0, 2) as u16, r.range(0, 2) as u16];
        self.op(Op::SetThreshold { thresholds });
    }

    fn call(&mut self) {
        // Only what a variable holds all the time cannot have been cleared.
        let callable = if self.has(Feature::ClearedCalls) {
            self.sketch.find(self.random, |t| t.on_call.is_some())
        } else {
            self.sketch.find_held(self.random, |t| t.on_call.is_some())
        };
        let callable = callable.unwrap_or_else(|| self.callable());
        if callable.place.path().is_empty() || self.has(Feature::ClearedCalls) {
            self.op(Op::Call { callable: callable.place });
        }
    }

    fn gc_callback(&mut self) {
        let Some(callable) = self.sketch.find_held(self.random, |t| t.on_call.is_some()) else {
            let mut kind = Kind::new(Shape::Node);
            kind.on_call = Some(self.plan(Role::Callable));
            let callable = self.new_var(kind, [None, None]);
            return self.op(Op::AddGcCallback { callable: callable.place });
        };
        self.op(Op::AddGcCallback { callable: callable.place });
    }

    fn build_graph(&mut self) {
        let mut kind = self.draw_extension();
        if self.random.chance(64) {
            self.add_code(&mut kind, 128);
        }
        let var = self.sketch.fresh();
        let bulk = Bulk::ALL[self.random.index(Bulk::ALL.len())];
        let count = self.random.range(1, 8);
        let kind = kind.canonical();
        self.op(Op::Build { dst: Place::var(var), bulk, kind, count });
        let scripts = [kind.on_dealloc, kind.finalizer.map(script_of)];
        for script in scripts.into_iter().flatten() {
            self.plans.owned_by_many(script, kind.tracking == Tracking::NoHeader);
        }
        let thing = self.sketch.add(kind.shape, kind.on_call);
        self.sketch.store(Target::Var(var), Some(thing));
        if count > 1 {
            let next = self.sketch.add(kind.shape, kind.on_call);
            self.sketch.fill(thing, (bulk == Bulk::Knots) as u8, next);
        }
    }

    /// Adds an object to a weak container.
    fn store_weakly(&mut self) {
        let Some(holder) = self.sketch.find(self.random, |t| t.is_weak_container()) else { return };
        if !holder.can_follow() {
            return;
        }
        let content = match self.sketch.find(self.random, |t| t.is(Traits::WEAKREFABLE) && !t.is_weak_container()) {
            Some(content) if !self.random.chance(48) => content,
            _ => {
                let mut kind = self.draw_extension();
                self.add_code(&mut kind, 128);
                self.new_var(kind, [None, None])
            }
        };
        if let Some(slot) = self.sketch.writable_slot(holder.thing, self.random) {
            // Two keys make collisions, and with them stale callbacks, likely.
            self.set(Target::Slot(holder, slot & 1), Some(content));
        }
    }

    fn len(&mut self) {
        let Some(container) = self.sketch.find(self.random, |t| t.is_weak_container()) else { return };
        self.op(Op::Len { container: container.place });
    }

    fn iterate(&mut self) {
        let Some(container) = self.sketch.find(self.random, |t| t.is_weak_container()) else { return };
        let script = self.plan(Role::Entry);
        self.op(Op::Iterate { container: container.place, script });
    }

    /// Drops most variables, in some order, sometimes with something in between.
    pub fn drop_roots(&mut self) {
        let count = self.sketch.vars();
        let start = self.random.index(count);
        let backwards = self.random.chance(96);
        for i in 0..count {
            let i = start + if backwards { count - 1 - i } else { i };
            let var = if i < count { i } else { i - count } as u16;
            let Some(thing) = self.sketch.content(var) else { continue };
            let thing = self.sketch.thing(thing);
            let survival = if thing.is_weak_container() {
                224
            } else if thing.is(Traits::WEAKREF) {
                self.configuration.survival / 2 + 128
            } else if thing.on_call.is_some() {
                self.configuration.survival / 2 + 48
            } else {
                self.configuration.survival
            };
            if !self.random.chance(survival) {
                if self.random.chance(12) {
                    self.collect();
                }
                self.drop_var(var);
            }
        }
        if self.has(Feature::AtAllocation) && self.random.chance(128) {
            self.op(Op::CollectAtAllocation { after: 1, generation: self.configuration.rounds as u8 % 3 });
            self.new_object();
        }
    }

    /// What is left after a collection is looked at, dropped or linked again.
    fn after(&mut self) {
        for _ in 0..self.random.below(3) {
            match self.random.below(8) {
                0 | 1 => self.deref(),
                2 => self.op(Op::Look),
                3 => self.collect(),
                4 if self.has(Feature::Iteration) => self.iterate(),
                5 if self.has(Feature::WeakDicts) || self.has(Feature::WeakSets) => self.len(),
                _ => self.touch_keep(),
            }
        }
    }

    /// Uses what scripts kept: drops it, links to it, or reads it as a weak reference.
    fn touch_keep(&mut self) {
        let Some(var) = self.random.pick(&self.sketch.kept) else { return };
        if self.plans.is_empty() {
            return;
        }
        let keep = Place::var(var);
        match self.random.below(8) {
            0..=4 => self.op(Op::Set { dst: keep, src: Place::NOTHING }),
            5 => self.op(Op::Deref { dst: Place::NOTHING, weak: keep }),
            6 => {
                let slot = self.random.below(2) as u8;
                self.op(Op::Set { dst: keep.slot(slot), src: keep });
            }
            _ => {
                let target = self.sketch.slot_target(self.random);
                if let Some(target) = target {
                    self.op(Op::Set { dst: target.place(), src: keep });
                }
            }
        }
    }

    /// The last collections, which are always full, and a look at what they left.
    fn finish(&mut self) {
        if self.random.chance(48) {
            self.collect();
            self.after();
        }
        self.limit += 14;
        self.op(Op::Collect { generation: 2 });
        if self.random.chance(128) {
            self.after();
            for i in 0..self.sketch.kept.len() {
                if !self.plans.is_empty() && self.random.chance(96) {
                    let keep = Place::var(self.sketch.kept[i]);
                    self.op(Op::Set { dst: keep, src: Place::NOTHING });
                }
            }
            let vars = self.sketch.held().len();
            for _ in 0..vars.min(2) {
                if let Some(var) = self.random.pick(self.sketch.held())
                    && self.random.chance(96)
                {
                    self.drop_var(var);
                }
            }
        }
        if self.random.chance(224) {
            self.op(Op::Collect { generation: 2 });
        }
    }
}
