//! Iterations over weak containers of the library: the generator that `values()` of a `WeakValueDictionary` and `iter()` of
//! the others make, resumed by the mutator's loop (`Lib/weakref.py`, `Lib/_weakrefset.py`).
//!
//! Up to 3.13 it iterates over the data under an `_IterationGuard`, which puts removals off, and ends with an error when
//! the data has changed its size all the same; from 3.14 on it iterates over a copy. What the generator holds counts as
//! references from outside: the probe takes its objects out of the collector's lists.

use super::Execution;
use super::frame::Frame;
use crate::event::{Event, Undefined};
use crate::model::collector::Switch;
use crate::model::heap::{Flag, Idx, NIL};
use crate::scenario::{ScriptId, Shape};

/// The iteration in progress, of which the mutator has one at most.
#[derive(Clone, Debug, Default)]
pub(super) struct LibraryIteration {
    /// Number of the container.
    at: usize,
    object: Idx,
    script: u8,
    /// Position of the next entry.
    next: u32,
    /// Entries at the beginning.
    used: u32,
    /// The container's weak reference to itself that the guard holds, or `NIL`.
    guard: Idx,
    /// Local variables of the generator: an entry's weak reference, and what that has answered.
    weak: Idx,
    answer: Idx,
    /// The references of the copy, if there is one.
    copy: Vec<Idx>,
}

/// What comes next in an iteration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum IterationStep {
    /// The next entry's weak reference.
    Advance,
    /// That is asked.
    Ask,
    /// What it has answered is shown, if it lives.
    Yield,
    /// The guard's end.
    Exit,
    /// The generator's end.
    Leave,
    /// The loop's end.
    Done,
}

impl Execution<'_, '_> {
    /// Starts an iteration: not of a container that has lost its attributes or its weak reference to itself.
    pub(super) fn iterate_library(&mut self, at: usize, script: ScriptId) -> bool {
        let container = self.process.containers.at(at);
        let object = container.object;
        let selfref = self.process.heap.canonical(object, Shape::Ref);
        let Some(selfref) = selfref.filter(|_| !self.process.heap.object(object).has(Flag::CLEARED)) else {
            return false;
        };
        let puts_off = self.has(Switch::ContainerPending);
        let used = self.raw_length(&container);
        self.incref(object);
        self.process.containers.set_iterated(at, true);
        let mut copy = std::mem::take(&mut self.process.containers.iteration.copy);
        copy.clear();
        if puts_off {
            self.process.containers.set_iterating(at, 1);
            self.incref(container.data);
            self.incref(selfref);
        } else if container.has_table() {
            self.process.containers.copy_table(at);
            copy.extend(self.process.containers.copied_table().elements());
            copy.iter().for_each(|object| self.incref(*object));
        } else {
            for i in 0..self.process.heap.entries(container.data) {
                let value = self.process.heap.entry(container.data, i).value;
                if value != NIL {
                    self.incref(value);
                    copy.push(value);
                }
            }
        }
        let guard = if puts_off { selfref } else { NIL };
        self.process.containers.iteration =
            LibraryIteration { at, object, script: script.0, next: 0, used, guard, weak: NIL, answer: NIL, copy };
        self.push(Frame::LibraryIterate { step: IterationStep::Advance });
        true
    }

    /// One step of it.
    pub(super) fn library_iteration_step(&mut self, step: IterationStep) {
        match step {
            IterationStep::Advance => self.advance(),
            IterationStep::Ask => self.ask_entry(),
            IterationStep::Yield => self.show_entry(),
            IterationStep::Exit => {
                let (at, object) = (self.process.containers.iteration.at, self.process.containers.iteration.object);
                let guard = self.process.containers.iteration.guard;
                self.push(Frame::LibraryIterate { step: IterationStep::Leave });
                if guard != NIL {
                    self.process.containers.set_iterating(at, 0);
                    self.push(Frame::Drop { o: guard });
                    self.push(Frame::Commit { container: object });
                }
            }
            IterationStep::Leave => self.leave_generator(),
            IterationStep::Done => {
                let at = self.process.containers.iteration.at;
                self.process.containers.set_iterated(at, false);
            }
        }
    }

    fn advance(&mut self) {
        let iteration = &self.process.containers.iteration;
        let (next, guarded) = (iteration.next as usize, iteration.guard != NIL);
        let container = self.process.containers.at(iteration.at);
        let heap = &self.process.heap;
        let found = if !guarded {
            iteration.copy.get(next).map(|weak| (next, *weak))
        } else if self.raw_length(&container) != iteration.used {
            None
        } else {
            (next..heap.entries(container.data))
                .map(|i| (i, heap.entry(container.data, i).value))
                .find(|(_, value)| *value != NIL)
        };
        let Some((position, weak)) = found else {
            self.push(Frame::LibraryIterate { step: IterationStep::Exit });
            self.drop_iterator(container.data);
            return;
        };
        self.incref(weak);
        let iteration = &mut self.process.containers.iteration;
        iteration.next = position as u32 + 1;
        let old = std::mem::replace(&mut iteration.weak, weak);
        self.push(Frame::LibraryIterate { step: IterationStep::Ask });
        if old != NIL {
            self.decref(old);
        }
    }

    /// The iterator over the data, or over the copy, which goes with it.
    fn drop_iterator(&mut self, data: Idx) {
        if self.process.containers.iteration.guard != NIL {
            self.push(Frame::Drop { o: data });
            return;
        }
        for i in (0..self.process.containers.iteration.copy.len()).rev() {
            let o = self.process.containers.iteration.copy[i];
            self.push(Frame::Drop { o });
        }
    }

    fn ask_entry(&mut self) {
        let weak = self.process.containers.iteration.weak;
        if self.process.heap.dangles(weak) {
            self.stop = Some(Undefined::DanglingWeakref);
            return;
        }
        let answer = self.process.heap.answer(weak).unwrap_or(NIL);
        if answer != NIL {
            self.incref(answer);
        }
        let old = std::mem::replace(&mut self.process.containers.iteration.answer, answer);
        self.push(Frame::LibraryIterate { step: IterationStep::Yield });
        if old != NIL {
            self.decref(old);
        }
    }

    fn show_entry(&mut self) {
        let iteration = &self.process.containers.iteration;
        let (object, entry, script) = (iteration.object, iteration.answer, ScriptId(iteration.script));
        self.push(Frame::LibraryIterate { step: IterationStep::Advance });
        if entry == NIL {
            return;
        }
        self.incref(entry);
        let ids = (self.process.heap.id(object), self.process.heap.id(entry));
        self.sink.event(Event::Yielded { container: ids.0, entry: ids.1 });
        self.push(Frame::Drop { o: entry });
        self.push_body(script, entry);
    }

    /// Its frame drops the local variables.
    fn leave_generator(&mut self) {
        self.push(Frame::LibraryIterate { step: IterationStep::Done });
        let iteration = &self.process.containers.iteration;
        let mut locals = [iteration.answer, iteration.weak, iteration.object];
        if self.has(Switch::FrameHoldsFunction) {
            if self.has(Switch::FrameDropsLastFirst) {
                locals.reverse();
            }
            for o in locals.into_iter().filter(|o| *o != NIL) {
                self.push(Frame::Drop { o });
            }
            return;
        }
        let frame = self.process.heap.create_temporary(locals.len() as u32);
        self.process.heap.set(frame, Flag::FRAME);
        for (slot, o) in locals.into_iter().rev().enumerate() {
            self.process.heap.set_raw(frame, slot, o);
        }
        self.push(Frame::Return { frame });
    }
}
