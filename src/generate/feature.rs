//! Features: what a scenario may contain. A configuration is mostly the set of features that are on.

use std::fmt;

use crate::bits::Bits;

macro_rules! features {
    ($($(#[doc = $doc:literal])* $name:ident $word:literal,)*) => {
        /// Something that scenarios may contain or not.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum Feature {
            $($(#[doc = $doc])* $name,)*
        }

        impl Feature {
            /// Every feature, in the order in which configurations draw them. Append only.
            pub const ALL: &'static [Feature] = &[$(Feature::$name,)*];

            /// The word for reports.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Feature::$name => $word,)*
                }
            }
        }
    };
}

features! {
    /// Extension objects without GC header.
    NoHeader "no-header",
    /// Slots that `traverse` does not report.
    Hidden "hidden",
    /// Extension types without `tp_clear`.
    ClearMissing "clear-missing",
    /// Extension types whose `tp_clear` keeps some slots.
    ClearPartial "clear-partial",
    /// Objects with a GC header that start untracked, and the operations `track` and `untrack`.
    Untracked "untracked",
    /// Instances of heap types, with the edge to the type.
    Typed "typed",
    /// Weak references.
    Weakrefs "weakrefs",
    /// Weak references with callbacks.
    Callbacks "callbacks",
    /// Weak proxies.
    Proxies "proxies",
    /// Instances of a subclass of `weakref.ref`.
    KeyedRefs "keyed-refs",
    /// Finalizers.
    Finalizers "finalizers",
    /// User code that stores objects which are about to die.
    Resurrection "resurrection",
    /// User code that makes weak references.
    LateWeakrefs "late-weakrefs",
    /// User code that drops variables.
    RootDrops "root-drops",
    /// Deallocators that run user code.
    DeallocActions "dealloc-actions",
    /// Legacy finalizers.
    Legacy "legacy",
    /// User code that creates objects.
    Creation "creation",
    /// User code that raises.
    Raises "raises",
    /// Introspection by `gc.get_objects()`.
    Scans "scans",
    /// Calls of callable objects.
    Calls "calls",
    /// Collections inside user code.
    Nested "nested",
    /// Collections started by the n-th allocation.
    AtAllocation "at-allocation",
    /// Automatic collections by low thresholds.
    Automatic "automatic",
    /// Lists.
    Lists "lists",
    /// Dicts.
    Dicts "dicts",
    /// Tuples.
    Tuples "tuples",
    /// Closure cells.
    Cells "cells",
    /// Python functions.
    Functions "functions",
    /// Bound methods.
    Methods "methods",
    /// Instances of Python classes with a dict.
    Instances "instances",
    /// Instances of Python classes with slots.
    Slotted "slotted",
    /// Instances of Python classes without slots.
    Bare "bare",
    /// `WeakValueDictionary` and `WeakKeyDictionary`.
    WeakDicts "weak-dicts",
    /// `WeakSet`.
    WeakSets "weak-sets",
    /// `weakref.finalize`.
    Finalize "finalize",
    /// Iteration over weak containers.
    Iteration "iteration",
    /// `DEBUG_SAVEALL`.
    SaveAll "save-all",
    /// `gc.freeze()` and `gc.unfreeze()`.
    Freeze "freeze",
    /// `gc.callbacks`.
    GcCallbacks "gc-callbacks",
    /// `repeat`: bodies that run several times, and long chains made by them.
    Repeats "repeats",
    /// Graphs of many objects built at once.
    Bulk "bulk",
    /// Shapes of historic bugs, decorated at random.
    Planted "planted",
    /// `traverse` that reports a slot twice.
    OverReporting "over-reporting",
    /// `traverse` that reports a slot on odd calls only.
    Fickle "fickle",
    /// Deallocators that forget to untrack or to clear weak references.
    DeallocFlaws "dealloc-flaws",
    /// Dealloc actions that keep the dying object.
    KeptDying "kept-dying",
    /// Calls of functions that a collection may have cleared.
    ClearedCalls "cleared-calls",
}

impl Feature {
    /// True if scenarios with this feature can reach undefined behaviour.
    pub const fn is_unsafe(self) -> bool {
        matches!(
            self,
            Feature::OverReporting
                | Feature::Fickle
                | Feature::DeallocFlaws
                | Feature::KeptDying
                | Feature::ClearedCalls
        )
    }
}

const _: () = assert!(Feature::ALL.len() <= 128, "there is room for 128 features");

/// A set of features.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Features(Bits<2>);

impl Features {
    /// No feature.
    pub const NONE: Features = Features(Bits::NONE);

    /// True if the feature is in the set.
    #[inline]
    pub const fn has(self, feature: Feature) -> bool {
        self.0.has(feature as usize)
    }

    /// The set with the feature.
    #[must_use]
    #[inline]
    pub const fn with(self, feature: Feature) -> Features {
        Features(self.0.with(feature as usize))
    }

    /// The set with the features whose bits are given.
    #[must_use]
    #[inline]
    pub(super) const fn and_words(self, words: [u64; 2]) -> Features {
        Features(self.0.union(Bits::from_words(words)))
    }

    /// The features that are in both sets.
    #[must_use]
    #[inline]
    pub(super) const fn both(self, other: Features) -> Features {
        Features(self.0.intersection(other.0))
    }

    /// A bit for each feature, those of the first 64 in the first word.
    #[inline]
    pub(super) const fn words(self) -> [u64; 2] {
        self.0.words()
    }

    /// One more than the number of the last feature; 0 if there is none.
    #[inline]
    pub(super) const fn end(self) -> usize {
        let [low, high] = self.0.words();
        if high == 0 { 64 - low.leading_zeros() as usize } else { 128 - high.leading_zeros() as usize }
    }

    /// The features of the set, in order.
    pub fn iter(self) -> impl Iterator<Item = Feature> {
        self.0.iter().map(|number| Feature::ALL[number])
    }
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, feature) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(feature.word())?;
        }
        Ok(())
    }
}
