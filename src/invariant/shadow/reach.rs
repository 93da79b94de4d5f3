//! What the roots reach by strong edges, hidden ones included.
//!
//! A run of few objects, as most are, is walked with one word as the set: see [`Shadow::is_small`].

use super::{Frame, NONE, Object, ObjectSet, Overflow, Shadow};
use crate::event::{Code, ObjId, Spot};
use crate::scenario::Shape;
use crate::subject::Expectation;

/// The slot number under which an object's link is reported.
pub(crate) const LINK: u8 = 0x40;

/// Runs of fewer objects are walked by words: bit n of a word of *edges* is the edge n, so that no object is bit 0.
const SMALL: usize = 64;

/// The objects and their edges.
#[derive(Clone, Copy)]
pub(super) struct Graph<'a> {
    pub objects: &'a [Object],
    pub overflow: &'a [Overflow],
}

impl Graph<'_> {
    /// The overflow table of a list or dict.
    #[inline]
    pub fn more(&self, object: &Object) -> Option<&Overflow> {
        if object.aux == 0 || !object.facts.shape.is_unbounded() {
            return None;
        }
        self.overflow.get(object.aux as usize - 1)
    }

    /// Calls `f` with each strong edge of an object.
    #[inline]
    pub fn for_edges(&self, object: &Object, mut f: impl FnMut(u8, u32)) {
        for (slot, edge) in object.slots.iter().enumerate() {
            if *edge != NONE {
                f(slot as u8, *edge);
            }
        }
        if object.link != NONE {
            f(LINK, object.link);
        }
        if let Some(more) = self.more(object) {
            for (slot, edge) in more.iter().enumerate().skip(4) {
                if *edge != NONE {
                    f(slot as u8, *edge);
                }
            }
        }
    }

    /// In a small run: what an object has edges to, as a word of indices.
    #[inline]
    pub fn targets(&self, object: &Object) -> u64 {
        let [a, b, c, d] = object.slots;
        let mut edges = bit(a) | bit(b) | bit(c) | bit(d) | bit(object.link);
        if let Some(more) = self.more(object) {
            edges |= more[4..].iter().fold(0, |edges, edge| edges | bit(*edge));
        }
        edges >> 1
    }

    /// In a small run: what the seeds reach, themselves included.
    #[inline]
    fn flood_word(&self, present: u64, seeds: u64) -> u64 {
        let mut set = 0;
        let mut front = seeds & present;
        while front != 0 {
            let index = front.trailing_zeros() as usize;
            set |= 1 << index;
            let Some(object) = self.objects.get(index) else { return set };
            front = (front | self.targets(object) & present) & !set;
        }
        set
    }

    /// Adds to `set` everything on `stack` and what it reaches.
    fn flood(&self, set: &mut ObjectSet, stack: &mut Vec<u32>) {
        while let Some(at) = stack.pop() {
            let Some(object) = self.objects.get((at as usize).wrapping_sub(1)) else { continue };
            if object.is(Object::FREED) || !set.add(at as usize - 1) {
                continue;
            }
            self.for_edges(object, |_, edge| stack.push(edge));
        }
    }
}

/// Each bit. Shifts by variable amounts are turned into vector code that is far slower than a load.
static BITS: [u64; SMALL] = {
    let mut bits = [1; SMALL];
    let mut at = 1;
    while at < SMALL {
        bits[at] = bits[at - 1] << 1;
        at += 1;
    }
    bits
};

/// In a small run: the bit of a counted edge in a word of edges.
#[inline]
pub(super) fn bit(edge: u32) -> u64 {
    BITS[edge as usize % SMALL]
}

/// The bit of an edge in a word of edges; none for one to an object that the stream has not created.
#[inline]
fn root(edge: u32) -> u64 {
    if (edge as usize) < SMALL { bit(edge) } else { 0 }
}

impl Shadow {
    /// True if sets of objects fit into a word: few objects, and no edge to one that the stream has not created.
    #[inline]
    pub(super) fn is_small(&self) -> bool {
        self.objects.len() < SMALL && !self.wild
    }

