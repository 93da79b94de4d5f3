//! Shapes of what the collector has in its lists, and of what it calls: frozen and untracked objects, long chains, edges to
//! types, entries of `gc.callbacks`, collections inside callbacks.

use super::super::builder::Builder;
use super::super::feature::Feature;
use super::super::pending_scripts::ScriptRole;
use super::{ARG, FORGET, LOOK};
use crate::scenario::{Kind, Op, Shape, SlotSet, Tracking};

impl Builder<'_> {
    pub(super) fn collect_in_callback(&mut self) {
        let generation = self.random.below(3) as u8;
        let called = self.called(&[Op::Collect { generation }, Op::Look]);
        let callback = self.new_var(called, [None, None]);
        let kind = self.finalized(&[]);
        let dying = self.new_var(kind, [None, None]);
        if self.random.chance(64) {
            self.cycle(dying);
        }
        let shape = [Shape::Ref, Shape::Ref, Shape::KeyedRef, Shape::Proxy][self.random.index(4)];
        self.new_var(Kind::new(shape), [Some(dying), Some(callback)]);
        if self.random.chance(144) {
            self.drop_spot(dying);
        }
    }

    pub(super) fn frozen_trash(&mut self) {
        let kind = self.finalized(&LOOK);
        let frozen = self.new_var(kind, [None, None]);
        self.cycle(frozen);
        match self.random.below(4) {
            0 => {
                self.new_var(Kind::new(Shape::Proxy), [Some(frozen), None]);
            }
            1 => {
                let called = self.called(&LOOK);
                let callback = self.new_var(called, [None, None]);
                self.new_var(self.finalize_kind(), [Some(frozen), Some(callback)]);
            }
            _ => {
                self.watch(frozen, None);
            }
        }
        if self.random.chance(192) {
            self.drop_spot(frozen);
        }
        self.op(Op::Freeze);
        self.op(Op::Collect { generation: 2 });
        if self.random.chance(176) {
            self.op(Op::Unfreeze);
        }
    }

    pub(super) fn callback_removes(&mut self) {
        let first = self.called(&[Op::EmptyGcCallbacks]);
        let first = self.new_var(first, [None, None]);
        let second = self.called(&LOOK);
        let second = self.new_var(second, [None, None]);
        let order = if self.random.chance(160) { [first, second] } else { [second, first] };
        for callable in order {
            self.op(Op::AddGcCallback { callable: callable.place });
        }
        self.op(Op::Collect { generation: self.configuration.rounds as u8 % 3 });
    }

    pub(super) fn watched_chain(&mut self) {
        // Instances go through the trashcan up to 3.13; nodes do not.
        let instance = self.has(Feature::Instances) && self.random.chance(160);
        let mut kind = self.finalized(&LOOK);
        if instance {
            kind.shape = Shape::Instance;
        }
        let deepest = self.new_var(kind, [None, None]);
        let callback = if self.random.chance(160) {
            let called = self.called(&[Op::Deref { dst: FORGET, weak: ARG }, Op::Look]);
            Some(self.new_var(called, [None, None]))
        } else {
            None
        };
        let watch = self.watch(deepest, callback);
        let kind = match self.random.chance(96) && !instance {
            true => Kind::new(Shape::List),
            false if instance => Kind::new(Shape::Instance),
            false => self.member(),
        };
        let next = self.new_var(kind, [None, None]);
        self.link(next, 0, deepest);
        let link = [
            Op::New { dst: next.place, kind, items: [FORGET; 2] },
            Op::Set { dst: next.place.slot(0), src: deepest.place },
            Op::Set { dst: deepest.place, src: next.place },
        ];
        let script = self.plan_fixed(ScriptRole::Body, &link);
        if !instance {
            self.op(Op::Repeat { times: self.configuration.survival.min(255) as u8 / 2 + 60, script });
            return;
        }
        // The deepest object is put off at a depth of 50; what the outermost one holds besides is dropped before that ends.
        let times = self.random.range(46, 52) as u8;
        self.op(Op::Repeat { times, script });
        let probe = self.finalized(&[Op::Deref { dst: FORGET, weak: watch.place }]);
        self.at(next, 1, probe);
        self.drop_spot(deepest);
        self.drop_spot(next);
    }

    pub(super) fn untracked_link(&mut self) {
        let mut kind = Kind::new(Shape::Node);
        kind.tracking = Tracking::Untracked;
        let hidden = self.new_var(kind, [None, None]);
        let kind = self.member();
        let seen = self.new_var(kind, [None, None]);
        self.link(seen, 0, hidden);
        self.link(hidden, 0, seen);
        self.watch(seen, None);
        match self.random.below(4) {
            0 => self.op(Op::Track { object: hidden.place }),
            1 => self.op(Op::Untrack { object: seen.place }),
            _ => {}
        }
    }

    pub(super) fn type_edge(&mut self) {
        let kind = self.member();
        let class = self.new_var(kind, [None, None]);
        let mut kind = Kind::new(Shape::Typed);
        if self.random.chance(96) {
            kind.hidden = SlotSet(0b1000);
        }
        self.add_code(&mut kind, 64);
        let instance = self.new_var(kind, [None, None]);
        self.link(instance, 3, class);
        self.link(class, 0, instance);
        self.watch(class, None);
    }
}
