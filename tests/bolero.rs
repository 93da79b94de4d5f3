//! A bolero harness: fixed numbers of inputs under `cargo test`, coverage-guided under its engines
//! (`cargo bolero test --test bolero bytes_mean_scenarios_that_keep_the_invariants -s NONE`).

use bolero::check;
use coroner::fuzzing::{Scenarios, Setting};
use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const ITERATIONS: usize = 20_000;

thread_local!(static SCENARIOS: RefCell<Scenarios> = RefCell::new({
    let setting = Setting { collectors: vec!["cpython-3.15".to_owned()], ..Setting::default() };
    Scenarios::new(&setting).unwrap()
}));

/// bolero calls a property less often than it counts iterations if it cannot make the input: calls are what counts.
/// Under an engine this is never reached: the engine ends the process.
fn assert_calls(calls: &AtomicUsize) {
    let calls = calls.load(Relaxed);
    println!("{calls} calls");
    assert!(calls >= ITERATIONS, "{calls} calls of {ITERATIONS}");
}

#[test]
fn bytes_mean_scenarios_that_keep_the_invariants() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    static EFFECTIVE: AtomicUsize = AtomicUsize::new(0);
    check!().with_iterations(ITERATIONS).with_max_len(256).for_each(|bytes: &[u8]| {
        CALLS.fetch_add(1, Relaxed);
        let ran = SCENARIOS.with_borrow_mut(|scenarios| scenarios.run(bytes));
        EFFECTIVE.fetch_add(usize::from(ran.has_effect()), Relaxed);
        if let Some(crash) = ran.crash {
            panic!("{crash}");
        }
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
