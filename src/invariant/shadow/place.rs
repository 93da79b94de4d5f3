//! Reads places of operations against the shadow heap.

use super::{NONE, Shadow};
use crate::event::Role;
use crate::scenario::{Base, Place, Shape};

impl Shadow {
    /// What a place names now, for the code that runs now.
    pub(crate) fn resolve(&self, place: Place) -> u32 {
        let mut at = match place.base {
            Base::Nothing => NONE,
            Base::Var(v) => self.vars.get(v as usize).copied().unwrap_or(NONE),
            Base::Owner => self.frames.last().map_or(NONE, |f| f.owner),
            Base::Arg => self.frames.last().map_or(self.iter_arg, |f| f.arg),
        };
        for slot in place.path() {
            at = self.read_slot(at, *slot);
        }
        at
    }

    fn read_slot(&self, holder: u32, slot: u8) -> u32 {
        let Some(mut object) = self.at(holder) else { return NONE };
        if object.facts.shape == Shape::Instance
            && let Some(dict) = self.at(object.slots[0]).filter(|o| o.facts.role == Role::InstanceDict)
        {
            object = dict;
        }
        match object.slots.get(slot as usize) {
            Some(edge) => *edge,
            None => self.graph().more(object).and_then(|m| m.get(slot as usize)).map_or(NONE, |e| *e),
        }
    }
}
