//! User code that runs inside other user code.

use super::super::builder::Builder;
use super::super::pending_scripts::ScriptRole;
use super::{FORGET, LOOK};
use crate::scenario::{Finalizer, Kind, Op, Shape};

impl Builder<'_> {
    /// A legacy finalizer that runs because a callback or a finalizer drops its object.
    pub(super) fn legacy_inside(&mut self) {
        let collects = self.random.chance(96);
        let ops = if collects { [Op::Collect { generation: 2 }] } else { LOOK };
        let mut kind = Kind::new(Shape::Node);
        kind.finalizer = Some(Finalizer::Legacy(self.plan_fixed(ScriptRole::Finalizer, &ops)));
        let legacy = self.new_var(kind, [None, None]);
        let drop = [Op::Set { dst: legacy.place, src: FORGET }];
        let dying = if self.random.chance(128) {
            let called = self.called(&drop);
            let callback = self.new_var(called, [None, None]);
            let kind = self.member();
            let dying = self.new_var(kind, [None, None]);
            self.watch(dying, Some(callback));
            dying
        } else {
            let kind = self.finalized(&drop);
            self.new_var(kind, [None, None])
        };
        // What a collection runs drops it, or what the mutator does: a collection inside the legacy finalizer starts only
        // where none runs.
        if !collects || self.random.chance(64) {
            self.cycle(dying);
            self.drop_spot(dying);
            self.op(Op::Collect { generation: 2 });
        } else {
            self.drop_spot(dying);
        }
    }

    /// Objects whose user code calls or drops the one before, and the last one dies or is called.
    pub(super) fn deep_nesting(&mut self) {
        let mut innermost_first = Op::Look;
        for _ in 0..self.random.range(7, 11) {
            let ops = [innermost_first];
            innermost_first = match self.random.below(4) {
                0 => {
                    let kind = self.called(&ops);
                    Op::Call { callable: self.new_var(kind, [None, None]).place }
                }
                1 => {
                    let mut kind = Kind::new(Shape::Node);
                    kind.on_dealloc = Some(self.plan_fixed(ScriptRole::Dealloc, &ops));
                    Op::Set { dst: self.new_var(kind, [None, None]).place, src: FORGET }
                }
                _ => {
                    let kind = self.finalized(&ops);
                    Op::Set { dst: self.new_var(kind, [None, None]).place, src: FORGET }
                }
            };
        }
        let kind = self.finalized(&[innermost_first]);
        let outermost = self.new_var(kind, [None, None]);
        if self.random.chance(128) {
            self.cycle(outermost);
            self.drop_spot(outermost);
            self.op(Op::Collect { generation: 2 });
        } else {
            self.drop_spot(outermost);
        }
    }
}
