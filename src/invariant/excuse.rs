//! What a release does on purpose: conditions, the releases they hold for, and where that is written.

use crate::subject::Release;

macro_rules! whys {
    ($($(#[$doc:meta])* $why:ident: $from:expr, $to:expr, $source:literal;)*) => {
        /// A condition under which an invariant is broken on purpose.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum Excuse {
            /// Not documented anywhere.
            Unknown,
            $($(#[$doc])* $why,)*
        }

        impl Excuse {
            /// Every condition.
            pub const ALL: &'static [Excuse] = &[$(Excuse::$why),*];

            /// How many values there are, that of no condition included.
            pub(crate) const COUNT: usize = Excuse::ALL.len() + 1;

            /// The first release it holds for, and the first one for which it does not any more.
            pub const fn releases(self) -> (Option<Release>, Option<Release>) {
                match self {
                    Excuse::Unknown => (None, None),
                    $(Excuse::$why => ($from, $to),)*
                }
            }

            /// Where it is written: an issue or a document.
            pub const fn source(self) -> &'static str {
                match self {
                    Excuse::Unknown => "not documented",
                    $(Excuse::$why => $source,)*
                }
            }
        }
    };
}

const fn at(major: u8, minor: u8, patch: u8) -> Option<Release> {
    Some(Release::new(major, minor, patch))
}

whys! {
    /// Objects found by introspection may be cleared ones.
    Introspection: None, None, "bpo-38006, msg353867, item 3";
    /// Callbacks run before finalizers in a collection, after them on the refcount path.
    CallbacksFirst: None, None, "bpo-40312";
    /// A finalizer run by the collector saves an object whose callbacks have run and weak references are dead.
    Resurrection: None, None, "PEP 442; gc_weakref.txt";
    /// Before 3.4, weak references die and their callbacks run before `__del__` does.
    DelAfterWeakrefs: None, at(3, 4, 0), "PEP 442, before which __del__ ran after weak references were cleared";
    /// `gc.DEBUG_SAVEALL` keeps what was finalized and whose weak references were cleared.
    SaveAll: None, None, "gc.DEBUG_SAVEALL, documentation of gc";
    /// Objects with legacy finalizers, and what they reach, are kept and listed in `gc.garbage`.
    LegacyFinalizer: None, None, "documentation of gc.garbage; PEP 442";
    /// Before 3.4 every `__del__` is a legacy finalizer.
    DelUncollectable: None, at(3, 4, 0), "bpo-18112, PEP 442";
    /// Before 3.0 the collector does not look for finalizers of static C types: objects that have one are cleared like
    /// any other, and it runs when they die of that.
    StaticFinalizer: None, at(3, 0, 0), "has_finalizer in gcmodule.c of 2.7";
    /// Without GC header there is no bit to remember that the finalizer ran.
    NoFinalizedBit: None, None, "PEP 442; documentation of PyObject_CallFinalizer";
    /// Before 3.4 nothing remembers that `__del__` ran.
    NoBitBefore34: None, at(3, 4, 0), "PEP 442";
    /// `tp_del` has no bit and runs at each death.
    LegacyEachTime: None, None, "PEP 442, section on legacy finalizers";
    /// Classes that add no storage had no GC header.
    EmptySlots: None, at(3, 9, 1), "bpo-41984";
    /// Functions have no `tp_clear`.
    FunctionWithoutClear: None, at(3, 8, 0), "bpo-33418";
    /// Instances could not report their type.
    TypeEdge: None, at(3, 9, 0), "bpo-40217";
    /// Weak references that are trash themselves are cleared whatever they refer to.
    TrashWeakrefCleared: at(3, 8, 0), at(3, 15, 0), "bpo-38006, GH-16495";
    /// `gc.collect` counts the unreachable set before callbacks and finalizers run.
    CountedEarly: None, at(3, 7, 6), "bpo-38379";
    /// A callback from trash may run as long as nothing has been cleared.
    BeforeClearOld: None, at(3, 8, 0), "bpo-38006: harmless before the first tp_clear";
    /// As before 3.8: trash weak references stay armed until finalizers have run.
    BeforeClearNew: at(3, 15, 0), None, "gh-135552";
    /// Weak references made by finalizers to trash are cleared without a call.
    MadeByFinalizer: at(3, 13, 13), None, "gh-91636, gh-136189";
    /// An object saved by the finalizer that its deallocator ran is tracked anew, in generation 0.
    RetrackedYoung: None, None, "subtype_dealloc, since 2.2";
    /// A weak reference whose callback the collector calls moves to the collection's old generation.
    CallbackMoves: None, None, "handle_weakrefs in gcmodule.c";
    /// The trashcan keeps objects until the next container dies.
    TrashcanLeftover: None, at(3, 8, 0), "subtype_dealloc and the trashcan before 3.8";
    /// A value of a weak-key dictionary keeps its key alive.
    NoEphemerons: None, None, "bpo-44680, documentation of weakref.WeakKeyDictionary";
    /// The registry of `finalize` keeps what the callable reaches, its own referent too.
    FinalizeOwns: None, None, "documentation of weakref.finalize";
    /// The two ways to die differ.
    Paths: None, None, "PEP 442; bpo-40312";
}

impl Excuse {
    /// True if the condition holds for the release. An unknown release matches only what holds for all.
    pub fn holds(self, release: Option<Release>) -> bool {
        let (from, to) = self.releases();
        match release {
            None => self != Excuse::Unknown && from.is_none() && to.is_none(),
            Some(r) => self != Excuse::Unknown && from.is_none_or(|f| r >= f) && to.is_none_or(|t| r < t),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_holds_only_for_its_releases() {
        let release = |minor, patch| Some(Release::new(3, minor, patch));
        assert!(Excuse::TrashWeakrefCleared.holds(release(8, 0)));
        assert!(Excuse::TrashWeakrefCleared.holds(release(14, 10)));
        assert!(!Excuse::TrashWeakrefCleared.holds(release(7, 16)));
        assert!(!Excuse::TrashWeakrefCleared.holds(release(15, 2)));
        assert!(!Excuse::TrashWeakrefCleared.holds(None));
        assert!(Excuse::Introspection.holds(None));
        assert!(!Excuse::Unknown.holds(release(8, 0)));
    }
}
