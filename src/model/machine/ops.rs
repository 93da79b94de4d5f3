//! The operations of mutator and scripts.

use super::frame::Frame;
use super::{Execution, types};
use crate::event::{Code, Event, Role};
use crate::model::collector::Switch;
use crate::model::heap::{Flag, Idx, NIL, Type};
use crate::scenario::{Kind, MAX_OBJECTS, Op, Place, ScriptId, Shape};

/// What a `New` that makes something has found.
#[derive(Clone, Copy)]
struct Operands {
    /// The canonical weak reference to be shared instead of making one, or `NIL`.
    shared: Idx,
}

impl Execution<'_, '_> {
    /// The next operations of the body on top of the stack, up to the first that pushes something.
    pub(super) fn body(&mut self, frame: Frame) {
        let Frame::Body { mut pc, end, owner, arg, script, mut allocated } = frame else { return };
        let ops = self.scenario.ops();
        let top = self.process.actor.frames.len() - 1;
        let in_main = !script && end == self.process.actor.end;
        (self.process.actor.owner, self.process.actor.arg) = (owner, arg);
        loop {
            if in_main && let Some(due) = self.process.interp.gc.due.take() {
                self.serve_due(due);
            } else if in_main
                && self.told.is_some()
                && let Some(generation) = self.told_between_operations()
            {
                self.start_collection(generation, true);
            } else if pc >= end {
                self.process.actor.frames.truncate(top);
                if script {
                    self.leave(owner, false);
                }
                return;
            } else {
                let op = &ops[pc as usize];
                if !allocated {
                    if in_main {
                        self.sink.event(Event::Step { op: pc });
                    }
                    if script && !self.may_step() {
                        pc = end;
                        continue;
                    }
                    if script && matches!(op, Op::Raise) {
                        self.process.actor.frames.truncate(top);
                        self.leave(owner, true);
                        return;
                    }
                }
                if let Op::New { dst, kind, items } = op {
                    // After a collection that the allocation started everything is looked up again: it may have
                    // taken the operands away.
                    let parts = self.operands(kind, items);
                    if !allocated && let Some(generation) = self.collection_at(kind, parts) {
                        self.process.actor.frames[top] = Frame::Body { pc, end, owner, arg, script, allocated: true };
                        self.start_collection(generation, true);
                        return;
                    }
                    allocated = false;
                    match parts {
                        Some(parts) => self.new_object(pc, *dst, kind, items, parts),
                        None => self.no_effect(),
                    }
                } else {
                    self.execute(pc, op, in_main);
                }
                pc += 1;
            }
            if self.process.actor.frames.len() != top + 1 || self.stop.is_some() {
                self.process.actor.frames[top] = Frame::Body { pc, end, owner, arg, script, allocated: false };
                return;
            }
        }
    }

    /// Counts the allocation that a `New` makes; the generation of the collection that starts inside it.
    fn collection_at(&mut self, kind: &Kind, parts: Option<Operands>) -> Option<u8> {
        let parts = parts?;
        let allocates = types::has_header(kind, &self.process.rules) && parts.shared == NIL;
        if allocates { self.count_allocation() } else { None }
    }

    fn execute(&mut self, pc: u32, op: &Op, in_main: bool) {
        let done = match *op {
            Op::New { .. } => unreachable!("the caller makes objects"),
            Op::Set { dst, src } => self.set(dst, src),
            Op::Deref { dst, weak } => self.deref(dst, weak),
            Op::Look => {
                self.look();
                true
            }
            Op::Scan => {
                self.scan();
                self.drop_scanned();
                true
            }
            Op::Collect { generation } => {
                self.collect(generation, false);
                true
            }
            Op::CollectAtAllocation { after, generation } => {
                self.process.interp.gc.at_allocation = (after > 0).then_some((after, generation.min(2)));
                true
            }
            Op::Call { callable } => match self.resolve(callable) {
                Some(o) if self.is_callable(o) => {
                    self.incref(o);
                    self.call(Code::Call, o, NIL, o);
                    true
                }
                _ => false,
            },
            Op::Raise => false,
            Op::Enable => {
                self.process.interp.gc.enabled = true;
                true
            }
            Op::Disable => {
                self.process.interp.gc.enabled = false;
                true
            }
            Op::SetThreshold { thresholds } => {
                self.process.interp.gc.threshold = thresholds.map(u32::from);
                true
            }
            Op::Freeze if self.has(Switch::Freeze) => {
                self.process.interp.gc.freeze(&mut self.process.heap);
                true
            }
            Op::Unfreeze if self.has(Switch::Freeze) => {
                self.process.interp.gc.unfreeze(&mut self.process.heap);
                true
            }
            Op::Freeze | Op::Unfreeze => false,
            Op::SaveAll { on } => {
                self.process.interp.gc.save_all = on;
                true
            }
            Op::EmptyGarbage => self.drop_all(true),
            Op::EmptyGcCallbacks => self.drop_all(false),
            Op::AddGcCallback { callable } => match self.resolve(callable) {
                Some(o) if self.is_callable(o) && self.has(Switch::GcCallbacks) => {
                    self.incref(o);
                    self.process.interp.gc.callbacks.push(o);
                    true
                }
                _ => false,
            },
            Op::Track { object } => self.set_tracked(object, true),
            Op::Untrack { object } => self.set_tracked(object, false),
            Op::Repeat { times, script: body } if in_main && times > 0 => {
                self.push(Frame::Repeat { times, script: body });
                true
            }
            Op::Repeat { .. } => false,
            Op::Build { dst, bulk, kind, count } => self.build(pc, dst, bulk, kind, count),
            Op::Len { container } => self.length(container),
            Op::Iterate { container, script: body } => in_main && self.iterate(container, body),
        };
        if !done {
            self.no_effect();
        }
    }

