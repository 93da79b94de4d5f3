//! Reading and changing the operands of operations without caring which operation it is.

use std::convert::Infallible;

use super::operand::Operand;
use super::{Base, Finalizer, Kind, Op, Place, ScriptId};

impl Kind {
    /// Calls `change` on every script the kind names: finalizer, call, dealloc. Answering `None` drops the reference.
    pub fn map_scripts(&mut self, mut change: impl FnMut(ScriptId) -> Option<ScriptId>) {
        self.finalizer = match self.finalizer {
            Some(Finalizer::Modern(script)) => change(script).map(Finalizer::Modern),
            Some(Finalizer::Legacy(script)) => change(script).map(Finalizer::Legacy),
            None => None,
        };
        self.on_call = self.on_call.and_then(&mut change);
        self.on_dealloc = self.on_dealloc.and_then(&mut change);
    }
}

impl Op {
    /// Calls `visit` with the operands in the order of the table of operations.
    #[inline]
    pub(crate) fn for_each_operand<'a>(&'a mut self, mut visit: impl FnMut(Operand<'a>)) {
        let Ok(()) = self.operands(|operand| {
            visit(operand);
            Ok::<(), Infallible>(())
        });
    }

    /// The kind of what the operation creates, to be changed.
    pub fn kind_mut(&mut self) -> Option<&mut Kind> {
        let mut found = None;
        self.for_each_operand(|operand| {
            if let Operand::Kind(kind) | Operand::Graph(kind) = operand {
                found = Some(kind);
            }
        });
        found
    }

    /// The place that the operation stores to, if it is one that stores.
    pub fn target(&self) -> Option<Place> {
        let (mut copy, mut found) = (*self, None);
        copy.for_each_operand(|operand| {
            if let Operand::Target(place) | Operand::Assigned(place) = operand {
                found = Some(*place);
            }
        });
        found
    }

    /// The place that the operation stores what it makes or reads to, to be changed; not that of a
    /// [`Set`](Op::Set), which stores what is there.
    pub fn result_mut(&mut self) -> Option<&mut Place> {
        let mut found = None;
        self.for_each_operand(|operand| {
            if let Operand::Target(place) = operand {
                found = Some(place);
            }
        });
        found
    }

    /// One more than the highest variable that the operation names.
    pub fn vars(&self) -> u16 {
        let mut vars = 0;
        let mut copy = *self;
        copy.for_each_place(|place| {
            if let Base::Var(var) = place.base {
                vars = vars.max(var.saturating_add(1));
            }
        });
        vars
    }
}
