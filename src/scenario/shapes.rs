//! Shapes: the C-level layouts of objects, one entry each.
//!
//! An entry says what follows from the shape alone, the same on all releases. What differs between releases is a
//! switch of the collector, and what a shape does is written in `run/` (stores, `tp_clear`) and in the probe.

use super::numbered::numbered;
use super::{KEYED_SLOTS, NODE_SLOTS};

numbered! {
    /// What a shape is, or what its objects can do.
    pub enum Property {
        /// An extension type: every field of [`Kind`](super::Kind) applies.
        Extension,
        /// There may be a finalizer (`tp_finalize` or `__del__`).
        Finalizable,
        /// There may be a script that runs when it is called.
        Callable,
        /// Weak references to it can be made.
        Weakrefable,
        /// One of the weak reference types.
        Weakref,
        /// A weak container: composed of an object, a dict and a removal callback.
        WeakContainer,
        /// A weak container whose class is the library's.
        LibraryContainer,
        /// An instance of a class that is written in Python for scenarios.
        PythonClass,
        /// Deallocated as instances of Python classes are (`subtype_dealloc`).
        SubtypeDealloc,
        /// A builtin container whose deallocator has had the trashcan on every release.
        BuiltinContainer,
        /// Has as many slots as are stored to, up to [`MAX_ITEMS`](super::MAX_ITEMS).
        Unbounded,
        /// A `finalize` object, which a registry holds until it is called.
        Registered,
    }
}

/// What `New` takes for a shape, at most two objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Items {
    /// Nothing: options stand in the parentheses, if there are any.
    None,
    /// One after the other, by what messages call them; without the first so many there is no object.
    Listed(&'static [&'static str], usize),
    /// Each after a word of its own, behind the script: word, and what messages call it.
    Named(&'static [(&'static str, &'static str)]),
}

/// In which order `traverse`, `tp_clear` and the deallocator go through the slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SlotOrder {
    /// From the first to the last.
    FirstToLast,
    /// From the last to the first.
    LastToFirst,
    /// The second, the third, the first.
    SecondThirdFirst,
    /// Entry by entry.
    Entries,
}

/// Whether a type that takes part fully has a `tp_clear`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TpClear {
    /// On every release.
    Always,
    /// From this minor release of 3 on.
    Since(u8),
    /// On none.
    Never,
}

/// What the table says of a shape.
#[derive(Clone, Copy, Debug)]
pub struct ShapeFacts {
    /// The word of the text form.
    pub word: &'static str,
    /// What it is and what its objects can do.
    pub properties: &'static [Property],
    /// What an object is made of.
    pub items: Items,
    /// Slots of a new object, where that does not depend on what it is made of.
    pub slots: u8,
    /// Slots worth storing to when scenarios are made, of the first [`NODE_SLOTS`].
    pub writable: u8,
    /// The order of its slots.
    pub order: SlotOrder,
    /// When there is a `tp_clear`.
    pub clear: TpClear,
    /// How far it is from a plain node: what the reducer lowers.
    pub weight: u32,
}

impl ShapeFacts {
    /// What is true unless an entry says something else.
    const USUAL: ShapeFacts = ShapeFacts {
        word: "",
        properties: &[],
        items: Items::None,
        slots: 0,
        writable: 0,
        order: SlotOrder::FirstToLast,
        clear: TpClear::Always,
        weight: 0,
    };
}

/// Properties as bits.
const fn bits(properties: &[Property]) -> u16 {
    let (mut bits, mut i) = (0, 0);
    while i < properties.len() {
        bits |= 1 << properties[i] as u8;
        i += 1;
    }
    bits
}

const _: () = assert!(Property::ALL.len() <= u16::BITS as usize);

