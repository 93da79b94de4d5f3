//! The explanation of what a campaign finds on an interpreter is that of the interpreter's own run.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use coroner::campaign::{self, Budget, CampaignPlan, CampaignSubjects, Examined, RunOptions, Scenarios};
use coroner::event::record;
use coroner::findings::Baseline;
use coroner::generate::{Profile, Seed, Size};
use coroner::model::collector::Collector;
use coroner::model::machine::Machine;
use coroner::model::rows::Rows;
use coroner::scenario::text::Document;
use coroner::subject::{Declaration, Foreseen, Spec, Subject};
use coroner::supervise::Limits;

const ROW: &str = "cpython-3.12.0";
const DOES: &str = "cpython-3.12.0+bug-no-resurrection-check";

/// An interpreter of the release of a row that does what a variant does.
fn interpreter() -> Foreseen {
    let (row, does) = (Collector::parse(ROW).unwrap(), Collector::parse(DOES).unwrap());
    let declaration = Declaration { name: "python:fake".to_owned(), ..row.declaration() };
    let start = Arc::new(move |_| Ok(Box::new(Machine::new(&does)) as Box<dyn Subject>));
    Foreseen::new(declaration, Limits::default(), start, Arc::new(Rows::one(&row)), 0)
}

fn plan(specs: Vec<Arc<dyn Spec>>) -> CampaignPlan {
    CampaignPlan {
        draw: Scenarios { seed: Seed::from(1), profiles: vec![Profile::named("default").unwrap()], size: Size::Small },
        subjects: CampaignSubjects {
            specs,
            model: Arc::new(Rows::one(&Collector::parse(ROW).unwrap())),
            default: Collector::row_names(),
            sanitize: false,
            against: None,
        },
        budget: Budget::Scenarios(256),
        jobs: 1,
        sample: 64,
        baseline: Baseline::committed(&Collector::row_names()).unwrap(),
        tries: 200,
    }
}

#[test]
fn a_finding_on_an_interpreter_is_explained_by_the_run_that_showed_it() {
    let does = Mutex::new(Machine::new(&Collector::parse(DOES).unwrap()));
    let (explained, parted) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let explain = |_: usize, document: &Document, run: Option<&Examined<'_>>| {
        let run = run.expect("the run of an interpreter is handed over");
        let mut does = does.lock().unwrap();
        assert_eq!(run.events, record(|out| does.run(&document.scenario, out)));
        let row = record(|out| Machine::new(&Collector::parse(ROW).unwrap()).run(&document.scenario, out));
        parted.fetch_add(usize::from(run.events != row), Ordering::Relaxed);
        explained.fetch_add(1, Ordering::Relaxed);
        String::new()
    };
    let options = RunOptions { explain: &explain, ..RunOptions::default() };
    let plan = plan(vec![Arc::new(interpreter())]);
    campaign::run_under(&plan, "test", options, &AtomicBool::new(false), &mut |_| {}).unwrap();
    assert!(explained.into_inner() > 3);
    assert!(parted.into_inner() > 0);
}

#[test]
fn what_the_model_does_is_explained_by_running_it() {
    let explained = AtomicUsize::new(0);
    let explain = |_: usize, _: &Document, run: Option<&Examined<'_>>| {
        assert!(run.is_none());
        explained.fetch_add(1, Ordering::Relaxed);
        String::new()
    };
    let options = RunOptions { explain: &explain, ..RunOptions::default() };
    let plan = plan(vec![Arc::new(Rows::one(&Collector::parse(DOES).unwrap()))]);
    campaign::run_under(&plan, "run", options, &AtomicBool::new(false), &mut |_| {}).unwrap();
    assert!(explained.into_inner() > 3);
}
