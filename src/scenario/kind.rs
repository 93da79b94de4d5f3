//! What an object is: its shape and how its type takes part in cyclic garbage collection.

/// Number of slots of a [`Shape::Node`], [`Shape::Typed`], [`Shape::Slotted`] or [`Shape::Instance`] object.
pub const NODE_SLOTS: u8 = 4;
/// Number of slots that a [`Shape::KeyedRef`] has besides its referent and callback.
pub const KEYED_SLOTS: u8 = 1;
/// Highest number of items in a list, or of integer keys in a dict.
pub const MAX_ITEMS: u8 = 64;

/// The index of a script: a body of operations that user code runs. The mutator's body is not a script.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ScriptId(pub u8);

/// The C-level layout of an object: which slots it has, and which rules of which release apply to it.
///
/// Slots are numbered from 0. Everything that differs between releases for a shape is a switch of the collector,
/// never a property of the scenario.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Shape {
    /// A C extension container with [`NODE_SLOTS`] slots, weakly referenceable, callable if it has a call script.
    /// Its participation is free: every other field of [`Kind`] applies.
    Node,
    /// A [`Shape::Node`] that is an instance of a heap type: slot 3 is the edge to its type. `traverse` reports
    /// that edge only on releases where it can (3.9, bpo-40217), unless the slot is hidden anyway.
    Typed,
    /// `list`. Slots are items; storing one past the end appends. Not weakly referenceable.
    List,
    /// `tuple` of the given items (at most 2), immutable, no `clear` on any release. Not weakly referenceable.
    Tuple,
    /// `dict` with small integers as keys. Slot k is the value under key k; order is insertion order.
    Dict,
    /// A closure cell: slot 0 is its content.
    Cell,
    /// A Python function: slot 0 closure (a tuple of cells), slot 1 defaults (a tuple), slot 2 attribute dict.
    /// `clear` exists since 3.8 (bpo-33418).
    Function,
    /// A bound method: slot 0 function, slot 1 self. No `clear` on any release.
    Method,
    /// An instance of a Python class with `__dict__` and `__weakref__`: slot k is attribute number k.
    /// Up to 3.10 its dict is an object of its own, created by the first store.
    Instance,
    /// An instance of a Python class with `__slots__ = ("s0", "s1", "s2", "s3", "__weakref__")`.
    Slotted,
    /// An instance of a Python class with `__slots__ = ()`: no slots, not weakly referenceable, without GC header
    /// up to 3.8.6 (bpo-41984).
    Bare,
    /// `weakref.ref`. Without callback the object's canonical reference is shared.
    Ref,
    /// `weakref.proxy`. Without callback the object's canonical proxy is shared.
    Proxy,
    /// An instance of a subclass of `weakref.ref` with one slot of its own (0), such as `KeyedRef`. Never shared.
    KeyedRef,
    /// `weakref.WeakValueDictionary`: storing x under key k adds an entry that holds x weakly by a `KeyedRef`;
    /// storing nothing deletes the entry. Composed of an object (slot 0 data dict, slot 1 removal callback), the
    /// dict, and a function whose default argument is a weak reference to the object; up to 3.6 the function has a
    /// closure over the dict.
    WeakValueDict,
    /// `weakref.WeakKeyDictionary`: storing x in slot k adds an entry with key x, held weakly, and value `x[k]`, held
    /// strongly; no effect if that is nothing. Composed as [`Shape::WeakValueDict`]. Entries cannot be deleted by storing nothing.
    WeakKeyDict,
    /// `weakref.WeakSet`: storing x in any slot adds x. Composed as [`Shape::WeakValueDict`].
    WeakSet,
    /// `weakref.finalize(referent, callable)`: slot 0 callable, slot 1 weak reference. Its registry holds it from
    /// its creation until it is called. Not before 3.4.
    Finalize,
}

impl Shape {
    /// Every shape, in the order of the binary form. Append only.
    pub const ALL: [Shape; 18] = [
        Shape::Node,
        Shape::Typed,
        Shape::List,
        Shape::Tuple,
        Shape::Dict,
        Shape::Cell,
        Shape::Function,
        Shape::Method,
        Shape::Instance,
        Shape::Slotted,
        Shape::Bare,
        Shape::Ref,
        Shape::Proxy,
        Shape::KeyedRef,
        Shape::WeakValueDict,
        Shape::WeakKeyDict,
        Shape::WeakSet,
        Shape::Finalize,
    ];

    /// The word of the text form.
    pub const fn word(self) -> &'static str {
        match self {
            Shape::Node => "Node",
            Shape::Typed => "Typed",
            Shape::List => "list",
            Shape::Tuple => "tuple",
            Shape::Dict => "dict",
            Shape::Cell => "cell",
            Shape::Function => "function",
            Shape::Method => "method",
            Shape::Instance => "Instance",
            Shape::Slotted => "Slotted",
            Shape::Bare => "Bare",
            Shape::Ref => "ref",
            Shape::Proxy => "proxy",
            Shape::KeyedRef => "KeyedRef",
            Shape::WeakValueDict => "WeakValueDictionary",
            Shape::WeakKeyDict => "WeakKeyDictionary",
            Shape::WeakSet => "WeakSet",
            Shape::Finalize => "finalize",
        }
    }

    /// True for the three weak reference types.
    pub const fn is_weakref(self) -> bool {
        matches!(self, Shape::Ref | Shape::Proxy | Shape::KeyedRef)
    }

    /// True if the participation fields of [`Kind`] (tracking, edges, `clear`, dealloc) may be set.
    pub const fn is_extension(self) -> bool {
        matches!(self, Shape::Node | Shape::Typed)
    }

    /// True if an object of this shape can have a finalizer (`tp_finalize` or `__del__`).
    pub const fn can_finalize(self) -> bool {
        matches!(self, Shape::Node | Shape::Typed | Shape::Instance | Shape::Slotted | Shape::Bare)
    }

    /// True if an object of this shape can be called by a callback or by `call`.
    pub const fn can_call(self) -> bool {
        matches!(self, Shape::Node | Shape::Typed | Shape::Function)
    }

    /// True if weak references to an object of this shape can be made.
    pub const fn is_weakrefable(self) -> bool {
        matches!(
            self,
            Shape::Node
                | Shape::Typed
                | Shape::Function
                | Shape::Method
                | Shape::Instance
                | Shape::Slotted
                | Shape::KeyedRef
                | Shape::WeakValueDict
                | Shape::WeakKeyDict
                | Shape::WeakSet
        )
    }

    /// How many items `New` takes for this shape (the rest of its items are ignored).
    pub const fn items(self) -> usize {
        match self {
            Shape::Tuple | Shape::Function | Shape::Method | Shape::Finalize => 2,
            Shape::Ref | Shape::Proxy | Shape::KeyedRef => 2,
            Shape::Cell => 1,
            _ => 0,
        }
    }

    /// How many of these items there must be.
    pub const fn required_items(self) -> usize {
        match self {
            Shape::Method => 2,
            Shape::Ref | Shape::Proxy | Shape::KeyedRef | Shape::Finalize => 1,
            _ => 0,
        }
    }
}

/// Whether the object has a GC header and is in one of the collector's lists.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
#[repr(u8)]
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
