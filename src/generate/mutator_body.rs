//! The mutator's body: build, link, watch, drop, collect, and again. How it drops and ends: [`super::mutator_end`].

use super::builder::{Builder, script_of};
use super::feature::Feature;
use super::heap_estimate::{Spot, Target, Traits};
use super::pending_scripts::ScriptRole;
use super::weighted::{Row, Weighted, total};
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

/// What may happen while objects are built.
static STEPS: Weighted<Step, TICKETS> = Weighted::new(&steps(false));

/// The same where operations come in any order: more of what else comes at the end.
static LOOSE_STEPS: Weighted<Step, TICKETS> = Weighted::new(&steps(true));

/// Sum of the weights of the longer rows.
const TICKETS: usize = total(&steps(true));

/// Steps with the feature that allows them and their weight.
const fn steps(loose: bool) -> [Row<Step>; 33] {
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
        (Step::Iterate, Some(Feature::Iteration), 12),
    ]
}

impl Builder<'_> {
    /// Writes the mutator's body.
    pub fn live(&mut self) {
        self.prelude();
        let rounds = self.configuration.rounds;
        for round in 0..rounds {
            let objects = self.configuration.objects.div_ceil(rounds);
            // Dropping takes about an operation per variable, so building gets the rest.
            let budget = (self.configuration.operations * 5 / 8).div_ceil(rounds) as usize;
            self.build(objects, budget);
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
            self.heap.fresh_keep();
        }
        let makes = f.has(Feature::LateWeakrefs) || f.has(Feature::Creation);
        if makes && f.has(Feature::Callbacks) && self.random.chance(80) {
            // What calls only what was promised before finds this.
            self.called_var();
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

    fn build(&mut self, mut objects: u32, budget: usize) {
        let choices = if self.configuration.loose { &LOOSE_STEPS } else { &STEPS };
        let steps = choices.among(self.configuration.features);
        let end = (self.out.ops().len() + budget).min(self.limit);
        if self.has(Feature::Planted) {
            self.shape();
            objects = objects.saturating_sub(3);
        }
        while self.out.ops().len() < end {
            let mut step = steps.draw(&mut self.random);
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
                if let Some(spot) = self.heap.any_held(&mut self.random) {
                    self.drop_spot(spot);
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
            Step::Freeze if mutant!(NothingIsFrozen) => {}
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
                let Some(spot) = self.heap.find(&mut self.random, Traits::EXTENSION) else { return };
                let object = spot.place;
                self.op(if step == Step::Track { Op::Track { object } } else { Op::Untrack { object } });
            }
            Step::Repeat => {
                let times = self.random.range(2, 4) as u8;
                let script = self.plan(ScriptRole::Body);
                self.op(Op::Repeat { times, script });
            }
            Step::Build => self.build_graph(),
            Step::Store => self.store_weakly(),
            Step::Len => self.len(),
            Step::Iterate => self.iterate(),
        }
    }

    pub(super) fn new_object(&mut self) {
        let mut kind = self.draw_kind();
        let probability = self.configuration.user_code;
        self.add_code(&mut kind, probability);
        let mut items = [Spot::NOTHING; 2];
        match kind.shape {
            Shape::KeyedRef => return self.weakref(),
            Shape::Tuple => items = [self.item(), self.item()],
            Shape::Cell => items[0] = self.item(),
            Shape::Function => {
                if self.random.chance(144)
                    && let Some(closure) = self.closure()
                {
                    items[0] = closure;
                }
                if self.random.chance(64)
                    && let Some(defaults) = self.heap.find(&mut self.random, Traits::TUPLE)
                {
                    items[1] = defaults;
                }
            }
            Shape::Method => {
                let function = match self.heap.find(&mut self.random, Traits::FUNCTION) {
                    Some(function) => function,
                    None => self.new_var(Kind::new(Shape::Function), [None, None]),
                };
                items = [function, self.item()];
            }
            Shape::Finalize | Shape::ComposedFinalize => {
                let Some(referent) = self.heap.find(&mut self.random, Traits::WEAKREFABLE) else {
                    return;
                };
                items = [referent, self.callable()];
            }
            _ => {}
        }
        let target = self.target();
        let spot = self.make(target, &kind, items);
        if self.heap.thing(spot.thing).is(Traits::WEAK_CONTAINER) {
            self.store_weakly();
        } else if self.random.chance(72)
            && spot.can_follow()
            && let Some(slot) = self.heap.writable_slot(spot.thing, &mut self.random)
        {
            // A self edge is the cheapest cycle.
            self.link(spot, slot, spot);
        }
    }

    /// Something for a new object to be made of, if there is anything.
    fn item(&mut self) -> Spot {
        self.heap.any(&mut self.random).unwrap_or(Spot::NOTHING)
    }

    /// An edge from some object to some object.
    fn link_two(&mut self) {
        let Some(target) = self.heap.slot_target(&mut self.random) else { return };
        let Some(content) = self.heap.any(&mut self.random) else { return };
        self.set(target, Some(content));
    }

    /// Closes a cycle: an object gets an edge back to one that points to it.
    fn tie(&mut self) {
        let Some(first) = self.heap.any(&mut self.random) else { return };
        let Some(out) = self.heap.filled_slot(first.thing, &mut self.random) else { return self.link_two() };
        let Some(second) = self.heap.follow(first, out) else { return self.link_two() };
        if second.thing == first.thing {
            return self.link_two();
        }
        let Some(slot) = self.heap.writable_slot(second.thing, &mut self.random) else { return };
        self.link(second, slot, first);
    }

    fn unlink(&mut self) {
        let Some(holder) = self.heap.any(&mut self.random) else { return };
        if let Some(slot) = self.heap.filled_slot(holder.thing, &mut self.random)
            && holder.can_follow()
        {
            self.set(Target::slot(holder, slot), None);
        }
    }

    fn copy(&mut self) {
        let Some(spot) = self.heap.any(&mut self.random) else { return };
        let var = self.heap.fresh();
        self.set(Target::var(var), Some(spot));
    }

    /// Moves an object from its variable into a slot of another.
    fn move_inside(&mut self) {
        let Some(spot) = self.heap.any_held(&mut self.random) else { return };
        let Some(target) = self.heap.slot_target(&mut self.random) else { return };
        self.set(target, Some(spot));
        self.drop_spot(spot);
    }

    pub(super) fn deref(&mut self) {
        let Some(weak) = self.heap.find(&mut self.random, Traits::WEAKREF) else { return };
        self.op(Op::Deref { dst: Place::NOTHING, weak: weak.place });
    }

    pub(super) fn collect(&mut self) {
        let generation = [0, 0, 1, 1, 2, 2, 2, 2][self.random.index(8)];
        self.op(Op::Collect { generation });
    }

    fn at_allocation(&mut self) {
        let after = self.random.range(1, 6) as u8;
        let generation = self.random.below(3) as u8;
        self.op(Op::CollectAtAllocation { after, generation });
    }

    pub(super) fn thresholds(&mut self) {
        let r = &mut self.random;
        let thresholds = [r.range(1, 8) as u16, r.range(0, 2) as u16, r.range(0, 2) as u16];
        self.op(Op::SetThreshold { thresholds });
    }

    fn call(&mut self) {
        // Only what a variable holds all the time cannot have been cleared.
        let callable = if self.has(Feature::ClearedCalls) {
            self.heap.find(&mut self.random, Traits::CALLABLE)
        } else {
            self.heap.find_held(&mut self.random, Traits::CALLABLE)
        };
        let callable = callable.unwrap_or_else(|| self.callable());
        if callable.place.path().is_empty() || self.has(Feature::ClearedCalls) {
            self.op(Op::Call { callable: callable.place });
        }
    }

    fn gc_callback(&mut self) {
        let Some(callable) = self.heap.find_held(&mut self.random, Traits::CALLABLE) else {
            let callable = self.called_var();
            return self.op(Op::AddGcCallback { callable: callable.place });
        };
        self.op(Op::AddGcCallback { callable: callable.place });
    }

    /// A variable with a node that can be called.
    fn called_var(&mut self) -> Spot {
        let mut kind = Kind::new(Shape::Node);
        kind.on_call = Some(self.plan(ScriptRole::Callable));
        self.new_var(kind, [None, None])
    }

    fn build_graph(&mut self) {
        let mut kind = self.draw_extension();
        if self.random.chance(64) {
            self.add_code(&mut kind, 128);
        }
        let var = self.heap.fresh();
        let bulk = Bulk::ALL[self.random.index(Bulk::ALL.len())];
        let count = self.random.range(1, 8);
        let kind = kind.canonical();
        self.op(Op::Build { dst: Place::var(var), bulk, kind, count });
        let scripts = [kind.on_dealloc, kind.finalizer.map(script_of)];
        for script in scripts.into_iter().flatten() {
            self.plans.owned_by_many(script, kind.tracking == Tracking::NoHeader);
        }
        let thing = self.heap.add(kind.shape, kind.on_call);
        self.heap.store(Target::var(var), thing);
        if count > 1 {
            let next = self.heap.add(kind.shape, kind.on_call);
            self.heap.fill(thing, (bulk == Bulk::Knots) as u8, next);
        }
    }

    /// Adds an object to a weak container.
    fn store_weakly(&mut self) {
        let Some(holder) = self.heap.find(&mut self.random, Traits::WEAK_CONTAINER) else { return };
        if !holder.can_follow() {
            return;
        }
        let content = match self.heap.find(&mut self.random, Traits::MEMBER) {
            Some(content) if !self.random.chance(48) => content,
            _ => {
                let mut kind = self.draw_extension();
                self.add_code(&mut kind, 128);
                self.new_var(kind, [None, None])
            }
        };
        if let Some(slot) = self.heap.writable_slot(holder.thing, &mut self.random) {
            // Two keys make collisions, and with them stale callbacks, likely.
            self.set(Target::slot(holder, slot & 1), Some(content));
        }
    }

    pub(super) fn len(&mut self) {
        let Some(container) = self.heap.find(&mut self.random, Traits::WEAK_CONTAINER) else { return };
        self.op(Op::Len { container: container.place });
    }

    pub(super) fn iterate(&mut self) {
        let Some(container) = self.heap.find(&mut self.random, Traits::WEAK_CONTAINER) else { return };
        let script = self.plan(ScriptRole::Entry);
        self.op(Op::Iterate { container: container.place, script });
    }
}
