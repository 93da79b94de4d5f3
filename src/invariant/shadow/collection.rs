//! The collection that runs: its candidates, its unreachable set, and what it leaves to clear.

use super::super::fault::{Fault, leftovers};
use super::reach::{Graph, bit};
use super::subtract_references::{Pass, Sums};
use super::{Facts, NONE, Object, ObjectSet, Shadow};
use crate::event::Spot;
use crate::subject::Choice;

/// Facts about the collection that runs, or ran last.
#[derive(Debug, Default)]
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
    /// It was because something died after one of these, which need not have been the last of them.
    pub early: bool,
    /// The computed sets are the collector's own.
    pub exact: bool,
    /// Every object in the computed sets is in the collector's.
    pub sound: bool,
    pub candidates: ObjectSet,
    /// Some of them have other numbers of references than are known.
    pub uneven: bool,
    /// Found unreachable and not set aside as uncollectable.
    pub trash: ObjectSet,
    /// Members of `trash` with a finalizer, in ascending order.
    pub finalizable: Vec<u32>,
    /// How many were found unreachable, uncollectable ones included.
    pub found: u32,
    /// Unreachable and set aside because of legacy finalizers.
    pub legacy: ObjectSet,
    /// Candidates that nothing reaches, whatever the collector could see; see [`Shadow::ready_collection`].
    pub garbage: ObjectSet,
    /// What explains that some of it survives.
    pub blame: Option<Fault>,
    /// What is left of `trash` when clearing starts, once `settled`.
    pub doomed: ObjectSet,
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
    pub type_misled: bool,
    pub(super) sums: Sums,
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
        self.early = false;
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
        self.type_misled = false;
        self.uneven = false;
        self.make_room(0);
    }

    /// Marks the candidates outside the trash if the sets may not be the collector's own.
    #[inline]
    fn mark_uncertain(&self, objects: &mut [Object]) {
        if self.exact {
            return;
        }
        for index in self.candidates.iter().filter(|i| !self.trash.has(*i) && !self.legacy.has(*i)) {
            objects[index].status |= Object::MAYBE_TRASH;
        }
    }

    /// Empties the sets.
    fn make_room(&mut self, size: usize) {
        for set in [&mut self.candidates, &mut self.trash, &mut self.legacy, &mut self.garbage, &mut self.doomed] {
            set.reset(size);
        }
        self.finalizable.clear();
    }

    /// The object is in the collector's unreachable set, surely.
    #[inline]
    pub fn is_trash(&self, index: usize) -> bool {
        self.active && self.ready && self.sound && self.trash.has(index)
    }
}

/// Who holds the candidates of a collection.
struct Holders {
    /// Each candidate reports each of its edges once, and has all the references that are known of.
    known: bool,
    /// The others are of older generations. What the collector's own way leaves can surely be reached then.
    rooted: bool,
    /// Some of the candidates have holders that cannot be known from events.
    doubtful: bool,
    /// In a small run: the others, and the candidates with more references than the known ones.
    outside: u64,
}

impl Shadow {
    /// Computes the candidates and the unreachable set from the last snapshot, once per collection.
    #[inline]
    pub(crate) fn ready_collection(&mut self) {
        if self.col.active && !self.col.ready && self.frames.len() == self.col.depth {
            self.find_trash();
        }
    }

    /// The same when an object dies. After an entry of `gc.callbacks` that may still be its doing, and before the
    /// collector has looked.
    #[inline]
    pub(crate) fn ready_by_death(&mut self) {
        if self.col.active && !self.col.ready && self.frames.len() == self.col.depth {
            self.col.early = self.col.late;
            self.find_trash();
        }
    }

