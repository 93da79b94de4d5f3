//! The bits of an object's state: the ones that walks over the heap look at, in its record, and the rare ones elsewhere.

use super::object::Idx;

/// Makes a set of flags out of their names: each is the next bit of the word, so that no two are the same one.
macro_rules! flags {
    ($(#[doc = $about:literal])+ $set:ident: $word:ident, $number:ident { $($(#[doc = $doc:literal])+ $flag:ident,)+ }) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $set($word);

        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum $number { $($flag,)+ }

        impl $set {
            $($(#[doc = $doc])+ pub const $flag: $set = $set(1 << $number::$flag as u32);)+
            const COUNT: usize = [$($set::$flag,)+].len();
        }
    };
}

flags! {
    /// Bits of an object's state that collections, deallocators and snapshots read: they are in its record.
    ///
    /// The record has no room for more than 16. What a whole type has in common and is not asked for on a walk is a
    /// field of [`Type`](super::Type) instead; what few objects have, a [`RareFlag`].
    Flag: u16, Number {
        /// The type has the GC flag: there is a GC header.
        HEADER,
        /// Linked in one of the collector's lists.
        TRACKED,
        /// Member of the set that a running collection examines.
        COLLECTING,
        /// The finalized bit of the GC header.
        FINALIZED,
        /// The memory has been released.
        FREED,
        /// `tp_clear` has run.
        CLEARED,
        /// The type has `tp_clear` on this release.
        CLEARABLE,
        /// A legacy finalizer as the collector sees it.
        LEGACY,
        /// Set while a walk has the object as visited.
        MARK,
        /// Traverse visits less than all slots once each: look at the kind.
        UNFAITHFUL,
        /// An instance that keeps its attributes in a dict of its own, in slot 0.
        OWN_DICT,
        /// A temporary tuple that stands for the frame of a function: its slots are dropped from the first to the last.
        FRAME,
        /// There are weak references to it.
        WATCHED,
        /// The type has a finalizer on this release (`tp_finalize`, or `tp_del` of a Python class before 3.4).
        FINALIZES,
        /// Its death or `tp_clear` is not the plain one (a finalizer, an action, a flaw, a slot that is kept): look at
        /// the kind.
        SPECIAL,
    }
}

const _: () = assert!(Flag::COUNT <= 16, "there is room for 16 flags in an object's record");

impl Flag {
    /// No flag.
    pub const NONE: Flag = Flag(0);
    /// Every flag.
    pub const ALL: Flag = Flag(u16::MAX);

    /// Both flags.
    #[inline]
    pub const fn and(self, other: Flag) -> Flag {
        Flag(self.0 | other.0)
    }

    /// These flags without those of `other`.
    #[inline]
    pub(super) const fn without(self, other: Flag) -> Flag {
        Flag(self.0 & !other.0)
    }

    /// True if `other` (all of several) is among these flags.
    #[inline]
    pub const fn has(self, other: Flag) -> bool {
        self.0 & other.0 == other.0
    }

    /// True if one of `other` is among these flags.
    #[inline]
    pub const fn meets(self, other: Flag) -> bool {
        self.0 & other.0 != 0
    }

    /// The flag, or none.
    #[inline]
    pub const fn when(self, on: bool) -> Flag {
        if on { self } else { Flag::NONE }
    }
}

flags! {
    /// Bits of an object's state that few scenarios need: they are beside the records, and take no memory until one is set.
    RareFlag: u64, RareNumber {
        /// `traverse` has been called an odd number of times. Only types that are unfaithful count.
        ODD,
        /// A function that had a closure when it was cleared.
        LOST_CLOSURE,
        /// A dict that stands for a `set`: the collector does not untrack it.
        SET,
        /// Deallocation has passed the point of no return. Only a planted bug that looks at it sets it.
        DYING,
    }
}

const _: () = assert!(RareFlag::COUNT <= 64, "there is room for 64 rare flags");

/// The rare flags of all objects of a heap, up to the last object that has had one.
#[derive(Clone, Debug, Default)]
pub(super) struct RareFlags(Vec<u64>);

impl RareFlags {
    /// Forgets all of them and keeps the memory.
    pub fn reset(&mut self) {
        self.0.clear();
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<u64>()
    }

    /// True if an object has the flag.
    #[inline]
    pub fn has(&self, o: Idx, flag: RareFlag) -> bool {
        self.0.get(o as usize).is_some_and(|flags| flags & flag.0 != 0)
    }

    /// Sets the flag of an object.
    pub fn set(&mut self, o: Idx, flag: RareFlag) {
        *self.word(o) |= flag.0;
    }

    /// Turns the flag of an object over: whether it is set now.
    pub fn flip(&mut self, o: Idx, flag: RareFlag) -> bool {
        let word = self.word(o);
        *word ^= flag.0;
        *word & flag.0 != 0
    }

    /// An object's place in the arena goes to another object.
    pub fn forget(&mut self, o: Idx) {
        if let Some(flags) = self.0.get_mut(o as usize) {
            *flags = 0;
        }
    }

    fn word(&mut self, o: Idx) -> &mut u64 {
        let o = o as usize;
        if o >= self.0.len() {
            self.0.resize(o + 1, 0);
        }
        &mut self.0[o]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_flags_are_the_same_bit() {
        assert_eq!(Flag::HEADER.and(Flag::TRACKED).and(Flag::SPECIAL).0.count_ones(), 3);
        assert!(!Flag::OWN_DICT.meets(Flag::FRAME));
        assert!(Flag::ALL.has(Flag::HEADER.and(Flag::SPECIAL)));
    }

    #[test]
    fn rare_flags_are_of_one_object_until_its_place_is_given_away() {
        let mut flags = RareFlags::default();
        assert!(!flags.has(7, RareFlag::ODD));
        assert!(flags.flip(7, RareFlag::ODD) && flags.flip(3, RareFlag::ODD));
        flags.set(7, RareFlag::LOST_CLOSURE);
        assert!(flags.has(7, RareFlag::ODD) && flags.has(7, RareFlag::LOST_CLOSURE) && !flags.has(8, RareFlag::ODD));
        assert!(!flags.flip(7, RareFlag::ODD) && flags.has(7, RareFlag::LOST_CLOSURE));
        flags.forget(7);
        flags.forget(100);
        assert!(!flags.has(7, RareFlag::LOST_CLOSURE) && flags.has(3, RareFlag::ODD));
        flags.reset();
        assert!(!flags.has(3, RareFlag::ODD));
    }
}
