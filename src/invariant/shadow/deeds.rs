//! What operations and scripts do that no event tells of: tracking by hand, `gc.unfreeze`, `gc.DEBUG_SAVEALL`, entries of
//! `gc.callbacks`, emptying `gc.garbage`, thresholds.
//!
//! An operation of the mutator is known when it begins, with the object that it names. Of a script it is known only that it
//! may do such things from when it begins: which object it has tracked or untracked shows in the next snapshot. What it
//! may add to `gc.callbacks` is whatever the place that it names has held while it ran.

use super::edge::{NONE, unpack};
use super::facts::NO_SCRIPT;
use super::object::Object;
use super::{Shadow, Trait};
use crate::event::{Code, Spot};
use crate::scenario::{Op, Place};

/// A script may have tracked or untracked something.
const TRACKED: u8 = 1;
/// Something may have been unfrozen.
const UNFROZE: u8 = 2;
/// `gc.garbage` may have been emptied by a script.
const EMPTIED: u8 = 4;
/// A script may have changed thresholds, enabled, disabled or frozen.
const SCHEDULED: u8 = 8;

/// What may have been done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Deeds {
    /// `DEBUG_SAVEALL` may be set.
    saves_all: bool,
    /// What the operation of the mutator that runs may have done, bodies and scripts in it included.
    now: u8,
    /// What those before it may have done since the last snapshot.
    before: u8,
}

impl Deeds {
    pub(super) fn start(&mut self) {
        *self = Deeds::default();
    }

    /// `gc.DEBUG_SAVEALL` may be set now.
    #[inline]
    pub fn saves_all(&self) -> bool {
        self.saves_all
    }

    /// A script may have tracked or untracked something that no snapshot has shown yet.
    #[inline]
    pub fn script_tracked(&self) -> bool {
        (self.now | self.before) & TRACKED != 0
    }

    /// Something may have been unfrozen that no snapshot has shown yet.
    #[inline]
    pub fn unfroze(&self) -> bool {
        (self.now | self.before) & UNFROZE != 0
    }

    /// A script may have emptied `gc.garbage` since the last snapshot, or may do so before the next.
    #[inline]
    pub fn emptied_garbage(&self) -> bool {
        (self.now | self.before) & EMPTIED != 0
    }

    /// The operation of the mutator that runs, or ran last, may have changed in a script when collections start.
    #[inline]
    pub fn scheduled(&self) -> bool {
        (self.now | self.before) & SCHEDULED != 0
    }

    /// The next operation of the mutator begins.
    #[inline]
    pub(super) fn next_step(&mut self) {
        if self.now != 0 {
            self.before |= std::mem::take(&mut self.now);
        }
    }

    /// A snapshot is complete.
    #[inline]
    pub(super) fn are_shown(&mut self) {
        self.before = 0;
    }
}

impl Shadow {
    /// What may have been done.
    #[inline]
    pub(crate) fn deeds(&self) -> &Deeds {
        &self.deeds
    }

    /// The mutator begins an operation of this sort.
    #[cold]
    pub(super) fn note_deed(&mut self, op: Op) {
        match op {
            Op::SaveAll { on } => self.deeds.saves_all = on,
            Op::Unfreeze => self.deeds.now |= UNFROZE,
            Op::Repeat { script, .. } | Op::Iterate { script, .. } => self.note_deeds(script.0),
            Op::Track { object } | Op::Untrack { object } => self.note_by_hand(object),
            _ => {}
        }
    }

    fn note_by_hand(&mut self, place: Place) {
        let edge = self.resolve(place);
        if edge != NONE
            && let Some(object) = self.objects.all.get_mut(edge as usize - 1)
        {
            object.status |= Object::BY_HAND;
            self.objects.peculiar.put(edge as usize - 1);
        }
    }

    /// A script begins, or a body that is part of an operation, and it may do something of it.
    #[cold]
    pub(super) fn note_deeds(&mut self, script: u8) {
        if script == NO_SCRIPT {
            return;
        }
        let does = |what| self.program.script_has(script, what);
        let (saves_all, tracks) = (does(Trait::SavesAll), does(Trait::Tracks));
        let (tracks_again, unfreezes) = (does(Trait::ScriptsTrack), does(Trait::Unfreezes));
        self.deeds.saves_all |= saves_all;
        let (lists, empties) = (does(Trait::ScriptsChangeCallbacks), does(Trait::ScriptsEmptyGarbage));
        self.deeds.now |= if tracks { TRACKED } else { 0 }
            | if unfreezes { UNFROZE } else { 0 }
            | if empties { EMPTIED } else { 0 }
            | if does(Trait::ScriptsSchedule) { SCHEDULED } else { 0 };
        self.collection.note_deeds(saves_all, tracks, lists);
        if tracks_again {
            let owners = self.user_code.frames().iter().filter(|f| f.code() == Code::Dealloc).map(|f| f.owner());
            for index in owners.filter_map(unpack).map(|o| o.index()) {
                if let Some(object) = self.objects.all.get_mut(index) {
                    object.status |= Object::ACTED;
                }
            }
        }
    }

    /// Scripts that add to `gc.callbacks` may be running: marks what their places name now.
    #[cold]
    pub(super) fn note_listed_by_scripts(&mut self) {
        for at in 0..self.program.added_by_scripts().len() {
            let (script, place) = self.program.added_by_scripts()[at];
            for level in 0..self.user_code.frames().len() {
                let frame = self.user_code.frames()[level];
                if frame.script() == script {
                    self.note_maybe_listed(place, Some((frame.owner(), frame.arg())));
                }
            }
            let body = match self.op() {
                Some(Op::Repeat { script, .. } | Op::Iterate { script, .. }) => script.0,
                _ => NO_SCRIPT,
            };
            if body == script {
                self.note_maybe_listed(place, None);
            }
        }
    }

    /// What a place names may be an entry of `gc.callbacks` from now on.
    pub(super) fn note_maybe_listed(&mut self, place: Place, frame: Option<(u32, u32)>) {
        let edge = self.roots.resolve(&self.objects, place, frame);
        if let Some(object) = self.objects.all.get_mut((edge as usize).wrapping_sub(1)) {
            object.status |= if mutant!(MaybeListedForgotten) { 0 } else { Object::MAYBE_LISTED };
        } else if !place.path().is_empty() && (self.collection.has_cleared() || !self.objects.none_dies()) {
            // What is being cleared has dropped its slots here before it really does.
            for object in self.objects.all.iter_mut().filter(|o| o.lives() && o.facts.shape.can_call()) {
                object.status |= Object::MAYBE_LISTED;
            }
        }
    }

    /// A line of a snapshot shows an object in another place than the last one: a script may have put it there.
    #[cold]
    pub(super) fn note_moved_by_script(&mut self, index: usize, spot: Spot) {
        let object = &mut self.objects.all[index];
        // One that no snapshot has shown yet was tracked when it was made.
        let moved = if object.stamp == 0 { spot == Spot::Untracked } else { object.spot != spot };
        if object.facts.shape.is_extension() && moved {
            object.status |= Object::BY_HAND;
            self.objects.peculiar.put(index);
        }
    }
}
