//! The probe against rows of the behaviour table, on every interpreter present, and what happens when one fails.

mod against;
mod commands;
mod counted;
mod deaths;
mod drills;
mod missing;
mod oracles;
mod program;
mod replay;
mod rows;
mod search;
mod systems;
mod verdicts;

use std::time::Duration;

use coroner::cpython::{Interpreter, Python};
use coroner::event::{Event, EventBuffer, Spot};
use coroner::scenario::{Bulk, Kind, Op, Scenario, ScriptId, Shape};
use coroner::subject::{Failure, Release, Subject};
use coroner::supervise::Limits;
use program::{interpreters, newest, start};
use rows::{collect, drop, new, node, set, v, weak};

fn run(python: &mut Python, scenario: &Scenario) -> Vec<Event> {
    let mut events = Vec::new();
    let result = python.run(scenario, &mut EventBuffer::new(&mut events));
    assert_eq!(result, Ok(()), "{}", python.declaration().name);
    events
}

/// The events that a row of the table shows.
fn trace(events: &[Event]) -> String {
    let word = |event: &Event| match *event {
        Event::Clear { object } => Some(format!("clear:{object}")),
        Event::Dealloc { object } => Some(format!("dealloc:{object}")),
        Event::Free { object } => Some(format!("free:{object}")),
        Event::Enter { code, owner, .. } => Some(format!("{code:?}:{owner}")),
        Event::Saw { object, .. } => Some(format!("saw:{object}")),
        Event::Answer { referent: Some(o), .. } => Some(format!("answer:{o}")),
        Event::Answer { referent: None, .. } => Some("answer:None".to_string()),
        Event::CollectEnd { returned, .. } => Some(format!("n={returned}")),
        _ => None,
    };
    events.iter().filter_map(word).collect::<Vec<_>>().join(" ").replace('#', "")
}

/// The places of the tracked objects in the last snapshot, in list order.
fn last_order(events: &[Event]) -> Vec<(usize, Spot)> {
    let from = events.iter().rposition(|event| *event == Event::Snapshot).unwrap_or(0);
    let state = |event: &Event| match event {
        Event::State { object, spot, .. } => Some((object.index() + 1, *spot)),
        _ => None,
    };
    events[from..].iter().filter_map(state).collect()
}

fn check(row: &str, expected: impl Fn(Release) -> Option<&'static str>) {
    let scenario = rows::scenario(row).expect("a row");
    for mut python in interpreters().into_iter().filter_map(start) {
        if let Some(expected) = expected(python.interpreter().release) {
            let events = run(&mut python, &scenario);
            assert_eq!(trace(&events), expected, "row {row} on {}", python.declaration().name);
        }
    }
}

const fn at_least(release: Release, minor: u8) -> bool {
    release.major == 3 && release.minor >= minor
}

#[test]
fn row_a01_the_callback_of_trash_runs_up_to_3_7() {
    check("A01", |release| {
        Some(if at_least(release, 8) {
            "clear:1 clear:4 dealloc:3 dealloc:2 free:2 free:3 dealloc:6 dealloc:5 dealloc:1 free:1 free:5 free:6 \
             dealloc:4 free:4 n=4"
        } else {
            // The weak reference gives its callback up before the call: it dies right after it.
            "clear:1 clear:4 dealloc:3 dealloc:2 Callback:5 saw:5 saw:1 saw:6 dealloc:5 free:5 free:2 free:3 \
             dealloc:1 free:1 dealloc:6 free:6 dealloc:4 free:4 n=4"
        })
    });
}

#[test]
fn row_c01_a_finalizer_runs_before_the_callbacks() {
    check("C01", |_| Some("Finalizer:1 answer:1 dealloc:1 Callback:2 answer:None free:1"));
}

