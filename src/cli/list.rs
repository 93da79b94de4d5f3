//! `coroner list`: what there is. Every list is generated from the code.

use std::path::Path;

use clap::ValueEnum;
use serde_json::{Map, Value};

use super::listed::{Item, table};
use super::{Exit, list_pythons, options};
use crate::findings::{Baseline, KnownBug};
use crate::generate::PROFILES;
use crate::invariant::Invariant;
use crate::model::collector::{Collector, ROWS, Switch, SwitchClass};
use crate::report::{Style, json};
use crate::scenario::text::usages;

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
                let text = row.attested.map_or(row.source.to_owned(), |attested| format!("{attested}; {}", row.source));
                Item::new(row.name(), vec![row.covers(), row.mark().to_owned()], &text)
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
        Topic::Pythons => (list_pythons::HEADS, list_pythons::items()),
    }
}
