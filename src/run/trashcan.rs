//! The trashcan: deallocators nested too deep are deferred (semantics 2.10).

use crate::collector::{Rules, Switch};
use crate::heap::{Flag, Idx, Object};
use crate::scenario::Shape;

/// Nesting at which 3.13 defers: its C recursion budget less what remains when the trashcan starts.
const BUDGET_LIMIT: u32 = 9946;
/// How far 3.13 unwinds before it drains.
const BUDGET_SLACK: u32 = 50;
/// Nesting at which 3.14 and later defer with an 8 MiB stack. The exact number depends on build and stack.
const STACK_LIMIT: u32 = 49_146;
/// How far 3.14 and later unwind before they drain.
const STACK_SLACK: u32 = 410;

/// Nesting of deallocators and the objects whose deallocation was deferred, last in first out.
#[derive(Clone, Debug, Default)]
pub(super) struct Trashcan {
    nesting: u32,
    later: Vec<(Idx, bool)>,
}

impl Trashcan {
    pub(super) fn reset(&mut self) {
        self.nesting = 0;
        self.later.clear();
    }

    /// True if the deallocator of this object takes part.
    pub(super) fn serves(object: &Object, rules: Rules) -> bool {
        if rules.has(Switch::TrashcanForAllTypes) {
            return object.has(Flag::HEADER);
        }
        object.has(Flag::HEADER)
            && (matches!(object.kind.shape, Shape::List | Shape::Tuple | Shape::Dict) || is_python_instance(object))
    }

    /// Enters the deallocator of an object that takes part; false if it must be deferred.
    #[inline]
    pub(super) fn enter(&mut self, o: Idx, object: &Object, rules: Rules) -> bool {
        let limit = if rules.has(Switch::TrashcanForAllTypes) {
            STACK_LIMIT
        } else if rules.has(Switch::TrashcanByBudget) {
            BUDGET_LIMIT
        } else if rules.has(Switch::TrashcanAt50) {
            50
        } else {
            u32::MAX
        };
        let twice = rules.has(Switch::TrashcanCountsInstancesTwice) && is_python_instance(object);
        if self.nesting + u32::from(twice) >= limit {
            if !rules.has(Switch::BugTrashcanForgets) {
                self.later.push((o, object.has(Flag::TRACKED)));
            }
            return false;
        }
        self.nesting += 1;
        true
    }

    /// Leaves a deallocator; true if the deferred ones must be drained now.
    #[inline]
    pub(super) fn leave(&mut self, object: &Object, rules: Rules) -> bool {
        self.nesting -= 1;
        if self.later.is_empty() {
            return false;
        }
        if rules.has(Switch::TrashcanForAllTypes) {
            self.nesting + STACK_SLACK < STACK_LIMIT
        } else if rules.has(Switch::TrashcanByBudget) {
            self.nesting + BUDGET_SLACK < BUDGET_LIMIT
        } else {
            let twice = rules.has(Switch::TrashcanCountsInstancesTwice) && is_python_instance(object);
            self.nesting == 0 && !twice
        }
    }

    /// The next deferred object, and whether it was tracked; draining counts as one level of nesting.
    pub(super) fn next(&mut self, first: bool) -> Option<(Idx, bool)> {
        if first {
            self.nesting += 1;
        }
        let next = self.later.pop();
        if next.is_none() {
            self.nesting -= 1;
        }
        next
    }
}

/// True for objects whose deallocator is that of Python classes.
pub(super) fn is_python_instance(object: &Object) -> bool {
    use Shape::*;
    matches!(object.kind.shape, Instance | Slotted | Bare | KeyedRef | WeakValueDict | WeakKeyDict | WeakSet | Finalize)
}
