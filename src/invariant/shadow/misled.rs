//! Which objects a type may have misled a collection, or a deallocator, about.
//!
//! A `traverse` that reports a reference twice, or not each time, makes the collector take what that reference leads to for
//! unreachable, with all that it reaches, and nothing else. Such objects are [misled](Object::MISLED) until the next
//! collection, and [spoilt](Object::SPOILT) from then on if they suffered from it. So does that of an object whose deallocator
//! runs while the collector still has it in a list. The action of a deallocator that saves what is being cleared spoils that,
//! and what a `tp_clear` that runs has not yet dropped of it; a weak reference that it makes to its own object outlives the
//! object's memory.

use super::Shadow;
use super::edge::NONE;
use super::facts::Facts;
use super::object::Object;
use super::object_set::ObjectSet;
use super::objects::Objects;
use crate::event::ObjId;
use crate::subject::Expectation;

impl Objects {
    /// An object is about to let go of what it owns: notes what its `traverse` tells untruths about.
    #[cold]
    pub(super) fn note_dying_lies(&mut self, index: usize) {
        let Objects { all, dying_lies, .. } = self;
        let object = &all[index];
        let slots = object.facts.doubled | object.facts.fickle;
        let lies = (0..4).filter(|slot| slots & 1 << slot != 0).map(|slot| object.slots[slot]);
        dying_lies.extend(lies.filter(|edge| *edge != NONE).map(|edge| (index as u32, edge)));
    }

    /// The untrue edges of objects whose deallocator runs, and which the collector may still have in a list: because of a
    /// flaw, or because the deallocator's action has tracked them.
    pub fn tracked_dying_lies(&self) -> impl Iterator<Item = u32> + '_ {
        let tracked = |owner: u32| {
            let object = &self.all[owner as usize];
            object.facts.is(Facts::KEEPS_TRACKED) || object.is(Object::ACTED)
        };
        self.dying_lies.iter().filter(move |(owner, _)| tracked(*owner)).map(|(_, edge)| *edge)
    }
}

impl Shadow {
    /// True if a type may have misled about the object the collection that runs, or ran last, or an earlier one that it
    /// suffered from.
    pub(crate) fn is_misled(&self, object: Option<ObjId>) -> bool {
        object.and_then(|o| self.get(o)).is_some_and(|o| o.is(Object::MISLED | Object::SPOILT))
    }

    /// True if it may have misled about one of these.
    pub(crate) fn is_any_misled(&self, objects: &ObjectSet) -> bool {
        let misled = |index: usize| self.objects.all[index].is(Object::MISLED | Object::SPOILT);
        (self.objects.some_misled || self.objects.some_spoilt) && objects.iter().any(misled)
    }

    /// A collection looks at its candidates: nobody has been misled about anything yet.
    pub(super) fn forget_misled(&mut self) {
        if self.objects.some_misled {
            self.objects.some_misled = false;
            self.objects.all.iter_mut().for_each(|object| object.status &= !Object::MISLED);
        }
    }

    /// A candidate's type does not tell the truth: marks what its lies lead to.
    #[cold]
    pub(super) fn note_misled(&mut self) {
        // Where one saved object keeps all that was found, one that only seems to be saved does too.
        let whole = self.expectations.holds(Expectation::IsolateSaved);
        for at in 0..self.objects.dying_lies.len() {
            let Some(edge) = self.objects.tracked_dying_lies().nth(at) else { break };
            self.mark_reached(edge, Object::MISLED);
            if whole {
                return self.mislead_all();
            }
        }
        for index in 0..self.objects.all.len() {
            let object = self.objects.all[index];
            let lies = object.facts.doubled | object.facts.fickle;
            if !object.facts.is(Facts::LIES) || !self.collection.unreachable().candidates.has(index) {
                continue;
            }
            let mut some = false;
            for slot in (0..4).filter(|slot| lies & 1 << slot != 0) {
                some |= object.slots[slot] != NONE;
                self.mark_reached(object.slots[slot], Object::MISLED);
            }
            if whole && some {
                return self.mislead_all();
            }
        }
    }

    /// Marks every candidate.
    fn mislead_all(&mut self) {
        let Shadow { objects, collection, .. } = self;
        let candidates = &collection.unreachable().candidates;
        candidates.iter().for_each(|index| objects.all[index].status |= Object::MISLED);
        objects.some_misled = true;
    }

    /// Marks an object and what it reaches.
    pub(super) fn mark_reached(&mut self, edge: u32, status: u16) {
        if self.at(edge).is_none() {
            return;
        }
        self.follow(edge);
        let Shadow { objects, reach, .. } = self;
        reach.found().iter().for_each(|index| objects.all[index].status |= status);
        objects.some_misled |= status & Object::MISLED != 0;
        objects.some_spoilt |= status & Object::SPOILT != 0;
    }

    /// If the object that is being cleared has been spoilt, so is what it held: some of that it still has.
    pub(super) fn spoil_half_cleared(&mut self) {
        let (cleared, held) = self.objects.cleared_last;
        if self.at(cleared).is_some_and(|o| o.is(Object::SPOILT)) {
            held.into_iter().for_each(|edge| self.mark_reached(edge, Object::SPOILT));
        }
    }

    /// An object has suffered from what a type did.
    pub(super) fn spoil(&mut self, index: usize) {
        self.objects.all[index].status |= Object::SPOILT;
        self.objects.some_spoilt = true;
    }

    /// A collection has ended: what it has cleared and could not free because of a type is not whole any more.
    pub(super) fn spoil_survivors(&mut self) {
        let Shadow { objects, causes, .. } = self;
        for index in objects.cleared.iter() {
            let o = &mut objects.all[index];
            if o.is(Object::CLEARED_NOW) && o.lives() && causes.of(index) != super::Fault::Collector {
                o.status |= Object::SPOILT;
                objects.some_spoilt = true;
            }
        }
    }
}
