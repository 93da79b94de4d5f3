//! Writes event streams by hand.

use crate::event::{Code, Event, ObjId, Role, Spot};
use crate::scenario::{Finalizer, Kind, Op, Place, Scenario, ScriptId, Shape, SlotSet};

/// A scenario and the events of a run, side by side.
pub(super) struct Stream {
    ops: Vec<Op>,
    scripts: Vec<Vec<Op>>,
    pub events: Vec<Event>,
    objects: u32,
}

/// A line of a snapshot.
pub(super) type Line = (ObjId, u32, Spot);

impl Stream {
    pub fn new() -> Stream {
        Stream { ops: Vec::new(), scripts: vec![vec![Op::Look]; 4], events: Vec::new(), objects: 0 }
    }

    pub fn scenario(&self) -> Scenario {
        let mut bodies = vec![self.ops.clone()];
        bodies.extend(self.scripts.iter().cloned());
        Scenario::from_bodies(&bodies)
    }

    /// Gives a script another body.
    pub fn script(&mut self, script: usize, ops: &[Op]) {
        self.scripts[script] = ops.to_vec();
    }

    /// An operation of the mutator.
    pub fn op(&mut self, op: Op) {
        self.events.push(Event::Step { op: self.ops.len() as u32 });
        self.ops.push(op);
    }

    /// An object of a kind, held by nothing yet.
    pub fn object(&mut self, kind: Kind) -> ObjId {
        self.op(Op::New { dst: Place::NOTHING, kind, items: [Place::NOTHING; 2] });
        self.part(Role::Named)
    }

    /// An object that the last operation creates besides.
    pub fn part(&mut self, role: Role) -> ObjId {
        let object = ObjId::from_index(self.objects);
        self.objects += 1;
        self.events.push(Event::New { object, origin: self.ops.len() as u32 - 1, role });
        object
    }

    /// Counts an object whose `New` was written by hand.
    pub fn count_object(&mut self) {
        self.objects += 1;
    }

    /// A plain node in a variable.
    pub fn node(&mut self, var: u16) -> ObjId {
        self.held(var, Kind::new(Shape::Node))
    }

    /// An object in a variable.
    pub fn held(&mut self, var: u16, kind: Kind) -> ObjId {
        let object = self.object(kind);
        self.var(var, Some(object));
        object
    }

    /// A node with a finalizer, in a variable.
    pub fn finalizable(&mut self, var: u16) -> ObjId {
        self.held(var, finalizable())
    }

    /// A node that can be called, in a variable.
    pub fn callable(&mut self, var: u16) -> ObjId {
        let mut kind = Kind::new(Shape::Node);
        kind.on_call = Some(ScriptId(1));
        self.held(var, kind)
    }

    /// A weak reference in a variable.
    pub fn weak(&mut self, var: u16, referent: ObjId, callback: Option<ObjId>) -> ObjId {
        let weak = self.object(Kind::new(Shape::Ref));
        self.events.push(Event::NewWeak { weak, referent, callback });
        self.var(var, Some(weak));
        weak
    }

    pub fn var(&mut self, var: u16, object: Option<ObjId>) {
        self.events.push(Event::StoreVar { var, object });
    }

    pub fn slot(&mut self, holder: ObjId, slot: u8, object: Option<ObjId>) {
        self.events.push(Event::StoreSlot { holder, slot, object });
    }

    pub fn enter(&mut self, code: Code, owner: ObjId, arg: Option<ObjId>) {
        self.events.push(Event::Enter { code, owner, arg });
    }

    pub fn leave(&mut self) {
        self.events.push(Event::Leave);
    }

    pub fn saw(&mut self, object: ObjId) {
        self.events.push(Event::Saw { object, introspection: false });
    }

    pub fn answer(&mut self, weak: ObjId, referent: Option<ObjId>) {
        self.events.push(Event::Answer { weak, referent });
    }

    pub fn unraisable(&mut self, owner: ObjId) {
        self.events.push(Event::Unraisable { owner });
    }

    /// A snapshot: objects, then weak references.
    pub fn snapshot(&mut self, objects: &[Line], weaks: &[(ObjId, Option<ObjId>, bool)]) {
        self.events.push(Event::Snapshot);
        for (object, refcount, spot) in objects.iter().copied() {
            self.events.push(Event::State { object, refcount, spot, finalized: false });
        }
        for (weak, referent, callback) in weaks.iter().copied() {
            self.events.push(Event::Weak { weak, referent, callback });
        }
    }

    /// An explicit full collection starts.
    pub fn collect(&mut self, objects: &[Line], weaks: &[(ObjId, Option<ObjId>, bool)]) {
        self.op(Op::Collect { generation: 2 });
        self.events.push(Event::CollectStart { generation: 2, automatic: false });
        self.snapshot(objects, weaks);
    }

    pub fn collected(&mut self, returned: u32, objects: &[Line], weaks: &[(ObjId, Option<ObjId>, bool)]) {
        self.events.push(Event::CollectEnd { generation: 2, returned, uncollectable: 0 });
        self.snapshot(objects, weaks);
    }

    pub fn clear(&mut self, object: ObjId) {
        self.events.push(Event::Clear { object });
    }

    /// The object dies.
    pub fn die(&mut self, object: ObjId) {
        self.events.push(Event::Dealloc { object });
        self.events.push(Event::Free { object });
    }

    pub fn end(&mut self, objects: &[Line], weaks: &[(ObjId, Option<ObjId>, bool)]) {
        self.events.push(Event::End);
        self.snapshot(objects, weaks);
    }
}

/// A node with a finalizer.
pub(super) fn finalizable() -> Kind {
    let mut kind = Kind::new(Shape::Node);
    kind.finalizer = Some(Finalizer::Modern(ScriptId(0)));
    kind
}

/// A node whose deallocator runs script 2.
pub(super) fn acting() -> Kind {
    let mut kind = Kind::new(Shape::Node);
    kind.on_dealloc = Some(ScriptId(2));
    kind
}

/// A node with some hidden slots.
pub(super) fn hidden(slots: u8) -> Kind {
    let mut kind = Kind::new(Shape::Node);
    kind.hidden = SlotSet(slots);
    kind
}
