//! Places: the expressions that name objects.

use super::numbered::numbered;

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

numbered! {
    /// The bases without the variable: their numbers in the binary form and in the records of the probe.
    pub(super) enum BaseTag {
        Nothing,
        Var,
        Owner,
        Arg,
    }
}

impl Base {
    /// Which base it is, and the variable (0 if it is none).
    #[inline]
    pub(super) const fn parts(self) -> (BaseTag, u16) {
        match self {
            Base::Nothing => (BaseTag::Nothing, 0),
            Base::Var(var) => (BaseTag::Var, var),
            Base::Owner => (BaseTag::Owner, 0),
            Base::Arg => (BaseTag::Arg, 0),
        }
    }
}

/// An expression that names an object: a base, then at most two slots to follow.
///
/// In the text form `a`, `a[0]`, `self[1][0]`, `arg`, `None`. Following a slot that does not exist or is empty
/// gives nothing. Slots that can be followed: every slot named at [`Shape`](super::Shape). The referent of a weak
/// reference cannot be followed; use [`Op::Deref`](super::Op::Deref).
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
