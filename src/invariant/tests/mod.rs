//! Each invariant against a hand-written stream that breaks it and one that does not, and against the model.

mod cases_collections;
mod cases_objects;
mod cases_progress;
mod cases_weakrefs;
mod circumstances;
mod containers;
mod differential;
mod excuses;
mod places;
mod promises;
mod questions;
mod stream;
mod truth;
mod type_excuses;

use super::*;
use crate::event::{EventBuffer, record};
use crate::generate::{Generator, PROFILES, Seed, Size};
use crate::model::collector::Collector;
use crate::model::machine::Machine;
use crate::scenario::{Finalizer, Kind, Scenario, ScriptId, Shape};
use crate::subject::{Declaration, Release};
use stream::Stream;

/// What a release declares, or a subject that is none.
fn declared(release: Option<Release>) -> Declaration {
    match release {
        Some(release) => Declaration::of_release(release.to_string(), release),
        None => Declaration::of_no_release("none"),
    }
}

/// Runs a text on a collector and judges what that does, as from a release.
fn judged(source: &str, collector: &str, release: Release) -> (Vec<Violation>, Judge) {
    let scenario = crate::scenario::text::parse(source).unwrap().scenario;
    let events = record(|out| Machine::new(&Collector::parse(collector).unwrap()).run(&scenario, out));
    let mut judge = Judge::new();
    (judge.judge(&scenario, &events, &declared(Some(release))).to_vec(), judge)
}

/// The class in which a violation of the invariant was found, if there was one.
fn class_of(found: &[Violation], invariant: Invariant) -> Option<Class> {
    found.iter().find(|v| v.invariant == invariant).map(|v| v.class)
}

/// The class in which a stream of 3.12.1 breaks an invariant.
fn class(s: &Stream, invariant: Invariant) -> Option<Class> {
    let declaration = declared(Some(Release::new(3, 12, 1)));
    class_of(Judge::new().judge(&s.scenario(), &s.events, &declaration), invariant)
}

/// A node with a legacy finalizer.
fn legacy() -> Kind {
    Kind { finalizer: Some(Finalizer::Legacy(ScriptId(0))), ..Kind::new(Shape::Node) }
}

/// One invariant, and how to write its two streams.
struct Case {
    invariant: Invariant,
    class: Class,
    release: Option<Release>,
    /// Writes the stream that breaks it, or the one that keeps it.
    write: fn(&mut Stream, bool),
}

impl Case {
    fn declaration(&self) -> Declaration {
        declared(self.release)
    }
}

const fn case(invariant: Invariant, class: Class, write: fn(&mut Stream, bool)) -> Case {
    Case { invariant, class, release: Some(Release::new(3, 12, 1)), write }
}

fn cases() -> impl Iterator<Item = &'static Case> {
    [cases_objects::CASES, cases_weakrefs::CASES, cases_collections::CASES, cases_progress::CASES].into_iter().flatten()
}

/// Holds an invariant against its cases: what breaks it is seen, and what does not is not.
fn sees_what_breaks_it(invariant: Invariant) {
    let mut judge = Judge::new();
    for case in cases().filter(|case| case.invariant == invariant) {
        let code = case.invariant.code();
        let mut broken = Stream::new();
        (case.write)(&mut broken, true);
        let found = judge.judge(&broken.scenario(), &broken.events, &case.declaration()).to_vec();
        let hit = found.iter().find(|v| v.invariant == case.invariant);
        assert!(hit.is_some(), "{code} did not see it: {found:?}");
        assert_eq!(hit.map(|v| v.class), Some(case.class), "{code}");
        assert!(!hit.map(|v| v.describe(&|o| o.to_string())).unwrap_or_default().contains('{'), "{code}");

        let mut sound = Stream::new();
        (case.write)(&mut sound, false);
        let found = judge.judge(&sound.scenario(), &sound.events, &case.declaration()).to_vec();
        assert!(found.iter().all(|v| v.invariant != case.invariant), "{code} is mistaken: {found:?}");
        assert!(judge.judged(case.invariant).passed > 0, "{code} was not judged: {found:?}");
        // In sound streams nothing at all is the collector's fault.
        assert!(found.iter().all(|v| v.class != Class::Collector), "{code}: {found:?}");
    }
}

macro_rules! test_one {
    (one $code:ident) => {
        #[test]
        fn $code() {
            super::sees_what_breaks_it(super::Invariant::$code);
        }
    };
    (several $code:ident) => {};
}

macro_rules! test_each {
    (=> $($code:ident $name:literal $runs:ident $module:ident;)*) => {
        $(test_one!($runs $code);)*
    };
}

/// A test for each invariant of single runs: it sees the streams that break it, with the right class, and nothing in others.
#[allow(non_snake_case)]
mod each {
    invariants! { test_each! }
}

#[test]
fn every_single_run_invariant_has_a_case() {
    let differential = [Invariant::I18, Invariant::I38, Invariant::I41];
    for invariant in Invariant::ALL {
        let covered = cases().any(|c| c.invariant == *invariant) || differential.contains(invariant);
        assert!(covered, "{invariant}");
    }
}

