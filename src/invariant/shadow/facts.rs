//! What follows from an object's kind, from its role, and from what is expected of the subject. It never changes.

use crate::event::Role;
use crate::scenario::{Clear, Finalizer, Kind, Op, Shape, SlotSet, TpClear, Tracking};
use crate::subject::{Choice, Expectation, Expectations};

/// Facts about an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(super) shape: Shape,
    pub(super) role: Role,
    /// Slots that `traverse` never reports.
    pub(super) hidden: u8,
    /// Slots that it reports twice.
    pub(super) doubled: u8,
    /// Slots that it reports on odd calls.
    pub(super) fickle: u8,
    /// Slots that `clear` leaves alone.
    pub(super) keeps: u8,
    flags: u16,
    /// Script that runs when the object is called, or [`NO_SCRIPT`].
    pub(super) on_call: u8,
    /// Script of the finalizer, or [`NO_SCRIPT`].
    pub(super) finalizer: u8,
    /// Script of the deallocator, or [`NO_SCRIPT`].
    pub(super) on_dealloc: u8,
}

/// No script.
pub(super) const NO_SCRIPT: u8 = 0xff;

/// The facts of a plain kind of each shape, by its number.
pub(super) type PlainFacts = [Facts; Shape::ALL.len()];

impl Facts {
    /// Has a `tp_finalize` or a Python `__del__`.
    pub const FINALIZER: u16 = 1;
    /// Has a C-level `tp_del`.
    pub const LEGACY: u16 = 2;
    /// The type has a `tp_clear` on this release.
    pub const HAS_CLEAR: u16 = 4;
    /// The kind says: no GC header.
    pub const NO_HEADER: u16 = 8;
    /// The kind says: header, but not tracked at creation.
    pub const UNTRACKED: u16 = 16;
    /// The deallocator forgets to untrack.
    pub const KEEPS_TRACKED: u16 = 32;
    /// The deallocator forgets the weak references.
    pub const KEEPS_WEAKREFS: u16 = 64;
    /// The type does not take part in collection as the protocol asks.
    pub const FAULTY: u16 = 128;
    /// `traverse` reports other edges than the object owns, or not the same ones each time.
    pub const LIES: u16 = 256;
    /// `traverse` does anything else than to report each edge once.
    pub const UNFAITHFUL: u16 = 512;
    /// Any of these may explain that garbage is left: a fault, a release whose type has no `tp_clear` or hides an edge.
    pub const PECULIAR: u16 = 1024;

    /// The facts of an object that a kind describes, or that belongs to one, given those of plain kinds.
    #[inline(always)]
    pub(super) fn new(kind: &Kind, role: Role, expectations: &Expectations, plain: &PlainFacts) -> Facts {
        if role != Role::Named || !is_plain(kind) {
            return Facts::of_other(kind, role, expectations, plain);
        }
        let (flag, finalizer) = Facts::finalizer_of(kind);
        let facts = plain[kind.shape as usize];
        let on_call = kind.on_call.map_or(NO_SCRIPT, |s| s.0);
        Facts { flags: facts.flags | flag, finalizer, on_call, ..facts }
    }

    /// The facts of an object whose kind is not plain, or that belongs to another.
    #[inline(never)]
    fn of_other(kind: &Kind, role: Role, expectations: &Expectations, plain: &PlainFacts) -> Facts {
        let shape = match role {
            Role::Named => return Facts::of(kind, role, expectations),
            Role::InstanceDict | Role::ContainerData | Role::ContainerDict => Shape::Dict,
            Role::ContainerPending | Role::ContainerIterating => Shape::List,
            Role::ContainerRemove => Shape::Function,
            Role::ContainerEntry if kind.shape.is_value_dict() => Shape::KeyedRef,
            Role::ContainerEntry | Role::FinalizeRef | Role::ContainerSelf => Shape::Ref,
            Role::ContainerDefaults | Role::ContainerClosure => Shape::Tuple,
            Role::ContainerCell => Shape::Cell,
        };
        Facts { role, ..plain[shape as usize] }
    }

    /// The facts of each shape, by its number, where nothing about the kind is special.
    pub(super) fn plain(expectations: &Expectations) -> PlainFacts {
        Shape::ALL.map(|shape| Facts::of(&Kind::new(shape), Role::Named, expectations))
    }

    /// The flag and the script of the finalizer.
    #[inline]
    fn finalizer_of(kind: &Kind) -> (u16, u8) {
        match kind.finalizer {
            Some(Finalizer::Modern(s)) if s.0 != NO_SCRIPT => (Facts::FINALIZER, s.0),
            Some(Finalizer::Legacy(s)) if s.0 != NO_SCRIPT => (Facts::LEGACY, s.0),
            _ => (0, NO_SCRIPT),
        }
    }

