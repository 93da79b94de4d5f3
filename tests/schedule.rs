//! Whose schedule automatic collections have: a subject with one of its own is followed, and what it may not do is a
//! difference.

use coroner::cpython::{Python, installed};
use coroner::event::{Event, record};
use coroner::lockstep::{Comparison, DifferenceKind, compare};
use coroner::model::collector::Collector;
use coroner::model::machine::Machine;
use coroner::scenario::{Scenario, text};
use coroner::subject::{Moment, Subject};
use coroner::supervise::Limits;

const SOURCE: &str = "coroner 1
gc.set_threshold(3, 1, 1)
a = Node()
gc.enable()
b = Node()
c = Node()
gc.disable()
d = Node()
e = Node()
";

/// The operations that make `b`, `c` and `d`.
const B: u32 = 3;
const C: u32 = 4;
const D: u32 = 6;

fn parsed(source: &str) -> Scenario {
    text::parse(source).unwrap_or_else(|errors| panic!("{errors:?}")).scenario
}

fn scenario() -> Scenario {
    parsed(SOURCE)
}

fn followed(row: &str, moments: &[Moment]) -> Vec<Event> {
    let mut machine = Machine::new(&Collector::parse(row).unwrap());
    record(|out| machine.follow(&scenario(), moments, out))
}

/// How many events come before a collection in the operation `op`: in 3.10 it starts inside of it, in 3.12 after it.
fn moment(row: &str, op: u32, counts: [u32; 3]) -> Moment {
    let events = followed(row, &[]);
    let step = |op| events.iter().position(|event| *event == Event::Step { op }).unwrap();
    let at = if row == "cpython-3.10" { step(op) + 1 } else { step(op + 1) };
    Moment { at: at as u64, counts }
}

/// Where collections start, and of which generation.
fn starts(events: &[Event]) -> Vec<(usize, u8)> {
    let start = |(at, event): (usize, &Event)| match event {
        Event::CollectStart { generation, automatic: true } => Some((at, *generation)),
        _ => None,
    };
    events.iter().enumerate().filter_map(start).collect()
}

const ROWS: [&str; 2] = ["cpython-3.10", "cpython-3.12"];

#[test]
fn a_collection_starts_at_each_moment_and_nowhere_else() {
    for row in ROWS {
        assert_eq!(starts(&followed(row, &[])), [], "{row}: no moment, no collection");
        for op in [B, C] {
            for counts in [[3, 0, 0], [70, 0, 0]] {
                let moment = moment(row, op, counts);
                assert_eq!(starts(&followed(row, &[moment])), [(moment.at as usize, 0)], "{row} {moment:?}");
            }
        }
        let [first, second] = [B, C].map(|op| moment(row, op, [3, 0, 0]));
        // The first collection's own events come before the second moment.
        let length = followed(row, &[first]).len() - followed(row, &[]).len();
        let second = Moment { at: second.at + length as u64, ..second };
        let both = starts(&followed(row, &[first, second]));
        assert_eq!(both, [(first.at as usize, 0), (second.at as usize, 0)], "{row}");
    }
}

/// What passes the threshold unseen starts nothing either: `build` counts for the next moment.
#[test]
fn what_is_built_starts_none() {
    let scenario = parsed("coroner 1\ngc.set_threshold(1, 0, 0)\ngc.enable()\na = chain(9, Node())\nlook()\n");
    for row in ROWS {
        let mut machine = Machine::new(&Collector::parse(row).unwrap());
        assert_eq!(starts(&record(|out| machine.follow(&scenario, &[], out))), [], "{row}");
    }
}

#[test]
fn the_counts_that_are_told_select_the_generation() {
    for row in ROWS {
        for (counts, generation) in [([3, 1, 1], 0), ([3, 2, 1], 1), ([3, 1, 2], 2), ([9, 2, 2], 2)] {
            let found = starts(&followed(row, &[moment(row, C, counts)]));
            assert_eq!(found.iter().map(|(_, g)| *g).collect::<Vec<_>>(), [generation], "{row} {counts:?}");
        }
    }
}

