//! What variables and slots of a scenario hold: as the runs on the model show it, or as all operations that store to them
//! agree.

use std::collections::BTreeMap;

use super::expected::Judged;
use super::trace::Heap;
use crate::event::{Event, ObjId};
use crate::scenario::{Base, Op, Place, Scenario, Shape};

/// The shapes of what places hold.
#[derive(Clone, Debug, Default)]
pub struct Shapes {
    known: BTreeMap<Place, Option<Shape>>,
    /// What the places held that an operation of the main body names, when it ran.
    seen: BTreeMap<(u32, Place), Shape>,
}

impl Shapes {
    /// Of a scenario.
    pub fn new(scenario: &Scenario, judged: &Judged) -> Shapes {
        let mut shapes = Shapes::default();
        // What is stored may have been stored from somewhere else: a few rounds settle it.
        for _ in 0..4 {
            let mut known: BTreeMap<Place, Option<Shape>> = BTreeMap::new();
            for op in scenario.ops() {
                let (place, shape) = match op {
                    Op::New { dst, kind, .. } | Op::Build { dst, kind, .. } => (*dst, Some(kind.shape)),
                    Op::Set { dst, src } if !src.is_nothing() => (*dst, shapes.of(*src, None)),
                    _ => continue,
                };
                known.entry(place).and_modify(|old| *old = old.filter(|o| Some(*o) == shape)).or_insert(shape);
            }
            shapes.known = known;
        }
        judged.rows.iter().for_each(|row| shapes.see(scenario, &row.events));
        shapes
    }

    /// What places hold when operations of the main body start.
    fn see(&mut self, scenario: &Scenario, events: &[Event]) {
        let mut heap = Heap::new(scenario);
        for event in events {
            heap.take(event);
            let Event::Step { op: at } = *event else { continue };
            let Some(op) = scenario.main().get(at as usize) else { continue };
            { *op }.for_each_place(|place| {
                let mut part = Some(*place);
                while let Some(place) = part {
                    let kind = object_at(&heap, place).and_then(|object| heap.kind(object));
                    self.seen.extend(kind.map(|kind| ((at, place), kind.shape)));
                    part = place.split().map(|(holder, _)| holder);
                }
            });
        }
    }

    /// The shape of what a place holds, if it is known, when this operation of the main body runs.
    pub fn of(&self, place: Place, now: Option<u32>) -> Option<Shape> {
        let seen = now.and_then(|at| self.seen.get(&(at, place)));
        seen.copied().or_else(|| self.known.get(&place).copied().flatten())
    }
}

fn object_at(heap: &Heap<'_>, place: Place) -> Option<ObjId> {
    let start = match place.base {
        Base::Var(var) => heap.var(var),
        _ => None,
    };
    place.path().iter().try_fold(start?, |object, slot| heap.slot(object, *slot))
}
