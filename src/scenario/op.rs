//! Operations: everything that a mutator or a script can do, one entry each.
//!
//! Every operation is total. An operation whose operands do not exist does nothing and is counted
//! ([`crate::event::Event::NoEffect`]).

use super::kind::Kind;

/// Highest number of variables.
pub const MAX_VARS: u16 = 1024;
/// Highest index of a slot in a path.
pub const MAX_SLOT: u8 = 63;
/// No further step in a path.
const END: u8 = 0xff;

/// Where a path starts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Base {
    /// Nothing: reads as `None`; storing to it drops the stored reference at once.
    Nothing,
    /// A variable: an owner that no collector can see (a C global). Every script can see every variable.
    Var(u16),
    /// The object whose script runs (`self`): the object being finalized or deallocated, or the called object.
    /// Nothing in the mutator's body.
    Owner,
    /// The argument of the running script (`arg`): the weak reference handed to a callback. Nothing elsewhere.
    Arg,
}

/// An expression that names an object: a base, then at most two slots to follow.
///
/// In the text form `a`, `a[0]`, `self[1][0]`, `arg`, `None`. Following a slot that does not exist or is empty
/// gives nothing. Slots that can be followed: every slot named at [`Shape`](super::Shape). The referent of a weak
/// reference cannot be followed; use [`Op::Deref`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Place {
    /// Where the path starts.
    pub base: Base,
    path: [u8; 2],
}

impl Place {
    /// The place that is nothing.
    pub const NOTHING: Place = Place { base: Base::Nothing, path: [END; 2] };

    /// A variable.
    pub const fn var(index: u16) -> Place {
        Place { base: Base::Var(index), path: [END; 2] }
    }

    /// A base without path.
    pub const fn of(base: Base) -> Place {
        Place { base, path: [END; 2] }
    }

    /// This place followed by one more slot; a path of two slots stays as it is.
    #[must_use]
    #[inline]
    pub const fn slot(mut self, slot: u8) -> Place {
        debug_assert!(slot <= MAX_SLOT);
        let slot = if slot < MAX_SLOT { slot } else { MAX_SLOT };
        match (self.base, self.path) {
            (Base::Nothing, _) => {}
            (_, [END, _]) => self.path[0] = slot,
            (_, [_, END]) => self.path[1] = slot,
            _ => {}
        }
        self
    }

    /// The slots to follow, 0 to 2 of them.
    #[inline]
    pub fn path(&self) -> &[u8] {
        match self.path {
            [END, _] => &[],
            [_, END] => &self.path[..1],
            _ => &self.path,
        }
    }

    /// True if there is no slot to follow.
    #[inline]
    pub const fn is_bare(&self) -> bool {
        self.path[0] == END
    }

    /// The last slot to follow; a number above [`MAX_SLOT`] for a bare base.
    #[inline]
    pub(crate) const fn last(&self) -> u8 {
        if self.is_full() { self.path[1] } else { self.path[0] }
    }

    /// Splits off the last slot: the place of the holder and the slot. `None` for a bare base.
    #[inline]
    pub fn split(&self) -> Option<(Place, u8)> {
        if self.path[1] != END {
            Some((Place { base: self.base, path: [self.path[0], END] }, self.path[1]))
        } else if self.path[0] != END {
            Some((Place { base: self.base, path: [END; 2] }, self.path[0]))
        } else {
            None
        }
    }

    /// True if the path has as many slots as it can have.
    #[inline]
    pub const fn is_full(&self) -> bool {
        self.path[1] != END
    }

    /// True for [`Place::NOTHING`].
    pub const fn is_nothing(&self) -> bool {
        matches!(self.base, Base::Nothing)
    }
}

/// The shape of a graph built by [`Op::Build`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Bulk {
    /// Each object's slot 0 is the object built before it; the place gets the last.
    Chain,
    /// A chain whose first object's slot 1 is the last object.
    Ring,
    /// A binary tree: slots 0 and 1 of object i are objects 2i+1 and 2i+2; the place gets object 0.
    Tree,
    /// Every object has a slot 0 edge to itself and slot 1 to the object before; the place gets the last.
    Knots,
}

impl Bulk {
    /// Every bulk shape, in the order of the binary form. Append only.
    pub const ALL: [Bulk; 4] = [Bulk::Chain, Bulk::Ring, Bulk::Tree, Bulk::Knots];

    /// The word of the text form.
    pub const fn word(self) -> &'static str {
        match self {
            Bulk::Chain => "chain",
            Bulk::Ring => "ring",
            Bulk::Tree => "tree",
            Bulk::Knots => "knots",
        }
    }
}

