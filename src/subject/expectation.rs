//! What subjects do on purpose, in one table: for which releases, and where that is written.
//!
//! A verdict that calls a violation documented cites an entry. What a subject is expected to do follows from this table
//! and the number of its release, or is declared by the subject's author.

use super::promise::Permission;
use super::release::{ALL, EVERY, Release, Releases, Span, since, until};
use crate::bits::{Bits, Field};

/// What can be expected of a subject: how an entry of the table is answered.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// Yes or no. Yes excuses what would be a violation otherwise, on the releases given.
    Excuse(Releases),
    /// One of several, each a word with its releases; the last whose releases have the one asked for is meant. The first
    /// holds where no release is known.
    OneOf(&'static [(&'static str, Span)]),
}

use Values::OneOf;

/// The value of an entry that excuses violations on some releases.
const fn excuse(spans: &'static [Span]) -> Values {
    Values::Excuse(Releases::of(spans))
}

/// The value of an entry that excuses violations on every release.
const EXCUSE: Values = Values::Excuse(EVERY);

/// What an entry can cite.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// The text that allows it.
    Text(Permission),
    /// No text allows it, and none forbids it: what a user sees.
    Unpromised(&'static str),
}

use Source::{Text, Unpromised};

/// An entry of the table.
struct Entry {
    word: &'static str,
    values: Values,
    source: Source,
}

