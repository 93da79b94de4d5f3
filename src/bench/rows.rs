//! Every row of the table on the same scenarios, as a campaign runs them: each by itself, and all together, where what
//! several do in the same way is run once and judged once.

use std::hint::black_box;
use std::time::Duration;

use super::interleaved::{Interleaved, per_second, repeat};
use super::table::{Cell, Table};
use crate::campaign::Examiner;
use crate::findings::Baseline;
use crate::generate::{Generator, Profile, Seed, Size};
use crate::model::collector::Collector;
use crate::model::rows::Rows;
use crate::planted::DIFFERENTIAL_SAMPLE;
use crate::scenario::Scenario;

/// Scenarios of one turn: as many as the sample of the differential invariants is one of.
const BATCH: u64 = DIFFERENTIAL_SAMPLE;
/// How many batches are measured.
const BATCHES: usize = 16;

const COLUMNS: &[&str] = &[
    "profile",
    "objects",
    "runs made",
    "runs judged",
    "alone ns",
    "together ns",
    "ratio",
    "scenarios/s",
    "verdicts/s",
    "with differential/s",
    "spread %",
];

/// A generator, the rows alone and the rows together.
struct Bench {
    generator: Generator,
    scenario: Scenario,
    alone: Vec<Examiner>,
    rows: Examiner,
}

impl Bench {
    fn new(profile: &'static Profile, size: Size, rows: &[Collector]) -> Bench {
        let examiners =
            || rows.iter().map(|row| Examiner::new(&Rows::one(row), &Baseline::empty())).collect::<Vec<Examiner>>();
        Bench {
            generator: Generator::new(Seed::from(7), profile, size),
            scenario: Scenario::new(),
            alone: examiners(),
            rows: Examiner::new(&Rows::new(rows.to_vec()), &Baseline::empty()),
        }
    }

    fn turn(&mut self, turns: &mut Interleaved<3>, batch: usize) {
        let numbers = batch as u64 * BATCH..(batch as u64 + 1) * BATCH;
        turns.time(batch, 0, || {
            for n in numbers.clone() {
                self.generator.fill(n, &mut self.scenario);
                for examiner in &mut self.alone {
                    black_box(examiner.examine(&self.scenario, false).digest);
                }
            }
        });
        for (at, sample) in [(1, None), (2, Some(DIFFERENTIAL_SAMPLE))] {
            turns.time(batch, at, || {
                for n in numbers.clone() {
                    self.generator.fill(n, &mut self.scenario);
                    let differential = sample.is_some_and(|sample| n.is_multiple_of(sample));
                    self.rows.examine_each(&self.scenario, differential, |_, run| _ = black_box(run.digest));
                }
            });
        }
    }
}

/// One row for each profile, each measured for `time`, at the default size.
pub fn table(profiles: &[&'static Profile], time: Duration, mut step: impl FnMut()) -> Table {
    let rows = Collector::all();
    let title = format!("All {} rows, one core: generate, run, judge and digest; nanoseconds per verdict", rows.len());
    let mut table = Table::new("rows", title, COLUMNS);
    for &profile in profiles {
        let size = Size::default();
        let mut bench = Bench::new(profile, size, &rows);
        // The first turns grow the memory.
        (0..BATCHES).for_each(|batch| bench.turn(&mut Interleaved::new(BATCHES), batch));
        let before = (bench.rows.ran(), bench.rows.judged());
        let mut turns = Interleaved::new(BATCHES);
        let mut batches = 0;
        repeat(time, BATCHES, |batch| {
            bench.turn(&mut turns, batch);
            batches += 1;
        });
        // Each batch is examined twice, without and with the differential invariants.
        let examined = (2 * batches * BATCH) as f64;
        let scenarios = (BATCH * BATCHES as u64) as f64;
        let verdicts = scenarios * rows.len() as f64;
        let per_verdict = |at: usize| turns.total(at) / verdicts;
        let together = per_second(per_verdict(1));
        table.rows.push(vec![
            profile.name.into(),
            Cell::Count(u64::from(size.objects())),
            Cell::Number((bench.rows.ran() - before.0) as f64 / examined, 1),
            Cell::Number((bench.rows.judged() - before.1) as f64 / examined, 1),
            Cell::Number(per_verdict(0), 0),
            Cell::Number(per_verdict(1), 0),
            Cell::Number(per_verdict(0) / per_verdict(1), 1),
            Cell::Count(per_second(turns.total(1) / scenarios)),
            Cell::Count(together),
            Cell::Count(per_second(per_verdict(2))),
            Cell::Number(turns.spread_of_ratio(0, 1), 1),
        ]);
        if profile.name == "default" {
            let seen = format!("{} verdicts/s", crate::report::grouped(together));
            table.floor("a scenario on a row, generated, run and judged", "300,000/s, aim 500,000/s", seen);
        }
        step();
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_for_each_profile_that_shares_runs() {
        let profiles = ["default", "plain"].map(|name| Profile::named(name).unwrap());
        let table = table(&profiles, Duration::ZERO, || ());
        assert_eq!((table.rows.len(), table.floors.len()), (2, 1));
        for row in &table.rows {
            assert_eq!(row.len(), table.columns.len());
            assert!(
                matches!((&row[2], &row[3]), (Cell::Number(ran, _), Cell::Number(judged, _))
                if (1.0..9.0).contains(ran) && (1.0..9.0).contains(judged)),
                "{row:?}"
            );
        }
    }
}
