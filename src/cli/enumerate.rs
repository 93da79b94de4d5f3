//! `coroner enumerate`: every scenario of a small scope.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use serde_json::json;

use super::against::Against;
use super::design::Design;
use super::{Exit, interrupt, options};
use crate::campaign::{CampaignSubjects, Examiner};
use crate::campaign::{Failure, Key, ScopeCounts, ScopeVerdicts};
use crate::enumerate::{Enumeration, MAX_OBJECTS, Scope};
use crate::findings::{RunCounts, Verdict, write_atomically};
use crate::lookup;
use crate::supervise::Limits;

use crate::invariant::{Class, Invariant};
use crate::model::collector::Collector;
use crate::report::text::run_counts::{self, Word};
use crate::report::{count, grouped, json as report, quoted, subject};
use crate::scenario::Scenario;
use crate::scenario::text::{Document, Field, FieldName};
use crate::shrink::{self, Budget};

/// Candidates that the reduction of one example may try.
const TRIES: u64 = 4_000;

/// Scenarios between two looks at the clock.
const STEP: u64 = 1024;
/// How often the counts so far are written to the folder.
const SAVED: Duration = Duration::from_secs(3);
/// The file of the folder that holds them.
const STATE: &str = "enumeration.json";

/// Run every scenario of a small scope on every collector
///
/// The scope is described in the documentation of the module `enumerate`. With --out, counts are kept in the folder
/// every few seconds, and --resume goes on from there. Fails if a collector breaks an invariant by its own fault and the baseline does not know it.
///
/// With --against, users' view of two collectors of the model is compared instead: whether a change of rule can be noticed.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Highest number of objects: 1 to 3
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_OBJECTS)))]
    objects: u8,
    /// Highest number of decorations: finalizers, weak references, types that take part incompletely
    #[arg(long, value_name = "D", default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=3))]
    decorations: u8,
    /// Collectors: rows, variants or all
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "all")]
    collector: Vec<String>,
    /// Folder for the counts so far and for reduced examples, one of each kind of violation
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with the counts that the folder of --out holds
    #[arg(long, requires = "out", conflicts_with = "from")]
    resume: bool,
    /// Begin at this index
    #[arg(long, value_name = "INDEX", default_value_t = 0)]
    from: u64,
    /// Stop after N scenarios
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Fail on every violation, of whatever class, known or not
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    against: Against,
}

impl Args {
    fn repeat(&self, from: u64) -> String {
        let mut command = format!("coroner enumerate --objects {}", self.objects);
        if self.decorations != 3 {
            command += &format!(" --decorations {}", self.decorations);
        }
        if self.collector != ["all"] {
            command += &format!(" --collector {}", self.collector.join(","));
        }
        if let Some(folder) = &self.out {
            command += &format!(" --out {}", quoted(&folder.to_string_lossy()));
        }
        if from != 0 {
            command += &format!(" --from {from}");
        }
        if let Some(limit) = self.limit {
            command += &format!(" --limit {limit}");
        }
        if self.strict {
            command += " --strict";
        }
        command += &self.against.option();
        command
    }
}

