//! Planted shapes: the object graphs of historic bugs, which random weights hardly ever produce.
//!
//! Each shape writes the few operations that matter and leaves the rest to chance: the kinds of members that do not
//! matter, detours, user code, observers. What is built around it and when its variables are dropped is up to the
//! body around it. The names of bugs are those of CPython's tracker.

mod dying_weakrefs;
mod undefined;
mod user_code;

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

    fn blind_owner(&mut self) {
        let called = self.called(&LOOK);
        let early = self.random.chance(208);
        let target = if early { Some(self.new_var(called, [None, None])) } else { None };
        let kind = self.member();
        let owner = self.new_var(kind, [None, None]);
        let target = match target {
            Some(target) => target,
            None => self.new_var(called, [None, None]),
        };
        self.cycle(owner);
        let referent = if self.random.chance(96) {
            let mut kind = Kind::new(Shape::Node);
            kind.tracking = Tracking::NoHeader;
            self.at(owner, 1, kind)
        } else {
            let blind = self.blind();
            let middle = self.at(owner, 1, blind);
            let kind = if self.random.chance(64) { self.blind() } else { self.member() };
            self.at(middle, 0, kind)
        };
        self.watch_at(owner, 2, referent, Some(target));
        self.join(target, 0, owner);
        if self.random.chance(48) {
            self.link(owner, 3, target);
        }
    }

    fn function_chain(&mut self) {
        let cell = self.new_var(Kind::new(Shape::Cell), [None, None]);
        let closure = self.new_var(Kind::new(Shape::Tuple), [Some(cell), None]);
        let mut kind = Kind::new(Shape::Function);
        kind.on_call = Some(self.plan_fixed(ScriptRole::Callable, &LOOK));
        let function = self.new_var(kind, [Some(closure), None]);
        let data = self.new_var(Kind::new(Shape::Dict), [None, None]);
        self.link(cell, 0, data);
        let blind = self.blind();
        let field = self.new_var(blind, [None, None]);
        let kind = self.member();
        let referent = self.at(field, 0, kind);
        self.create(Target::slot(data, 0), Kind::new(Shape::KeyedRef), [Some(referent), Some(function)]);
        if self.random.chance(128) {
            self.create(Target::slot(data, 1), Kind::new(Shape::Tuple), [Some(field), None]);
        } else {
            self.link(data, 1, field);
        }
        self.drop_spot(field);
    }

    fn trash_callback(&mut self) {
        let kind = self.called(&LOOK);
        let target = self.new_var(kind, [None, None]);
        let kind = self.member();
        let first = self.new_var(kind, [None, None]);
        let kind = self.member();
        let second = self.at(first, 0, kind);
        self.link(second, 0, first);
        if self.random.chance(160) {
            self.watch_at(first, 1, second, Some(target));
        } else {
            self.watch(second, Some(target));
        }
        self.join(target, 0, first);
        if self.random.chance(64) {
            self.link(first, 2, target);
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
                    let container = self.new_var(self.value_dict_kind(), [None, None]);
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

    fn live_watch(&mut self) {
        let kind = self.member();
        let seen = self.new_var(kind, [None, None]);
        self.cycle(seen);
        let weak = self.watch(seen, None);
        let keep = Place::var(self.keep());
        let dst = if self.random.chance(96) { keep } else { FORGET };
        self.surprise(seen, &[Op::Deref { dst, weak: weak.place }, Op::Look]);
    }

    fn late_weakref(&mut self) {
        let keep = Place::var(self.keep());
        let result = if self.random.chance(112) { Place::var(self.heap.fresh_keep()) } else { FORGET };
        let calls = self.random.chance(72);
        let (shape, callback) = if calls {
            ([Shape::Ref, Shape::KeyedRef, Shape::Proxy][self.random.index(3)], OWNER.slot(3))
        } else {
            (Shape::Ref, FORGET)
        };
        let make = Op::New { dst: keep, kind: Kind::new(shape), items: [OWNER, callback] };
        let read = Op::Deref { dst: result, weak: keep };
        let seen = if self.random.chance(64) {
            // The root that the finalizer drops takes the place of the blind box.
            let kind = self.finalized(&[read, Op::Look]);
            let other = self.new_var(kind, [None, None]);
            let kind = self.finalized(&[make, Op::Set { dst: other.place, src: FORGET }]);
            let seen = self.new_var(kind, [None, None]);
            self.cycle(seen);
            self.join(seen, 2, other);
            seen
        } else {
            let kind = self.finalized(&[make]);
            let seen = self.new_var(kind, [None, None]);
            self.cycle(seen);
            self.surprise(seen, &[read, Op::Look]);
            seen
        };
        if calls {
            let called = self.called(&LOOK);
            self.at(seen, 3, called);
        }
    }

    fn local_resurrection(&mut self) {
        let keep = Place::var(self.heap.fresh_own_keep());
        let part = OWNER.slot(self.random.below(2) as u8);
        let src = if self.random.chance(64) { part } else { OWNER };
        let kind = self.finalized(&[Op::Set { dst: keep, src }]);
        let first = self.new_var(kind, [None, None]);
        self.cycle(first);
        for i in 0..self.random.range(1, 3) {
            let kind = self.member();
            let neighbour = self.new_var(kind, [None, None]);
            self.link(neighbour, 0, neighbour);
            match self.random.below(4) {
                0 => self.link(first, i as u8 + 1, neighbour),
                1 | 2 => self.link(neighbour, 1, first),
                _ => {}
            }
            if self.random.chance(96) {
                self.watch(neighbour, None);
            }
        }
    }

    fn half_cleared(&mut self) {
        let mut kind = self.member();
        if kind.shape.is_extension() && self.random.chance(112) {
            kind.clear = Clear::Missing;
        }
        let first = self.new_var(kind, [None, None]);
        let kind = self.member();
        let second = self.at(first, 0, kind);
        self.link(second, 0, first);
        let ops = if self.random.chance(144) { [Op::Scan] } else { LOOK };
        self.surprise(second, &ops);
        if self.random.chance(96) {
            let kind = self.member();
            self.at(first, 2, kind);
        }
    }

    fn legacy_holder(&mut self) {
        let mut kind = Kind::new(Shape::Node);
        kind.finalizer = Some(Finalizer::Legacy(self.plan_fixed(ScriptRole::Finalizer, &LOOK)));
        let holder = self.new_var(kind, [None, None]);
        self.cycle(holder);
        let kind = self.finalized(&LOOK);
        let held_back = self.at(holder, 1, kind);
        let kind = self.member();
        let free = self.new_var(kind, [None, None]);
        self.link(free, 1, holder);
        self.link(free, 0, free);
        let seen = if self.random.chance(128) { holder } else { held_back };
        self.watch(seen, None);
    }

    fn dealloc_looks(&mut self) {
        let kind = self.member();
        let inner = self.new_var(kind, [None, None]);
        let mut kind = self.member();
        kind.shape = Shape::Node;
        kind.on_dealloc = Some(self.plan_fixed(ScriptRole::Dealloc, &LOOK));
        let outer = self.new_var(kind, [None, None]);
        self.link(outer, 0, inner);
        self.join(inner, 0, outer);
    }

    fn self_watch(&mut self) {
        let resurrect = self.random.chance(112);
        let kind = if resurrect {
            let keep = Place::var(self.heap.fresh_own_keep());
            self.finalized(&[Op::Set { dst: keep, src: OWNER }])
        } else {
            self.member()
        };
        let called = self.called(&LOOK);
        let callback = self.new_var(called, [None, None]);
        let seen = self.new_var(kind, [None, None]);
        if self.random.chance(160) {
            self.cycle(seen);
        }
        let inside = self.random.below(3);
        if inside != 0 {
            self.watch_at(seen, 1, seen, Some(callback));
        }
        if inside != 1 {
            self.watch(seen, Some(callback));
        }
        if self.random.chance(96) {
            self.watch(seen, None);
        }
    }

    fn collect_in_callback(&mut self) {
        let generation = self.random.below(3) as u8;
        let called = self.called(&[Op::Collect { generation }, Op::Look]);
        let callback = self.new_var(called, [None, None]);
        let kind = self.finalized(&[]);
        let dying = self.new_var(kind, [None, None]);
        if self.random.chance(64) {
            self.cycle(dying);
        }
        let shape = [Shape::Ref, Shape::Ref, Shape::KeyedRef, Shape::Proxy][self.random.index(4)];
        self.new_var(Kind::new(shape), [Some(dying), Some(callback)]);
        if self.random.chance(144) {
            self.drop_spot(dying);
        }
    }

    fn keyed_owner(&mut self) {
        let kind = self.member();
        let referent = self.new_var(kind, [None, None]);
        let callback = if self.random.chance(128) { Some(self.callable()) } else { None };
        let weak = self.new_var(Kind::new(Shape::KeyedRef), [Some(referent), callback]);
        self.link(weak, 0, referent);
        if self.random.chance(96) {
            self.link(referent, 0, weak);
        }
        self.drop_spot(referent);
        self.drop_spot(weak);
    }

    fn first_kills_second(&mut self) {
        let kind = self.finalized(&[Op::Set { dst: OWNER.slot(1), src: FORGET }]);
        let first = self.new_var(kind, [None, None]);
        let kind = self.finalized(&LOOK);
        let second = self.at(first, 1, kind);
        if self.random.chance(128) {
            self.link(first, 0, first);
        }
        self.link(second, 0, first);
        if self.random.chance(128) {
            let callback = self.callable();
            self.watch(second, Some(callback));
        }
    }

    fn finalize_again(&mut self) {
        let keep = self.heap.fresh_own_keep();
        let script = self.plan_fixed(ScriptRole::Finalizer, &[Op::Set { dst: Place::var(keep), src: OWNER }]);
        let bare = self.has(Feature::Bare) || self.random.chance(96);
        let mut kind = Kind::new(if bare { Shape::Bare } else { Shape::Node });
        if !bare {
            kind.tracking = Tracking::NoHeader;
        }
        kind.finalizer = Some(Finalizer::Modern(script));
        let dying = self.new_var(kind, [None, None]);
        self.drop_spot(dying);
        for _ in 0..self.random.range(1, 3) {
            self.op(Op::Set { dst: Place::var(keep), src: FORGET });
        }
    }

    fn shared_ref_in_trash(&mut self) {
        let kind = self.member();
        let alive = self.new_var(kind, [None, None]);
        let kind = self.member();
        let trash = self.new_var(kind, [None, None]);
        self.link(trash, 0, trash);
        self.create(Target::slot(trash, 1), Kind::new(Shape::Ref), [Some(alive), None]);
        self.drop_spot(trash);
        let generation = self.random.below(3) as u8;
        self.op(Op::CollectAtAllocation { after: 1, generation });
        self.watch(alive, None);
    }

    fn stale_entry(&mut self) {
        let shape = [Shape::WeakValueDict, Shape::WeakKeyDict, Shape::WeakSet][self.random.index(3)];
        let container = self.new_var(Kind::new(shape), [None, None]);
        let kind = self.member();
        let replacement = self.new_var(kind, [None, None]);
        let store = Op::Set { dst: container.place.slot(0), src: replacement.place };
        let finalizes = self.random.chance(128);
        let raises = finalizes && self.random.chance(96);
        let (dying, callback) = if finalizes {
            let last = if raises { Op::Raise } else { Op::Len { container: container.place } };
            let kind = self.finalized(&[store, last]);
            (self.new_var(kind, [None, None]), None)
        } else {
            let kind = self.member();
            let dying = self.new_var(kind, [None, None]);
            let called = self.called(&[store]);
            (dying, Some(self.new_var(called, [None, None])))
        };
        // Newest first: a callback made after the entry runs before the container's own.
        let late = !raises && self.random.chance(96);
        if !late && callback.is_some() {
            self.watch(dying, callback);
        }
        self.link(container, 0, dying);
        if late && callback.is_some() {
            self.watch(dying, callback);
        }
        if !raises && self.random.chance(160) {
            self.cycle(dying);
        }
        if late {
            self.drop_spot(dying);
            self.op(Op::Collect { generation: 2 });
        }
        let ops = [Op::Set { dst: dying.place, src: FORGET }, Op::Collect { generation: 2 }];
        let script = self.plan_fixed(ScriptRole::Entry, &ops);
        if self.random.chance(64) {
            self.op(Op::Freeze);
        }
        if self.random.chance(160) {
            self.op(Op::Iterate { container: container.place, script });
        }
        self.op(Op::Len { container: container.place });
    }

    fn ephemeron(&mut self) {
        let container = self.new_var(Kind::new(Shape::WeakKeyDict), [None, None]);
        let kind = self.member();
        let key = self.new_var(kind, [None, None]);
        self.link(container, 0, key);
        if self.random.chance(128) {
            self.cycle(key);
        }
        self.drop_spot(key);
        self.op(Op::Len { container: container.place });
    }

    fn frozen_trash(&mut self) {
        let kind = self.finalized(&LOOK);
        let frozen = self.new_var(kind, [None, None]);
        self.cycle(frozen);
        match self.random.below(4) {
            0 => {
                self.new_var(Kind::new(Shape::Proxy), [Some(frozen), None]);
            }
            1 => {
                let called = self.called(&LOOK);
                let callback = self.new_var(called, [None, None]);
                self.new_var(self.finalize_kind(), [Some(frozen), Some(callback)]);
            }
            _ => {
                self.watch(frozen, None);
            }
        }
        if self.random.chance(192) {
            self.drop_spot(frozen);
        }
        self.op(Op::Freeze);
        self.op(Op::Collect { generation: 2 });
        if self.random.chance(176) {
            self.op(Op::Unfreeze);
        }
    }

    fn callback_removes(&mut self) {
        let first = self.called(&[Op::EmptyGcCallbacks]);
        let first = self.new_var(first, [None, None]);
        let second = self.called(&LOOK);
        let second = self.new_var(second, [None, None]);
        let order = if self.random.chance(160) { [first, second] } else { [second, first] };
        for callable in order {
            self.op(Op::AddGcCallback { callable: callable.place });
        }
        self.op(Op::Collect { generation: self.configuration.rounds as u8 % 3 });
    }

    fn watched_chain(&mut self) {
        // Instances go through the trashcan up to 3.13; nodes do not.
        let instance = self.has(Feature::Instances) && self.random.chance(160);
        let mut kind = self.finalized(&LOOK);
        if instance {
            kind.shape = Shape::Instance;
        }
        let deepest = self.new_var(kind, [None, None]);
        let callback = if self.random.chance(160) {
            let called = self.called(&[Op::Deref { dst: FORGET, weak: ARG }, Op::Look]);
            Some(self.new_var(called, [None, None]))
        } else {
            None
        };
        let watch = self.watch(deepest, callback);
        let kind = match self.random.chance(96) && !instance {
            true => Kind::new(Shape::List),
            false if instance => Kind::new(Shape::Instance),
            false => self.member(),
        };
        let next = self.new_var(kind, [None, None]);
        self.link(next, 0, deepest);
        let link = [
            Op::New { dst: next.place, kind, items: [FORGET; 2] },
            Op::Set { dst: next.place.slot(0), src: deepest.place },
            Op::Set { dst: deepest.place, src: next.place },
        ];
        let script = self.plan_fixed(ScriptRole::Body, &link);
        if !instance {
            self.op(Op::Repeat { times: self.configuration.survival.min(255) as u8 / 2 + 60, script });
            return;
        }
        // The deepest object is put off at a depth of 50; what the outermost one holds besides is dropped before that ends.
        let times = self.random.range(46, 52) as u8;
        self.op(Op::Repeat { times, script });
        let probe = self.finalized(&[Op::Deref { dst: FORGET, weak: watch.place }]);
        self.at(next, 1, probe);
        self.drop_spot(deepest);
        self.drop_spot(next);
    }

    fn untracked_link(&mut self) {
        let mut kind = Kind::new(Shape::Node);
        kind.tracking = Tracking::Untracked;
        let hidden = self.new_var(kind, [None, None]);
        let kind = self.member();
        let seen = self.new_var(kind, [None, None]);
        self.link(seen, 0, hidden);
        self.link(hidden, 0, seen);
        self.watch(seen, None);
        match self.random.below(4) {
            0 => self.op(Op::Track { object: hidden.place }),
            1 => self.op(Op::Untrack { object: seen.place }),
            _ => {}
        }
    }

    fn type_edge(&mut self) {
        let kind = self.member();
        let class = self.new_var(kind, [None, None]);
        let mut kind = Kind::new(Shape::Typed);
        if self.random.chance(96) {
            kind.hidden = SlotSet(0b1000);
        }
        self.add_code(&mut kind, 64);
        let instance = self.new_var(kind, [None, None]);
        self.link(instance, 3, class);
        self.link(class, 0, instance);
        self.watch(class, None);
    }
}
