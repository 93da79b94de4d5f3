//! Planted shapes: the object graphs of historic bugs, which random weights hardly ever produce.
//!
//! Each shape writes the few operations that matter and leaves the rest to chance: the kinds of members that do not
//! matter, detours, user code, observers. What is built around it and when its variables are dropped is up to the
//! body around it. The names of bugs are those of CPython's tracker.

mod collections;
mod containers;
mod dying_weakrefs;
mod finalizers;
mod undefined;
mod user_code;
mod weakrefs;

use super::builder::Builder;
use super::feature::Feature;
use super::heap_estimate::{Spot, Target, Traits};
use super::pending_scripts::ScriptRole;
use super::weighted::{Row, Weighted, total};
use crate::scenario::{Base, Clear, Finalizer, Kind, Op, Place, Shape, SlotSet, Tracking};

/// A planted shape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum HistoricShape {
    /// A weak reference inside the trash to an object behind a container that hides it (bpo-38006).
    BlindOwner,
    /// The same through a function's closure, a dict and a `KeyedRef` (bpo-38006 as it was found).
    FunctionChain,
    /// Weak reference, callback and referent in one trash cycle (SF 839548).
    TrashCallback,
    /// A weak reference outside, read while the trash is cleared (SF 1055820).
    LiveWatch,
    /// A weak reference made by a finalizer, read while the trash is cleared (gh-91636, gh-136401).
    LateWeakref,
    /// One object resurrects itself, its neighbours do not (bpo-38379).
    LocalResurrection,
    /// User code looks around while part of a cycle has been cleared (bpo-38006 msg353867, C58, C59).
    HalfCleared,
    /// A legacy finalizer that holds back what it reaches.
    LegacyHolder,
    /// A legacy finalizer that runs inside a callback or another finalizer.
    LegacyInside,
    /// User code inside user code, up to as deep as it may nest.
    DeepNesting,
    /// An instance of a subclass of `weakref.ref` that is being deallocated when its referent dies.
    DyingWeakref,
    /// A deallocator that looks at what it owns (bpo-13070, gh-129726).
    DeallocLooks,
    /// An object that owns a weak reference to itself.
    SelfWatch,
    /// A collection inside the callback of a dying object (SF 840829, bpo-26617).
    CollectInCallback,
    /// A weak reference that owns its referent (bpo-3100).
    KeyedOwner,
    /// A finalizer that kills the next object to be finalized (bpo-21435).
    FirstKillsSecond,
    /// An object without GC header that is resurrected again and again (bpo-41984).
    FinalizeAgain,
    /// The shared weak reference of a live object is trash when another one is made (bpo-29347).
    SharedRefInTrash,
    /// An entry of a weak dictionary is replaced while the old one dies (bpo-7105, bpo-35615).
    StaleEntry,
    /// A value of a weak dictionary reaches its key (bpo-44680).
    Ephemeron,
    /// Trash that is frozen before it is collected.
    FrozenTrash,
    /// An entry of `gc.callbacks` that removes entries.
    CallbackRemoves,
    /// A long chain whose deepest object is watched (bpo-16602).
    WatchedChain,
    /// A cycle through an object that is not tracked (bpo-42536).
    UntrackedLink,
    /// A cycle through the edge from an instance to its type (bpo-40217).
    TypeEdge,
    /// An over-reporting object next to one that is alive (bpo-39778).
    OverReported,
    /// A deallocator that does not untrack, and a collection inside it (bpo-31095).
    TrackedAtDeath,
    /// A cleared function, found again and called (gh-91636).
    ClearedFunction,
}

static PLANTS: Weighted<HistoricShape, { total(ROWS) }> = Weighted::new(ROWS);

