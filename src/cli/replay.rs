//! `coroner replay`: runs scenario files again and compares with the outcome that each expects.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;

use super::against::Against;
use super::input::{self, Unreadable};
use super::junit::{JunitFile, Outcome, Suite};
use super::on_interpreters::{Replayer, counts, in_words, remark};
use super::{Exit, options};
use crate::campaign::{Examiner, JudgedTotals};
use crate::cpython::Interpreter;
use crate::event::MOST_KEPT;
use crate::findings::{Baseline, RunCounts, Verdict};
use crate::invariant::{Invariant, Violation};
use crate::lookup::{self, Collectors};
use crate::model::collector::Collector;
use crate::object_names::ObjectNames;
use crate::regression::{Case, Mismatch, Replayed, Runner};
use crate::report::text::run_counts::{self, Reasoned, Word};
use crate::report::{self, Style, json, quoted};
use crate::subject::End;
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
    #[command(flatten)]
    against: Against,
    /// Fail on every violation, of whatever class, known or not, that no file expects
    #[arg(long)]
    strict: bool,
    /// Look at violations of this invariant only; what files expect is not compared
    #[arg(long, value_name = "CODE", value_parser = options::invariant, conflicts_with_all = ["bless", "python"])]
    invariant: Option<Invariant>,
    /// Write what happens into the files as what they expect
    #[arg(long, conflicts_with_all = ["collector", "strict", "python"])]
    bless: bool,
    #[command(flatten)]
    junit: JunitFile,
}

/// Runs the command.
///
/// # Errors
/// If the arguments make no sense or a file cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    args.junit.check()?;
    if args.bless {
        return super::bless::run(&args.paths, json);
    }
    if let Some(list) = &args.python {
        return super::replay_python::run(&args.paths, list, &args.against, &args.junit, json);
    }
    if args.against.row().is_some() {
        bail!("--against names what the interpreters of --python are compared with");
    }
    let (chosen, interpreters) = match args.collector.as_slice() {
        [] => (None, BTreeMap::new()),
        names => options::subjects(names).map(|(chosen, interpreters)| (Some(chosen), interpreters))?,
    };
    let cases = input::runnable_all(&args.paths);
    let mut replay = Replay::new(chosen, interpreters, args.strict, args.invariant)?;
    for case in &cases {
        match case {
            Ok(case) => replay.case(case, cases.len() == 1),
            Err(unreadable) => replay.unreadable(unreadable),
        }
        super::print(&std::mem::take(&mut replay.out))?;
    }
    let not_compared = replay.not_compared();
    let exit = replay.exit(not_compared.is_some());
    super::print(&replay.summary(cases.len(), not_compared.is_some()))?;
    if let Some(path) = json {
        json::write(path, &replay.json(cases.len(), exit))?;
    }
    let files: Vec<String> = cases
        .iter()
        .map(|case| match case {
            Ok(case) => name(&case.path),
            Err(unreadable) => name(&unreadable.path),
        })
        .collect();
    args.junit.write("replay", || vec![replay.suite(&files)])?;
    super::print_end(exit, Some(&repeat(args)), not_compared.as_deref())?;
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
    /// What it does to the exit code.
    #[serde(skip)]
    exit: Exit,
}

/// The files that an interpreter ran and of whose row they expect something, with what came of each.
struct Column {
    replayer: Replayer,
    row: String,
    files: Vec<(String, Replayed)>,
}

