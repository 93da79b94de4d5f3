//! Both sides cite: who blames the collector says on what that rests, who excuses says which text allows it.

use super::super::violations::{class_of, unexcused};
use super::*;
use crate::subject::{Expectation, Permission, Promise, Values};

/// Every patch release that a row covers, and more.
fn releases() -> Vec<Release> {
    let old = (0..=18).map(|patch| Release::new(2, 7, patch));
    old.chain((4..=16).flat_map(|minor| (0..=25).map(move |patch| Release::new(3, minor, patch)))).collect()
}

/// The four that need no text.
const WITHOUT_TEXT: [Ground; 4] = [Ground::MemorySafety, Ground::Reachability, Ground::AtMostOnce, Ground::Liveness];

#[test]
fn no_excuse_is_documented_without_its_sentence() {
    for why in Expectation::ALL {
        match why.permission().map(Permission::text) {
            Some(text) => {
                assert_eq!(class_of(*why), Class::Documented);
                assert!(!text.statement.is_empty() && why.source() == text.place, "{why:?}");
            }
            None => assert_eq!(class_of(*why), Class::Unpromised, "{why:?}"),
        }
        // What a user can read is no comment, no commit and no number of an issue alone.
        let number = why.source().strip_prefix("bpo-").or(why.source().strip_prefix("gh-"));
        assert!(number.is_none() && !why.source().contains("gcmodule.c"), "{why:?}: {}", why.source());
    }
}

#[test]
fn no_invariant_blames_the_collector_without_its_sentence() {
    for invariant in Invariant::ALL {
        let rests = invariant.about().rests;
        assert_eq!(unexcused(*invariant) == Class::Collector, !rests.is_empty(), "{invariant}");
        let texts = rests.iter().filter_map(|ground| match ground {
            Ground::Promise(promise) => Some(promise.text()),
            _ => None,
        });
        let texts: Vec<_> = texts.collect();
        assert!(texts.iter().all(|text| !text.statement.is_empty() && !text.place.is_empty()), "{invariant}");
        if rests.is_empty() || rests.iter().any(|ground| WITHOUT_TEXT.contains(ground)) {
            continue;
        }
        // Where no promise holds, something is asked that makes a difference there.
        for release in releases() {
            let expected = declared(Some(release)).expectations;
            let excused = invariant.about().asks.iter().any(|entry| match entry.values() {
                Values::Excuse(releases) => !releases.is_all() && expected.holds(*entry),
                Values::OneOf(_) => expected.value(*entry) > 0,
            });
            assert!(excused || texts.iter().any(|text| text.releases.has(release)), "{invariant} on {release}");
        }
    }
    let cited = |promise: &Promise| Invariant::ALL.iter().any(|i| i.about().rests.contains(&Ground::Promise(*promise)));
    assert!(Promise::ALL.iter().all(cited));
}

/// What rests on nothing is nobody's fault, where a stream breaks it and where a run does.
#[test]
fn what_rests_on_nothing_is_never_the_collectors_fault() {
    let mut judge = Judge::new();
    let mut seen = 0;
    for case in cases() {
        let mut stream = Stream::new();
        (case.write)(&mut stream, true);
        let nothing = Declaration { expectations: crate::subject::Expectations::UNKNOWN, ..case.declaration() };
        for declaration in [case.declaration(), nothing] {
            for violation in judge.judge(&stream.scenario(), &stream.events, &declaration) {
                let fault = violation.class == Class::Collector;
                assert!(!fault || violation.invariant.promised(), "{violation:?}");
                seen += u32::from(!violation.invariant.promised());
            }
        }
    }
    assert!(seen > 2, "{seen}");
}
