//! What a collection has found: sets of objects, and how far they are the collector's own.
//!
//! An *exact* set is the collector's; of a *sound* one every member is in the collector's, which may have others. What has
//! been computed stays as it was while objects die: look whether they live.

use super::causes::Causes;
use super::object_set::ObjectSet;
use super::subtract_references::Sums;

/// The sets of one collection.
#[derive(Debug, Default)]
pub(crate) struct Unreachable {
    /// They have been computed.
    pub(super) ready: bool,
    /// They are the collector's own.
    pub(super) exact: bool,
    /// Every object in them is in the collector's.
    pub(super) sound: bool,
    pub(super) candidates: ObjectSet,
    /// Some of them have other numbers of references than are known.
    pub(super) uneven: bool,
    /// A candidate's `traverse` does not tell the truth.
    pub(super) type_misled: bool,
    /// Found unreachable and not set aside as uncollectable.
    pub(super) trash: ObjectSet,
    /// Members of `trash` with a finalizer, in ascending order.
    pub(super) finalizable: Vec<u32>,
    /// Unreachable and set aside because of legacy finalizers.
    pub(super) legacy: ObjectSet,
    /// Candidates that nothing reaches, whatever the collector could see.
    pub(super) garbage: ObjectSet,
    /// What explains that some of it survives.
    pub(super) causes: Causes,
    /// What of the trash could be reached again when the collector ran the first finalizer, if code had run before.
    pub(super) saved_early: ObjectSet,
    /// How many were found unreachable, uncollectable ones included.
    pub(super) found: u32,
    /// What is left of `trash` when clearing starts, once `settled`.
    pub(super) doomed: ObjectSet,
    pub(super) settled: bool,
    /// Counted what was left when the collection was over, before the last `gc.callbacks` entries ran.
    pub(super) closed: bool,
    /// Objects of `doomed` that were gone then.
    pub(super) freed: u32,
    /// Uncollectable objects that were there then.
    pub(super) legacy_left: u32,
    pub(super) sums: Sums,
}

impl Unreachable {
    /// Makes ready for the next collection.
    pub(super) fn forget(&mut self) {
        self.ready = false;
        self.exact = false;
        self.sound = false;
        self.uneven = false;
        self.type_misled = false;
        self.causes.forget();
        self.found = 0;
        self.settled = false;
        self.closed = false;
        self.freed = 0;
        self.legacy_left = 0;
        self.make_room(0);
    }

    /// Empties the sets.
    pub(super) fn make_room(&mut self, size: usize) {
        for set in [&mut self.candidates, &mut self.trash, &mut self.legacy, &mut self.garbage, &mut self.doomed] {
            set.reset(size);
        }
        self.saved_early.reset(0);
        self.finalizable.clear();
    }

    /// The collector moves an object to an old list: it is not set aside any more.
    pub(super) fn rescue(&mut self, index: usize) {
        if !mutant!(RescueForgotten) {
            self.legacy.remove(index);
        }
    }

    #[inline]
    pub(super) fn is_surely_trash(&self, index: usize) -> bool {
        self.ready && self.sound && self.trash.has(index)
    }

    /// The sets have been computed.
    #[inline]
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// They are the collector's own.
    #[inline]
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// Every object in them is in the collector's.
    #[inline]
    pub fn is_sound(&self) -> bool {
        self.sound
    }

    /// A candidate's `traverse` does not tell the truth.
    #[inline]
    pub fn is_type_misled(&self) -> bool {
        self.type_misled
    }

    /// What the collection has looked at.
    #[inline]
    pub fn candidates(&self) -> &ObjectSet {
        &self.candidates
    }

    /// Some of the candidates have other numbers of references than are known: see [`Object::unknown`].
    #[inline]
    pub fn is_uneven(&self) -> bool {
        self.uneven
    }

    /// Found unreachable and not set aside as uncollectable.
    #[inline]
    pub fn trash(&self) -> &ObjectSet {
        &self.trash
    }

    /// Members of the trash with a finalizer, in ascending order.
    #[inline]
    pub fn finalizable(&self) -> &[u32] {
        &self.finalizable
    }

    /// Unreachable and set aside because of legacy finalizers.
    #[inline]
    pub fn legacy(&self) -> &ObjectSet {
        &self.legacy
    }

    /// Candidates that nothing reaches, whatever the collector could see; and what explains that some of it survives.
    #[inline]
    pub fn garbage(&self) -> (&ObjectSet, &Causes) {
        (&self.garbage, &self.causes)
    }

    /// What of the trash could be reached again when the collector ran the first finalizer.
    #[inline]
    pub fn saved_early(&self) -> &ObjectSet {
        &self.saved_early
    }

    /// What was taken for the truth about it is not.
    pub(super) fn doubt(&mut self) {
        (self.exact, self.sound) = (false, false);
    }

    /// What of the trash was left when clearing started.
    #[inline]
    pub fn doomed(&self) -> &ObjectSet {
        &self.doomed
    }

    /// What was left when clearing started is known.
    #[inline]
    pub fn is_settled(&self) -> bool {
        self.settled
    }

    /// How many were found unreachable, uncollectable ones included.
    #[inline]
    pub fn found(&self) -> u32 {
        self.found
    }

    /// How many doomed objects were gone, and how many uncollectable ones were there, when the collection was over.
    #[inline]
    pub fn left(&self) -> (u32, u32) {
        (self.freed, self.legacy_left)
    }
}
