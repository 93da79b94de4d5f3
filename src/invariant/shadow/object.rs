//! What is known of one object: its edges, how it stands, and what the last snapshot says of it.

use super::edge::NONE;
use super::facts::Facts;
use crate::event::Spot;

/// The [`Object::generation`] of what is in no list of a generation.
pub(crate) const NOT_IN_A_LIST: u8 = 0xff;

/// One object.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Object {
    /// The first slots; more of them, if any, in the overflow table.
    pub(super) slots: [u32; 4],
    /// The strong, visible edge of a weak reference to its callback.
    pub(super) link: u32,
    /// Overflow table (where slots are unbounded) or weak reference record, plus 1; of a removal callback, its container.
    pub(super) aux: u32,
    /// First weak reference record of this referent, plus 1.
    pub(super) weak_head: u32,
    /// Known strong references: slots, links and variables; not those that running code holds.
    pub(super) in_edges: u32,
    /// Of the last snapshot.
    pub(super) refcount: u32,
    /// Number of the last snapshot that had the object.
    pub(super) stamp: u32,
    pub(super) facts: Facts,
    pub(super) status: u16,
    /// [`usual`] of a line that would say nothing new but for the reference count; [`UNUSUAL`] if there is none.
    pub(super) usual: u16,
    /// Of the last snapshot.
    pub(super) spot: Spot,
    /// The generation it was last seen in (0 to 3, 3 is permanent), or [`NOT_IN_A_LIST`].
    pub(super) generation: u8,
    /// References that were not known when the collection that runs found its trash, modulo 2^32; of candidates only, if
    /// [`Unreachable::is_uneven`](super::unreachable::Unreachable::is_uneven).
    pub(super) unknown: u32,
    /// Finalizer calls begun.
    pub(super) fin_calls: u8,
    /// Finalizer calls ended.
    pub(super) fin_returns: u8,
}

const _: () = assert!(size_of::<Object>() == 64);

/// What a line of a snapshot says besides the reference count.
#[inline]
pub(super) fn usual(spot: Spot, finalized: bool) -> u16 {
    spot as u16 | (finalized as u16) << 8
}

/// No line.
pub(super) const UNUSUAL: u16 = 0xffff;

impl Object {
    /// Memory released.
    pub const FREED: u16 = 1;
    /// Deallocation final, memory not yet released.
    pub const DYING: u16 = 2;
    /// `tp_clear` was called on it.
    pub const CLEARED: u16 = 4;
    /// Some of its holders cannot be known from events.
    pub const UNKNOWN_HOLDERS: u16 = 8;
    /// A type may have misled the collection that runs, or ran last, about it: see [`super::misled`].
    pub const MISLED: u16 = 16;
    /// It suffered from that: it was cleared, or is a weak reference that outlives its referent.
    pub const SPOILT: u16 = 32;
    /// Its `traverse` has been called before.
    pub(super) const TRAVERSED: u16 = 64;
    /// A script may have added it to `gc.callbacks`, or it was added where scripts change that list too: entries that are
    /// not among the known references.
    pub const MAYBE_LISTED: u16 = 32768;
    /// A weak reference answered with it after it had been cleared.
    pub const ANSWERED: u16 = 128;
    /// The finalized bit of the last snapshot.
    pub const FINALIZED: u16 = 256;
    /// Its finalizer began when nothing known held it.
    pub const FIN_AT_ZERO: u16 = 512;
    /// The action of its deallocator has begun, and may have tracked it.
    pub const ACTED: u16 = 2048;
    /// Cleared by the collection that runs.
    pub const CLEARED_NOW: u16 = 1024;
    /// An operation or a script has tracked or untracked it.
    pub const BY_HAND: u16 = 4096;
    /// Something held it when its finalizer ended last.
    pub const SAVED: u16 = 16384;
    /// In `gc.garbage` because a collection found it while `DEBUG_SAVEALL` may have been set.
    pub const SAVED_ALL: u16 = 8192;
    /// Freed, or on its way.
    pub const GONE: u16 = Object::FREED | Object::DYING;

    pub(super) fn new(facts: Facts) -> Object {
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

    /// True if it stands in one of these ways.
    #[inline]
    pub fn is(&self, status: u16) -> bool {
        self.status & status != 0
    }

    /// Neither freed nor being freed.
    #[inline]
    pub fn lives(&self) -> bool {
        !self.is(Object::GONE)
    }

    /// Seen with a reference by the last snapshot.
    #[inline]
    pub fn held(&self) -> bool {
        self.lives() && self.stamp != 0 && self.refcount > 0
    }

    /// True if a snapshot has shown it.
    #[inline]
    pub fn was_seen(&self) -> bool {
        self.stamp != 0
    }

    /// What never changes.
    #[inline]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The edge of one of the first four slots.
    #[inline]
    pub fn slot(&self, slot: u8) -> u32 {
        self.slots[slot as usize]
    }

    /// Known strong references: slots, links and variables; not those that running code holds.
    #[inline]
    pub fn in_edges(&self) -> u32 {
        self.in_edges
    }

    /// The reference count in the last snapshot.
    #[inline]
    pub fn refcount(&self) -> u32 {
        self.refcount
    }

    /// References that were not known when the collection that runs, or ran last, found its trash, modulo 2^32.
    #[inline]
    pub fn unknown(&self) -> u32 {
        self.unknown
    }

    /// Where the last snapshot had it.
    #[inline]
    pub fn spot(&self) -> Spot {
        self.spot
    }

    /// The generation it was last seen in (0 to 3, 3 is permanent), or [`NOT_IN_A_LIST`].
    #[inline]
    pub fn generation(&self) -> u8 {
        self.generation
    }

    /// Calls of its finalizer that have begun, and those that have ended.
    #[inline]
    pub fn finalizer_calls(&self) -> (u8, u8) {
        (self.fin_calls, self.fin_returns)
    }

    /// There is, or was, a weak reference to it.
    #[inline]
    pub fn has_weakrefs(&self) -> bool {
        self.weak_head != 0
    }

    /// The container of which it is the removal callback.
    pub fn removes_from(&self) -> u32 {
        self.aux
    }

    /// A line of a snapshot shows it in a list that is new for it: takes note of it, unless a live object cannot be there.
    #[inline(always)]
    pub(super) fn moves_on(&mut self, spot: Spot, line: u16) -> bool {
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
}
