//! What stands around a drawing: what broke, what must be known, and the explanation as tables.

use std::collections::BTreeSet;

use super::frames::Frame;
use crate::explain::{Explanation, Run};
use crate::findings::Verdict;
use crate::invariant::{Class, Violation};

/// A broken invariant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// What broke.
    pub text: String,
    /// The collector is to blame.
    pub is_collector: bool,
    /// The frame in which it broke, if it is shown.
    pub frame: Option<usize>,
}

/// Lines with a title.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// The title.
    pub title: String,
    /// What the columns are; none if there are two that need no words.
    pub heads: Vec<&'static str>,
    /// The lines.
    pub lines: Vec<Vec<String>>,
}

/// What broke, the collector's faults first, each invariant once.
pub(super) fn broken(run: &Run<'_>, frames: &[Frame]) -> Vec<Broken> {
    let mut seen = BTreeSet::new();
    let mut all: Vec<(usize, &(Violation, Verdict))> = run.violations.iter().enumerate().collect();
    all.sort_by_key(|(_, (violation, verdict))| {
        (verdict.class() != Class::Collector, violation.event.unwrap_or(u32::MAX))
    });
    let mut broken = Vec::new();
    for (number, (violation, verdict)) in all {
        if seen.insert((violation.invariant, verdict.class().word())) {
            broken.push(Broken {
                text: violation.describe(&|object| run.names.label(object)),
                is_collector: verdict.class() == Class::Collector,
                frame: frames.iter().position(|frame| frame.violations.contains(&number)),
            });
        }
    }
    broken
}

/// What must be known to read a side.
pub(super) fn notes(explanation: &Explanation, missing: &[String]) -> Vec<String> {
    let mut notes: Vec<String> = explanation.difference.iter().map(ToString::to_string).collect();
    notes.extend(explanation.note.iter().flat_map(|note| note.lines().map(str::to_owned)));
    notes.extend(missing.iter().cloned());
    notes
}

/// The explanation as tables.
pub(super) fn tables(explanation: &Explanation) -> Vec<Table> {
    let mut tables = Vec::new();
    for collection in &explanation.collections {
        let returned = collection.returned.map_or_else(|| "did not end".to_owned(), |n| format!("returned {n}"));
        let title = format!(
            "collection {} of generation {}, {returned}, {}: {}",
            collection.number, collection.generation, collection.place, collection.operation
        );
        let examined = collection.examined.iter().map(|e| {
            let counts = format!("{} = {} inside + {} outside", e.refcount, e.inside, e.outside);
            vec![e.object.clone(), counts, e.verdict.to_owned(), e.why.clone(), e.then.clone()]
        });
        let told = collection.not_examined.iter().chain(&collection.shown);
        let others =
            told.map(|told| vec![told.object.clone(), String::new(), String::new(), told.text.clone(), String::new()]);
        let heads = vec!["object", "references", "verdict", "why", "and then"];
        tables.push(Table { title, heads, lines: examined.chain(others).take(MOST_LINES).collect() });
    }
    for (title, told) in [("weak references", &explanation.weakrefs), ("finalizers", &explanation.finalizers)] {
        let lines: Vec<Vec<String>> =
            told.iter().take(MOST_LINES).map(|told| vec![told.object.clone(), told.text.clone()]).collect();
        if !lines.is_empty() {
            tables.push(Table { title: title.to_owned(), heads: Vec::new(), lines });
        }
    }
    tables.truncate(MOST_TABLES);
    tables
}

/// Most lines of a table, and most tables: what a reader looks up.
const MOST_LINES: usize = 60;
const MOST_TABLES: usize = 12;
