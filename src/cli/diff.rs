//! `coroner diff`: the model against real interpreters, in lockstep, or two collectors of the model for their users.

use std::path::Path;
use std::sync::Arc;

use super::against::Against;
use super::campaign::{self, Options, explain};
use super::design::Design;
use super::monitor::Monitor;
use super::{Exit, interrupt, options};
use crate::campaign::{CampaignOutcome, Examined, Progress};
use crate::cpython;
use crate::diagnose::{self, Causes};
use crate::lockstep::{self, ComparedCounts, ComparedTotals, ComparisonOutcome, ComparisonPlan, DifferenceKey};
use crate::lookup::Imitation;
use crate::model::collector::Collector;
use crate::model::rows::Rows;
use crate::report::json;
use crate::report::text::lockstep_report as report;
use crate::scenario::Scenario;
use crate::scenario::text::{self, Document};

/// The share of scenarios that are run in a fresh process too: one in so many.
const SAMPLE: u64 = 1024;
/// Candidates that the reduction of one difference may try.
const TRIES: u64 = 4_000;

/// Run scenarios on the model and on real interpreters, and compare event by event
///
/// With --collector and --against, two collectors of the model are compared instead: what users would notice of a change of
/// rule, before it is made.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Interpreters: paths, versions (3.7, 3.7.16, 3.14d) or all
    #[arg(long, value_name = "P", required_unless_present = "collector")]
    python: Option<String>,
    /// Build the probe with the sanitizers of gcc (address, undefined): what they report is a crash
    #[arg(long)]
    sanitize: bool,
    /// A collector of the model instead: what users notice of it where the one of --against was
    #[arg(
        long, value_name = "NAME", requires = "row",
        conflicts_with_all = ["python", "sanitize", "resume", "shard", "findings", "checkpoint", "metrics", "known", "limit"],
    )]
    collector: Option<String>,
    #[command(flatten)]
    against: Against,
    #[command(flatten)]
    options: Options,
}

impl Args {
    /// The interpreters; the parser has seen to it that they are named.
    fn python(&self) -> &str {
        self.python.as_deref().unwrap_or_default()
    }
}

/// Runs the command.
///
/// # Errors
/// If the arguments make no sense or a file cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    if let (Some(name), Some(old)) = (&args.collector, args.against.row()) {
        return design(args, name, old, json);
    }
    let mut targets = campaign::targets(args.python(), args.against.row())?;
    targets.iter_mut().for_each(|target| target.interpreter.sanitized = args.sanitize);
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
    let causes = causes(&outcome, &plan, &targets);
    let page = report::LockstepReport {
        about: &about,
        outcome: &outcome.campaign,
        skipped: &outcome.skipped,
        out: &options.out,
        interrupted: interrupt::asked(),
        repeat: repeat.as_deref(),
        causes: &causes,
    };
    let exit = show_page(&page, json);
    interrupt::hint();
    exit
}

/// Compares two collectors of the model.
fn design(args: &Args, name: &str, old: &Collector, json: Option<&Path>) -> anyhow::Result<Exit> {
    let options = &args.options;
    let design = Design::new(name, old, options.jobs()?, Some(options.out.clone()))?;
    let draw = options.draw()?;
    let mut repeat = format!("coroner diff --collector {} --against {}", design.new.name, design.old.name);
    let standard = Options::default();
    if draw.seed != standard.seed {
        repeat += &format!(" --seed {}", draw.seed);
    }
    if options.profile != standard.profile {
        repeat += &format!(" --profile {}", draw.profile_names());
    }
    if draw.size != standard.size {
        repeat += &format!(" --size {}", draw.size.word());
    }
    design.diff(&draw, options.budget(), &repeat, json)
}

/// What explains the reduced differences of each target that has any.
fn causes(outcome: &ComparisonOutcome, plan: &ComparisonPlan, targets: &[Imitation]) -> Vec<(usize, Causes)> {
    let mut found = Vec::new();
    for (at, target) in targets.iter().enumerate() {
        let reduced = outcome.campaign.findings.iter().filter(|(key, _)| key.target == at);
        let scenarios: Vec<Scenario> = reduced
            .filter_map(|(_, record)| text::parse(&record.reduced).ok())
            .map(|document| document.scenario)
            .collect();
        if scenarios.is_empty() || interrupt::asked() {
            continue;
        }
        match diagnose::real_runs(&plan.targets[at], &scenarios, plan.limits) {
            Ok(runs) => found.push((at, diagnose::causes(&target.collector, &runs))),
            Err(error) => eprintln!("not explained: {error}"),
        }
    }
    // What a fresh process does not show again has no cause.
    found.retain(|(_, causes)| causes.differences > 0);
    found
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
    let option = |target: &Imitation| {
        let program = target.interpreter.program.to_string_lossy();
        let is_path = args.python().split(',').any(|entry| entry.trim() == program);
        if is_path { program.into_owned() } else { target.interpreter.option() }
    };
    let collectors = targets.iter().map(|target| target.collector.clone()).collect();
    Ok(ComparisonPlan {
        draw: options.draw()?,
        targets: targets.iter().map(|target| target.target(option(target))).collect(),
        model: Arc::new(Rows::new(collectors)),
        sanitize: args.sanitize,
        against: args.against.name(),
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
