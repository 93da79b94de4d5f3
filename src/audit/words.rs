//! The words for what is wrong with a type, how bad that is, and how well it is shown.

use serde::Serialize;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
        pub enum $name {
            $($(#[$item_doc])* #[serde(rename = $word)] $item,)*
        }

        impl $name {
            /// All, in order.
            pub const ALL: &[$name] = &[$($name::$item),*];

            /// The word in reports and files.
            pub const fn word(self) -> &'static str {
                match self {
                    $($name::$item => $word,)*
                }
            }

            /// The item of a word.
            pub fn parse(word: &str) -> Option<$name> {
                Self::ALL.iter().copied().find(|item| item.word() == word)
            }
        }
    };
}

words! {
    /// What is wrong.
    Fault {
        /// It owns what its `tp_traverse` does not report.
        Hide = "hide",
        /// It owns what can be part of a cycle, and its type has no `Py_TPFLAGS_HAVE_GC`.
        NoGc = "no-gc",
        /// An instance of a heap type does not report its type (rule since 3.9, bpo-40217).
        Type = "type",
        /// `tp_traverse` reports what is not owned, or more often than it is owned.
        OverReport = "over-report",
        /// `tp_traverse` reports something else each time.
        Unstable = "unstable",
        /// The collector never sees it: it has a header, owns what is tracked, and is not tracked itself.
        Untracked = "untracked",
        /// Its memory is freed while the collector still has it in a list.
        Untrack = "untrack",
        /// The deallocator releases members before it untracks.
        LateUntrack = "late-untrack",
        /// Weak references to it are left when it is dead.
        Weakrefs = "weakrefs",
        /// A reference is released more often than it was owned.
        DoubleRelease = "double-release",
        /// `tp_traverse` reports after `tp_clear` what that has released.
        VisitsAfterClear = "visits-after-clear",
        /// Its deallocator, or `tp_clear` itself, dies after `tp_clear`.
        ClearCrash = "clear-crash",
        /// The deallocator does not release what the object owns.
        DeallocLeaks = "dealloc-leaks",
        /// The deallocator of an instance of a heap type does not release the type (rule since 3.8, bpo-35810).
        KeepsType = "keeps-type",
    }
}

words! {
    /// How bad it is, worst first.
    Severity {
        /// Memory can be corrupted.
        Memory = "memory",
        /// A cycle can be made that is never freed: a caller chooses the target, or the target leads back.
        Leak = "leak",
        /// Nobody else has the target, and it leads nowhere now; or the target lives as long as the program.
        Private = "private",
        /// Only counts of types are wrong.
        Count = "count",
        /// No cycle can ever go through the target.
        Harmless = "harmless",
    }
}

words! {
    /// How well it is shown, best first.
    Proof {
        /// A program in Python leaks.
        Program = "leak",
        /// Counted where the object died by itself.
        Natural = "natural",
        /// Counted at a death that was forced, and the place is known.
        Proven = "proven",
        /// Counted at a death that was forced; nobody knows where the reference was.
        Released = "released",
        /// Released by a finalizer that ran in the deallocator.
        Finalizer = "finalizer",
    }
}

impl Severity {
    /// True if it is printed, and decides the exit code, unless the user asks for all.
    pub fn counts(self) -> bool {
        self <= Severity::Leak
    }
}
