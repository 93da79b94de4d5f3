//! The heap at one moment of a run: taken over from the model where its inside is known, else read on, event by event.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Event, ObjId, Spot};
use crate::explain::{HeapPicture, Place};
use crate::model::heap::From;

/// Which part of its holder a reference is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    /// A slot, item or attribute.
    Slot(u8),
    /// A key of a dict that is an object.
    Key,
    /// The value of such a key.
    Value,
    /// The callback of a weak reference.
    Callback,
    /// What a weak reference refers to: not counted.
    Referent,
}

/// A reference from an object to another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Link {
    /// The holder.
    pub from: ObjId,
    /// Which part of it.
    pub part: Part,
    /// What is referred to.
    pub to: ObjId,
}

/// How far the life of an object has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Life {
    /// It lives.
    Alive,
    /// Its deallocation has become final.
    Dying,
    /// Its memory has been released.
    Dead,
}

/// One object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ObjectState {
    /// Its reference count.
    pub refs: u32,
    /// Where the collector has it, in a few words.
    pub place: &'static str,
    /// The finalized bit.
    pub finalized: bool,
    /// `tp_clear` has run.
    pub cleared: bool,
    /// Alive or not.
    pub life: Life,
}

/// The heap.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HeapState {
    /// Every object that was ever created.
    pub objects: BTreeMap<ObjId, ObjectState>,
    /// The references, each with how often `traverse` reports it.
    pub links: BTreeMap<Link, u32>,
    /// The weak references, whether they answer or not.
    pub weakrefs: BTreeSet<ObjId>,
    /// The weak references that were made to an object.
    watchers: BTreeMap<ObjId, Vec<ObjId>>,
    /// The variables that hold something.
    pub vars: BTreeMap<u16, ObjId>,
    /// `gc.garbage`.
    pub garbage: Vec<ObjId>,
    /// `gc.callbacks`.
    pub callbacks: Vec<ObjId>,
}

impl HeapState {
    /// Takes over what a picture of the model shows.
    pub fn show(&mut self, picture: &HeapPicture) {
        self.links.clear();
        for (id, object) in &mut self.objects {
            if picture.place(*id).is_none() {
                (object.life, object.refs) = (Life::Dead, 0);
            }
        }
        for seen in &picture.objects {
            let life = self.objects.get(&seen.id).map_or(Life::Alive, |object| object.life);
            let state = ObjectState {
                refs: seen.refcount,
                place: match seen.place {
                    Place::List(name) => name,
                    Place::Untracked => "untracked",
                    Place::NoHeader => "no GC header",
                },
                finalized: seen.finalized,
                cleared: seen.cleared,
                life,
            };
            self.objects.insert(seen.id, state);
            for edge in &seen.references {
                let part = match edge.from {
                    From::Slot(slot) => Part::Slot(slot),
                    From::Key => Part::Key,
                    From::Value => Part::Value,
                    From::Callback => Part::Callback,
                };
                *self.links.entry(Link { from: seen.id, part, to: edge.to }).or_default() += edge.reported;
            }
            if let Some(to) = seen.referent {
                self.links.insert(Link { from: seen.id, part: Part::Referent, to }, 0);
            }
        }
        let held = picture.vars.iter().enumerate().filter_map(|(var, held)| Some((var as u16, (*held)?)));
        self.vars = held.collect();
        self.garbage.clone_from(&picture.garbage);
        self.callbacks.clone_from(&picture.callbacks);
    }

