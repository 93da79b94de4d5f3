//! Generate, run and judge: each alone and together.

use std::hint::black_box;
use std::time::Duration;

use super::interleaved::{Interleaved, per_second, repeat};
use super::table::{Cell, Table};
use crate::event::{Event, EventBuffer};
use crate::generate::{Generator, Profile, Seed, Size};
use crate::invariant::{Judge, differential};
use crate::model::collector::Collector;
use crate::model::machine::Machine;
use crate::planted::DIFFERENTIAL_SAMPLE;
use crate::scenario::Scenario;
use crate::subject::Declaration;

/// Scenarios of one turn: as many as the sample of the differential invariants is one of.
const BATCH: usize = DIFFERENTIAL_SAMPLE as usize;
/// How many batches are measured.
const BATCHES: usize = 16;
/// How many scenarios a worker makes before they come again.
const CYCLE: u64 = 10_000;

const COLUMNS: &[&str] = &[
    "profile",
    "objects",
    "operations",
    "generate ns",
    "run ns",
    "judge ns",
    "together ns",
    "scenarios/s",
    "with differential/s",
    "spread %",
];

/// Everything that a worker of a campaign reuses from one scenario to the next.
#[derive(Debug)]
pub struct Worker {
    generator: Generator,
    machine: Machine,
    judge: Judge,
    declaration: Declaration,
    scenario: Scenario,
    events: Vec<Event>,
    next: u64,
}

impl Worker {
    /// A worker for a profile, a size and a collector of the table.
    pub fn new(profile: &'static Profile, size: Size, collector: &Collector) -> Worker {
        Worker {
            generator: Generator::new(Seed::from(7), profile, size),
            machine: Machine::new(collector),
            judge: Judge::new(),
            declaration: Declaration::of_release(&collector.name, collector.release),
            scenario: Scenario::new(),
            events: Vec::new(),
            next: 0,
        }
    }

    /// Generates, runs and judges the next scenario; with `sample`, one in so many is judged by the differential
    /// invariants too. Answers the number of violations.
    pub fn one(&mut self, sample: Option<u64>) -> usize {
        self.generator.fill(self.next, &mut self.scenario);
        self.machine.run(&self.scenario, &mut EventBuffer::new(&mut self.events));
        let mut found = self.judge.judge(&self.scenario, &self.events, &self.declaration).len();
        if sample.is_some_and(|sample| self.next.is_multiple_of(sample)) {
            found += differential::check(&mut self.machine, &self.scenario, &self.declaration).map_or(0, |v| v.len());
        }
        self.next = (self.next + 1) % CYCLE;
        found
    }
}

/// A batch that has been generated and run, to measure the parts alone.
struct Parts {
    worker: Worker,
    scenarios: Vec<Scenario>,
    events: Vec<Vec<Event>>,
    operations: usize,
}

impl Parts {
    fn turn(&mut self, turns: &mut Interleaved<5>, batch: usize) {
        let Parts { worker, scenarios, events, operations } = self;
        let start = (batch * BATCH) as u64;
        turns.time(batch, 0, || {
            for (n, scenario) in (start..).zip(&mut *scenarios) {
                worker.generator.fill(n, scenario);
            }
        });
        turns.time(batch, 1, || {
            for (scenario, events) in scenarios.iter().zip(&mut *events) {
                worker.machine.run(scenario, &mut EventBuffer::new(events));
            }
        });
        turns.time(batch, 2, || {
            for (scenario, events) in scenarios.iter().zip(&*events) {
                black_box(worker.judge.judge(scenario, events, &worker.declaration).len());
            }
        });
        for (at, sample) in [(3, None), (4, Some(DIFFERENTIAL_SAMPLE))] {
            worker.next = start;
            turns.time(batch, at, || (0..BATCH).for_each(|_| _ = black_box(worker.one(sample))));
        }
        *operations += scenarios.iter().map(|s| s.ops().len()).sum::<usize>();
    }
}

/// One row for each profile and size, each measured for `time`.
pub fn table(profiles: &[&'static Profile], sizes: &[Size], time: Duration, mut step: impl FnMut()) -> Table {
    let collector = Collector::all().pop();
    let name = collector.as_ref().map_or("", |c| c.name.as_str());
    let mut table = Table::new("pipeline", format!("Pipeline on {name}, one core, per scenario"), COLUMNS);
    let Some(collector) = collector else { return table };
    for &profile in profiles {
        for &size in sizes {
            let mut parts = Parts {
                worker: Worker::new(profile, size, &collector),
                scenarios: vec![Scenario::new(); BATCH],
                events: vec![Vec::new(); BATCH],
                operations: 0,
            };
            let mut turns = Interleaved::new(BATCHES);
            // The first turns grow the memory.
            (0..BATCHES).for_each(|batch| parts.turn(&mut Interleaved::new(BATCHES), batch));
            let operations = parts.operations as f64 / (BATCH * BATCHES) as f64;
            repeat(time, BATCHES, |batch| parts.turn(&mut turns, batch));
            let each = |at: usize| turns.total(at) / (BATCH * BATCHES) as f64;
            table.rows.push(vec![
                profile.name.into(),
                Cell::Count(u64::from(size.objects())),
                Cell::Number(operations, 1),
                Cell::Number(each(0), 0),
                Cell::Number(each(1), 0),
                Cell::Number(each(2), 0),
                Cell::Number(each(3), 0),
                Cell::Count(per_second(each(3))),
                Cell::Count(per_second(each(4))),
                Cell::Number(turns.spread(3), 1),
            ]);
            if profile.name == "default" && size == Size::default() {
                let seen = format!(
                    "{}/s, with the differential invariants on 1 in {DIFFERENTIAL_SAMPLE} {}/s",
                    crate::report::grouped(per_second(each(3))),
                    crate::report::grouped(per_second(each(4)))
                );
                table.floor("12 objects, 30 operations", "300,000/s, aim 500,000/s", seen);
            }
            step();
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_for_each_profile_and_size() {
        let profiles = ["default", "plain"].map(|name| Profile::named(name).unwrap());
        let mut steps = 0;
        let table = table(&profiles, &[Size::Tiny, Size::Small], Duration::ZERO, || steps += 1);
        assert_eq!((table.rows.len(), steps), (4, 4));
        assert!(table.rows.iter().all(|row| row.len() == table.columns.len()));
        assert_eq!(table.floors.len(), 1);
        for row in &table.rows {
            for cell in &row[2..7] {
                assert!(matches!(cell, Cell::Number(n, _) if *n > 0.0), "{row:?}");
            }
        }
    }
}
