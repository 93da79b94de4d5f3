//! Property tests of the model through proptest, with the number of cases that really ran.

use coroner::generate::{Profile, Size};
use coroner::invariant::Invariant;
use coroner::model::collector::Collector;
use coroner::model::machine::Machine;
use coroner::proptest::{
    Broken, Failed, JudgedCases, Passed, Property, PropertyError, REQUIRED, from_bytes, scenarios,
};
use coroner::scenario::{Op, Scenario, binary, text};
use proptest::strategy::Strategy;
use std::cell::Cell;
use std::path::Path;

mod toys;
use toys::{Toy, Way};

fn machine(name: &str) -> Machine {
    Machine::new(&Collector::parse(name).unwrap())
}

fn plain() -> impl Strategy<Value = Scenario> {
    scenarios(Profile::named("plain").unwrap(), Size::Small)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn every_form_of_a_scenario_survives_and_every_case_runs() {
    let folder = folder();
    let calls = Cell::new(0u32);
    let round_trip = |scenario: &Scenario| {
        calls.set(calls.get() + 1);
        let normal = scenario.normalize();
        let printed = text::parse(&text::print(&normal)).map(|document| document.scenario);
        let decoded = binary::decode(&binary::encode_to_vec(&normal));
        if printed.as_ref() == Ok(&normal) && decoded.as_ref() == Ok(&normal) {
            return Ok(());
        }
        Err(Broken { kind: "round trip".to_owned(), message: format!("{printed:?} {decoded:?}") })
    };
    let property = Property::new("forms", folder.path()).cases(2_000).seed(1);
    let default = Profile::named("default").unwrap();
    let passed = property.check(scenarios(default, Size::Small), round_trip).unwrap();
    assert_eq!((passed, calls.get()), (Passed { cases: 2_000, kept: 0 }, 2_000));
    let passed = property.check(from_bytes(300), round_trip).unwrap();
    assert_eq!((passed.cases, calls.get()), (2_000, 4_000));
}

#[test]
fn a_sound_collector_passes_every_case() {
    let folder = folder();
    let property = Property::new("sound", folder.path()).cases(3_000).seed(2);
    let passed = property.judge(plain(), || machine("cpython-3.15")).unwrap();
    assert_eq!((passed.cases, passed.kept, passed.unsupported), (3_000, 0, 0));
    assert!(passed.without_effect < 300, "{passed}");
    for invariant in REQUIRED {
        assert!(passed.occasions(invariant).judged > 1_000, "{passed}");
    }
}

#[test]
fn a_planted_bug_is_found_reduced_kept_as_text_and_replayed_first() {
    let folder = folder();
    let buggy = || machine("cpython-3.15+bug-no-resurrection-check");
    let property = Property::new("planted", folder.path()).cases(20_000).seed(3);
    let strategy = || scenarios(Profile::named("resurrection").unwrap(), Size::Small);
    let Err(PropertyError::Failed(failed)) = property.judge(strategy(), buggy) else {
        panic!("the planted bug was not found");
    };
    assert!(failed.scenario.ops().len() <= 10, "{}", text::print(&failed.scenario));
    let kept = std::fs::read_to_string(&failed.file).unwrap();
    assert_eq!(text::parse(&kept).unwrap().scenario, failed.scenario);

    // What was kept fails at once, with no drawing; a sound collector passes it and draws on.
    let Err(PropertyError::Failed(again)) = property.clone().cases(0).judge(strategy(), buggy) else {
        panic!("the kept failure was not replayed");
    };
    assert_eq!(again.file, failed.file);
    let sound = || machine("cpython-3.15");
    let passed = property.clone().cases(50).judge(strategy(), sound).unwrap();
    assert_eq!((passed.cases, passed.kept), (50, 1));

    // A kept file that cannot be read is an error.
    std::fs::write(folder.path().join("planted-bad.scn"), "coroner 1\n\na = Nod()\n").unwrap();
    let error = property.judge(strategy(), sound).unwrap_err();
    assert!(matches!(error, PropertyError::Unreadable { .. }), "{error}");
}

#[test]
fn our_minimizer_reduces_instead_of_proptests() {
    let folder = folder();
    let two = |scenario: &Scenario| {
        let collections = scenario.main().iter().filter(|op| matches!(op, Op::Collect { .. })).count();
        if collections < 2 {
            return Ok(());
        }
        Err(Broken { kind: "two".to_owned(), message: "collects twice".to_owned() })
    };
    let property = Property::new("two", folder.path()).seed(4);
    let strategy = scenarios(Profile::named("default").unwrap(), Size::Small);
    let Err(PropertyError::Failed(failed)) = property.check(strategy, two) else { panic!("not found") };
    assert_eq!(failed.scenario.ops().len(), 2, "{}", text::print(&failed.scenario));
}

/// The verdict about a toy, from a thousand cases.
fn verdict(way: Way, required: &[Invariant], folder: &Path) -> Result<JudgedCases, PropertyError> {
    let property = Property::new("toy", folder).cases(1_000).seed(5).require(required);
    property.judge(scenarios(Profile::named("default").unwrap(), Size::Small), || Toy::new(way))
}

#[test]
fn a_toy_that_shows_nothing_to_judge_does_not_pass() {
    let folder = folder();
    for (way, never, part) in [
        (
            Way::Silent,
            &REQUIRED[..],
            "1000 cases and 0 kept ones: 0 could not be run, 1000 had no effect; no invariant",
        ),
        (Way::Refuses, &REQUIRED, "1000 could not be run (the first: toy cannot run this scenario: anything), 0 had"),
        (Way::Hoards, &REQUIRED, "I19 complete was never judged"),
    ] {
        // Where nothing is required there is nothing to find.
        assert_eq!(verdict(way, &[], folder.path()).unwrap().cases, 1_000, "{way:?}");
        let error = verdict(way, &REQUIRED, folder.path()).unwrap_err();
        let PropertyError::NeverJudged { never: found, .. } = &error else { panic!("{way:?}: {error}") };
        assert_eq!(found, never, "{way:?}");
        assert!(error.to_string().contains(part), "{way:?}: {error}");
        assert!(
            error.to_string().contains("has to show snapshots with all objects that have not been freed, "),
            "{error}"
        );
    }
}

fn failed(way: Way, folder: &Path) -> Failed {
    match verdict(way, &REQUIRED, folder) {
        Err(PropertyError::Failed(failed)) => *failed,
        Err(other) => panic!("{way:?}: {other}"),
        Ok(passed) => panic!("{way:?} passed: {passed}"),
    }
}

#[test]
fn a_toy_that_leaves_cycles_is_found() {
    let folder = folder();
    let failed = failed(Way::LeavesCycles, folder.path());
    assert_eq!(failed.broken.kind, "I19", "{}", failed.broken.message);
    assert!(failed.scenario.ops().len() <= 5, "{}", text::print(&failed.scenario));
}

#[test]
fn a_toy_that_panics_is_built_anew_and_its_scenario_is_kept() {
    let folder = folder();
    let failed = failed(Way::PanicsAtTheSecondCollection, folder.path());
    let message = &failed.broken.message;
    assert!(message.starts_with("toy panicked at tests/toys/mod.rs:"), "{message}");
    assert!(message.ends_with("the second collection"), "{message}");
    assert_eq!(failed.scenario.ops().len(), 2, "{}", text::print(&failed.scenario));
    let kept = std::fs::read_to_string(&failed.file).unwrap();
    assert!(kept.contains("the second collection"), "{kept}");
}

#[test]
fn a_toy_that_dies_or_reaches_a_limit_is_found() {
    for (way, part) in [(Way::Dies, "toy died: signal 11"), (Way::IsSlow, "toy did not finish within its limit (1 s)")]
    {
        let folder = folder();
        let failed = failed(way, folder.path());
        assert_eq!(failed.broken.message, part);
        assert_eq!(failed.scenario.ops().len(), 1, "{}", text::print(&failed.scenario));
    }
}

#[test]
fn a_toy_whose_weak_references_never_answer_is_found() {
    let folder = folder();
    let failed = failed(Way::ForgetsWeakReferences, folder.path());
    assert_eq!(failed.broken.kind, "I12", "{}", failed.broken.message);
    assert!(failed.scenario.ops().len() <= 3, "{}", text::print(&failed.scenario));
}
