//! `coroner bugs`: is every planted bug found?

use std::path::Path;

use anyhow::{Context, bail};
use serde_json::json;

use super::{Exit, options};
use crate::model::collector::Switch;
use crate::model::collector::releases::{did_you_mean, near};
use crate::planted::{self, Options, SearchOutcome};
use crate::report::{count, grouped, json as report};

/// Look for every planted bug: by which invariant it is found, after how many scenarios, how small it gets
///
/// A bug is found if the collector with it breaks an invariant on a scenario on which the same collector without it does
/// not. Fails if one that is not marked equivalent is not found.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Bugs to look for, as `coroner list bugs` names them [default: all]
    #[arg(value_name = "BUG")]
    bugs: Vec<String>,
    /// Stop after N scenarios of each seed
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    budget: u64,
    /// The first seed: up to 16 hexadecimal digits
    #[arg(long, value_name = "HEX", default_value = "1", value_parser = options::number)]
    seed: u64,
    /// How many seeds are tried; the median counts
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    seeds: u32,
}

impl Args {
    fn wanted(&self) -> anyhow::Result<Vec<Switch>> {
        if self.bugs.is_empty() {
            return Ok(planted::planted().collect());
        }
        let find = |name: &String| {
            planted::planted().find(|bug| bug.name() == name).with_context(|| {
                let hint = did_you_mean(&near(name, planted::planted().map(|bug| bug.name().to_owned())));
                format!("no planted bug is called `{name}`{hint} (`coroner list bugs` shows all)")
            })
        };
        self.bugs.iter().map(find).collect()
    }

    /// The command that does the same again.
    fn repeat(&self) -> String {
        let mut command = "coroner bugs".to_owned();
        for bug in &self.bugs {
            command += &format!(" {bug}");
        }
        command + &format!(" --budget {} --seed {:x} --seeds {}", self.budget, self.seed, self.seeds)
    }
}

fn is_found(outcome: &SearchOutcome) -> bool {
    outcome.invariant().is_some()
}

/// Runs the command.
///
/// # Errors
/// If a bug does not exist or the result cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    if args.budget == 0 {
        bail!("--budget must be at least 1");
    }
    let wanted = args.wanted()?;
    let options = Options { seed: args.seed, seeds: args.seeds, budget: args.budget, ..Options::default() };
    let bar = options::bar(Some(wanted.len() as u64));
    let mut outcomes = Vec::with_capacity(wanted.len());
    for bug in wanted {
        bar.set_message(bug.name());
        outcomes.push(planted::search(bug, options)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let missed = outcomes.iter().filter(|o| !is_found(o) && o.equivalent.is_none()).count();
    let exit = if missed == 0 { Exit::Clean } else { Exit::Violation };
    super::print(&table(&outcomes))?;
    let found = outcomes.iter().filter(|o| is_found(o)).count() as u64;
    let bugs = count(outcomes.len() as u64, "planted bug");
    super::print(&format!("\n{bugs}: {found} found, {missed} not found and not equivalent\n"))?;
    if let Some(path) = json {
        let mut page = report::JsonReport::new("bugs", exit.code());
        page.repeat = Some(args.repeat());
        page.result.insert("bugs".to_owned(), outcomes.iter().map(value).collect());
        report::write(path, &page)?;
    }
    if exit != Exit::Clean {
        super::print(&format!("\nrepeat with: {}\n", args.repeat()))?;
    }
    Ok(exit)
}

/// The table, in the form that documentation takes as it is.
fn table(outcomes: &[SearchOutcome]) -> String {
    let header = ["bug", "collector", "found", "by", "scenarios (median)", "objects"].map(str::to_owned);
    let mut rows = vec![header];
    for outcome in outcomes {
        let seeds = outcome.findings.len();
        let hits = outcome.findings.iter().flatten().count();
        let found = match (hits, outcome.equivalent) {
            (0, Some(reason)) => format!("equivalent: {reason}"),
            (0, None) => "no".to_owned(),
            _ => format!("{hits} of {seeds}"),
        };
        let base = outcome.collector.split('+').next().unwrap_or_default();
        rows.push([
            outcome.bug.name().to_owned(),
            base.to_owned(),
            found,
            outcome.invariant().map_or_else(String::new, |i| i.to_string()),
            outcome.median().map_or_else(String::new, grouped),
            outcome.objects().map_or_else(String::new, |n| n.to_string()),
        ]);
    }
    let widths: [usize; 6] = std::array::from_fn(|at| rows.iter().map(|row| row[at].len()).max().unwrap_or(0));
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(widths) {
            text += &format!("| {cell:width$} ");
        }
        text += "|\n";
        if number == 0 {
            text += &widths.map(|width| format!("| {} ", "-".repeat(width))).concat();
            text += "|\n";
        }
    }
    text
}

fn value(outcome: &SearchOutcome) -> serde_json::Value {
    let scenarios: Vec<Option<u64>> = outcome.findings.iter().map(|f| f.as_ref().map(|f| f.scenarios)).collect();
    json!({
        "bug": outcome.bug.name(),
        "source": outcome.bug.source(),
        "collector": outcome.collector,
        "found": is_found(outcome),
        "invariant": outcome.invariant().map(|i| i.code()),
        "median": outcome.median(),
        "scenarios": scenarios,
        "objects": outcome.objects(),
        "reduced": outcome.reduced.as_ref().map(|r| crate::scenario::text::print(&r.scenario)),
        "equivalent": outcome.equivalent,
    })
}