    /// The facts of a kind, its own shape taken for what it is.
    #[inline(never)]
    pub fn of(kind: &Kind, role: Role, expectations: &Expectations) -> Facts {
        let shape = kind.shape;
        let mut hidden = kind.hidden.0;
        if shape == Shape::Typed && expectations.holds(Expectation::TypeEdge) {
            hidden |= 1 << 3;
        }
        let type_clears = match shape.facts().clear {
            TpClear::Always => true,
            // Functions are the only ones.
            TpClear::Since(_) => !expectations.is(Choice::FUNCTION_WITHOUT_CLEAR),
            TpClear::Never => false,
        };
        let (keeps, has_clear) = match kind.clear {
            Clear::Missing => (0, false),
            Clear::Keeps(set) => (set.0, type_clears),
        };
        let (flag, script) = Facts::finalizer_of(kind);
        let set = |flag: u16, on: bool| if on { flag } else { 0 };
        let headless = kind.tracking == Tracking::NoHeader;
        let lies = kind.doubled.0 | kind.fickle.0 != 0;
        let blind = kind.hidden.0 != 0 || kind.tracking != Tracking::Tracked;
        let flawed = kind.flaws.keeps_tracked | kind.flaws.keeps_weakrefs;
        let partly = keeps != 0 || kind.clear == Clear::Missing;
        let faulty = lies | blind | partly | flawed;
        let dated = shape == Shape::Function && !has_clear || shape == Shape::Typed && hidden & 1 << 3 != 0;
        let flags = flag
            | set(Facts::HAS_CLEAR, has_clear)
            | set(Facts::NO_HEADER, headless)
            | set(Facts::UNTRACKED, kind.tracking == Tracking::Untracked)
            | set(Facts::KEEPS_TRACKED, kind.flaws.keeps_tracked)
            | set(Facts::KEEPS_WEAKREFS, kind.flaws.keeps_weakrefs)
            | set(Facts::LIES, lies)
            | set(Facts::FAULTY, faulty)
            | set(Facts::PECULIAR, faulty | dated)
            | set(Facts::UNFAITHFUL, lies | headless | (hidden != 0 && !mutant!(HiddenEdgesAreSeen)));
        Facts {
            shape,
            role,
            hidden,
            doubled: kind.doubled.0,
            fickle: kind.fickle.0,
            keeps,
            flags,
            on_call: kind.on_call.map_or(NO_SCRIPT, |s| s.0),
            finalizer: script,
            on_dealloc: kind.on_dealloc.map_or(NO_SCRIPT, |s| s.0),
        }
    }

    /// True if one of the flags is set.
    #[inline]
    pub fn is(&self, flags: u16) -> bool {
        self.flags & flags != 0
    }

    /// The layout.
    #[inline]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// What the object is to the operation that made it.
    #[inline]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Slots that `traverse` never reports, as bits.
    pub fn hidden(&self) -> u8 {
        self.hidden
    }

    /// Slots that it reports twice.
    pub fn doubled(&self) -> u8 {
        self.doubled
    }

    /// Slots that it reports on odd calls.
    pub fn fickle(&self) -> u8 {
        self.fickle
    }

    /// Slots that `clear` leaves alone.
    pub fn kept(&self) -> u8 {
        self.keeps
    }

    /// Calling it runs a script.
    pub fn runs_when_called(&self) -> bool {
        self.on_call != NO_SCRIPT && self.shape.can_call()
    }

    /// An instance of a class written in Python.
    pub fn is_python_class(&self) -> bool {
        self.shape.is_python_class()
    }

    /// True for the three weak containers.
    pub fn is_weak_container(&self) -> bool {
        self.shape.is_weak_container()
    }

    /// Has as many slots as are stored to.
    #[inline]
    pub(super) fn is_unbounded(&self) -> bool {
        self.shape.is_unbounded()
    }
}

/// Nothing about the kind is special but its shape and what runs when it is called or finalized.
#[inline]
fn is_plain(kind: &Kind) -> bool {
    kind.tracking == Tracking::Tracked
        && kind.hidden.0 | kind.doubled.0 | kind.fickle.0 == 0
        && kind.clear == Clear::Keeps(SlotSet::NONE)
        && kind.on_dealloc.is_none()
        && !(kind.flaws.keeps_tracked | kind.flaws.keeps_weakrefs)
}

/// The kind that an operation creates.
#[inline]
pub(super) fn kind_of(op: Option<&Op>) -> Option<&Kind> {
    op.and_then(Op::kind)
}
