//! Scripts that were promised while the mutator's body was written, and are written when all variables are known.

use crate::scenario::{Op, ScriptId};

/// When a script runs, which decides what it may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ScriptRole {
    /// `self` is being finalized.
    Finalizer,
    /// `self` is the called object; `arg` may be a weak reference.
    Callable,
    /// `self` is dying for good.
    Dealloc,
    /// Part of the mutator's body.
    Body,
    /// Runs per entry of a weak container; `arg` is the entry.
    Entry,
    /// Builds a large graph, once per object: nothing is added to it.
    Builder,
}

/// A script that was promised.
#[derive(Clone, Copy, Debug)]
pub(super) struct PendingScript {
    pub role: ScriptRole,
    /// It may run more than once for one object, because there is no bit to remember that it has run.
    pub again: bool,
    /// The script of more than one object.
    pub shared: bool,
    /// The first object whose script it is, as far as is known.
    pub owner: Option<u16>,
    /// A variable that only this script stores to.
    pub keep: Option<u16>,
    /// Where its prescribed operations are, and how many.
    fixed: (u16, u8),
}

/// Every promise of one scenario.
#[derive(Debug, Default)]
pub(super) struct PendingScripts {
    list: Vec<PendingScript>,
    fixed: Vec<Op>,
    /// The latest script of each role without prescribed operations.
    latest: [Option<ScriptId>; 6],
}

impl PendingScripts {
    pub fn clear(&mut self) {
        self.list.clear();
        self.fixed.clear();
        self.latest = [None; 6];
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn plan(&self, number: usize) -> &PendingScript {
        &self.list[number]
    }

    /// The prescribed operations of a script.
    pub fn fixed(&self, plan: &PendingScript) -> &[Op] {
        &self.fixed[plan.fixed.0 as usize..][..plan.fixed.1 as usize]
    }

    /// Promises a script.
    pub fn promise(&mut self, role: ScriptRole, keep: Option<u16>, ops: &[Op]) -> ScriptId {
        let fixed = (self.fixed.len() as u16, ops.len() as u8);
        self.fixed.extend_from_slice(ops);
        let script = ScriptId(self.list.len() as u8);
        self.list.push(PendingScript { role, again: false, shared: false, owner: None, keep, fixed });
        if ops.is_empty() {
            self.latest[role as usize] = Some(script);
        }
        script
    }

    /// The script of a role that was promised last, of those without prescribed operations.
    pub fn latest(&self, role: ScriptRole) -> Option<ScriptId> {
        self.latest[role as usize]
    }

    /// Says that an object has the script; `again` if its finalizer may run more than once.
    pub fn owned_by(&mut self, script: ScriptId, thing: u16, again: bool) {
        if let Some(plan) = self.list.get_mut(script.0 as usize) {
            plan.shared = plan.owner.is_some();
            plan.owner.get_or_insert(thing);
            plan.again |= again;
        }
    }

    /// Says that many objects have the script.
    pub fn owned_by_many(&mut self, script: ScriptId, again: bool) {
        if let Some(plan) = self.list.get_mut(script.0 as usize) {
            plan.shared = true;
            plan.again |= again;
        }
    }
}
