//! Reading and changing the operands of operations without caring which operation it is.

use super::{Finalizer, Kind, Op, Place, ScriptId};

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
    /// The kind that a `New` or `Build` creates.
    pub fn kind(&self) -> Option<&Kind> {
        match self {
            Op::New { kind, .. } | Op::Build { kind, .. } => Some(kind),
            _ => None,
        }
    }

    /// The place that the operation stores to, if it is one that stores.
    pub fn target(&self) -> Option<Place> {
        match *self {
            Op::New { dst, .. } | Op::Set { dst, .. } | Op::Deref { dst, .. } | Op::Build { dst, .. } => Some(dst),
            _ => None,
        }
    }

    /// Calls `change` on every place of the operation, in the order of the text form: target first.
    pub fn for_each_place(&mut self, mut change: impl FnMut(&mut Place)) {
        match self {
            Op::New { dst, items, .. } => {
                change(dst);
                items.iter_mut().for_each(change);
            }
            Op::Set { dst, src } => {
                change(dst);
                change(src);
            }
            Op::Deref { dst, weak } => {
                change(dst);
                change(weak);
            }
            Op::Build { dst: place, .. }
            | Op::Call { callable: place }
            | Op::AddGcCallback { callable: place }
            | Op::Track { object: place }
            | Op::Untrack { object: place }
            | Op::Len { container: place }
            | Op::Iterate { container: place, .. } => change(place),
            Op::Look
            | Op::Scan
            | Op::Collect { .. }
            | Op::CollectAtAllocation { .. }
            | Op::Raise
            | Op::Enable
            | Op::Disable
            | Op::SetThreshold { .. }
            | Op::Freeze
            | Op::Unfreeze
            | Op::SaveAll { .. }
            | Op::EmptyGarbage
            | Op::EmptyGcCallbacks
            | Op::Repeat { .. } => {}
        }
    }

    /// Calls `change` on every script the operation names, in the order of the text form. An operation that cannot
    /// be without its script (`repeat`, `iterate`) keeps it when the answer is `None`, and the result is false.
    pub fn map_scripts(&mut self, mut change: impl FnMut(ScriptId) -> Option<ScriptId>) -> bool {
        match self {
            Op::New { kind, .. } | Op::Build { kind, .. } => kind.map_scripts(change),
            Op::Repeat { script, .. } | Op::Iterate { script, .. } => match change(*script) {
                Some(other) => *script = other,
                None => return false,
            },
            _ => {}
        }
        true
    }
}