    fn find_trash(&mut self) {
        let holders = self.find_candidates();
        let small = self.is_small();
        let quick = small && holders.known && !self.traits.finalizes;
        if quick {
            self.find_unreached(holders.outside);
            if holders.rooted && self.col.trash.is_empty() {
                self.col.mark_uncertain(&mut self.objects);
                return;
            }
        } else {
            let Shadow { objects, overflow, col, stack, .. } = self;
            col.trash.copy_from(&col.candidates);
            let graph = Graph { objects, overflow };
            if !graph.deduce(small, &mut col.sums, &mut col.trash, stack, |o| o.refcount) {
                col.exact = false;
                col.sound &= col.type_misled;
            }
        }
        for record in &mut self.weaks {
            record.live_at_start = record.live;
        }
        self.find_garbage(quick && holders.rooted && !holders.doubtful);
        self.col.found = self.col.trash.count() as u32;
        if self.some_legacy && self.col.found > 0 {
            self.set_legacy_aside();
        }
        let Shadow { objects, col, .. } = self;
        for index in col.trash.iter() {
            objects[index].status |= Object::WAS_TRASH;
            if objects[index].facts.is(Facts::FINALIZER) {
                col.finalizable.push(index as u32);
            }
        }
        for index in col.legacy.iter() {
            objects[index].status |= Object::WAS_TRASH;
        }
        col.mark_uncertain(objects);
    }

    /// Finds the candidates that nothing can reach, and who is to blame if they survive. If the trash was `surely` found
    /// by what is reached from outside, and nothing but the known holders holds anything, it is the same.
    fn find_garbage(&mut self, surely: bool) {
        if surely && self.frames.is_empty() && self.iter_arg == NONE && self.garbage.is_empty() && !self.zero {
            self.col.garbage.copy_from(&self.col.trash);
        } else {
            self.maybe_reachable(Some(self.col.generation));
            self.col.garbage.difference(&self.col.candidates, &self.scratch);
        }
        if !self.col.garbage.is_empty() {
            self.col.blame = Some(leftovers(self, &self.scratch));
        }
    }

    fn find_candidates(&mut self) -> Holders {
        let even = self.is_still_even();
        let size = self.objects.len();
        let generation = self.col.generation;
        if size > 64 {
            // Fewer always have room.
            self.col.make_room(size);
        }
        let sound = !self.stream_unclear
            && !(generation != 0
                && (generation != 2 || self.col.automatic)
                && self.expectations.is(Choice::INCREMENTAL));
        let Shadow { objects, col, present, stamp, .. } = self;
        let stamp = *stamp;
        col.ready = true;
        col.sound = sound;
        col.exact = sound && !col.late && !self.traits.scripts_change_callbacks;
        for index in self.insane.iter() {
            objects[index].status &= !Object::CLEARED_NOW;
        }
        if col.late {
            objects.iter_mut().for_each(|object| object.status |= Object::MAYBE_TRASH);
        }
        let mut holders = Holders { known: true, rooted: true, doubtful: false, outside: 0 };
        let plain = even && !self.some_unfaithful;
        let oldest = generation.min(Spot::Gen2 as u8);
        let (mut candidates, mut outside, mut rooted) = (0, 0, true);
        present.each(|index| {
            let object = &mut objects[index];
            if object.stamp != stamp || object.is(Object::GONE) || object.spot as u8 > oldest {
                let older = object.stamp == stamp && object.spot as u8 <= Spot::Permanent as u8;
                rooted &= older || object.is(Object::GONE);
                outside |= bit(index as u32);
                return;
            }
            if index < 64 {
                candidates |= bit(index as u32);
            } else {
                col.candidates.add(index);
            }
            if plain {
                return;
            }
            let unknown = object.refcount.wrapping_sub(object.in_edges);
            object.unknown = unknown;
            if unknown != 0 {
                col.uneven = true;
                outside |= if object.refcount > object.in_edges { bit(index as u32) } else { 0 };
            }
            if object.refcount >= object.in_edges
                && !object.is(Object::UNKNOWN_HOLDERS)
                && !object.facts.is(Facts::UNFAITHFUL)
            {
                return;
            }
            holders.doubtful |= object.is(Object::UNKNOWN_HOLDERS);
            holders.known &= object.refcount >= object.in_edges && !object.facts.is(Facts::UNFAITHFUL);
            if object.facts.is(Facts::LIES) {
                col.type_misled = true;
                if object.facts.fickle != 0 && object.is(Object::TRAVERSED) {
                    col.exact = false;
                    col.sound = false;
                }
                object.status |= Object::TRAVERSED;
            }
            if object.refcount < object.in_edges || object.is(Object::UNKNOWN_HOLDERS) {
                col.exact = false;
                col.sound &= object.refcount >= object.in_edges;
            }
        });
        col.candidates.put_word(candidates);
        (holders.outside, holders.rooted) = (outside, rooted);
        self.type_misled |= col.type_misled;
        holders
    }

