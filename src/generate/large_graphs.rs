//! The life of large graphs: built, watched at a few places, dropped, collected.
//!
//! User code runs a few times only: each entry and exit shows the whole heap, so that a finalizer for each of a million
//! objects would be a trillion states, however fast the collector is.

use super::builder::Builder;
use super::heap_estimate::{Target, Traits};
use super::pending_scripts::ScriptRole;
use crate::scenario::{Bulk, Clear, Kind, Op, Place, Scenario, ScriptId, Shape, SlotSet, Tracking};

/// Binary logarithms between which the number of objects that one operation builds is drawn.
const BUILT_BITS: std::ops::Range<u32> = 17..24;
/// The same if every object takes operations of its own.
const WRITTEN_BITS: std::ops::Range<u32> = 16..20;
/// Most objects of a graph.
const MOST: u32 = 10_000_000;
/// Fewest objects of a graph.
const FEWEST: u32 = 100_000;
/// Variables that a graph takes.
const VARS: u16 = 4;

/// The shape of a large graph. Its handle is the first of its variables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Large {
    /// A graph that one operation builds.
    Built(Bulk),
    /// A chain whose every object owns a weak reference to itself.
    Watched,
    /// One strongly connected component: each object points to the two before it, and to the one after the next.
    Dense,
    /// A `WeakKeyDictionary` whose keys are a chain, each with the key before as its value.
    WeakKeys,
    /// A `WeakSet` of the objects of a chain.
    WeakSet,
}

impl Large {
    /// Every shape.
    pub const ALL: [Large; 8] = [
        Large::Built(Bulk::Chain),
        Large::Built(Bulk::Ring),
        Large::Built(Bulk::Tree),
        Large::Built(Bulk::Knots),
        Large::Watched,
        Large::Dense,
        Large::WeakKeys,
        Large::WeakSet,
    ];

    /// The word for tables.
    pub const fn word(self) -> &'static str {
        match self {
            Large::Built(bulk) => bulk.word(),
            Large::Watched => "watched chain",
            Large::Dense => "dense cycle",
            Large::WeakKeys => "weak dictionary",
            Large::WeakSet => "weak set",
        }
    }

    /// Builds a graph of `count` objects (at least 1), drops it if it is to be trash, and collects it.
    pub fn scenario(self, count: u32, trash: bool) -> Scenario {
        let each = self.each(0);
        let mut main = Vec::new();
        self.write(0, Kind::new(Shape::Node), count, ScriptId(0), |op| main.push(op));
        if trash {
            main.push(Op::Set { dst: Place::var(0), src: Place::NOTHING });
        }
        main.push(Op::Collect { generation: 2 });
        if each.is_empty() { Scenario::from_bodies(&[main]) } else { Scenario::from_bodies(&[main, each]) }
    }

    /// Writes the operations that build the graph; `script` has those of [`Large::each`].
    fn write(self, var: u16, kind: Kind, count: u32, script: ScriptId, mut write: impl FnMut(Op)) {
        let [graph, next, other, old] = [0, 1, 2, 3].map(|n| Place::var(var + n));
        if let Large::Built(bulk) = self {
            return write(Op::Build { dst: graph, bulk, kind, count });
        }
        let new = |dst, kind| Op::New { dst, kind, items: [Place::NOTHING; 2] };
        write(new(graph, kind));
        match self {
            Large::Dense => write(Op::Set { dst: old, src: graph }),
            Large::WeakKeys => write(new(other, Kind::new(Shape::WeakKeyDict))),
            Large::WeakSet => write(new(other, Kind::new(Shape::WeakSet))),
            Large::Built(_) | Large::Watched => {}
        }
        let mut rest = count.saturating_sub(1);
        while rest > 0 {
            let times = rest.min(255) as u8;
            write(Op::Repeat { times, script });
            rest -= u32::from(times);
        }
        for place in [next, old] {
            write(Op::Set { dst: place, src: Place::NOTHING });
        }
    }

    /// What adds one object to the graph.
    fn each(self, var: u16) -> Vec<Op> {
        let [graph, next, other, old] = [0, 1, 2, 3].map(|n| Place::var(var + n));
        let set = |dst, src| Op::Set { dst, src };
        let mut ops = vec![
            Op::New { dst: next, kind: Kind::new(Shape::Node), items: [Place::NOTHING; 2] },
            set(next.slot(0), graph),
        ];
        match self {
            Large::Built(_) => return Vec::new(),
            Large::Watched => {
                let items = [next, Place::NOTHING];
                ops.push(Op::New { dst: next.slot(1), kind: Kind::new(Shape::Ref), items });
            }
            Large::Dense => ops.extend([set(next.slot(1), old), set(old.slot(2), next), set(old, graph)]),
            Large::WeakKeys | Large::WeakSet => ops.push(set(other.slot(0), next)),
        }
        ops.push(set(graph, next));
        ops
    }
}

impl Builder<'_> {
    /// Writes the mutator's body of a large scenario.
    pub fn live_huge(&mut self) {
        self.limit = usize::MAX;
        for _ in 0..self.random.range(1, 2) {
            self.large_graph();
        }
        for var in (0..self.heap.vars() as u16).rev() {
            let weak = self.heap.last(var).is_some_and(|t| t.is(Traits::WEAKREF));
            if !weak || self.random.chance(96) {
                self.drop_var(var);
            }
        }
        self.op(Op::Collect { generation: 2 });
        self.op(Op::Collect { generation: 2 });
    }

    fn large_graph(&mut self) {
        let shape = Large::ALL[self.random.index(Large::ALL.len())];
        let range = if matches!(shape, Large::Built(_)) { BUILT_BITS } else { WRITTEN_BITS };
        let bits = self.random.range(range.start, range.end - 1);
        let count = ((1 << bits) + self.random.below(1 << bits)).clamp(FEWEST, MOST);
        let mut kind = Kind::new(Shape::Node);
        match self.random.below(8) {
            0 => kind.tracking = Tracking::NoHeader,
            1 => kind.tracking = Tracking::Untracked,
            2 => kind.clear = Clear::Missing,
            3 => kind.hidden = SlotSet(0b0010),
            _ => {}
        }
        let var = self.heap.fresh();
        (1..VARS).for_each(|_| _ = self.heap.fresh());
        let each = shape.each(var);
        let script = if each.is_empty() { ScriptId(0) } else { self.plan_fixed(ScriptRole::Builder, &each) };
        shape.write(var, kind, count, script, |op| self.out.push(op));
        let handle = Place::var(var);
        let thing = self.heap.add(kind.shape, None);
        self.heap.store(Target::var(var), thing);
        if let Large::WeakKeys | Large::WeakSet = shape {
            let container = self.heap.add(Shape::WeakSet, None);
            self.heap.store(Target::var(var + 2), container);
        }
        let slot = (shape == Large::Built(Bulk::Knots)) as u8;
        for place in [handle, handle.slot(slot), handle.slot(slot).slot(slot)] {
            if !self.random.chance(176) {
                continue;
            }
            let callback = if self.random.chance(96) { self.callable().place } else { Place::NOTHING };
            let weak = self.heap.add(Shape::Ref, None);
            let dst = self.heap.fresh();
            self.op(Op::New { dst: Place::var(dst), kind: Kind::new(Shape::Ref), items: [place, callback] });
            self.heap.store(Target::var(dst), weak);
        }
        if self.random.chance(96) {
            self.op(Op::Collect { generation: self.configuration.rounds as u8 % 3 });
        }
        if self.random.chance(48) {
            self.op(Op::Set { dst: handle.slot(slot), src: Place::NOTHING });
        }
    }
}