#[test]
fn row_c03_the_collector_runs_callbacks_before_finalizers() {
    check("C03", |release| {
        Some(match release.major {
            // A static type's tp_del means nothing to the collector of 2.7: it runs at the death.
            2 => "Callback:2 clear:1 Finalizer:1 dealloc:1 free:1 n=1",
            _ => "Callback:2 Finalizer:1 clear:1 dealloc:1 free:1 n=1",
        })
    });
}

#[test]
fn row_c13_resurrection_keeps_everything_up_to_3_8() {
    check("C13", |release| {
        Some(match (release.major, release.minor) {
            (2, _) => return None,
            (3, ..7) => "Finalizer:1 Finalizer:2 n=2 clear:2 dealloc:2 free:2 n=1",
            (3, 7 | 8) => "Finalizer:1 Finalizer:2 n=0 clear:2 dealloc:2 free:2 n=1",
            _ => "Finalizer:1 Finalizer:2 clear:2 dealloc:2 free:2 n=1 n=0",
        })
    });
}

#[test]
fn row_d06_a_cycle_dies_from_its_first_object() {
    check("D06", |_| Some("clear:1 dealloc:2 dealloc:3 free:3 free:2 dealloc:1 free:1 n=3"));
}

#[test]
fn row_d07_reachable_objects_are_put_in_the_order_of_their_discovery() {
    let scenario = rows::scenario("D07").expect("a row");
    for mut python in interpreters().into_iter().filter_map(start) {
        let events = run(&mut python, &scenario);
        assert_eq!(
            last_order(&events),
            [(3, Spot::Gen2), (2, Spot::Gen2), (1, Spot::Gen2)],
            "{}",
            python.declaration().name
        );
    }
}

#[test]
fn every_process_gives_the_same_events() {
    let tour = rows::scenario("tour").expect("a row");
    for mut python in interpreters().into_iter().filter_map(start) {
        let first = run(&mut python, &tour);
        for row in ["A01", "C13"] {
            run(&mut python, &rows::scenario(row).expect("a row"));
        }
        assert_eq!(run(&mut python, &tour), first, "{}", python.declaration().name);
        python.restart();
        assert_eq!(run(&mut python, &tour), first, "{}", python.declaration().name);
        assert_eq!(python.processes(), 2);
    }
}

#[test]
fn a_crash_leaves_the_events_that_led_to_it_and_the_next_scenario_runs() {
    // Up to 3.13 nodes have no trashcan: a long chain that dies at once overflows the stack.
    let without = |python: &Interpreter| python.release < Release::new(3, 14, 0);
    let Some(mut python) = interpreters().into_iter().filter(without).rev().find_map(start) else { return };
    let build = Op::Build { dst: v(0), bulk: Bulk::Chain, kind: node(), count: 100_000 };
    let crash = Scenario::from_bodies(&[vec![build, drop(v(0))]]);
    let fine = rows::scenario("D06").expect("a row");
    let mut seen = Vec::new();
    let limits = Limits { stack_bytes: 1 << 20, ..Limits::default() };
    python = Python::new(python.interpreter().clone(), limits).expect("it started before");
    python
        .run_batch(&[fine.clone(), crash, fine], |outcome| {
            seen.push((outcome.index, outcome.events.len(), outcome.failure));
        })
        .expect("a worker starts");
    assert_eq!(seen.len(), 3);
    assert_eq!((seen[0].0, &seen[0].2), (0, &None));
    assert!(matches!(&seen[1].2, Some(Failure::Died { how, .. }) if how.contains("SIGSEGV")), "{:?}", seen[1].2);
    assert!(seen[1].1 > 100_000, "the events before the crash were lost");
    assert_eq!((seen[2].0, seen[2].1, &seen[2].2), (2, seen[0].1, &None));
    assert_eq!(python.processes(), 2);
}

