//! Takes pictures of the model at each phase of each collection.

use crate::event::ObjId;
use crate::model::heap::{Flag, From, Heap, Idx, List, NIL};
use crate::model::machine::{Observer, PhasePoint, View};
use crate::scenario::Shape;

/// Heaps with more objects than this are not drawn or explained object by object.
pub const MAX_OBJECTS: u32 = 2_000;
/// After so many pictures no more are taken.
pub const MAX_SHOTS: usize = 1_000;

/// The lists that a picture shows, in this order.
const LISTS: [(List, &str); 10] = [
    (List::GEN0, "generation 0"),
    (List::GEN1, "generation 1"),
    (List::GEN2, "generation 2"),
    (List::PERMANENT, "permanent"),
    (List::INCREMENT, "increment"),
    (List::UNREACHABLE, "unreachable"),
    (List::LEGACY, "uncollectable"),
    (List::CALLS, "callbacks to call"),
    (List::SEEN, "finalizer done"),
    (List::FINAL, "to be cleared"),
];

/// The model at one moment of a collection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeapPicture {
    /// Which moment; of a picture between phases the last.
    pub moment: PhasePoint,
    /// Number of events before it.
    pub event: usize,
    /// The generation that is being collected.
    pub generation: u8,
    /// Every object that has not been freed: those in lists first, in the order of the lists.
    pub objects: Vec<Seen>,
    /// For each object that was ever created, in order: where it is among `objects`.
    places: Vec<Option<usize>>,
    /// What each variable holds.
    pub vars: Vec<Option<ObjId>>,
    /// `gc.garbage`.
    pub garbage: Vec<ObjId>,
    /// `gc.callbacks`.
    pub callbacks: Vec<ObjId>,
}

/// One object in a picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Which one.
    pub id: ObjId,
    /// Its shape.
    pub shape: Shape,
    /// Where it is.
    pub place: Place,
    /// It is in the set that the collection examines, which is known at [`PhasePoint::Start`] only.
    pub candidate: bool,
    /// Its reference count.
    pub refcount: u32,
    /// The collector's scratch count.
    pub gc_refs: i32,
    /// The finalized bit.
    pub finalized: bool,
    /// `tp_clear` has run.
    pub cleared: bool,
    /// Its strong references.
    pub references: Vec<Edge>,
    /// Of a weak reference: what it refers to.
    pub referent: Option<ObjId>,
    /// Of a weak reference: its callback.
    pub callback: Option<ObjId>,
}

/// A strong reference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Edge {
    /// Which part of the holder.
    pub from: From,
    /// What is referred to.
    pub to: ObjId,
    /// How often `traverse` reports it.
    pub reported: u32,
}

/// Where an object is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In the list of this name.
    List(&'static str),
    /// It has a GC header and is not tracked.
    Untracked,
    /// It has no GC header.
    NoHeader,
}

impl HeapPicture {
    /// The object with this identity, unless it has been freed.
    pub fn get(&self, id: ObjId) -> Option<&Seen> {
        self.place(id).map(|place| &self.objects[place])
    }

    /// Where the object with this identity is among the objects, unless it has been freed.
    pub fn place(&self, id: ObjId) -> Option<usize> {
        self.places.get(id.index()).copied().flatten()
    }

    /// True if both show the same objects in the same lists, in the same order.
    pub fn has_same_places(&self, other: &HeapPicture) -> bool {
        let places = |picture: &HeapPicture| picture.objects.iter().map(|o| (o.id, o.place)).collect::<Vec<_>>();
        places(self) == places(other)
    }

    /// True if the object is in the list of this name.
    pub fn is_in(&self, id: ObjId, list: &str) -> bool {
        self.get(id).is_some_and(|o| matches!(o.place, Place::List(name) if name == list))
    }
}

/// Takes pictures, and notes between which events.
#[derive(Debug, Default)]
pub struct PictureTaker {
    /// The pictures.
    pub shots: Vec<HeapPicture>,
    /// Pictures that were not taken, because the heap was too large or there were too many.
    pub missed: usize,
    /// After so many events no more are taken, if it is not to the end.
    pub until: Option<usize>,
}

impl Observer for PictureTaker {
    fn at_phase(&mut self, moment: PhasePoint, view: &View<'_>) {
        if self.until.is_some_and(|until| view.events as usize > until) {
            return;
        }
        if view.heap.created() > MAX_OBJECTS || self.shots.len() >= MAX_SHOTS {
            self.missed += 1;
            return;
        }
        self.shots.push(shot(moment, view));
    }
}

pub(super) fn shot(moment: PhasePoint, view: &View<'_>) -> HeapPicture {
    let heap = view.heap;
    let ids = |list: &[Idx]| list.iter().filter_map(|o| heap.object(*o).id).collect();
    let mut objects: Vec<Seen> = Vec::new();
    for (list, name) in LISTS {
        let candidate = moment == PhasePoint::Start && list == view.set;
        let mut o = heap.object(list.head()).next;
        while o != list.head() {
            // Temporary tuples of callbacks have no identity and are nobody's business.
            objects.extend(seen(heap, o, Place::List(name), candidate));
            o = heap.object(o).next;
        }
    }
    // Identities are given in order of creation.
    let mut places = vec![None; heap.created() as usize];
    for (place, seen) in objects.iter().enumerate() {
        places[seen.id.index()] = Some(place);
    }
    for o in heap.in_order() {
        let object = heap.object(o);
        let Some(place) = object.id.map(|id| &mut places[id.index()]).filter(|place| place.is_none()) else { continue };
        *place = Some(objects.len());
        let place = if object.has(Flag::HEADER) { Place::Untracked } else { Place::NoHeader };
        objects.extend(seen(heap, o, place, false));
    }
    HeapPicture {
        moment,
        event: view.events as usize,
        generation: view.generation,
        objects,
        places,
        vars: view.vars.iter().map(|o| if *o == NIL { None } else { heap.object(*o).id }).collect(),
        garbage: ids(&view.gc.garbage),
        callbacks: ids(&view.gc.callbacks),
    }
}

fn seen(heap: &Heap, o: Idx, place: Place, candidate: bool) -> Option<Seen> {
    let object = heap.object(o);
    let id = |o: Idx| if o == NIL { None } else { heap.object(o).id };
    let references = heap.references(o);
    let edge = |r: &crate::model::heap::Reference| id(r.to).map(|to| Edge { from: r.from, to, reported: r.reported });
    let weak = heap.is_weak(o).then(|| heap.weak(o));
    Some(Seen {
        id: object.id?,
        shape: object.shape,
        place,
        candidate,
        refcount: object.refcount,
        // Below 0 are marks of the collector for members to which nobody outside refers.
        gc_refs: object.gc_refs.max(0),
        finalized: object.has(Flag::FINALIZED),
        cleared: object.has(Flag::CLEARED),
        references: references.iter().filter_map(edge).collect(),
        referent: weak.and_then(|w| id(w.referent)),
        callback: weak.and_then(|w| id(w.callback)),
    })
}
