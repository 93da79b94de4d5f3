//! Instances of subclasses of `weakref.ref` that die: their deallocator untracks them first and unlinks them from their
//! referent last, and what happens between meets them half dead. Real interpreters crash, so behaviour is undefined.

use super::super::builder::Builder;
use super::super::pending_scripts::ScriptRole;
use super::LOOK;
use crate::scenario::{Finalizer, Kind, Op, Shape};

impl Builder<'_> {
    pub(super) fn dying_weakref(&mut self) {
        if self.random.chance(128) { self.collect_at_weakref_death() } else { self.weakref_dies_with_referent() }
    }

    /// The collection finds the referent to be trash, and has to call the callback of what is dying.
    fn collect_at_weakref_death(&mut self) {
        let kind = self.member();
        let referent = self.new_var(kind, [None, None]);
        let collecting = self.called(&[Op::Collect { generation: 2 }]);
        let collecting = self.new_var(collecting, [None, None]);
        let dying = self.new_var(Kind::new(Shape::KeyedRef), [Some(referent), Some(collecting)]);
        if self.random.chance(128) {
            self.watch(dying, Some(collecting));
        } else {
            let mut kind = Kind::new(Shape::Node);
            let script = self.plan_fixed(ScriptRole::Finalizer, &[Op::Collect { generation: 2 }]);
            kind.finalizer = Some(Finalizer::Modern(script));
            self.at(dying, 0, kind);
        }
        self.cycle(referent);
        self.drop_spot(referent);
        self.drop_spot(dying);
    }

    /// The referent dies with what is dying, and has other weak references: the callback that is not there is released
    /// up to 3.12.
    fn weakref_dies_with_referent(&mut self) {
        let kind = self.member();
        let referent = self.new_var(kind, [None, None]);
        let called = self.called(&LOOK);
        let callback = self.new_var(called, [None, None]);
        let dying = self.new_var(Kind::new(Shape::KeyedRef), [Some(referent), None]);
        self.watch(referent, Some(callback));
        self.link(dying, 0, referent);
        self.drop_spot(referent);
        self.drop_spot(dying);
    }
}
