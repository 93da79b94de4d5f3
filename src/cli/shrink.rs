//! `coroner shrink`: makes a scenario small that shows a violation.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Exit, input, interrupt, options};
use crate::campaign::{Examined, Examiner, count_objects, write_atomically};
use crate::collector::Collector;
use crate::invariant::{Class, Invariant};
use crate::report::{count, json, quoted, subject};
use crate::scenario::Scenario;
use crate::scenario::text::{Document, Field, FieldName};
use crate::shrink::{self, Budget, Claim};

/// Make a scenario small that shows a violation, as long as it shows the same
///
/// The result shows the same primary violation (invariant and class) on every collector given; a collector that
/// shows none must go on to show none.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// A scenario file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Collectors [default: the one the file names]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    collector: Vec<String>,
    /// Where the result goes [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Stop after so many candidates
    #[arg(long, value_name = "N", default_value_t = Budget::default().tries)]
    tries: u64,
}

/// The primary violation of a run.
type Shown = Option<(Invariant, Class)>;

fn shown(run: &Examined<'_>) -> Shown {
    run.violations.first().map(|(v, _)| (v.invariant, v.class))
}

/// Runs the command.
///
/// # Errors
/// If no collector shows a violation, or the result cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let Some(document) = input::document(&args.file) else { return Ok(Exit::BadInput) };
    let collectors = collectors(args, &document)?;
    let baseline = options::baseline()?;
    let mut examiners: Vec<Examiner> = collectors.iter().map(|c| Examiner::new(c, &baseline)).collect();
    let mut all = |differential| -> Vec<Shown> {
        examiners.iter_mut().map(|e| shown(&e.examine(&document.scenario, differential))).collect()
    };
    let mut wanted = all(false);
    // Invariants that need several runs are judged only if nothing else is there to be kept.
    let differential = wanted.iter().all(Option::is_none);
    if differential {
        wanted = all(true);
    }
    if wanted.iter().all(Option::is_none) {
        bail!("{} shows no violation on {}", args.file.display(), names(&collectors));
    }
    let mut holds = |candidate: &Scenario| {
        let mut pairs = examiners.iter_mut().zip(&wanted);
        pairs.all(|(examiner, wanted)| shown(&examiner.examine(candidate, differential)) == *wanted)
    };
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    bar.set_style(ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()));
    interrupt::watch();
    let mut progress = |p: &shrink::Progress<'_>| {
        if interrupt::asked() {
            p.stop();
        }
        if p.tries.is_multiple_of(64) {
            let size = p.best.ops().len();
            bar.set_message(format!("{} tries, {size} operations: {}", p.tries, p.reduction.name()));
            bar.tick();
        }
    };
    let minimized = shrink::minimize(&document.scenario, &mut holds, Budget { tries: args.tries }, &mut progress);
    bar.finish_and_clear();
    let objects = examiners.first_mut().map_or(0, |e| count_objects(e.examine(&minimized.scenario, false).events));
    let claim = minimized.claim();
    let text = result(&document, &minimized.scenario, &collectors, &wanted, claim.clone()).print();
    match &args.output {
        Some(path) => {
            write_atomically(path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
            let before = document.scenario.ops().len();
            let after = minimized.scenario.ops().len();
            let objects = count(objects.into(), "object");
            super::print(&format!("{before} operations before, {after} after, {objects}; minimal: {claim}\n"))?;
            let file = quoted(&path.to_string_lossy());
            super::print(&format!("coroner replay {file} --collector {} --strict\n", names(&collectors)))?;
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

fn collectors(args: &Args, document: &Document) -> anyhow::Result<Vec<Collector>> {
    if !args.collector.is_empty() {
        return options::collectors(&args.collector);
    }
    let name = input::collector(document).context("the file names no collector; give --collector")?;
    options::collectors(&[name.to_owned()])
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
    if let Some((invariant, class)) = wanted.iter().flatten().next() {
        add(FieldName::Invariant, format!("{} {} ({})", invariant.code(), invariant.name(), class.word()));
    }
    add(FieldName::Minimal, claim.to_string());
    document
}
