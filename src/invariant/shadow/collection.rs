//! The collection that runs: its candidates, its unreachable set, and what it leaves to clear.

use super::super::blame::{Blame, leftovers};
use super::reach::LINK;
use super::{Bits, Facts, Object, Shadow};
use crate::event::Spot;

/// Facts about the collection that runs, or ran last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collection {
    pub active: bool,
    /// Number of this collection in the run, from 1.
    pub number: u32,
    pub generation: u8,
    pub automatic: bool,
    /// Scripts that were running when it started.
    pub depth: usize,
    /// The unreachable set has been computed.
    pub ready: bool,
    /// `gc.callbacks` entries ran before it could be.
    pub late: bool,
    /// The computed sets are the collector's own.
    pub exact: bool,
    /// Every object in the computed sets is in the collector's.
    pub sound: bool,
    pub candidates: Bits,
    /// Found unreachable and not set aside as uncollectable.
    pub trash: Bits,
    /// How many were found unreachable, uncollectable ones included.
    pub found: u32,
    /// Unreachable and set aside because of legacy finalizers.
    pub legacy: Bits,
    /// Candidates that nothing reaches, whatever the collector could see; see [`Shadow::ready_collection`].
    pub garbage: Bits,
    /// What explains that some of it survives.
    pub blame: Option<Blame>,
    /// What is left of `trash` when clearing starts, once `settled`.
    pub doomed: Bits,
    pub settled: bool,
    /// Counted what was left when the collection was over, before the last `gc.callbacks` entries ran.
    pub closed: bool,
    /// Objects of `doomed` that were gone then.
    pub freed: u32,
    /// Uncollectable objects that were there then.
    pub legacy_left: u32,
    pub clears: u32,
    /// Objects that existed when it started.
    pub live_at_start: u32,
    /// Scripts that ran since the unreachable set was found, `gc.callbacks` entries not counted.
    pub scripts: u32,
    pub callbacks: u32,
    pub finalizers: u32,
    /// Weak references freed right after their callback.
    pub refs_freed: u32,
    /// A candidate's `traverse` does not tell the truth.
    pub lied: bool,
    gc_refs: Vec<i64>,
}

impl Collection {
    pub fn start_run(&mut self) {
        self.active = false;
        self.number = 0;
        self.forget();
    }

    /// Makes ready for the next collection.
    pub fn forget(&mut self) {
        self.ready = false;
        self.late = false;
        self.exact = false;
        self.sound = false;
        self.found = 0;
        self.closed = false;
        self.freed = 0;
        self.legacy_left = 0;
        self.settled = false;
        self.blame = None;
        self.clears = 0;
        self.scripts = 0;
        self.callbacks = 0;
        self.finalizers = 0;
        self.refs_freed = 0;
        self.lied = false;
        for set in [&mut self.candidates, &mut self.trash, &mut self.legacy, &mut self.garbage, &mut self.doomed] {
            set.reset(0);
        }
    }

    /// The object is in the collector's unreachable set, surely.
    #[inline]
    pub fn is_trash(&self, index: usize) -> bool {
        self.active && self.ready && self.sound && self.trash.has(index)
    }
}

/// Which edges a reachability pass sees.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// The first traverse of an object.
    Subtract,
    /// The second one.
    Walk,
}

fn multiplicity(facts: &Facts, slot: u8, pass: Pass) -> i64 {
    if facts.is(Facts::NO_HEADER) {
        return 0;
    }
    if slot == LINK || slot >= 8 {
        return 1;
    }
    let bit = 1u8 << slot;
    if facts.hidden & bit != 0 || pass == Pass::Walk && facts.fickle & bit != 0 {
        0
    } else if facts.doubled & bit != 0 {
        2
    } else {
        1
    }
}

impl Shadow {
    /// Removes from `unreachable` what is reachable, given reference counts; the collector's own algorithm.
    /// Returns false if some count went below zero.
    fn deduce(
        &self,
        col: &mut Collection,
        set: &mut Bits,
        stack: &mut Vec<u32>,
        count: impl Fn(&Object) -> u32,
    ) -> bool {
        let mut honest = true;
        col.gc_refs.clear();
        col.gc_refs.resize(self.objects.len(), 0);
        for index in set.iter() {
            col.gc_refs[index] += i64::from(count(&self.objects[index]));
            let facts = self.objects[index].facts;
            self.for_edges(&self.objects[index], |slot, edge| {
                let target = edge as usize - 1;
                if set.has(target) {
                    col.gc_refs[target] -= multiplicity(&facts, slot, Pass::Subtract);
                }
            });
        }
        stack.clear();
        for index in set.iter() {
            honest &= col.gc_refs[index] >= 0;
            if col.gc_refs[index] > 0 {
                stack.push(index as u32 + 1);
            }
        }
        while let Some(at) = stack.pop() {
            let index = at as usize - 1;
            if !set.has(index) {
                continue;
            }
            set.remove(index);
            let facts = self.objects[index].facts;
            self.for_edges(&self.objects[index], |slot, edge| {
                if set.has(edge as usize - 1) && multiplicity(&facts, slot, Pass::Walk) > 0 {
                    stack.push(edge);
                }
            });
        }
        honest
    }

