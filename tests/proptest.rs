//! Property tests of the model through proptest, with the number of cases that really ran.

use coroner::generate::{Profile, Size};
use coroner::model::collector::Collector;
use coroner::model::machine::Machine;
use coroner::proptest::{Broken, Passed, Property, PropertyError, from_bytes, scenarios};
use coroner::scenario::{Op, Scenario, binary, text};
use std::cell::Cell;

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
    let mut machine = Machine::new(&Collector::parse("cpython-3.15").unwrap());
    let property = Property::new("sound", folder.path()).cases(3_000).seed(2);
    let plain = Profile::named("plain").unwrap();
    let passed = property.judge(scenarios(plain, Size::Small), &mut machine).unwrap();
    assert_eq!(passed, Passed { cases: 3_000, kept: 0 });
}

#[test]
fn a_planted_bug_is_found_reduced_kept_as_text_and_replayed_first() {
    let folder = folder();
    let buggy = Collector::parse("cpython-3.15+bug-no-resurrection-check").unwrap();
    let mut machine = Machine::new(&buggy);
    let property = Property::new("planted", folder.path()).cases(20_000).seed(3);
    let strategy = || scenarios(Profile::named("resurrection").unwrap(), Size::Small);
    let Err(PropertyError::Failed(failed)) = property.judge(strategy(), &mut machine) else {
        panic!("the planted bug was not found");
    };
    assert!(failed.scenario.ops().len() <= 10, "{}", text::print(&failed.scenario));
    let kept = std::fs::read_to_string(&failed.file).unwrap();
    assert_eq!(text::parse(&kept).unwrap().scenario, failed.scenario);

    // What was kept fails at once, with no drawing; a sound collector passes it and draws on.
    let Err(PropertyError::Failed(again)) = property.clone().cases(0).judge(strategy(), &mut machine) else {
        panic!("the kept failure was not replayed");
    };
    assert_eq!(again.file, failed.file);
    let mut sound = Machine::new(&Collector::parse("cpython-3.15").unwrap());
    let passed = property.clone().cases(50).judge(strategy(), &mut sound).unwrap();
    assert_eq!(passed, Passed { cases: 50, kept: 1 });

    // A kept file that cannot be read is an error.
    std::fs::write(folder.path().join("planted-bad.scn"), "coroner 1\n\na = Nod()\n").unwrap();
    let error = property.judge(strategy(), &mut sound).unwrap_err();
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