    /// The next round of a repeated body.
    pub(super) fn repeat(&mut self, times: u8, script: ScriptId) {
        if times == 0 {
            return;
        }
        self.push(Frame::Repeat { times: times - 1, script });
        self.push_body(script, NIL);
    }

    /// The body of a script comes next, as part of the one that runs.
    pub(super) fn push_body(&mut self, script: ScriptId, arg: Idx) {
        let range = self.scenario.script_range(script);
        let (pc, end) = (range.start as u32, range.end as u32);
        self.push(Frame::Body { pc, end, owner: NIL, arg, script: false, allocated: false });
    }

    /// Looks up what a `New` is to be made of, as far as it decides whether anything is made; `None` if nothing is.
    fn operands(&mut self, kind: &Kind, items: &[Place; 2]) -> Option<Operands> {
        if self.process.heap.created() >= MAX_OBJECTS {
            return None;
        }
        match kind.shape {
            Shape::Ref | Shape::Proxy | Shape::KeyedRef | Shape::Finalize | Shape::ComposedFinalize => {
                let referent = self.resolve(items[0])?;
                let callback = self.resolve(items[1]);
                let callable = match callback {
                    Some(o) => self.is_callable(o),
                    None => !kind.shape.is_finalize(),
                };
                let exists = !kind.shape.is_finalize() || self.has(Switch::Pep442);
                if !self.process.heap.object(referent).shape.is_weakrefable() || !callable || !exists {
                    return None;
                }
                // The canonical weak reference is the answer if there is one.
                let shares = callback.is_none() && matches!(kind.shape, Shape::Ref | Shape::Proxy);
                let shared = if shares { self.process.heap.canonical(referent, kind.shape) } else { None };
                Some(Operands { shared: shared.unwrap_or(NIL) })
            }
            shape if shape.is_library_container() => self.has(Switch::Pep442).then_some(Operands { shared: NIL }),
            Shape::Method => {
                let function = self.resolve(items[0])?;
                let fits = self.process.heap.object(function).shape == Shape::Function;
                (fits && self.resolve(items[1]).is_some()).then_some(Operands { shared: NIL })
            }
            _ => Some(Operands { shared: NIL }),
        }
    }

    fn new_object(&mut self, pc: u32, dst: Place, kind: &Kind, items: &[Place; 2], operands: Operands) {
        if operands.shared != NIL {
            self.incref(operands.shared);
            self.keep(dst, operands.shared);
            return;
        }
        let parts = items.map(|place| if place.is_nothing() { NIL } else { self.resolve(place).unwrap_or(NIL) });
        let o = match kind.shape {
            shape if shape.is_library_container() => self.new_library_container(pc, shape),
            shape if shape.is_weak_container() => self.new_container(pc, shape),
            Shape::Finalize => self.new_finalize(pc, parts),
            Shape::ComposedFinalize => self.new_composed_finalize(pc, parts),
            _ => {
                let ty = self.type_of(pc, kind);
                self.create(pc, ty, parts)
            }
        };
        self.keep(dst, o);
    }

    /// Stores a new reference, or drops it if the place cannot take it.
    pub(super) fn keep(&mut self, dst: Place, o: Idx) {
        if !self.store(dst, o) {
            self.decref(o);
        }
    }

    /// The type of the objects that an operation creates, worked out when it creates the first.
    #[inline]
    pub(super) fn type_of(&mut self, pc: u32, kind: &Kind) -> u32 {
        let known = self.process.types[pc as usize];
        if known != NIL { known } else { self.find_type(pc, kind) }
    }

    fn find_type(&mut self, pc: u32, kind: &Kind) -> u32 {
        let plain = kind.shape as u32;
        let ty = if *kind == self.process.heap.type_at(plain).kind {
            self.process.rules.ask(self.plain_asks[plain as usize]);
            plain
        } else {
            self.process.heap.add_type(types::of(*kind, &self.process.rules))
        };
        self.process.types[pc as usize] = ty;
        ty
    }

