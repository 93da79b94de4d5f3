//! What was the matter with a weak reference when it died, or when its callback ran: the collection in which that was, and
//! what that collection had to do with it and with its referent.

use super::Shadow;
use super::object::Object;

/// How a weak reference died, or was called.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Fate {
    /// The number of the collection that ran and had found its trash, or 0.
    collection: u32,
    bits: u16,
}

impl Fate {
    /// The collection had found the referent unreachable.
    pub const REFERENT: u16 = 1;
    /// It had found the weak reference unreachable.
    pub const WEAK: u16 = 2;
    /// It may have found one of them unreachable: that is not known.
    pub const UNSURE: u16 = 4;
    /// A type may have misled about one of them.
    pub const MISLED: u16 = 8;
    /// Finalizers ran in it that its trash belonged to. Known when it has ended, as what follows.
    pub const FINALIZED: u16 = 16;
    /// The referent was reachable again before the collector ran the first of them.
    pub const EARLY: u16 = 32;
    /// What it had found was still held when it began to clear; or it cleared nothing, because something was.
    pub const KEPT: u16 = 64;
    /// `DEBUG_SAVEALL` may have been set, and `gc.garbage` lists the referent.
    pub const REFERENT_LISTED: u16 = 128;
    /// The same for the weak reference.
    pub const WEAK_LISTED: u16 = 256;

    /// The number of the collection that ran and had found its trash, or 0.
    #[inline]
    pub fn collection(self) -> u32 {
        self.collection
    }

    /// True if one of these holds.
    #[inline]
    pub fn is(self, bits: u16) -> bool {
        self.bits & bits != 0
    }
}

impl Shadow {
    /// How a weak reference and its referent stand now.
    pub(super) fn fate(&self, referent: u32, weak: u32) -> Fate {
        let ends = [(referent, Fate::REFERENT), (weak, Fate::WEAK)];
        let misled = ends.iter().any(|(edge, _)| self.at(*edge).is_some_and(|o| o.is(Object::MISLED)));
        let mut bits = if misled { Fate::MISLED } else { 0 };
        let c = &self.collection;
        let found = c.unreachable();
        if !c.runs() || !found.is_ready() {
            // Entries of `gc.callbacks` hide what the collection has done before it was known what it finds.
            bits |= if c.runs() && c.is_late() { Fate::UNSURE } else { 0 };
            return Fate { collection: 0, bits };
        }
        for (edge, bit) in ends {
            let index = (edge as usize).wrapping_sub(1);
            let known = found.is_sound() && found.trash().has(index);
            let unknown = !found.is_exact() && (c.is_late() || found.candidates().has(index));
            bits |= if known {
                bit
            } else if unknown {
                Fate::UNSURE
            } else {
                0
            };
        }
        Fate { collection: c.number(), bits }
    }

    /// Something that the collection found unreachable was held when it was to begin clearing.
    fn is_some_trash_held(&self) -> bool {
        let found = self.collection.unreachable();
        let held = |index: usize| self.objects.all[index].lives() && !found.doomed().has(index);
        found.is_settled() && found.trash().iter().any(held)
    }

    /// A collection has ended, and a snapshot was read: says of the weak references that died or were called in it what
    /// became of their referents.
    #[inline(never)]
    pub(super) fn complete_fates(&mut self) {
        let whole = !self.collection.has_cleared() && self.collection.scripts() > 0 && self.is_some_trash_held();
        let c = &self.collection;
        let (number, found) = (c.number(), c.unreachable());
        let unlisted = if c.is_unlisted() { Fate::UNSURE } else { 0 };
        let all = unlisted | if c.has_finalized() { Fate::FINALIZED } else { 0 } | if whole { Fate::KEPT } else { 0 };
        let objects = &self.objects.all;
        let listed = |edge: u32| objects.get((edge as usize).wrapping_sub(1)).is_some_and(|o| o.is(Object::SAVED_ALL));
        for record in &mut self.weakrefs.records {
            let at = (record.referent as usize).wrapping_sub(1);
            let held = found.trash().has(at) && found.is_settled() && !found.doomed().has(at);
            let bits = all
                | if held { Fate::KEPT } else { 0 }
                | if found.saved_early().has(at) { Fate::EARLY } else { 0 }
                | if listed(record.referent) { Fate::REFERENT_LISTED } else { 0 }
                | if listed(record.weak()) { Fate::WEAK_LISTED } else { 0 };
            for fate in [&mut record.died, &mut record.called] {
                if fate.collection == number {
                    fate.bits |= bits;
                }
            }
        }
    }
}
