//! The collection that runs in one interpreter, or ran last there, and what has happened in it so far.
//!
//! It is what changes when another interpreter collects; a value that can be put aside. Events say when a collection begins
//! and ends and when it clears; which of its scripts the collector runs on its own account is told from how deep they are.
//! What it has found is [computed](super::trash), not told.

use super::super::violation::Phase;
use super::object::Object;
use super::unreachable::Unreachable;
use super::{After, Shadow};
use crate::event::{Code, ObjId};
use crate::scenario::Op;

/// A collection.
#[derive(Debug, Default)]
pub(crate) struct Collection {
    active: bool,
    /// Number of this collection in the run, from 1.
    number: u32,
    generation: u8,
    automatic: bool,
    /// Scripts that were running when it started.
    depth: usize,
    /// `gc.callbacks` entries ran before the unreachable set could be computed.
    late: bool,
    /// Something died after one of these, which need not have been the last of them.
    early: bool,
    clears: u32,
    /// Objects that existed when it started.
    live_at_start: u32,
    /// Objects that had been created when it started.
    existed: usize,
    /// Scripts that ran since the unreachable set was found, `gc.callbacks` entries not counted.
    scripts: u32,
    callbacks: u32,
    finalizers: u32,
    /// The collector has begun to run finalizers on its own account.
    finalizing: bool,
    /// `DEBUG_SAVEALL` may have been set at some time in it.
    saves_all: bool,
    /// `DEBUG_SAVEALL` may have put something into `gc.garbage`, and what is there was not shown.
    unlisted: bool,
    /// A weak reference has died or was called since the unreachable set was found.
    fates: bool,
    /// A script in it may have tracked or untracked something.
    tracked: bool,
    /// A script in it may have changed `gc.callbacks`.
    relisted: bool,
    refs_freed: u32,
    /// Full collections in a row that ran no user code and yet found something, with no mutator between.
    quiet: u32,
    unreachable: Unreachable,
}

impl Collection {
    pub(super) fn start(&mut self) {
        self.active = false;
        self.number = 0;
        self.quiet = 0;
        self.forget();
    }

    /// Makes ready for the next collection.
    fn forget(&mut self) {
        self.late = false;
        self.early = false;
        self.clears = 0;
        self.scripts = 0;
        self.callbacks = 0;
        self.finalizers = 0;
        self.finalizing = false;
        self.saves_all = false;
        self.unlisted = false;
        self.fates = false;
        self.tracked = false;
        self.relisted = false;
        self.refs_freed = 0;
        self.unreachable.forget();
    }

    /// Objects that had been created when it started, those that were freed too.
    #[inline]
    pub fn existed(&self) -> usize {
        self.existed
    }

    /// True while it runs.
    #[inline]
    pub fn runs(&self) -> bool {
        self.active
    }

    /// Number of this collection in the run, from 1.
    #[inline]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// 0 to 2.
    #[inline]
    pub fn generation(&self) -> u8 {
        self.generation
    }

    /// Started by allocation or threshold.
    #[inline]
    pub fn is_automatic(&self) -> bool {
        self.automatic
    }

    /// Scripts that were running when it started.
    #[inline]
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// `gc.callbacks` entries ran before the unreachable set could be computed.
    #[inline]
    pub fn is_late(&self) -> bool {
        self.late
    }

    /// `tp_clear` has been called in it.
    #[inline]
    pub fn has_cleared(&self) -> bool {
        self.clears > 0
    }

    /// Scripts that ran since the unreachable set was found, `gc.callbacks` entries not counted.
    #[inline]
    pub fn scripts(&self) -> u32 {
        self.scripts
    }

    /// Finalizers ran since the unreachable set was found.
    #[inline]
    pub fn has_finalized(&self) -> bool {
        self.finalizers > 0
    }

    /// Callbacks ran since the unreachable set was found.
    #[inline]
    pub fn has_called(&self) -> bool {
        self.callbacks > 0
    }

