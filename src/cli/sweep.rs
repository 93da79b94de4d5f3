//! `coroner sweep`: a collection at every point of a scenario.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Exit, input, options};
use crate::campaign::Examined;
use crate::diagnose::sweeps::{Point, Sweep};
use crate::findings::Verdict;
use crate::invariant::Invariant;
use crate::report::{count, json as report, quoted, subject};
use crate::scenario::Scenario;
use crate::scenario::text::{Document, print_op};
use crate::subject::End;

/// Collect at every point of a scenario, and show what becomes of it
///
/// Points are the places between the operations of the mutator and of every script. Fails if a collection at one of
/// them, or none, makes a collector break an invariant by its own fault.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// A scenario file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Collect at every pair of points
    #[arg(long)]
    pairs: bool,
    /// The generation to collect
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=2))]
    generation: u8,
    /// Collectors: rows, variants, interpreters (python:PATH) or all [default: all, if there is no --python]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    collector: Vec<String>,
    /// Interpreters: paths, versions (3.7, 3.7.16, 3.14d) or all
    #[arg(long, value_name = "P")]
    python: Option<String>,
    /// Fail on every violation, of whatever class, known or not
    #[arg(long)]
    strict: bool,
}

/// What becomes of a run, as far as a sweep tells.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Outcome {
    created: u64,
    freed: u64,
    undefined: bool,
    /// How an interpreter ended instead of with the last event.
    end: Option<String>,
    fatal: bool,
    violations: BTreeSet<(Verdict, Invariant)>,
}

impl Outcome {
    fn of(run: &Examined<'_>) -> Outcome {
        Outcome {
            created: run.reached.objects,
            freed: run.reached.freed,
            undefined: run.reached.undefined > 0,
            end: match run.end {
                End::Crashed(death) => Some(format!("the interpreter died: {death}")),
                End::Limit(limit) => Some(format!("limit reached: {limit}")),
                End::Unsupported(what) => Some(format!("not run: {what}")),
                End::Complete | End::Undefined(..) | End::Teardown => None,
            },
            fatal: run.end.fatal().is_some(),
            violations: run.violations.iter().map(|(v, verdict)| (*verdict, v.invariant)).collect(),
        }
    }

    fn fails(&self, strict: bool) -> bool {
        self.fatal || self.violations.iter().any(|(verdict, _)| strict || *verdict == Verdict::New)
    }

    fn words(&self) -> Vec<String> {
        let word =
            |(verdict, invariant): &(Verdict, Invariant)| format!("{}:{}", invariant.code(), verdict.class().word());
        self.violations.iter().map(word).collect()
    }

    fn text(&self) -> String {
        let mut text = format!("{} of {} freed", self.freed, count(self.created, "object"));
        if self.undefined {
            text += ", undefined behaviour";
        }
        for word in self.words().iter().chain(&self.end) {
            let _ = write!(text, ", {word}");
        }
        text
    }
}

/// Runs the command.
///
/// # Errors
/// If a collector does not exist or the result cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let Some(document) = input::document(&args.file) else { return Ok(Exit::BadInput) };
    let given = match (&args.collector[..], &args.python) {
        ([], None) => &["all".to_owned()],
        (names, _) => names,
    };
    let subjects = options::subjects_and_pythons(given, args.python.as_deref())?;
    let mut examiners = options::examiners(&subjects, &options::baseline()?);
    let sweep = || match args.pairs {
        true => Sweep::pairs(&document.scenario, args.generation),
        false => Sweep::new(&document.scenario, args.generation),
    };
    let total = sweep().total();
    let bar = options::bar(Some((total * examiners.len()) as u64));
    let (mut failed, mut fatal, mut subjects) = (false, false, Vec::new());
    // Who does the same, and what it is.
    let mut blocks: Vec<(Vec<String>, String)> = Vec::new();
    for examiner in &mut examiners {
        let collector = examiner.declaration().clone();
        let mut look = |scenario: &Scenario| {
            let outcome = Outcome::of(&examiner.examine(scenario, false));
            match examiner.is_process() && outcome.fails(args.strict) {
                true => Outcome::of(&examiner.examine_fresh(scenario, false)),
                false => outcome,
            }
        };
        let plain = look(&document.scenario);
        failed |= plain.fails(args.strict);
        fatal |= plain.fatal;
        let mut text = String::new();
        let _ = writeln!(text, "    without: {}", plain.text());
        let (mut different, mut points) = (0, Vec::new());
        for swept in sweep() {
            let outcome = look(&swept.scenario);
            bar.inc(1);
            failed |= outcome.fails(args.strict);
            fatal |= outcome.fatal;
            let at = [Some(swept.first), swept.second].into_iter().flatten();
            let names: Vec<String> = at.map(|point| name(&document, point)).collect();
            if outcome != plain {
                different += 1;
                let _ = writeln!(text, "    {}: {}", names.join(" and "), outcome.text());
            }
            points.push(json!({
                "points": names,
                "created": outcome.created,
                "freed": outcome.freed,
                "undefined": outcome.undefined,
                "violations": outcome.words(),
                "end": outcome.end,
            }));
        }
        let what = if args.pairs { "pair" } else { "point" };
        let _ = writeln!(text, "    {different} of {} make a difference", count(total as u64, what));
        let name = subject(&collector.name, collector.verified);
        match blocks.iter_mut().find(|(_, same)| *same == text) {
            Some((names, _)) => names.push(name),
            None => blocks.push((vec![name], text)),
        }
        subjects.push(json!({
            "name": collector.name,
            "verified": collector.verified,
            "without": { "created": plain.created, "freed": plain.freed, "violations": plain.words() },
            "points": points,
        }));
    }
    bar.finish_and_clear();
    let blocks = blocks.iter().map(|(names, text)| format!("{}\n{text}", names.join(", ")));
    super::print(&blocks.collect::<String>())?;
    let exit = match (fatal, failed) {
        (true, _) => Exit::Crash,
        (false, true) => Exit::Violation,
        (false, false) => Exit::Clean,
    };
    let repeat = repeat(args);
    if let Some(path) = json {
        let mut page = report::JsonReport::new("sweep", exit.code());
        page.scenarios = Some(total as u64);
        page.repeat = Some(repeat.clone());
        page.result.insert("subjects".to_owned(), subjects.into());
        report::write(path, &page)?;
    }
    if exit != Exit::Clean {
        super::print(&format!("\nrepeat with: {repeat}\n"))?;
    }
    Ok(exit)
}

/// Where a point is: in which body, and before which operation.
fn name(document: &Document, point: Point) -> String {
    let body = match point.body.checked_sub(1) {
        None => String::new(),
        Some(script) => format!("{} ", document.names.script(script as u8)),
    };
    let ops = if point.body < document.scenario.bodies() { document.scenario.body(point.body) } else { &[] };
    match ops.get(point.position) {
        Some(op) => format!("{body}{}, before `{}`", point.position, print_op(op, &document.names)),
        None => format!("{body}{}, at the end", point.position),
    }
}

fn repeat(args: &Args) -> String {
    let mut command = format!("coroner sweep {}", quoted(&args.file.to_string_lossy()));
    if args.pairs {
        command += " --pairs";
    }
    if args.generation != 2 {
        command += &format!(" --generation {}", args.generation);
    }
    if !args.collector.is_empty() {
        command += &format!(" --collector {}", args.collector.join(","));
    }
    if let Some(list) = &args.python {
        command += &format!(" --python {}", quoted(list));
    }
    if args.strict {
        command += " --strict";
    }
    command
}
