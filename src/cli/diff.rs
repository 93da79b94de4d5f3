//! `coroner diff`: the model against real interpreters, in lockstep.

use std::path::Path;
use std::sync::Arc;

use super::campaign::{self, Options, Pythons, explain};
use super::monitor::Monitor;
use super::{Exit, interrupt, options};
use crate::campaign::{CampaignOutcome, Examined, Progress};
use crate::cpython;
use crate::lockstep::{self, ComparedCounts, ComparedTotals, ComparisonPlan, DifferenceKey};
use crate::lookup::Imitation;
use crate::model::rows::Rows;
use crate::report::json;
use crate::report::text::lockstep_report as report;
use crate::scenario::text::Document;

/// The share of scenarios that are run in a fresh process too: one in so many.
const SAMPLE: u64 = 1024;
/// Candidates that the reduction of one difference may try.
const TRIES: u64 = 4_000;

/// Run scenarios on the model and on real interpreters, and compare event by event
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pythons: Pythons,
    #[command(flatten)]
    options: Options,
}

/// Runs the command.
///
/// # Errors
/// If the arguments make no sense or a file cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let mut targets = campaign::targets(&args.pythons.python)?;
    targets.iter_mut().for_each(|target| target.interpreter.sanitized = args.pythons.sanitize);
    let plan = plan(args, &targets)?;
    let options = &args.options;
    let about = plan.about();
    let regressions = options.regressions()?;
    // What the row does: how the interpreter differs is in the finding itself.
    let explain = |target: usize, document: &Document, _: Option<&Examined<'_>>| {
        explain(&targets[target].collector, document, None)
    };
    let run_options = options.run_options(true, &regressions, &explain);
    let mut monitor = Monitor::new(options, plan.budget, reached)?;
    let show = &mut |progress: &Progress<'_, ComparedCounts, DifferenceKey>| monitor.show(progress);
    let outcome = lockstep::run_under(&plan, &about, run_options, interrupt::watch(), show)?;
    monitor.finish()?;
    let repeat = options.repeat(&about, outcome.campaign.scenarios, false);
    let page = report::LockstepReport {
        about: &about,
        outcome: &outcome.campaign,
        skipped: &outcome.skipped,
        out: &options.out,
        interrupted: interrupt::asked(),
        repeat: repeat.as_deref(),
    };
    let exit = show_page(&page, json);
    interrupt::hint();
    exit
}

/// Shows the page of a campaign in lockstep.
pub(super) fn show_page(page: &report::LockstepReport<'_>, json: Option<&Path>) -> anyhow::Result<Exit> {
    let all_skipped = page.skipped.len() == page.about.subjects.len();
    // Why none could be used has been said.
    let not_compared = if all_skipped { None } else { page.not_compared() };
    let exit = interrupt::exit(exit(page.outcome, all_skipped, not_compared.is_some()));
    super::print(&report::text(page, options::width(), options::color()))?;
    if let Some(path) = json {
        let mut report = report::json(page, exit.code());
        json::asked(&mut report, cpython::Asked::so_far());
        json::write(path, &report)?;
    }
    super::print_end(exit, page.repeat, not_compared.as_deref())?;
    Ok(exit)
}

/// What a comparison has reached.
fn reached(part: &ComparedTotals) -> Vec<(&'static str, u64)> {
    let sum = |of: &dyn Fn(&ComparedCounts) -> u64| part.tallies.iter().map(of).sum();
    let undefined = sum(&|t| t.undefined.iter().sum());
    vec![
        ("same", sum(&|t| t.same)),
        ("undefined", undefined),
        ("differ", sum(&|t| t.differ)),
        ("crashed", sum(&|t| t.crashed)),
        ("limited", sum(&|t| t.limited)),
        ("unstable", sum(&|t| t.unstable)),
    ]
}

fn plan(args: &Args, targets: &[Imitation]) -> anyhow::Result<ComparisonPlan> {
    let options = &args.options;
    let is_ambiguous =
        |target: &Imitation| options::is_ambiguous(&target.interpreter, targets.iter().map(|other| &other.interpreter));
    let option = |target: &Imitation| {
        let program = target.interpreter.program.to_string_lossy();
        let is_path = args.pythons.python.split(',').any(|entry| entry.trim() == program);
        let is_path = is_path || is_ambiguous(target);
        if is_path { program.into_owned() } else { target.interpreter.short() }
    };
    let collectors = targets.iter().map(|target| target.collector.clone()).collect();
    let target = |target: &Imitation| {
        let mut named = target.target(option(target));
        named.identity.name = campaign::name(target, targets);
        named
    };
    Ok(ComparisonPlan {
        draw: options.draw()?,
        targets: targets.iter().map(target).collect(),
        model: Arc::new(Rows::new(collectors)),
        sanitize: args.pythons.sanitize,
        budget: options.budget(),
        jobs: options.jobs()?,
        sample: SAMPLE,
        limits: options.limits(),
        tries: TRIES,
    })
}

fn exit(outcome: &CampaignOutcome<ComparedCounts, DifferenceKey>, all_skipped: bool, is_little: bool) -> Exit {
    let tallies = &outcome.part.tallies;
    if all_skipped {
        Exit::BadInput
    } else if tallies.iter().any(|t| t.unstable > 0) {
        Exit::Nondeterminism
    } else if tallies.iter().any(|t| t.differ + t.limited > 0) {
        Exit::Disagreement
    } else if tallies.iter().any(|t| t.crashed > 0) {
        Exit::Crash
    } else if is_little {
        Exit::NotCompared
    } else {
        Exit::Clean
    }
}
