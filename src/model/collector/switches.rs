//! The table of switches: every way in which two collectors of the model can differ. Planted bugs are switches too.

use super::table::{Entry, SwitchClass, Table};

/// Makes an enum and its entries out of a table: first what is on or off, then the choices of several values, of which
/// one is on. Each value of a choice is a switch of its own, called `choice=word`.
///
/// ```text
/// /// What it means when it is on.
/// Variant = "name", Class, "source";
///
/// one_of "choice", Class, "source" {
///     /// What this value means.
///     Variant = "word";
/// }
/// ```
macro_rules! switches {
    (
        $($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $class:ident, $source:literal;)+
        $(one_of $choice:literal, $of:ident, $from:literal {
            $($(#[doc = $sense:literal])+ $value:ident = $word:literal;)+
        })*
    ) => {
        /// A named switch of the collector, or a value of a choice.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum Switch {
            $($(#[doc = $doc])+ $variant,)+
            $($($(#[doc = $sense])+ $value,)+)*
        }

        impl Switch {
            /// Every switch, in the order of the enum.
            pub const ALL: &'static [Switch] = &[$(Switch::$variant,)+ $($(Switch::$value,)+)*];

            /// The line of each switch.
            pub(super) const TABLE: Table = Table(&[
                $(Entry {
                    name: $name,
                    choice: None,
                    class: SwitchClass::$class,
                    source: $source,
                    meaning: concat!($($doc, "\n"),+),
                },)+
                $($(Entry {
                    name: concat!($choice, "=", $word),
                    choice: Some($choice),
                    class: SwitchClass::$of,
                    source: $from,
                    meaning: concat!($($sense, "\n"),+),
                },)+)*
            ]);
        }
    };
}

switches! {
    /// Finalizers of trash run before it is cleared; without it such trash is uncollectable.
    Pep442 = "pep442", Rule, "3.4, PEP 442";
    /// On refcount death a Python class's finalizer runs before its weak references are cleared.
    FinalizerBeforeWeakrefs = "finalizer-before-weakrefs", Rule, "3.4, rows C01 C02";
    /// Weak reference objects that are trash themselves are cleared, whatever they refer to.
    ClearTrashWeakrefs = "clear-trash-weakrefs", Rule, "3.8, bpo-38006";
    /// The first weak reference pass clears callback-less and trash weak references too, before finalizers run.
    ClearWeakrefsBeforeFinalizers = "clear-weakrefs-before-finalizers", Rule, "until 3.14, gh-135552";
    /// A second pass after the finalizers clears every weak reference to or in what is going to be cleared.
    ClearWeakrefsAfterFinalizers = "clear-weakrefs-after-finalizers", Rule, "3.14.4, gh-91636";
    /// After the finalizers the collector looks for resurrected objects.
    CheckResurrection = "check-resurrection", Rule, "3.4, PEP 442";
    /// Only what a resurrected object reaches is kept; without it the whole unreachable set is.
    RescueOnlyResurrected = "rescue-only-resurrected", Rule, "3.9, bpo-38379";
    /// The return value counts the unreachable set before callbacks and finalizers run.
    CountBeforeCallbacks = "count-before-callbacks", Rule, "until 3.7.5, row C13";
    /// Automatic collections start inside the allocation; without it at the end of the running operation.
    CollectInAllocation = "collect-in-allocation", Rule, "until 3.11, row D14";
    /// The default threshold of generation 0 is 2000, otherwise 700.
    YoungThreshold2000 = "young-threshold-2000", Rule, "3.13: gc.get_threshold()";
    /// A dict is tracked when it first holds something that may be tracked, and untracked again by full collections.
    LazyDictTracking = "lazy-dict-tracking", Rule, "until 3.13, gh-127010";
    /// Every new tuple is tracked; without it only one that holds an object with a GC header.
    TrackEveryTuple = "track-every-tuple", Rule, "until 3.13, row D27";
    /// Functions have `tp_clear`.
    FunctionClear = "function-clear", Rule, "3.8, bpo-33418";
    /// `tp_clear` of a function keeps its code, so that a function without closure can still be called.
    FunctionClearKeepsCode = "function-clear-keeps-code", Rule, "3.11, gh-91636";
    /// Instances of every Python class have a GC header, those of `__slots__ = ()` classes too.
    AllClassesGc = "all-classes-gc", Rule, "3.8.7, bpo-41984";
    /// The attributes of an instance live in a dict object of its own.
    InstanceDict = "instance-dict", Rule, "until 3.10, row D02";
    /// A deallocator calls callbacks from a tuple even if there is only one.
    AlwaysCallbackTuple = "always-callback-tuple", Rule, "3.13, observed in lockstep";
    /// A dying or cleared weak reference forgets its callback only after it has dropped it.
    ForgetCallbackLate = "forget-callback-late", Rule, "until 3.12, observed in lockstep";
    /// Calling a Python function as a callback builds a tracked argument tuple.
    FunctionCallTuple = "function-call-tuple", Rule, "2.7, observed in lockstep";
    /// The frame of a running function holds the function.
    FrameHoldsFunction = "frame-holds-function", Rule, "3.11, observed in lockstep";
    /// The frame of a running function drops its local variables from the last to the first.
    FrameDropsLastFirst = "frame-drops-last-first", Rule, "3.14, observed in lockstep";
    /// The frame of a running function is tracked: the collector sees what it holds.
    TrackedFrames = "tracked-frames", Rule, "until 3.6, observed in lockstep";
    /// `tp_clear` of an instance takes all attributes out of sight before it drops the first.
    InlineValuesVanish = "inline-values-vanish", Rule, "3.13, observed in lockstep";
    /// `tp_clear` of an instance takes its inline values away: the next attribute makes a dict.
    ClearedInstanceGetsDict = "cleared-instance-gets-dict", Rule, "3.12, Objects/dictobject.c";
    /// `traverse` of an instance of a heap type reports the edge to its type.
    InstancesVisitType = "instances-visit-type", Rule, "3.9, bpo-40217";
    /// The collector ignores `tp_del` of static types.
    IgnoreStaticLegacy = "ignore-static-legacy", Rule, "2.7, has_finalizer in gcmodule.c";
    /// `gc.freeze` and `gc.unfreeze` exist.
    Freeze = "freeze", Rule, "3.7, bpo-31558";
    /// `gc.callbacks` exists.
    GcCallbacks = "gc-callbacks", Rule, "3.3, bpo-10576";
    /// The trashcan defers deallocation from nesting depth 50 on.
    TrashcanAt50 = "trashcan-at-50", Rule, "until 3.12, row E09";
    /// Python instances count twice in the trashcan and never drain it.
    TrashcanCountsInstancesTwice = "trashcan-counts-instances-twice", Rule, "until 3.7, row E12b";
    /// The trashcan uses the C recursion budget: deferral from about 9946 nested deallocators on.
    TrashcanByBudget = "trashcan-by-budget", Rule, "3.13, row E13";
    /// The trashcan is in the generic deallocator and serves every type with a GC header.
    TrashcanForAllTypes = "trashcan-for-all-types", Rule, "3.14, row E13";
    /// The young and two old spaces of the incremental collector.
    Incremental = "incremental", Rule, "3.14.0 to 3.14.4, gh-108362";
    /// A weak reference whose callback the collector calls goes back to the list that it was in.
    CallbackKeepsList = "callback-keeps-list", Rule, "no release: it would mend N06";
    /// Explicit collections of the younger generations leave the counts as they are.
    ExplicitKeepsCounts = "explicit-keeps-counts", Rule, "no release: it would mend gh-122567";
    /// An object saved by the finalizer that its deallocator ran goes back to the list that it was in.
    RetrackInPlace = "retrack-in-place", Rule, "no release: it would mend N05";
    /// The removal callback of a weak dictionary has a closure over its data dict.
    ContainerClosure = "container-closure", Rule, "until 3.6: weakref.py";
    /// Weak containers put off removals while they are iterated.
    ContainerPending = "container-pending", Rule, "until 3.13, row H01";
    /// The attributes of an instance are in the order of the class's `__static_attributes__`, by name, not of their making.
    StaticAttributesFirst = "static-attributes-first", Rule, "3.14: dictobject.c";
    /// A new element of a `set` may take the place of one that was discarded.
    SetReusesDummies = "set-reuses-dummies", Rule, "not in 3.9: setobject.c";
    /// A `set` grows when it is two thirds full, not three fifths; the first such place is taken, not the last.
    SetFillsTwoThirds = "set-fills-two-thirds", Rule, "until 3.6: setobject.c";
    /// `len()` of a weak dictionary counts dead entries whose removal was put off.
    ContainerLenCountsDead = "container-len-counts-dead", Rule, "2.7, row H06";

    /// The collector clears a weak reference only after it has called its callback.
    BugCallbackBeforeClear = "bug-callback-before-clear", Bug, "I11";
    /// The collector calls the callbacks of weak references that are trash themselves.
    BugCallTrashCallbacks = "bug-call-trash-callbacks", Bug, "C02, SF 839548";
    /// The weak reference passes are skipped: nothing is cleared before tp_clear.
    BugNoWeakrefPass = "bug-no-weakref-pass", Bug, "C02, 2.3.2";
    /// Callback-less weak references to trash are never cleared by the collector.
    BugKeepPlainWeakrefs = "bug-keep-plain-weakrefs", Bug, "C03, SF 1055820";
    /// The collector clears weak references to trash and forgets to call their callbacks.
    BugLoseCallbacks = "bug-lose-callbacks", Bug, "I14";
    /// Deallocators clear weak references and forget to call the callbacks.
    BugLoseDeallocCallbacks = "bug-lose-dealloc-callbacks", Bug, "C23, gh-118331";
    /// The collector calls each callback twice.
    BugCallbackTwice = "bug-callback-twice", Bug, "I14";
    /// The callbacks of one dying object run oldest first.
    BugCallbacksOldestFirst = "bug-callbacks-oldest-first", Bug, "I17";
    /// The collector clears the weak references to survivors too.
    BugClearLiveWeakrefs = "bug-clear-live-weakrefs", Bug, "I12";
    /// The collector calls callbacks of weak references to survivors.
    BugCallbacksOfSurvivors = "bug-callbacks-of-survivors", Bug, "I16";
    /// A weak reference answers with a referent whose count is 0.
    BugAnswerDying = "bug-answer-dying", Bug, "C17, bpo-16602";
    /// Finalizers of trash run after its members were cleared.
    BugClearBeforeFinalizers = "bug-clear-before-finalizers", Bug, "I08";
    /// The finalized bit is never set.
    BugNoFinalizedBit = "bug-no-finalized-bit", Bug, "I07";
    /// New objects are born with the finalized bit.
    BugFinalizedAtBirth = "bug-finalized-at-birth", Bug, "C32, gh-113753";
    /// The collector does not run finalizers.
    BugSkipFinalizers = "bug-skip-finalizers", Bug, "I10";
    /// Deallocators do not run finalizers.
    BugSkipDeallocFinalizers = "bug-skip-dealloc-finalizers", Bug, "I10";
    /// The collector runs the finalizers of survivors.
    BugFinalizeSurvivors = "bug-finalize-survivors", Bug, "I09";
    /// The finalizer loop stops at the first object that dies while it runs.
    BugStopFinalizersEarly = "bug-stop-finalizers-early", Bug, "C29, bpo-21435";
    /// The resurrection check is skipped: resurrected objects are cleared.
    BugNoResurrectionCheck = "bug-no-resurrection-check", Bug, "R01, gc 124";
    /// The resurrection check keeps only the directly resurrected objects, not what they reach.
    BugShallowRescue = "bug-shallow-rescue", Bug, "R01, J04";
    /// References from variables are not counted for the last candidate.
    BugIgnoreOuterReference = "bug-ignore-outer-reference", Bug, "I03, C60";
    /// The reachability pass does not follow references of objects that it moved back.
    BugShallowReachability = "bug-shallow-reachability", Bug, "I03";
    /// `tp_clear` of the first object is skipped.
    BugSkipFirstClear = "bug-skip-first-clear", Bug, "I19";
    /// Young generations are not merged into the one that is collected.
    BugNoMerge = "bug-no-merge", Bug, "I19";
    /// `tp_clear` sets slots to empty and does not drop the references.
    BugClearLeaks = "bug-clear-leaks", Bug, "C36, I06";
    /// `tp_clear` drops the references and leaves the slots as they are.
    BugClearKeepsSlots = "bug-clear-keeps-slots", Bug, "I27, C36";
    /// Each store into an occupied slot leaks the old reference.
    BugStoreLeaks = "bug-store-leaks", Bug, "I06";
    /// A collection leaks a reference to the first survivor.
    BugCollectionLeaks = "bug-collection-leaks", Bug, "I38";
    /// Deallocators drop references only of the first slot.
    BugDeallocLeaks = "bug-dealloc-leaks", Bug, "I38, I06";
    /// A weak reference's dealloc does not unlink it.
    BugWeakrefStaysLinked = "bug-weakref-stays-linked", Bug, "C18 C19, I05";
    /// Deallocators do not clear weak references.
    BugDeallocKeepsWeakrefs = "bug-dealloc-keeps-weakrefs", Bug, "C24, gh-108295";
    /// The return value counts one object too many.
    BugCountOneMore = "bug-count-one-more", Bug, "I21";
    /// The return value counts survivors.
    BugCountSurvivors = "bug-count-survivors", Bug, "I20 I21";
    /// Survivors of a collection are untracked.
    BugUntrackSurvivors = "bug-untrack-survivors", Bug, "C64, bpo-42536";
    /// Objects are not tracked when a dict or list first holds something.
    BugNeverTrackContainers = "bug-never-track-containers", Bug, "C65, gh-145376";
    /// Deallocators untrack after weak references were cleared and callbacks have run.
    BugUntrackLate = "bug-untrack-late", Bug, "C05, bpo-26617";
    /// Objects that survive clearing are not put back on a list.
    BugLoseSurvivorsOfClear = "bug-lose-survivors-of-clear", Bug, "I25";
    /// Resurrected objects stay in the collector's temporary list.
    BugLoseResurrected = "bug-lose-resurrected", Bug, "I25";
    /// Survivors are merged into the youngest generation.
    BugSurvivorsGetYounger = "bug-survivors-get-younger", Bug, "I32";
    /// `gc.freeze` forgets the oldest generation's members: they are unfrozen by the next collection.
    BugFrozenAreCollected = "bug-frozen-are-collected", Bug, "C72, I32";
    /// `traverse` of a list reports its last item twice.
    BugTraverseTwice = "bug-traverse-twice", Bug, "C16, bpo-39778";
    /// An exception of a script ends the collection it runs in.
    BugExceptionEndsCollection = "bug-exception-ends-collection", Bug, "I31, C23";
    /// The errors of user code are swallowed instead of reported.
    BugSwallowErrors = "bug-swallow-errors", Bug, "I31";
    /// A dying object whose callbacks run is still tracked: a collection inside them clears and frees it again.
    BugFreeTwice = "bug-free-twice", Bug, "C04, SF 840829";
    /// Objects that the trashcan deferred are forgotten.
    BugTrashcanForgets = "bug-trashcan-forgets", Bug, "C69, I37";
    /// Weak containers do not remove entries of dead objects.
    BugContainerKeepsDead = "bug-container-keeps-dead", Bug, "C25, I30";
    /// The removal callback of a weak dictionary removes a new entry under the same key.
    BugContainerRemovesNew = "bug-container-removes-new", Bug, "C25, bpo-28427";
    /// Every second run of the subject reverses the order of callbacks.
    BugNondeterministic = "bug-nondeterministic", Bug, "I41";
    /// Automatic collections take the youngest generation only.
    BugAutomaticYoungest = "bug-automatic-youngest", Bug, "I39, gh-122567";
    /// Uncollectable objects are not appended to gc.garbage.
    BugForgetGarbage = "bug-forget-garbage", Bug, "C37, I21";
    /// Finalizers run although the object is reachable from legacy garbage.
    BugFinalizeLegacyReachable = "bug-finalize-legacy-reachable", Bug, "C57";
}

const _: () = assert!(Switch::ALL.len() <= 256, "there is room for 256 switches, each value of a choice counted");

impl Switch {
    const fn entry(self) -> &'static Entry {
        &Switch::TABLE.0[self as usize]
    }

    /// The name on the command line; for a value of a choice `choice=word`.
    pub const fn name(self) -> &'static str {
        self.entry().name
    }

    /// A release rule or a planted bug.
    pub const fn class(self) -> SwitchClass {
        self.entry().class
    }

    /// Where the rule comes from: release, bpo or gh number; for a planted bug, the historic bug it imitates.
    pub const fn source(self) -> &'static str {
        self.entry().source
    }

    /// What it means when it is on.
    pub const fn meaning(self) -> &'static str {
        self.entry().meaning
    }

    /// The switch with a name.
    pub fn find(name: &str) -> Option<Switch> {
        Switch::ALL.iter().copied().find(|s| s.name() == name)
    }
}

#[cfg(test)]
mod tests;
