//! Computes what a collection finds unreachable, from the last snapshot before it could have found anything, and what of it
//! is left to clear when it begins to.
//!
//! Candidates are what the snapshot has in the lists of the generations that are collected. What of them is unreachable is
//! deduced as the collector does, from the counts of the snapshot and from what types report; or, where all is known and no
//! type lies, from what the rest of the heap reaches, which is the same. Where events leave something open, the sets say
//! that they are not exact, or not sound.

use super::causes::Heap;
use super::edge::NONE;
use super::facts::Facts;
use super::graph::bit;
use super::object::Object;
use super::subtract_references::Pass;
use super::{Shadow, Trait};
use crate::event::Spot;
use crate::subject::Choice;

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
    /// In a small run, if every object is known to have the references that are known of, and no others: those that are
    /// in the lists of older generations.
    older: Option<u64>,
}

impl Shadow {
    /// Computes the candidates and the unreachable set from the last snapshot, once per collection.
    #[inline]
    pub(super) fn ready_collection(&mut self) {
        if self.is_about_to_find() {
            self.find_trash();
        }
    }

    /// The same when an object dies. True if they were not known before.
    #[inline]
    pub(super) fn ready_by_death(&mut self) -> bool {
        let finds = self.is_about_to_find();
        if finds {
            self.collection.note_early();
            self.find_trash();
        }
        finds
    }

    /// A collection runs that has found nothing yet, and no user code in it.
    #[inline]
    fn is_about_to_find(&self) -> bool {
        let c = &self.collection;
        c.runs() && !c.unreachable().ready && self.user_code.frames().len() == c.depth()
    }

    fn find_trash(&mut self) {
        let holders = self.find_candidates();
        let small = self.objects.is_small();
        let quick = small && holders.known && !self.program.has(Trait::Finalizes);
        if quick {
            self.find_unreached(holders.outside);
            if holders.rooted && self.collection.unreachable().trash.is_empty() {
                return;
            }
        } else {
            let Shadow { objects, collection, reach, .. } = self;
            let u = collection.unreachable_mut();
            u.trash.copy_from(&u.candidates);
            if !objects.graph().deduce(small, &mut u.sums, &mut u.trash, reach.stack(), |o| o.refcount) {
                u.exact = false;
                u.sound &= u.type_misled;
            }
        }
        self.weakrefs.note_live();
        self.find_garbage(quick && holders.rooted && !holders.doubtful, holders.older.filter(|_| small));
        let u = self.collection.unreachable_mut();
        u.found = u.trash.count() as u32;
        if self.objects.some_legacy && u.found > 0 {
            self.set_legacy_aside();
        }
        let Shadow { objects, collection, .. } = self;
        let u = collection.unreachable_mut();
        for index in u.trash.iter() {
            let object = &objects.all[index];
            if object.facts.is(Facts::FINALIZER) {
                u.finalizable.push(index as u32);
            }
        }
    }

    /// Finds the candidates that nothing can reach, and who is to blame if they survive. If the trash was `surely` found
    /// by what is reached from outside, and nothing but the known holders holds anything, it is the same. If all
    /// references are known, what else may be reachable is so from what is `older`.
    fn find_garbage(&mut self, surely: bool, older: Option<u64>) {
        let roots = &self.roots;
        let held = roots.iter_arg() != NONE || !roots.garbage().is_empty() || self.snapshot.shows_zero();
        if surely && self.user_code.is_idle() && !held {
            let u = self.collection.unreachable_mut();
            u.garbage.copy_from(&u.trash);
        } else {
            match older {
                Some(older) => self.maybe_reached_from(older),
                None => self.maybe_reachable(Some(self.collection.generation())),
            }
            let u = self.collection.unreachable_mut();
            u.garbage.difference(&u.candidates, self.reach.found());
        }
        if !self.collection.unreachable().garbage.is_empty() {
            let Shadow { collection, objects, reach, expectations, .. } = self;
            collection.unreachable_mut().causes.look(Heap { objects, reach, expectations });
        }
    }

    fn find_candidates(&mut self) -> Holders {
        let even = self.is_still_even();
        self.forget_misled();
        let c = &self.collection;
        let generation = c.generation();
        let part = generation != 0 && (generation != 2 || c.is_automatic());
        let unclear = self.confidence.is_stream_unclear() || part && self.expectations.is(Choice::INCREMENTAL);
        let sound = !unclear;
        let late = c.is_late();
        let Shadow { objects, collection, snapshot, .. } = self;
        let u = collection.unreachable_mut();
        if objects.all.len() > 64 {
            // Fewer always have room.
            u.make_room(objects.all.len());
        }
        u.ready = true;
        u.sound = sound;
        u.exact = sound && !late;
        objects.forget_cleared_now();
        objects.forget_last_collection();
        let mut holders = Holders { known: true, rooted: true, doubtful: false, outside: 0, older: None };
        let plain = even && !objects.some_unfaithful;
        let oldest = generation.min(Spot::Gen2 as u8);
        let (stamp, all) = (snapshot.stamp(), &mut objects.all);
        let (mut candidates, mut outside, mut rooted, mut listed) = (0, 0, true, 0);
        objects.present.each(|index| {
            let object = &mut all[index];
            if object.stamp != stamp || object.is(Object::GONE) || object.spot as u8 > oldest {
                let older = object.stamp == stamp && object.spot as u8 <= Spot::Permanent as u8;
                rooted &= older || object.is(Object::GONE);
                outside |= bit(index as u32);
                listed |= if older { bit(index as u32) } else { 0 };
                return;
            }
            if index < 64 {
                candidates |= bit(index as u32);
            } else {
                u.candidates.add(index);
            }
            if plain {
                return;
            }
            let unknown = object.refcount.wrapping_sub(object.in_edges);
            object.unknown = unknown;
            if unknown != 0 {
                u.uneven = true;
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
                u.type_misled = true;
                if object.facts.fickle != 0 && object.is(Object::TRAVERSED) {
                    u.exact = false;
                    u.sound = false;
                }
                object.status |= Object::TRAVERSED;
            }
            if object.refcount < object.in_edges || object.is(Object::UNKNOWN_HOLDERS) {
                u.exact = false;
                u.sound &= object.refcount >= object.in_edges;
            }
        });
        u.candidates.put_word(candidates);
        (holders.outside, holders.rooted) = (outside, rooted);
        holders.older = even.then_some(listed);
        u.type_misled |= objects.some_unfaithful && objects.tracked_dying_lies().next().is_some();
        if u.type_misled {
            self.note_misled();
        }
        holders
    }