#[test]
fn a_killed_worker_is_replaced_and_its_scenario_runs_again() {
    let Some(mut python) = newest() else { return };
    let scenario = rows::scenario("D06").expect("a row");
    let before = run(&mut python, &scenario);
    let id = python.process_id().expect("a worker").to_string();
    let killed = std::process::Command::new("kill").args(["-9", &id]).status().expect("kill runs");
    assert!(killed.success());
    assert_eq!(run(&mut python, &scenario), before);
    // A fresh process has none to be a copy of any more: another interpreter is started.
    python.restart();
    assert_eq!(run(&mut python, &scenario), before);
    // One more if the dead one is noticed only when it does not make the copy that it was asked for.
    assert!([2, 3].contains(&python.processes()));
    assert_ne!(python.process_id().expect("a worker").to_string(), id);
}

/// Runs a scenario that must not come to its end, then one that must.
fn stopped(scenario: &Scenario, limits: Limits) {
    let Some(python) = newest() else { return };
    let mut python = Python::new(python.interpreter().clone(), limits).expect("it started before");
    let mut events = Vec::new();
    let result = python.run(scenario, &mut EventBuffer::new(&mut events));
    // Too many events are a limit of the probe, not of the interpreter.
    assert!(matches!(result, Err(Failure::Limit { .. } | Failure::Unsupported { .. })), "{result:?}");
    assert!(!events.is_empty());
    run(&mut python, &rows::scenario("D06").expect("a row"));
}

#[test]
fn a_scenario_that_hangs_is_stopped() {
    let scan = (0..64).map(|_| Op::Scan).collect();
    let again = Op::Repeat { times: 255, script: ScriptId(0) };
    let build = Op::Build { dst: v(0), bulk: Bulk::Knots, kind: node(), count: 5_000 };
    let limits =
        Limits { memory_bytes: 0, event_bytes: 4 << 30, scenario: Duration::from_millis(50), ..Limits::default() };
    stopped(&Scenario::from_bodies(&[vec![build, again, again], scan]), limits);
}

#[test]
fn a_scenario_that_eats_memory_is_stopped() {
    let build = Op::Build { dst: v(0), bulk: Bulk::Knots, kind: node(), count: 4_000_000 };
    let limits = Limits { memory_bytes: 400 << 20, event_bytes: 128 << 20, stack_bytes: 1 << 20, ..Limits::default() };
    stopped(&Scenario::from_bodies(&[vec![build]]), limits);
}

#[test]
fn a_scenario_with_too_many_events_is_stopped() {
    let build = Op::Build { dst: v(0), bulk: Bulk::Knots, kind: node(), count: 16_000_000 };
    stopped(&Scenario::from_bodies(&[vec![build]]), Limits { event_bytes: 1 << 20, ..Limits::default() });
}

#[test]
fn what_cannot_be_built_is_said() {
    // 2.7 keeps the entries of a weak key dictionary in the order of addresses.
    let Some(old) = interpreters().into_iter().find(|i| i.release.major == 2) else {
        println!("skipped: no CPython 2.7");
        return;
    };
    let Some(mut python) = start(old) else { return };
    let container = new(v(0), Kind::new(Shape::WeakKeyDict));
    let result =
        python.run(&Scenario::from_bodies(&[vec![container, collect(2)]]), &mut EventBuffer::new(&mut Vec::new()));
    assert!(matches!(result, Err(Failure::Unsupported { .. })), "{result:?}");
}

#[test]
fn a_weak_reference_without_callback_is_shared() {
    let Some(mut python) = newest() else { return };
    let scenario = Scenario::from_bodies(&[vec![
        new(v(0), node()),
        weak(v(1), v(0), rows::NONE),
        weak(v(2), v(0), rows::NONE),
        set(v(0).slot(0), v(2)),
    ]]);
    let events = run(&mut python, &scenario);
    let created = events.iter().filter(|event| matches!(event, Event::New { .. })).count();
    assert_eq!(created, 2);
    assert_eq!(last_order(&events), [(1, Spot::Gen0), (2, Spot::Gen0)]);
}
