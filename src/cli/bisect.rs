//! `coroner bisect`: the release, the phase and the switch at which the outcome of a scenario changes.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::against::Against;
use super::{Exit, campaign, input, options};
use crate::diagnose::{self, Causes, Change, bisect};
use crate::lookup::{self, Collectors};
use crate::model::collector::{Collector, Switch};
use crate::model::rows::Rows;
use crate::regression::{Outcome, Replayed, Runner};
use crate::report::text::difference_causes::{causes_json, sentence};
use crate::report::{Style, json, subject};
use crate::scenario::text::{Document, Fact};
use crate::supervise::Limits;

/// Find the release at which the outcome of a scenario changes, the phase, and the switch that explains it
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// A scenario file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Interpreters that confirm it: paths, versions (3.7, 3.7.16, 3.14d) or all
    #[arg(long, value_name = "P")]
    python: Option<String>,
    #[command(flatten)]
    against: Against,
}

/// Runs the command.
///
/// # Errors
/// If the arguments make no sense or a file cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let Some(document) = input::document(&args.file) else { return Ok(Exit::BadInput) };
    let style = Style { color: options::color() };
    let changes = bisect(&document);
    let mut out = String::new();
    match changes.first() {
        None => out += "the outcome is the same on every row\n",
        Some(first) => {
            let name = subject(&first.after.name, first.after.verified);
            out += &style.head(&format!("the outcome changes first with {name}"));
            out.push('\n');
        }
    }
    changes.iter().for_each(|change| out += &describe(change, &document, style));
    let (confirmed, exit) = match &args.python {
        None => (Vec::new(), Exit::Clean),
        Some(list) => confirm(list, args.against.row(), &document)?,
    };
    for Confirmed { name, row, word, why } in &confirmed {
        out += &format!("{name} ({row}): {word}\n");
        if let Some(causes) = why {
            out += &sentence(causes, row, style);
        }
    }
    super::print(&out)?;
    if let Some(path) = json {
        let mut report = json::JsonReport::new("bisect", exit.code());
        let changes = changes.iter().map(|c| {
            json!({
                "before": c.before.name,
                "after": c.after.name,
                "phase": c.phase.word(),
                "step": c.step,
                "old": facts(&c.old, &document),
                "new": facts(&c.new, &document),
                "switches": c.explained.iter().map(|s| names(s)).collect::<Vec<_>>(),
            })
        });
        report.result.insert("changes".to_owned(), changes.collect());
        let confirmed = confirmed.iter().map(|c| {
            let causes = c.why.as_ref().map(|causes| causes_json(&c.name, causes));
            json!({ "interpreter": c.name, "row": c.row, "outcome": c.word, "causes": causes })
        });
        report.result.insert("interpreters".to_owned(), confirmed.collect());
        json::write(path, &report)?;
    }
    Ok(exit)
}

fn describe(change: &Change, document: &Document, style: Style) -> String {
    let (before, after) = (&change.before, &change.after);
    let names_of = |c: &Collector| subject(&c.name, c.verified);
    let mut out = format!("\n{} -> {}\n", names_of(before), names_of(after));
    let step = change.step.map_or_else(String::new, |s| format!(", operation {s}"));
    out += &format!("    streams differ after {} events{step}, phase {}\n", change.at, change.phase);
    let (old, new) = (facts(&change.old, document), facts(&change.new, document));
    for (mark, one, other) in [("-", &old, &new), ("+", &new, &old)] {
        let only: Vec<&str> = one.iter().filter(|f| !other.contains(f)).map(String::as_str).collect();
        if !only.is_empty() {
            out += &format!("    {mark} {}\n", only.join(", "));
        }
    }
    if change.explained.is_empty() {
        out += "    no switch, and no pair of switches, explains it alone\n";
    }
    for switches in &change.explained {
        let sources: Vec<&str> = switches.iter().map(|s| s.source()).collect();
        let name = style.note(&names(switches).join(" with "));
        out += &format!("    explained by {name} ({}): turned over, the old outcome\n", sources.join("; "));
    }
    out
}

fn names(switches: &[Switch]) -> Vec<&'static str> {
    switches.iter().map(|s| s.name()).collect()
}

/// Violations and facts in words.
fn facts(outcome: &Outcome, document: &Document) -> Vec<String> {
    let mut words: Vec<String> = outcome.violations.iter().map(|v| format!("violation of {}", v.code)).collect();
    words.extend(outcome.facts.iter().map(|fact: &Fact| {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = fact.write(&document.names, &mut text);
        text
    }));
    words
}

/// What an interpreter does compared with the row that it is compared with.
struct Confirmed {
    name: String,
    row: String,
    /// The outcome in words.
    word: String,
    /// What explains it, if it does something else.
    why: Option<Causes>,
}

fn confirm(list: &str, against: Option<&Collector>, document: &Document) -> anyhow::Result<(Vec<Confirmed>, Exit)> {
    let mut runner = Runner::new(&Collectors);
    let mut found = Vec::new();
    let mut exit = Exit::Clean;
    // The file's own expectations are the business of `replay`.
    let document = Document { expectations: Vec::new(), ..document.clone() };
    for target in campaign::targets(list, against)? {
        let name = target.interpreter.name();
        let mut why = None;
        let replayed = lookup::start(&target.interpreter)(Limits::default())
            .and_then(|mut python| runner.replay(&document, python.as_mut(), &Rows::one(&target.collector)));
        let word = match &replayed {
            Err(error) => format!("skipped: {error}"),
            Ok(Replayed::Agrees(_)) => "does what the row does".to_owned(),
            Ok(Replayed::Unsupported(what)) => format!("skipped: {what}"),
            Ok(Replayed::Undefined(reason, died)) => {
                let end = died.as_ref().map_or_else(|| "goes on".to_owned(), |how| format!("dies of {how}"));
                format!("does what the row does until {reason:?}, then {end}")
            }
            Ok(Replayed::Crashed(how)) => {
                exit = exit.max(Exit::Crash);
                format!("crashes: {how}")
            }
            Ok(other) => {
                exit = exit.max(Exit::Disagreement);
                let runs = diagnose::real_runs(
                    &target.target(String::new()),
                    std::slice::from_ref(&document.scenario),
                    Limits::default(),
                );
                why = runs.ok().map(|runs| diagnose::causes(&target.collector, &runs));
                other.word().to_owned()
            }
        };
        found.push(Confirmed { name, row: target.collector.name, word, why: why.filter(|why| why.differences > 0) });
    }
    Ok((found, exit))
}