macro_rules! expectations {
    ($($(#[$doc:meta])* $name:ident $word:literal: $values:expr, $source:expr;)*) => {
        /// Something that subjects do on purpose, some of them or all.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum Expectation {
            $($(#[$doc])* $name,)*
        }

        impl Expectation {
            /// Every entry, in the order of the table.
            pub const ALL: &'static [Expectation] = &[$(Expectation::$name),*];
        }

        const TABLE: &[Entry] = &[$(Entry { word: $word, values: $values, source: $source }),*];
    };
}

expectations! {
    /// Objects found by introspection may be cleared ones.
    Introspection "introspection": excuse(&[since(3, 14, 0)]), Text(Permission::HalfConstructed);
    /// Callbacks run before finalizers in a collection, after them on the refcount path.
    CallbacksFirst "callbacks-first": EXCUSE, Text(Permission::CallbacksFirst);
    /// A finalizer run by the collector saves an object whose callbacks have run and weak references are dead.
    Resurrection "resurrection": EXCUSE, Text(Permission::SavedAfterWeakrefs);
    /// One object that a finalizer saved keeps all that its collection has found.
    IsolateSaved "isolate-saved": excuse(&[since(3, 4, 0).until(3, 9, 0)]), Text(Permission::IsolateSaved);
    /// Before 3.4, weak references die and their callbacks run before `__del__` does.
    DelAfterWeakrefs "del-after-weakrefs": excuse(&[until(3, 4, 0)]), Text(Permission::DelAfterWeakrefs);
    /// `gc.DEBUG_SAVEALL` keeps what was finalized and whose weak references were cleared.
    SaveAll "save-all": EXCUSE, Text(Permission::SaveAll);
    /// Objects with legacy finalizers, and what they reach, are kept and listed in `gc.garbage`.
    LegacyFinalizer "legacy-finalizer": EXCUSE, Text(Permission::LegacyKept);
    /// Before 3.4 every `__del__` is a legacy finalizer.
    DelUncollectable "del-uncollectable": excuse(&[until(3, 4, 0)]), Text(Permission::DelKept);
    /// Without GC header there is no bit to remember that the finalizer ran.
    NoFinalizedBit "no-finalized-bit": excuse(&[since(3, 4, 0)]), Text(Permission::NoMark);
    /// Before 3.4 nothing remembers that `__del__` ran.
    NoBitBefore34 "no-bit-before-3.4": excuse(&[until(3, 4, 0)]), Text(Permission::DelAgain);
    /// `tp_del` has no bit and runs at each death.
    LegacyEachTime "legacy-each-time": EXCUSE, Text(Permission::LegacyKept);
    /// Classes that add no storage had no GC header.
    EmptySlots "empty-slots": excuse(&[until(3, 8, 7), since(3, 9, 0).until(3, 9, 1)]), Text(Permission::EmptySlots);
    /// Instances could not report their type.
    TypeEdge "type-edge": excuse(&[until(3, 9, 0)]), Text(Permission::TypeNotVisited);
    /// Weak references that are trash themselves are cleared whatever they refer to.
    TrashWeakrefCleared "trash-weakref-cleared": excuse(&[since(3, 8, 0).until(3, 15, 0)]),
        Text(Permission::TrashWeakrefDead);
    /// `gc.collect` counts the unreachable set before callbacks and finalizers run.
    CountedEarly "counted-early": excuse(&[until(3, 7, 6)]), Text(Permission::FoundCounted);
    /// A callback from trash may run as long as nothing has been cleared.
    BeforeClearOld "before-clear-old": excuse(&[until(3, 8, 0)]), Text(Permission::StillAlive);
    /// As before 3.8: trash weak references stay armed until finalizers have run.
    BeforeClearNew "before-clear-new": excuse(&[since(3, 15, 0)]),
        Unpromised("a weak reference in garbage calls its callback when a finalizer drops its referent");
    /// Weak references made by finalizers to trash are cleared.
    MadeByFinalizer "made-by-finalizer": excuse(&[since(3, 13, 13).until(3, 14, 0), since(3, 14, 4)]),
        Text(Permission::ClearedBeforeClear);
    /// An object saved by the finalizer that its deallocator ran is tracked anew, in generation 0.
    RetrackedYoung "retracked-young": EXCUSE,
        Unpromised("an object that its finalizer saved outside of collections is in generation 0 again");
    /// The trashcan keeps objects until the next container dies.
    TrashcanLeftover "trashcan-leftover": excuse(&[until(3, 8, 0)]), Text(Permission::MayBeLate);
    /// A value of a weak-key dictionary keeps its key alive.
    NoEphemerons "no-ephemerons": EXCUSE, Text(Permission::ValueKeepsKey);
    /// The registry of `finalize` keeps what the callable reaches, its own referent too.
    FinalizeOwns "finalize-owns": EXCUSE, Text(Permission::FinalizeOwns);
    /// A weak reference to an object that nothing holds may answer until the object is destroyed.
    AnswersUntilDestroyed "answers-until-destroyed": excuse(&[since(3, 4, 0)]), Text(Permission::AnswersUntilDestroyed);
    /// What a collection examines: whole generations, or a part of the old ones at a time.
    Collections "collections":
        OneOf(&[("generational", ALL), ("incremental", since(3, 14, 0).until(3, 14, 5))]), Text(Permission::Increments);
    /// When the collector runs the finalizers of trash: before it clears anything, or never, so that they run when their
    /// objects die of that.
    Finalizers "finalizers": OneOf(&[("before-clear", ALL), ("at-death", until(3, 4, 0))]),
        Text(Permission::FinalizedInIsolates);
    /// Which weak references to trash are cleared before its finalizers run.
    ClearedEarly "cleared-early": OneOf(&[("all", ALL), ("with-callback", since(3, 15, 0))]),
        Text(Permission::PlainWeakrefsLater);
    /// Which weak references to what is still trash after its finalizers are cleared then: those that are left and those that
    /// finalizers made, or none. The first releases of 3.14 are older than the change.
    ClearedLate "cleared-late":
        OneOf(&[("none", ALL), ("all", since(3, 13, 13)), ("none-yet", since(3, 14, 0).until(3, 14, 4))]),
        Text(Permission::ClearedBeforeClear);
    /// Whether functions have a `tp_clear`, as a type that can be part of a cycle must.
    FunctionClear "function-clear": OneOf(&[("clears", ALL), ("missing", until(3, 8, 0))]),
        Unpromised("cycles of functions are found by every collection, and stay");
    /// Whether the collector looks for finalizers of static C types. Where it does not, objects that have one are cleared
    /// like any other, and it runs when they die of that.
    StaticFinalizers "static-finalizers": OneOf(&[("seen", ALL), ("unseen", until(3, 0, 0))]),
        Unpromised("the finalizer of a static C type can reach objects that have been cleared");
}

/// Room for so many entries in masks.
const MAX: usize = 128;

/// Words of the bits of all values.
const WORDS: usize = 4;

/// Where the value of each entry is.
static FIELDS: [Field; TABLE.len()] = {
    let mut fields = [Field::after(0, 2); TABLE.len()];
    let (mut at, mut free) = (0, 0);
    while at < TABLE.len() {
        let values = match TABLE[at].values {
            Values::Excuse(_) => 2,
            Values::OneOf(values) => values.len(),
        };
        fields[at] = Field::after(free, values);
        free = fields[at].end();
        at += 1;
    }
    assert!(TABLE.len() <= MAX && free <= 64 * WORDS);
    fields
};

impl Expectation {
    /// How many there are.
    pub const COUNT: usize = TABLE.len();

    /// Its word, which does not change.
    pub const fn word(self) -> &'static str {
        TABLE[self as usize].word
    }

    /// How it is answered, and for which releases how.
    pub const fn values(self) -> Values {
        TABLE[self as usize].values
    }

    /// The releases for which it excuses; nothing if it is a choice.
    pub const fn excuses(self) -> Option<Releases> {
        match self.values() {
            Values::Excuse(releases) => Some(releases),
            OneOf(_) => None,
        }
    }

    /// How many values it has.
    pub const fn count(self) -> usize {
        match self.values() {
            Values::Excuse(_) => 2,
            OneOf(values) => values.len(),
        }
    }

    /// What it can cite.
    pub const fn cites(self) -> Source {
        TABLE[self as usize].source
    }

    /// The text that allows it; nothing if no text does.
    pub const fn permission(self) -> Option<Permission> {
        match self.cites() {
            Text(permission) => Some(permission),
            Unpromised(_) => None,
        }
    }

    /// Where the text is that allows it; or what a user sees that no text allows or forbids.
    pub const fn source(self) -> &'static str {
        match self.cites() {
            Text(permission) => permission.text().place,
            Unpromised(seen) => seen,
        }
    }

    #[inline(always)]
    const fn field(self) -> Field {
        FIELDS[self as usize]
    }

    /// The value with this word; made where constants are made, a wrong word does not compile.
    const fn choice(self, word: &str) -> Choice {
        let OneOf(values) = self.values() else { panic!("an excuse has no words") };
        let mut at = 0;
        while !is_same(values[at].0, word) {
            at += 1;
        }
        Choice { of: self, value: at as u8 }
    }
}

const fn is_same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

/// One value of an entry that is a choice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Choice {
    of: Expectation,
    value: u8,
}