/// Declares the shapes. An entry says: number of the binary form, name, word of the text form, and the facts that
/// differ from [`ShapeFacts::USUAL`].
macro_rules! shapes {
    ($(
        $(#[$meta:meta])*
        $number:literal $Name:ident $word:literal { $($fact:ident: $value:expr),+ $(,)? }
    )+) => {
        numbered! {
            /// The C-level layout of an object: which slots it has, and which rules of which release apply to it.
            ///
            /// Slots are numbered from 0. Everything that differs between releases for a shape is a switch of the
            /// collector, never a property of the scenario.
            pub enum Shape {
                $($(#[$meta])* $Name = $number,)+
            }
        }

        /// The table, by number.
        static SHAPES: [ShapeFacts; Shape::ALL.len()] =
            [$(ShapeFacts { word: $word, $($fact: $value,)+ ..ShapeFacts::USUAL }),+];

        // What is asked at every step of a collection is a match: it ends as a comparison where it is asked.
        impl Shape {
            /// In which order its slots are gone through.
            #[inline]
            pub const fn order(self) -> SlotOrder {
                match self {
                    $(Shape::$Name => const { SHAPES[Shape::$Name as usize].order },)+
                }
            }

            /// True if it has a property.
            #[inline]
            pub const fn is(self, property: Property) -> bool {
                let properties = match self {
                    $(Shape::$Name => const { bits(SHAPES[Shape::$Name as usize].properties) },)+
                };
                properties & 1 << property as u8 != 0
            }
        }
    };
}

use Property::{
    BuiltinContainer, Callable, Extension, Finalizable, LibraryContainer, PythonClass, Registered, SubtypeDealloc,
    Unbounded, WeakContainer, Weakref, Weakrefable,
};

const REFERENT_AND_CALLABLE: Items = Items::Listed(&["the referent", "the callable"], 1);
const REFERENT_AND_CALLBACK: Items = Items::Listed(&["the referent", "the callback"], 1);

shapes! {
    /// A C extension container with [`NODE_SLOTS`] slots, weakly referenceable, callable if it has a call script.
    /// Its participation is free: every other field of [`Kind`](super::Kind) applies.
    0 Node "Node" {
        properties: &[Extension, Finalizable, Callable, Weakrefable],
        slots: NODE_SLOTS, writable: NODE_SLOTS, weight: 0,
    }

    /// A [`Shape::Node`] that is an instance of a heap type: slot 3 is the edge to its type. `traverse` reports
    /// that edge only on releases where it can (3.9, bpo-40217), unless the slot is hidden anyway.
    1 Typed "Typed" {
        properties: &[Extension, Finalizable, Callable, Weakrefable],
        slots: NODE_SLOTS, writable: NODE_SLOTS, weight: 8,
    }

    /// `list`. Slots are items; storing one past the end appends. Not weakly referenceable.
    2 List "list" {
        properties: &[BuiltinContainer, Unbounded],
        writable: NODE_SLOTS, order: SlotOrder::LastToFirst, weight: 2,
    }

    /// `tuple` of the given items (at most 2), immutable, no `clear` on any release. Not weakly referenceable.
    3 Tuple "tuple" {
        properties: &[BuiltinContainer], items: Items::Listed(&["an item", "an item"], 0),
        order: SlotOrder::LastToFirst, clear: TpClear::Never, weight: 6,
    }

    /// `dict` with small integers as keys. Slot k is the value under key k; order is insertion order.
    4 Dict "dict" {
        properties: &[BuiltinContainer, Unbounded],
        writable: NODE_SLOTS, order: SlotOrder::Entries, weight: 7,
    }

    /// A closure cell: slot 0 is its content.
    5 Cell "cell" { items: Items::Listed(&["the content"], 0), slots: 1, writable: 1, weight: 5 }

    /// A Python function: slot 0 closure (a tuple of cells), slot 1 defaults (a tuple), slot 2 attribute dict.
    /// `clear` exists since 3.8 (bpo-33418).
    6 Function "function" {
        properties: &[Callable, Weakrefable],
        items: Items::Named(&[("closure", "a tuple"), ("defaults", "a tuple")]),
        slots: 3, order: SlotOrder::SecondThirdFirst, clear: TpClear::Since(8), weight: 12,
    }

    /// A bound method: slot 0 function, slot 1 self. No `clear` on any release.
    7 Method "method" {
        properties: &[Weakrefable], items: Items::Listed(&["the function", "self of the method"], 2),
        slots: 2, clear: TpClear::Never, weight: 13,
    }

    /// An instance of a Python class with `__dict__` and `__weakref__`: slot k is attribute number k.
    /// Up to 3.10 its dict is an object of its own, created by the first store.
    8 Instance "Instance" {
        properties: &[Finalizable, Weakrefable, PythonClass, SubtypeDealloc],
        slots: NODE_SLOTS, writable: NODE_SLOTS, weight: 9,
    }

    /// An instance of a Python class with `__slots__ = ("s0", "s1", "s2", "s3", "__weakref__")`.
    9 Slotted "Slotted" {
        properties: &[Finalizable, Weakrefable, PythonClass, SubtypeDealloc],
        slots: NODE_SLOTS, writable: NODE_SLOTS, weight: 4,
    }

    /// An instance of a Python class with `__slots__ = ()`: no slots, not weakly referenceable, without GC header
    /// up to 3.8.6 (bpo-41984).
    10 Bare "Bare" { properties: &[Finalizable, PythonClass, SubtypeDealloc], weight: 3 }

    /// `weakref.ref`. Without callback the object's canonical reference is shared.
    11 Ref "ref" { properties: &[Weakref], items: REFERENT_AND_CALLBACK, weight: 1 }

    /// `weakref.proxy`. Without callback the object's canonical proxy is shared.
    12 Proxy "proxy" { properties: &[Weakref], items: REFERENT_AND_CALLBACK, weight: 11 }

    /// An instance of a subclass of `weakref.ref` with one slot of its own (0), such as `KeyedRef`. Never shared.
    13 KeyedRef "KeyedRef" {
        properties: &[Weakref, Weakrefable, SubtypeDealloc], items: REFERENT_AND_CALLBACK,
        slots: KEYED_SLOTS, writable: KEYED_SLOTS, weight: 10,
    }

    /// `weakref.WeakValueDictionary` composed of parts: storing x under key k adds an entry that holds x weakly by a
    /// `KeyedRef`; storing nothing deletes the entry. Composed of an object (slot 0 data dict, slot 1 removal callback),
    /// the dict, and a function whose default argument is a weak reference to the object; up to 3.6 the function has a
    /// closure over the dict.
    14 WeakValueDict "ComposedWeakValueDictionary" {
        properties: &[Weakrefable, WeakContainer, SubtypeDealloc],
        writable: NODE_SLOTS, weight: 19,
    }

    /// `weakref.WeakKeyDictionary`: storing x in slot k adds an entry with key x, held weakly, and value `x[k]`, held
    /// strongly; no effect if that is nothing. Composed as [`Shape::WeakValueDict`]. Entries cannot be deleted by
    /// storing nothing.
    15 WeakKeyDict "WeakKeyDictionary" {
        properties: &[Weakrefable, WeakContainer, SubtypeDealloc],
        writable: 1, weight: 17,
    }

    /// `weakref.WeakSet` composed of parts: storing x in any slot adds x. Composed as [`Shape::WeakValueDict`].
    16 WeakSet "ComposedWeakSet" {
        properties: &[Weakrefable, WeakContainer, SubtypeDealloc],
        writable: 1, weight: 20,
    }

    /// `weakref.finalize(referent, callable)` composed of an instance of a class with slots (0 callable, 1 weak reference)
    /// and a registry that holds it from its creation until it is called. Not before 3.4.
    17 ComposedFinalize "ComposedFinalize" {
        properties: &[SubtypeDealloc, Registered], items: REFERENT_AND_CALLABLE, weight: 18,
    }

    /// `weakref.finalize(referent, callable)` as the release ships it: an object without slots that is a key of the
    /// class's registry, whose value, one more object, holds the callable (0) and the weak reference (1). Events tell
    /// of both as of slots of the object itself. Not before 3.4.
    18 Finalize "finalize" {
        properties: &[SubtypeDealloc, Registered], items: REFERENT_AND_CALLABLE, weight: 14,
    }

    /// `weakref.WeakValueDictionary` as the release ships it; entries as of [`Shape::WeakValueDict`]. Nothing
    /// is stored into it while it is iterated over. Not before 3.4.
    19 LibraryValueDict "WeakValueDictionary" {
        properties: &[Weakrefable, WeakContainer, LibraryContainer, SubtypeDealloc],
        writable: NODE_SLOTS, weight: 16,
    }

    /// `weakref.WeakSet` as the release ships it: storing x in any slot adds x, not while it is iterated over. Not before
    /// 3.6.
    20 LibrarySet "WeakSet" {
        properties: &[Weakrefable, WeakContainer, LibraryContainer, SubtypeDealloc],
        writable: 1, weight: 15,
    }
}

/// A set of shapes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shapes(u64);

const _: () = assert!(Shape::ALL.len() <= u64::BITS as usize);

impl Shapes {
    /// No shape.
    pub const NONE: Shapes = Shapes(0);
    /// Every shape.
    pub const ALL: Shapes = Shapes(u64::MAX);
    /// The weak reference types.
    pub const WEAKREFS: Shapes = Shapes::having(Weakref);

    /// The shapes that have a property.
    pub const fn having(property: Property) -> Shapes {
        let (mut set, mut i) = (Shapes::NONE, 0);
        while i < Shape::ALL.len() {
            if Shape::ALL[i].is(property) {
                set = set.with(Shape::ALL[i]);
            }
            i += 1;
        }
        set
    }

    /// The shapes whose slots are gone through in this order.
    pub const fn ordered(order: SlotOrder) -> Shapes {
        let (mut set, mut i) = (Shapes::NONE, 0);
        while i < Shape::ALL.len() {
            if Shape::ALL[i].order() as u8 == order as u8 {
                set = set.with(Shape::ALL[i]);
            }
            i += 1;
        }
        set
    }

    /// The set as bits, by number.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// This set and one shape more.
    #[inline]
    #[must_use]
    pub const fn with(self, shape: Shape) -> Shapes {
        Shapes(self.0 | 1 << shape as u8)
    }

    /// This set and those of another.
    #[inline]
    #[must_use]
    pub const fn and(self, other: Shapes) -> Shapes {
        Shapes(self.0 | other.0)
    }

    /// True if the shape is in the set.
    #[inline]
    pub const fn has(self, shape: Shape) -> bool {
        self.0 & (1 << shape as u8) != 0
    }

    /// True if the sets have a shape in common.
    #[inline]
    pub const fn meets(self, other: Shapes) -> bool {
        self.0 & other.0 != 0
    }
}

impl Shape {
    /// What the table says of it.
    #[inline]
    pub const fn facts(self) -> &'static ShapeFacts {
        &SHAPES[self as usize]
    }

    /// The word of the text form.
    pub const fn word(self) -> &'static str {
        self.facts().word
    }

    /// True for the three weak reference types.
    #[inline]
    pub const fn is_weakref(self) -> bool {
        self.is(Weakref)
    }

    /// True for the three weak containers.
    #[inline]
    pub const fn is_weak_container(self) -> bool {
        self.is(WeakContainer)
    }

    /// True for weak containers that are classes of the library.
    #[inline]
    pub const fn is_library_container(self) -> bool {
        self.is(LibraryContainer)
    }

    /// True for dictionaries with weak values, the library's and composed ones.
    #[inline]
    pub const fn is_value_dict(self) -> bool {
        matches!(self, Shape::WeakValueDict | Shape::LibraryValueDict)
    }

    /// True for `finalize` objects, the library's and composed ones.
    #[inline]
    pub const fn is_finalize(self) -> bool {
        self.is(Registered)
    }

    /// True if the participation fields of [`Kind`](super::Kind) (tracking, edges, `clear`, dealloc) may be set.
    #[inline]
    pub const fn is_extension(self) -> bool {
        self.is(Extension)
    }

    /// True for instances of classes that are written in Python for scenarios.
    #[inline]
    pub const fn is_python_class(self) -> bool {
        self.is(PythonClass)
    }

    /// True if an object of this shape can have a finalizer (`tp_finalize` or `__del__`).
    #[inline]
    pub const fn can_finalize(self) -> bool {
        self.is(Finalizable)
    }

    /// True if an object of this shape can be called by a callback or by `call`.
    #[inline]
    pub const fn can_call(self) -> bool {
        self.is(Callable)
    }

    /// True if weak references to an object of this shape can be made.
    #[inline]
    pub const fn is_weakrefable(self) -> bool {
        self.is(Weakrefable)
    }

    /// True if an object of this shape has as many slots as are stored to.
    #[inline]
    pub const fn is_unbounded(self) -> bool {
        self.is(Unbounded)
    }

    /// How many items `New` takes for this shape (the rest of its items are ignored).
    pub const fn items(self) -> usize {
        match self.facts().items {
            Items::None => 0,
            Items::Listed(names, _) => names.len(),
            Items::Named(names) => names.len(),
        }
    }

    /// How many of these items there must be.
    pub const fn required_items(self) -> usize {
        match self.facts().items {
            Items::Listed(_, required) => required,
            Items::None | Items::Named(_) => 0,
        }
    }
}