    /// In a small run with known holders: finds the trash by what is reached from outside, which is the same as the
    /// collector's own way then: a count that is left over is a reference from outside.
    fn find_unreached(&mut self, outside: u64) {
        let reached = self.reached_from(outside);
        self.reach.set_found(reached);
        let u = self.collection.unreachable_mut();
        u.trash.set_word(u.candidates.word() & !reached);
    }

    #[cold]
    fn set_legacy_aside(&mut self) {
        let mut stack = std::mem::take(self.reach.stack());
        let u = self.collection.unreachable_mut();
        let (mut trash, mut legacy) = (std::mem::take(&mut u.trash), std::mem::take(&mut u.legacy));
        let mut exact = u.exact;
        stack.clear();
        stack.extend(trash.iter().filter(|i| self.is_legacy(&self.objects.all[*i])).map(|i| i as u32 + 1));
        while let Some(at) = stack.pop() {
            let index = at as usize - 1;
            if !trash.has(index) {
                continue;
            }
            trash.remove(index);
            legacy.add(index);
            let object = &self.objects.all[index];
            exact &= object.facts.fickle == 0;
            self.objects.graph().for_visible(object, Pass::Subtract, |edge| {
                if !mutant!(LegacyReachesNothing) && trash.has(edge as usize - 1) {
                    stack.push(edge);
                }
            });
        }
        *self.reach.stack() = stack;
        let u = self.collection.unreachable_mut();
        (u.trash, u.legacy, u.exact) = (trash, legacy, exact);
    }

    /// Computes what of the trash is left to clear: alive and not resurrected. Done when the first object is cleared,
    /// or when the collection ends without. References held by the collector itself are not counted.
    #[inline]
    pub(crate) fn settle_collection(&mut self) {
        if self.collection.runs() && !self.collection.unreachable().settled {
            self.settle_now();
        }
    }

    fn settle_now(&mut self) {
        self.ready_collection();
        let u = self.collection.unreachable_mut();
        if u.ready {
            u.settled = true;
            if !u.trash.is_empty() {
                self.find_doomed();
            }
        }
    }

    fn find_doomed(&mut self) {
        // Finalizers may have stored where a type does not tell the truth, and the collector asks it again.
        if self.collection.scripts() > 0 && self.collection.unreachable().type_misled {
            self.note_misled();
        }
        let (small, scripts) = (self.objects.is_small(), self.collection.scripts());
        let Shadow { objects, collection, reach, snapshot, .. } = self;
        let u = collection.unreachable_mut();
        u.doomed.reset(objects.all.len());
        for index in u.trash.iter() {
            let object = &objects.all[index];
            // What its own deallocator's finalizer has saved is tracked anew and has left the set.
            let left = scripts > 0
                && !mutant!(SavedByItsDeallocatorDoomed)
                && snapshot.shows(object)
                && object.spot != Spot::Collecting;
            if !object.is(Object::GONE) && !left {
                u.doomed.add(index);
                let unknown = object.is(Object::UNKNOWN_HOLDERS | Object::MAYBE_LISTED);
                if scripts > 0 && (object.facts.fickle != 0 || unknown) {
                    u.exact = false;
                    u.sound = false;
                }
            }
        }
        if scripts > 0 && !u.doomed.is_empty() && !mutant!(NothingIsResurrected) {
            objects.graph().deduce(small, &mut u.sums, &mut u.doomed, reach.stack(), |o| o.in_edges);
        }
    }

    /// Counts what the collection has left, once.
    pub(super) fn close_collection(&mut self) {
        self.settle_collection();
        let scripts = self.collection.scripts();
        let runs = self.collection.runs();
        let Shadow { objects, collection, snapshot, .. } = self;
        let u = collection.unreachable_mut();
        if !runs || !u.settled || u.closed {
            return;
        }
        let gone = |index: &usize| objects.all[*index].is(Object::GONE);
        let moved = |index: &usize| {
            let object = &objects.all[*index];
            scripts > 0 && snapshot.shows(object) && object.spot != Spot::Collecting
        };
        u.freed = u.doomed.iter().filter(gone).count() as u32;
        u.legacy_left = u.legacy.iter().filter(|index| !gone(index) && !moved(index)).count() as u32;
        u.closed = true;
    }
}
