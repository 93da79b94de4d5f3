//! Shapes that lead to undefined behaviour: for the profile `unsafe` only.

use super::super::builder::Builder;
use super::super::heap_estimate::Target;
use super::super::pending_scripts::ScriptRole;
use super::{FORGET, LOOK, OWNER};
use crate::scenario::{DeallocFlaws, Kind, Op, Place, Shape, SlotSet};

impl Builder<'_> {
    pub(super) fn over_reported(&mut self) {
        let kind = self.member();
        let alive = self.new_var(kind, [None, None]);
        let mut kind = Kind::new(Shape::Node);
        kind.doubled = if self.random.chance(128) { SlotSet(0b0010) } else { SlotSet::ALL };
        let liar = self.new_var(kind, [None, None]);
        self.link(liar, 0, liar);
        self.link(liar, 1, alive);
        let keep = self.heap.fresh();
        self.set(Target::var(keep), Some(alive));
        let callback = self.callable();
        self.watch(liar, Some(callback));
    }

    pub(super) fn tracked_at_death(&mut self) {
        let mut kind = Kind::new(Shape::Node);
        kind.flaws = DeallocFlaws { keeps_tracked: true, keeps_weakrefs: self.random.chance(64) };
        let generation = self.random.below(3) as u8;
        let inside = self.random.chance(128);
        if inside {
            kind.on_dealloc = Some(self.plan_fixed(ScriptRole::Dealloc, &[Op::Collect { generation }]));
        }
        let dying = self.new_var(kind, [None, None]);
        if !inside {
            let called = self.called(&[Op::Collect { generation }]);
            let callback = self.new_var(called, [None, None]);
            self.watch(dying, Some(callback));
        }
        self.drop_spot(dying);
    }

    pub(super) fn cleared_function(&mut self) {
        let keep = Place::var(self.keep());
        let mut kind = Kind::new(Shape::Function);
        kind.on_call = Some(self.plan_fixed(ScriptRole::Callable, &LOOK));
        let cell = self.new_var(Kind::new(Shape::Cell), [None, None]);
        let closure = self.new_var(Kind::new(Shape::Tuple), [Some(cell), None]);
        let function = self.new_var(kind, [Some(closure), None]);
        self.link(cell, 0, function);
        let make = Op::New { dst: keep, kind: Kind::new(Shape::Ref), items: [OWNER.slot(2), FORGET] };
        let kind = self.finalized(&[make]);
        let holder = self.new_var(kind, [None, None]);
        self.cycle(holder);
        self.link(holder, 2, function);
        let found = Place::var(self.heap.fresh_keep());
        self.surprise(holder, &[Op::Deref { dst: found, weak: keep }, Op::Call { callable: found }]);
        self.drop_spot(function);
    }
}
