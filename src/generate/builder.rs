//! The pen that writes scenarios: creates objects, stores, and remembers which scripts it promised.

use super::feature::Feature;
use super::heap_estimate::{HeapEstimate, Spot, Target, Traits};
use super::pending_scripts::{PendingScripts, ScriptRole};
use super::profile::Configuration;
use super::random::Random;
use super::weighted::{Catalogue, Offer};
use crate::scenario::{
    Clear, DeallocFlaws, Finalizer, Kind, MAX_SCRIPTS, Op, Place, Scenario, ScriptId, Shape, SlotSet, Tracking,
};

/// Ways to take part in garbage collection and shapes of built-in objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Choice {
    Node,
    NoHeader,
    Hidden,
    ClearMissing,
    ClearPartial,
    Untracked,
    Typed,
    OverReporting,
    Fickle,
    Flawed,
    /// A dictionary with weak values, or, less often, with weak keys.
    WeakDict,
    Plain(Shape),
}

/// What may be created: the feature that allows it, and its weight.
pub(super) static CHOICES: Catalogue<Choice> = Catalogue::new(&[
    (Choice::Node, None, 28),
    (Choice::NoHeader, Some(Feature::NoHeader), 22),
    (Choice::Hidden, Some(Feature::Hidden), 22),
    (Choice::ClearMissing, Some(Feature::ClearMissing), 12),
    (Choice::ClearPartial, Some(Feature::ClearPartial), 12),
    (Choice::Untracked, Some(Feature::Untracked), 10),
    (Choice::Typed, Some(Feature::Typed), 12),
    (Choice::OverReporting, Some(Feature::OverReporting), 22),
    (Choice::Fickle, Some(Feature::Fickle), 20),
    (Choice::Flawed, Some(Feature::DeallocFlaws), 26),
    (Choice::Plain(Shape::List), Some(Feature::Lists), 18),
    (Choice::Plain(Shape::Dict), Some(Feature::Dicts), 16),
    (Choice::Plain(Shape::Tuple), Some(Feature::Tuples), 16),
    (Choice::Plain(Shape::Cell), Some(Feature::Cells), 14),
    (Choice::Plain(Shape::Function), Some(Feature::Functions), 20),
    (Choice::Plain(Shape::Method), Some(Feature::Methods), 16),
    (Choice::Plain(Shape::Instance), Some(Feature::Instances), 28),
    (Choice::Plain(Shape::Slotted), Some(Feature::Slotted), 18),
    (Choice::Plain(Shape::Bare), Some(Feature::Bare), 14),
    (Choice::WeakDict, Some(Feature::WeakDicts), 30),
    (Choice::Plain(Shape::WeakSet), Some(Feature::WeakSets), 16),
    (Choice::Plain(Shape::Finalize), Some(Feature::Finalize), 14),
    (Choice::Plain(Shape::KeyedRef), Some(Feature::KeyedRefs), 6),
]);

/// Writes one scenario.
pub(super) struct Builder<'a> {
    pub configuration: Configuration,
    pub random: Random,
    pub heap: &'a mut HeapEstimate,
    pub plans: &'a mut PendingScripts,
    pub out: &'a mut Scenario,
    /// What may be created.
    pub kinds: &'a Offer<Choice>,
    /// Operations that may be written, the last collections and the scripts not counted.
    pub limit: usize,
}

