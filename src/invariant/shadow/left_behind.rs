//! What a repeated scenario has left behind when everything has been dropped and collected, and who is to blame.

use super::Shadow;
use super::causes::Fault;
use super::edge::NONE;
use super::object::Object;
use super::object_set::ObjectSet;
use crate::event::{Role, Spot};
use crate::subject::Expectation;

/// Why an object is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reason {
    /// The scenario's own code holds it.
    User,
    /// Somebody is to blame.
    Fault(Fault),
}

impl Shadow {
    /// Who is to blame for the objects with numbers in the range that the last snapshot shows and that the scenario's own
    /// code does not hold. Nothing if there is none.
    pub(crate) fn left_behind(&mut self, created: std::ops::Range<u32>) -> Option<Fault> {
        let reasons = self.reasons();
        let mut found = None;
        for index in self.objects.present.iter().filter(|index| created.contains(&(*index as u32))) {
            if self.objects.all[index].is(Object::GONE) {
                continue;
            }
            match reasons[index] {
                Reason::User => {}
                Reason::Fault(Fault::Collector) => return Some(Fault::Collector),
                Reason::Fault(Fault::Unclear) => found = Some(Fault::Unclear),
                Reason::Fault(fault) => found = found.or(Some(fault)),
            }
        }
        found
    }

    /// Why each object is there.
    fn reasons(&mut self) -> Vec<Reason> {
        self.reach_by_user();
        self.find_causes();
        let causes = &self.causes;
        let of = |index| if self.reach.found().has(index) { Reason::User } else { Reason::Fault(causes.of(index)) };
        let mut reasons: Vec<Reason> = (0..self.objects.all.len()).map(of).collect();
        let owns = self.excused(Expectation::FinalizeOwns);
        // A `finalize` stays, and what it holds, as long as its object does: that may be why another object does.
        for _ in 0..=self.objects.all.len() {
            let mut more = false;
            for index in 0..self.objects.all.len() {
                let object = self.objects.all[index];
                if !object.facts.shape.is_finalize() || object.slots[0] == NONE || !object.lives() {
                    continue;
                }
                let referent = (self.waits_for(&object) as usize).wrapping_sub(1);
                let Some(mut reason) = reasons.get(referent).copied() else { continue };
                if reason == Reason::Fault(Fault::Collector) && self.holds_by_finalizes(index, referent) {
                    reason = owns;
                }
                self.follow(index as u32 + 1);
                more |= self.spread(&mut reasons, reason);
            }
            if !more {
                break;
            }
        }
        reasons
    }

    /// True if a `finalize` holds an object, by itself or by others that wait for what it holds.
    fn holds_by_finalizes(&mut self, finalize: usize, object: usize) -> bool {
        let mut followed = vec![finalize];
        let mut next = 0;
        while let Some(index) = followed.get(next).copied() {
            next += 1;
            self.follow(index as u32 + 1);
            if self.reach.found().has(object) {
                return true;
            }
            for other in 0..self.objects.all.len() {
                let waits = self.objects.all[other];
                if waits.facts.shape.is_finalize() && waits.lives() && !followed.contains(&other) {
                    let referent = (self.waits_for(&waits) as usize).wrapping_sub(1);
                    if self.reach.found().has(referent) {
                        followed.push(other);
                    }
                }
            }
        }
        false
    }

    fn excused(&self, why: Expectation) -> Reason {
        Reason::Fault(if self.expectations.holds(why) { Fault::Documented(why) } else { Fault::Collector })
    }

    /// Gives this reason to what the last walk has found and has none. True if that changes something.
    fn spread(&self, reasons: &mut [Reason], reason: Reason) -> bool {
        let none = Reason::Fault(Fault::Collector);
        let mut more = false;
        for index in self.reach.found().iter().filter(|_| reason != none) {
            if reasons[index] == none {
                reasons[index] = reason;
                more = true;
            }
        }
        more
    }

    /// Who is to blame for references that no known holder explains, nor an entry of `gc.callbacks` that a script may have
    /// added, as the last snapshot shows them. Nothing if there are none.
    pub(crate) fn references_left_behind(&self) -> Option<Fault> {
        let mut found = None;
        for index in self.objects.present.iter() {
            let object = &self.objects.all[index];
            let known = object.in_edges + self.roots.times_listed(index);
            let listed = object.is(Object::MAYBE_LISTED);
            if object.is(Object::GONE) || !self.snapshot.shows(object) || object.refcount <= known || listed {
                continue;
            }
            if !object.is(Object::UNKNOWN_HOLDERS) {
                return Some(Fault::Collector);
            }
            found = Some(Fault::Unclear);
        }
        found
    }

    /// What the scenario's own code holds: what variables and `gc.callbacks` reach, what it has frozen, and what it has made,
    /// or saved, in the last collection or since. The result is [`Reachability::found`](super::Reachability).
    fn reach_by_user(&mut self) {
        let made: Vec<u32> =
            (0..self.objects.all.len()).filter(|i| self.is_held_by_user(*i)).map(|i| i as u32 + 1).collect();
        let Shadow { objects, reach, roots, .. } = self;
        let mut found = ObjectSet::default();
        found.reset(objects.all.len());
        let stack = reach.stack();
        stack.clear();
        stack.extend(roots.globals());
        stack.extend(made);
        objects.graph().flood(&mut found, stack);
        reach.set_found_to(&found);
    }

    /// An object that is there though nothing known holds it, because of what user code has done: each round starts with
    /// none of it, so that code which ran later has done it again.
    fn is_held_by_user(&self, index: usize) -> bool {
        let object = &self.objects.all[index];
        let c = &self.collection;
        let code_ran = c.scripts() > 0 && !mutant!(MadeByCodeLeaks);
        // No collection has looked at what was made while the last one ran.
        let made = code_ran && index >= c.existed();
        let saved = c.has_finalized() && {
            let (trash, doomed) = (c.unreachable().trash(), c.unreachable().doomed());
            trash.has(index) && !doomed.has(index)
        };
        let listed = object.is(Object::MAYBE_LISTED) && object.refcount > object.in_edges;
        let kept = object.is(Object::SAVED_ALL) && self.roots.times_listed(index) > 0;
        object.lives() && (made || saved || listed || kept || object.spot == Spot::Permanent)
    }

    /// The object that a `finalize` waits for.
    fn waits_for(&self, finalize: &Object) -> u32 {
        let is_ref = |edge: &u32| self.at(*edge).is_some_and(|o| o.facts.role == Role::FinalizeRef);
        let edge = finalize.slots.into_iter().find(is_ref).and_then(super::unpack);
        edge.and_then(|weak| self.weak(weak)).map_or(NONE, |record| record.referent)
    }
}
