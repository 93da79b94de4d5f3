//! Shapes of weak references to trash, in trash and around it.

use super::super::builder::Builder;
use super::super::heap_estimate::Target;
use super::super::pending_scripts::ScriptRole;
use super::{FORGET, LOOK, OWNER};
use crate::scenario::{Kind, Op, Place, Shape, Tracking};

impl Builder<'_> {
    pub(super) fn blind_owner(&mut self) {
        let called = self.called(&LOOK);
        let early = self.random.chance(208);
        let target = if early { Some(self.new_var(called, [None, None])) } else { None };
        let kind = self.member();
        let owner = self.new_var(kind, [None, None]);
        let target = match target {
            Some(target) => target,
            None => self.new_var(called, [None, None]),
        };
        self.cycle(owner);
        let referent = if self.random.chance(96) {
            let mut kind = Kind::new(Shape::Node);
            kind.tracking = Tracking::NoHeader;
            self.at(owner, 1, kind)
        } else {
            let blind = self.blind();
            let middle = self.at(owner, 1, blind);
            let kind = if self.random.chance(64) { self.blind() } else { self.member() };
            self.at(middle, 0, kind)
        };
        self.watch_at(owner, 2, referent, Some(target));
        self.join(target, 0, owner);
        if self.random.chance(48) {
            self.link(owner, 3, target);
        }
    }

    pub(super) fn function_chain(&mut self) {
        let cell = self.new_var(Kind::new(Shape::Cell), [None, None]);
        let closure = self.new_var(Kind::new(Shape::Tuple), [Some(cell), None]);
        let mut kind = Kind::new(Shape::Function);
        kind.on_call = Some(self.plan_fixed(ScriptRole::Callable, &LOOK));
        let function = self.new_var(kind, [Some(closure), None]);
        let data = self.new_var(Kind::new(Shape::Dict), [None, None]);
        self.link(cell, 0, data);
        let blind = self.blind();
        let field = self.new_var(blind, [None, None]);
        let kind = self.member();
        let referent = self.at(field, 0, kind);
        self.create(Target::slot(data, 0), Kind::new(Shape::KeyedRef), [Some(referent), Some(function)]);
        if self.random.chance(128) {
            self.create(Target::slot(data, 1), Kind::new(Shape::Tuple), [Some(field), None]);
        } else {
            self.link(data, 1, field);
        }
        self.drop_spot(field);
    }

    pub(super) fn trash_callback(&mut self) {
        let kind = self.called(&LOOK);
        let target = self.new_var(kind, [None, None]);
        let kind = self.member();
        let first = self.new_var(kind, [None, None]);
        let kind = self.member();
        let second = self.at(first, 0, kind);
        self.link(second, 0, first);
        if self.random.chance(160) {
            self.watch_at(first, 1, second, Some(target));
        } else {
            self.watch(second, Some(target));
        }
        self.join(target, 0, first);
        if self.random.chance(64) {
            self.link(first, 2, target);
        }
    }

    pub(super) fn live_watch(&mut self) {
        let kind = self.member();
        let seen = self.new_var(kind, [None, None]);
        self.cycle(seen);
        let weak = self.watch(seen, None);
        let keep = Place::var(self.keep());
        let dst = if self.random.chance(96) { keep } else { FORGET };
        self.surprise(seen, &[Op::Deref { dst, weak: weak.place }, Op::Look]);
    }

    pub(super) fn late_weakref(&mut self) {
        let keep = Place::var(self.keep());
        let result = if self.random.chance(112) { Place::var(self.heap.fresh_keep()) } else { FORGET };
        let calls = self.random.chance(72);
        let (shape, callback) = if calls {
            ([Shape::Ref, Shape::KeyedRef, Shape::Proxy][self.random.index(3)], OWNER.slot(3))
        } else {
            (Shape::Ref, FORGET)
        };
        let make = Op::New { dst: keep, kind: Kind::new(shape), items: [OWNER, callback] };
        let read = Op::Deref { dst: result, weak: keep };
        let seen = if self.random.chance(64) {
            // The root that the finalizer drops takes the place of the blind box.
            let kind = self.finalized(&[read, Op::Look]);
            let other = self.new_var(kind, [None, None]);
            let kind = self.finalized(&[make, Op::Set { dst: other.place, src: FORGET }]);
            let seen = self.new_var(kind, [None, None]);
            self.cycle(seen);
            self.join(seen, 2, other);
            seen
        } else {
            let kind = self.finalized(&[make]);
            let seen = self.new_var(kind, [None, None]);
            self.cycle(seen);
            self.surprise(seen, &[read, Op::Look]);
            seen
        };
        if calls {
            let called = self.called(&LOOK);
            self.at(seen, 3, called);
        }
    }

    pub(super) fn self_watch(&mut self) {
        let resurrect = self.random.chance(112);
        let kind = if resurrect {
            let keep = Place::var(self.heap.fresh_own_keep());
            self.finalized(&[Op::Set { dst: keep, src: OWNER }])
        } else {
            self.member()
        };
        let called = self.called(&LOOK);
        let callback = self.new_var(called, [None, None]);
        let seen = self.new_var(kind, [None, None]);
        if self.random.chance(160) {
            self.cycle(seen);
        }
        let inside = self.random.below(3);
        if inside != 0 {
            self.watch_at(seen, 1, seen, Some(callback));
        }
        if inside != 1 {
            self.watch(seen, Some(callback));
        }
        if self.random.chance(96) {
            self.watch(seen, None);
        }
    }

    pub(super) fn keyed_owner(&mut self) {
        let kind = self.member();
        let referent = self.new_var(kind, [None, None]);
        let callback = if self.random.chance(128) { Some(self.callable()) } else { None };
        let weak = self.new_var(Kind::new(Shape::KeyedRef), [Some(referent), callback]);
        self.link(weak, 0, referent);
        if self.random.chance(96) {
            self.link(referent, 0, weak);
        }
        self.drop_spot(referent);
        self.drop_spot(weak);
    }

    pub(super) fn shared_ref_in_trash(&mut self) {
        let kind = self.member();
        let alive = self.new_var(kind, [None, None]);
        let kind = self.member();
        let trash = self.new_var(kind, [None, None]);
        self.link(trash, 0, trash);
        self.create(Target::slot(trash, 1), Kind::new(Shape::Ref), [Some(alive), None]);
        self.drop_spot(trash);
        let generation = self.random.below(3) as u8;
        self.op(Op::CollectAtAllocation { after: 1, generation });
        self.watch(alive, None);
    }
}
