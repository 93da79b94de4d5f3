//! Weak containers and `weakref.finalize`.

use super::Exec;
use crate::event::Sink;
use crate::heap::Idx;
use crate::scenario::{Kind, Place, ScriptId};

/// What weak containers remember besides their objects.
#[derive(Clone, Debug, Default)]
pub(super) struct Containers {}

impl Containers {
    pub(super) fn reset(&mut self) {}
}

impl<S: Sink> Exec<'_, S> {
    pub(super) fn new_container(&mut self, pc: u32, kind: Kind) -> Idx {
        self.create(pc, kind, [crate::heap::NIL; 2])
    }

    pub(super) fn new_finalize(&mut self, pc: u32, kind: Kind, _parts: [Idx; 2]) -> Idx {
        self.create(pc, kind, [crate::heap::NIL; 2])
    }

    pub(super) fn store_entry(&mut self, _holder: Idx, _slot: u8, _value: Idx) -> bool {
        false
    }

    pub(super) fn container_freed(&mut self, _o: Idx) {}

    pub(super) fn length(&mut self, _container: Place) -> bool {
        false
    }

    pub(super) fn iterate(&mut self, _container: Place, _script: ScriptId) -> bool {
        false
    }

    pub(super) fn iterate_step(&mut self, _container: Idx, _script: ScriptId, _next: u32) {}
}
