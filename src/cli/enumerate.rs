//! `coroner enumerate`: every scenario of a small scope.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::json;

use super::{Exit, options};
use crate::campaign::{Examiner, Verdict, write_atomically};
use crate::enumerate::{Enumeration, MAX_OBJECTS, Scope};
use crate::invariant::Invariant;
use crate::report::{count, grouped, json as report, quoted, subject};
use crate::scenario::Scenario;
use crate::scenario::text::{Document, Field, FieldName};
use crate::shrink::{self, Budget};

/// Candidates that the reduction of one example may try.
const TRIES: u64 = 4_000;

/// Run every scenario of a small scope on every collector
///
/// The scope is described in the documentation of the module `enumerate`. An enumeration that stops because of --limit
/// says how to go on. Fails if a collector breaks an invariant by its own fault and the baseline does not know it.
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
    /// Folder for reduced examples, one of each kind of violation
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on at this index
    #[arg(long, value_name = "INDEX", default_value_t = 0)]
    from: u64,
    /// Stop after N scenarios
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Fail on every violation, of whatever class, known or not
    #[arg(long)]
    strict: bool,
}

/// What is told apart: the collector by its number, what a violation means, the broken invariant.
type Key = (usize, Verdict, Invariant);

/// Scenarios with one kind of violation.
#[derive(Clone, Debug)]
struct Found {
    scenarios: u64,
    /// Index of the first.
    index: u64,
    /// The first.
    scenario: Scenario,
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
        command
    }
}

/// Runs the command.
///
/// # Errors
/// If the arguments make no sense or an example cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let subjects = options::subjects(&args.collector)?;
    let collectors = &subjects.0;
    let mut examiners = options::examiners(&subjects, &options::baseline()?);
    let mut all = Enumeration::new(Scope { decorations: args.decorations, ..Scope::new(args.objects) });
    let end = all.end();
    if args.from > end {
        bail!("--from must be at most {end}, the end of this scope");
    }
    all.seek(args.from);
    let bar = options::bar(Some(end));
    let mut found: BTreeMap<Key, Found> = BTreeMap::new();
    let (mut scenario, mut scenarios) = (Scenario::new(), 0u64);
    while args.limit.is_none_or(|limit| scenarios < limit) {
        let Some(index) = all.fill(&mut scenario) else { break };
        scenarios += 1;
        for (at, examiner) in examiners.iter_mut().enumerate() {
            let run = examiner.examine(&scenario, false);
            for (n, (violation, verdict)) in run.violations.iter().enumerate() {
                let same = |(v, other): &(crate::invariant::Violation, Verdict)| {
                    (v.invariant, *other) == (violation.invariant, *verdict)
                };
                if run.violations[..n].iter().any(same) {
                    continue;
                }
                let key = (at, *verdict, violation.invariant);
                let new = || Found { scenarios: 0, index, scenario: scenario.clone() };
                found.entry(key).or_insert_with(new).scenarios += 1;
            }
        }
        if scenarios.is_multiple_of(256) {
            bar.set_position(index);
        }
    }
    bar.finish_and_clear();
    let over = all.position() >= end;
    let failed = found.keys().any(|(_, verdict, _)| args.strict || *verdict == Verdict::New);
    let exit = if failed { Exit::Violation } else { Exit::Clean };
    let mut text = format!("{} on {}\n", count(scenarios, "scenario"), count(collectors.len() as u64, "collector"));
    let (mut values, mut files) = (Vec::new(), Vec::new());
    for ((at, verdict, invariant), of) in &found {
        let collector = &collectors[*at];
        let _ = writeln!(
            text,
            "{} {invariant} ({}): {}, first {}",
            subject(&collector.name, collector.verified),
            verdict.meaning(),
            count(of.scenarios, "scenario"),
            of.index
        );
        values.push(json!({
            "subject": collector.name,
            "invariant": invariant.code(),
            "class": verdict.class().word(),
            "known": *verdict == Verdict::Known,
            "scenarios": of.scenarios,
            "first": of.index,
        }));
        if let Some(folder) = &args.out {
            let document = example(&mut examiners[*at], *verdict, *invariant, &of.scenario);
            let name = format!("{}-{}-{}.scn", invariant.code(), collector.name, verdict.class().word());
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
            let path = folder.join(name);
            write_atomically(&path, document.print().as_bytes())
                .with_context(|| format!("cannot write {}", path.display()))?;
            files.push(path.to_string_lossy().into_owned());
        }
    }
    if over {
        text += "nothing is left of this scope\n";
    } else {
        let _ = writeln!(text, "stopped at {} of {}: go on with", grouped(all.position()), grouped(end));
        let _ = writeln!(text, "    {}", args.repeat(all.position()));
    }
    super::print(&text)?;
    let repeat = args.repeat(args.from);
    if let Some(path) = json {
        let mut page = report::Report::new("enumerate", exit.code());
        page.scenarios = Some(scenarios);
        page.repeat = Some(repeat.clone());
        page.result.insert("violations".to_owned(), values.into());
        page.result.insert("position".to_owned(), all.position().into());
        page.result.insert("end".to_owned(), end.into());
        page.timing.insert("files".to_owned(), files.into());
        report::write(path, &page)?;
    }
    if exit != Exit::Clean {
        super::print(&format!("\nrepeat with: {repeat}\n"))?;
    }
    Ok(exit)
}

/// The reduced first scenario of one kind of violation.
fn example(examiner: &mut Examiner, verdict: Verdict, invariant: Invariant, scenario: &Scenario) -> Document {
    let mut holds = |candidate: &Scenario| {
        let run = examiner.examine(candidate, false);
        run.violations.iter().any(|(v, other)| (v.invariant, *other) == (invariant, verdict))
    };
    let minimized = shrink::minimize(scenario, &mut holds, Budget { tries: TRIES }, &mut |_| {});
    let mut document = Document::new(&minimized.scenario);
    let collector = examiner.collector();
    let fields = [
        (FieldName::Collector, subject(&collector.name, collector.verified)),
        (FieldName::Invariant, format!("{} {} ({})", invariant.code(), invariant.name(), verdict.class().word())),
    ];
    document.fields = fields.into_iter().map(|(name, text)| Field { name, text }).collect();
    document
}
