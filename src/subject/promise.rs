//! What public texts promise to a user of Python, and what they allow: documentation, PEPs, What's New, NEWS.
//!
//! A verdict of class `collector` rests on one of the promises, unless it is memory safety, reachability, at most once or
//! liveness, which need no text; a verdict of class `documented` cites one of the permissions. A comment in C, a commit
//! or an issue is no text: what nothing else speaks of is `unpromised`. Statements are in words of this project.

use super::release::{EVERY, Releases, Span, since, until};

/// One place in a public text.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// Its word, which does not change.
    pub word: &'static str,
    /// What it says.
    pub statement: &'static str,
    /// Where it is: page and section, PEP, or NEWS entry with its release.
    pub place: &'static str,
    /// The releases for which it holds.
    pub releases: Releases,
}

macro_rules! texts {
    ($(#[$doc:meta])* $kind:ident: $($name:ident $word:literal $releases:expr, $statement:literal, $place:literal;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum $kind {
            $(#[doc = $statement] $name,)*
        }

        impl $kind {
            /// Every entry, in the order of the table.
            pub const ALL: &'static [$kind] = &[$($kind::$name),*];

            /// The text.
            pub const fn text(self) -> &'static Text {
                const TABLE: &[Text] =
                    &[$(Text { word: $word, statement: $statement, place: $place, releases: $releases }),*];
                &TABLE[self as usize]
            }
        }
    };
}

/// The releases of some spans.
const fn of(spans: &'static [Span]) -> Releases {
    Releases::of(spans)
}

texts! {
    /// What a user may rely on.
    Promise:

    ReachableStays "reachable-stays" EVERY,
        "As long as an object can be reached it is not collected; from 3.14 on it is said that it is not cleared either.",
        "Language Reference, Data model, Objects, values and types; from 3.14 C API, Type Object Structures, tp_clear";
    FinalizedUnreachable "finalized-unreachable" EVERY,
        "The runtime finalizes an object when it is about to be destroyed, and from 3.14 on explicitly none that is reachable.",
        "Language Reference, Data model, object.__del__; PEP 442, Definitions; from 3.14 C API, Type Object Structures, \
         tp_finalize";
    FinalizedBeforeCleared "finalized-before-cleared" of(&[since(3, 4, 0)]),
        "All objects of an isolate are finalized before one of them is cleared.",
        "C API, Type Object Structures, tp_finalize; PEP 442, Disposal of cyclic isolates, and Safety";
    NoClearedSeen "no-cleared-seen" EVERY,
        "Code that the collector runs meets no object that has been cleared, neither by strong nor by weak references.",
        "NEWS of 2.4, bug 1055820; PEP 442, Safety; NEWS of 3.13.13, 3.14.4 and 3.15.0, gh-91636; from 3.14 C API, Object \
         Life Cycle";
    FinalizedOnce "finalized-once" of(&[since(3, 4, 0)]),
        "The finalizer of an object is called exactly once, also if the object was saved.",
        "PEP 442, Predictability; C API, Type Object Structures, tp_finalize; Language Reference, Data model, object.__del__";
    WeakrefAnswers "weakref-answers" EVERY,
        "A weak reference answers with its referent as long as that is alive, and with None when it is not.",
        "Library, weakref, ref";
    DeadInCallback "dead-in-callback" EVERY,
        "The callback of a weak reference gets it when its referent is not available any more.",
        "Library, weakref, ref; PEP 205, Proposed Solution";
    CallbackDue "callback-due" EVERY,
        "If the weak reference is still alive, its callback is called when the referent is about to be finalized, and not \
         otherwise; nothing is said of who made it, and when.",
        "Library, weakref, ref; PEP 205, Proposed Solution";
    NewestFirst "newest-first" EVERY,
        "Of several callbacks for one object the one that was registered last is called first.",
        "Library, weakref, ref";
    EntriesLeave "entries-leave" EVERY,
        "An entry leaves a weak container when no strong reference to its key, value or element is left; nothing is said of who made it.",
        "Library, weakref, WeakKeyDictionary, WeakValueDictionary, WeakSet";
    FinalizeCalled "finalize-called" of(&[since(3, 4, 0)]),
        "A finalize object survives until its referent is collected, and is called then, once.",
        "Library, weakref, finalize, and Finalizer Objects";
    ErrorsPrinted "errors-printed" EVERY,
        "Errors of callbacks and finalizers are printed, or given to sys.unraisablehook, and not raised.",
        "Library, weakref, ref; Language Reference, Data model, object.__del__; from 3.8 Library, sys, unraisablehook";
    FullCollection "full-collection" EVERY,
        "gc.collect() without argument runs a full collection.",
        "Library, gc, collect";
    TypesTakePart "types-take-part" EVERY,
        "tp_traverse visits each reference that an object owns, and containers that can form cycles have a tp_clear.",
        "C API, Supporting Cyclic Garbage Collection";
    ReturnedCount "returned-count" EVERY,
        "gc.collect() returns the number of unreachable objects that it found, or collected and could not collect.",
        "Library, gc, collect; from 3.3 gc.callbacks, from 3.4 gc.get_stats";
    OnlySavedStays "only-saved-stays" of(&[since(3, 9, 0)]),
        "Objects that were saved do not keep a collection from collecting what is still unreachable.",
        "What's New in Python 3.9, gc; NEWS of 3.9.0a1, bpo-38379";
    SurvivorsGrowOld "survivors-grow-old" EVERY,
        "An object that survives a collection moves to the next older generation, and stays in the oldest one.",
        "Library, gc, set_threshold";
    FrozenStays "frozen-stays" of(&[since(3, 7, 0)]),
        "What gc.freeze() moves to the permanent generation is ignored by all later collections.",
        "Library, gc, freeze";
    Tracked "tracked" EVERY,
        "Objects that may be part of a cycle are tracked.",
        "Library, gc, is_tracked; What's New in Python 2.7; C API, Supporting Cyclic Garbage Collection";
    ValidAfterClear "valid-after-clear" EVERY,
        "tp_clear leaves an object that is still valid.",
        "C API, Supporting Cyclic Garbage Collection, inquiry; from 3.14 Type Object Structures, tp_clear";
    NoZombie "no-zombie" of(&[since(2, 7, 4)]),
        "A weak reference does not lead to an object whose reference count has dropped to zero.",
        "NEWS of 2.7.4 and 3.3.1, bpo-16602";
    TrashIsSilent "trash-is-silent" EVERY,
        "A weak reference that is garbage together with its referent is cleared first, so that its callback does not run; \
         from 3.8 on whatever its referent is.",
        "NEWS of 2.4a1, bug 839548; NEWS of 3.8.0rc1, bpo-38006";
}

