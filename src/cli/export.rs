//! `coroner export`: a scenario as a program that needs nothing of ours.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::json;

use super::{Exit, campaign, input};
use crate::cpython;
use crate::export::run::{self, Ran};
use crate::export::{Exported, MODULE, export, issue, passes, rust_test, unit_test};
use crate::findings::write_atomically;
use crate::lookup::Imitation;
use crate::model::collector::{Collector, Row};
use crate::report::json as report;
use crate::scenario::text::Document;

/// What a scenario is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Language {
    /// A script for Python 2.7 to 3.15, with a C file if a type must do what no class does
    Python,
    /// A test of the model, or of a subject of one's own
    Rust,
}

/// Write a scenario as a program that needs nothing of ours: a Python script, with a C file where a type must lie, or a test
///
/// What the program does is judged on the model first, and then on the interpreters at hand: if one of them does something
/// else than its row, nothing is written. The program goes to standard output, how it ran to standard error.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// A scenario file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What to write
    #[arg(long, value_enum, default_value = "python")]
    to: Language,
    /// A test method in the manner of test_gc, in a file that runs
    #[arg(long, conflicts_with = "issue")]
    test: bool,
    /// The text of a bug report, at most 60 lines: script, what happens where, what is expected, since when
    #[arg(long)]
    issue: bool,
    /// Interpreters that it runs on: paths, versions (3.7, 3.7.16, 3.14d) or all; none: no interpreter
    #[arg(long, value_name = "P", default_value = "all")]
    python: String,
    /// The row of a Rust test [default: the one the file names, or the newest]
    #[arg(long, value_name = "NAME")]
    collector: Option<String>,
    /// A folder for the files [default: standard output]
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// If nothing can be written: the scenario cannot be expressed, or an interpreter does something else than its row.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let Some(document) = input::document(&args.file) else { return Ok(Exit::BadInput) };
    let name = args.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if args.to == Language::Rust {
        let collector = match args.collector.as_deref().or_else(|| input::collector(&document)) {
            Some(name) => Collector::parse(name)?,
            None => Collector::all().pop().context("there is no row")?,
        };
        let text = rust_test(&document, &name, &collector);
        write(args, &[(format!("{}.rs", name.replace('-', "_")), text)])?;
        return Ok(Exit::Clean);
    }
    let targets = targets(&args.python)?;
    let (exported, runs) = verified(&document, &targets)?;
    let (ending, text) = match (args.test, args.issue) {
        (true, _) => ("py", unit_test(&exported, &name)),
        (_, true) => ("md", issue(&document, &exported, &runs)),
        _ => ("py", commented(&exported)),
    };
    if args.test {
        confirm_test(&text, &exported, &targets)?;
    }
    let mut files = vec![(format!("{}.{ending}", if args.test { format!("test_{name}") } else { name }), text)];
    files.extend(exported.c.clone().map(|c| (format!("{MODULE}.c"), c)));
    write(args, &files)?;
    exported.notes.iter().for_each(|note| eprintln!("note: {note}"));
    for (version, ran) in &runs {
        eprintln!("{version}: {}", words(ran));
    }
    if let Some(path) = json {
        let mut result = report::JsonReport::new("export", Exit::Clean.code());
        result.result.insert("pure".to_owned(), exported.c.is_none().into());
        result.result.insert("lines".to_owned(), exported.script.lines().count().into());
        result.result.insert("script".to_owned(), exported.script.clone().into());
        result.result.insert("notes".to_owned(), exported.notes.clone().into());
        let runs = runs.iter().map(|(version, ran)| json!({ "interpreter": version, "outcome": words(ran) }));
        result.result.insert("interpreters".to_owned(), runs.collect());
        report::write(path, &result)?;
    }
    Ok(Exit::Clean)
}

/// The interpreters of a list; `all` are those that a row covers, and may be none, and then it is said.
fn targets(list: &str) -> anyhow::Result<Vec<Imitation>> {
    if list == "none" {
        return Ok(Vec::new());
    }
    if list != "all" {
        return campaign::targets(list, None);
    }
    let found: Vec<Imitation> = cpython::resolve(list)?
        .interpreters
        .into_iter()
        .filter(|interpreter| Row::covering(interpreter.release).is_some())
        .map(Imitation::of)
        .collect();
    if found.is_empty() {
        eprintln!("skipped: no interpreter is here to run it on");
    }
    Ok(found)
}

/// The first translation that every interpreter runs as its row does, with what came of it on each.
fn verified(document: &Document, targets: &[Imitation]) -> anyhow::Result<(Exported, Vec<(String, Ran)>)> {
    let all = match export(document) {
        Ok(all) => all,
        Err(reasons) => bail!("this cannot be exported: {}", reasons.join("; ")),
    };
    let mut reasons: Vec<String> = Vec::new();
    'next: for exported in all {
        let mut runs = Vec::new();
        for target in targets {
            let expected = exported.expected.iter().find(|e| e.row.name == target.collector.name);
            let Some(expected) = expected else { continue };
            let ran = run::run(&exported, &expected.outcome, &target.interpreter)?;
            if let Ran::Different(why) = &ran {
                let reason = format!("on {}: {why}", target.interpreter.name());
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
                continue 'next;
            }
            runs.push((target.interpreter.name(), ran));
        }
        return Ok((exported, runs));
    }
    bail!("refused, because the script does not do what the model says: {}", reasons.join("; "))
}

/// The test passes where the script does what is right, and nowhere else.
fn confirm_test(text: &str, exported: &Exported, targets: &[Imitation]) -> anyhow::Result<()> {
    for target in targets {
        let expected = exported.expected.iter().find(|e| e.row.name == target.collector.name);
        // Where behaviour is undefined the process may die, or not.
        let Some(expected) = expected.filter(|e| e.outcome.undefined.is_none()) else { continue };
        let wanted = passes(exported, &expected.outcome);
        if let Some(passed) = run::test_passes(text, exported.c.as_deref(), &target.interpreter)?
            && passed != wanted
        {
            let word = if passed { "passes" } else { "fails" };
            bail!("refused, because the test {word} on {}", target.interpreter.name());
        }
    }
    Ok(())
}

fn words(ran: &Ran) -> String {
    match ran {
        Ran::AsExpected { died: Some(how), .. } => format!("dies of {how}"),
        Ran::AsExpected { died: None, printed } if printed.is_empty() => "prints nothing".to_owned(),
        Ran::AsExpected { died: None, printed } => format!("prints {}", printed.join(", ")),
        Ran::Different(why) => format!("does something else: {why}"),
        Ran::NotRun(why) => format!("not run: {why}"),
    }
}

/// The script; with a C file, how that is built.
fn commented(exported: &Exported) -> String {
    match &exported.c {
        None => exported.script.clone(),
        Some(_) => format!(
            "# needs {MODULE}.c: cc -shared -fPIC $(python3-config --includes) {MODULE}.c -o {MODULE}.so\n{}",
            exported.script
        ),
    }
}

fn write(args: &Args, files: &[(String, String)]) -> anyhow::Result<()> {
    let Some(folder) = &args.output else {
        for (name, text) in files {
            if files.len() > 1 {
                super::print(&format!("==> {name} <==\n"))?;
            }
            super::print(text)?;
        }
        return Ok(());
    };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for (name, text) in files {
        let path = folder.join(name);
        write_atomically(&path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
        super::print(&format!("{}\n", path.display()))?;
    }
    Ok(())
}
