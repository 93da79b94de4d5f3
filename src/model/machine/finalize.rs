//! `weakref.finalize`, as releases ship it (`Lib/weakref.py`, the same in all of 3.4 to 3.15 as far as it matters here)
//! and composed of parts whose work is told step by step.

use super::Execution;
use super::frame::Frame;
use super::types;
use crate::event::{Code, Event, Role};
use crate::model::collector::Switch;
use crate::model::heap::{Flag, Idx, NIL};
use crate::scenario::{Kind, Shape};

/// Slots of the object that the registry keeps under a `finalize`: `_Info` has more, of which no scenario knows. Instances
/// drop them in the order of their names: `func`, `weakref`.
const INFO_SLOTS: u32 = 2;

impl Execution<'_, '_> {
    /// Creates the library's `finalize`: its registry, which no collector sees, holds it and one object more that holds
    /// the callable and the weak reference. Its class has no slots, so that up to 3.8.6 it has no GC header.
    pub(super) fn new_finalize(&mut self, origin: u32, [referent, callable]: [Idx; 2]) -> Idx {
        let header = types::has_header(&Kind::new(Shape::Finalize), &self.process.rules);
        let flags = Flag::HEADER.and(Flag::CLEARABLE).when(header);
        let o = self.process.heap.create(Shape::Finalize as u32, Shape::Finalize, flags, 0);
        self.process.heap.detail_mut(o).origin = origin;
        if header {
            self.process.interp.gc.count[0] += 1;
            self.process.heap.track(o);
        }
        let object = self.process.heap.id(o);
        self.sink.event(Event::New { object, origin, role: Role::Named });
        let info = self.process.heap.create_unnamed(Shape::Slotted, INFO_SLOTS);
        self.process.heap.track(info);
        let weak = self.part(origin, Shape::Ref, Role::FinalizeRef, &[]);
        self.bind_weakref(weak, referent, o);
        self.incref(callable);
        for (slot, part) in [callable, weak].into_iter().enumerate() {
            self.process.heap.set_raw(info, slot, part);
            self.report_store(o, slot as u8, part);
        }
        self.process.heap.detail_mut(o).entry = info;
        self.incref(o);
        o
    }

    /// The library's `finalize` is called: what it was registered with leaves the registry for the frame of the call, which
    /// drops `self`, the weak reference, and that.
    pub(super) fn run_finalize(&mut self, o: Idx, weak: Idx) {
        let info = std::mem::replace(&mut self.process.heap.detail_mut(o).entry, NIL);
        let callable = if info == NIL { NIL } else { self.process.heap.raw(info, 0) };
        if info != NIL {
            for slot in [0, 1] {
                self.report_store(o, slot, NIL);
            }
        }
        self.hold_locals([o, weak, info]);
        if info != NIL {
            self.decref(o);
        }
        if callable != NIL {
            // The stack of the frame holds what it calls.
            self.incref(callable);
            self.call(Code::Call, callable, NIL, callable);
        }
    }

    /// What the local variables of a function of the library hold while it runs. The last comes with its reference.
    fn hold_locals(&mut self, [this, weak, owned]: [Idx; 3]) {
        for o in [this, weak].into_iter().filter(|o| *o != NIL) {
            self.incref(o);
        }
        if self.has(Switch::FrameHoldsFunction) {
            let mut locals = [owned, weak, this];
            if self.has(Switch::FrameDropsLastFirst) {
                locals.reverse();
            }
            for o in locals.into_iter().filter(|o| *o != NIL) {
                self.push(Frame::Drop { o });
            }
            return;
        }
        let frame = self.process.heap.create_temporary(3);
        self.process.heap.set(frame, Flag::FRAME);
        for (slot, o) in [this, weak, owned].into_iter().enumerate() {
            self.process.heap.set_raw(frame, slot, o);
        }
        if self.has(Switch::TrackedFrames) {
            self.process.heap.track(frame);
        }
        self.push(Frame::Return { frame });
    }

    /// Creates a composed `finalize` object; its registry holds it besides the caller.
    pub(super) fn new_composed_finalize(&mut self, origin: u32, [referent, callable]: [Idx; 2]) -> Idx {
        self.incref(callable);
        let o = self.part(origin, Shape::ComposedFinalize, Role::Named, &[callable, NIL]);
        let weak = self.part(origin, Shape::Ref, Role::FinalizeRef, &[]);
        self.bind_weakref(weak, referent, o);
        self.process.heap.set_raw(o, 1, weak);
        self.report_store(o, 1, weak);
        self.incref(o);
        o
    }

    /// A composed `finalize` object is called: once it calls its callable, then it is done.
    pub(super) fn run_composed_finalize(&mut self, o: Idx) {
        let callable = self.process.heap.set_raw(o, 0, NIL);
        let weak = self.process.heap.set_raw(o, 1, NIL);
        if callable == NIL {
            return;
        }
        for slot in [0, 1] {
            self.report_store(o, slot, NIL);
        }
        // The registry's reference to the finalize object, then what its entry held.
        self.push(Frame::Drop { o });
        if weak != NIL {
            self.push(Frame::Drop { o: weak });
        }
        self.call(Code::Call, callable, NIL, callable);
    }
}
