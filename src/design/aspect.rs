//! What of two outcomes can differ for users.

macro_rules! aspects {
    ($($(#[$doc:meta])* $Name:ident $word:literal $sentence:literal,)+) => {
        /// What differs between two outcomes, from the old rule to the new one.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Aspect {
            $($(#[$doc])* $Name,)+
        }

        impl Aspect {
            /// Every aspect, in the order of reports.
            pub const ALL: [Aspect; [$($word),+].len()] = [$(Aspect::$Name),+];

            /// The word in files and names of files.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Aspect::$Name => $word,)+
                }
            }

            /// What it means, in a few words.
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Aspect::$Name => $sentence,)+
                }
            }
        }
    };
}

aspects! {
    /// Behaviour is undefined with the new rule only: the process may die.
    Undefined "undefined" "behaviour becomes undefined",
    /// Behaviour was undefined with the old rule only.
    Defined "defined" "behaviour is no longer undefined",
    /// A callback is not called that was called, or less often.
    CallbackLost "callback-lost" "a callback is lost",
    /// A callback is called that was not, or more often.
    CallbackMore "callback-more" "a callback is called that was not",
    /// A finalizer does not run that ran, or less often.
    FinalizerLost "finalizer-lost" "a finalizer no longer runs",
    /// A finalizer runs that did not, or more often.
    FinalizerMore "finalizer-more" "a finalizer runs that did not",
    /// Other user code (a call, `gc.callbacks`, the action of a deallocator) does not run that ran.
    CodeLost "code-lost" "other code no longer runs",
    /// Other user code runs that did not.
    CodeMore "code-more" "other code runs that did not",
    /// What runs with both rules runs in another order.
    Order "order" "code runs in another order",
    /// A weak reference answers that was dead when it was asked.
    AnswersMore "answers-more" "a weak reference answers that was dead",
    /// A weak reference is dead that answered when it was asked.
    AnswersLess "answers-less" "a weak reference is dead that answered",
    /// A weak reference answers with another object.
    AnswersOther "answers-other" "a weak reference answers with another object",
    /// User code reaches more objects, by references or by introspection.
    ReachesMore "reaches-more" "code reaches more objects",
    /// User code reaches fewer objects.
    ReachesLess "reaches-less" "code reaches fewer objects",
    /// An object is alive at the end that was dead.
    Saved "saved" "an object survives that died",
    /// An object is dead at the end that was alive.
    NotSaved "not-saved" "an object dies that survived",
    /// An object is alive at the end with both rules, and `tp_clear` has run on it with the new one only.
    Emptied "emptied" "a survivor has been emptied",
    /// An object is alive at the end with both rules, and `tp_clear` has run on it with the old one only.
    NotEmptied "not-emptied" "a survivor is no longer emptied",
    /// A collection returns another number, or other collections run.
    Counts "counts" "a collection returns another number",
    /// Other objects are in `gc.garbage` at the end.
    Garbage "garbage" "gc.garbage holds other objects",
    /// `len()` of a weak container, or what an iteration over it yields.
    Containers "containers" "a weak container has other entries",
    /// Another error of user code is reported.
    Errors "errors" "other errors are reported",
}
