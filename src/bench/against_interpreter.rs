//! The same scenarios in the model and in the worker of a real interpreter.
//!
//! The model's time covers running and judging by all invariants of one run; the interpreter's is taken in its own
//! process, from the first operation to the last event, without pipes or judging. All rows together take as long per verdict
//! as a campaign over all of them does, less the making of scenarios.

use std::hint::black_box;
use std::time::Duration;

use super::interleaved::{Interleaved, per_second, repeat};
use super::table::{Cell, Table};
use crate::campaign::Examiner;
use crate::cpython::{Interpreter, Python, SetupError};
use crate::event::{Event, EventBuffer};
use crate::findings::Baseline;
use crate::generate::{Generator, Profile, Seed, Size};
use crate::invariant::Judge;
use crate::lookup::row_of;
use crate::model::collector::Collector;
use crate::model::machine::Machine;
use crate::model::rows::Rows;
use crate::scenario::Scenario;
use crate::subject::Declaration;
use crate::supervise::Limits;

/// Scenarios that are measured; each counts with its best time on either side.
const SCENARIOS: usize = 1_000;
/// How many go to the interpreter at once.
const BATCH: usize = 100;

const COLUMNS: &[&str] =
    &["interpreter", "profile", "model/s", "interpreter/s", "ratio", "all rows: verdicts/s", "their ratio", "spread %"];

/// One row for each interpreter and profile, each measured for `time`.
pub fn table(
    interpreters: &[Interpreter],
    profiles: &[&'static Profile],
    time: Duration,
    mut step: impl FnMut(),
) -> Table {
    let title = "Model (run and judge) against a real interpreter's worker, scenarios of 12 objects per second";
    let mut table = Table::new("reality", title, COLUMNS);
    for interpreter in interpreters {
        for &profile in profiles {
            match compare(interpreter, profile, time) {
                Ok(Compared { each: [model, real, rows], spread }) => {
                    table.rows.push(vec![
                        Cell::Text(interpreter.name()),
                        profile.name.into(),
                        Cell::Count(per_second(model)),
                        Cell::Count(per_second(real)),
                        Cell::Number(real / model, 1),
                        Cell::Count(per_second(rows)),
                        Cell::Number(real / rows, 1),
                        Cell::Number(spread, 1),
                    ]);
                    if profile.name == "default" {
                        let seen = format!("{:.1}; all rows together {:.1}", real / model, real / rows);
                        table.floor(format!("model against {}", interpreter.name()), "10 times, aim 20", seen);
                        let seen = format!("{}/s", crate::report::grouped(per_second(real)));
                        table.floor(format!("worker of {}", interpreter.name()), "60,000/s", seen);
                    }
                }
                Err(error) => table.notes.push(format!("skipped: {error}")),
            }
            step();
        }
    }
    if interpreters.is_empty() {
        table.notes.push("skipped: no interpreter found (pyenv, PATH, CORONER_PYTHONS)".to_owned());
    }
    table
}

/// What was measured.
struct Compared {
    /// Nanoseconds per scenario of the model and of the interpreter, and per scenario and row of all rows together.
    each: [f64; 3],
    /// How far the halves of the turns are apart in the first ratio, in percent.
    spread: f64,
}

fn compare(interpreter: &Interpreter, profile: &'static Profile, time: Duration) -> Result<Compared, SetupError> {
    let collector = row_of(interpreter);
    let mut python = Python::new(interpreter.clone(), Limits::default())?;
    let mut generator = Generator::new(Seed::from(7), profile, Size::default());
    let mut machine = Machine::new(&collector);
    let (mut judge, declaration) = (Judge::new(), Declaration::of_release(&collector.name, collector.release));
    let mut events: Vec<Event> = Vec::new();
    // What is undefined may kill the process, which is no measure of its speed.
    let scenarios: Vec<Scenario> = (0..)
        .map(|n| generator.make(n))
        .filter(|scenario| {
            machine.run(scenario, &mut EventBuffer::new(&mut events));
            !matches!(events.last(), Some(Event::Undefined { .. }))
        })
        .take(SCENARIOS)
        .collect();
    let rows = Collector::all();
    let mut together = Examiner::new(&Rows::new(rows.to_vec()), &Baseline::empty());
    let mut turns = Interleaved::<3>::new(SCENARIOS);
    let mut error = None;
    repeat(time, SCENARIOS / BATCH, |batch| {
        let from = batch * BATCH;
        let batch = &scenarios[from..from + BATCH];
        for (number, scenario) in (from..).zip(batch) {
            turns.time(number, 0, || {
                machine.run(scenario, &mut EventBuffer::new(&mut events));
                black_box(judge.judge(scenario, &events, &declaration).len());
            });
        }
        for (number, scenario) in (from..).zip(batch) {
            turns.time(number, 2, || together.examine_each(scenario, false, |_, run| _ = black_box(run.digest)));
        }
        let result = python.run_batch(batch, |outcome| {
            if outcome.failure.is_none() {
                turns.add(from + outcome.index, 1, outcome.nanoseconds as f64);
            }
        });
        error = error.take().or(result.err());
    });
    let each = |at: usize| turns.total(at) / SCENARIOS as f64;
    let each = [each(0), each(1), each(2) / rows.len() as f64];
    error.map_or_else(|| Ok(Compared { each, spread: turns.spread_of_ratio(1, 0) }), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_interpreter_there_is_one_line() {
        let table = table(&[], &[], Duration::ZERO, || {});
        assert!(table.rows.is_empty());
        assert_eq!(table.notes.len(), 1);
    }
}
