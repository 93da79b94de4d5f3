use super::Examiner;
use crate::event::{Digest, MOST_KEPT, record};
use crate::findings::Baseline;
use crate::invariant::{Invariant, Judge};
use crate::model::collector::Collector;
use crate::model::machine::Machine;
use crate::model::rows::Rows;
use crate::scenario::Scenario;
use crate::scenario::text::parse;

/// A large graph that lives, and after it bpo-38006: every entry of user code shows all of the graph.
fn long() -> Scenario {
    let source = "\
coroner 1

def see():
    look()

g = ring(40000, Node())
f = Node(call=see)
c = Node()
c[0] = c
c[1] = Node(gc=no)
c[2] = ref(c[1], f)
f[0] = c
c[3] = f
h = Node(call=see)
d = ref(g, h)
e = ref(g, h)
del c
del f
collect(2)
del g
collect(2)
collect(2)
";
    parse(source).unwrap().scenario
}

#[test]
fn a_long_run_is_judged_to_its_end_and_not_kept() {
    let (scenario, collector) = (long(), Collector::parse("cpython-3.7").unwrap());
    let events = record(|out| Machine::new(&collector).run(&scenario, out));
    assert!(events.len() > MOST_KEPT + 10_000, "{} events", events.len());
    let mut judge = Judge::new();
    let expected = judge.judge(&scenario, &events, &collector.declaration()).to_vec();
    assert!(expected.iter().any(|v| v.invariant == Invariant::I15));

    let mut examiner = Examiner::new(&Rows::one(&collector), &Baseline::empty());
    let run = examiner.examine(&scenario, true);
    let found: Vec<_> = run.violations.iter().map(|(violation, _)| *violation).collect();
    assert_eq!(found, expected);
    assert_eq!((run.total, run.digest, run.reached), (events.len() as u64, Digest::of(&events), judge.reached()));
    assert_eq!(run.events, &events[..MOST_KEPT]);
    assert_eq!(u64::from(run.objects()), run.reached.objects);
    assert!(!run.differential, "I18 and I38 were not judged");
}

#[test]
fn a_long_run_that_differs_from_itself_is_found() {
    let examine = |name: &str| {
        let mut examiner = Examiner::new(&Rows::one(&Collector::parse(name).unwrap()), &Baseline::empty());
        examiner.examine(&long(), true).differs
    };
    assert!(!examine("cpython-3.12"));
    assert!(examine("cpython-3.12+bug-nondeterministic"));
}

#[test]
fn what_a_judge_finds_does_not_depend_on_how_events_come() {
    let (scenario, collector) = (long(), Collector::parse("cpython-3.7").unwrap());
    let events = record(|out| Machine::new(&collector).run(&scenario, out));
    let mut judge = Judge::new();
    let expected = judge.judge(&scenario, &events, &collector.declaration()).to_vec();
    let reached = judge.reached();
    for size in [1, 7, 4096] {
        judge.start(&scenario, &collector.declaration());
        events.chunks(size).for_each(|events| judge.take(events));
        assert_eq!(judge.finish(), expected, "slices of {size}");
        assert_eq!(judge.reached(), reached, "slices of {size}");
    }
}

#[test]
fn rows_together_find_in_a_long_run_what_each_finds_alone() {
    let collectors =
        ["cpython-3.5", "cpython-3.6", "cpython-3.7", "cpython-3.12"].map(|n| Collector::parse(n).unwrap());
    let mut alone = collectors.each_ref().map(|c| Examiner::new(&Rows::one(c), &Baseline::empty()));
    let mut rows = Examiner::new(&Rows::new(collectors.to_vec()), &Baseline::empty());
    for differential in [false, true] {
        rows.examine_each(&long(), differential, |at, run| {
            let alone = alone[at].examine(&long(), differential);
            assert!(alone.is_long());
            assert!(format!("{run:?}") == format!("{alone:?}"), "{}", collectors[at].name);
        });
    }
    assert!(rows.ran() < 8, "{} runs", rows.ran());
}
