//! Shapes of weak dictionaries: entries that are replaced, values that reach their keys.

use super::super::builder::Builder;
use super::super::pending_scripts::ScriptRole;
use super::FORGET;
use crate::scenario::{Kind, Op, Shape};

impl Builder<'_> {
    pub(super) fn stale_entry(&mut self) {
        let shape = [Shape::WeakValueDict, Shape::WeakKeyDict, Shape::WeakSet][self.random.index(3)];
        let container = self.new_var(self.container_kind(shape), [None, None]);
        let kind = self.member();
        let replacement = self.new_var(kind, [None, None]);
        let store = Op::Set { dst: container.place.slot(0), src: replacement.place };
        let finalizes = self.random.chance(128);
        let raises = finalizes && self.random.chance(96);
        let (dying, callback) = if finalizes {
            let last = if raises { Op::Raise } else { Op::Len { container: container.place } };
            let kind = self.finalized(&[store, last]);
            (self.new_var(kind, [None, None]), None)
        } else {
            let kind = self.member();
            let dying = self.new_var(kind, [None, None]);
            let called = self.called(&[store]);
            (dying, Some(self.new_var(called, [None, None])))
        };
        // Newest first: a callback made after the entry runs before the container's own.
        let late = !raises && self.random.chance(96);
        if !late && callback.is_some() {
            self.watch(dying, callback);
        }
        self.link(container, 0, dying);
        if late && callback.is_some() {
            self.watch(dying, callback);
        }
        if !raises && self.random.chance(160) {
            self.cycle(dying);
        }
        if late {
            self.drop_spot(dying);
            self.op(Op::Collect { generation: 2 });
        }
        let ops = [Op::Set { dst: dying.place, src: FORGET }, Op::Collect { generation: 2 }];
        let script = self.plan_fixed(ScriptRole::Entry, &ops);
        if self.random.chance(64) {
            self.op(Op::Freeze);
        }
        if self.random.chance(160) {
            self.op(Op::Iterate { container: container.place, script });
        }
        self.op(Op::Len { container: container.place });
    }

    pub(super) fn ephemeron(&mut self) {
        let container = self.new_var(Kind::new(Shape::WeakKeyDict), [None, None]);
        let kind = self.member();
        let key = self.new_var(kind, [None, None]);
        self.link(container, 0, key);
        if self.random.chance(128) {
            self.cycle(key);
        }
        self.drop_spot(key);
        self.op(Op::Len { container: container.place });
    }
}
