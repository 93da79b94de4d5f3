//! `coroner shrink`: makes a scenario small that shows a violation.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use indicatif::ProgressStyle;

use super::{Exit, input, interrupt, options};
use crate::findings::write_atomically;
use crate::invariant::Invariant;
use crate::lookup::Collectors;
use crate::regression::Goal;
use crate::report::{count, json, quoted, subject};
use crate::scenario::Scenario;
use crate::scenario::text::Document;
use crate::shrink::{self, Budget, Minimality, Minimized};

/// How often the best so far is written, if there is something new to write.
const SAVED: Duration = Duration::from_millis(500);
/// How often progress is shown.
const SHOWN: Duration = Duration::from_millis(100);

/// Make a scenario small that shows a violation, or that an interpreter dies of, as long as it shows the same
///
/// The result shows the same primary violation (invariant, class and phase; one that makes the run fail comes before
/// others; with --invariant the first violation of that one), or the same end, on every collector given; a collector that
/// shows none must go on to show none. Without a collector, the result has the outcome that the file expects. What an interpreter shows is confirmed in a fresh process.
/// The best so far is written twice a second, and when the command is interrupted.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// A scenario file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Collectors, or interpreters (python:PATH) [default: the one the file names, if there is no --python]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub collector: Vec<String>,
    /// Interpreters: paths, versions (3.7, 3.7.16, 3.14d) or all
    #[arg(long, value_name = "P")]
    pub python: Option<String>,
    /// Keep a violation of this invariant, whatever else is violated before it
    #[arg(long, value_name = "CODE", value_parser = options::invariant)]
    invariant: Option<Invariant>,
    /// Where the result goes [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Stop after so many candidates
    #[arg(long, value_name = "N", default_value_t = Budget::default().tries)]
    tries: u64,
    /// Stop after a time, such as 30s or 5m
    #[arg(long, value_name = "TIME", value_parser = options::duration)]
    time: Option<Duration>,
}

impl Args {
    /// As `coroner shrink FILE --collector NAME -o OUTPUT`.
    pub fn one(file: PathBuf, collector: String, output: PathBuf) -> Args {
        let (output, tries) = (Some(output), Budget::default().tries);
        Args { file, collector: vec![collector], python: None, invariant: None, output, tries, time: None }
    }
}

/// Runs the command.
///
/// # Errors
/// If no collector shows a violation, or the result cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let Some(document) = input::document(&args.file) else { return Ok(Exit::BadInput) };
    let mut goal = goal(args, &document)?;
    let mut minimized = search(args, &mut goal, &document)?;
    // The smallest scenario may owe something to what the process of an interpreter had run before.
    if !goal.is_confirmed(&minimized.scenario) {
        if !goal.is_confirmed(&document.scenario) {
            eprintln!("error: {} does not show the same every time", args.file.display());
            return Ok(Exit::Nondeterminism);
        }
        minimized = Minimized { scenario: document.scenario.clone(), minimal: false, ..minimized };
    }
    let objects = goal.objects(&minimized.scenario);
    let claim = minimized.claim();
    let text = reduced(&goal, &document, &minimized.scenario, &claim);
    match &args.output {
        Some(path) => {
            write(path, &text)?;
            let before = document.scenario.ops().len();
            let after = minimized.scenario.ops().len();
            let objects = count(objects.into(), "object");
            super::print(&format!("{before} operations before, {after} after, {objects}; minimal: {claim}\n"))?;
            super::print(&format!("coroner replay {}{}\n", quoted(&path.to_string_lossy()), replay_options(&goal)))?;
        }
        None => super::print(&text)?,
    }
    let exit = interrupt::exit(Exit::Clean);
    if let Some(path) = json {
        let mut report = json::JsonReport::new("shrink", exit.code());
        report.result.insert("minimal".to_owned(), minimized.minimal.into());
        report.result.insert("tries".to_owned(), minimized.tries.into());
        report.result.insert("objects".to_owned(), objects.into());
        report.result.insert("operations".to_owned(), minimized.scenario.ops().len().into());
        report.result.insert("scenario".to_owned(), text.into());
        json::write(path, &report)?;
    }
    Ok(exit)
}

/// What the arguments and the file mean: the subjects that they name, or the outcome that the file expects.
fn goal(args: &Args, document: &Document) -> anyhow::Result<Goal> {
    let subjects = if args.collector.is_empty() && args.python.is_none() {
        match input::collector(document) {
            Some(name) => options::subjects(&[name.to_owned()]).context("the file names its collector")?,
            None if document.expectations.is_empty() => {
                bail!("the file names no collector and expects nothing; give --collector or --python")
            }
            None if args.invariant.is_some() => {
                bail!("the outcome that the file expects is no single invariant; give --collector or --python")
            }
            None => return Ok(Goal::expected(document, &Collectors)?),
        }
    } else {
        options::subjects_and_pythons(&args.collector, args.python.as_deref())?
    };
    let examiners = options::examiners(&subjects, &options::baseline()?);
    let goal = Goal::shown(examiners, args.invariant, &document.scenario);
    goal.map_err(|nothing| anyhow::anyhow!("{} shows {nothing}", args.file.display()))
}

/// The file of a reduced scenario.
fn reduced(goal: &Goal, original: &Document, scenario: &Scenario, claim: &Minimality) -> String {
    goal.document(original, scenario, claim, &Collectors, subject).print()
}

/// The options with which `coroner replay` runs the result on the same subjects.
fn replay_options(goal: &Goal) -> String {
    let Some((names, target)) = goal.subjects() else { return String::new() };
    let invariant = target.map_or_else(String::new, |i| format!(" --invariant {}", i.code()));
    format!(" --collector {}{invariant} --strict", names.join(","))
}

/// Searches until nothing gets smaller, or the time is over, or somebody interrupts.
fn search(args: &Args, goal: &mut Goal, document: &Document) -> anyhow::Result<Minimized> {
    let bar = options::bar(None);
    bar.set_style(ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let start = Instant::now();
    let (mut shown, mut saved, mut unsaved, mut failed) = (start, start, false, None);
    interrupt::watch();
    let goal = std::cell::RefCell::new(goal);
    let mut holds = |candidate: &Scenario| goal.borrow_mut().holds(candidate);
    let mut progress = |p: &shrink::Progress<'_>| {
        let now = Instant::now();
        let over = args.time.is_some_and(|time| now - start >= time);
        if over || interrupt::asked() || goal.borrow().is_slow() {
            p.stop();
        }
        unsaved |= p.improved;
        if let (true, true, Some(path)) = (unsaved, now - saved >= SAVED, &args.output) {
            (unsaved, saved) = (false, now);
            let claim = Minimality::new(false, p.tries);
            if let Err(error) = write(path, &reduced(&goal.borrow(), document, p.best, &claim)) {
                failed = Some(error);
                p.stop();
            }
        }
        if now - shown >= SHOWN {
            shown = now;
            let size = p.best.ops().len();
            bar.set_message(format!("{} tries, {size} operations: {}", p.tries, p.reduction.name()));
            bar.tick();
        }
    };
    let minimized = shrink::minimize(&document.scenario, &mut holds, Budget { tries: args.tries }, &mut progress);
    bar.finish_and_clear();
    failed.map_or(Ok(minimized), Err)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    write_atomically(path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}
