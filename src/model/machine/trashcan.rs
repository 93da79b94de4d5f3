//! The trashcan: deallocators nested too deep are deferred.

use crate::model::collector::{Rules, Switch};
use crate::model::heap::{Flag, Idx, Object};
use crate::scenario::{Property, Shape, Shapes};

/// Nesting at which 3.13 defers: its C recursion budget less what remains when the trashcan starts.
const BUDGET_LIMIT: u32 = 9946;
/// How far 3.13 unwinds before it drains.
const BUDGET_SLACK: u32 = 50;
/// Nesting at which 3.14 and later defer with an 8 MiB stack. The exact number depends on build and stack.
const STACK_LIMIT: u32 = 49_146;
/// How far 3.14 and later unwind before they drain.
const STACK_SLACK: u32 = 410;

/// The least nesting from which on any release defers.
pub(super) const LEAST_LIMIT: u32 = 50;
/// The switches that say how deep deallocators nest, and what is done then.
pub(super) const SWITCHES: Rules = Rules::NONE
    .with(Switch::TrashcanForAllTypes)
    .with(Switch::TrashcanByBudget)
    .with(Switch::TrashcanAt50)
    .with(Switch::TrashcanCountsInstancesTwice)
    .with(Switch::BugTrashcanForgets);

/// Shapes whose deallocator is that of Python classes.
const INSTANCES: Shapes = Shapes::having(Property::SubtypeDealloc);
/// Shapes whose deallocator has always taken part.
const CONTAINERS: Shapes = Shapes::having(Property::BuiltinContainer);

/// Nesting of deallocators and the objects whose deallocation was deferred, last in first out. What the release says
/// about it is worked out once, because every death asks.
#[derive(Clone, Debug)]
pub(super) struct Trashcan {
    nesting: u32,
    later: Vec<(Idx, bool)>,
    /// Shapes whose deallocators take part if they have a GC header.
    served: Shapes,
    /// Shapes that count twice and never drain.
    twice: Shapes,
    /// Nesting from which on deallocation is deferred.
    limit: u32,
    /// Nesting below which deferred deallocations are made.
    drain_below: u32,
    forgets: bool,
}

impl Trashcan {
    pub(super) fn new(rules: Rules) -> Trashcan {
        let (limit, drain_below) = if rules.has(Switch::TrashcanForAllTypes) {
            (STACK_LIMIT, STACK_LIMIT - STACK_SLACK)
        } else if rules.has(Switch::TrashcanByBudget) {
            (BUDGET_LIMIT, BUDGET_LIMIT - BUDGET_SLACK)
        } else if rules.has(Switch::TrashcanAt50) {
            (LEAST_LIMIT, 1)
        } else {
            (u32::MAX, 1)
        };
        Trashcan {
            nesting: 0,
            later: Vec::new(),
            served: if rules.has(Switch::TrashcanForAllTypes) { Shapes::ALL } else { INSTANCES.and(CONTAINERS) },
            twice: if rules.has(Switch::TrashcanCountsInstancesTwice) { INSTANCES } else { Shapes::NONE },
            limit,
            drain_below,
            forgets: rules.has(Switch::BugTrashcanForgets),
        }
    }

    pub(super) fn reset(&mut self) {
        self.nesting = 0;
        self.later.clear();
    }

    /// Bytes of memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.later.capacity() * size_of::<(Idx, bool)>()
    }

    /// True if the deallocator of this object takes part.
    #[inline]
    pub(super) fn serves(&self, object: &Object) -> bool {
        object.has(Flag::HEADER) && self.served.has(object.shape)
    }

    /// True if the deallocator of this object would be deferred now.
    pub(super) fn puts_off(&self, object: &Object) -> bool {
        self.serves(object) && self.is_full(object)
    }

    #[inline]
    fn is_full(&self, object: &Object) -> bool {
        self.nesting + u32::from(self.twice.has(object.shape)) >= self.limit
    }

    /// Enters the deallocator of an object that takes part; false if it must be deferred.
    #[inline]
    pub(super) fn enter(&mut self, o: Idx, object: &Object) -> bool {
        if self.is_full(object) {
            if !self.forgets {
                self.later.push((o, object.has(Flag::TRACKED)));
            }
            return false;
        }
        self.nesting += 1;
        true
    }

    /// Leaves a deallocator; true if the deferred ones must be drained now.
    #[inline]
    pub(super) fn leave(&mut self, shape: Shape) -> bool {
        self.nesting -= 1;
        !self.later.is_empty() && self.drains_now(shape)
    }

    fn drains_now(&self, shape: Shape) -> bool {
        // Only the trashcan with the fixed limit knows types that never drain.
        self.nesting < self.drain_below && (self.drain_below != 1 || !self.twice.has(shape))
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

/// True if the deallocator untracks the object before anything else, or if it makes no difference when it does.
pub(super) fn untracks_first(object: &Object) -> bool {
    is_python_instance(object) || CONTAINERS.has(object.shape) && !object.has(Flag::SPECIAL)
}

/// True for objects whose deallocator is that of Python classes.
#[inline]
pub(super) fn is_python_instance(object: &Object) -> bool {
    INSTANCES.has(object.shape)
}
