//! How the mutator's body ends: roots are dropped, what collections left is looked at, and the last ones are full.

use super::builder::Builder;
use super::feature::Feature;
use super::heap_estimate::Traits;
use crate::scenario::{Op, Place};

impl Builder<'_> {
    /// Drops most variables, in some order, sometimes with something in between.
    pub fn drop_roots(&mut self) {
        let count = self.heap.vars();
        let start = self.random.index(count);
        let backwards = self.random.chance(96);
        let (mut var, step) = (start, if backwards { count - 1 } else { 1 });
        for _ in 0..count {
            var += step;
            var -= if var < count { 0 } else { count };
            let Some(thing) = self.heap.content(var as u16) else { continue };
            let thing = self.heap.thing(thing);
            let survival = if thing.is(Traits::WEAK_CONTAINER) {
                224
            } else if thing.is(Traits::WEAKREF) {
                self.configuration.survival / 2 + 128
            } else if thing.on_call.is_some() {
                self.configuration.survival / 2 + 48
            } else {
                self.configuration.survival
            };
            if !self.random.chance(survival) {
                if self.random.chance(12) {
                    self.collect();
                }
                self.drop_var(var as u16);
            }
        }
        if self.has(Feature::AtAllocation) && self.random.chance(128) {
            self.op(Op::CollectAtAllocation { after: 1, generation: self.configuration.rounds as u8 % 3 });
            self.new_object();
        }
    }

    /// What is left after a collection is looked at, dropped or linked again.
    pub(super) fn after(&mut self) {
        for _ in 0..self.random.below(3) {
            match self.random.below(8) {
                0 | 1 => self.deref(),
                2 => self.op(Op::Look),
                3 => self.collect(),
                4 if self.has(Feature::Iteration) => self.iterate(),
                5 if self.has(Feature::WeakDicts) || self.has(Feature::WeakSets) => self.len(),
                _ => self.touch_keep(),
            }
        }
    }

    /// Uses what scripts kept: drops it, links to it, or reads it as a weak reference.
    fn touch_keep(&mut self) {
        let Some(var) = self.random.pick(&self.heap.kept) else { return };
        if self.plans.is_empty() {
            return;
        }
        let keep = Place::var(var);
        match self.random.below(8) {
            0..=4 => self.op(Op::Set { dst: keep, src: Place::NOTHING }),
            5 => self.op(Op::Deref { dst: Place::NOTHING, weak: keep }),
            6 => {
                let slot = self.random.below(2) as u8;
                self.op(Op::Set { dst: keep.slot(slot), src: keep });
            }
            _ => {
                let target = self.heap.slot_target(&mut self.random);
                if let Some(target) = target {
                    self.op(Op::Set { dst: target.place, src: keep });
                }
            }
        }
    }

    /// The last collections, which are always full, and a look at what they left.
    pub(super) fn finish(&mut self) {
        if self.random.chance(48) {
            self.collect();
            self.after();
        }
        self.limit += 14;
        self.op(Op::Collect { generation: 2 });
        if self.random.chance(128) {
            self.after();
            for i in 0..self.heap.kept.len() {
                if !self.plans.is_empty() && self.random.chance(96) {
                    let keep = Place::var(self.heap.kept[i]);
                    self.op(Op::Set { dst: keep, src: Place::NOTHING });
                }
            }
            let vars = self.heap.held();
            for _ in 0..vars.min(2) {
                if let Some(spot) = self.heap.any_held(&mut self.random)
                    && self.random.chance(96)
                {
                    self.drop_spot(spot);
                }
            }
        }
        if self.random.chance(224) {
            self.op(Op::Collect { generation: 2 });
        }
    }
}
