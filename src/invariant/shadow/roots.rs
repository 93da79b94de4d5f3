//! What holds objects from outside the heap: variables, `gc.callbacks`, `gc.garbage`, and the entry of an iteration.
//!
//! What `gc.garbage` holds is known from snapshots alone, and only until something may have changed it. Of `gc.callbacks` it
//! is known what operations of the mutator add; where scripts change the list too, which objects
//! it [may hold](super::object::Object::MAYBE_LISTED).

use super::Shadow;
use super::edge::{NONE, pack};
use super::objects::Objects;
use crate::event::{ObjId, Role};
use crate::scenario::{Base, Place, Shape};

/// The roots of a run.
#[derive(Debug, Default)]
pub(crate) struct Roots {
    vars: Vec<u32>,
    gc_callbacks: Vec<u32>,
    garbage: Vec<u32>,
    /// How often `garbage` lists each object; as long as the last object that it has listed.
    listings: Vec<u32>,
    /// `garbage` is not what `gc.garbage` holds now.
    garbage_doubtful: bool,
    /// The entry of the iteration that runs.
    iter_arg: u32,
    /// The operation before this event asked for an entry of `gc.callbacks`.
    undo_callback: bool,
}

impl Roots {
    pub(super) fn start(&mut self) {
        self.vars.clear();
        self.gc_callbacks.clear();
        self.garbage.clear();
        self.listings.clear();
        self.garbage_doubtful = false;
        self.iter_arg = NONE;
        self.undo_callback = false;
    }

    /// What each variable holds.
    pub fn vars(&self) -> &[u32] {
        &self.vars
    }

    /// How often `gc.garbage` lists the object.
    #[inline]
    pub fn times_listed(&self, index: usize) -> u32 {
        self.listings.get(index).copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn iter_arg(&self) -> u32 {
        self.iter_arg
    }

    #[inline]
    pub(super) fn garbage(&self) -> &[u32] {
        &self.garbage
    }

    /// True if `gc.garbage` holds what the last snapshot has listed.
    #[inline]
    pub(super) fn is_garbage_sure(&self) -> bool {
        !self.garbage_doubtful
    }

    pub(super) fn doubt_garbage(&mut self) {
        self.garbage_doubtful = true;
    }

    /// Variables and `gc.callbacks`.
    #[inline]
    pub(super) fn globals(&self) -> impl Iterator<Item = &u32> {
        self.vars.iter().chain(&self.gc_callbacks)
    }

    /// `gc.callbacks` and `gc.garbage`.
    #[inline]
    pub(super) fn lists(&self) -> impl Iterator<Item = &u32> {
        self.gc_callbacks.iter().chain(&self.garbage)
    }

    #[inline]
    pub(super) fn begin_step(&mut self) {
        self.iter_arg = NONE;
        self.undo_callback = false;
    }

    pub(super) fn add_gc_callback(&mut self, callable: u32) {
        self.gc_callbacks.push(callable);
        self.undo_callback = true;
    }

    pub(super) fn empty_gc_callbacks(&mut self, mut dropped: impl FnMut(u32)) {
        while let Some(callable) = self.gc_callbacks.pop() {
            if !mutant!(RemovedEntriesCount) {
                dropped(callable);
            }
        }
    }

    /// The entry that the last operation has added, taken back.
    pub(super) fn take_back_gc_callback(&mut self) -> Option<u32> {
        let undo = std::mem::replace(&mut self.undo_callback, false) && !mutant!(VainEntriesStay);
        if undo { self.gc_callbacks.pop() } else { None }
    }

    /// Changes a variable and returns what it held.
    #[inline]
    pub(super) fn store(&mut self, var: u16, new: u32) -> u32 {
        let var = var as usize;
        if var >= self.vars.len() {
            self.vars.resize((var | 7) + 1, NONE);
        }
        std::mem::replace(&mut self.vars[var], new)
    }

    /// A snapshot begins, which will say what `gc.garbage` holds. True if that may be something else than it was.
    #[inline]
    pub(super) fn begin_snapshot(&mut self) -> bool {
        let changes = !self.garbage.is_empty() || self.garbage_doubtful;
        if !self.garbage.is_empty() {
            self.forget_garbage();
        }
        self.garbage_doubtful = false;
        changes
    }

    #[cold]
    fn forget_garbage(&mut self) {
        for edge in self.garbage.drain(..) {
            if let Some(times) = self.listings.get_mut((edge as usize).wrapping_sub(1)) {
                *times = 0;
            }
        }
    }

    /// What a place names, where the innermost script, if there is one, has this owner and argument.
    pub(super) fn resolve(&self, objects: &Objects, place: Place, frame: Option<(u32, u32)>) -> u32 {
        let mut at = match place.base {
            Base::Nothing => NONE,
            Base::Var(v) => self.vars.get(v as usize).copied().unwrap_or(NONE),
            Base::Owner => frame.map_or(NONE, |(owner, _)| owner),
            Base::Arg => frame.map_or(self.iter_arg, |(_, arg)| arg),
        };
        for slot in place.path() {
            at = read_slot(objects, at, *slot);
        }
        at
    }
}

fn read_slot(objects: &Objects, holder: u32, slot: u8) -> u32 {
    let Some(mut object) = objects.at(holder) else { return NONE };
    if object.facts.shape == Shape::Instance
        && let Some(dict) = objects.at(object.slots[0]).filter(|o| o.facts.role == Role::InstanceDict)
    {
        object = dict;
    }
    match object.slots.get(slot as usize) {
        Some(edge) => *edge,
        None => objects.graph().more(object).and_then(|m| m.get(slot as usize)).map_or(NONE, |e| *e),
    }
}

impl Shadow {
    /// A variable changes.
    #[inline]
    pub(crate) fn apply_store_var(&mut self, var: u16, object: Option<ObjId>) {
        self.collection.disturb();
        let new = pack(object);
        self.note_saved(new);
        let old = self.roots.store(var, new);
        self.objects.count(new, 1);
        self.objects.count(old, -1);
        self.reach.changed();
        if !self.program.added_by_scripts().is_empty() {
            self.note_listed_by_scripts();
        }
    }

    /// An iteration shows an entry, and holds it.
    pub(crate) fn apply_yielded(&mut self, entry: ObjId) {
        self.roots.iter_arg = if mutant!(IterationsHoldNothing) { NONE } else { pack(Some(entry)) };
        if !self.program.added_by_scripts().is_empty() {
            self.note_listed_by_scripts();
        }
    }

    /// A snapshot shows an item of `gc.garbage`.
    pub(crate) fn apply_garbage(&mut self, object: ObjId) {
        let roots = &mut self.roots;
        roots.garbage.push(pack(Some(object)));
        self.reach.changed();
        // The stream may name what it never created: nobody asks for that, and it may be far away.
        let index = object.index();
        if index < self.objects.all.len() {
            if roots.listings.len() <= index {
                roots.listings.resize(index + 1, 0);
            }
            roots.listings[index] += u32::from(!mutant!(GarbageHoldsNothing));
        }
    }
}
