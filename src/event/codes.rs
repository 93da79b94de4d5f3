//! The words of events: small sets of values, each with a number of its own that digests, files and the probe know. The
//! numbers are given once: new values come last.

use crate::scenario::numbered;

numbered! {
    /// How an object came into being.
    pub enum Role {
        /// The object that a `New` (or one of those that a `Build`) names; its kind is the operation's.
        Named,
        /// The dict of an [`Instance`](crate::scenario::Shape::Instance) (up to 3.10). A `Dict`.
        InstanceDict,
        /// The dict that a weak container keeps its entries in. A `Dict`.
        ContainerData,
        /// The removal callback of a weak container. A `Function`.
        ContainerRemove,
        /// The weak reference of one entry of a weak container. A `KeyedRef` in a `WeakValueDictionary`, else a `Ref`.
        ContainerEntry,
        /// The weak reference of a `finalize` object. A `Ref`.
        FinalizeRef,
        /// The weak reference to a weak container that its removal callback has as default argument. A `Ref`.
        ContainerSelf,
        /// The defaults of the removal callback. A `Tuple`.
        ContainerDefaults,
        /// The cell of the removal callback's closure over the data dict (until 3.6). A `Cell`.
        ContainerCell,
        /// The closure of the removal callback (until 3.6). A `Tuple`.
        ContainerClosure,
        /// The dict of the attributes of a weak container of the library (up to 3.10). A `Dict`.
        ContainerDict,
        /// The removals that a weak container of the library has put off (up to 3.13). A `List`.
        ContainerPending,
        /// The iterations over a weak container of the library (up to 3.13): an empty set, which events tell of as a `List`.
        ContainerIterating,
    }
}

numbered! {
    /// The kind of user code.
    pub enum Code {
        /// `tp_finalize` or `__del__`; owner is the object.
        Finalizer,
        /// `tp_del` of a C type; owner is the object.
        LegacyFinalizer,
        /// A weak reference callback; owner is the callable, arg the weak reference.
        Callback,
        /// The action of a deallocator; owner is the object.
        Dealloc,
        /// An entry of `gc.callbacks`; owner is the callable.
        GcCallback,
        /// A `call` operation; owner is the callable.
        Call,
    }
}

numbered! {
    /// Where the collector has an object.
    pub enum Spot {
        /// In the list of generation 0.
        Gen0,
        /// In the list of generation 1 (3.14.0-3.14.4: the pending old space).
        Gen1,
        /// In the list of generation 2 (3.14.0-3.14.4: the visited old space).
        Gen2,
        /// In the permanent generation.
        Permanent,
        /// Tracked, in a list of the running collection.
        Collecting,
        /// Has a GC header and is not tracked.
        Untracked,
        /// Has no GC header.
        NoHeader,
    }
}

numbered! {
    /// Behaviour that CPython leaves undefined: the model stops there, a real interpreter may do anything.
    pub enum Undefined {
        /// A `traverse` reported more references than there are (gc_refs would become negative).
        OverReported,
        /// A collection met a tracked object whose reference count is 0.
        DeadTracked,
        /// A function was called after `tp_clear` had emptied it (3.8 and later).
        CalledCleared,
        /// A deallocator's action kept the object that is being freed.
        KeptDying,
        /// A weak reference outlived its referent's memory (the deallocator did not clear it) and was used or freed.
        DanglingWeakref,
        /// The memory of an object was used after it was freed, because its count was wrong.
        UseAfterFree,
        /// A collection had to call the callback of a weak reference that is being deallocated: untracked already, but
        /// still linked to its referent. Only instances of subclasses can be met in that state.
        MovedUntracked,
        /// An object with several weak references died while one of them, without callback, was being deallocated
        /// itself: up to 3.12 the callback that is not there was released. Only instances of subclasses can be met in
        /// that state.
        NullCallback,
    }
}

numbered! {
    /// The events without what they say: their tags in [`Event::words`], and in the probe.
    pub(crate) enum Tag {
        Step = 1,
        NoEffect,
        New,
        NewWeak,
        StoreVar,
        StoreSlot,
        Enter,
        Leave,
        Saw,
        Answer,
        CollectStart,
        CollectEnd,
        Refused,
        Clear,
        Dealloc,
        Free,
        Unraisable,
        Length,
        Yielded,
        Snapshot,
        State,
        Weak,
        Garbage,
        Undefined,
        End,
    }
}