/// Runs the command.
///
/// # Errors
/// If the arguments make no sense or a file cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    if let Some(old) = args.against.row() {
        return design(args, old, json);
    }
    let subjects = options::subjects(&args.collector)?;
    let collectors = &subjects.0;
    let members = lookup::campaign_subjects(collectors, &subjects.1, Limits::default());
    let baseline = options::baseline()?;
    let mut groups = members.examiners(&baseline);
    let scope = Scope { decorations: args.decorations, ..Scope::new(args.objects) };
    let mut all = Enumeration::new(scope);
    let end = all.end();
    if args.from > end {
        bail!("--from must be at most {end}, the end of this scope");
    }
    let file = args.out.as_ref().map(|folder| folder.join(STATE));
    let mut survey = match &file {
        Some(file) if args.resume && file.exists() => resumed(file, scope, collectors)?,
        _ => ScopeCounts::new(scope, collectors.iter().map(|c| c.name.clone()).collect(), args.from),
    };
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let save = |survey: &ScopeCounts| match &file {
        Some(file) => write_atomically(file, survey.store().as_bytes())
            .with_context(|| format!("cannot write {}", file.display())),
        None => Ok(()),
    };
    let bar = options::bar(Some(end));
    let most = args.limit.unwrap_or(u64::MAX);
    let (mut done, mut saved) = (0, None);
    interrupt::watch();
    while done < most && !interrupt::asked() {
        let step = STEP.min(most - done);
        done += step;
        if !survey.advance(&mut all, &mut groups, step) {
            break;
        }
        bar.set_position(survey.position);
        if saved.is_none_or(|at: Instant| at.elapsed() >= SAVED) {
            save(&survey)?;
            saved = Some(Instant::now());
        }
    }
    bar.finish_and_clear();
    save(&survey)?;
    let failed = survey.found.keys().any(|(_, verdict, _)| args.strict || *verdict == Verdict::New);
    let fatal = survey.failed.keys().any(|(_, failure)| failure.is_fatal());
    let not_compared = not_compared(&survey);
    let exit = interrupt::exit(match (fatal, failed, &not_compared) {
        (true, ..) => Exit::Crash,
        (false, true, _) => Exit::Violation,
        (false, false, Some(_)) => Exit::NotCompared,
        (false, false, None) => Exit::Clean,
    });
    super::print(&text(&survey, collectors, args, end))?;
    let files = match &args.out {
        Some(folder) => examples(&survey, &mut all, &members, folder)?,
        None => Vec::new(),
    };
    let repeat = args.repeat(args.from);
    if let Some(path) = json {
        let mut page = report::JsonReport::new("enumerate", exit.code());
        page.scenarios = Some(survey.scenarios);
        page.counts = Some(report::JsonRunCounts::new(&run_counts(&survey), Word::Judged));
        page.repeat = Some(repeat.clone());
        page.result.insert("violations".to_owned(), survey.found.iter().map(|(k, c)| value(&survey, k, c)).collect());
        let failure = |((at, failure), of): (&(usize, Failure), &ScopeVerdicts)| {
            json!({
                "subject": survey.collectors[*at],
                "failure": failure.word(),
                "scenarios": of.scenarios,
                "first": of.first,
            })
        };
        let failed = survey.failed.iter().filter(|((_, failure), _)| *failure != Failure::Undefined);
        page.result.insert("failed".to_owned(), failed.map(failure).collect());
        page.result.insert("position".to_owned(), survey.position.into());
        page.result.insert("end".to_owned(), end.into());
        page.result.insert("judged".to_owned(), survey.judged.into());
        page.timing.insert("files".to_owned(), files.into());
        report::write(path, &page)?;
    }
    super::print_end(exit, Some(&repeat), not_compared.as_deref())?;
    Ok(exit)
}

/// Compares two collectors of the model.
fn design(args: &Args, old: &Collector, json: Option<&Path>) -> anyhow::Result<Exit> {
    if args.resume || args.strict {
        bail!("--resume and --strict go with violations, and --against with what users notice");
    }
    let [name] = &args.collector[..] else { bail!("--against compares two collectors: name one with --collector") };
    let jobs = std::thread::available_parallelism().map_or(1, |n| n.get());
    let design = Design::new(name, old, jobs, args.out.clone())?;
    let scope = Scope { decorations: args.decorations, ..Scope::new(args.objects) };
    design.enumerate(scope, (args.from, args.limit.unwrap_or(u64::MAX)), &args.repeat(args.from), json)
}

/// How all runs ended.
fn run_counts(survey: &ScopeCounts) -> RunCounts {
    (0..survey.collectors.len()).fold(RunCounts::default(), |mut all, at| {
        all.add(&survey.run_counts(at));
        all
    })
}

/// Says on which collectors too little was judged, if it was. A scope has undefined behaviour on purpose.
fn not_compared(survey: &ScopeCounts) -> Option<String> {
    let subjects = survey.collectors.iter().enumerate();
    let subjects = subjects.map(|(at, name)| (name.as_str(), (survey.run_counts(at), Vec::new())));
    run_counts::not_compared(subjects, |runs| runs, Word::Judged)
}

/// The survey that a folder holds.
fn resumed(file: &Path, scope: Scope, collectors: &[Collector]) -> anyhow::Result<ScopeCounts> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let survey = ScopeCounts::load(&text).map_err(|why| anyhow!("{}: {why}", file.display()))?;
    let names = collectors.iter().map(|c| &c.name);
    if survey.scope != scope || !survey.collectors.iter().eq(names) {
        bail!("{} is about another scope or other collectors", file.display());
    }
    Ok(survey)
}