impl Choice {
    /// Collections of 3.14.0 to 3.14.4.
    pub const INCREMENTAL: Choice = Expectation::Collections.choice("incremental");
    /// Finalizers of trash run when their objects die.
    pub const FINALIZED_AT_DEATH: Choice = Expectation::Finalizers.choice("at-death");
    /// Of the weak references to trash those that have a callback are cleared before its finalizers run.
    pub const CALLBACKS_CLEARED_EARLY: Choice = Expectation::ClearedEarly.choice("with-callback");
    /// Functions have no `tp_clear`.
    pub const FUNCTION_WITHOUT_CLEAR: Choice = Expectation::FunctionClear.choice("missing");
    /// The collector does not look for finalizers of static C types.
    pub const STATIC_FINALIZERS_UNSEEN: Choice = Expectation::StaticFinalizers.choice("unseen");

    /// All weak references to what is still trash after its finalizers are cleared then.
    pub const CLEARED_TWICE: Choice = Expectation::ClearedLate.choice("all");

    /// The entry of the table.
    pub const fn of(self) -> Expectation {
        self.of
    }
}

/// What is expected of one subject: a value for each entry of the table of which something is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expectations {
    values: Bits<WORDS>,
    /// The bits of the entries that have a value; the others are 0 in `values`.
    known: Bits<WORDS>,
}

