//! What the shadow heap knows about one object, and about one weak reference.

use crate::event::{ObjId, Role, Spot};
use crate::scenario::{Clear, Finalizer, Kind, Op, Shape, SlotSet, TpClear, Tracking};
use crate::subject::{Expectation, Expectations};

/// "No object" in a packed edge; other values are the index plus 1.
pub(crate) const NONE: u32 = 0;

/// The [`Object::generation`] of what is in no list of a generation.
pub(crate) const NOT_IN_A_LIST: u8 = 0xff;

/// Packs an object into an edge.
#[inline]
pub(crate) fn pack(object: Option<ObjId>) -> u32 {
    match object {
        Some(o) => o.index() as u32 + 1,
        None => NONE,
    }
}

/// The object in an edge.
#[inline]
pub(crate) fn unpack(edge: u32) -> Option<ObjId> {
    (edge != NONE).then(|| ObjId::from_index(edge - 1))
}

/// Facts that follow from the kind, the role and the release alone, and never change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub shape: Shape,
    pub role: Role,
    /// Slots that `traverse` never reports.
    pub hidden: u8,
    /// Slots that it reports twice.
    pub doubled: u8,
    /// Slots that it reports on odd calls.
    pub fickle: u8,
    /// Slots that `clear` leaves alone.
    pub keeps: u8,
    pub flags: u16,
    /// Script that runs when the object is called; 0xff for none.
    pub on_call: u8,
    /// Script of the finalizer; 0xff for none.
    pub finalizer: u8,
    /// Script of the deallocator; 0xff for none.
    pub on_dealloc: u8,
}