    /// Reads on by one event. If the heap after the step that the event is part of is known, what the event only implies (the
    /// slots that `tp_clear` and a deallocator drop) is left to that.
    pub fn apply(&mut self, event: &Event, is_known: bool) {
        match *event {
            Event::New { object, .. } => {
                let (life, place) = (Life::Alive, "");
                let state = ObjectState { refs: 0, place, finalized: false, cleared: false, life };
                self.objects.insert(object, state);
            }
            Event::NewWeak { weak, referent, callback } => {
                self.weakrefs.insert(weak);
                self.watchers.entry(referent).or_default().push(weak);
                self.links.insert(Link { from: weak, part: Part::Referent, to: referent }, 0);
                if let Some(to) = callback {
                    self.link(Link { from: weak, part: Part::Callback, to });
                }
            }
            Event::StoreVar { var, object } => {
                let old = match object {
                    Some(object) => self.vars.insert(var, object),
                    None => self.vars.remove(&var),
                };
                self.count(object, 1);
                self.count(old, -1);
            }
            Event::StoreSlot { holder, slot, object } => {
                let is_it = |link: &Link| match link.part {
                    Part::Slot(old) => slot == 0xff || old == slot,
                    _ => false,
                };
                if let Some(to) = object {
                    self.count(Some(to), 1);
                }
                self.unlink(holder, is_it);
                if let Some(to) = object {
                    self.links.insert(Link { from: holder, part: Part::Slot(slot), to }, 1);
                }
            }
            Event::Clear { object } => {
                if let Some(state) = self.objects.get_mut(&object) {
                    state.cleared = true;
                }
                if !is_known {
                    self.unlink(object, |_| true);
                }
            }
            Event::Dealloc { object } => {
                self.live(object, Life::Dying);
                if !is_known {
                    // What refers to it weakly answers nothing from now on.
                    for weak in self.watchers.remove(&object).unwrap_or_default() {
                        self.unlink(weak, |link| link.part == Part::Referent);
                    }
                }
            }
            Event::Free { object } => {
                self.live(object, Life::Dead);
                self.unlink(object, |_| true);
            }
            Event::State { object, refcount, spot, finalized } => {
                if let Some(state) = self.objects.get_mut(&object) {
                    let place = match spot {
                        Spot::Gen0 => "generation 0",
                        Spot::Gen1 => "generation 1",
                        Spot::Gen2 => "generation 2",
                        Spot::Permanent => "permanent",
                        Spot::Collecting => "being collected",
                        Spot::Untracked => "untracked",
                        Spot::NoHeader => "no GC header",
                    };
                    (state.refs, state.place, state.finalized) = (refcount, place, finalized);
                }
            }
            Event::Weak { weak, referent, callback } => self.unlink(weak, |link| match link.part {
                Part::Referent => referent.is_none(),
                Part::Callback => !callback,
                _ => false,
            }),
            Event::Snapshot => self.garbage.clear(),
            Event::Garbage { object } => self.garbage.push(object),
            _ => {}
        }
    }

    /// The references to an object.
    pub fn links_to(&self, to: ObjId) -> impl Iterator<Item = (&Link, u32)> {
        self.links.iter().filter(move |(link, _)| link.to == to).map(|(link, reported)| (link, *reported))
    }

    /// What a weak reference refers to, if it still answers.
    pub fn referent(&self, weak: ObjId) -> Option<ObjId> {
        self.part(weak, Part::Referent)
    }

    /// What a part of an object holds.
    pub fn part(&self, from: ObjId, part: Part) -> Option<ObjId> {
        let first = ObjId::from_index(0);
        let range = self.links.range(Link { from, part, to: first }..);
        range.map(|(link, _)| link).take_while(|link| link.from == from && link.part == part).map(|link| link.to).next()
    }

    fn live(&mut self, object: ObjId, life: Life) {
        if let Some(state) = self.objects.get_mut(&object) {
            (state.life, state.refs) = (life, 0);
        }
    }

    fn count(&mut self, object: Option<ObjId>, by: i32) {
        if let Some(state) = object.and_then(|object| self.objects.get_mut(&object)) {
            state.refs = state.refs.saturating_add_signed(by);
        }
    }

    fn link(&mut self, link: Link) {
        self.links.insert(link, 1);
        self.count(Some(link.to), 1);
    }

    fn unlink(&mut self, from: ObjId, is_it: impl Fn(&Link) -> bool) {
        let first = Link { from, part: Part::Slot(0), to: ObjId::from_index(0) };
        let mine = self.links.range(first..).map(|(link, _)| *link).take_while(|link| link.from == from);
        let gone: Vec<Link> = mine.filter(is_it).collect();
        for link in gone {
            self.links.remove(&link);
            if link.part != Part::Referent {
                self.count(Some(link.to), -1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_move_counts_and_references() {
        let [a, b] = [0, 1].map(ObjId::from_index);
        let mut heap = HeapState::default();
        let events = [
            Event::New { object: a, origin: 0, role: crate::event::Role::Named },
            Event::StoreVar { var: 0, object: Some(a) },
            Event::New { object: b, origin: 1, role: crate::event::Role::Named },
            Event::StoreSlot { holder: a, slot: 2, object: Some(b) },
            Event::StoreSlot { holder: a, slot: 2, object: Some(a) },
        ];
        let mut counts = Vec::new();
        for event in events {
            heap.apply(&event, false);
            counts.push((heap.objects[&a].refs, heap.objects.get(&b).map(|b| b.refs)));
        }
        assert_eq!(counts, [(0, None), (1, None), (1, Some(0)), (1, Some(1)), (2, Some(0))]);
        assert_eq!(heap.part(a, Part::Slot(2)), Some(a));
        heap.apply(&Event::Clear { object: a }, false);
        assert!(heap.links.is_empty() && heap.objects[&a].refs == 1 && heap.objects[&a].cleared);
    }
}