    /// Computes the candidates and the unreachable set from the last snapshot, once per collection.
    pub(crate) fn ready_collection(&mut self) {
        if !self.col.active || self.col.ready || self.frames.len() != self.col.depth {
            return;
        }
        let mut col = std::mem::take(&mut self.col);
        let mut stack = std::mem::take(&mut self.stack);
        let size = self.objects.len();
        for set in [&mut col.candidates, &mut col.trash, &mut col.legacy, &mut col.garbage, &mut col.doomed] {
            set.reset(size);
        }
        col.ready = true;
        col.sound =
            !self.lost && !(self.incremental() && col.generation != 0 && (col.generation != 2 || col.automatic));
        col.exact = col.sound && !col.late && !self.traits.scripts_change_callbacks;
        for (index, object) in self.objects.iter_mut().enumerate() {
            let in_generation = match object.spot {
                Spot::Gen0 => true,
                Spot::Gen1 => col.generation >= 1,
                Spot::Gen2 => col.generation >= 2,
                _ => false,
            };
            object.status &= !Object::CLEARED_NOW;
            if col.late {
                object.status |= Object::MAYBE_TRASH;
            }
            object.unknown = i64::from(object.refcount) - i64::from(object.in_edges);
            if object.is(Object::GONE) || object.stamp != self.stamp || !in_generation {
                continue;
            }
            col.candidates.add(index);
            col.trash.add(index);
            if object.facts.is(Facts::LIES) {
                col.lied = true;
                if object.facts.fickle != 0 && object.is(Object::TRAVERSED) {
                    col.exact = false;
                    col.sound = false;
                }
                object.status |= Object::TRAVERSED;
            }
            if object.refcount < object.in_edges || object.is(Object::LOOSE) {
                col.exact = false;
                col.sound &= object.refcount >= object.in_edges;
            }
        }
        self.lied |= col.lied;
        for record in &mut self.weaks {
            record.live_at_start = record.live;
        }
        let mut trash = std::mem::take(&mut col.trash);
        if !self.deduce(&mut col, &mut trash, &mut stack, |o| o.refcount) {
            col.exact = false;
            col.sound &= col.lied;
        }
        col.found = trash.count() as u32;
        self.set_legacy_aside(&mut col, &mut trash, &mut stack);
        for index in col.candidates.iter() {
            let object = &mut self.objects[index];
            if trash.has(index) || col.legacy.has(index) {
                object.status |= Object::WAS_TRASH;
            } else if !col.exact {
                object.status |= Object::MAYBE_TRASH;
            }
        }
        col.trash = trash;
        self.stack = stack;
        let mut held = std::mem::take(&mut self.scratch);
        self.maybe_reachable(&mut held, Some(col.generation));
        for index in col.candidates.iter() {
            if !held.has(index) {
                col.garbage.add(index);
            }
        }
        if !col.garbage.is_empty() {
            col.blame = Some(leftovers(self, &held));
        }
        self.scratch = held;
        self.col = col;
    }

    fn set_legacy_aside(&self, col: &mut Collection, trash: &mut Bits, stack: &mut Vec<u32>) {
        stack.clear();
        for index in trash.iter() {
            let object = &self.objects[index];
            if self.is_legacy(object) {
                stack.push(index as u32 + 1);
            }
        }
        while let Some(at) = stack.pop() {
            let index = at as usize - 1;
            if !trash.has(index) {
                continue;
            }
            trash.remove(index);
            col.legacy.add(index);
            let facts = self.objects[index].facts;
            if facts.fickle != 0 {
                col.exact = false;
            }
            self.for_edges(&self.objects[index], |slot, edge| {
                if trash.has(edge as usize - 1) && multiplicity(&facts, slot, Pass::Subtract) > 0 {
                    stack.push(edge);
                }
            });
        }
    }

    /// Computes what of the trash is left to clear: alive and not resurrected. Done when the first object is cleared,
    /// or when the collection ends without. References held by the collector itself are not counted.
    pub(crate) fn settle_collection(&mut self) {
        self.ready_collection();
        if !self.col.active || !self.col.ready || self.col.settled {
            return;
        }
        let mut col = std::mem::take(&mut self.col);
        let mut stack = std::mem::take(&mut self.stack);
        col.settled = true;
        let mut doomed = std::mem::take(&mut col.doomed);
        doomed.reset(self.objects.len());
        for index in col.trash.iter() {
            let object = &self.objects[index];
            // What its own deallocator's finalizer has saved is tracked anew and has left the set.
            let left = col.scripts > 0 && object.stamp == self.stamp && object.spot != Spot::Collecting;
            if !object.is(Object::GONE) && !left {
                doomed.add(index);
                if col.scripts > 0 && (object.facts.fickle != 0 || object.is(Object::LOOSE)) {
                    col.exact = false;
                    col.sound = false;
                }
            }
        }
        if col.scripts > 0 && !doomed.is_empty() {
            self.deduce(&mut col, &mut doomed, &mut stack, |o| o.in_edges);
        }
        col.doomed = doomed;
        self.stack = stack;
        self.col = col;
    }

    /// Counts what the collection has left, once.
    pub(crate) fn close_collection(&mut self) {
        self.settle_collection();
        if !self.col.active || !self.col.settled || self.col.closed {
            return;
        }
        let gone = |index: &usize| self.objects[*index].is(Object::GONE);
        let freed = self.col.doomed.iter().filter(gone).count() as u32;
        let moved = |index: &usize| {
            let object = &self.objects[*index];
            self.col.scripts > 0 && object.stamp == self.stamp && object.spot != Spot::Collecting
        };
        let legacy_left = self.col.legacy.iter().filter(|index| !gone(index) && !moved(index)).count() as u32;
        self.col.closed = true;
        self.col.freed = freed;
        self.col.legacy_left = legacy_left;
    }
}