    /// Creates an object of any shape but the composed ones, with one reference.
    pub(super) fn create(&mut self, pc: u32, ty: u32, parts: [Idx; 2]) -> Idx {
        let Type { kind, flags, slots, tracked } = *self.process.heap.type_at(ty);
        let shape = kind.shape;
        let held = match shape {
            Shape::Tuple => parts.iter().position(|part| *part == NIL).unwrap_or(2),
            Shape::Method => 2,
            Shape::Cell => 1,
            _ => 0,
        };
        let slots = if shape == Shape::Tuple { held as u32 } else { u32::from(slots) };
        let o = self.process.heap.create(ty, shape, flags, slots);
        for (slot, part) in parts[..held].iter().enumerate() {
            if *part != NIL {
                self.incref(*part);
                self.process.heap.set_raw(o, slot, *part);
            }
        }
        if shape == Shape::Function {
            self.fill_function(o, parts);
        }
        self.process.heap.detail_mut(o).origin = pc;
        let tracked = match shape {
            Shape::Tuple => self.tracks_tuple(&parts[..held]),
            _ => tracked,
        };
        if tracked && flags.has(Flag::HEADER) {
            self.process.heap.track(o);
        }
        let object = self.process.heap.id(o);
        self.sink.event(Event::New { object, origin: pc, role: Role::Named });
        if held > 0 || shape == Shape::Function {
            for slot in 0..slots {
                let part = self.process.heap.raw(o, slot as usize);
                if part != NIL {
                    self.report_store(o, slot as u8, part);
                }
            }
        }
        if shape.is_weakref() {
            self.bind_weakref(o, parts[0], parts[1]);
        }
        o
    }

    fn tracks_tuple(&self, items: &[Idx]) -> bool {
        let trackable = |item: &Idx| self.process.heap.object(*item).has(Flag::HEADER);
        !items.is_empty() && (self.has(Switch::TrackEveryTuple) || items.iter().any(trackable))
    }

    /// Makes a new weak reference object refer to its referent.
    pub(super) fn bind_weakref(&mut self, o: Idx, referent: Idx, callback: Idx) {
        if callback != NIL {
            self.incref(callback);
        }
        self.process.heap.link_weak(o, referent, callback);
        let heap = &self.process.heap;
        self.sink.event(Event::NewWeak {
            weak: heap.id(o),
            referent: heap.id(referent),
            callback: (callback != NIL).then(|| heap.id(callback)),
        });
    }

    /// Closure and defaults of a new function; what does not fit is left out.
    fn fill_function(&mut self, o: Idx, parts: [Idx; 2]) {
        for (slot, part) in parts.into_iter().enumerate() {
            if part == NIL || self.process.heap.object(part).shape != Shape::Tuple {
                continue;
            }
            let cells = (0..self.process.heap.object(part).len as usize)
                .all(|i| self.process.heap.object(self.process.heap.raw(part, i)).shape == Shape::Cell);
            if slot == 0 && (!cells || self.process.heap.object(part).len == 0) {
                continue;
            }
            self.incref(part);
            self.process.heap.set_raw(o, slot, part);
        }
    }

    fn set(&mut self, dst: Place, src: Place) -> bool {
        let value = self.resolve(src);
        if value.is_none() && !src.is_nothing() {
            return false;
        }
        let value = value.unwrap_or(NIL);
        if value != NIL {
            self.incref(value);
        }
        let stored = self.store(dst, value);
        if !stored && value != NIL {
            self.process.heap.take_reference_back(value);
        }
        stored
    }

    fn deref(&mut self, dst: Place, weak: Place) -> bool {
        let Some(weak) = self.resolve(weak) else { return false };
        if !self.process.heap.is_weak(weak) {
            return false;
        }
        let target = self.process.heap.weak(weak).referent;
        if self.process.heap.dangles(weak) {
            self.stop = Some(crate::event::Undefined::DanglingWeakref);
            return true;
        }
        let answer = if self.has(Switch::BugAnswerDying) && target != NIL {
            Some(target)
        } else {
            self.process.heap.answer(weak)
        };
        let referent = answer.map(|o| self.process.heap.id(o));
        self.sink.event(Event::Answer { weak: self.process.heap.id(weak), referent });
        if let Some(o) = answer {
            self.incref(o);
            self.keep(dst, o);
        }
        true
    }

    fn set_tracked(&mut self, place: Place, on: bool) -> bool {
        let Some(o) = self.resolve(place) else { return false };
        let object = *self.process.heap.object(o);
        if !object.shape.is_extension() || !object.has(Flag::HEADER) || object.has(Flag::TRACKED) == on {
            return false;
        }
        if on {
            self.process.heap.track(o)
        } else {
            self.process.heap.untrack(o)
        }
        true
    }

    /// Empties `gc.garbage` or `gc.callbacks`: detached first, then dropped from the last item to the first.
    fn drop_all(&mut self, garbage: bool) -> bool {
        let mut list = std::mem::take(if garbage {
            &mut self.process.interp.gc.garbage
        } else {
            &mut self.process.interp.gc.callbacks
        });
        let any = !list.is_empty();
        for &o in &list {
            self.push(Frame::Drop { o });
        }
        list.clear();
        let place = if garbage { &mut self.process.interp.gc.garbage } else { &mut self.process.interp.gc.callbacks };
        if place.is_empty() {
            *place = list;
        }
        any
    }

    /// The operation that created an object.
    pub(super) fn origin(&self, o: Idx) -> u32 {
        self.process.heap.detail(o).origin
    }
}
