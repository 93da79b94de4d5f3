//! The mutants that are planted by hand, and the events to which invariants are deaf.

use super::Caught::{self, By, Equivalent};

macro_rules! mutants {
    ($($name:ident $word:literal: $breaks:literal, $caught:expr;)*) => {
        /// A fault that is planted by hand.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Mutant {
            $(#[doc = $breaks] $name,)*
        }

        impl Mutant {
            /// Every mutant, in the order of the table.
            pub const ALL: &'static [Mutant] = &[$(Mutant::$name),*];

            /// The word that chooses it.
            pub const fn word(self) -> &'static str {
                match self { $(Mutant::$name => $word,)* }
            }

            /// What is wrong.
            pub const fn breaks(self) -> &'static str {
                match self { $(Mutant::$name => $breaks,)* }
            }

            /// What notices it.
            pub const fn caught(self) -> Caught {
                match self { $(Mutant::$name => $caught,)* }
            }

            /// The name by which its hook knows it.
            pub const fn name(self) -> &'static str {
                match self { $(Mutant::$name => stringify!($name),)* }
            }
        }
    };
}

mutants! {
    // Invariants and their premises.
    I01NotForEntries "i01-not-for-entries": "I01 is not judged where an entry of `gc.callbacks` runs",
        By("lib invariant::tests::places::cleared_objects_are_seen_by_any_user_code");
    I03NotInYoungest "i03-not-in-youngest": "I03 is not judged in collections of generation 0",
        By("lib invariant::tests::circumstances::in_collections_of_every_generation");
    I05BlamesAnyFault "i05-blames-any-fault": "I05 blames the types if any type of the run has a fault",
        By("lib invariant::tests::circumstances::beside_types_with_faults");
    I07NotByRefcount "i07-not-by-refcount": "I07 is judged in collections only",
        By("lib invariant::tests::each::I07");
    I09NotIfHeld "i09-not-if-held": "I09 is not judged of what the collector finalizes if anything holds it",
        By("lib invariant::tests::places::the_first_finalizer_of_a_collection_is_judged");
    I10NotForLegacy "i10-not-for-legacy": "I10 does not ask for legacy finalizers",
        By("lib invariant::tests::places::every_way_to_finalize_is_missed");
    I12NotForProxies "i12-not-for-proxies": "I12 is not judged of proxies",
        By("lib invariant::tests::places::every_kind_of_weak_reference_is_judged");
    I13NotInTrashcan "i13-not-in-trashcan": "I13 does not object to what waits in the trashcan",
        By("lib invariant::tests::places::an_object_in_the_trashcan_is_no_answer");
    I14NotForTrash "i14-not-for-trash": "I14 is not judged of trash that dies in the collection",
        By("lib invariant::tests::truth::a_collection_owes_the_callbacks_of_its_trash");
    I16NotForKeyedRefs "i16-not-for-keyed-refs": "I16 is not judged of KeyedRefs",
        By("lib invariant::tests::places::every_kind_of_weak_reference_is_judged");
    I17NotInCollections "i17-not-in-collections": "I17 does not judge the order of callbacks inside collections",
        By("lib invariant::tests::circumstances::inside_of_other_code");
    I19OnlyFull "i19-only-full": "I19 is judged after full collections only",
        By("lib invariant::tests::circumstances::in_collections_of_every_generation");
    I21NotListed "i21-not-listed": "I21 does not look whether `gc.garbage` has the legacy objects",
        By("lib invariant::tests::places::legacy_objects_must_be_listed");
    I22NotForLists "i22-not-for-lists": "I22 is not judged of lists",
        By("lib invariant::tests::places::every_shape_that_is_cleared_must_go");
    I25NotOrder "i25-not-order": "I25 does not object to objects listed out of order",
        By("lib invariant::tests::places::lists_are_in_order");
    I27NotTwice "i27-not-twice": "I27 does not object to an object that is cleared twice",
        By("lib invariant::tests::places::an_object_is_cleared_once");
    I30NotForSets "i30-not-for-sets": "I30 does not judge the length of sets",
        By("lib invariant::tests::places::every_weak_container_tells_its_length");
    I31NotNested "i31-not-nested": "I31 is not judged of scripts that other code has started",
        By("lib invariant::tests::circumstances::inside_of_other_code");
    I32NotAutomatic "i32-not-automatic": "I32 is not judged after automatic collections",
        By("lib invariant::tests::circumstances::in_collections_of_every_generation");
    ExcusesEveryRelease "excuses-every-release": "what is documented of some release excuses every release",
        By("lib invariant::tests::cases_collections::one_saved_object_keeps_the_others_before_3_9");

    // More of them.
    I02NotSeen "i02-not-seen": "I02 does not judge what the mutator sees",
        By("lib invariant::tests::places::the_mutator_sees_nothing_cleared");
    I04OnlyFreed "i04-only-freed": "I04 does not object to a deallocation that begins again",
        By("lib invariant::tests::places::a_death_begins_once");
    I05NotUsed "i05-not-used": "I05 does not object to events that speak of freed objects",
        By("lib invariant::tests::places::a_freed_object_is_not_spoken_of");
    I08NotActions "i08-not-actions": "I08 does not judge actions of deallocators",
        By("lib invariant::tests::places::an_action_of_a_cleared_object_is_its_types_fault");
    I09NotSetAside "i09-not-set-aside": "I09 does not ask whether an object was set aside as uncollectable",
        By("lib invariant::tests::places::what_a_legacy_object_keeps_is_not_finalized");
    I11NotAsked "i11-not-asked": "I11 does not judge what the weak reference answers in its callback",
        By("lib invariant::tests::places::a_callback_asks_its_weak_reference");
    I14Twice "i14-twice": "I14 does not object to a second call",
        By("lib invariant::tests::places::a_callback_is_called_once");
    I15OnlyAfterClear "i15-only-after-clear": "I15 is not judged before the first `tp_clear`",
        By("lib invariant::tests::places::a_collection_calls_no_callback_of_its_trash");
    I21NotUncollectable "i21-not-uncollectable": "I21 does not judge how much is reported as uncollectable",
        By("lib invariant::tests::places::uncollectable_objects_are_counted");
    I24OnlyZero "i24-only-zero": "I24 does not object to what is being deallocated",
        By("lib invariant::tests::places::a_dying_object_is_in_no_list");
    I26NotCounts "i26-not-counts": "I26 does not look whether a collection changes reference counts",
        By("lib invariant::tests::places::a_collection_leaves_counts_alone");
    I30RemovesLive "i30-removes-live": "I30 does not judge what removal callbacks remove",
        By("lib invariant::tests::places::a_removal_takes_no_live_entry");
    I30Repeats "i30-repeats": "I30 does not object to an entry that an iteration shows again",
        By("lib invariant::tests::places::an_iteration_shows_an_entry_once");
    I14NotForEntries "i14-not-for-entries": "I14 is not judged of entries of weak containers",
        By("lib invariant::tests::containers::an_entry_is_owed_a_removal");
    I14NotForFinalize "i14-not-for-finalize": "I14 is not judged of `finalize`",
        By("lib invariant::tests::containers::a_finalize_is_owed_a_call");
    I14AnyRuns "i14-any-runs": "I14 does not ask how often a `finalize` has called its function",
        By("lib invariant::tests::containers::a_finalize_calls_once");
    I30NotPutOff "i30-not-put-off": "I30 does not judge removals that are made when no script runs",
        By("lib invariant::tests::containers::what_leaves_after_an_iteration_is_dead");
    I30EntriesStay "i30-entries-stay": "I30 does not object to an entry whose referent is gone",
        By("lib invariant::tests::containers::a_dead_entry_leaves");
    I30FinalizeStays "i30-finalize-stays": "I30 does not object to a `finalize` in the registry whose referent is gone",
        By("lib invariant::tests::containers::a_finalize_leaves_the_registry");
    I30ValuesStay "i30-values-stay": "I30 does not object to a value without a key",
        By("lib invariant::tests::containers::a_value_leaves_with_its_key");
    I30NotIfRaised "i30-not-if-raised": "I30 does not judge iterations where some script raises",
        By("lib invariant::tests::excuses::narrow::what_is_beside_an_object_excuses_nothing");
    SavedContainersBlamed "saved-containers-blamed": "what a saved container has lost with its trash is the collector's fault",
        By("lib invariant::tests::containers::what_was_saved_has_lost_its_weak_references");
    I40NotForFinalize "i40-not-for-finalize": "I40 is not judged of `finalize`",
        By("lib invariant::tests::containers::a_finalize_that_owns_its_object_keeps_it");
    I06NotBesideLists "i06-not-beside-lists": "I06 is not judged where scripts change `gc.callbacks`",
        By("lib invariant::tests::excuses::narrow::what_is_beside_an_object_excuses_nothing");
    I19NotBesideLists "i19-not-beside-lists": "I19 is not judged where scripts change `gc.callbacks`",
        By("lib invariant::tests::excuses::narrow::what_is_beside_an_object_excuses_nothing");
    I21NotBesideFinalize "i21-not-beside-finalize": "I21 is not judged where there is a `finalize`",
        By("lib invariant::tests::excuses::narrow::what_is_beside_an_object_excuses_nothing");
    MaybeListedForgotten "maybe-listed-forgotten": "what scripts may have added to `gc.callbacks` is held by nothing else",
        By("lib invariant::tests::excuses::narrow::what_a_script_may_list_is_excused");
    MadeByCodeLeaks "made-by-code-leaks": "what user code makes in the last collection of a round is a leak of the collector",
        By("lib invariant::tests::excuses::narrow::what_finalizers_make_for_ever_is_no_leak");
    I32ClearsOlder "i32-clears-older": "I32 does not object to `tp_clear` of older generations",
        By("lib invariant::tests::places::older_generations_are_not_cleared");
    I37Unfinished "i37-unfinished": "I37 does not object to a deallocation that never ends",
        By("lib invariant::tests::places::a_death_ends");

    // All invariants, in some circumstances.
    BlindInGeneration0 "blind-in-generation-0": "nothing that happens in collections of generation 0 is a violation",
        By("lib invariant::tests::circumstances::in_collections_of_every_generation");
    BlindInGeneration1 "blind-in-generation-1": "nothing that happens in collections of generation 1 is a violation",
        By("lib invariant::tests::circumstances::in_collections_of_every_generation");
    BlindInAutomatic "blind-in-automatic": "nothing that happens in automatic collections is a violation",
        By("lib invariant::tests::circumstances::in_collections_of_every_generation");
    BlindOutsideCollections "blind-outside-collections": "nothing that happens outside of collections is a violation",
        By("lib invariant::tests::each::I04");
    BlindInStart "blind-in-start": "nothing that happens while `gc.callbacks` run at the start of a collection is a violation",
        By("lib invariant::tests::circumstances::in_every_phase");
    BlindInCb "blind-in-cb": "nothing that happens while a collection calls callbacks is a violation",
        By("lib invariant::tests::circumstances::in_every_phase");
    BlindInFin "blind-in-fin": "nothing that happens while a collection calls finalizers is a violation",
        By("lib invariant::tests::circumstances::in_every_phase");
    BlindInDel "blind-in-del": "nothing that happens while a collection clears is a violation",
        By("lib invariant::tests::circumstances::in_every_phase");
    BlindInScripts "blind-in-scripts": "nothing that happens while a script runs is a violation",
        By("lib invariant::tests::circumstances::inside_of_other_code");
    BlindToTyped "blind-to-typed": "no violation is one of instances of heap types",
        By("lib invariant::tests::circumstances::of_every_shape");
    BlindToLists "blind-to-lists": "no violation is one of lists",
        By("lib invariant::tests::circumstances::of_every_shape");
    BlindToDicts "blind-to-dicts": "no violation is one of dicts",
        By("lib invariant::tests::circumstances::of_every_shape");
    BlindToInstances "blind-to-instances": "no violation is one of instances with a dict",
        By("lib invariant::tests::circumstances::of_every_shape");
    BlindToSlotted "blind-to-slotted": "no violation is one of instances with slots",
        By("lib invariant::tests::circumstances::of_every_shape");
    BlindToCells "blind-to-cells": "no violation is one of cells",
        By("lib invariant::tests::circumstances::of_every_shape");
    BlindToProxies "blind-to-proxies": "no violation is one of proxies",
        By("lib invariant::tests::circumstances::of_every_kind_of_weak_reference");
    BlindToKeyedRefs "blind-to-keyed-refs": "no violation is one of KeyedRefs",
        By("lib invariant::tests::circumstances::of_every_kind_of_weak_reference");

    // The shadow heap.
    LeftoversOfAnyLegacy "leftovers-of-any-legacy": "any legacy object of the run documents what garbage is left",
        By("lib invariant::tests::circumstances::beside_types_with_faults");
    ClearedWeakrefsUnarmed "cleared-weakrefs-unarmed": "weak references that the collector has cleared owe no callback",
        By("lib invariant::tests::truth::a_collection_owes_the_callbacks_of_its_trash");
    DeathOfWeakrefsForgotten "death-of-weakrefs-forgotten": "that a weak reference was seen dead is forgotten",
        By("lib invariant::tests::truth::a_dead_weak_reference_stays_dead");
    FinalizedAtZeroForgotten "finalized-at-zero-forgotten": "that a deallocator ran the finalizer is forgotten",
        By("lib invariant::tests::truth::an_object_that_its_deallocators_finalizer_saves_may_be_young");
    RescueForgotten "rescue-forgotten": "a weak reference whose callback was called stays set aside as uncollectable",
        By("lib invariant::tests::truth::a_called_weak_reference_is_not_uncollectable");
    SavedByItsDeallocatorDoomed "saved-by-its-deallocator-doomed":
        "trash that its deallocator's finalizer has saved is still to be cleared",
        By("lib invariant::tests::truth::what_left_the_trash_need_not_go");
    RemovedEntriesCount "removed-entries-count": "entries of `gc.callbacks` count as holders when the list was emptied",
        By("lib invariant::tests::truth::an_emptied_list_holds_nothing");
    VainEntriesStay "vain-entries-stay": "an entry of `gc.callbacks` that was not added is a holder",
        By("lib invariant::tests::truth::an_entry_that_was_not_added_holds_nothing");
    IterationsHoldNothing "iterations-hold-nothing": "the entry of an iteration is held by nothing",
        Equivalent("a snapshot shows one reference more than the known ones, by which the entry counts as held");
    SlotsAreNotEmptied "slots-are-not-emptied": "an event that empties all slots empties none",
        By("lib invariant::tests::truth::slots_are_emptied_together");
    StoresIntoClearedCount "stores-into-cleared-count": "what is stored into an object that is being cleared counts as held",
        By("lib invariant::tests::truth::a_store_into_what_is_being_cleared_may_be_dropped");
    ClearedWeakrefsLive "cleared-weakrefs-live": "a weak reference on which `tp_clear` was called stays live",
        Equivalent(
            "a snapshot says so before anybody asks whether a weak reference is live, and a cleared one owes no callback",
        );
    BirthInCollectionForgotten "birth-in-collection-forgotten": "that a weak reference was made in a collection is forgotten",
        By("lib invariant::tests::each::I52");
    CallbacksAreNotHeld "callbacks-are-not-held": "a weak reference does not hold its callback",
        By("lib invariant::tests::truth::a_weak_reference_holds_its_callback");
    LegacyReachesNothing "legacy-reaches-nothing": "what legacy objects reach is not set aside",
        By("lib invariant::tests::places::what_a_legacy_object_keeps_is_not_finalized");
    NothingIsResurrected "nothing-is-resurrected": "what finalizers have saved is still to be cleared",
        By("lib invariant::tests::each::I22");
    FreedWeakrefsUncounted "freed-weakrefs-uncounted": "weak references that die after their callback are not counted",
        By("lib invariant::tests::cases_collections::a_weak_reference_counts_though_its_callback_killed_the_referent");
    GarbageHoldsNothing "garbage-holds-nothing": "`gc.garbage` holds nothing",
        By("lib invariant::tests::truth::garbage_holds_what_it_lists");
    CollectionsStartAtRest "collections-start-at-rest": "a collection is taken for one that no script started",
        By("lib invariant::tests::circumstances::inside_of_other_code");
    NothingDisturbs "nothing-disturbs": "full collections are in a row although something happened between them",
        By("lib invariant::tests::truth::collections_are_in_a_row_only_without_a_mutator");
    HiddenEdgesAreSeen "hidden-edges-are-seen": "the collector is taken to see hidden edges",
        By("lib invariant::tests::words_and_sets_agree_on_what_the_model_does");
    KeptSlotsAreCleared "kept-slots-are-cleared": "`tp_clear` is taken to drop the slots that it keeps",
        By("lib invariant::tests::truth::a_slot_that_is_kept_holds");

    // The model.
    PendingFirstIn "pending-first-in": "removals that an iteration puts off are made in the order in which they came",
        By("lib model::machine::fact_tests::removals_that_were_put_off_are_made_last_first");
    LengthCountsPending "length-counts-pending": "the length of a set counts entries whose removal is put off",
        By("lib model::machine::fact_tests::the_length_of_a_set_leaves_out_what_waits_to_be_removed");
    UnraisableBeforeArguments "unraisable-before-arguments": "an error is reported before the call's argument tuple dies",
        By("lib model::machine::fact_tests::an_error_is_reported_after_the_death_of_the_arguments");
    SurvivorsStayCollecting "survivors-stay-collecting": "what survives its `tp_clear` stays marked as collecting",
        By("lib model::machine::fact_tests::survivors_of_a_collection_are_not_part_of_the_next");
    PlainSurvivorsStayCollecting "plain-survivors-stay-collecting": "the same where plain objects are cleared in a row",
        By("lib model::machine::fact_tests::plain_survivors_of_a_collection_are_not_part_of_the_next");
    SecondPassSkipsFunctions "second-pass-skips-functions": "what a saved function reaches is not saved",
        By("lib model::machine::fact_tests::a_saved_object_saves_what_it_reaches");
    UntrackLosesFinalized "untrack-loses-finalized": "an object that is untracked may be finalized again",
        By("lib model::machine::fact_tests::an_untracked_object_remembers_that_it_was_finalized");
    OldestAreNotSpared "oldest-are-not-spared": "a full collection starts however few objects are new among the old",
        By("lib model::machine::fact_tests::a_full_collection_waits_for_a_quarter_of_what_is_old");
    DeathsAreNotCounted "deaths-are-not-counted": "what dies stays counted as allocated",
        By("lib model::machine::fact_tests::allocations_count_less_deaths");
    FreezeKeepsCounts "freeze-keeps-counts": "`gc.freeze()` leaves the counts alone",
        By("lib model::machine::fact_tests::freezing_starts_to_count_anew");
    UnfreezeMakesYoung "unfreeze-makes-young": "`gc.unfreeze()` moves objects to generation 0",
        By("lib model::machine::fact_tests::what_is_unfrozen_is_old");
    DisabledCollects "disabled-collects": "automatic collections start while they are disabled",
        By("lib model::machine::fact_tests::no_collection_starts_by_itself_unless_it_may");
    ZeroIsAThreshold "zero-is-a-threshold": "a first threshold of 0 starts collections",
        By("lib model::machine::fact_tests::no_collection_starts_by_itself_unless_it_may");
    ToldWhileDisabled "told-while-disabled": "the model follows a schedule that collects while that is disabled",
        By("schedule each_thing_that_a_schedule_may_not_do_is_a_difference");
    ToldAtZero "told-at-zero": "the model follows a schedule that collects with a first threshold of 0",
        By("schedule a_first_threshold_of_0_starts_none");
    ToldBelowThreshold "told-below-threshold": "the model follows a schedule that collects below the threshold",
        By("schedule each_thing_that_a_schedule_may_not_do_is_a_difference");
    ToldInVain "told-in-vain": "a moment at which a collection has to start passes without one",
        By("schedule each_thing_that_a_schedule_may_not_do_is_a_difference");
    ToldIsYoung "told-is-young": "whatever the counts select, the model follows with generation 0",
        By("schedule each_thing_that_a_schedule_may_not_do_is_a_difference");
    RefusalsAreSilent "refusals-are-silent": "a collection that is refused shows nothing",
        By("lib model::machine::fact_tests::a_collection_inside_of_another_one_is_refused");

    // Events and their comparison.
    FinalizedNotDecoded "finalized-not-decoded": "the finalized bit is lost where events are read",
        By("lib event::encoding::tests::words_decode_to_the_event_they_came_from");
    IntrospectionNotEncoded "introspection-not-encoded": "that an object was seen by introspection is lost in words",
        By("lib event::encoding::tests::words_decode_to_the_event_they_came_from");
    FinalizedNotCompared "finalized-not-compared": "lockstep does not compare the finalized bit",
        By("lib lockstep::difference::tests::every_bit_of_every_event_is_compared");
    RawLengthNotCompared "raw-length-not-compared": "lockstep does not compare the raw length of containers",
        By("lib lockstep::difference::tests::every_bit_of_every_event_is_compared");
    OwnerNotCompared "owner-not-compared": "lockstep does not compare whose error is reported",
        By("lib lockstep::difference::tests::every_bit_of_every_event_is_compared");
    UncollectableNotCompared "uncollectable-not-compared": "lockstep does not compare how much is uncollectable",
        By("lib lockstep::difference::tests::every_bit_of_every_event_is_compared");
    GarbageNotCompared "garbage-not-compared": "lockstep does not compare what `gc.garbage` has",
        By("lib lockstep::difference::tests::every_bit_of_every_event_is_compared");

    // The wire to the probe.
    WireWithoutWeakrefsFlaw "wire-without-weakrefs-flaw": "the flaw `weakrefs` is lost on the way to the probe",
        By("lib scenario::form_tests::every_property_has_its_bytes_on_the_wire");
    WireWithoutDoubled "wire-without-doubled": "slots that are reported twice are lost on the way to the probe",
        By("lib scenario::form_tests::every_property_has_its_bytes_on_the_wire");
    WireModernizesLegacy "wire-modernizes-legacy": "legacy finalizers are `tp_finalize` for the probe",
        By("lib scenario::form_tests::every_property_has_its_bytes_on_the_wire");
    WireShortensPaths "wire-shortens-paths": "the second step of a path is lost on the way to the probe",
        By("lib scenario::form_tests::every_operand_has_its_bytes_on_the_wire");
    WireWithoutThirdThreshold "wire-without-third-threshold": "the third threshold is lost on the way to the probe",
        By("lib scenario::form_tests::every_operand_has_its_bytes_on_the_wire");

    // The binary form.
    CodecWithoutWeakrefsFlaw "codec-without-weakrefs-flaw": "the binary form does not write the flaw `weakrefs`",
        By("lib scenario::form_tests::every_property_survives_the_binary_form");
    CodecWithoutKeptSlots "codec-without-kept-slots": "the binary form does not write the slots that `clear` keeps",
        By("lib scenario::form_tests::every_property_survives_the_binary_form");
    CodecWithoutDealloc "codec-without-dealloc": "the binary form does not read actions of deallocators",
        By("lib scenario::form_tests::every_property_survives_the_binary_form");
    CodecShortensCounts "codec-shortens-counts": "counts above two million are read wrongly",
        By("lib scenario::form_tests::every_operand_survives_the_binary_form");

    // The text form and the normal form.
    PrinterWithoutWeakrefsFlaw "printer-without-weakrefs-flaw": "the text does not have the flaw `weakrefs`",
        By("lib scenario::form_tests::every_property_survives_the_text");
    PrinterAllIsOne "printer-all-is-one": "all slots are printed as the first",
        By("lib scenario::form_tests::every_property_survives_the_text");
    PrinterTracks "printer-tracks": "objects that start untracked are printed as tracked",
        By("lib scenario::form_tests::every_property_survives_the_text");
    PrinterSavesNothing "printer-saves-nothing": "`DEBUG_SAVEALL` is printed as 0",
        By("lib scenario::form_tests::every_operand_survives_the_text");
    NormalizerGoesOnAfterRaise "normalizer-goes-on-after-raise": "what follows a `raise` stays",
        By("lib scenario::normalize_tests::raise_ends_a_script_but_not_one_that_the_mutator_inlines");
    NormalizerKeepsVainRepeats "normalizer-keeps-vain-repeats": "a `repeat` of nothing stays",
        By("lib scenario::normalize_tests::repeat_works_in_the_main_body_and_in_what_it_runs");
    NormalizerKeepsVainDrops "normalizer-keeps-vain-drops": "a `del` of what cannot exist stays",
        By("lib scenario::normalize_tests::a_variable_that_nothing_assigns_is_nothing");
    NormalizerKeepsIdleGeneration "normalizer-keeps-idle-generation": "an allocation trigger that is off has a generation",
        By("lib scenario::normalize_tests::what_has_no_effect_is_not_kept");
    NormalizerKeepsItems "normalizer-keeps-items": "items stay that a shape does not take",
        By("lib scenario::normalize_tests::what_has_no_effect_is_not_kept");

    // The reducer.
    ReducerStopsAfterARound "reducer-stops-after-a-round": "the search stops after the first round and calls it minimal",
        By("lib shrink::tests::numbers_end_at_the_lowest_that_hold");
    ReducerAcceptsAnything "reducer-accepts-anything": "one candidate is taken whatever the predicate says",
        By("lib shrink::tests::the_founding_bug_ends_as_its_smallest_form");
    ReducerSkipsOrder "reducer-skips-order": "operations are never reordered",
        By("lib shrink::tests::numbers_end_at_the_lowest_that_hold");
    ReducerTriesOnceMore "reducer-tries-once-more": "the predicate is called once more than the budget says",
        By("lib shrink::tests::the_budget_counts_calls_of_the_predicate");

    // The generator.
    ScriptsMakeNoCallbacks "scripts-make-no-callbacks": "scripts never give a weak reference a callback",
        By("lib generate::tests::every_combination_is_drawn");
    ScriptsDoNotFreeze "scripts-do-not-freeze": "scripts never call `gc.freeze()`",
        By("lib generate::tests::every_combination_is_drawn");
    ScriptsDoNotRaise "scripts-do-not-raise": "scripts never raise",
        By("lib generate::tests::every_combination_is_drawn");
    NoLegacyFinalizers "no-legacy-finalizers": "no object gets a legacy finalizer",
        By("lib generate::tests::every_combination_is_drawn");
    NoProxies "no-proxies": "no proxy is made",
        By("lib generate::tests::every_combination_is_drawn");
    KeyedRefsWithoutCallback "keyed-refs-without-callback": "no KeyedRef gets a callback",
        By("lib generate::tests::every_combination_is_drawn");
    NothingIsFrozen "nothing-is-frozen": "the mutator never calls `gc.freeze()`",
        By("lib generate::tests::every_combination_is_drawn");

    // Outcomes of regression files.
    DigestsMayDiffer "digests-may-differ": "another digest than the file states is accepted",
        By("regressions every_flipped_outcome_is_noticed");
    ViolationsMayVanish "violations-may-vanish": "a violation that the file expects may be missing",
        By("regressions every_flipped_outcome_is_noticed");
    ViolationsMayAppear "violations-may-appear": "a violation that the file does not expect is accepted",
        By("regressions every_flipped_outcome_is_noticed");
    FactsMayBeUntrue "facts-may-be-untrue": "a fact that the file states may be untrue",
        By("regressions every_flipped_outcome_is_noticed");

    // The baseline.
    KnownAnywhere "known-anywhere": "a violation is known if the row breaks the invariant anywhere",
        By("lib campaign::examine::known::tests::a_row_shows_a_violation_that_is_the_same_in_everything");
    KnownOfAnyClass "known-of-any-class": "the class of the row's violation is not compared",
        By("lib campaign::examine::known::tests::a_row_shows_a_violation_that_is_the_same_in_everything");
    KnownOfAnyObject "known-of-any-object": "the object of the row's violation is not compared",
        By("lib campaign::examine::known::tests::a_row_shows_a_violation_that_is_the_same_in_everything");
    KnownAtAnyStep "known-at-any-step": "the operation of the row's violation is not compared",
        By("lib campaign::examine::known::tests::a_row_shows_a_violation_that_is_the_same_in_everything");
    KnownInAnyPhase "known-in-any-phase": "the phase of the row's violation is not compared",
        By("lib campaign::examine::known::tests::a_row_shows_a_violation_that_is_the_same_in_everything");
    FixNotAsked "fix-not-asked": "what the row shows is known, although it stays with the fix of the bug",
        By("baseline a_violation_that_stays_without_the_bug_is_new");
}

