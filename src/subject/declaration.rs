//! What a subject says of itself before it runs anything.

use super::expectation::Expectations;
use super::release::Release;

/// What a subject is, what may be expected of it, and what it lets others observe.
///
/// A declaration is made from the number of a release, or by the subject's author; never from the switches of a model:
/// a judge that excuses whatever the model does judges nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Declaration {
    /// The name under which the subject appears in reports.
    pub name: String,
    /// The name of the row of the table that it is, or imitates, by which a baseline knows it; empty if there is none.
    pub row: String,
    /// A real interpreter confirmed that it is right, or it is one.
    pub verified: bool,
    /// Which build it is, if it is an interpreter.
    pub build: String,
    /// The release that it is, or imitates.
    pub release: Option<Release>,
    /// What it does on purpose.
    pub expectations: Expectations,
    /// What its events show.
    pub observes: Needs,
}

impl Declaration {
    /// A subject that is, or imitates, this release and shows everything.
    pub fn of_release(name: impl Into<String>, release: Release) -> Declaration {
        Declaration {
            name: name.into(),
            row: String::new(),
            verified: false,
            build: String::new(),
            release: Some(release),
            expectations: Expectations::of_release(release),
            observes: Needs::ALL,
        }
    }

    /// A subject that is no release of CPython and shows everything.
    pub fn of_no_release(name: impl Into<String>) -> Declaration {
        Declaration {
            name: name.into(),
            row: String::new(),
            verified: false,
            build: String::new(),
            release: None,
            expectations: Expectations::of_no_release(),
            observes: Needs::ALL,
        }
    }
}

/// What has to be observed of a run: what events of a subject show, or what an invariant needs them to show.
///
/// What changes the heap is not among them: a subject that does not tell of operations, new objects, stores, scripts,
/// collections, calls of `tp_clear` and deaths cannot be judged at all.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Needs(u16);

impl Needs {
    /// Nothing.
    pub const NONE: Needs = Needs(0);
    /// Snapshots, each with all objects that have not been freed.
    pub const SNAPSHOTS: Needs = Needs(1);
    /// The reference counts in these.
    pub const COUNTS: Needs = Needs(1 << 1);
    /// Whether the collector has an object in a list.
    pub const LISTS: Needs = Needs(1 << 2);
    /// Of which generation the list is.
    pub const GENERATIONS: Needs = Needs(1 << 3);
    /// What each weak reference refers to, and whether it still has its callback.
    pub const WEAKREFS: Needs = Needs(1 << 4);
    /// What `gc.garbage` holds.
    pub const GARBAGE: Needs = Needs(1 << 5);
    /// What a collection returns, and how much of it is uncollectable.
    pub const TOTALS: Needs = Needs(1 << 6);
    /// Errors that are reported as unraisable.
    pub const ERRORS: Needs = Needs(1 << 7);

    /// Each by itself.
    pub const EACH: [Needs; 8] = [
        Needs::SNAPSHOTS,
        Needs::COUNTS,
        Needs::LISTS,
        Needs::GENERATIONS,
        Needs::WEAKREFS,
        Needs::GARBAGE,
        Needs::TOTALS,
        Needs::ERRORS,
    ];

    /// Everything.
    pub const ALL: Needs = Needs((1 << Needs::EACH.len()) - 1);

    /// What a collection finds unreachable follows from these.
    pub const UNREACHABLE: Needs = Needs::SNAPSHOTS.and(Needs::COUNTS).and(Needs::LISTS).and(Needs::GENERATIONS);

    /// One of [`Needs::EACH`] in words, to say what events have to show.
    pub const fn words(self) -> &'static str {
        match self {
            Needs::SNAPSHOTS => "snapshots with all objects that have not been freed",
            Needs::COUNTS => "their reference counts",
            Needs::LISTS => "whether the collector has them in a list",
            Needs::GENERATIONS => "of which generation the list is",
            Needs::WEAKREFS => "what weak references refer to",
            Needs::GARBAGE => "what gc.garbage holds",
            Needs::TOTALS => "what collections return",
            Needs::ERRORS => "errors that are reported as unraisable",
            _ => "several of these",
        }
    }

    /// These and others.
    pub const fn and(self, other: Needs) -> Needs {
        Needs(self.0 | other.0)
    }

    /// These without others.
    pub const fn without(self, other: Needs) -> Needs {
        Needs(self.0 & !other.0)
    }

    /// True if the others are among these.
    pub const fn covers(self, other: Needs) -> bool {
        other.0 & !self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_each_of_them() {
        let all = Needs::EACH.into_iter().fold(Needs::NONE, Needs::and);
        assert_eq!(all, Needs::ALL);
        for need in Needs::EACH {
            let rest = Needs::ALL.without(need);
            assert_ne!(need.words(), Needs::ALL.words());
            assert!(!rest.covers(need) && Needs::ALL.covers(rest) && rest.and(need) == Needs::ALL);
        }
        assert!(Needs::NONE.covers(Needs::NONE));
    }
}