texts! {
    /// What may happen.
    Permission:

    CallbacksFirst "callbacks-first" EVERY,
        "In a collection weak references are cleared and callbacks called before finalizers run; PEP 205 has that order \
         for every death.",
        "PEP 442, Disposal of cyclic isolates, steps 1 and 2; PEP 205, Implementation Strategy";
    SavedAfterWeakrefs "saved-after-weakrefs" EVERY,
        "When a finalizer saves what a collection found in an isolate, its weak references are dead and their callbacks \
         called; from 3.15 on those that have a callback.",
        "PEP 442, Disposal of cyclic isolates, steps 1 to 3; NEWS of 2.4, bug 1055820; NEWS of 3.15.0a1, gh-135552";
    IsolateSaved "isolate-saved" of(&[since(3, 4, 0).until(3, 9, 0)]),
        "When a finalizer saves an object of an isolate, the collection is aborted and all of the isolate stays.",
        "PEP 442, Disposal of cyclic isolates, step 3; NEWS of 3.7.6 and 3.8.0, bpo-38379";
    DelAfterWeakrefs "del-after-weakrefs" of(&[until(3, 4, 0)]),
        "Weak references are cleared and callbacks called before __del__ is.",
        "Library, weakref, note of the documentation of 2.6 to 2.7.3; PEP 205, Implementation Strategy";
    DelAgain "del-again" of(&[until(3, 4, 0)]),
        "An object that __del__ saved has it called again when it dies again.",
        "Language Reference of 2.7, Data model, object.__del__";
    NoMark "no-mark" of(&[since(3, 4, 0)]),
        "A finalizer without GC header is called again if it saved its object.",
        "PEP 442, C-level changes, note; from 3.14 C API, Type Object Structures, tp_finalize, and Object Life Cycle";
    EmptySlots "empty-slots" of(&[until(3, 8, 7), since(3, 9, 0).until(3, 9, 1)]),
        "Classes that add no storage were not tracked, so their instances have no mark.",
        "NEWS of 3.8.7, 3.9.1 and 3.10.0a1, bpo-41984; PEP 442, C-level changes, note";
    LegacyKept "legacy-kept" EVERY,
        "An object in an isolate whose type has a tp_del is kept and listed in gc.garbage, not finalized.",
        "Library, gc, garbage; PEP 442, C-level changes";
    DelKept "del-kept" of(&[until(3, 4, 0)]),
        "Objects with a __del__ in a cycle, and what only they reach, are not collected but listed in gc.garbage.",
        "Library of 2.7, gc, garbage; Language Reference of 2.7, Data model, object.__del__";
    SaveAll "save-all" EVERY,
        "What is found unreachable while gc.DEBUG_SAVEALL is set is put in gc.garbage and not freed.",
        "Library, gc, DEBUG_SAVEALL";
    TrashWeakrefDead "trash-weakref-dead" of(&[since(3, 8, 0).until(3, 15, 0)]),
        "Weak references that are garbage themselves are cleared, whatever they refer to.",
        "NEWS of 3.8.0rc1, bpo-38006";
    ClearedBeforeClear "cleared-before-clear" of(&[since(3, 13, 13).until(3, 14, 0), since(3, 14, 4)]),
        "Weak references that finalizers made to objects which stay unreachable are cleared. It says nothing of callbacks, \
         entries of containers and finalize.",
        "NEWS of 3.13.13, 3.14.4 and 3.15.0a1, gh-91636";
    MayBeLate "may-be-late" EVERY,
        "An implementation may put off the collection of what is unreachable.",
        "Language Reference, Data model, Objects, values and types";
    ValueKeepsKey "value-keeps-key" EVERY,
        "A key stays as long as there is a strong reference to it, one from its own value too.",
        "Library, weakref, WeakKeyDictionary";
    FinalizeOwns "finalize-owns" EVERY,
        "A finalize whose function or arguments own its referent keeps it for ever.",
        "Library, weakref, finalize, note";
    TypeNotVisited "type-not-visited" of(&[until(3, 9, 0)]),
        "Instances of heap types need not visit their type.",
        "What's New in Python 3.9, Changes in the C API";
    FoundCounted "found-counted" of(&[until(3, 12, 0)]),
        "What gc.collect() returns is the number of unreachable objects that it found.",
        "Library of 2.7 to 3.11, gc, collect";
    HalfConstructed "half-constructed" of(&[since(3, 14, 0)]),
        "Objects that gc.get_objects() shows may be in a temporarily invalid state; it is for debugging.",
        "Library of 3.14, gc, get_objects";
    StillAlive "still-alive" EVERY,
        "A callback is called if its weak reference is still alive. Before 3.8 no text speaks of one that is garbage itself while its referent is not.",
        "Library, weakref, ref";
    AnswersUntilDestroyed "answers-until-destroyed" of(&[since(3, 4, 0)]),
        "Until an object is destroyed a weak reference may answer with it, even if there are no strong references to it.",
        "Library of 3.4 and later, weakref, introduction";
    Increments "increments" of(&[since(3, 14, 0).until(3, 14, 5)]),
        "Automatic collections and gc.collect(1) examine a part of the old objects at a time.",
        "What's New in Python 3.14, Incremental garbage collection";
    FinalizedInIsolates "finalized-in-isolates" of(&[since(3, 4, 0)]),
        "Objects with a finalizer are collected, and all finalizers of an isolate run before it is cleared.",
        "PEP 442; What's New in Python 3.4";
    PlainWeakrefsLater "plain-weakrefs-later" of(&[since(3, 15, 0)]),
        "Weak references without callback are cleared after finalizers have run.",
        "NEWS of 3.15.0a1, gh-135552";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_has_a_word_and_says_what_and_where() {
        let texts = || Promise::ALL.iter().map(|p| p.text()).chain(Permission::ALL.iter().map(|p| p.text()));
        for text in texts() {
            assert!(!text.statement.is_empty() && !text.place.is_empty() && !text.place.contains(".c "), "{text:?}");
            let page = ["Library", "Language Reference", "C API", "PEP ", "NEWS of ", "What's New"];
            assert!(page.iter().any(|page| text.place.starts_with(page)), "{text:?}");
        }
        for words in [
            Promise::ALL.iter().map(|p| p.text().word).collect::<Vec<_>>(),
            Permission::ALL.iter().map(|p| p.text().word).collect(),
        ] {
            let mut unique = words.clone();
            unique.sort_unstable();
            unique.dedup();
            assert_eq!(unique.len(), words.len());
        }
        assert!(Promise::ReachableStays.text().releases.is_all());
    }
}
