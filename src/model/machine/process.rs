//! The process that a scenario runs in: one heap, the interpreters on it and the actors that run in them.
//!
//! The current interpreter and the running actor are at fixed places, so that nothing has to be looked up to find them.
//! The others are parked, and a scenario that makes none pays nothing for them.

use super::actor::{Actor, ActorId};
use super::container::Containers;
use super::frame::Frame;
use super::interpreter::{Interpreter, InterpreterId};
use crate::model::collector::AskedRules;
use crate::model::heap::{Heap, Idx, NIL, Type};
use crate::scenario::Shape;

/// Everything that a run changes. A clone is what a fork makes of it.
#[derive(Clone, Debug)]
pub struct Process {
    /// The rules of the release, and which of them have been asked for.
    pub(super) rules: AskedRules,
    pub(super) heap: Heap,
    /// What each variable of the scenario holds, or `NIL`.
    pub(super) vars: Vec<Idx>,
    pub(super) containers: Containers,
    /// For each operation of the scenario the type of the objects that it creates, or `NIL` as long as none was made.
    pub(super) types: Vec<u32>,
    /// The current interpreter: the running actor's.
    pub(super) interp: Interpreter,
    /// The running actor.
    pub(super) actor: Actor,
    others: Option<Box<Others>>,
}

/// The parked interpreters and actors by number, each with a gap where the current one belongs.
#[derive(Clone, Debug)]
struct Others {
    interps: Vec<Option<Interpreter>>,
    actors: Vec<Option<Actor>>,
}

impl Process {
    /// A process with one interpreter and one actor, and the type of plain objects of each shape.
    pub fn new(plain: [Type; Shape::ALL.len()], rules: AskedRules) -> Process {
        Process {
            heap: Heap::new(plain),
            vars: Vec::new(),
            containers: Containers::default(),
            types: Vec::new(),
            interp: Interpreter::default(),
            actor: Actor::new(rules.plain()),
            others: None,
            rules,
        }
    }

    /// Back to the state in which a scenario with so many operations starts. The memory is kept.
    pub fn reset(&mut self, operations: usize) {
        self.others = None;
        self.heap.reset();
        self.interp.reset(&self.rules);
        self.actor.reset();
        self.containers.reset();
        self.vars.clear();
        self.types.clear();
        self.types.resize(operations, NIL);
    }

    /// Bytes of memory that the arenas and stacks take, of what is current.
    pub fn bytes(&self) -> usize {
        self.heap.bytes() + self.actor.bytes()
    }

    /// Makes an interpreter more, in which nothing has happened yet.
    pub fn add_interpreter(&mut self) -> InterpreterId {
        let others = self.others.get_or_insert_default();
        if self.interp.heads == NIL {
            self.interp.heads = self.heap.add_list_heads();
        }
        let id = InterpreterId(others.interps.len() as u32);
        let mut interp = Interpreter { id, heads: self.heap.add_list_heads(), ..Interpreter::default() };
        interp.gc.reset(&self.rules);
        others.interps.push(Some(interp));
        id
    }

    /// Makes an actor more, which will run in an interpreter and has nothing to do yet.
    pub fn add_actor(&mut self, interp: InterpreterId) -> ActorId {
        let others = self.others.get_or_insert_default();
        let id = ActorId(others.actors.len() as u32);
        others.actors.push(Some(Actor { id, interp, ..Actor::new(self.rules.plain()) }));
        id
    }

    /// Lets the running actor go on in another interpreter. Only where user code runs or nothing does: the rest of a
    /// deallocation is in the links of what dies. An interpreter that does not exist changes nothing.
    pub fn enter_interpreter(&mut self, to: InterpreterId) {
        if self.make_current(to) {
            self.actor.interp = to;
        }
    }

    /// Lets another actor run, in the interpreter in which it was. Only where user code runs or nothing does. An actor
    /// that does not exist changes nothing.
    pub fn switch_to(&mut self, to: ActorId) {
        let Some(others) = &mut self.others else { return };
        let Some(actor) = others.actors.get_mut(to.0 as usize).and_then(Option::take) else { return };
        let interp = actor.interp;
        let parked = std::mem::replace(&mut self.actor, actor);
        let place = parked.id.0 as usize;
        others.actors[place] = Some(parked);
        self.make_current(interp);
    }

    /// Puts an interpreter and its lists in the place of the current one; false if there is no such interpreter.
    fn make_current(&mut self, to: InterpreterId) -> bool {
        if to == self.interp.id {
            return true;
        }
        let Some(others) = &mut self.others else { return false };
        let Some(interp) = others.interps.get_mut(to.0 as usize).and_then(Option::take) else { return false };
        let parked = std::mem::replace(&mut self.interp, interp);
        self.heap.park_lists(parked.heads);
        self.heap.take_lists(self.interp.heads);
        let place = parked.id.0 as usize;
        others.interps[place] = Some(parked);
        true
    }

    /// The running actor starts with a body of the scenario: operations from `pc` to `end`.
    pub(super) fn start_body(&mut self, pc: u32, end: u32) {
        self.actor.end = end;
        self.actor.frames.push(Frame::Body { pc, end, owner: NIL, arg: NIL, script: false, allocated: false });
    }
}

impl Default for Others {
    /// The first interpreter and the first actor are the current ones.
    fn default() -> Others {
        Others { interps: vec![None], actors: vec![None] }
    }
}