/// The event to which each invariant is deaf in the mutant `deaf-`: one that it, or the shadow heap for it, reads.
pub const EVENTS: &[(&str, &str)] = &[
    ("I01", "Clear"),
    ("I01b", "Saw"),
    ("I02", "StoreVar"),
    ("I03", "StoreVar"),
    ("I04", "Free"),
    ("I05", "StoreSlot"),
    ("I06", "State"),
    ("I07", "Enter"),
    ("I08", "Clear"),
    ("I09", "StoreVar"),
    ("I10", "Free"),
    ("I11", "Weak"),
    ("I12", "NewWeak"),
    ("I13", "Answer"),
    ("I14", "NewWeak"),
    ("I15", "Clear"),
    ("I16", "Enter"),
    ("I17", "NewWeak"),
    ("I18", "Enter"),
    ("I19", "CollectEnd"),
    ("I20", "CollectEnd"),
    ("I21", "Free"),
    ("I22", "Enter"),
    ("I23", "StoreSlot"),
    ("I24", "State"),
    ("I25", "Snapshot"),
    ("I26", "State"),
    ("I27", "Undefined"),
    ("I30", "Length"),
    ("I31", "Leave"),
    ("I32", "State"),
    ("I37", "End"),
    ("I38", "State"),
    ("I39", "CollectEnd"),
    ("I40", "StoreSlot"),
    ("I41", "Enter"),
    ("I52", "Answer"),
];