/// One operation. The order of the variants is the order of the binary form: append only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Op {
    /// `dst = Kind(items...)`: creates an object and stores it. Items by shape: tuple, its items up to the first
    /// nothing; function, closure and defaults; method, function and self; cell, content; weak reference, referent
    /// and callback (nothing: none); finalize, referent and callable. Without effect if a required item is nothing (referent of a
    /// weak reference or finalize; function and self of a method) or has the wrong shape (referent not weakly
    /// referenceable, callback not callable, closure or defaults not a tuple: the last two become empty instead).
    New {
        /// Where the new object goes. If the place does not exist the object is created and dropped.
        dst: Place,
        /// The type of the object.
        kind: Kind,
        /// What it is made of.
        items: [Place; 2],
    },
    /// `dst = src`: stores a new strong reference, then drops the old content. `src` may be nothing: `del dst`.
    /// Without effect if both contents are nothing, if `dst` does not exist or is immutable, or a non-empty `src`
    /// names nothing.
    Set {
        /// A variable or a slot.
        dst: Place,
        /// The object to store.
        src: Place,
    },
    /// `dst = weak()`: calls a weak reference (for a proxy: asks it for its referent). If it answers, the result
    /// is stored as by `Set`; if it answers `None` nothing is stored. A `dst` of nothing drops the result.
    Deref {
        /// Where a live referent goes.
        dst: Place,
        /// The weak reference.
        weak: Place,
    },
    /// `look()`: walks everything reachable from `self`, `arg` and the variables by strong references, hidden ones
    /// included, depth first in slot order, and reports each object once.
    Look,
    /// `scan()`: reports every object that `gc.get_objects()` returns, in its order.
    Scan,
    /// `collect(generation)`: an explicit collection of generation 0, 1 or 2.
    Collect {
        /// 0 to 2.
        generation: u8,
    },
    /// `collect_at_allocation(after, generation)`: the `after`-th allocation of a GC object from now (1 = the next)
    /// starts a collection as automatic ones start: inside the allocation up to 3.11, at the end of the running
    /// mutator operation from 3.12 on. Replaces an earlier request that is still waiting.
    CollectAtAllocation {
        /// 1 to 255; 0 cancels.
        after: u8,
        /// 0 to 2.
        generation: u8,
    },
    /// `place()`: calls a callable object with no argument.
    Call {
        /// The object to call.
        callable: Place,
    },
    /// `raise`: ends the running script with an exception, which is reported as unraisable. Without effect in the
    /// mutator's body.
    Raise,
    /// `gc.enable()`
    Enable,
    /// `gc.disable()`: the state in which every scenario starts.
    Disable,
    /// `gc.set_threshold(a, b, c)`.
    SetThreshold {
        /// The three thresholds.
        thresholds: [u16; 3],
    },
    /// `gc.freeze()`. Without effect before 3.7.
    Freeze,
    /// `gc.unfreeze()`. Without effect before 3.7.
    Unfreeze,
    /// `gc.set_debug(DEBUG_SAVEALL)` or `gc.set_debug(0)`.
    SaveAll {
        /// On or off.
        on: bool,
    },
    /// `del gc.garbage[:]`: from the last item to the first.
    EmptyGarbage,
    /// `gc.callbacks.append(callable)`. Its script runs at the start and at the end of each collection.
    /// Without effect before 3.3.
    AddGcCallback {
        /// The object to call.
        callable: Place,
    },
    /// `del gc.callbacks[:]`.
    EmptyGcCallbacks,
    /// `track(place)`: tracks an untracked extension object (tail of generation 0).
    Track {
        /// The object.
        object: Place,
    },
    /// `untrack(place)`: untracks a tracked extension object.
    Untrack {
        /// The object.
        object: Place,
    },
    /// `repeat(times, SCRIPT)`: runs a script's body as part of this one, with the same `self` and `arg`.
    /// Without effect outside the mutator's own body, so that it cannot nest.
    Repeat {
        /// 0 to 255.
        times: u8,
        /// The body to run.
        script: super::ScriptId,
    },
    /// `dst = shape(count, Kind(...))`: builds a graph of `count` objects of one kind (an extension shape).
    Build {
        /// Where the graph's handle goes.
        dst: Place,
        /// The graph.
        bulk: Bulk,
        /// The type of the objects.
        kind: Kind,
        /// 1 to 16,777,215.
        count: u32,
    },
    /// `len(place)`: reports the length of a weak container.
    Len {
        /// The container.
        container: Place,
    },
    /// `iterate(container, SCRIPT)`: iterates over the live entries of a weak container and runs the body once per
    /// entry, with the entry as `arg`, as part of this operation. The container's guard against removal is in force
    /// meanwhile. Without effect outside the mutator's own body.
    Iterate {
        /// The container.
        container: Place,
        /// The body to run.
        script: super::ScriptId,
    },
}

impl Op {
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