    #[inline]
    pub(super) fn graph(&self) -> Graph<'_> {
        Graph { objects: &self.objects, overflow: &self.overflow }
    }

    /// Calls `f` with each strong edge of an object.
    #[inline]
    pub(crate) fn for_edges(&self, object: &Object, f: impl FnMut(u8, u32)) {
        self.graph().for_edges(object, f);
    }

    /// What is surely reachable: from variables, `gc.callbacks`, `gc.garbage`, and the owners of user code that was
    /// running when the collection started. The result is in `self.base`.
    #[inline]
    pub(crate) fn update_base(&mut self) {
        if self.base_version == self.version {
            return;
        }
        self.base_version = self.version;
        let mut set = std::mem::take(&mut self.base);
        let depth = if self.col.active { self.col.depth } else { 0 };
        self.sure(&mut set, depth);
        self.base = set;
    }

    /// What is surely reachable when the first `frames` scripts count as roots.
    fn sure(&mut self, set: &mut ObjectSet, frames: usize) {
        if self.is_small() {
            let mut edges = self.global_word();
            self.sure_roots(frames, |edge| edges |= root(edge));
            set.set_word(self.graph().flood_word(self.present.word(), edges >> 1));
            return;
        }
        set.reset(self.objects.len());
        let mut stack = std::mem::take(&mut self.stack);
        stack.clear();
        stack.extend(self.vars.iter().chain(&self.gc_callbacks));
        self.sure_roots(frames, |edge| stack.push(edge));
        self.graph().flood(set, &mut stack);
        self.stack = stack;
    }

    /// What is surely reachable without `gc.garbage`. The result is in `self.scratch`.
    pub(crate) fn reach_without_garbage(&mut self) {
        let sure = std::mem::replace(&mut self.garbage_sure, false);
        let mut set = std::mem::take(&mut self.scratch);
        self.sure(&mut set, if self.col.active { self.col.depth } else { 0 });
        self.scratch = set;
        self.garbage_sure = sure;
    }

    /// In a small run: what variables and `gc.callbacks` hold, as a word of edges.
    #[inline]
    fn global_word(&self) -> u64 {
        let vars = self.vars.iter().fold(0, |edges, edge| edges | bit(*edge));
        self.gc_callbacks.iter().fold(vars, |edges, edge| edges | bit(*edge))
    }

    /// The roots that are neither variables nor in `gc.callbacks`.
    #[inline]
    fn sure_roots(&self, frames: usize, mut f: impl FnMut(u32)) {
        if self.garbage_sure && !self.traits.scripts_empty_garbage {
            self.garbage.iter().for_each(|edge| f(*edge));
        }
        self.frames.iter().take(frames).for_each(|frame| f(frame.owner));
        self.registered(f);
    }

    /// In a small run: what the given objects, variables and `gc.callbacks` reach.
    pub(super) fn reached_from(&self, objects: u64) -> u64 {
        self.graph().flood_word(self.present.word(), self.global_word() >> 1 | objects)
    }

    /// True if the object is surely reachable, not counting the innermost script's hold on its owner.
    pub(crate) fn is_rooted(&mut self, object: ObjId) -> bool {
        let Some(o) = self.get(object) else { return false };
        let frames = self.frames.len().saturating_sub(1);
        let owned = self.frames.iter().take(frames).any(|f| f.owner as usize == object.index() + 1);
        let registered = o.facts.shape == Shape::Finalize;
        let listed =
            registered || self.gc_callbacks.iter().chain(&self.garbage).any(|e| *e as usize == object.index() + 1);
        if o.in_edges == 0 && !owned && !listed {
            return false;
        }
        if frames == if self.col.active { self.col.depth } else { 0 } {
            self.update_base();
            return self.base.has(object.index());
        }
        let mut set = std::mem::take(&mut self.scratch);
        self.sure(&mut set, frames);
        let rooted = set.has(object.index());
        self.scratch = set;
        rooted
    }

    /// What may be reachable: in addition, arguments of scripts, `gc.garbage` in doubt, and objects with more
    /// references than the known ones. With `older`, also what generations above it hold. The result is in
    /// `self.scratch`.
    pub(crate) fn maybe_reachable(&mut self, older: Option<u8>) {
        let youngest = older.map_or(u8::MAX, |generation| generation.min(Spot::Gen2 as u8));
        let mut set = std::mem::take(&mut self.scratch);
        if self.is_small() {
            let mut edges = self.global_word();
            self.doubtful_roots(|edge| edges |= root(edge));
            let mut seeds = edges >> 1;
            for index in self.present.iter() {
                seeds |= if self.is_held_elsewhere(index, youngest) { bit(index as u32) } else { 0 };
            }
            set.set_word(self.graph().flood_word(self.present.word(), seeds));
        } else {
            set.reset(self.objects.len());
            let mut stack = std::mem::take(&mut self.stack);
            stack.clear();
            stack.extend(self.vars.iter().chain(&self.gc_callbacks));
            self.doubtful_roots(|edge| stack.push(edge));
            stack.extend(self.present.iter().filter(|i| self.is_held_elsewhere(*i, youngest)).map(|i| i as u32 + 1));
            self.graph().flood(&mut set, &mut stack);
            self.stack = stack;
        }
        self.scratch = set;
    }

    /// The same for what may be reachable.
    #[inline]
    fn doubtful_roots(&self, mut f: impl FnMut(u32)) {
        self.garbage.iter().for_each(|edge| f(*edge));
        for frame in &self.frames {
            f(frame.owner);
            f(frame.arg);
        }
        f(self.iter_arg);
        self.registered(f);
    }

    /// Something other than the known edges may hold the object; being in a list after `youngest` counts, too.
    #[inline]
    fn is_held_elsewhere(&self, index: usize, youngest: u8) -> bool {
        let object = &self.objects[index];
        if object.is(Object::GONE) {
            return false;
        }
        // What waits in the trashcan still owns what it holds.
        let queued = object.refcount == 0;
        let surplus = object.stamp == self.stamp && (queued || object.refcount > object.in_edges);
        let old = object.spot as u8 > youngest && object.spot as u8 <= Spot::Permanent as u8;
        surplus || old || object.is(Object::UNKNOWN_HOLDERS) && object.refcount > 0
    }

    /// The `finalize` objects that their registry holds.
    #[inline]
    fn registered(&self, mut f: impl FnMut(u32)) {
        if !self.traits.finalizes {
            return;
        }
        for (index, object) in self.objects.iter().enumerate() {
            if object.facts.shape == Shape::Finalize && object.slots[0] != NONE {
                f(index as u32 + 1);
            }
        }
    }

    /// True if a root reaches `target` when the data of a weak container is left out.
    pub(crate) fn reaches_without(&mut self, target: u32, container: u32) -> bool {
        let data = self.at(container).map_or(NONE, |c| c.slots[0]);
        let Some(saved) = self.at(data).copied() else { return true };
        let index = data as usize - 1;
        // A copy without edges stands in for the data dict while the heap is walked.
        self.objects[index].slots = [NONE; 4];
        self.objects[index].aux = 0;
        let mut set = std::mem::take(&mut self.scratch);
        self.sure(&mut set, 0);
        let reached = set.has(target as usize - 1);
        self.scratch = set;
        self.objects[index] = saved;
        reached
    }

    /// True if strong edges lead from one object to another, or they are the same.
    pub(crate) fn leads(&mut self, from: u32, to: usize) -> bool {
        self.follow(from);
        self.scratch.has(to)
    }

    /// True if the innermost user code is the finalizer of an object of a static C type in the trash that is being cleared:
    /// the collector of 2.7 does not look for it.
    fn is_unforeseen(&self) -> bool {
        let is = |f: &Frame| {
            matches!(f.code, Code::Finalizer | Code::LegacyFinalizer)
                && self.col.is_trash(f.owner as usize - 1)
                && self.at(f.owner).is_some_and(|o| o.facts.shape.is_extension())
        };
        self.col.clears > 0 && self.driver().is_some_and(is) && self.expectations.holds(Expectation::StaticFinalizer)
    }

    /// Marks what of the trash such a finalizer that starts can reach.
    #[cold]
    pub(crate) fn expose(&mut self, code: Code) {
        if let Some(&Frame { owner, .. }) = self.frames.last()
            && code != Code::Call
            && self.is_unforeseen()
        {
            self.follow(owner);
            let Shadow { objects, scratch, col, .. } = self;
            scratch.iter().filter(|i| col.trash.has(*i)).for_each(|i| objects[i].status |= Object::EXPOSED);
        }
    }

    /// The same for what it has reached, by the edges that a `tp_clear` was about to drop.
    #[cold]
    pub(crate) fn expose_seen(&mut self, object: ObjId) {
        if self.is_unforeseen() && self.col.is_trash(object.index()) {
            self.objects[object.index()].status |= Object::EXPOSED;
        }
    }

    /// Follows strong edges from an object. The result, with the object, is in `self.scratch`.
    #[inline]
    fn follow(&mut self, from: u32) {
        let mut set = std::mem::take(&mut self.scratch);
        if self.is_small() {
            set.set_word(self.graph().flood_word(self.present.word(), root(from) >> 1));
        } else {
            set.reset(self.objects.len());
            let mut stack = std::mem::take(&mut self.stack);
            stack.clear();
            stack.push(from);
            self.graph().flood(&mut set, &mut stack);
            self.stack = stack;
        }
        self.scratch = set;
    }
}
