//! User code: entering and leaving scripts, calling callbacks.

use super::Execution;
use super::frame::Frame;
use crate::event::{Code, Event, ObjId, Undefined};
use crate::model::collector::Switch;
use crate::model::heap::{Flag, Idx, NIL, RareFlag};
use crate::scenario::{MAX_DEPTH, MAX_SCRIPT_STEPS, ScriptId, Shape};

impl Execution<'_, '_> {
    /// Starts a script as user code. The frames pushed before are what happens after it.
    pub(super) fn enter(&mut self, code: Code, owner: Idx, arg: Idx, script: Option<ScriptId>) {
        let heap = &self.process.heap;
        let arg_id = if arg == NIL { None } else { heap.object(arg).id };
        self.sink.event(Event::Enter { code, owner: heap.id(owner), arg: arg_id });
        self.snapshot();
        self.process.actor.depth += 1;
        let mut range = script.map_or(0..0, |s| self.scenario.script_range(s));
        if self.process.actor.depth >= MAX_DEPTH {
            range = 0..0;
        }
        self.push(Frame::Body {
            pc: range.start as u32,
            end: range.end as u32,
            owner,
            arg,
            script: true,
            allocated: false,
        });
    }

    /// The script that ran is over.
    pub(super) fn leave(&mut self, owner: Idx, raised: bool) {
        self.process.actor.depth -= 1;
        self.sink.event(Event::Leave);
        self.snapshot();
        if raised {
            if !self.has(Switch::BugSwallowErrors) {
                self.report_unraisable(owner);
            }
            if self.has(Switch::BugExceptionEndsCollection) {
                self.abandon_collection();
            }
        }
    }

    /// The caller reports the error once the call's argument tuple, if it has one, is gone.
    fn report_unraisable(&mut self, owner: Idx) {
        let arguments = match self.process.actor.frames.last() {
            Some(&Frame::Drop { o })
                if !mutant!(UnraisableBeforeArguments) && self.process.heap.object(o).id.is_none() =>
            {
                self.process.actor.frames.pop()
            }
            _ => None,
        };
        self.push(Frame::Report { owner: self.process.heap.id(owner) });
        if let Some(drop) = arguments {
            self.push(drop);
        }
    }

    /// Reports an error as unraisable. 2.7 writes it with a call that has an argument tuple.
    pub(super) fn report(&mut self, owner: ObjId) {
        self.sink.event(Event::Unraisable { owner });
        if self.has(Switch::FunctionCallTuple) {
            let tuple = self.process.heap.create_temporary(1);
            self.decref(tuple);
        }
    }

    /// True if the object can be called at all.
    pub(super) fn is_callable(&self, o: Idx) -> bool {
        self.process.heap.object(o).shape.can_call() && self.process.heap.kind(o).on_call.is_some()
    }

    /// Calls an object. `owned` is a reference that the call consumes when it is over, or `NIL`.
    pub(super) fn call(&mut self, code: Code, callable: Idx, arg: Idx, owned: Idx) {
        if owned != NIL {
            self.push(Frame::Drop { o: owned });
        }
        let object = *self.process.heap.object(callable);
        if object.has(Flag::CLEARED)
            && object.shape == Shape::Function
            && (!self.has(Switch::FunctionClearKeepsCode)
                || self.process.heap.has_rare(callable, RareFlag::LOST_CLOSURE))
        {
            self.stop = Some(Undefined::CalledCleared);
            return;
        }
        if arg != NIL && (object.shape != Shape::Function || self.has(Switch::FunctionCallTuple)) {
            self.incref(arg);
            let tuple = self.process.heap.create_temporary(1);
            self.process.heap.set_raw(tuple, 0, arg);
            self.process.heap.track(tuple);
            self.push(Frame::Drop { o: tuple });
        }
        if code == Code::GcCallback && self.has(Switch::TrashcanCountsInstancesTwice) {
            // Up to 3.7 the end of the argument tuple empties a trashcan in which instances were left.
            let tuple = self.process.heap.create_temporary(2);
            self.push(Frame::Drop { o: tuple });
        }
        if object.shape == Shape::Function {
            self.hold_in_frame(callable, arg);
        }
        match object.shape {
            Shape::Finalize => {
                self.enter_builtin(code, callable, arg, Frame::RunFinalize { o: callable, weak: arg });
            }
            Shape::ComposedFinalize => {
                self.enter_builtin(code, callable, arg, Frame::RunComposedFinalize { o: callable });
            }
            // The library's code runs unseen.
            Shape::Function if self.library_remover(callable).is_some() => {
                self.push(Frame::Remove { function: callable, weak: arg });
            }
            Shape::Function if self.container_of(callable).is_some() => {
                self.enter_builtin(code, callable, arg, Frame::Remove { function: callable, weak: arg });
            }
            _ => self.enter(code, callable, arg, self.process.heap.kind(callable).on_call),
        }
    }

