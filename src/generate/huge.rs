//! The life of large graphs: built at once, watched at a few places, dropped, collected.

use super::builder::{Builder, Role};
use super::sketch::Target;
use crate::scenario::{Bulk, Clear, Finalizer, Kind, Op, Place, Shape, SlotSet, Tracking};

/// Binary logarithms between which the number of objects is drawn.
const COUNT_BITS: std::ops::Range<u32> = 17..24;
/// Most objects of a graph.
const MOST: u32 = 10_000_000;
/// Fewest objects of a graph.
const FEWEST: u32 = 100_000;

impl Builder<'_> {
    /// Writes the mutator's body of a large scenario.
    pub fn live_huge(&mut self) {
        for _ in 0..self.random.range(1, 2) {
            self.large_graph();
        }
        self.limit = usize::MAX;
        for var in (0..self.sketch.vars() as u16).rev() {
            let weak = self.sketch.last(var).is_some_and(|t| t.shape.is_weakref());
            if !weak || self.random.chance(96) {
                self.drop_var(var);
            }
        }
        self.op(Op::Collect { generation: 2 });
        self.op(Op::Collect { generation: 2 });
    }

    fn large_graph(&mut self) {
        let bits = self.random.range(COUNT_BITS.start, COUNT_BITS.end - 1);
        let count = ((1 << bits) + self.random.below(1 << bits)).clamp(FEWEST, MOST);
        let bulk = Bulk::ALL[self.random.index(Bulk::ALL.len())];
        let mut kind = Kind::new(Shape::Node);
        match self.random.below(8) {
            0 => kind.tracking = Tracking::NoHeader,
            1 => kind.tracking = Tracking::Untracked,
            2 => kind.clear = Clear::Missing,
            3 => kind.hidden = SlotSet(0b0010),
            _ => {}
        }
        if count < 2 * FEWEST && self.random.chance(64) {
            kind.finalizer = Some(Finalizer::Modern(self.plan_fixed(Role::Finalizer, &[])));
        }
        let kind = kind.canonical();
        let var = self.sketch.fresh();
        let handle = Place::var(var);
        self.op(Op::Build { dst: handle, bulk, kind, count });
        let thing = self.sketch.add(kind.shape, None);
        self.sketch.store(Target::Var(var), Some(thing));
        let slot = (bulk == Bulk::Knots) as u8;
        for place in [handle, handle.slot(slot), handle.slot(slot).slot(slot)] {
            if !self.random.chance(176) {
                continue;
            }
            let callback = if self.random.chance(96) { self.callable().place } else { Place::NOTHING };
            let weak = self.sketch.add(Shape::Ref, None);
            let dst = self.sketch.fresh();
            self.op(Op::New { dst: Place::var(dst), kind: Kind::new(Shape::Ref), items: [place, callback] });
            self.sketch.store(Target::Var(dst), Some(weak));
        }
        if self.random.chance(96) {
            self.op(Op::Collect { generation: self.configuration.rounds as u8 % 3 });
        }
        if self.random.chance(48) {
            self.op(Op::Set { dst: handle.slot(slot), src: Place::NOTHING });
        }
    }
}