/// No script.
pub(crate) const NO_SCRIPT: u8 = 0xff;

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
    #[inline]
    pub fn new(kind: &Kind, role: Role, expectations: &Expectations, plain: &[Facts; Shape::ALL.len()]) -> Facts {
        let shape = match role {
            Role::Named if is_plain(kind) => {
                let (flag, finalizer) = Facts::finalizer(kind);
                let facts = plain[kind.shape as usize];
                let on_call = kind.on_call.map_or(NO_SCRIPT, |s| s.0);
                return Facts { flags: facts.flags | flag, finalizer, on_call, ..facts };
            }
            Role::Named => return Facts::of(kind, role, expectations),
            Role::InstanceDict | Role::ContainerData => Shape::Dict,
            Role::ContainerRemove => Shape::Function,
            Role::ContainerEntry if kind.shape == Shape::WeakValueDict => Shape::KeyedRef,
            Role::ContainerEntry | Role::FinalizeRef | Role::ContainerSelf => Shape::Ref,
            Role::ContainerDefaults | Role::ContainerClosure => Shape::Tuple,
            Role::ContainerCell => Shape::Cell,
        };
        Facts { role, ..plain[shape as usize] }
    }

    /// The facts of each shape, by its number, where nothing about the kind is special.
    pub fn plain(expectations: &Expectations) -> [Facts; Shape::ALL.len()] {
        Shape::ALL.map(|shape| Facts::of(&Kind::new(shape), Role::Named, expectations))
    }

    /// The flag and the script of the finalizer.
    #[inline]
    fn finalizer(kind: &Kind) -> (u16, u8) {
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
            TpClear::Since(_) => !expectations.holds(Expectation::FunctionWithoutClear),
            TpClear::Never => false,
        };
        let (keeps, has_clear) = match kind.clear {
            Clear::Missing => (0, false),
            Clear::Keeps(set) => (set.0, type_clears),
        };
        let (flag, script) = Facts::finalizer(kind);
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
            | set(Facts::UNFAITHFUL, lies | headless | (hidden != 0));
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

    #[inline]
    pub fn is(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// An instance of a class written in Python.
    pub fn is_python_class(&self) -> bool {
        self.shape.is_python_class()
    }

    /// True for the three weak containers.
    pub fn is_weak_container(&self) -> bool {
        self.shape.is_weak_container()
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
pub(crate) fn kind_of(op: Option<&Op>) -> Option<&Kind> {
    op.and_then(Op::kind)
}

/// One object.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Object {
    /// The first slots; more of them, if any, in the shadow's overflow table.
    pub slots: [u32; 4],
    /// The strong, visible edge of a weak reference to its callback.
    pub link: u32,
    /// Overflow table (of lists and dicts) or weak reference record, plus 1; of a removal callback, its container.
    pub aux: u32,
    /// First weak reference record of this referent, plus 1.
    pub weak_head: u32,
    /// Known strong references: slots, links and variables; not those that running code holds.
    pub in_edges: u32,
    /// Of the last snapshot.
    pub refcount: u32,
    /// Number of the last snapshot that had the object.
    pub stamp: u32,
    pub facts: Facts,
    pub status: u16,
    /// [`usual`] of a line that would say nothing new but for the reference count; [`UNUSUAL`] if there is none.
    pub usual: u16,
    /// Of the last snapshot.
    pub spot: Spot,
    /// The generation it was last seen in (0 to 3, 3 is permanent), or [`NOT_IN_A_LIST`].
    pub generation: u8,
    /// References that were not known when the collection that runs found its trash, modulo 2^32; of candidates only, if
    /// [`Collection::uneven`](super::Collection::uneven).
    pub unknown: u32,
    /// Finalizer calls begun.
    pub fin_calls: u8,
    /// Finalizer calls ended.
    pub fin_returns: u8,
}

/// What a line of a snapshot says besides the reference count.
#[inline]
pub(crate) fn usual(spot: Spot, finalized: bool) -> u16 {
    spot as u16 | (finalized as u16) << 8
}

/// No line.
pub(crate) const UNUSUAL: u16 = 0xffff;

const _: () = assert!(size_of::<Object>() == 64);

impl Object {
    /// Memory released.
    pub const FREED: u16 = 1;
    /// Deallocation final, memory not yet released.
    pub const DYING: u16 = 2;
    /// `tp_clear` was called on it.
    pub const CLEARED: u16 = 4;
    /// Some of its holders cannot be known from events.
    pub const UNKNOWN_HOLDERS: u16 = 8;
    /// Was found unreachable by a collection.
    pub const WAS_TRASH: u16 = 16;
    /// Was examined by a collection whose unreachable set is not exactly known.
    pub const MAYBE_TRASH: u16 = 32;
    /// Its `traverse` has been called before.
    pub const TRAVERSED: u16 = 64;
    /// Was in reach of a finalizer that the collector does not look for, when trash was being cleared.
    pub const EXPOSED: u16 = 128;
    /// The finalized bit of the last snapshot.
    pub const FINALIZED: u16 = 256;
    /// Its finalizer began when nothing known held it.
    pub const FIN_AT_ZERO: u16 = 512;
    /// The action of its deallocator has begun.
    pub const ACTED: u16 = 2048;
    /// Cleared by the collection that runs.
    pub const CLEARED_NOW: u16 = 1024;
    /// Freed, or on its way.
    pub const GONE: u16 = Object::FREED | Object::DYING;

    pub fn new(facts: Facts) -> Object {
        Object {
            slots: [NONE; 4],
            link: NONE,
            aux: 0,
            weak_head: 0,
            in_edges: 0,
            refcount: 0,
            stamp: 0,
            facts,
            status: 0,
            usual: UNUSUAL,
            spot: Spot::Untracked,
            generation: NOT_IN_A_LIST,
            unknown: 0,
            fin_calls: 0,
            fin_returns: 0,
        }
    }

    #[inline]
    pub fn is(&self, status: u16) -> bool {
        self.status & status != 0
    }

    /// Neither freed nor being freed.
    #[inline]
    pub fn lives(&self) -> bool {
        !self.is(Object::GONE)
    }

    /// A line of a snapshot shows it in a list that is new for it: takes note of it, unless a live object cannot be there.
    #[inline(always)]
    pub fn moves_on(&mut self, spot: Spot, line: u16) -> bool {
        let list = spot as u8;
        let back = self.generation != NOT_IN_A_LIST && list < self.generation;
        if list > Spot::Permanent as u8 || back || self.is(Object::GONE) {
            return false;
        }
        self.spot = spot;
        self.generation = list;
        self.usual = line;
        self.status |= line & Object::FINALIZED;
        true
    }

    /// Seen with a reference by the last snapshot.
    #[inline]
    pub fn held(&self) -> bool {
        self.lives() && self.stamp != 0 && self.refcount > 0
    }
}

/// One weak reference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WeakRec {
    /// The weak reference object.
    pub weak: u32,
    /// What it was made for.
    pub referent: u32,
    /// The callback it was made with.
    pub callback: u32,
    /// The next record of the same referent, plus 1.
    pub next: u32,
    /// Still refers to its referent, as last observed.
    pub live: bool,
    /// It was observed to be dead.
    pub seen_dead: bool,
    /// Was made while a collection ran (the number of that collection, else 0).
    pub born_in: u32,
    /// Callback runs.
    pub calls: u8,
    /// Objects that existed when the callback ran last.
    pub called_at: u32,
    /// The container of an entry, else none.
    pub container: u32,
    /// It was live when the collection that runs found its trash.
    pub live_at_start: bool,
    /// It was live when its referent's deallocation became final.
    pub armed: bool,
    /// I12 and I16 have been reported.
    pub reported: [bool; 2],
}
