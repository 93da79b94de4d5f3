//! `coroner replay`: runs scenario files again and compares with the outcome that each expects.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use super::input::{self, Unreadable};
use super::{Exit, options};
use crate::campaign::{Examiner, JudgedTotals};
use crate::cpython::Interpreter;
use crate::event::MOST_KEPT;
use crate::findings::{Baseline, Verdict};
use crate::invariant::{Invariant, Violation};
use crate::lookup::{self, Collectors};
use crate::model::collector::Collector;
use crate::object_names::ObjectNames;
use crate::regression::{Case, Mismatch, Runner, bless_file};
use crate::report::{self, Style, json, quoted};
use crate::supervise::Limits;

/// Run scenario files again and compare with the outcomes they expect
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Files, or folders with files that end in .scn
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Run on these collectors instead of those that a file expects something of (all, if it expects nothing)
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    collector: Vec<String>,
    /// Run on real interpreters: paths, versions (3.7, 3.7.16, 3.14d) or all; what is expected is the outcome of the row
    #[arg(long, value_name = "P", conflicts_with = "collector")]
    python: Option<String>,
    /// Fail on every violation, of whatever class, known or not, that no file expects
    #[arg(long)]
    strict: bool,
    /// Look at violations of this invariant only; what files expect is not compared
    #[arg(long, value_name = "CODE", value_parser = options::invariant, conflicts_with_all = ["bless", "python"])]
    invariant: Option<Invariant>,
    /// Write what happens into the files as what they expect
    #[arg(long, conflicts_with_all = ["collector", "strict", "python"])]
    bless: bool,
}

/// Runs the command.
///
/// # Errors
/// If the arguments make no sense or a file cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    if args.bless {
        return bless(args, json);
    }
    if let Some(list) = &args.python {
        return super::replay_python::run(&args.paths, list, json);
    }
    let (chosen, interpreters) = match args.collector.as_slice() {
        [] => (None, BTreeMap::new()),
        names => options::subjects(names).map(|(chosen, interpreters)| (Some(chosen), interpreters))?,
    };
    let cases = input::read_all(&args.paths);
    let mut replay = Replay::new(chosen, interpreters, args.strict, args.invariant)?;
    for case in &cases {
        match case {
            Ok(case) => replay.case(case, cases.len() == 1),
            Err(unreadable) => replay.unreadable(unreadable),
        }
        super::print(&std::mem::take(&mut replay.out))?;
    }
    let exit = replay.exit();
    super::print(&replay.summary(cases.len()))?;
    if let Some(path) = json {
        json::write(path, &replay.json(cases.len(), exit))?;
    }
    if exit != Exit::Clean {
        super::print(&format!("\nrepeat with: {}\n", repeat(args)))?;
    }
    Ok(exit)
}

/// The command that does the same again.
fn repeat(args: &Args) -> String {
    let mut words = vec!["coroner".to_owned(), "replay".to_owned()];
    words.extend(args.paths.iter().map(|p| quoted(&p.to_string_lossy())));
    if !args.collector.is_empty() {
        words.push(format!("--collector {}", args.collector.join(",")));
    }
    if args.strict {
        words.push("--strict".to_owned());
    }
    if let Some(invariant) = args.invariant {
        words.push(format!("--invariant {}", invariant.code()));
    }
    words.join(" ")
}

/// One thing that is wrong.
#[derive(Debug, serde::Serialize)]
struct Failure {
    /// The name of the file, without its folder.
    file: String,
    /// The collector, if the failure is about one.
    collector: Option<String>,
    message: String,
}

struct Replay {
    chosen: Option<Vec<Collector>>,
    interpreters: BTreeMap<String, Interpreter>,
    strict: bool,
    /// The only invariant that is looked at.
    target: Option<Invariant>,
    style: Style,
    baseline: Baseline,
    runner: Runner<'static>,
    examiners: Vec<Examiner>,
    part: JudgedTotals,
    outcomes: usize,
    /// Runs with so many events that not every invariant was judged.
    long: u64,
    bad_files: usize,
    unread: usize,
    failures: Vec<Failure>,
    out: String,
}

impl Replay {
    fn new(
        chosen: Option<Vec<Collector>>,
        interpreters: BTreeMap<String, Interpreter>,
        strict: bool,
        target: Option<Invariant>,
    ) -> anyhow::Result<Replay> {
        Ok(Replay {
            chosen,
            interpreters,
            strict,
            target,
            style: Style { color: options::color() },
            baseline: options::baseline()?,
            runner: Runner::new(&Collectors),
            examiners: Vec::new(),
            part: JudgedTotals::new(0),
            outcomes: 0,
            long: 0,
            bad_files: 0,
            unread: 0,
            failures: Vec::new(),
            out: String::new(),
        })
    }

