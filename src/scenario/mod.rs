//! Scenarios: the data that says what exists, who points where, what user code does, and where collections start.
//!
//! A scenario knows nothing of who runs it. It is a list of *bodies*: body 0 is the mutator's, the others are
//! scripts of callbacks, finalizers and deallocators. Scripts are named by [`ScriptId`]; script 0 is body 1.

pub mod binary;
#[cfg(test)]
mod form_tests;
mod kind;
pub(crate) mod layout;
mod normalize;
#[cfg(test)]
mod normalize_tests;
mod numbered;
mod operand;
mod operations;
mod place;
mod planned;
#[cfg(test)]
mod sample;
mod shapes;
pub mod text;
mod visit;

pub use kind::{Clear, DeallocFlaws, Finalizer, KEYED_SLOTS, Kind, MAX_ITEMS, NODE_SLOTS, ScriptId, SlotSet, Tracking};
pub use normalize::{MAX_COUNT, Normalized};
pub(crate) use numbered::{Numbered, numbered};
pub(crate) use operand::Operand;
pub use operand::{Bulk, Form, Operation, Stands, Usage};
pub use operations::{OPERATIONS, Op, Opcode};
pub use place::{Base, MAX_SLOT, MAX_VARS, Place};
pub use planned::Planned;
pub use shapes::{Items, Property, Shape, ShapeFacts, Shapes, SlotOrder, TpClear};

/// Highest number of scripts.
pub const MAX_SCRIPTS: usize = 64;
/// Highest number of operations in all bodies together.
pub const MAX_OPS: usize = 100_000;
/// Highest number of objects that one run creates: after that `New` and `Build` have no effect.
pub const MAX_OBJECTS: u32 = 1 << 24;
/// How deep user code nests: a script entered at this depth (the outermost has depth 1) runs no operation.
pub const MAX_DEPTH: u32 = 16;
/// How many operations the scripts of one run execute together: after that scripts run no operation. The bodies
/// that `repeat` runs for the mutator count as the mutator's, which has no such limit.
pub const MAX_SCRIPT_STEPS: u32 = 2_000;

/// A program for a subject: what to build, and what happens to it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Scenario {
    ops: Vec<Op>,
    /// Start of each body in `ops`; at least one entry once anything was added.
    starts: Vec<u32>,
}

impl Scenario {
    /// A scenario without operations.
    pub fn new() -> Scenario {
        Scenario::default()
    }

    /// Builds a scenario from bodies; the first is the mutator's.
    pub fn from_bodies<B: AsRef<[Op]>>(bodies: &[B]) -> Scenario {
        let mut scenario = Scenario::new();
        for body in bodies {
            scenario.start_body();
            for op in body.as_ref() {
                scenario.push(*op);
            }
        }
        scenario
    }

    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.ops.clear();
        self.starts.clear();
    }

    /// Starts the next body. The first call starts the mutator's body, each later one a script.
    pub fn start_body(&mut self) {
        self.starts.push(self.ops.len() as u32);
    }

    /// Appends an operation to the body started last.
    #[inline]
    pub fn push(&mut self, op: Op) {
        if self.starts.is_empty() {
            self.start_body();
        }
        self.ops.push(op);
    }

    /// Number of bodies, the mutator's included (0 for an empty scenario).
    pub fn bodies(&self) -> usize {
        self.starts.len()
    }

    /// Number of scripts.
    pub fn scripts(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Where a body lies in [`Scenario::ops`]; empty if there is no such body.
    #[inline]
    pub fn range(&self, body: usize) -> std::ops::Range<usize> {
        let Some(&start) = self.starts.get(body) else { return 0..0 };
        let end = self.starts.get(body + 1).map_or(self.ops.len(), |end| *end as usize);
        start as usize..end
    }

    /// The range of a script's body.
    #[inline]
    pub fn script_range(&self, script: ScriptId) -> std::ops::Range<usize> {
        self.range(script.0 as usize + 1)
    }

    /// The operations of a body.
    #[inline]
    pub fn body(&self, body: usize) -> &[Op] {
        &self.ops[self.range(body)]
    }

    /// The mutator's operations.
    #[inline]
    pub fn main(&self) -> &[Op] {
        self.body(0)
    }

    /// All operations of all bodies, one after the other.
    #[inline]
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// All operations, to be changed in place.
    pub fn ops_mut(&mut self) -> &mut [Op] {
        &mut self.ops
    }

    /// One more than the highest variable that any operation names.
    pub fn vars(&self) -> u16 {
        self.ops.iter().map(Op::vars).max().unwrap_or(0)
    }

    /// A copy as separate bodies, for code that edits.
    pub fn to_bodies(&self) -> Vec<Vec<Op>> {
        (0..self.bodies()).map(|b| self.body(b).to_vec()).collect()
    }
}
