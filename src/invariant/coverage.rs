//! What a run, or a campaign, reached.

macro_rules! reached {
    ($($(#[$doc:meta])* $field:ident,)*) => {
        /// Counts that show whether runs reached what they were made for.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
        pub struct Coverage {
            $($(#[$doc])* pub $field: u64,)*
        }

        impl Coverage {
            /// Adds the counts of another run.
            pub fn add(&mut self, other: &Coverage) {
                $(self.$field += other.$field;)*
            }

            /// Every count with its name.
            pub fn fields(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($field), self.$field)),*].into_iter()
            }
        }
    };
}

reached! {
    /// Runs.
    runs,
    /// Operations of the mutator that did something.
    effective_ops,
    /// Operations, of any body, that did nothing.
    dropped_ops,
    /// Objects created.
    objects,
    /// Objects freed.
    freed,
    /// Objects freed after `tp_clear` had run on them.
    freed_by_clear,
    /// Collections.
    collections,
    /// Collections that found trash.
    collections_with_trash,
    /// Collections started by allocation.
    automatic_collections,
    /// Collections asked for while one was running.
    nested_collections,
    /// `tp_clear` calls.
    clears,
    /// Callbacks run.
    callbacks_run,
    /// Weak references with a callback that outlived their referent without a call.
    callbacks_suppressed,
    /// Finalizers run, legacy ones included.
    finalizers_run,
    /// Objects saved by a finalizer or callback.
    resurrections,
    /// Finalizers and callbacks that ran while trash was being cleared.
    surprises,
    /// Deallocator actions run.
    dealloc_actions,
    /// Scripts that ended with an exception.
    exceptions,
    /// Cleared objects that user code saw.
    insane_seen,
    /// Runs that ended in undefined behaviour.
    undefined,
}