    /// What the frame of a function holds while it runs: the argument, the closure's cells, from 3.11 on the function.
    fn hold_in_frame(&mut self, function: Idx, arg: Idx) {
        let closure = self.process.heap.raw(function, 0);
        if !self.has(Switch::FrameHoldsFunction) {
            self.make_frame_object(closure, arg);
            return;
        }
        self.hold(function);
        let cells = if closure == NIL { 0 } else { self.process.heap.object(closure).len as usize };
        if cells > 0 && self.has(Switch::FrameDropsLastFirst) {
            self.hold_argument(arg);
            (0..cells).for_each(|i| self.hold(self.process.heap.raw(closure, i)));
        } else {
            (0..cells).rev().for_each(|i| self.hold(self.process.heap.raw(closure, i)));
            self.hold_argument(arg);
        }
    }

    /// A frame that is an object: its deallocator takes part in the trashcan. It drops the argument, then the cells.
    fn make_frame_object(&mut self, closure: Idx, arg: Idx) {
        let cells = if closure == NIL { 0 } else { self.process.heap.object(closure).len as usize };
        let args = usize::from(arg != NIL);
        let frame = self.process.heap.create_temporary((args + cells) as u32);
        self.process.heap.set(frame, Flag::FRAME);
        if arg != NIL {
            self.incref(arg);
            self.process.heap.set_raw(frame, 0, arg);
        }
        for i in 0..cells {
            let cell = self.process.heap.raw(closure, i);
            self.incref(cell);
            self.process.heap.set_raw(frame, args + i, cell);
        }
        if self.has(Switch::TrackedFrames) {
            self.process.heap.track(frame);
        }
        self.push(Frame::Return { frame });
    }

    fn hold_argument(&mut self, arg: Idx) {
        if arg != NIL {
            self.hold(arg);
        }
    }

    /// Holds an object until what is pushed next is over.
    fn hold(&mut self, o: Idx) {
        self.incref(o);
        self.push(Frame::Drop { o });
    }

    /// Starts user code that is no script but one step of the library.
    fn enter_builtin(&mut self, code: Code, owner: Idx, arg: Idx, work: Frame) {
        let arg = if arg == NIL { None } else { self.process.heap.object(arg).id };
        self.sink.event(Event::Enter { code, owner: self.process.heap.id(owner), arg });
        self.snapshot();
        self.process.actor.depth += 1;
        self.push(Frame::LeaveBuiltin { owner });
        self.push(work);
    }

    /// Calls a callback taken out of its weak reference, then drops it; not if the weak reference is dying.
    pub(super) fn single_callback(&mut self, weak: Idx, callback: Idx) {
        if self.process.heap.object(weak).refcount > 0 {
            self.call(Code::Callback, callback, weak, callback);
        } else {
            self.decref(callback);
        }
    }

    /// Calls the next callback of a temporary tuple (weak reference, callback, weak reference, ...).
    pub(super) fn tuple_callbacks(&mut self, tuple: Idx, next: u32) {
        if next >= self.process.heap.object(tuple).len {
            self.decref(tuple);
            return;
        }
        self.push(Frame::TupleCallbacks { tuple, next: next + 2 });
        let weak = self.process.heap.raw(tuple, next as usize);
        let callback = self.process.heap.raw(tuple, next as usize + 1);
        if callback != NIL {
            self.call(Code::Callback, callback, weak, NIL);
        }
    }

    /// True if scripts may still run operations; counts one.
    #[inline]
    pub(super) fn may_step(&mut self) -> bool {
        self.process.actor.script_steps += 1;
        self.process.actor.script_steps <= MAX_SCRIPT_STEPS
    }
}
