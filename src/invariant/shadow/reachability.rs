//! What the roots reach by strong edges, hidden ones included.
//!
//! Two answers are given. What is *surely* reachable counts variables, `gc.callbacks`, `gc.garbage` as far as it is known,
//! and the owners of scripts that ran before the collection; it is computed when it is asked for and something has changed
//! since. What *may* be reachable counts everything in doubt too: arguments, and objects with more references than are
//! known. The result of every other walk stands in one set, [`Reachability::found`], until the next.

use super::edge::NONE;
use super::graph::{bit, root};
use super::object::Object;
use super::object_set::ObjectSet;
use super::objects::Objects;
use super::{Shadow, Trait};
use crate::event::{ObjId, Spot};

/// What of `gc.garbage` counts as a root.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Garbage {
    /// Nothing.
    Nothing,
    /// What is not there for `DEBUG_SAVEALL` alone.
    NotSaved,
    /// All of it.
    All,
}

/// What has been reached, and the memory of walks.
#[derive(Debug, Default)]
pub(crate) struct Reachability {
    /// Changes when reachability may have changed.
    version: u64,
    base: ObjectSet,
    /// What the version was when `base` was computed.
    base_version: u64,
    found: ObjectSet,
    stack: Vec<u32>,
}

impl Reachability {
    /// Edges or roots have changed.
    #[inline]
    pub(super) fn changed(&mut self) {
        self.version += 1;
    }

    #[inline]
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// What is surely reachable, as [`Shadow::update_base`] has found.
    #[inline]
    pub fn base(&self) -> &ObjectSet {
        &self.base
    }

    /// What the last walk has found.
    #[inline]
    pub fn found(&self) -> &ObjectSet {
        &self.found
    }

    #[inline]
    pub(super) fn set_found(&mut self, word: u64) {
        self.found.set_word(word);
    }

    pub(super) fn set_found_to(&mut self, set: &ObjectSet) {
        self.found.copy_from(set);
    }

    /// Memory for walks.
    #[inline]
    pub(super) fn stack(&mut self) -> &mut Vec<u32> {
        &mut self.stack
    }
}

impl Shadow {
    /// What is surely reachable: from variables, `gc.callbacks`, `gc.garbage`, and the owners of user code that was
    /// running when the collection started. The result is [`Reachability::base`].
    #[inline]
    pub(crate) fn update_base(&mut self) {
        if self.reach.base_version == self.reach.version {
            return;
        }
        self.reach.base_version = self.reach.version;
        let mut set = std::mem::take(&mut self.reach.base);
        self.sure(&mut set, self.frames_before(), self.sure_garbage());
        self.reach.base = set;
    }

    /// Scripts that ran before the collection that runs.
    #[inline]
    fn frames_before(&self) -> usize {
        if self.collection.runs() { self.collection.depth() } else { 0 }
    }

    /// What of `gc.garbage` is sure: all that the last snapshot has listed, or nothing.
    #[inline]
    fn sure_garbage(&self) -> Garbage {
        let sure = self.roots.is_garbage_sure() && !self.deeds.emptied_garbage();
        if sure { Garbage::All } else { Garbage::Nothing }
    }

    /// What is surely reachable when the first `frames` scripts count as roots, and this of `gc.garbage`.
    fn sure(&mut self, set: &mut ObjectSet, frames: usize, garbage: Garbage) {
        if self.objects.is_small() {
            let mut edges = self.global_word();
            self.sure_roots(frames, garbage, |edge| edges |= root(edge));
            set.set_word(self.objects.graph().flood_word(self.objects.present.word(), edges >> 1));
            return;
        }
        set.reset(self.objects.all.len());
        let mut stack = std::mem::take(&mut self.reach.stack);
        stack.clear();
        stack.extend(self.roots.globals());
        self.sure_roots(frames, garbage, |edge| stack.push(edge));
        self.objects.graph().flood(set, &mut stack);
        self.reach.stack = stack;
    }

