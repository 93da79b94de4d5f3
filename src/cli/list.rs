//! `coroner list`: what there is. Every list is generated from the code.

use std::path::Path;

use clap::ValueEnum;
use serde_json::{Map, Value};

use super::{Exit, options};
use crate::findings::{Baseline, KnownBug};
use crate::generate::PROFILES;
use crate::invariant::Invariant;
use crate::model::collector::{Collector, ROWS, Row, Switch, SwitchClass};
use crate::report::{Style, UNVERIFIED, json, subject, wrapped};
use crate::scenario::text::usages;
use crate::{cpython, lookup};

/// Show what there is: collectors, switches, invariants, operations, profiles, bugs, known, pythons
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// What to list [default: collectors]
    #[arg(value_enum, default_value_t = Topic::Collectors)]
    topic: Topic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Topic {
    /// Releases of the model
    Collectors,
    /// Rules that can be turned on and off: cpython-3.13.0+NAME, cpython-3.13.0-NAME
    Switches,
    /// What every run is judged by
    Invariants,
    /// What a scenario is written in
    Operations,
    /// How the generator draws scenarios
    Profiles,
    /// Bugs that can be planted with a switch
    Bugs,
    /// Bugs that releases are known to have: the baseline
    Known,
    /// Interpreters on this machine
    Pythons,
}

/// A line of a list: a name, words of a few columns, and an explanation.
struct Item {
    name: String,
    columns: Vec<String>,
    text: String,
}

impl Item {
    fn new(name: impl Into<String>, columns: Vec<String>, text: &str) -> Item {
        let text = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        Item { name: name.into(), columns, text: text.trim().to_owned() }
    }
}

/// Runs the command.
///
/// # Errors
/// If the result cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let (heads, items) = items(args.topic);
    super::print(&table(&items, options::width(), Style { color: options::color() }))?;
    if let Some(path) = json {
        let list = items.iter().map(|item| {
            let mut entry = Map::new();
            entry.insert("name".to_owned(), item.name.clone().into());
            for (head, column) in heads.iter().zip(&item.columns) {
                entry.insert((*head).to_owned(), column.clone().into());
            }
            entry.insert("text".to_owned(), item.text.clone().into());
            Value::Object(entry)
        });
        let mut result = json::JsonReport::new("list", Exit::Clean.code());
        let topic = args.topic.to_possible_value().map_or_else(String::new, |v| v.get_name().to_owned());
        let target = if args.topic == Topic::Pythons { &mut result.timing } else { &mut result.result };
        target.insert(topic, list.collect());
        json::write(path, &result)?;
    }
    Ok(Exit::Clean)
}

