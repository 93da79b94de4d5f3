//! An actor: something that runs bodies, with a stack of its own.

use super::frame::Frame;
use super::interpreter::InterpreterId;
use super::trashcan::Trashcan;
use crate::model::collector::Rules;
use crate::model::heap::{Idx, NIL};

/// The number of an actor in its process; the first has 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct ActorId(pub(super) u32);

/// One actor: a thread of the process, whose deallocators nest and whose user code is counted by itself.
#[derive(Clone, Debug)]
pub struct Actor {
    pub(super) id: ActorId,
    /// The interpreter that it runs in.
    pub(super) interp: InterpreterId,
    /// What it is doing, the innermost last.
    pub(super) frames: Vec<Frame>,
    /// How deep user code is nested.
    pub(super) depth: u32,
    /// Operations of scripts so far.
    pub(super) script_steps: u32,
    /// What `self` means in the body on top of the stack, or `NIL`.
    pub(super) owner: Idx,
    /// What `arg` means there, or `NIL`.
    pub(super) arg: Idx,
    /// Where its own body ends, which no other body does.
    pub(super) end: u32,
    pub(super) trash: Trashcan,
}

impl Actor {
    /// The first actor of a process, in its first interpreter.
    pub(super) fn new(rules: Rules) -> Actor {
        Actor {
            id: ActorId(0),
            interp: InterpreterId(0),
            frames: Vec::new(),
            depth: 0,
            script_steps: 0,
            owner: NIL,
            arg: NIL,
            end: 0,
            trash: Trashcan::new(rules),
        }
    }

    /// Back to the state in which the first actor of a process starts. The memory is kept.
    pub(super) fn reset(&mut self) {
        self.id = ActorId(0);
        self.interp = InterpreterId(0);
        self.frames.clear();
        self.depth = 0;
        self.script_steps = 0;
        self.owner = NIL;
        self.arg = NIL;
        self.end = 0;
        self.trash.reset();
    }

    /// Bytes of memory that its stacks take.
    pub(super) fn bytes(&self) -> usize {
        self.frames.capacity() * size_of::<Frame>() + self.trash.bytes()
    }
}