    /// In a small run with known holders: finds the trash by what is reached from outside, which is the same as the
    /// collector's own way then: a count that is left over is a reference from outside.
    fn find_unreached(&mut self, outside: u64) {
        let reached = self.reached_from(outside);
        self.scratch.set_word(reached);
        self.col.trash.set_word(self.col.candidates.word() & !reached);
    }

    #[cold]
    fn set_legacy_aside(&mut self) {
        let mut stack = std::mem::take(&mut self.stack);
        let (mut trash, mut legacy) = (std::mem::take(&mut self.col.trash), std::mem::take(&mut self.col.legacy));
        let mut exact = self.col.exact;
        stack.clear();
        stack.extend(trash.iter().filter(|i| self.is_legacy(&self.objects[*i])).map(|i| i as u32 + 1));
        while let Some(at) = stack.pop() {
            let index = at as usize - 1;
            if !trash.has(index) {
                continue;
            }
            trash.remove(index);
            legacy.add(index);
            let facts = &self.objects[index].facts;
            exact &= facts.fickle == 0;
            self.graph().for_visible(&self.objects[index], Pass::Subtract, |edge| {
                if trash.has(edge as usize - 1) {
                    stack.push(edge);
                }
            });
        }
        (self.col.trash, self.col.legacy, self.col.exact, self.stack) = (trash, legacy, exact, stack);
    }

    /// Computes what of the trash is left to clear: alive and not resurrected. Done when the first object is cleared,
    /// or when the collection ends without. References held by the collector itself are not counted.
    #[inline]
    pub(crate) fn settle_collection(&mut self) {
        if self.col.active && !self.col.settled {
            self.settle_now();
        }
    }

    fn settle_now(&mut self) {
        self.ready_collection();
        if self.col.ready {
            self.col.settled = true;
            if !self.col.trash.is_empty() {
                self.find_doomed();
            }
        }
    }

    fn find_doomed(&mut self) {
        let small = self.is_small();
        let Shadow { objects, overflow, col, stack, .. } = self;
        col.doomed.reset(objects.len());
        for index in col.trash.iter() {
            let object = &objects[index];
            // What its own deallocator's finalizer has saved is tracked anew and has left the set.
            let left = col.scripts > 0 && object.stamp == self.stamp && object.spot != Spot::Collecting;
            if !object.is(Object::GONE) && !left {
                col.doomed.add(index);
                if col.scripts > 0 && (object.facts.fickle != 0 || object.is(Object::UNKNOWN_HOLDERS)) {
                    col.exact = false;
                    col.sound = false;
                }
            }
        }
        if col.scripts > 0 && !col.doomed.is_empty() {
            let graph = Graph { objects, overflow };
            graph.deduce(small, &mut col.sums, &mut col.doomed, stack, |o| o.in_edges);
        }
    }

    /// Counts what the collection has left, once.
    pub(crate) fn close_collection(&mut self) {
        self.settle_collection();
        if !self.col.active || !self.col.settled || self.col.closed {
            return;
        }
        let gone = |index: &usize| self.objects[*index].is(Object::GONE);
        let moved = |index: &usize| {
            let object = &self.objects[*index];
            self.col.scripts > 0 && object.stamp == self.stamp && object.spot != Spot::Collecting
        };
        self.col.freed = self.col.doomed.iter().filter(gone).count() as u32;
        self.col.legacy_left = self.col.legacy.iter().filter(|index| !gone(index) && !moved(index)).count() as u32;
        self.col.closed = true;
    }
}