    fn unreadable(&mut self, unreadable: &Unreadable) {
        self.unread += 1;
        eprintln!("{}\n", unreadable.render(std::io::stderr().is_terminal()));
        self.failures.push(Failure { file: name(&unreadable.path), collector: None, message: unreadable.message() });
    }

    fn case(&mut self, case: &Case, alone: bool) {
        let expectations = &case.document.expectations;
        let collectors = match &self.chosen {
            Some(chosen) => chosen.clone(),
            // An expectation of a collector that does not exist is a mismatch, reported below.
            None if !expectations.is_empty() => {
                expectations.iter().filter_map(|e| Collector::parse(&e.collector).ok()).collect()
            }
            None => Collector::all(),
        };
        let before = self.failures.len();
        let file = name(&case.path);
        let none = Vec::new();
        let expectations = if self.target.is_some() { &none } else { expectations };
        if !expectations.is_empty() {
            self.compare(case, &file);
        }
        let silent = !alone && expectations.is_empty();
        for collector in &collectors {
            let expected = expectations.iter().any(|e| is_of(&e.collector, collector));
            self.judge(case, collector, expected, &file, if silent || expected { None } else { Some(alone) });
        }
        self.part.scenarios += 1;
        let failed = &self.failures[before..];
        if !failed.is_empty() {
            self.bad_files += 1;
            self.out += &format!("{} {}\n", self.style.bad("FAIL"), case.path.display());
            for (message, collectors) in grouped(failed) {
                self.out += &format!("    {message}\n");
                if !collectors.is_empty() {
                    self.out += &format!("        on {}\n", collectors.join(", "));
                }
            }
        }
    }

    /// Compares with what the file expects of the collectors that are run.
    fn compare(&mut self, case: &Case, file: &str) {
        let chosen = |name: &str| match &self.chosen {
            Some(chosen) => chosen.iter().any(|c| is_of(name, c)),
            None => true,
        };
        self.outcomes += case.document.expectations.iter().filter(|e| chosen(&e.collector)).count();
        for mismatch in self.runner.check(&case.document) {
            let collector = match &mismatch {
                // What a regression must state besides is the business of the test suite.
                Mismatch::Row(_) | Mismatch::Missing { .. } | Mismatch::Alike | Mismatch::NotAlike => continue,
                Mismatch::Digest { collector, .. }
                | Mismatch::NotViolated { collector, .. }
                | Mismatch::Violated { collector, .. }
                | Mismatch::Untrue { collector, .. }
                | Mismatch::Unstated { collector, .. } => Some(collector.clone()),
                Mismatch::Twice(_) | Mismatch::NotRun(_) | Mismatch::Collector(_) => None,
            };
            if collector.as_deref().is_none_or(&chosen) {
                let message = mismatch.to_string();
                self.failures.push(Failure { file: file.to_owned(), collector, message });
            }
        }
    }

    /// Judges a run. Violations count only where the file expects nothing; `show` says whether, and if so for a
    /// single file, violations are printed.
    fn judge(&mut self, case: &Case, collector: &Collector, expected: bool, file: &str, show: Option<bool>) {
        let index = self.examiner(collector);
        let scenario = &case.document.scenario;
        let run = self.examiners[index].examine(scenario, true);
        self.part.add(index, self.part.scenarios, &run);
        self.long += u64::from(run.is_long());
        let names = ObjectNames::new(&case.document.names, run.events);
        let subject = report::subject(&collector.name, collector.verified);
        let target = self.target;
        let looked_at = |v: &&(Violation, Verdict)| target.is_none_or(|invariant| v.0.invariant == invariant);
        for (violation, verdict) in run.violations.iter().filter(looked_at) {
            let text = violation.describe(&|object| names.label(object));
            let fails = (*verdict == Verdict::New || self.strict) && !expected;
            if fails || violation.invariant == Invariant::I41 {
                let collector = Some(subject.clone());
                self.failures.push(Failure { file: file.to_owned(), collector, message: text });
            } else if show.is_some() {
                self.out += &format!("{} {subject}: {text}\n", verdict.mark());
            }
        }
        if show == Some(true) && !run.violations.iter().any(|v| looked_at(&v)) {
            let of = target.map_or_else(String::new, |invariant| format!(" of {invariant}"));
            self.out += &format!("- {subject}: no violations{of}\n");
        }
    }