/// The page: what was run, who is at fault nowhere, and what is broken where.
fn text(survey: &ScopeCounts, collectors: &[Collector], args: &Args, end: u64) -> String {
    let Scope { objects, edges, decorations } = survey.scope;
    let mut text = format!(
        "{} of at most {}, {} and {}, on {}\n",
        count(survey.scenarios, "scenario"),
        count(objects.into(), "object"),
        count(edges.into(), "edge"),
        count(decorations.into(), "decoration"),
        count(collectors.len() as u64, "collector"),
    );
    if survey.position >= end && survey.from == 0 {
        text += "These are all there are.\n";
    } else if survey.position >= end {
        text += "Nothing is left of this scope.\n";
    } else {
        let _ = writeln!(text, "stopped at {} of {}: go on with", grouped(survey.position), grouped(end));
        let _ = writeln!(text, "    {}", args.repeat(survey.position));
    }
    let at_fault = |at: usize| {
        let broken = |(of, verdict, _): &Key| *of == at && verdict.class() == Class::Collector;
        survey.found.keys().any(broken)
            || survey.failed.keys().any(|(of, failure)| *of == at && *failure != Failure::Undefined)
    };
    let holds: Vec<String> = collectors
        .iter()
        .enumerate()
        .filter(|(at, _)| !at_fault(*at))
        .map(|(_, c)| subject(&c.name, c.verified))
        .collect();
    let list = if holds.is_empty() { "no collector".to_owned() } else { holds.join(", ") };
    let _ = writeln!(text, "\nNo collector violation on: {list}");
    let mut kinds: Vec<(Verdict, Invariant)> = survey.found.keys().map(|(_, v, i)| (*v, *i)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    if !kinds.is_empty() {
        text += "\n| invariant | class | scenarios |\n| --- | --- | --- |\n";
    }
    for (verdict, invariant) in kinds {
        let counts = (0..collectors.len()).map(|at| survey.found.get(&(at, verdict, invariant)).map(|c| c.scenarios));
        let counts: Vec<Option<u64>> = counts.collect();
        let _ = writeln!(text, "| {invariant} | {} | {} |", verdict.meaning(), ranges(collectors, &counts).join("; "));
    }
    let failed = || survey.failed.iter().filter(|((_, failure), _)| *failure != Failure::Undefined);
    if failed().next().is_some() {
        text.push('\n');
    }
    for ((at, failure), of) in failed() {
        let scenarios = count(of.scenarios, "scenario");
        let _ = writeln!(text, "{} on {}: {scenarios}, first {}", failure.word(), collectors[*at].name, of.first);
    }
    let interrupted = if interrupt::asked() { "interrupted: " } else { "" };
    let _ = writeln!(text, "\n{interrupted}{}", run_counts::in_words(&run_counts(survey), Word::Judged));
    text
}

/// Counts of neighbours that are the same, in one piece.
fn ranges(collectors: &[Collector], counts: &[Option<u64>]) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(first) = counts.get(at) {
        let same = counts[at..].iter().take_while(|n| *n == first).count();
        if let Some(n) = first {
            let last = at + same - 1;
            let names = match same {
                1 => collectors[at].name.clone(),
                _ => format!("{} to {}", collectors[at].name, collectors[last].name),
            };
            pieces.push(format!("{names}: {}", grouped(*n)));
        }
        at += same;
    }
    pieces
}

fn value(survey: &ScopeCounts, (at, verdict, invariant): &Key, count: &ScopeVerdicts) -> serde_json::Value {
    json!({
        "subject": survey.collectors[*at],
        "invariant": invariant.code(),
        "class": verdict.class().word(),
        "known": *verdict == Verdict::Known,
        "scenarios": count.scenarios,
        "first": count.first,
    })
}

/// Writes the first scenario of each kind of violation, reduced.
fn examples(
    survey: &ScopeCounts,
    all: &mut Enumeration,
    members: &CampaignSubjects,
    folder: &Path,
) -> anyhow::Result<Vec<String>> {
    let (mut files, baseline) = (Vec::new(), options::baseline()?);
    let mut scenario = Scenario::new();
    for ((at, verdict, invariant), count) in &survey.found {
        all.seek(count.first);
        if all.fill(&mut scenario).is_none() {
            continue;
        }
        let mut examiner = members.examiner(*at, &baseline);
        let document = example(&mut examiner, *verdict, *invariant, &scenario);
        let name = format!("{}-{}-{}.scn", invariant.code(), survey.collectors[*at], verdict.class().word());
        let path = folder.join(name);
        write_atomically(&path, document.print().as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
        files.push(path.to_string_lossy().into_owned());
    }
    Ok(files)
}

/// The reduced first scenario of one kind of violation.
fn example(examiner: &mut Examiner, verdict: Verdict, invariant: Invariant, scenario: &Scenario) -> Document {
    let mut holds = |candidate: &Scenario| {
        let run = examiner.examine(candidate, false);
        run.violations.iter().any(|(v, other)| (v.invariant, *other) == (invariant, verdict))
    };
    let minimized = shrink::minimize(scenario, &mut holds, Budget { tries: TRIES }, &mut |_| {});
    let mut document = Document::new(&minimized.scenario);
    let collector = examiner.declaration();
    let fields = [
        (FieldName::Collector, subject(&collector.name, collector.verified)),
        (FieldName::Invariant, format!("{} {} ({})", invariant.code(), invariant.name(), verdict.class().word())),
    ];
    document.fields = fields.into_iter().map(|(name, text)| Field { name, text }).collect();
    document
}
