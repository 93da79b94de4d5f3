//! Writes event streams by hand.

use crate::event::{Code, Event, ObjId, Role, Spot};
use crate::scenario::{Finalizer, Kind, Op, Place, Scenario, ScriptId, Shape, SlotSet};

/// A scenario and the events of a run, side by side.
pub(super) struct Stream {
    ops: Vec<Op>,
    scripts: Vec<Vec<Op>>,
    pub events: Vec<Event>,
    /// Of each object, the operation that made it.
    origins: Vec<u32>,
    /// What collections are that start.
    pub generation: u8,
    pub automatic: bool,
    /// What is written happens inside of a script: no operation of the mutator starts.
    pub in_script: bool,
    /// What plain nodes are instead, and plain weak references.
    pub node_shape: Shape,
    pub weak_shape: Shape,
}

/// A line of a snapshot.
pub(super) type Line = (ObjId, u32, Spot);

impl Stream {
    pub fn new() -> Stream {
        Stream {
            ops: Vec::new(),
            scripts: vec![vec![Op::Look]; 4],
            events: Vec::new(),
            origins: Vec::new(),
            generation: 2,
            automatic: false,
            in_script: false,
            node_shape: Shape::Node,
            weak_shape: Shape::Ref,
        }
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
        if !self.in_script {
            self.events.push(Event::Step { op: self.ops.len() as u32 });
        }
        self.ops.push(op);
    }

    /// An object of a kind, held by nothing yet.
    pub fn object(&mut self, kind: Kind) -> ObjId {
        self.op(Op::New { dst: Place::NOTHING, kind, items: [Place::NOTHING; 2] });
        self.part(Role::Named)
    }

    /// An object that the last operation creates besides.
    pub fn part(&mut self, role: Role) -> ObjId {
        self.created(self.ops.len() as u32 - 1, role)
    }

    /// An object that belongs to another one, made later.
    pub fn part_of(&mut self, whole: ObjId, role: Role) -> ObjId {
        self.created(self.origins[whole.index()], role)
    }

    fn created(&mut self, origin: u32, role: Role) -> ObjId {
        let object = ObjId::from_index(self.origins.len() as u32);
        self.origins.push(origin);
        self.events.push(Event::New { object, origin, role });
        object
    }

    /// A plain node in a variable.
    pub fn node(&mut self, var: u16) -> ObjId {
        self.held(var, Kind::new(self.node_shape))
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
        self.weak_of(self.weak_shape, var, referent, callback)
    }

    /// A weak reference of any kind in a variable.
    pub fn weak_of(&mut self, shape: Shape, var: u16, referent: ObjId, callback: Option<ObjId>) -> ObjId {
        let weak = self.object(Kind::new(shape));
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

    /// A collection starts, full and explicit unless the stream says otherwise.
    pub fn collect(&mut self, objects: &[Line], weaks: &[(ObjId, Option<ObjId>, bool)]) {
        let (generation, automatic) = (self.generation, self.automatic);
        self.op(if automatic { Op::Look } else { Op::Collect { generation } });
        self.events.push(Event::CollectStart { generation, automatic });
        self.snapshot(objects, weaks);
    }

    pub fn collected(&mut self, returned: u32, objects: &[Line], weaks: &[(ObjId, Option<ObjId>, bool)]) {
        self.events.push(Event::CollectEnd { generation: self.generation, returned, uncollectable: 0 });
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