    fn examiner(&mut self, collector: &Collector) -> usize {
        if let Some(index) = self.examiners.iter().position(|e| e.declaration().name == collector.name) {
            return index;
        }
        let alone = std::slice::from_ref(collector);
        let subject = lookup::campaign_subjects(alone, &self.interpreters, Limits::default());
        self.examiners.push(subject.examiner(0, &self.baseline));
        self.part.tallies.push(crate::campaign::JudgedCounts::default());
        self.examiners.len() - 1
    }

    fn exit(&self) -> Exit {
        if self.unread > 0 {
            Exit::BadInput
        } else if self.part.is_nondeterministic() {
            Exit::Nondeterminism
        } else if !self.failures.is_empty() {
            Exit::Violation
        } else {
            Exit::Clean
        }
    }

    fn summary(&self, files: usize) -> String {
        let runs: u64 = self.part.reached().runs;
        let outcomes = report::count(self.outcomes as u64, "expected outcome");
        let mut text = format!(
            "{}, {outcomes} checked, {} on {}",
            report::count(files as u64, "file"),
            report::count(runs, "run"),
            report::count(self.examiners.len() as u64, "collector"),
        );
        if self.failures.is_empty() {
            text += ": nothing to complain about";
        } else {
            text += &format!(": {} failed", report::count(self.bad_files as u64, "file"));
            if self.unread > 0 {
                text += &format!(", {} could not be read", report::count(self.unread as u64, "file"));
            }
        }
        text += "\n";
        if self.long > 0 {
            let runs = report::count(self.long, "run");
            text += &format!(
                "{runs} of more than {} events: I18 and I38 were not judged\n",
                report::grouped(MOST_KEPT as u64)
            );
        }
        text
    }

    fn json(&self, files: usize, exit: Exit) -> json::JsonReport {
        let mut result = json::JsonReport::new("replay", exit.code());
        result.digest = Some(format!("{:016x}", self.part.digest()));
        result.scenarios = Some(self.part.scenarios);
        result.reached = Some(self.part.reached());
        let collectors = self.examiners.iter().map(Examiner::declaration);
        result.subjects = Some(
            collectors.zip(&self.part.tallies).map(|(c, t)| json::JsonSubject::new(&c.name, c.verified, t)).collect(),
        );
        result.findings = Some(Vec::new());
        result.result.insert("files".to_owned(), files.into());
        result.result.insert("outcomes".to_owned(), self.outcomes.into());
        // A list of strings and numbers always has a JSON form.
        result.result.insert("failures".to_owned(), serde_json::to_value(&self.failures).unwrap_or_default());
        result
    }
}

/// True if an expectation's name means this collector.
fn is_of(name: &str, collector: &Collector) -> bool {
    Collector::parse(name).is_ok_and(|c| (c.release, c.rules) == (collector.release, collector.rules))
}

/// Failures with the same message, and the collectors that show it.
fn grouped(failures: &[Failure]) -> Vec<(&str, Vec<&str>)> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for failure in failures {
        let index = groups.iter().position(|(message, _)| *message == failure.message).unwrap_or_else(|| {
            groups.push((&failure.message, Vec::new()));
            groups.len() - 1
        });
        let collectors = &mut groups[index].1;
        match failure.collector.as_deref() {
            // A mismatch names its collector itself.
            Some(name) if !failure.message.starts_with(name) && !collectors.contains(&name) => collectors.push(name),
            _ => {}
        }
    }
    groups
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.to_string_lossy().into_owned(), |n| n.to_string_lossy().into_owned())
}

fn bless(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let (mut files, mut changed, mut failed) = (0u64, 0u64, 0u64);
    for blessed in args.paths.iter().flat_map(|path| bless_file(path, &Collectors)) {
        files += 1;
        match blessed {
            Ok(blessed) if blessed.changed => {
                changed += 1;
                super::print(&format!("changed {}\n", blessed.path.display()))?;
            }
            Ok(_) => {}
            Err(error) => {
                failed += 1;
                eprintln!("error: {error}");
            }
        }
    }
    super::print(&format!("{}, {changed} changed\n", report::count(files, "file")))?;
    let exit = if failed == 0 { Exit::Clean } else { Exit::BadInput };
    if let Some(path) = json {
        let mut result = json::JsonReport::new("replay", exit.code());
        result.result.insert("files".to_owned(), files.into());
        result.result.insert("changed".to_owned(), changed.into());
        json::write(path, &result)?;
    }
    Ok(exit)
}