    /// What is surely reachable without what is in `gc.garbage` for `DEBUG_SAVEALL` alone. The result is
    /// [`Reachability::found`].
    pub(crate) fn reach_without_saved(&mut self) {
        let mut set = std::mem::take(&mut self.reach.found);
        let garbage = if self.sure_garbage() == Garbage::All { Garbage::NotSaved } else { Garbage::Nothing };
        self.sure(&mut set, self.frames_before(), garbage);
        self.reach.found = set;
    }

    /// In a small run: what variables and `gc.callbacks` hold, as a word of edges.
    #[inline]
    fn global_word(&self) -> u64 {
        self.roots.globals().fold(0, |edges, edge| edges | bit(*edge))
    }

    /// The roots that are neither variables nor in `gc.callbacks`.
    #[inline]
    fn sure_roots(&self, frames: usize, garbage: Garbage, mut f: impl FnMut(u32)) {
        if garbage != Garbage::Nothing {
            let saved =
                |edge: &u32| garbage == Garbage::NotSaved && self.at(*edge).is_some_and(|o| o.is(Object::SAVED_ALL));
            self.roots.garbage().iter().filter(|edge| !saved(edge)).for_each(|edge| f(*edge));
        }
        self.user_code.frames().iter().take(frames).for_each(|frame| f(frame.owner()));
        self.registered(f);
    }

    /// In a small run: what the given objects, variables and `gc.callbacks` reach.
    pub(super) fn reached_from(&self, objects: u64) -> u64 {
        self.objects.graph().flood_word(self.objects.present.word(), self.global_word() >> 1 | objects)
    }

    /// True if the object is surely reachable, not counting the innermost script's hold on its owner.
    pub(crate) fn is_rooted(&mut self, object: ObjId) -> bool {
        let Some(o) = self.get(object) else { return false };
        let frames = self.user_code.frames().len().saturating_sub(1);
        let id = object.index() as u32 + 1;
        let owned = self.user_code.frames().iter().take(frames).any(|f| f.owner() == id);
        let listed = o.facts.shape.is_finalize() || self.roots.lists().any(|edge| *edge == id);
        if o.in_edges == 0 && !owned && !listed {
            return false;
        }
        if frames == self.frames_before() {
            self.update_base();
            return self.reach.base.has(object.index());
        }
        let mut set = std::mem::take(&mut self.reach.found);
        self.sure(&mut set, frames, self.sure_garbage());
        let rooted = set.has(object.index());
        self.reach.found = set;
        rooted
    }

    /// What may be reachable: in addition, arguments of scripts, `gc.garbage` in doubt, and objects with more
    /// references than the known ones. With `older`, also what generations above it hold. The result is
    /// [`Reachability::found`].
    pub(crate) fn maybe_reachable(&mut self, older: Option<u8>) {
        let youngest = older.map_or(u8::MAX, |generation| generation.min(Spot::Gen2 as u8));
        let mut set = std::mem::take(&mut self.reach.found);
        let present = &self.objects.present;
        if self.objects.is_small() {
            let mut edges = self.global_word();
            self.doubtful_roots(|edge| edges |= root(edge));
            let mut seeds = edges >> 1;
            for index in present.iter() {
                seeds |= if self.is_held_elsewhere(index, youngest) { bit(index as u32) } else { 0 };
            }
            set.set_word(self.objects.graph().flood_word(present.word(), seeds));
        } else {
            set.reset(self.objects.all.len());
            let mut stack = std::mem::take(&mut self.reach.stack);
            stack.clear();
            stack.extend(self.roots.globals());
            self.doubtful_roots(|edge| stack.push(edge));
            let held = self.objects.present.iter().filter(|i| self.is_held_elsewhere(*i, youngest));
            stack.extend(held.map(|i| i as u32 + 1));
            self.objects.graph().flood(&mut set, &mut stack);
            self.reach.stack = stack;
        }
        self.reach.found = set;
    }