    /// The collector calls callbacks, or did so last.
    #[inline]
    pub fn is_calling(&self) -> bool {
        self.active && self.callbacks > 0 && !self.finalizing && self.clears == 0
    }

    /// How many.
    #[inline]
    pub fn finalizers(&self) -> u32 {
        self.finalizers
    }

    /// The collector has begun to run finalizers on its own account.
    #[inline]
    pub fn is_finalizing(&self) -> bool {
        self.finalizing
    }

    /// `DEBUG_SAVEALL` may have put something into `gc.garbage`, and what is there was not shown.
    #[inline]
    pub fn is_unlisted(&self) -> bool {
        self.unlisted
    }

    /// A script in it may have tracked or untracked something.
    #[inline]
    pub fn may_track(&self) -> bool {
        self.tracked
    }

    /// A script that began in it may have changed `gc.callbacks`.
    #[inline]
    pub fn may_relist(&self) -> bool {
        self.relisted
    }

    pub(super) fn note_fate(&mut self) {
        self.fates |= self.active && self.unreachable.is_ready();
    }

    pub(super) fn note_deeds(&mut self, saves_all: bool, tracks: bool, lists: bool) {
        self.relisted |= lists;
        self.saves_all |= saves_all;
        self.tracked |= tracks;
    }

    /// Weak references freed right after their callback.
    pub fn refs_freed(&self) -> u32 {
        self.refs_freed
    }

    /// A weak reference dies right after its callback.
    #[inline]
    pub(super) fn note_ref_freed(&mut self) {
        self.refs_freed += 1;
    }

    /// What it has found.
    #[inline]
    pub fn unreachable(&self) -> &Unreachable {
        &self.unreachable
    }

    #[inline]
    pub(super) fn unreachable_mut(&mut self) -> &mut Unreachable {
        &mut self.unreachable
    }

    /// The object is in the collector's unreachable set, surely.
    #[inline]
    pub fn is_trash(&self, index: usize) -> bool {
        self.active && self.unreachable.is_surely_trash(index)
    }

    /// The mutator or a script does something: collections are not one after the other any more.
    #[inline]
    pub(super) fn disturb(&mut self) {
        self.quiet = if mutant!(NothingDisturbs) { self.quiet } else { 0 };
    }

    pub(super) fn note_clear(&mut self) {
        self.clears += 1;
    }

    pub(super) fn note_finalizer(&mut self, counts: bool) {
        self.finalizers += u32::from(counts);
    }

    pub(super) fn note_callback(&mut self, counts: bool) {
        self.callbacks += u32::from(counts);
    }

    /// After an entry of `gc.callbacks` a death may still be its doing, and before the collector has looked.
    #[inline]
    pub(super) fn note_early(&mut self) {
        self.early = self.late;
    }
}

/// What became of a full collection in a row of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Progress {
    /// It found nothing.
    Nothing,
    /// It is the first that found something, or it freed something.
    Some,
    /// It found something, as the one before did, and freed nothing.
    Stuck,
}

impl Shadow {
    /// The phase, as far as events tell it.
    pub(crate) fn phase(&self) -> Phase {
        let c = &self.collection;
        if !c.active {
            Phase::Mutator
        } else if !c.unreachable.is_ready() {
            Phase::Start
        } else if c.clears > 0 {
            Phase::Del
        } else if c.finalizers > 0 {
            Phase::Fin
        } else if c.callbacks > 0 {
            Phase::Cb
        } else {
            Phase::Ded
        }
    }

    /// A collection begins.
    pub(crate) fn apply_collect_start(&mut self, generation: u8, automatic: bool) {
        self.snapshot.follow(After::CollectStart);
        self.reach.changed();
        if self.collection.active {
            self.confidence.lose_stream();
            return;
        }
        let c = &mut self.collection;
        c.forget();
        c.active = true;
        c.number += 1;
        c.generation = generation;
        c.automatic = automatic;
        c.depth = if mutant!(CollectionsStartAtRest) { 0 } else { self.user_code.frames().len() };
        c.live_at_start = self.objects.live();
        c.existed = self.objects.all.len();
        c.saves_all = self.deeds.saves_all();
    }

