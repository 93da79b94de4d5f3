//! What the roots reach by strong edges, hidden ones included.

use super::{Bits, NONE, Object, Shadow};
use crate::event::{ObjId, Spot};
use crate::scenario::Shape;

/// The slot number under which an object's link is reported.
pub(crate) const LINK: u8 = 0x40;

impl Shadow {
    /// Calls `f` with each strong edge of an object.
    #[inline]
    pub(crate) fn for_edges(&self, object: &Object, mut f: impl FnMut(u8, u32)) {
        for (slot, edge) in object.slots.iter().enumerate() {
            if *edge != NONE {
                f(slot as u8, *edge);
            }
        }
        if object.link != NONE {
            f(LINK, object.link);
        }
        if let Some(more) = self.more(object.aux, object.facts.shape) {
            for (slot, edge) in more.iter().enumerate().skip(4) {
                if *edge != NONE {
                    f(slot as u8, *edge);
                }
            }
        }
    }

    /// Adds to `set` everything on `stack` and what it reaches.
    fn flood(&self, set: &mut Bits, stack: &mut Vec<u32>) {
        while let Some(at) = stack.pop() {
            let Some(object) = self.at(at) else { continue };
            if object.is(Object::FREED) || !set.add(at as usize - 1) {
                continue;
            }
            self.for_edges(object, |_, edge| stack.push(edge));
        }
    }

    /// What is surely reachable: from variables, `gc.callbacks`, `gc.garbage`, and the owners of user code that was
    /// running when the collection started. The result is in `self.base`.
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
    fn sure(&mut self, set: &mut Bits, frames: usize) {
        set.reset(self.objects.len());
        let mut stack = std::mem::take(&mut self.stack);
        stack.clear();
        stack.extend(self.vars.iter().chain(&self.gc_callbacks).filter(|e| **e != NONE));
        if self.garbage_sure && !self.traits.scripts_empty_garbage {
            stack.extend(&self.garbage);
        }
        stack.extend(self.frames.iter().take(frames).map(|f| f.owner));
        stack.extend(self.registered());
        self.flood(set, &mut stack);
        self.stack = stack;
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
    /// references than the known ones. With `older`, also what generations above it hold.
    pub(crate) fn maybe_reachable(&mut self, set: &mut Bits, older: Option<u8>) {
        set.reset(self.objects.len());
        let mut stack = std::mem::take(&mut self.stack);
        stack.clear();
        stack.extend(self.vars.iter().chain(&self.gc_callbacks).chain(&self.garbage).filter(|e| **e != NONE));
        stack.extend(self.frames.iter().flat_map(|f| [f.owner, f.arg]).filter(|e| *e != NONE));
        stack.extend(self.registered());
        stack.extend(self.iter_arg_root());
        for (index, object) in self.objects.iter().enumerate() {
            if object.is(Object::GONE) {
                continue;
            }
            // What waits in the trashcan still owns what it holds.
            let queued = object.refcount == 0;
            let surplus = object.stamp == self.stamp && (queued || object.refcount > object.in_edges);
            let old = older.is_some_and(|g| match object.spot {
                Spot::Gen1 => g < 1,
                Spot::Gen2 => g < 2,
                Spot::Permanent => true,
                _ => false,
            });
            if surplus || old || object.is(Object::LOOSE) && object.refcount > 0 {
                stack.push(index as u32 + 1);
            }
        }
        self.flood(set, &mut stack);
        self.stack = stack;
    }

    /// The `finalize` objects that their registry holds.
    fn registered(&self) -> impl Iterator<Item = u32> + '_ {
        let any = self.traits.finalizes;
        let objects = self.objects.iter().enumerate().filter(move |_| any);
        let held = objects.filter(|(_, o)| o.facts.shape == Shape::Finalize && o.slots[0] != NONE);
        held.map(|(index, _)| index as u32 + 1)
    }

    fn iter_arg_root(&self) -> Option<u32> {
        (self.iter_arg != NONE).then_some(self.iter_arg)
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

    /// Adds to `set` what the given objects reach, themselves included.
    pub(crate) fn closure(&mut self, set: &mut Bits, seeds: &[u32]) {
        let mut stack = std::mem::take(&mut self.stack);
        stack.clear();
        stack.extend_from_slice(seeds);
        self.flood(set, &mut stack);
        self.stack = stack;
    }
}