#[test]
fn a_first_threshold_of_0_starts_none() {
    let scenario = parsed(&SOURCE.replace("(3, 1, 1)", "(0, 1, 1)"));
    for row in ROWS {
        let mut machine = Machine::new(&Collector::parse(row).unwrap());
        let moment = moment(row, C, [9, 0, 0]);
        assert_eq!(starts(&record(|out| machine.follow(&scenario, &[moment], out))), [], "{row}");
    }
}

/// A subject that tells the truth about its counts, and what it did then.
struct Fault {
    what: &'static str,
    op: u32,
    counts: [u32; 3],
    /// The generation of the collection that it ran, if it ran one.
    ran: Option<u8>,
    /// The words of the difference.
    seen: (&'static str, &'static str),
}

#[test]
fn each_thing_that_a_schedule_may_not_do_is_a_difference() {
    let faults = [
        Fault { what: "while disabled", op: D, counts: [9, 0, 0], ran: Some(0), seen: ("new", "collect-start") },
        Fault { what: "below the threshold", op: C, counts: [2, 2, 0], ran: Some(1), seen: ("new", "collect-start") },
        Fault { what: "late", op: C, counts: [3, 0, 0], ran: None, seen: ("collect-start", "new") },
        Fault { what: "too young", op: C, counts: [3, 2, 0], ran: Some(0), seen: ("collect-start", "collect-start") },
        Fault { what: "too old", op: C, counts: [3, 0, 0], ran: Some(2), seen: ("collect-start", "collect-start") },
    ];
    for row in ROWS {
        for Fault { what, op, counts, ran, seen } in &faults {
            let moment = moment(row, *op, *counts);
            // The same run with the fault: what a collection that finds nothing shows, put in at the moment.
            let mut real = followed(row, &[]);
            if let Some(generation) = *ran {
                let at = moment.at as usize;
                let start = Event::CollectStart { generation, automatic: true };
                let end = Event::CollectEnd { generation, returned: 0, uncollectable: 0 };
                real.splice(at..at, [start, Event::Snapshot, end, Event::Snapshot]);
            }
            let Comparison::Different(difference) = compare(&followed(row, &[moment]), &real, None) else {
                panic!("{row}: {what} is not seen")
            };
            // From 3.12 on it starts between two operations.
            let between = |word| if word == "new" && row == "cpython-3.12" { "step" } else { word };
            let kind = DifferenceKind::Events(between(seen.0), between(seen.1));
            assert_eq!((difference.kind, difference.at), (kind, moment.at as usize), "{row}: {what}");
        }
    }
}

/// 2.7 to 3.15: an interpreter's own `gc.enable`, `gc.disable` and `gc.set_threshold` decide, and its own counts, which are
/// those of the scenario's objects and of others.
#[test]
fn each_interpreter_has_a_schedule_of_its_own() {
    let source = "coroner 1
gc.set_threshold(3, 1, 1)
a = Node()
b = Node()
c = Node()
d = Node()
gc.enable()
e = Node()
f = Node()
g = Node()
h = Node()
gc.disable()
i = Node()
j = Node()
k = Node()
l = Node()
m = Node()
";
    let scenario = parsed(source);
    let interpreters: Vec<_> = installed().into_iter().flatten().collect();
    if interpreters.is_empty() {
        eprintln!("skipped: no CPython found (pyenv, PATH, CORONER_PYTHONS)");
    }
    for interpreter in interpreters {
        let name = interpreter.name();
        let Ok(mut python) = Python::new(interpreter, Limits::default()) else { continue };
        let (mut found, mut told) = (Vec::new(), Vec::new());
        python
            .run_scheduled(&[&scenario], &mut |_, events, moments, _| {
                found = starts(events);
                told = moments.to_vec();
                let step = |op| events.iter().position(|event| *event == Event::Step { op }).unwrap();
                let (enabled, disabled) = (step(5), step(11));
                assert!(found.iter().all(|(at, _)| (enabled..=disabled).contains(at)), "{name}: {found:?}");
            })
            .unwrap();
        assert!(!told.is_empty() && told.iter().all(|moment| moment.counts[0] >= 3), "{name}: {told:?}");
        let moments: Vec<usize> = told.iter().map(|moment| moment.at as usize).collect();
        assert_eq!(found.iter().map(|(at, _)| *at).collect::<Vec<_>>(), moments, "{name}");
        assert!(told[0].counts[1..] == [0, 0] && found[0].1 == 0, "{name}: {told:?} {found:?}");
    }
}
