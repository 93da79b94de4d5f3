//! One process against several: what a second core adds.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::pipeline::Worker;
use super::table::{Cell, Table};
use crate::generate::{Profile, Size};
use crate::model::collector::Collector;
use crate::supervise::{Asked, Bounds};

/// How often one and several take turns.
const ROUNDS: usize = 5;

/// Bytes that a child may print.
const OUTPUT: usize = 64 << 10;

const COLUMNS: &[&str] = &["processes", "scenarios/s", "ratio"];

/// Generates, runs and judges scenarios for so long; answers how many per second. What a child process of
/// [`table`] does.
pub fn work(time: Duration) -> f64 {
    let (Some(collector), Some(profile)) = (Collector::all().pop(), Profile::named("default")) else { return 0.0 };
    let mut worker = Worker::new(profile, Size::default(), &collector);
    (0..1_000).for_each(|_| _ = worker.one(None));
    let start = Instant::now();
    let mut scenarios = 0;
    while start.elapsed() < time {
        (0..64).for_each(|_| _ = worker.one(None));
        scenarios += 64;
    }
    f64::from(scenarios) / start.elapsed().as_secs_f64()
}

/// One process, then as many as there are cores, in turns. `program` with `arguments` prints what [`work`] answers, within
/// `limit`.
pub fn table(program: &Path, arguments: &[String], limit: Duration, processes: usize, mut step: impl FnMut()) -> Table {
    let mut table = Table::new("processes", "Processes on one machine, each generating, running and judging", COLUMNS);
    let start = || Asked::start(Command::new(program).args(arguments));
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (at, count) in [1, processes].into_iter().enumerate() {
            let children: Vec<_> = (0..count).map(|_| start()).collect();
            let of_children: Option<Vec<f64>> = children.into_iter().map(|child| rate(child.ok()?, limit)).collect();
            let Some(of_children) = of_children else {
                table.notes.push("skipped: the program could not start itself".to_owned());
                return table;
            };
            rates[at].push(of_children.iter().sum::<f64>());
        }
        step();
    }
    let [one, all] = rates.map(|mut rates| {
        rates.sort_unstable_by(f64::total_cmp);
        rates[ROUNDS / 2]
    });
    for (count, rate) in [(1, one), (processes, all)] {
        table.rows.push(vec![
            Cell::Count(count as u64),
            Cell::Count(rate as u64),
            Cell::Number(if one > 0.0 { rate / one } else { 0.0 }, 2),
        ]);
    }
    if processes == 2 {
        table.floor("two processes against one", "1.9 times", format!("{:.2}", all / one));
    }
    table
}

/// What a child printed, when it has ended.
fn rate(child: Asked, limit: Duration) -> Option<f64> {
    let output = child.answer(Bounds { time: limit, output: OUTPUT }).ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_works_and_counts() {
        assert!(work(Duration::from_millis(5)) > 100.0);
    }

    #[test]
    fn rates_are_added_up() {
        let arguments = ["-c".to_owned(), "echo 40.5".to_owned()];
        let table = table(Path::new("/bin/sh"), &arguments, Duration::from_secs(600), 2, || {});
        assert_eq!(table.rows[1], [Cell::Count(2), Cell::Count(81), Cell::Number(2.0, 2)]);
        assert_eq!(table.floors.len(), 1);
    }

    #[test]
    fn a_program_that_fails_is_one_line() {
        for (program, arguments) in [("/bin/false", vec![]), ("/nowhere", vec![])] {
            let table = table(Path::new(program), &arguments, Duration::from_secs(600), 2, || {});
            assert!(table.rows.is_empty());
            assert_eq!(table.notes.len(), 1);
        }
    }
}
