//! Scenarios per second inside a worker, first operation to last event, on every interpreter of this machine.
//!
//! `cargo bench --bench worker` prints the table; `-- --test` runs a few. The aim is 20,000 scenarios of 12 objects and
//! 30 operations per second on 3.8 and later.

use coroner::bench::worker::{typical, worker};
use coroner::cpython::{Python, installed};
use coroner::supervise::Limits;

fn main() {
    let test = std::env::args().any(|a| a == "--test");
    let scenarios = typical(if test { 200 } else { 5_000 });
    let rounds = if test { 1 } else { 5 };
    println!("{} scenarios of 12 objects and 30 operations; the best of {rounds} rounds", scenarios.len());
    println!("{:<16} {:>12} {:>10} {:>10}", "interpreter", "scenarios/s", "ns each", "events");
    for interpreter in installed().into_iter().flatten() {
        let name = interpreter.name();
        let mut python = match Python::new(interpreter, Limits::default()) {
            Ok(python) => python,
            Err(error) => {
                println!("{name:<16} skipped: {error}");
                continue;
            }
        };
        let timings = (0..rounds).map_while(|_| worker(&mut python, &scenarios).ok());
        let best = timings.min_by_key(|timing| timing.nanoseconds).unwrap_or_default();
        match (best.per_second(), best.each()) {
            (Some(rate), Some(each)) => println!("{name:<16} {rate:>12.0} {each:>10.0} {:>10}", best.events),
            _ => println!("{name:<16} ran nothing"),
        }
    }
}
