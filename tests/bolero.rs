//! A bolero harness: fixed numbers of inputs under `cargo test`, coverage-guided under its engines (`recipes/bolero/run`).

use bolero::check;
use coroner::fuzzing::{Ran, Scenarios, Setting, read};
use coroner::scenario::{Op, Scenario};
use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const ITERATIONS: usize = 4_000;

fn scenarios() -> Scenarios {
    let setting = Setting { collectors: vec!["cpython-3.15".to_owned()], ..Setting::default() };
    Scenarios::new(&setting).unwrap()
}

thread_local!(static USED: RefCell<Scenarios> = RefCell::new(scenarios()));

/// bolero calls a property less often than it counts iterations if it cannot make the input: calls are what counts.
/// Under an engine this is never reached: the engine ends the process.
fn assert_calls(calls: &AtomicUsize) {
    let calls = calls.load(Relaxed);
    println!("{calls} calls");
    assert!(calls >= ITERATIONS, "{calls} calls of {ITERATIONS}");
}

#[test]
fn a_used_machine_does_what_a_fresh_one_does() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    static EFFECTIVE: AtomicUsize = AtomicUsize::new(0);
    check!().with_iterations(ITERATIONS).with_max_len(64).for_each(|bytes: &[u8]| {
        CALLS.fetch_add(1, Relaxed);
        // A thousand objects built by a script again and again take seconds, and bolero draws anew in each run.
        let mut scenario = Scenario::new();
        read(bytes, &mut scenario);
        if scenario.ops().iter().any(|op| matches!(op, Op::Build { .. })) {
            return;
        }
        let mut fresh = scenarios();
        let expected: Ran = fresh.run(bytes);
        USED.with_borrow_mut(|used| {
            assert_eq!(used.run(bytes), expected);
            assert_eq!(used.counters(), fresh.counters());
        });
        EFFECTIVE.fetch_add(usize::from(expected.has_effect()), Relaxed);
    });
    assert_calls(&CALLS);
    let effective = EFFECTIVE.load(Relaxed);
    println!("{effective} with an effect");
    assert!(effective * 2 >= ITERATIONS, "{effective} of {ITERATIONS} did something");
}

#[test]
fn bytes_survive_both_forms() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    check!().with_iterations(ITERATIONS).with_max_len(128).for_each(|bytes: &[u8]| {
        CALLS.fetch_add(1, Relaxed);
        coroner::fuzzing::binary(bytes);
    });
    assert_calls(&CALLS);
}