impl Expectations {
    /// Nothing is known.
    pub const UNKNOWN: Expectations = Expectations { values: Bits::NONE, known: Bits::NONE };

    /// What the table says of a release. All of it is known.
    pub fn of_release(release: Release) -> Expectations {
        Expectation::ALL.iter().fold(Expectations::UNKNOWN, |all, entry| {
            let value = match entry.values() {
                Values::Excuse(releases) => usize::from(releases.has(release)),
                OneOf(values) => values.iter().rposition(|(_, releases)| releases.has(release)).unwrap_or(0),
            };
            all.with(*entry, value)
        })
    }

    /// What is expected of a subject that is no release: the excuses that every release from 3.4 on has, and of each choice
    /// the first value. Nothing is known of excuses that only some releases have: they do not hold.
    pub fn of_no_release() -> Expectations {
        Expectation::ALL.iter().fold(Expectations::UNKNOWN, |all, entry| match entry.excuses() {
            Some(releases) if releases.has_all_of_pep442() => all.with(*entry, 1),
            Some(_) => all,
            None => all.with(*entry, 0),
        })
    }

    /// The same, where an entry has this value: for an excuse 1 if it holds, for a choice the position of the word.
    #[must_use]
    pub const fn with(self, entry: Expectation, value: usize) -> Expectations {
        let field = entry.field();
        Expectations { values: field.set(self.values, value), known: self.known.union(field.all()) }
    }

    /// The same, where nothing is known of an entry.
    #[must_use]
    pub const fn without(self, entry: Expectation) -> Expectations {
        let field = entry.field();
        Expectations { values: field.set(self.values, 0), known: field.set(self.known, 0) }
    }

    /// True if something is known of an entry.
    #[inline]
    pub const fn knows(self, entry: Expectation) -> bool {
        entry.field().get(self.known) != 0
    }

    /// True if an excuse is known to hold.
    #[inline]
    pub const fn holds(self, excuse: Expectation) -> bool {
        excuse.field().get(self.values) != 0
    }

    /// True if this value of a choice is known to be the one.
    #[inline]
    pub const fn is(self, choice: Choice) -> bool {
        self.knows(choice.of) && choice.of.field().get(self.values) == choice.value as usize
    }

    /// The value of an entry, 0 if it is not known.
    #[inline]
    pub const fn value(self, entry: Expectation) -> usize {
        entry.field().get(self.values)
    }

    /// True if both subjects give the same answers to these questions.
    #[inline]
    pub const fn agree(self, other: Expectations, asked: Questions) -> bool {
        self.values.agrees(other.values, asked.values) && self.known.agrees(other.known, asked.known)
    }
}

/// Questions about entries of the table: which value an entry has, or whether it is known.
///
/// A run that asked nothing else is judged alike for all subjects that [agree](Expectations::agree).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Questions {
    values: Bits<WORDS>,
    known: Bits<WORDS>,
}

impl Questions {
    /// None.
    pub const NONE: Questions = Questions { values: Bits::NONE, known: Bits::NONE };
    /// All that there are.
    pub const ALL: Questions = Questions { values: Bits::ALL, known: Bits::ALL };

    /// Which value an entry has.
    #[inline(always)]
    pub const fn value_of(entry: Expectation) -> Questions {
        Questions { values: entry.field().all(), known: Bits::NONE }
    }

    /// Whether something is known of an entry.
    #[inline(always)]
    pub const fn knowledge_of(entry: Expectation) -> Questions {
        Questions { values: Bits::NONE, known: entry.field().all() }
    }

    /// These and others.
    #[inline(always)]
    #[must_use]
    pub const fn and(self, other: Questions) -> Questions {
        Questions { values: self.values.union(other.values), known: self.known.union(other.known) }
    }

