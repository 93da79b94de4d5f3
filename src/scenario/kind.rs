//! What an object is: its shape and how its type takes part in cyclic garbage collection.

use super::Shape;
use super::numbered::numbered;

/// Number of slots of a [`Shape::Node`], [`Shape::Typed`], [`Shape::Slotted`] or [`Shape::Instance`] object.
pub const NODE_SLOTS: u8 = 4;
/// Number of slots that a [`Shape::KeyedRef`] has besides its referent and callback.
pub const KEYED_SLOTS: u8 = 1;
/// Highest number of items in a list, or of integer keys in a dict.
pub const MAX_ITEMS: u8 = 64;

/// The index of a script: a body of operations that user code runs. The mutator's body is not a script.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ScriptId(pub u8);

numbered! {
    /// Whether the object has a GC header and is in one of the collector's lists.
    #[derive(Default)]
    pub enum Tracking {
        /// Has a GC header and is tracked at creation.
        #[default]
        Tracked,
        /// Has a GC header but is not tracked until a `track` operation.
        Untracked,
        /// The type has no GC flag: no header, never tracked, `traverse` is never called, and the finalizer runs at
        /// every death (there is no bit to remember it).
        NoHeader,
    }
}

/// A set of slots 0..8.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct SlotSet(pub u8);

impl SlotSet {
    /// No slot.
    pub const NONE: SlotSet = SlotSet(0);
    /// Every slot of a node.
    pub const ALL: SlotSet = SlotSet(0x0f);

    /// True if `slot` is in the set; slots of 8 and above never are.
    #[inline]
    pub const fn has(self, slot: usize) -> bool {
        slot < 8 && self.0 & (1 << slot) != 0
    }
}

/// What `tp_clear` of the type does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Clear {
    /// Drops every slot except those in the set; the empty set is the full protocol.
    Keeps(SlotSet),
    /// The type has no `tp_clear`.
    Missing,
}

impl Default for Clear {
    fn default() -> Self {
        Clear::Keeps(SlotSet::NONE)
    }
}

/// The kind of finalizer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Finalizer {
    /// `tp_finalize` (PEP 442), or `__del__` of a Python class (`tp_del` before 3.4).
    Modern(ScriptId),
    /// `tp_del` of a C type, on every release. Only [`Shape::Node`] and [`Shape::Typed`].
    Legacy(ScriptId),
}

/// Flaws of the type's deallocator. Each is undefined behaviour waiting for a trigger (profile `unsafe`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct DeallocFlaws {
    /// Does not untrack the object before user code can run (bpo-31095, C51).
    pub keeps_tracked: bool,
    /// Does not clear the weak references to the object (gh-108295, C24).
    pub keeps_weakrefs: bool,
}

/// The complete description of an object's type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Kind {
    /// Layout and release rules.
    pub shape: Shape,
    /// GC header and tracking.
    pub tracking: Tracking,
    /// Owned slots that `traverse` does not report.
    pub hidden: SlotSet,
    /// Slots that `traverse` reports twice (over-reporting; undefined behaviour may follow).
    pub doubled: SlotSet,
    /// Slots that `traverse` reports only on odd calls (the first, third, ... call on this object).
    pub fickle: SlotSet,
    /// What `clear` drops.
    pub clear: Clear,
    /// The finalizer.
    pub finalizer: Option<Finalizer>,
    /// The script that runs when the object is called (as a weakref callback, by `call`, or by `gc.callbacks`).
    pub on_call: Option<ScriptId>,
    /// The script that the deallocator runs after weak references were cleared and before slots are dropped.
    /// The object is `self` with an artificial reference count of 1; keeping it is undefined behaviour.
    pub on_dealloc: Option<ScriptId>,
    /// Flaws of the deallocator.
    pub flaws: DeallocFlaws,
}

impl Kind {
    /// A kind of the given shape with the full protocol and no user code.
    pub const fn new(shape: Shape) -> Kind {
        Kind {
            shape,
            tracking: Tracking::Tracked,
            hidden: SlotSet::NONE,
            doubled: SlotSet::NONE,
            fickle: SlotSet::NONE,
            clear: Clear::Keeps(SlotSet::NONE),
            finalizer: None,
            on_call: None,
            on_dealloc: None,
            flaws: DeallocFlaws { keeps_tracked: false, keeps_weakrefs: false },
        }
    }

    /// The same kind without the fields that do not apply to its shape. Every decoder calls it, so that two texts
    /// which mean the same are the same value.
    pub fn canonical(mut self) -> Kind {
        let plain = Kind::new(self.shape);
        if !self.shape.is_extension() {
            let (finalizer, on_call) = (self.finalizer, self.on_call);
            self = plain;
            self.finalizer = finalizer;
            self.on_call = on_call;
            if let Some(Finalizer::Legacy(script)) = self.finalizer {
                self.finalizer = Some(Finalizer::Modern(script));
            }
        }
        if !self.shape.can_finalize() {
            self.finalizer = None;
        }
        if !self.shape.can_call() {
            self.on_call = None;
        }
        for set in [&mut self.hidden, &mut self.doubled, &mut self.fickle] {
            set.0 &= SlotSet::ALL.0;
        }
        self.doubled.0 &= !self.hidden.0;
        self.fickle.0 &= !(self.hidden.0 | self.doubled.0);
        if let Clear::Keeps(set) = &mut self.clear {
            set.0 &= SlotSet::ALL.0;
        }
        if self.tracking == Tracking::NoHeader {
            self.hidden = SlotSet::NONE;
            self.doubled = SlotSet::NONE;
            self.fickle = SlotSet::NONE;
            self.clear = Clear::Keeps(SlotSet::NONE);
            self.flaws.keeps_tracked = false;
        }
        self
    }
}