impl Builder<'_> {
    #[inline]
    pub fn has(&self, feature: Feature) -> bool {
        self.configuration.features.has(feature)
    }

    /// True once the mutator's body is as long as it may be.
    #[inline]
    pub fn full(&self) -> bool {
        self.out.ops().len() >= self.limit
    }

    #[inline]
    pub fn op(&mut self, op: Op) {
        if !self.full() {
            self.out.push(op);
        }
    }

    /// Creates an object of a canonical kind that needs at most the given items.
    #[inline]
    pub fn create(&mut self, target: Target, kind: Kind, items: [Option<Spot>; 2]) -> Spot {
        self.make(target, &kind, items.map(|item| item.unwrap_or(Spot::NOTHING)))
    }

    /// The same where what is not needed is [`Spot::NOTHING`].
    pub fn make(&mut self, target: Target, kind: &Kind, items: [Spot; 2]) -> Spot {
        debug_assert_eq!(*kind, kind.canonical());
        let thing = self.heap.add(kind.shape, kind.on_call);
        self.op(Op::New { dst: target.place, kind: *kind, items: items.map(|item| item.place) });
        if matches!(kind.shape, Shape::Tuple | Shape::Cell | Shape::Function | Shape::Method) {
            self.fill(thing, kind.shape, items);
        }
        self.heap.store_new(target, thing);
        if let Some(script) = kind.on_call {
            self.owned_by(script, thing, kind);
        }
        if let Some(script) = kind.on_dealloc {
            self.owned_by(script, thing, kind);
        }
        if let Some(finalizer) = kind.finalizer {
            self.owned_by(script_of(finalizer), thing, kind);
        }
        Spot { place: target.place, thing }
    }

    /// Notes what an object is made of. A tuple begins with its first item.
    #[inline(never)]
    fn fill(&mut self, thing: u16, shape: Shape, items: [Spot; 2]) {
        let [first, second] = items.map(|item| item.thing);
        let missing = shape == Shape::Tuple && items[0].is_nothing();
        for (slot, content) in (0..).zip(if missing { [second, first] } else { [first, second] }) {
            self.heap.fill(thing, slot, content);
        }
    }

    fn owned_by(&mut self, script: ScriptId, thing: u16, kind: &Kind) {
        let again = !kind.shape.is_extension() || kind.tracking == Tracking::NoHeader;
        self.plans.owned_by(script, thing, again);
    }

    /// Creates an object in a fresh variable.
    #[inline]
    pub fn new_var(&mut self, kind: Kind, items: [Option<Spot>; 2]) -> Spot {
        self.create(self.heap.fresh_target(), kind, items)
    }

    /// `target = content`, or `del target`.
    #[inline]
    pub fn set(&mut self, target: Target, content: Option<Spot>) {
        self.put(target, content.unwrap_or(Spot::NOTHING));
    }

    fn put(&mut self, target: Target, content: Spot) {
        self.op(Op::Set { dst: target.place, src: content.place });
        self.heap.store(target, content.thing);
    }

    /// `holder[slot] = content`
    #[inline]
    pub fn link(&mut self, holder: Spot, slot: u8, content: Spot) {
        if holder.can_follow() {
            self.put(Target::slot(holder, slot), content);
        }
    }

    /// `del var`, if the variable holds something.
    #[inline]
    pub fn drop_var(&mut self, var: u16) {
        if self.heap.content(var).is_some() {
            self.op(Op::Set { dst: Place::var(var), src: Place::NOTHING });
            self.heap.forget(var);
        }
    }

    /// A fresh variable, or a slot of an object that exists.
    #[inline]
    pub fn target(&mut self) -> Target {
        if self.random.chance(self.configuration.inner)
            && let Some(target) = self.heap.slot_target(&mut self.random)
        {
            return target;
        }
        self.heap.fresh_target()
    }

    /// Promises a script with prescribed operations.
    pub fn plan_fixed(&mut self, role: ScriptRole, ops: &[Op]) -> ScriptId {
        if self.plans.len() >= MAX_SCRIPTS {
            return ScriptId(self.random.index(MAX_SCRIPTS) as u8);
        }
        let own = role == ScriptRole::Finalizer && ops.is_empty() && self.has(Feature::Resurrection);
        let keep = (own && self.random.chance(128)).then(|| self.heap.fresh_own_keep());
        self.plans.promise(role, keep, ops)
    }

    /// Promises a script, sometimes one that was promised before.
    pub fn plan(&mut self, role: ScriptRole) -> ScriptId {
        let full = self.plans.len() >= MAX_SCRIPTS * 3 / 4;
        if (full || self.random.chance(72))
            && let Some(script) = self.plans.latest(role)
        {
            return script;
        }
        self.plan_fixed(role, &[])
    }

    /// Some slots of a node: all, one, or any.
    fn slots(&mut self) -> SlotSet {
        match self.random.below(8) {
            0..=3 => SlotSet::ALL,
            4 => SlotSet(0b0011),
            5 => SlotSet(self.random.range(1, 15) as u8),
            slot => SlotSet(1 << (slot - 6)),
        }
    }

    /// Adds one way of not taking part to a kind.
    #[inline(never)]
    fn lower(&mut self, kind: &mut Kind, choice: Choice) {
        match choice {
            Choice::NoHeader => kind.tracking = Tracking::NoHeader,
            Choice::Hidden => kind.hidden = self.slots(),
            Choice::ClearMissing => kind.clear = Clear::Missing,
            Choice::ClearPartial => kind.clear = Clear::Keeps(self.slots()),
            Choice::Untracked => kind.tracking = Tracking::Untracked,
            Choice::Typed => kind.shape = Shape::Typed,
            Choice::OverReporting => kind.doubled = self.slots(),
            Choice::Fickle => kind.fickle = self.slots(),
            Choice::Flawed => {
                kind.flaws = match self.random.below(4) {
                    0 | 1 => DeallocFlaws { keeps_tracked: true, keeps_weakrefs: false },
                    2 => DeallocFlaws { keeps_tracked: false, keeps_weakrefs: true },
                    _ => DeallocFlaws { keeps_tracked: true, keeps_weakrefs: true },
                }
            }
            Choice::Node | Choice::WeakDict | Choice::Plain(_) => {}
        }
    }

    /// The library's `finalize` or the composed one, by turns that need no random number.
    pub fn finalize_kind(&self) -> Kind {
        let library = self.out.ops().len().is_multiple_of(2);
        Kind::new(if library { Shape::Finalize } else { Shape::ComposedFinalize })
    }

    /// The library's weak container of a sort or the composed one, in the same way.
    pub fn container_kind(&self, composed: Shape) -> Kind {
        let library = self.out.ops().len().is_multiple_of(2);
        Kind::new(match composed {
            Shape::WeakValueDict if library => Shape::LibraryValueDict,
            Shape::WeakSet if library => Shape::LibrarySet,
            _ => composed,
        })
    }

    /// A kind for a new object, without user code.
    #[inline]
    pub fn draw_kind(&mut self) -> Kind {
        let choice = self.kinds.draw(&mut self.random);
        match choice {
            Choice::Plain(Shape::Finalize) => return self.finalize_kind(),
            Choice::Plain(shape) => return self.container_kind(shape),
            Choice::WeakDict if self.random.below(5) < 3 => return self.container_kind(Shape::WeakValueDict),
            Choice::WeakDict => return Kind::new(Shape::WeakKeyDict),
            _ => {}
        }
        let mut kind = Kind::new(Shape::Node);
        if choice != Choice::Node {
            self.lower(&mut kind, choice);
        }
        if self.random.chance(40) {
            let second = self.kinds.draw(&mut self.random);
            self.lower(&mut kind, second);
            kind = kind.canonical();
        }
        kind
    }

    /// A kind of extension object, full protocol twice out of three times.
    pub fn draw_extension(&mut self) -> Kind {
        if self.random.chance(84) {
            let kind = self.draw_kind();
            if kind.shape.is_extension() {
                return kind;
            }
        }
        Kind::new(Shape::Node)
    }

    /// Adds user code to a kind that can have it.
    #[inline]
    pub fn add_code(&mut self, kind: &mut Kind, probability: u16) {
        if kind.shape.can_finalize() && self.has(Feature::Finalizers) && self.random.chance(probability) {
            let script = self.plan(ScriptRole::Finalizer);
            let legacy = !mutant!(NoLegacyFinalizers)
                && self.has(Feature::Legacy)
                && kind.shape.is_extension()
                && self.random.chance(112);
            kind.finalizer = Some(if legacy { Finalizer::Legacy(script) } else { Finalizer::Modern(script) });
        }
        if kind.shape.can_call() && self.has(Feature::Callbacks) && self.random.chance(56) {
            kind.on_call = Some(self.plan(ScriptRole::Callable));
        }
        if kind.shape.is_extension() && self.has(Feature::DeallocActions) && self.random.chance(probability) {
            kind.on_dealloc = Some(self.plan(ScriptRole::Dealloc));
        }
    }

    /// An object that can be called; made if there is none.
    pub fn callable(&mut self) -> Spot {
        if !self.random.chance(64)
            && let Some(spot) = self.heap.find(&mut self.random, Traits::CALLABLE)
        {
            return spot;
        }
        let function = self.has(Feature::Functions) && self.random.chance(128);
        let mut kind = if function { Kind::new(Shape::Function) } else { self.draw_extension() };
        kind.on_call = Some(self.plan(ScriptRole::Callable));
        let closure = if function { self.closure() } else { None };
        self.new_var(kind, [closure, None])
    }

    /// A tuple for a function's closure or defaults.
    pub fn closure(&mut self) -> Option<Spot> {
        if let Some(spot) = self.heap.find(&mut self.random, Traits::TUPLE) {
            return Some(spot);
        }
        if self.has(Feature::Tuples) || self.has(Feature::Cells) || self.random.chance(64) {
            let content = self.heap.any(&mut self.random)?;
            let cell = self.new_var(Kind::new(Shape::Cell), [Some(content), None]);
            return Some(self.new_var(Kind::new(Shape::Tuple), [Some(cell), None]));
        }
        None
    }

    /// Creates a weak reference to something.
    pub fn weakref(&mut self) {
        let Some(referent) = self.heap.find(&mut self.random, Traits::WEAKREFABLE) else { return };
        self.weakref_to(referent);
    }

    /// Creates a weak reference to an object.
    pub fn weakref_to(&mut self, referent: Spot) {
        let callback = if self.has(Feature::Callbacks) && self.random.chance(self.configuration.callbacks) {
            Some(self.callable())
        } else {
            None
        };
        let draw = self.random.below(8);
        let shape = match draw {
            0 | 1 if self.has(Feature::Proxies) && !mutant!(NoProxies) => Shape::Proxy,
            2..=4 if self.has(Feature::KeyedRefs) => Shape::KeyedRef,
            _ => Shape::Ref,
        };
        let callback = callback.filter(|_| !(mutant!(KeyedRefsWithoutCallback) && shape == Shape::KeyedRef));
        let target = if self.random.chance(136)
            && let Some(target) = self.heap.slot_target(&mut self.random)
        {
            target
        } else {
            self.heap.fresh_target()
        };
        self.create(target, Kind::new(shape), [Some(referent), callback]);
    }

    /// A variable that only scripts store to.
    pub fn keep(&mut self) -> u16 {
        match self.random.pick(&self.heap.keeps) {
            Some(var) if self.random.chance(160) => var,
            _ => self.heap.fresh_keep(),
        }
    }
}

/// The script of a finalizer.
pub(super) fn script_of(finalizer: Finalizer) -> ScriptId {
    match finalizer {
        Finalizer::Modern(script) | Finalizer::Legacy(script) => script,
    }
}