    /// True if the others are among these.
    pub const fn covers(self, other: Questions) -> bool {
        self.values.covers(other.values) && self.known.covers(other.known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn release(minor: u8, patch: u8) -> Release {
        Release::new(3, minor, patch)
    }

    #[test]
    fn an_excuse_holds_only_for_its_releases() {
        let holds = |release| Expectations::of_release(release).holds(Expectation::TrashWeakrefCleared);
        assert!(holds(release(8, 0)) && holds(release(14, 10)));
        assert!(!holds(release(7, 16)) && !holds(release(15, 2)));
        let none = Expectations::of_no_release();
        assert!(!none.holds(Expectation::TrashWeakrefCleared) && !none.knows(Expectation::TrashWeakrefCleared));
        assert!(none.holds(Expectation::NoFinalizedBit) && none.knows(Expectation::NoFinalizedBit));
        assert!(none.knows(Expectation::Collections) && !none.is(Choice::INCREMENTAL));
    }

    /// Every patch release that a row covers, or that a span begins or ends with, and more.
    fn releases() -> impl Iterator<Item = Release> {
        let old = (0..=18).map(|patch| Release::new(2, 7, patch));
        old.chain((4..=16).flat_map(|minor| (0..=25).map(move |patch| release(minor, patch))))
    }

    #[test]
    fn an_excuse_holds_only_where_its_text_does() {
        for entry in Expectation::ALL {
            let (Some(excused), Some(permission)) = (entry.excuses(), entry.permission()) else { continue };
            for release in releases().filter(|release| excused.has(*release)) {
                assert!(permission.text().releases.has(release), "{entry:?} on {release}");
            }
        }
    }

    #[test]
    fn every_permission_is_cited() {
        for permission in Permission::ALL {
            assert!(Expectation::ALL.iter().any(|e| e.permission() == Some(*permission)), "{permission:?}");
        }
    }

    #[test]
    fn a_choice_has_the_value_of_its_release() {
        let incremental = |release| Expectations::of_release(release).is(Choice::INCREMENTAL);
        assert!(incremental(release(14, 0)) && incremental(release(14, 4)));
        assert!(!incremental(release(13, 9)) && !incremental(release(14, 5)) && !incremental(release(15, 0)));
        let all = Expectations::of_release(release(14, 0));
        assert!(!all.without(Expectation::Collections).is(Choice::INCREMENTAL));
        assert!(Expectations::of_release(Release::new(2, 7, 18)).is(Choice::FINALIZED_AT_DEATH));
        assert!(Expectations::of_release(release(15, 0)).is(Choice::CALLBACKS_CLEARED_EARLY));
    }

    #[test]
    fn every_entry_keeps_its_value_and_its_questions_apart() {
        let mut words = std::collections::BTreeSet::new();
        for (at, entry) in Expectation::ALL.iter().enumerate() {
            assert_eq!(*entry as usize, at);
            assert!(words.insert(entry.word()) && !entry.source().is_empty(), "{entry:?}");
            for base in [Expectations::of_release(release(12, 1)), Expectations::of_no_release()] {
                for value in 0..entry.count() {
                    let changed = base.with(*entry, value);
                    assert_eq!((changed.value(*entry), changed.knows(*entry)), (value, true));
                    for other in Expectation::ALL.iter().filter(|other| *other != entry) {
                        assert_eq!(changed.value(*other), base.value(*other));
                        assert!(changed.agree(base, Questions::value_of(*other)));
                    }
                    let same = base.value(*entry) == value;
                    assert_eq!(changed.agree(base, Questions::value_of(*entry)), same, "{entry:?}");
                    let known = Questions::knowledge_of(*entry);
                    assert!(!changed.agree(changed.without(*entry), known) && known != Questions::NONE);
                    assert_eq!(changed.without(*entry).value(*entry), 0);
                }
            }
        }
    }

    #[test]
    fn questions_are_gathered() {
        let (a, b) = (Questions::value_of(Expectation::SaveAll), Questions::knowledge_of(Expectation::Collections));
        assert!(a.and(b).covers(a) && a.and(b).covers(b) && !a.covers(b) && Questions::ALL.covers(a.and(b)));
        let (old, new) = (Expectations::of_release(release(7, 0)), Expectations::of_release(release(8, 0)));
        assert!(old.agree(new, a.and(b)) && !old.agree(new, Questions::ALL));
    }
}