/// The names of the columns between name and text, and the items.
fn items(topic: Topic) -> (&'static [&'static str], Vec<Item>) {
    let switches = |class| {
        let of_class = Switch::ALL.iter().filter(move |s| s.class() == class);
        of_class.map(|s| Item::new(s.name(), vec![s.source().to_owned()], s.meaning())).collect()
    };
    match topic {
        Topic::Collectors => {
            let row = |row: &crate::model::collector::Row| {
                let state = if row.verified { "" } else { UNVERIFIED };
                Item::new(row.name(), vec![row.covers(), state.to_owned()], row.source)
            };
            (&["covers", "state"], ROWS.iter().map(row).collect())
        }
        Topic::Switches => (&["source"], switches(SwitchClass::Rule)),
        Topic::Bugs => (&["source"], switches(SwitchClass::Bug)),
        Topic::Known => {
            let names = Collector::row_names();
            // The baseline of a program whose tests have passed can be read.
            let baseline = Baseline::committed(&names).unwrap_or_default();
            let item = |bug: &KnownBug| {
                let rows = bug.rows.iter().filter_map(|row| names.get(*row));
                let rows: Vec<&str> = rows.map(|name| name.trim_start_matches("cpython-")).collect();
                let rows = match rows.as_slice() {
                    [first, .., last] => format!("{first}..{last} ({} rows)", rows.len()),
                    few => few.join(", "),
                };
                let files = bug.regressions.iter().map(|file| format!("regressions/{file}"));
                let text = format!("{}: {}", bug.what, files.collect::<Vec<_>>().join(", "));
                Item::new(bug.id.clone(), vec![bug.report.clone(), rows], &text)
            };
            (&["report", "rows"], baseline.bugs().iter().map(item).collect())
        }
        Topic::Invariants => {
            let item = |i: &Invariant| {
                let rests: Vec<&str> = i.about().rests.iter().map(|ground| ground.words()).collect();
                let rests = if rests.is_empty() { "nothing".to_owned() } else { rests.join(", ") };
                Item::new(format!("{} {}", i.code(), i.name()), vec![rests], i.about().statement)
            };
            (&["rests on"], Invariant::ALL.iter().map(item).collect())
        }
        Topic::Operations => (&[], usages().map(|u| Item::new(u.form, Vec::new(), u.meaning)).collect()),
        Topic::Profiles => {
            let item = |p: &crate::generate::Profile| {
                let part = if p.in_default { "in default" } else { "" };
                Item::new(p.name, vec![part.to_owned()], p.meaning)
            };
            (&["part"], PROFILES.iter().map(item).collect())
        }
        Topic::Pythons => {
            let item = |found: Result<cpython::Interpreter, cpython::FindError>| match found {
                Ok(python) => {
                    let row = lookup::row_of(&python).map(|c| subject(&c.name, c.verified));
                    let build = if python.debug { "debug" } else { "release" };
                    let columns = [build, python.level.as_str(), row.as_deref().unwrap_or("no row covers it")];
                    let columns = columns.map(str::to_owned).to_vec();
                    let path = python.program.to_string_lossy();
                    let observed = Row::covering(python.release).and_then(Row::observed);
                    match observed.filter(|observed| python.release > *observed) {
                        None => Item::new(python.name(), columns, &path),
                        Some(observed) => {
                            let news = "the last release that its row was compared with (`coroner diff` compares)";
                            Item::new(python.name(), columns, &format!("{path}: newer than {observed}, {news}"))
                        }
                    }
                }
                Err(error) => Item::new("-", ["unusable", "", ""].map(str::to_owned).to_vec(), &error.to_string()),
            };
            let found = cpython::installed();
            let here: Vec<Option<&Row>> = found.iter().flatten().map(|p| Row::covering(p.release)).collect();
            let missing =
                ROWS.iter().filter(|row| row.verified && !here.iter().flatten().any(|h| h.first == row.first));
            let missing: Vec<Item> = missing
                .map(|row| {
                    let text = row.observed().map_or_else(String::new, |r| format!("no interpreter here; {r} will do"));
                    Item::new("-", ["missing", "", &row.name()].map(str::to_owned).to_vec(), &text)
                })
                .collect();
            (&["build", "level", "row"], found.into_iter().map(item).chain(missing).collect())
        }
    }
}

fn table(items: &[Item], width: usize, style: Style) -> String {
    let columns = items.first().map_or(0, |i| i.columns.len());
    let widest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
    let name = widest(&mut items.iter().map(|i| i.name.chars().count()));
    let mut out = String::new();
    for item in items {
        let mut line = style.head(&format!("{:name$}", item.name));
        let mut used = name;
        for column in 0..columns {
            let size = widest(&mut items.iter().map(|i| i.columns[column].chars().count())).min(32);
            if size > 0 {
                line += &format!("  {:size$}", item.columns[column]);
                used += 2 + size.max(item.columns[column].chars().count());
            }
        }
        // A text that does not fit beside the columns goes below, indented.
        if used + 2 + item.text.chars().count() <= width {
            line += &format!("  {}", item.text);
        } else {
            for part in wrapped(&item.text, width.saturating_sub(4), "") {
                line = line.trim_end().to_owned() + "\n    " + &part;
            }
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}