    /// The same in a small run, where nothing but these objects has other holders than the known ones.
    pub(super) fn maybe_reached_from(&mut self, objects: u64) {
        let mut edges = 0;
        self.doubtful_roots(|edge| edges |= root(edge));
        let reached = self.reached_from(objects | edges >> 1);
        self.reach.set_found(reached);
    }

    /// The roots of [`Shadow::sure_roots`] for what may be reachable.
    #[inline]
    fn doubtful_roots(&self, mut f: impl FnMut(u32)) {
        self.roots.garbage().iter().for_each(|edge| f(*edge));
        for frame in self.user_code.frames() {
            f(frame.owner());
            f(frame.arg());
        }
        f(self.roots.iter_arg());
        self.registered(f);
    }

    /// Something other than the known edges may hold the object; being in a list after `youngest` counts, too.
    #[inline]
    fn is_held_elsewhere(&self, index: usize, youngest: u8) -> bool {
        let object = &self.objects.all[index];
        if object.is(Object::GONE) {
            return false;
        }
        // What waits in the trashcan still owns what it holds.
        let queued = object.refcount == 0;
        let surplus = self.snapshot.shows(object) && (queued || object.refcount > object.in_edges);
        let old = object.spot as u8 > youngest && object.spot as u8 <= Spot::Permanent as u8;
        surplus || old || object.is(Object::UNKNOWN_HOLDERS) && object.refcount > 0
    }

    /// The `finalize` objects that their registry holds.
    #[inline]
    fn registered(&self, mut f: impl FnMut(u32)) {
        if !self.program.has(Trait::Finalizes) {
            return;
        }
        for (index, object) in self.objects.all.iter().enumerate() {
            if object.facts.shape.is_finalize() && object.slots[0] != NONE {
                f(index as u32 + 1);
            }
        }
    }

    /// True if a root reaches `target` when the data of a weak container is left out.
    pub(crate) fn reaches_without(&mut self, target: u32, container: u32) -> bool {
        let data = self.at(container).map_or(NONE, |c| c.slots[0]);
        if self.at(data).is_none() {
            return true;
        }
        Objects::without_edges(self, data as usize - 1, |s| s.is_reached(target))
    }

    /// True if a root other than a script reaches an object.
    pub(super) fn is_reached(&mut self, target: u32) -> bool {
        let mut set = std::mem::take(&mut self.reach.found);
        self.sure(&mut set, 0, self.sure_garbage());
        let reached = set.has(target as usize - 1);
        self.reach.found = set;
        reached
    }

    /// True if strong edges lead from one object to another, or they are the same.
    pub(crate) fn leads(&mut self, from: u32, to: usize) -> bool {
        self.follow(from);
        self.reach.found.has(to)
    }

    /// Follows strong edges from what waits with a reference count of 0. The result is [`Reachability::found`].
    pub(crate) fn follow_queued(&mut self) {
        let Shadow { objects, reach, .. } = self;
        reach.found.reset(objects.all.len());
        reach.stack.clear();
        let waits = |index: &usize| objects.all[*index].lives() && objects.all[*index].refcount == 0;
        reach.stack.extend(objects.present.iter().filter(waits).map(|index| index as u32 + 1));
        objects.graph().flood(&mut reach.found, &mut reach.stack);
    }

    /// Follows strong edges from an object. The result, with the object, is [`Reachability::found`].
    #[inline]
    pub(super) fn follow(&mut self, from: u32) {
        let mut set = std::mem::take(&mut self.reach.found);
        if self.objects.is_small() {
            set.set_word(self.objects.graph().flood_word(self.objects.present.word(), root(from) >> 1));
        } else {
            set.reset(self.objects.all.len());
            let mut stack = std::mem::take(&mut self.reach.stack);
            stack.clear();
            stack.push(from);
            self.objects.graph().flood(&mut set, &mut stack);
            self.reach.stack = stack;
        }
        self.reach.found = set;
    }
}