/// Plants with the feature that allows them and their weight.
const ROWS: &[Row<HistoricShape>] = &[
    (HistoricShape::BlindOwner, None, 36),
    (HistoricShape::FunctionChain, None, 10),
    (HistoricShape::TrashCallback, None, 10),
    (HistoricShape::LiveWatch, None, 18),
    (HistoricShape::LateWeakref, None, 24),
    (HistoricShape::LocalResurrection, None, 12),
    (HistoricShape::HalfCleared, None, 12),
    (HistoricShape::LegacyHolder, None, 6),
    (HistoricShape::LegacyInside, None, 6),
    (HistoricShape::DeepNesting, None, 4),
    (HistoricShape::DyingWeakref, None, 1),
    (HistoricShape::DeallocLooks, None, 8),
    (HistoricShape::SelfWatch, None, 10),
    (HistoricShape::CollectInCallback, None, 8),
    (HistoricShape::KeyedOwner, None, 5),
    (HistoricShape::FirstKillsSecond, None, 8),
    (HistoricShape::FinalizeAgain, None, 6),
    (HistoricShape::SharedRefInTrash, None, 8),
    (HistoricShape::StaleEntry, None, 10),
    (HistoricShape::Ephemeron, None, 4),
    (HistoricShape::FrozenTrash, None, 4),
    (HistoricShape::CallbackRemoves, None, 4),
    (HistoricShape::UntrackedLink, None, 5),
    (HistoricShape::TypeEdge, None, 5),
    (HistoricShape::WatchedChain, Some(Feature::Repeats), 24),
    (HistoricShape::OverReported, Some(Feature::OverReporting), 40),
    (HistoricShape::TrackedAtDeath, Some(Feature::DeallocFlaws), 40),
    (HistoricShape::ClearedFunction, Some(Feature::ClearedCalls), 40),
];

const OWNER: Place = Place::of(Base::Owner);
const ARG: Place = Place::of(Base::Arg);
const FORGET: Place = Place::NOTHING;

/// How a script sees what it should not: by walking, or by reading a weak reference and walking.
const LOOK: [Op; 1] = [Op::Look];

