//! Shapes of finalizers and deallocators: what they save, kill, hold back or look at.

use super::super::builder::Builder;
use super::super::feature::Feature;
use super::super::pending_scripts::ScriptRole;
use super::{FORGET, LOOK, OWNER};
use crate::scenario::{Clear, Finalizer, Kind, Op, Place, Shape, Tracking};

impl Builder<'_> {
    pub(super) fn local_resurrection(&mut self) {
        let keep = Place::var(self.heap.fresh_own_keep());
        let part = OWNER.slot(self.random.below(2) as u8);
        let src = if self.random.chance(64) { part } else { OWNER };
        let kind = self.finalized(&[Op::Set { dst: keep, src }]);
        let first = self.new_var(kind, [None, None]);
        self.cycle(first);
        for i in 0..self.random.range(1, 3) {
            let kind = self.member();
            let neighbour = self.new_var(kind, [None, None]);
            self.link(neighbour, 0, neighbour);
            match self.random.below(4) {
                0 => self.link(first, i as u8 + 1, neighbour),
                1 | 2 => self.link(neighbour, 1, first),
                _ => {}
            }
            if self.random.chance(96) {
                self.watch(neighbour, None);
            }
        }
    }

    pub(super) fn half_cleared(&mut self) {
        let mut kind = self.member();
        if kind.shape.is_extension() && self.random.chance(112) {
            kind.clear = Clear::Missing;
        }
        let first = self.new_var(kind, [None, None]);
        let kind = self.member();
        let second = self.at(first, 0, kind);
        self.link(second, 0, first);
        let ops = if self.random.chance(144) { [Op::Scan] } else { LOOK };
        self.surprise(second, &ops);
        if self.random.chance(96) {
            let kind = self.member();
            self.at(first, 2, kind);
        }
    }

    pub(super) fn legacy_holder(&mut self) {
        let mut kind = Kind::new(Shape::Node);
        kind.finalizer = Some(Finalizer::Legacy(self.plan_fixed(ScriptRole::Finalizer, &LOOK)));
        let holder = self.new_var(kind, [None, None]);
        self.cycle(holder);
        let kind = self.finalized(&LOOK);
        let held_back = self.at(holder, 1, kind);
        let kind = self.member();
        let free = self.new_var(kind, [None, None]);
        self.link(free, 1, holder);
        self.link(free, 0, free);
        let seen = if self.random.chance(128) { holder } else { held_back };
        self.watch(seen, None);
    }

    pub(super) fn dealloc_looks(&mut self) {
        let kind = self.member();
        let inner = self.new_var(kind, [None, None]);
        let mut kind = self.member();
        kind.shape = Shape::Node;
        kind.on_dealloc = Some(self.plan_fixed(ScriptRole::Dealloc, &LOOK));
        let outer = self.new_var(kind, [None, None]);
        self.link(outer, 0, inner);
        self.join(inner, 0, outer);
    }

    pub(super) fn first_kills_second(&mut self) {
        let kind = self.finalized(&[Op::Set { dst: OWNER.slot(1), src: FORGET }]);
        let first = self.new_var(kind, [None, None]);
        let kind = self.finalized(&LOOK);
        let second = self.at(first, 1, kind);
        if self.random.chance(128) {
            self.link(first, 0, first);
        }
        self.link(second, 0, first);
        if self.random.chance(128) {
            let callback = self.callable();
            self.watch(second, Some(callback));
        }
    }

    pub(super) fn finalize_again(&mut self) {
        let keep = self.heap.fresh_own_keep();
        let script = self.plan_fixed(ScriptRole::Finalizer, &[Op::Set { dst: Place::var(keep), src: OWNER }]);
        let bare = self.has(Feature::Bare) || self.random.chance(96);
        let mut kind = Kind::new(if bare { Shape::Bare } else { Shape::Node });
        if !bare {
            kind.tracking = Tracking::NoHeader;
        }
        kind.finalizer = Some(Finalizer::Modern(script));
        let dying = self.new_var(kind, [None, None]);
        self.drop_spot(dying);
        for _ in 0..self.random.range(1, 3) {
            self.op(Op::Set { dst: Place::var(keep), src: FORGET });
        }
    }
}
