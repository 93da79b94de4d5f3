//! An interpreter: a collector with its lists, what it remembers and the collection that runs in it.

use crate::model::collector::unreachable::Members;
use crate::model::collector::{AskedRules, GcState};
use crate::model::heap::{Idx, List, NIL};

/// The number of an interpreter in its process; the first has 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct InterpreterId(pub(super) u32);

/// One interpreter. The members of its lists are on the heap's own while it is the current one.
#[derive(Clone, Debug)]
pub struct Interpreter {
    pub(super) id: InterpreterId,
    pub(super) gc: GcState,
    pub(super) running: RunningCollection,
    /// Where its lists are while it is parked: the first of their heads; `NIL` if it never is.
    pub(super) heads: Idx,
}

/// One collection in progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunningCollection {
    pub generation: u8,
    /// Started by allocation.
    pub automatic: bool,
    pub counted: u32,
    pub freed: u32,
    pub uncollectable: u32,
    pub set: List,
    /// What was unreachable at first.
    pub trash: Members,
    /// Nothing has happened since that could have changed what is unreachable.
    pub quiet: bool,
}

impl RunningCollection {
    pub const fn new(generation: u8, automatic: bool) -> RunningCollection {
        let trash = Members::NONE;
        RunningCollection {
            generation,
            automatic,
            counted: 0,
            freed: 0,
            uncollectable: 0,
            set: List::GEN0,
            trash,
            quiet: false,
        }
    }
}

impl Default for Interpreter {
    fn default() -> Interpreter {
        Interpreter {
            id: InterpreterId(0),
            gc: GcState::default(),
            running: RunningCollection::new(0, false),
            heads: NIL,
        }
    }
}

impl Interpreter {
    /// Back to the state in which the first interpreter of a process starts. The memory is kept.
    pub(super) fn reset(&mut self, rules: &AskedRules) {
        self.id = InterpreterId(0);
        self.gc.reset(rules);
        self.running = RunningCollection::new(0, false);
        self.heads = NIL;
    }
}
