//! What one process of an audit found out: types, findings, and all that was not seen.

use std::collections::BTreeMap;

use serde::Serialize;

use super::classify::{Shown, judge};
use super::facts::Line;
use super::words::{Fault, Proof, Severity};
use crate::cpython::audit::Left;
use crate::subject::Release;

/// What an audit of some packages in one interpreter found out.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Outcome {
    /// What was audited: name and version.
    pub packages: Vec<(String, String)>,
    /// C types.
    pub types: u32,
    /// Those of which at least one object told something.
    pub seen: u32,
    /// Objects that told something.
    pub audited: u32,
    /// Objects that told less than all.
    pub inconclusive: u32,
    /// Why, with the type, for each of them once per type.
    pub why: BTreeMap<String, String>,
    /// Types of which there was no object.
    pub not_seen: Vec<String>,
    /// Modules of the standard library that cannot be imported, with the exception.
    pub left_out: Vec<(String, String)>,
    /// What was found, worst first.
    pub findings: Vec<Finding>,
    /// Threads of the process: in its copies they stand still.
    pub threads: u32,
    /// Why it did not come to its end.
    #[serde(skip)]
    pub end: End,
}

/// How an audit ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum End {
    /// All was looked at.
    #[default]
    Whole,
    /// What was asked for makes no sense here: why.
    BadInput(String),
    /// The process that holds the objects died, or did not end: why, and what it was at.
    Died(String),
}

/// A fault of a type.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// The type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The file that it comes from, without the folder.
    pub library: String,
    /// What is wrong.
    pub fault: Fault,
    /// How bad it is.
    pub severity: Severity,
    /// How well it is shown.
    pub proof: Proof,
    /// Where the reference was; nothing if it is not known, or the fault is about none.
    pub place: Option<String>,
    /// The type of the target.
    pub target: Option<String>,
    /// References that the deallocator released.
    pub owned: i64,
    /// References that traverse reported.
    pub visits: i64,
    /// Objects that show it.
    pub seen_in: u32,
    /// Objects of the type that told something.
    pub of: u32,
    /// What an object that shows it was made with, if the audit made it: `(Marker())`.
    pub made: Option<String>,
    /// Types that inherit the fault.
    pub inherited_by: Vec<String>,
}

impl Finding {
    /// What it is called in a baseline: type, word, place.
    pub fn key(&self) -> String {
        format!("{} {} {}", self.type_name, self.fault.word(), self.place.as_deref().unwrap_or("-"))
    }
}

/// A type, while the lines are read.
#[derive(Default)]
struct Type {
    library: String,
    bases: Vec<String>,
    told: u32,
    untold: u32,
    found: BTreeMap<(Fault, Option<String>), Seen>,
}

/// A fault at a place: the worst object that shows it, how many do, and what one of them was made with.
struct Seen {
    worst: Shown,
    objects: u32,
    made: Option<String>,
}

impl Outcome {
    /// Reads what a process left, by the rules of its release.
    pub fn read(left: &Left, release: Release) -> Outcome {
        let mut outcome = Outcome::default();
        let mut types: BTreeMap<String, Type> = BTreeMap::new();
        let (mut at, mut is_whole) = (String::new(), false);
        let lines = left.lines.lines().filter(|line| !line.is_empty());
        for line in lines.map_while(|line| serde_json::from_str::<Line>(line).ok()) {
            match line {
                Line::Importing { module } => at = format!("when it imported {module}"),
                Line::Recipe { path } => at = format!("when it ran {path}"),
                Line::NoImport { package, error } => {
                    outcome.end = End::BadInput(format!("{package} cannot be imported: {error}"));
                    return outcome;
                }
                Line::BadRecipe { path, line, error } => {
                    outcome.end = End::BadInput(format!("{path}, line {line}: {error}"));
                    return outcome;
                }
                Line::DriverFailed { error, line } => {
                    outcome.end = End::Died(format!("{at}: {error} (line {line} of the driver)"));
                    return outcome;
                }
                Line::LeftOut { module, error } => outcome.left_out.push((module, error)),
                Line::Package { package, version } => outcome.packages.push((package, version)),
                Line::Begin { types, threads } => (outcome.types, outcome.threads) = (types, threads),
                Line::At { type_name } => {
                    types.entry(type_name.clone()).or_default();
                    at = format!("at {type_name}");
                }
                Line::Sample(sample) => {
                    let judged = judge(&sample, release);
                    let entry = types.entry(sample.type_name.clone()).or_default();
                    let is_told = sample.ways.get("death").is_some_and(|death| death.done && death.revived == 0);
                    entry.told += u32::from(is_told);
                    entry.untold += u32::from(judged.inconclusive.is_some());
                    if let Some(why) = judged.inconclusive {
                        outcome.why.entry(sample.type_name.clone()).or_insert(why);
                    }
                    let made = (sample.source == "auto").then_some(sample.made);
                    judged.shown.into_iter().for_each(|shown| entry.add(shown, made.as_ref()));
                }
                Line::Type { name, library, tried, bases, .. } => {
                    if tried == 0 {
                        outcome.not_seen.push(name.clone());
                    }
                    let entry = types.entry(name).or_default();
                    (entry.library, entry.bases) = (library, bases);
                }
                Line::End => is_whole = true,
            }
        }
        if !is_whole {
            let how = left.end.as_deref().unwrap_or("it ended by itself");
            outcome.end = End::Died(format!("{how}, {at}"));
        }
        outcome.take(types);
        outcome
    }

    fn take(&mut self, types: BTreeMap<String, Type>) {
        self.seen = types.values().filter(|t| t.told > 0).count() as u32;
        self.audited = types.values().map(|t| t.told).sum();
        self.inconclusive = types.values().map(|t| t.untold).sum();
        for (name, of_type) in &types {
            let has = |base: &&String, key| types.get(*base).is_some_and(|t| t.found.contains_key(key));
            for (key, Seen { worst: shown, objects, made }) in &of_type.found {
                // A fault belongs to the first type in the line of ancestors that has it.
                if of_type.bases.iter().any(|base| has(&base, key)) {
                    continue;
                }
                let heirs = types.iter().filter(|(_, t)| t.bases.contains(name) && t.found.contains_key(key));
                self.findings.push(Finding {
                    type_name: name.clone(),
                    library: of_type.library.clone(),
                    fault: shown.fault,
                    severity: shown.severity,
                    proof: shown.proof,
                    place: shown.place.clone(),
                    target: shown.target.clone(),
                    owned: shown.released,
                    visits: shown.visits,
                    seen_in: *objects,
                    of: of_type.told,
                    made: made.clone(),
                    inherited_by: heirs.map(|(heir, _)| heir.clone()).collect(),
                });
            }
        }
        self.findings.sort_by(|a, b| (a.severity, &a.type_name, a.fault).cmp(&(b.severity, &b.type_name, b.fault)));
    }
}

impl Type {
    /// The worst of those at one place stands for all.
    fn add(&mut self, shown: Shown, made: Option<&String>) {
        let key = (shown.fault, shown.place.clone());
        let new = || Seen { worst: shown.clone(), objects: 0, made: None };
        let seen = self.found.entry(key).or_insert_with(new);
        seen.objects += 1;
        if seen.made.is_none() || shown.severity < seen.worst.severity {
            seen.made = made.cloned().or(seen.made.take());
        }
        if (shown.severity, shown.proof) < (seen.worst.severity, seen.worst.proof) {
            seen.worst = shown;
        }
    }
}