#[test]
fn a_stream_is_judged_the_same_after_another_one_and_event_by_event() {
    let mut used = Judge::new();
    for case in cases() {
        let mut stream = Stream::new();
        (case.write)(&mut stream, true);
        let scenario = stream.scenario();
        let fresh = Judge::new().judge(&scenario, &stream.events, &case.declaration()).to_vec();
        assert_eq!(used.judge(&scenario, &stream.events, &case.declaration()), fresh);
    }
}

/// Small runs are walked by words, others by sets; and a judge takes events all at once or one by one.
#[test]
fn words_and_sets_agree_on_what_the_model_does() {
    let (mut words, mut sets) = (Judge::new(), Judge::new());
    let (mut scenario, mut events) = (Scenario::new(), Vec::new());
    for name in ["cpython-2.7", "cpython-3.7", "cpython-3.15+bug-shallow-reachability"] {
        let collector = Collector::parse(name).unwrap();
        let declaration = declared(Some(collector.release));
        let mut machine = Machine::new(&collector);
        for profile in PROFILES.iter().filter(|p| p.name != "huge") {
            let mut generator = Generator::new(Seed::from(5), profile, Size::Small);
            for number in 0..30 {
                generator.fill(number, &mut scenario);
                machine.run(&scenario, &mut EventBuffer::new(&mut events));
                let found = words.judge(&scenario, &events, &declaration);
                sets.start(&scenario, &declaration);
                sets.s.walk_by_sets();
                events.iter().for_each(|event| sets.take(std::slice::from_ref(event)));
                let place = format!("{name}, {}, {number}", profile.name);
                assert_eq!(sets.finish(), found, "{place}");
                for invariant in Invariant::ALL {
                    assert_eq!(sets.judged(*invariant), words.judged(*invariant), "{invariant}: {place}");
                }
                assert_eq!(sets.reached(), words.reached(), "{place}");
            }
        }
    }
}

/// A snapshot that shows what is known is judged as a whole, others line by line: in sound streams and in broken ones.
#[test]
fn whole_snapshots_and_their_lines_agree() {
    let (mut whole, mut lines) = (Judge::new(), Judge::new());
    let (mut scenario, mut events) = (Scenario::new(), Vec::new());
    let collector = Collector::parse("cpython-3.15").unwrap();
    let (mut machine, declaration) = (Machine::new(&collector), declared(Some(collector.release)));
    let profile = crate::generate::Profile::named("weakrefs").unwrap();
    let mut generator = Generator::new(Seed::from(5), profile, Size::Tiny);
    for number in 0..400 {
        generator.fill(number, &mut scenario);
        machine.run(&scenario, &mut EventBuffer::new(&mut events));
        for other in 0..40 {
            let (a, b) = (other * 7919 % events.len(), other * 104_729 % events.len());
            events.swap(a, b);
            let found = whole.judge(&scenario, &events, &declaration).to_vec();
            lines.start(&scenario, &declaration);
            lines.s.doubt_counts();
            lines.take(&events);
            assert_eq!(lines.finish(), found, "{number}, {a} for {b}");
            for invariant in Invariant::ALL {
                let (lines, whole) = (lines.judged(*invariant), whole.judged(*invariant));
                assert_eq!(lines, whole, "{invariant}: {number}, {a} for {b}");
            }
            events.swap(a, b);
        }
    }
}

#[test]
fn violations_of_one_invariant_are_capped_and_counted() {
    let mut stream = Stream::new();
    let a = stream.node(0);
    for _ in 0..20 {
        stream.unraisable(a);
    }
    let mut judge = Judge::new();
    let found = judge.judge(&stream.scenario(), &stream.events, &declared(None)).len();
    assert_eq!(found, MAX_PER_INVARIANT as usize);
    assert_eq!(judge.judged(Invariant::I31).violated, 20);
}

#[test]
fn a_hostile_stream_is_survived() {
    use crate::event::{Event, ObjId, Spot};
    let object = ObjId::from_index(4_000_000_000);
    let mut judge = Judge::new();
    judge.start(&Scenario::new(), &declared(None));
    for event in [
        Event::Free { object },
        Event::Clear { object },
        Event::Leave,
        Event::State { object, refcount: 1, spot: Spot::Gen0, finalized: false },
        Event::New { object, origin: 9, role: crate::event::Role::Named },
        Event::StoreSlot { holder: object, slot: 200, object: Some(object) },
        Event::CollectEnd { generation: 9, returned: 1, uncollectable: 1 },
        Event::Answer { weak: object, referent: Some(object) },
        Event::End,
    ] {
        judge.take(&[event]);
    }
    judge.finish();
}

#[test]
fn names_are_unique_and_found() {
    for invariant in Invariant::ALL {
        assert_eq!(Invariant::parse(invariant.code()), Some(*invariant));
        assert_eq!(Invariant::parse(invariant.name()), Some(*invariant));
    }
    assert_eq!(Invariant::parse("I99"), None);
}

#[test]
fn the_page_of_invariants_is_up_to_date() {
    let page = include_str!("../../../docs/invariants.md");
    assert_eq!(page, markdown(), "write coroner::invariant::markdown() to docs/invariants.md");
}