impl Builder<'_> {
    /// Writes one planted shape.
    pub fn shape(&mut self) {
        match PLANTS.among(self.configuration.features).draw(&mut self.random) {
            HistoricShape::BlindOwner => self.blind_owner(),
            HistoricShape::FunctionChain => self.function_chain(),
            HistoricShape::TrashCallback => self.trash_callback(),
            HistoricShape::LiveWatch => self.live_watch(),
            HistoricShape::LateWeakref => self.late_weakref(),
            HistoricShape::LocalResurrection => self.local_resurrection(),
            HistoricShape::HalfCleared => self.half_cleared(),
            HistoricShape::LegacyHolder => self.legacy_holder(),
            HistoricShape::LegacyInside => self.legacy_inside(),
            HistoricShape::DeepNesting => self.deep_nesting(),
            HistoricShape::DyingWeakref => self.dying_weakref(),
            HistoricShape::DeallocLooks => self.dealloc_looks(),
            HistoricShape::SelfWatch => self.self_watch(),
            HistoricShape::CollectInCallback => self.collect_in_callback(),
            HistoricShape::KeyedOwner => self.keyed_owner(),
            HistoricShape::FirstKillsSecond => self.first_kills_second(),
            HistoricShape::FinalizeAgain => self.finalize_again(),
            HistoricShape::SharedRefInTrash => self.shared_ref_in_trash(),
            HistoricShape::StaleEntry => self.stale_entry(),
            HistoricShape::Ephemeron => self.ephemeron(),
            HistoricShape::FrozenTrash => self.frozen_trash(),
            HistoricShape::CallbackRemoves => self.callback_removes(),
            HistoricShape::WatchedChain => self.watched_chain(),
            HistoricShape::UntrackedLink => self.untracked_link(),
            HistoricShape::TypeEdge => self.type_edge(),
            HistoricShape::OverReported => self.over_reported(),
            HistoricShape::TrackedAtDeath => self.tracked_at_death(),
            HistoricShape::ClearedFunction => self.cleared_function(),
        }
        // An observer without callback sees what the ones with callbacks must not.
        if self.random.chance(72)
            && let Some(referent) = self.heap.find(&mut self.random, Traits::WEAKREFABLE)
        {
            self.new_var(Kind::new(Shape::Ref), [Some(referent), None]);
        }
    }

    /// A kind for a member that takes part fully, sometimes with user code.
    fn member(&mut self) -> Kind {
        let instance = self.has(Feature::Instances) && self.random.chance(64);
        let mut kind = Kind::new(if instance { Shape::Instance } else { Shape::Node });
        if self.random.chance(40) {
            self.add_code(&mut kind, 128);
        }
        kind
    }

    /// A node with a script to be called by.
    fn called(&mut self, ops: &[Op]) -> Kind {
        let mut kind = Kind::new(Shape::Node);
        kind.on_call = Some(self.plan_fixed(ScriptRole::Callable, ops));
        kind
    }

    /// A node whose finalizer does this.
    fn finalized(&mut self, ops: &[Op]) -> Kind {
        let instance = self.has(Feature::Instances) && self.random.chance(64);
        let mut kind = Kind::new(if instance { Shape::Instance } else { Shape::Node });
        kind.finalizer = Some(Finalizer::Modern(self.plan_fixed(ScriptRole::Finalizer, ops)));
        kind
    }

    /// A container whose content the collector cannot see.
    fn blind(&mut self) -> Kind {
        let mut kind = Kind::new(Shape::Node);
        match self.random.below(4) {
            0 | 1 => kind.tracking = Tracking::NoHeader,
            2 => kind.hidden = SlotSet::ALL,
            _ => {
                kind.hidden = SlotSet(0b0001);
                kind.clear = Clear::Keeps(SlotSet(self.random.below(2) as u8));
            }
        }
        kind
    }

    /// `holder[slot] = content`, sometimes by way of another object.
    fn join(&mut self, holder: Spot, slot: u8, content: Spot) {
        if self.random.chance(40) {
            let kind = if self.has(Feature::Lists) { Kind::new(Shape::List) } else { self.member() };
            let middle = self.new_var(kind, [None, None]);
            self.link(middle, 0, content);
            self.link(holder, slot, middle);
            self.drop_spot(middle);
        } else {
            self.link(holder, slot, content);
        }
    }

    /// Makes an object part of a cycle: by slot 0, alone or with another.
    fn cycle(&mut self, spot: Spot) {
        if self.random.chance(72) {
            let kind = self.member();
            let other = self.new_var(kind, [None, None]);
            self.link(spot, 0, other);
            self.link(other, 0, spot);
        } else {
            self.link(spot, 0, spot);
        }
    }

    fn at(&mut self, holder: Spot, slot: u8, kind: Kind) -> Spot {
        debug_assert!(holder.can_follow());
        self.create(Target::slot(holder, slot), kind, [None, None])
    }

    fn watch_at(&mut self, holder: Spot, slot: u8, referent: Spot, callback: Option<Spot>) -> Spot {
        let shape = match self.random.below(8) {
            0 => Shape::KeyedRef,
            1 => Shape::Proxy,
            _ => Shape::Ref,
        };
        self.create(Target::slot(holder, slot), Kind::new(shape), [Some(referent), callback])
    }

    fn watch(&mut self, referent: Spot, callback: Option<Spot>) -> Spot {
        self.new_var(Kind::new(Shape::Ref), [Some(referent), callback])
    }

    pub fn drop_spot(&mut self, spot: Spot) {
        if let Base::Var(var) = spot.place.base {
            self.drop_var(var);
        }
    }

    /// A node behind a blind box in slot 1, whose death runs a script. The collector does not know it is trash.
    fn surprise(&mut self, holder: Spot, ops: &[Op]) {
        let blind = self.blind();
        let middle = self.new_var(blind, [None, None]);
        let mut kind = Kind::new(Shape::Node);
        match self.random.below(16) {
            0..=3 => kind.on_dealloc = Some(self.plan_fixed(ScriptRole::Dealloc, ops)),
            observer @ 4..=7 => {
                let called = self.called(ops);
                let callback = self.new_var(called, [None, None]);
                let inner = self.at(middle, 0, kind);
                if observer == 4 {
                    self.new_var(self.finalize_kind(), [Some(inner), Some(callback)]);
                } else {
                    self.watch(inner, Some(callback));
                }
                if observer == 5 {
                    let container = self.new_var(self.container_kind(Shape::WeakValueDict), [None, None]);
                    self.link(container, 0, inner);
                }
            }
            _ => kind.finalizer = Some(Finalizer::Modern(self.plan_fixed(ScriptRole::Finalizer, ops))),
        }
        if self.heap.follow(middle, 0).is_none() {
            self.at(middle, 0, kind);
        }
        self.link(holder, 1, middle);
        self.drop_spot(middle);
    }
}
