//! `coroner shrink`: makes a scenario small that shows a violation.

use std::cell::Cell;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::options::Subjects;
use super::{Exit, input, interrupt, options};
use crate::campaign::{Examined, Examiner, Fatal, count_objects, write_atomically};
use crate::collector::Collector;
use crate::cpython::Limits;
use crate::invariant::{Class, Invariant};
use crate::report::{count, json, quoted, subject};
use crate::scenario::Scenario;
use crate::scenario::text::{Document, Field, FieldName};
use crate::shrink::{self, Budget, Claim, Minimized};

/// Make a scenario small that shows a violation, or that an interpreter dies of, as long as it shows the same
///
/// The result shows the same primary violation (invariant and class), or the same end, on every collector given; a
/// collector that shows none must go on to show none. What an interpreter shows is confirmed in a fresh process.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// A scenario file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Collectors, or interpreters (python:PATH) [default: the one the file names, if there is no --python]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    collector: Vec<String>,
    /// Interpreters: paths, versions (3.7, 3.7.16) or all
    #[arg(long, value_name = "P")]
    python: Option<String>,
    /// Where the result goes [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Stop after so many candidates
    #[arg(long, value_name = "N", default_value_t = Budget::default().tries)]
    tries: u64,
}

/// What a run shows: its primary violation, or an end that is worse.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sign {
    Violation(Invariant, Class),
    Fatal(Fatal),
}

type Shown = Option<Sign>;

fn shown(run: &Examined<'_>) -> Shown {
    let violation = || run.violations.first().map(|(v, _)| Sign::Violation(v.invariant, v.class));
    run.end.fatal().map(Sign::Fatal).or_else(violation)
}

/// Runs the command.
///
/// # Errors
/// If no collector shows a violation, or the result cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let Some(document) = input::document(&args.file) else { return Ok(Exit::BadInput) };
    let subjects = subjects(args, &document)?;
    let collectors = &subjects.0;
    let mut examiners = options::examiners(&subjects, &options::baseline()?);
    let all = |examiners: &mut [Examiner], scenario: &Scenario, differential| -> Vec<Shown> {
        examiners.iter_mut().map(|e| shown(&e.examine_fresh(scenario, differential))).collect()
    };
    let mut wanted = all(&mut examiners, &document.scenario, false);
    // Invariants that need several runs are judged only if nothing else is there to be kept.
    let differential = wanted.iter().all(Option::is_none);
    if differential {
        wanted = all(&mut examiners, &document.scenario, true);
    }
    if wanted.iter().all(Option::is_none) {
        bail!("{} shows no violation on {}", args.file.display(), names(collectors));
    }
    let hurried = wanted.contains(&Some(Sign::Fatal(Fatal::Limit)));
    if hurried {
        examiners.iter_mut().for_each(|e| e.set_limits(e.limits().hurried()));
    }
    let slow = Cell::new(0);
    let mut holds = |candidate: &Scenario| {
        let mut pairs = examiners.iter_mut().zip(&wanted);
        pairs.all(|(examiner, wanted)| {
            let shown = shown(&examiner.examine(candidate, differential));
            slow.set(slow.get() + u64::from(shown == Some(Sign::Fatal(Fatal::Limit))));
            shown == *wanted
        })
    };
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    bar.set_style(ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()));
    interrupt::watch();
    let mut progress = |p: &shrink::Progress<'_>| {
        if interrupt::asked() || slow.get() >= Limits::SLOW_CANDIDATES {
            p.stop();
        }
        if p.tries.is_multiple_of(64) {
            let size = p.best.ops().len();
            bar.set_message(format!("{} tries, {size} operations: {}", p.tries, p.reduction.name()));
            bar.tick();
        }
    };
    let mut minimized = shrink::minimize(&document.scenario, &mut holds, Budget { tries: args.tries }, &mut progress);
    bar.finish_and_clear();
    if hurried {
        examiners.iter_mut().for_each(|e| e.set_limits(Limits::default()));
    }
    // The smallest scenario may owe something to what the process had run before.
    if all(&mut examiners, &minimized.scenario, differential) != wanted {
        if all(&mut examiners, &document.scenario, differential) != wanted {
            bail!("{} does not show the same every time", args.file.display());
        }
        minimized = Minimized { scenario: document.scenario.clone(), minimal: false, ..minimized };
    }
    let objects = examiners.first_mut().map_or(0, |e| count_objects(e.examine(&minimized.scenario, false).events));
    let claim = minimized.claim();
    let text = result(&document, &minimized.scenario, collectors, &wanted, claim.clone()).print();
    match &args.output {
        Some(path) => {
            write_atomically(path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
            let before = document.scenario.ops().len();
            let after = minimized.scenario.ops().len();
            let objects = count(objects.into(), "object");
            super::print(&format!("{before} operations before, {after} after, {objects}; minimal: {claim}\n"))?;
            let file = quoted(&path.to_string_lossy());
            super::print(&format!("coroner replay {file} --collector {} --strict\n", names(collectors)))?;
        }
        None => super::print(&text)?,
    }
    if let Some(path) = json {
        let mut report = json::Report::new("shrink", Exit::Clean.code());
        report.result.insert("minimal".to_owned(), minimized.minimal.into());
        report.result.insert("tries".to_owned(), minimized.tries.into());
        report.result.insert("objects".to_owned(), objects.into());
        report.result.insert("operations".to_owned(), minimized.scenario.ops().len().into());
        report.result.insert("scenario".to_owned(), text.into());
        json::write(path, &report)?;
    }
    Ok(Exit::Clean)
}

fn subjects(args: &Args, document: &Document) -> anyhow::Result<Subjects> {
    if !args.collector.is_empty() || args.python.is_some() {
        return options::subjects_and_pythons(&args.collector, args.python.as_deref());
    }
    let name = input::collector(document).context("the file names no collector; give --collector or --python")?;
    options::subjects(&[name.to_owned()])
}

fn names(collectors: &[Collector]) -> String {
    let names: Vec<&str> = collectors.iter().map(|c| c.name.as_str()).collect();
    names.join(",")
}

/// The reduced scenario with the header of the original, brought up to date.
fn result(
    original: &Document,
    scenario: &Scenario,
    collectors: &[Collector],
    wanted: &[Shown],
    claim: Claim,
) -> Document {
    let mut document = Document::new(scenario);
    let kept = [FieldName::Bug, FieldName::Source, FieldName::Seed];
    document.fields = original.fields.iter().filter(|f| kept.contains(&f.name)).cloned().collect();
    let mut add = |name, text| document.fields.push(Field { name, text });
    let subjects: Vec<String> = collectors.iter().map(|c| subject(&c.name, c.verified)).collect();
    add(FieldName::Collector, subjects.join(", "));
    match wanted.iter().flatten().next() {
        Some(Sign::Violation(invariant, class)) => {
            add(FieldName::Invariant, format!("{} {} ({})", invariant.code(), invariant.name(), class.word()));
        }
        Some(Sign::Fatal(Fatal::Crash)) => add(FieldName::Note, "the interpreter dies".to_owned()),
        Some(Sign::Fatal(Fatal::Limit)) => add(FieldName::Note, "the interpreter reaches a limit".to_owned()),
        None => {}
    }
    add(FieldName::Minimal, claim.to_string());
    document
}