    /// A script begins, in a collection perhaps.
    pub(super) fn enter_in_collection(&mut self, code: Code, owner: ObjId) {
        let c = &mut self.collection;
        if !c.active {
            return;
        }
        if code == Code::GcCallback && !c.unreachable.is_ready() {
            c.late = true;
        } else if code == Code::GcCallback {
            // It may be one more of the beginning.
            if c.early && c.clears == 0 {
                c.unreachable.doubt();
            }
            self.close_collection();
        } else {
            self.ready_collection();
            if matches!(code, Code::Finalizer | Code::LegacyFinalizer) && !self.collection.finalizing {
                self.begin_finalizing(owner);
            }
            let c = &mut self.collection;
            c.scripts += u32::from(c.unreachable.is_ready());
        }
    }

    /// A finalizer begins. If it is the first that the collector runs on its own account, what of the trash can be reached
    /// by now was saved by something else than a finalizer of that phase.
    fn begin_finalizing(&mut self, owner: ObjId) {
        let c = &self.collection;
        // What dies has nothing that holds it; what the collector finalizes is held by other trash.
        let dies = self.get(owner).is_none_or(|o| o.in_edges() == 0);
        if dies || c.clears > 0 || !c.unreachable.is_ready() || self.user_code.frames().len() != c.depth {
            return;
        }
        self.collection.finalizing = true;
        if self.collection.scripts > 0 {
            self.update_base();
            let Shadow { collection, reach, .. } = self;
            let u = &mut collection.unreachable;
            u.saved_early.copy_from(&u.trash);
            u.saved_early.keep(reach.base());
        }
    }

    /// A collection has ended, and a snapshot was read: says what became of its trash.
    #[inline]
    pub(crate) fn complete_collection(&mut self) {
        if self.collection.saves_all {
            self.note_listed();
        }
        if !self.objects.peculiar.is_empty() && self.objects.some_cleared_now() {
            self.maybe_reachable(None);
            self.find_causes();
            self.spoil_survivors();
        }
        if self.collection.fates {
            self.complete_fates();
        }
    }

    /// What `gc.garbage` lists of the trash is there because of `DEBUG_SAVEALL`.
    #[cold]
    fn note_listed(&mut self) {
        let Shadow { collection, objects, roots, .. } = self;
        collection.unlisted = roots.garbage().is_empty();
        for index in collection.unreachable.trash().iter().filter(|index| roots.times_listed(*index) > 0) {
            objects.all[index].status |= Object::SAVED_ALL;
        }
    }

    /// A collection reports what it has found: what became of it, if it was a full one without user code that the
    /// mutator asked for.
    #[inline]
    pub(crate) fn note_progress(&mut self, returned: u32, uncollectable: u32) -> Option<Progress> {
        let c = &mut self.collection;
        if c.automatic || c.generation != 2 || c.scripts > 0 || c.late || !self.user_code.is_idle() {
            return None;
        }
        if returned == 0 {
            c.quiet = 0;
            return Some(Progress::Nothing);
        }
        // Uncollectable objects are reported when they become garbage, and are kept on purpose.
        let stuck = c.quiet > 0 && self.objects.live() == c.live_at_start && returned > uncollectable;
        // What the body of a repetition does between its collections shows no step.
        if stuck && self.user_code.step().is_some_and(|op| matches!(self.program.op(op), Some(Op::Repeat { .. }))) {
            return None;
        }
        c.quiet += 1;
        Some(if stuck { Progress::Stuck } else { Progress::Some })
    }

    /// The collection that runs reports its end.
    pub(crate) fn apply_collect_end(&mut self, returned: u32, uncollectable: u32) {
        self.close_collection();
        self.snapshot.follow(After::CollectEnd { returned, uncollectable });
    }

    /// The collection is over. True if it was the mutator's own.
    pub(crate) fn end_collection(&mut self) -> bool {
        self.collection.active = false;
        self.reach.changed();
        self.collection.depth == 0
    }
}