impl Column {
    /// How often which outcome came.
    fn words(&self) -> String {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for (_, replayed) in &self.files {
            let word = if let Replayed::Unsupported(_) = replayed { "not run" } else { replayed.word() };
            *counts.entry(word).or_default() += 1;
        }
        match counts.is_empty() {
            true => "no file expects something".to_owned(),
            false => {
                counts.iter().map(|(word, n)| format!("{} {word}", report::grouped(*n))).collect::<Vec<_>>().join("; ")
            }
        }
    }
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
    /// Of the interpreters that a row covers, by their names.
    columns: BTreeMap<String, Column>,
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
        let mut columns = BTreeMap::new();
        for (name, interpreter) in &interpreters {
            let row = lookup::row_of(interpreter);
            let replayer = Replayer::new(interpreter, &row)?;
            columns.insert(name.clone(), Column { replayer, row: row.name, files: Vec::new() });
        }
        Ok(Replay {
            chosen,
            interpreters,
            strict,
            target,
            style: Style { color: options::color() },
            baseline: options::baseline()?,
            runner: Runner::new(&Collectors),
            examiners: Vec::new(),
            columns,
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
        eprintln!("{}\n", unreadable.render(options::error_color()));
        let (file, message) = (name(&unreadable.path), unreadable.message());
        self.failures.push(Failure { file, collector: None, message, exit: Exit::BadInput });
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
            if self.compare_interpreter(case, &collector.name, &file, alone) {
                continue;
            }
            let is_row = !self.interpreters.contains_key(&collector.name);
            let expected = is_row && expectations.iter().any(|e| is_of(&e.collector, collector));
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

    /// Compares the run of an interpreter with what the file expects of the row that covers it. False if there is
    /// nothing to compare: it is no interpreter, no row covers it, or the file expects nothing of the row.
    fn compare_interpreter(&mut self, case: &Case, name: &str, file: &str, alone: bool) -> bool {
        let Some(column) = self.columns.get_mut(name) else { return false };
        if !column.replayer.is_expected(&self.runner, &case.document) {
            return false;
        }
        self.outcomes += 1;
        let mut fail = |exit, message| {
            let collector = Some(name.to_owned());
            self.failures.push(Failure { file: file.to_owned(), collector, message, exit });
        };
        match column.replayer.replay(&mut self.runner, &case.document) {
            Ok(replayed) => {
                match remark(&replayed) {
                    Some((exit, message)) if exit != Exit::Clean => fail(exit, message),
                    _ if alone => self.out += &format!("- {name}: {}\n", in_words(&replayed)),
                    _ => {}
                }
                column.files.push((file.to_owned(), replayed));
            }
            Err(error) => fail(Exit::BadInput, error.to_string()),
        }
        true
    }

    /// Compares with what the file expects of the collectors that are run.
    fn compare(&mut self, case: &Case, file: &str) {
        let chosen = |name: &str| match &self.chosen {
            Some(chosen) => chosen.iter().any(|c| !self.interpreters.contains_key(&c.name) && is_of(name, c)),
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
                self.failures.push(Failure { file: file.to_owned(), collector, message, exit: Exit::Violation });
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
        let ended = match run.end {
            End::Crashed(death) => Some(format!("the interpreter died: {death}")),
            End::Undefined(reason, Some(death)) if show.is_some() => {
                self.out += &format!("- {subject}: dies: {death}; behaviour is undefined there ({reason:?})\n");
                None
            }
            End::Limit(limit) => Some(format!("the interpreter did not come to its end: {limit}")),
            End::Unsupported(what) if show == Some(true) => {
                self.out += &format!("- {subject}: not run: {what}\n");
                None
            }
            _ => None,
        };
        if let Some(message) = ended {
            let collector = Some(subject.clone());
            self.failures.push(Failure { file: file.to_owned(), collector, message, exit: Exit::Crash });
        }
        let target = self.target;
        let looked_at = |v: &&(Violation, Verdict)| target.is_none_or(|invariant| v.0.invariant == invariant);
        for (violation, verdict) in run.violations.iter().filter(looked_at) {
            let text = violation.describe(&|object| names.label(object));
            let fails = (*verdict == Verdict::New || self.strict) && !expected;
            if fails || violation.invariant == Invariant::I41 {
                let collector = Some(subject.clone());
                let exit = Exit::Violation;
                self.failures.push(Failure { file: file.to_owned(), collector, message: text, exit });
            } else if show.is_some() {
                self.out += &format!("{} {subject}: {text}\n", verdict.mark());
            }
        }
        if show == Some(true) && run.end == &End::Complete && !run.violations.iter().any(|v| looked_at(&v)) {
            let of = target.map_or_else(String::new, |invariant| format!(" of {invariant}"));
            self.out += &format!("- {subject}: no violations{of}\n");
        }
    }

    fn examiner_of(&self, name: &str) -> Option<usize> {
        self.examiners.iter().position(|e| e.declaration().name == name)
    }

    fn examiner(&mut self, collector: &Collector) -> usize {
        if let Some(index) = self.examiner_of(&collector.name) {
            return index;
        }
        let alone = std::slice::from_ref(collector);
        let subject = lookup::campaign_subjects(alone, &self.interpreters, Limits::default());
        self.examiners.push(subject.examiner(0, &self.baseline));
        self.part.tallies.push(crate::campaign::JudgedCounts::default());
        self.examiners.len() - 1
    }

    /// How the runs of each subject ended, and why some were not run.
    fn run_counts(&self) -> BTreeMap<&str, Reasoned<'_>> {
        let mut all: BTreeMap<&str, Reasoned<'_>> = BTreeMap::new();
        for (name, column) in self.columns.iter().filter(|(_, column)| !column.files.is_empty()) {
            all.insert(name, counts(column.files.iter().map(|(_, replayed)| replayed)));
        }
        for (examiner, tally) in self.examiners.iter().zip(&self.part.tallies) {
            let (counts, why) = all.entry(&examiner.declaration().name).or_default();
            counts.add(&tally.run_counts());
            why.extend(tally.unsupported.iter().map(|(what, number)| (what.as_str(), *number)));
        }
        all
    }

    /// How all runs ended.
    fn total(&self) -> RunCounts {
        self.run_counts().values().fold(RunCounts::default(), |mut all, (counts, _)| {
            all.add(counts);
            all
        })
    }

    /// Says on whom too little was judged, if it was. What a file has of undefined behaviour was meant to be there.
    fn not_compared(&self) -> Option<String> {
        run_counts::not_compared(self.run_counts().into_iter(), |runs| runs, Word::Judged)
    }

    fn exit(&self, is_little: bool) -> Exit {
        let failed = self.failures.iter().map(|failure| failure.exit).max().unwrap_or(Exit::Clean);
        let failed = if is_little { failed.max(Exit::NotCompared) } else { failed };
        if self.part.is_nondeterministic() { failed.max(Exit::Nondeterminism) } else { failed }
    }

    fn summary(&self, files: usize, is_little: bool) -> String {
        let runs = self.total().runs;
        let interpreters = self.columns.iter().filter(|(name, _)| self.examiner_of(name).is_none());
        let outcomes = report::count(self.outcomes as u64, "expected outcome");
        let mut text = format!(
            "{}, {outcomes} checked, {} on {}",
            report::count(files as u64, "file"),
            report::count(runs, "run"),
            report::count((self.examiners.len() + interpreters.count()) as u64, "collector"),
        );
        if self.failures.is_empty() {
            text += if is_little { ": nothing to complain about so far" } else { ": nothing to complain about" };
        } else {
            text += &format!(": {} failed", report::count(self.bad_files as u64, "file"));
            if self.unread > 0 {
                text += &format!(", {} could not be read", report::count(self.unread as u64, "file"));
            }
        }
        text += "\n";
        text += &format!("{}\n", run_counts::in_words(&self.total(), Word::Judged));
        for (name, column) in &self.columns {
            text += &format!("{name}, as {}: {}\n", column.row, column.words());
        }
        if self.long > 0 {
            let runs = report::count(self.long, "run");
            text += &format!(
                "{runs} of more than {} events: I18 and I38 were not judged\n",
                report::grouped(MOST_KEPT as u64)
            );
        }
        text
    }

    /// The files as cases.
    fn suite(&self, files: &[String]) -> Suite {
        let outcome = |file: &String| {
            let failed: Vec<&Failure> = self.failures.iter().filter(|failure| failure.file == *file).collect();
            let Some(first) = failed.first() else { return Outcome::Passed };
            let line = |failure: &&Failure| match &failure.collector {
                Some(collector) => format!("{collector}: {}", failure.message),
                None => failure.message.clone(),
            };
            let details = failed.iter().map(line).collect::<Vec<_>>().join("\n");
            Outcome::Failed { what: first.exit.meaning().to_owned(), message: first.message.clone(), details }
        };
        let cases = files.iter().map(|file| (file.clone(), outcome(file))).collect();
        Suite { name: "replay".to_owned(), cases }
    }

    fn json(&self, files: usize, exit: Exit) -> json::JsonReport {
        let mut result = json::JsonReport::new("replay", exit.code());
        result.digest = Some(format!("{:016x}", self.part.digest()));
        result.scenarios = Some(self.part.scenarios);
        result.counts = Some(json::JsonRunCounts::new(&self.total(), Word::Judged));
        result.reached = Some(self.part.reached());
        let collectors = self.examiners.iter().map(Examiner::declaration);
        result.subjects = Some(
            collectors.zip(&self.part.tallies).map(|(c, t)| json::JsonSubject::new(&c.name, c.verified, t)).collect(),
        );
        result.findings = Some(Vec::new());
        result.result.insert("files".to_owned(), files.into());
        result.result.insert("outcomes".to_owned(), self.outcomes.into());
        let columns = self.columns.iter().map(|(name, column)| {
            let files = column.files.iter().map(|(file, replayed)| (file.clone(), replayed.word().into()));
            let files = files.collect::<serde_json::Map<_, _>>();
            serde_json::json!({ "interpreter": name, "row": column.row, "files": files })
        });
        result.result.insert("interpreters".to_owned(), columns.collect());
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
