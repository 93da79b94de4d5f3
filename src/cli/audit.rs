//! `coroner audit`: which installed extension types break the rules of the collector.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;

use super::{Exit, options};
use crate::audit::controls::{self, Checked};
use crate::audit::outcome::{End, Outcome};
use crate::audit::text;
use crate::cpython::Interpreter;
use crate::cpython::audit::{Orders, audit};
use crate::report::json;
use crate::subject::Release;

/// The oldest release that can be audited.
const FIRST: Release = Release::new(3, 6, 0);

/// Say which installed extension types break the rules of the collector
///
/// Counts, in copies of the process, what objects of each C type release when they die, and compares that with what their
/// tp_traverse reports. Without a package: the standard library. Imports what it audits, and calls its constructors with
/// arguments of many kinds (not with --no-auto); everything destructive happens in copies of the process.
///
/// Exit codes: 0, nothing of severity memory or leak; 1, something; 2, a package cannot be imported, or a recipe fails; 4, the
/// audited process died by itself; 6, there is no compiler or no header for an interpreter. What was not seen is counted, and
/// never taken for good.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Packages to audit, by what they are imported or installed as; none: the standard library
    #[arg(value_name = "PACKAGE")]
    packages: Vec<String>,
    /// Interpreters, 3.6 and later: paths (also of virtual environments), versions, or `all`
    #[arg(long, value_name = "P")]
    python: String,
    /// A Python file that makes objects: in its list `objects`, or from its function `make`
    #[arg(long, value_name = "FILE")]
    recipe: Vec<PathBuf>,
    /// Objects of each type that are looked at
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100))]
    samples: u32,
    /// Do not call constructors
    #[arg(long)]
    no_auto: bool,
    /// Print what is of no consequence, too
    #[arg(long)]
    all: bool,
    /// Audit the types with planted faults instead: does the audit find them?
    #[arg(long, conflicts_with_all = ["packages", "recipe"])]
    controls: bool,
    /// How long the audit of one interpreter may take
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = humantime::parse_duration)]
    time: Duration,
}

/// What was found out in one interpreter.
struct Audited {
    interpreter: Interpreter,
    outcome: Outcome,
    checked: Option<Checked>,
    exit: Exit,
}

/// Runs the command.
///
/// # Errors
/// If an interpreter is not to be had, or a result cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let (usable, old): (Vec<_>, Vec<_>) = options::resolve(&args.python)?.into_iter().partition(|i| i.release >= FIRST);
    for interpreter in &old {
        eprintln!("left out: {}: only CPython {FIRST} and later can be audited", interpreter.name());
    }
    if usable.is_empty() {
        bail!("no interpreter that can be audited is left");
    }
    let recipe = |path: &PathBuf| path.canonicalize().map_err(|e| anyhow::anyhow!("{}: {e}", path.display()));
    let orders = Orders {
        packages: args.packages.clone(),
        recipes: args.recipe.iter().map(recipe).collect::<anyhow::Result<_>>()?,
        samples: args.samples,
        auto: !args.no_auto && !args.controls,
        controls: args.controls,
        folder: PathBuf::new(),
    };
    let (mut all, mut exit) = (Vec::new(), Exit::Clean);
    for interpreter in usable {
        let left = match audit(&interpreter, &orders, args.time) {
            Ok(left) => left,
            Err(error) => {
                eprintln!("not audited: {error}");
                exit = exit.max(Exit::NotCompared);
                continue;
            }
        };
        let outcome = Outcome::read(&left, interpreter.release);
        let checked = args.controls.then(|| controls::check(&outcome, interpreter.release));
        let audited = Audited { exit: exit_of(&outcome, checked.as_ref()), interpreter, outcome, checked };
        super::print(&audited.text(args))?;
        exit = exit.max(audited.exit);
        all.push(audited);
    }
    if let Some(path) = json {
        let mut report = json::JsonReport::new("audit", exit.code());
        let audits: Vec<_> = all.iter().map(Audited::json).collect();
        report.result.insert("audits".to_owned(), audits.into());
        json::write(path, &report)?;
    }
    Ok(exit)
}

fn exit_of(outcome: &Outcome, checked: Option<&Checked>) -> Exit {
    match (&outcome.end, checked) {
        (End::BadInput(_), _) => Exit::BadInput,
        (End::Died(_), _) => Exit::Crash,
        (End::Whole, Some(checked)) if checked.right < checked.all || !checked.wrong.is_empty() => Exit::Violation,
        (End::Whole, Some(_)) => Exit::Clean,
        (End::Whole, None) if outcome.findings.iter().any(|f| f.severity.counts()) => Exit::Violation,
        (End::Whole, None) => Exit::Clean,
    }
}

impl Audited {
    fn text(&self, args: &Args) -> String {
        let name = self.interpreter.name();
        match &self.checked {
            Some(checked) => text::controls(&name, &self.outcome, checked),
            None => text::outcome(&name, &self.outcome, args.all),
        }
    }

    fn json(&self) -> serde_json::Value {
        let mut value = serde_json::json!({ "python": self.interpreter.name(), "exit": self.exit.code() });
        let outcome = serde_json::to_value(&self.outcome).unwrap_or_default();
        if let (Some(map), serde_json::Value::Object(outcome)) = (value.as_object_mut(), outcome) {
            map.extend(outcome);
            if let End::BadInput(why) | End::Died(why) = &self.outcome.end {
                map.insert("ended".to_owned(), why.clone().into());
            }
            if let Some(checked) = &self.checked {
                map.insert("controls".to_owned(), serde_json::json!([checked.right, checked.all]));
            }
        }
        value
    }
}
