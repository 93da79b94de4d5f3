//! `coroner run`: a campaign over collectors of the model.

use std::path::Path;

use super::campaign::{Options, explain};
use super::campaign_pages::Pages;
use super::junit::{JunitFile, Outcome, Suite};
use super::monitor::Monitor;
use super::options::Subjects;
use super::{Exit, interrupt, options};
use crate::campaign::{self, CampaignPlan, Examined, JudgedOutcome, JudgedTotals, ViolationKey};
use crate::findings::{Finding, SubjectIdentity};
use crate::invariant::Invariant;
use crate::model::collector::Collector;
use crate::report::{json, text::campaign_report as report, text::campaign_report::Shown};
use crate::scenario::text::Document;
use crate::{cpython, lookup};

/// The share of scenarios that differential invariants judge: one in so many.
pub(super) const SAMPLE: u64 = 64;
/// Candidates that the reduction of one finding may try.
pub(super) const TRIES: u64 = 4_000;

/// Generate scenarios, run them on collectors, judge every run, reduce what is found
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    options: Options,
    /// Collectors: rows (cpython-3.7), variants (cpython-3.13.0+switch-name), interpreters (python:PATH) or all
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "all")]
    collector: Vec<String>,
    /// Fail on every violation, of whatever class, known or not
    #[arg(long)]
    strict: bool,
    /// Show what no text promises or allows, too: otherwise it is only counted
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    pages: Pages,
    #[command(flatten)]
    junit: JunitFile,
}

impl Default for Args {
    fn default() -> Args {
        Args {
            options: Options::default(),
            collector: vec!["all".to_owned()],
            strict: false,
            all: false,
            pages: Pages::default(),
            junit: JunitFile::default(),
        }
    }
}

impl Args {
    fn plan(&self, subjects: &Subjects) -> anyhow::Result<CampaignPlan> {
        let (collectors, interpreters) = subjects;
        Ok(CampaignPlan {
            draw: self.options.draw()?,
            subjects: lookup::campaign_subjects(collectors, interpreters, self.options.limits()),
            budget: self.options.budget(),
            jobs: self.options.jobs()?,
            sample: SAMPLE,
            baseline: options::baseline()?,
            tries: TRIES,
        })
    }
}

/// Runs the command.
///
/// # Errors
/// If the arguments make no sense or a file cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    args.pages.check()?;
    let subjects = options::subjects(&args.collector)?;
    let shown = Shown { strict: args.strict, all: args.all };
    let pages = |page: &report::CampaignReport<'_>| args.pages.write(page, &subjects);
    campaign(("run", &pages), &args.plan(&subjects)?, &subjects.0, &args.options, shown, (&args.junit, json))
}

/// What else is made of the report of a campaign.
pub(super) type Also<'a> = &'a dyn Fn(&report::CampaignReport<'_>) -> anyhow::Result<()>;

/// Runs a campaign of a command, keeps what it finds, shows its page and does with it what else the command does.
pub(super) fn campaign(
    (command, also): (&str, Also<'_>),
    plan: &CampaignPlan,
    collectors: &[Collector],
    options: &Options,
    shown: Shown,
    (junit, json): (&JunitFile, Option<&Path>),
) -> anyhow::Result<Exit> {
    junit.check()?;
    let strict = shown.strict;
    let regressions = options.regressions()?;
    let explain =
        |subject: usize, document: &Document, run: Option<&Examined<'_>>| explain(&collectors[subject], document, run);
    let run_options = options.run_options(strict, &regressions, &explain);
    let reached = |part: &JudgedTotals| part.reached().fields().collect();
    let mut monitor = Monitor::new(options, plan.budget, reached)?;
    let stop = interrupt::watch();
    let outcome = campaign::run_under(plan, command, run_options, stop, &mut |progress| monitor.show(progress))?;
    monitor.finish()?;
    let about = plan.about(command);
    let repeat = options.repeat(&about, outcome.scenarios, strict);
    let page = report::CampaignReport {
        about: &about,
        outcome: &outcome,
        baseline: &plan.baseline,
        out: &options.out,
        shown,
        interrupted: interrupt::asked(),
        repeat: repeat.as_deref(),
    };
    junit.write(command, || suites(&page))?;
    let exit = show(&page, json)?;
    also(&page)?;
    interrupt::hint();
    Ok(exit)
}

/// Each subject with the invariants, and with its ends, as cases: what sets the exit code has failed.
fn suites(page: &report::CampaignReport<'_>) -> Vec<Suite> {
    let report::CampaignReport { about, outcome, shown, out, .. } = page;
    let failed = |found: Option<&(ViolationKey, Finding)>| match found {
        None => Outcome::Passed,
        Some((_, record)) => Outcome::Failed {
            what: record.what.code.clone(),
            message: record.sentence.clone(),
            details: format!(
                "{}\nrepeat with: {}\n\n{}",
                JudgedOutcome::file(out, record).display(),
                record.repeat,
                record.reduced
            ),
        },
    };
    let suite = |(at, subject): (usize, &SubjectIdentity)| {
        let of_subject = |key: &ViolationKey| key.collector() == at;
        let tally = &outcome.part.tallies[at];
        let mut cases: Vec<(String, Outcome)> = Vec::new();
        for invariant in Invariant::ALL.iter().copied() {
            let counts = |(key, _): &&(ViolationKey, Finding)| {
                of_subject(key) && key.invariant() == Some(invariant) && key.counts(shown.strict)
            };
            let name = format!("{} {}", invariant.code(), invariant.name());
            cases.push((name, failed(page.violations().find(counts))));
        }
        let died = |(key, _): &&(ViolationKey, Finding)| of_subject(key) && key.is_crash(shown.strict);
        cases.push(("comes to its end".to_owned(), failed(page.crashes().find(died))));
        let runs = tally.run_counts();
        if runs.whole == 0 {
            let why = format!("none of {} was judged", crate::report::count(runs.runs, "run"));
            cases.iter_mut().filter(|case| matches!(case.1, Outcome::Passed)).for_each(|case| {
                case.1 = Outcome::Skipped(why.clone());
            });
        }
        Suite { name: subject.name.clone(), cases }
    };
    about.subjects.iter().enumerate().map(suite).collect()
}

/// Shows the page of a campaign.
pub(super) fn show(page: &report::CampaignReport<'_>, json: Option<&Path>) -> anyhow::Result<Exit> {
    let not_compared = page.not_compared();
    let exit = interrupt::exit(exit(page.outcome, page.shown.strict, not_compared.is_some()));
    super::print(&report::text(page, options::width(), options::color()))?;
    if let Some(path) = json {
        let mut report = json::campaign(page, exit.code());
        json::asked(&mut report, cpython::Asked::so_far());
        json::write(path, &report)?;
    }
    super::print_end(exit, page.repeat, not_compared.as_deref())?;
    Ok(exit)
}

fn exit(outcome: &JudgedOutcome, strict: bool, is_little: bool) -> Exit {
    let kinds = || outcome.part.kinds.keys();
    if outcome.part.is_nondeterministic() || outcome.unconfirmed > 0 {
        Exit::Nondeterminism
    } else if kinds().any(|key| key.is_crash(strict)) {
        Exit::Crash
    } else if kinds().any(|key| key.counts(strict)) {
        Exit::Violation
    } else if is_little {
        Exit::NotCompared
    } else {
        Exit::Clean
    }
}
