//! The baseline: a bug excuses what it causes on the rows that have it, and nothing else, on rows, variants and interpreters.

use std::path::Path;
use std::sync::Arc;

use coroner::campaign::Examiner;
use coroner::findings::{Baseline, Sign, Verdict};
use coroner::generate::{Generator, Profile, Seed, Size};
use coroner::invariant::Invariant;
use coroner::model::collector::{Collector, ROWS};
use coroner::model::machine::Machine;
use coroner::model::rows::Rows;
use coroner::scenario::Scenario;
use coroner::scenario::text::parse;
use coroner::subject::{Foreseen, Spec, Subject};
use coroner::supervise::Limits;

fn committed() -> Baseline {
    Baseline::committed(&Collector::row_names()).unwrap()
}

fn regression(name: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions").join(name);
    parse(&std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"))).unwrap().scenario
}

/// An interpreter of the release of a row that does what a variant does.
fn interpreter(row: &str, does: &str) -> Foreseen {
    let (row, does) = (Collector::parse(row).unwrap(), Collector::parse(does).unwrap());
    let declaration = coroner::subject::Declaration { name: "python:fake".to_owned(), ..row.declaration() };
    let start = Arc::new(move |_| Ok(Box::new(Machine::new(&does)) as Box<dyn Subject>));
    Foreseen::new(declaration, Limits::default(), start, Arc::new(Rows::one(&row)), 0)
}

#[test]
fn every_bug_is_shown_by_a_regression_on_each_of_its_rows() {
    let baseline = committed();
    assert!(!baseline.bugs().is_empty());
    for (at, bug) in baseline.bugs().iter().enumerate() {
        for row in &bug.rows {
            let mut examiner = Examiner::new(&Rows::one(&ROWS[*row].collector()), &baseline);
            let shown = bug.regressions.iter().any(|file| {
                let run = examiner.examine(&regression(file), true);
                let due = run.known_bugs.contains(&Some(at as u16));
                due && run.violations.iter().all(|(_, verdict)| *verdict != Verdict::New)
            });
            assert!(shown, "{} is not shown on {}", bug.id, ROWS[*row].name());
        }
    }
}

/// On 2.7 a finalizer of a C type runs on a cleared object and saves it (bpo-18112), amid more violations of I02 than a run
/// reports, which a type is to blame for.
#[test]
fn a_bug_is_known_amid_many_violations_of_another_cause() {
    let text = "coroner 1\n\ndef A():\n    b = self\n\na = Node()\nb = Node(finalizer=A)\nc = Node(twice=[0, 1, 2])\nb[0] = b\n\
                del b\nc[0] = c\nc[1] = a\ncollect(2)\nc[2] = b\ncollect(2)\nlook()\nlook()\n";
    let row = Collector::parse("cpython-2.7.0").unwrap();
    let mut examiner = Examiner::new(&Rows::one(&row), &committed());
    let run = examiner.examine(&parse(text).unwrap().scenario, true);
    let of = |wanted| {
        run.violations.iter().filter(|(v, verdict)| (v.invariant, *verdict) == (Invariant::I02, wanted)).count()
    };
    assert_eq!((of(Verdict::New), of(Verdict::Known), of(Verdict::TypeFault)), (0, 1, 7));
}

/// What a bug of the baseline says that it does is not known if the entry names another bug: the label is asked.
#[test]
fn a_violation_that_stays_without_the_bug_is_new() {
    let text = |fixed: &str| {
        format!(
            "[[bug]]\nid = \"x\"\ntitle = \"t\"\nwhat = \"y\"\nreport = \"z\"\nrows = [\"cpython-3.7.6\"]\nfixed-by = \"{fixed}\"\n\
             regressions = [\"x.scn\"]\n"
        )
    };
    let verdicts = |fixed: &str| {
        let baseline = Baseline::parse(&text(fixed), &Collector::row_names()).unwrap();
        let mut examiner = Examiner::new(&Rows::one(&Collector::parse("cpython-3.7.6").unwrap()), &baseline);
        let run = examiner.examine(&regression("C06b-gh-91636.scn"), false);
        let found = run.violations.iter().filter(|(v, _)| v.invariant == Invariant::I01);
        found.map(|(_, verdict)| *verdict).collect::<Vec<_>>()
    };
    assert_eq!(verdicts("+clear-weakrefs-after-finalizers"), [Verdict::Known]);
    assert_eq!(verdicts("+clear-trash-weakrefs"), [Verdict::New]);
}

/// Bugs that break the same invariants, in the same phases, as those that the baseline knows of the release.
#[test]
fn a_new_bug_is_not_hidden_by_a_known_one_of_the_same_kind() {
    let (baseline, profile) = (committed(), Profile::named("default").unwrap());
    let new = |spec: &dyn Spec, invariant: Invariant| {
        let mut examiner = Examiner::new(spec, &baseline);
        let mut generator = Generator::new(Seed::from(1), profile, Size::Small);
        let mut scenario = Scenario::new();
        (0..3_000).any(|number| {
            generator.fill(number, &mut scenario);
            let run = examiner.examine(&scenario, false);
            run.violations.iter().any(|(v, verdict)| v.invariant == invariant && *verdict == Verdict::New)
        })
    };
    let bugs = [
        ("bug-no-resurrection-check", Invariant::I02),
        ("bug-keep-plain-weakrefs", Invariant::I01),
        ("bug-no-weakref-pass", Invariant::I01),
        ("bug-shallow-rescue", Invariant::I03),
        ("bug-count-survivors", Invariant::I21),
    ];
    for (bug, invariant) in bugs {
        let variant = format!("cpython-3.12.0+{bug}");
        assert!(new(&interpreter("cpython-3.12.0", &variant), invariant), "{bug} on an interpreter");
        assert!(new(&Rows::one(&Collector::parse(&variant).unwrap()), invariant), "{bug} on a variant");
        assert!(!new(&interpreter("cpython-3.12.0", "cpython-3.12.0"), invariant), "{invariant} without the bug");
    }
}

#[test]
fn a_variant_is_excused_only_where_its_row_does_the_same() {
    let baseline = committed();
    let verdict = |collector: &str, scenario: &Scenario| {
        let mut examiner = Examiner::new(&Rows::one(&Collector::parse(collector).unwrap()), &baseline);
        let run = examiner.examine(scenario, false);
        run.violations.iter().find(|(v, _)| v.invariant == Invariant::I15).map(|(_, verdict)| *verdict)
    };
    let founding = regression("C01-bpo-38006.scn");
    assert_eq!(verdict("cpython-3.7+bug-count-one-more", &founding), Some(Verdict::Known));
    assert_eq!(verdict("cpython-3.7", &founding), Some(Verdict::Known));
    assert_eq!(verdict("cpython-3.8-clear-trash-weakrefs", &founding), Some(Verdict::New));
    // A cycle whose weak reference the plain row leaves alone, because nothing dies while it is cleared.
    let plain = parse(
        "coroner 1\n\ndef f():\n    pass\n\na = Node()\na[0] = a\na[1] = Node(call=f)\na[2] = ref(a, a[1])\ndel a\ncollect(2)\n",
    );
    let plain = plain.unwrap().scenario;
    assert_eq!(verdict("cpython-3.7", &plain), None);
    assert_eq!(verdict("cpython-3.7+bug-call-trash-callbacks", &plain), Some(Verdict::New));
}

#[test]
fn the_same_undefined_behaviour_of_a_row_that_has_not_the_bug_is_new() {
    let baseline = committed();
    let bug = baseline.bugs().iter().find(|bug| matches!(bug.sign, Sign::Undefined(_)) && bug.id == "N02").unwrap();
    let scenario = regression(&bug.regressions[0]);
    let verdict = |spec: &dyn Spec| {
        let mut examiner = Examiner::new(spec, &baseline);
        let run = examiner.examine(&scenario, false);
        run.violations.iter().find(|(v, _)| v.invariant == Invariant::I05).map(|(_, verdict)| *verdict)
    };
    assert_eq!(verdict(&Rows::one(&Collector::parse("cpython-3.12").unwrap())), Some(Verdict::Known));
    assert_eq!(verdict(&interpreter("cpython-3.12.0", "cpython-3.12.0")), Some(Verdict::Known));
    assert_eq!(verdict(&Rows::one(&Collector::parse("cpython-3.13.0").unwrap())), None);
    assert_eq!(verdict(&interpreter("cpython-3.13.0", "cpython-3.12.0")), Some(Verdict::New));
}
