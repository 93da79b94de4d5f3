//! How long the files take: every regression on every collector it expects something of, and a large corpus.

use std::path::Path;
use std::time::Instant;

use super::table::{Cell, Table};
use crate::event::EventBuffer;
use crate::generate::{Generator, Profile, Seed, Size};
use crate::invariant::Judge;
use crate::lookup::Collectors;
use crate::model::collector::Collector;
use crate::model::machine::Machine;
use crate::regression::{self, Runner};
use crate::scenario::text;
use crate::subject::Declaration;

const COLUMNS: &[&str] = &["what", "files", "runs", "ms", "slowest file", "its ms"];

/// How many files the large corpus has.
pub const CORPUS: u64 = 10_000;

/// Replays a folder of regressions, and `corpus` scenario files that are made for the purpose.
pub fn table(regressions: &Path, corpus: u64, mut step: impl FnMut()) -> Table {
    let mut table = Table::new("replay", "Replay: read, parse, run, judge and compare", COLUMNS);
    if regressions.is_dir() {
        match replayed(regressions) {
            Ok(row) => table.rows.push(row),
            Err(note) => table.notes.push(note),
        }
    } else {
        table.notes.push(format!("skipped: no folder {} here", regressions.display()));
    }
    step();
    match imported(corpus) {
        Ok(row) => table.rows.push(row),
        Err(error) => table.notes.push(format!("skipped: the corpus could not be written: {error}")),
    }
    step();
    table
}

fn replayed(folder: &Path) -> Result<Vec<Cell>, String> {
    let start = Instant::now();
    let cases = regression::load(folder);
    let mut runner = Runner::new(&Collectors);
    let (mut runs, mut mismatches) = (0, 0);
    let mut slowest = (String::new(), 0.0);
    for case in &cases {
        let case = case.as_ref().map_err(|error| format!("skipped: {error}"))?;
        let start = Instant::now();
        mismatches += runner.check(&case.document).len();
        runs += case.document.expectations.len() as u64;
        let took = milliseconds(start);
        if took > slowest.1 {
            let name = case.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            slowest = (name, took);
        }
    }
    let took = milliseconds(start);
    if mismatches > 0 {
        return Err(format!("{mismatches} outcomes are not the expected ones: `coroner replay` says which"));
    }
    Ok(vec![
        "regressions".into(),
        Cell::Count(cases.len() as u64),
        Cell::Count(runs),
        Cell::Number(took, 0),
        Cell::Text(slowest.0),
        Cell::Number(slowest.1, 1),
    ])
}

/// A corpus of scenario files, each read, parsed, run on one collector and judged.
fn imported(count: u64) -> std::io::Result<Vec<Cell>> {
    let (Some(profile), Some(collector)) = (Profile::named("default"), Collector::all().pop()) else {
        return Ok(Vec::new());
    };
    let folder = std::env::temp_dir().join(format!("coroner-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let mut generator = Generator::new(Seed::from(7), profile, Size::default());
    let path = |n: u64| folder.join(format!("{n:05}.scn"));
    let written = (0..count).try_for_each(|n| std::fs::write(path(n), text::print(&generator.make(n))));
    let start = Instant::now();
    let mut machine = Machine::new(&collector);
    let (mut judge, declaration) = (Judge::new(), Declaration::of_release(&collector.name, collector.release));
    let mut events = Vec::new();
    let mut slowest = (String::new(), 0.0);
    for n in 0..count {
        let start = Instant::now();
        if let Ok(document) = text::parse_bytes(&std::fs::read(path(n)).unwrap_or_default()) {
            machine.run(&document.scenario, &mut EventBuffer::new(&mut events));
            std::hint::black_box(judge.judge(&document.scenario, &events, &declaration).len());
        }
        let took = milliseconds(start);
        if took > slowest.1 {
            slowest = (format!("{n:05}.scn"), took);
        }
    }
    let took = milliseconds(start);
    std::fs::remove_dir_all(&folder)?;
    written?;
    Ok(vec![
        "made corpus".into(),
        Cell::Count(count),
        Cell::Count(count),
        Cell::Number(took, 0),
        Cell::Text(slowest.0),
        Cell::Number(slowest.1, 1),
    ])
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_is_one_line() {
        let table = table(Path::new("/nowhere"), 20, || {});
        assert_eq!(table.notes.len(), 1);
        assert_eq!(table.rows.len(), 1);
        assert_eq!(table.rows[0][1], Cell::Count(20));
    }
}
