//! What there is, and a scenario in the words of other people: Markdown for an issue, Python.

use coroner::campaign::Examiner;
use coroner::explain::{Judged, explain, record};
use coroner::export::{MODULE, export};
use coroner::findings::Baseline;
use coroner::generate::PROFILES;
use coroner::invariant::{Class, Invariant};
use coroner::model::collector::{Collector, ROWS, Row, Switch, SwitchClass};
use coroner::model::rows::Rows;
use coroner::report::text::explanation;
use coroner::scenario::text::Document;
use serde_json::{Value, json};

use crate::MOST_OBJECTS;

/// Most lines of an explanation in an issue.
const MOST_LINES: usize = 80;

/// Version, rows, switches, invariants, classes and profiles.
pub fn about() -> Value {
    let row =
        |row: &Row| json!({ "name": row.name(), "covers": row.covers(), "mark": row.mark(), "grounds": row.grounds() });
    let switch = |switch: &Switch| {
        let on: Vec<String> = ROWS.iter().filter(|row| row.rules().has(*switch)).map(Row::name).collect();
        json!({
            "name": switch.name(),
            "meaning": switch.meaning().split_whitespace().collect::<Vec<_>>().join(" "),
            "source": switch.source(),
            "bug": switch.class() == SwitchClass::Bug,
            "on": on,
        })
    };
    let invariant = |invariant: &Invariant| json!({ "code": invariant.code(), "name": invariant.name(), "statement": invariant.about().statement });
    let classes = [Class::Collector, Class::TypeFault, Class::Documented, Class::Unpromised].map(Class::word);
    let small = PROFILES.iter().filter(|profile| !profile.is_huge());
    let profiles: Vec<Value> = small.map(|p| json!({ "name": p.name, "meaning": p.meaning })).collect();
    json!({
        "version": coroner::VERSION,
        "objects": MOST_OBJECTS,
        "rows": ROWS.iter().map(row).collect::<Vec<_>>(),
        "switches": Switch::ALL.iter().map(switch).collect::<Vec<_>>(),
        "invariants": Invariant::ALL.iter().map(invariant).collect::<Vec<_>>(),
        "classes": classes,
        "profiles": profiles,
    })
}

/// The text for an issue: scenario, outcome on every row, explanation on one, the command that repeats it.
///
/// # Errors
/// If the collector's name means nothing.
pub fn markdown(document: &Document, rows: &Value, collector: &str, baseline: &Baseline) -> Result<Value, String> {
    let collector = Collector::parse(collector).map_err(|error| error.to_string())?;
    let mut examiner = Examiner::new(&Rows::one(&collector), baseline);
    let run = examiner.examine(&document.scenario, true);
    let recorded = record(document, &collector, Judged { violations: run.violations, digest: run.digest, real: None });
    let text = explanation::text(&recorded, &explain(&recorded), false, false);
    let source = document.print();
    let fence = fence(&source, &text);
    let mut out = format!("{fence}\n{source}{fence}\n\n| collectors | violations | digest |\n| --- | --- | --- |\n");
    for (names, violations, digest) in outcomes(rows) {
        out += &format!("| {} | {} | `{digest}` |\n", names.join(", "), violations);
    }
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let left_out = lines.len().saturating_sub(MOST_LINES);
    out += &format!("\n<details><summary>why, on {}</summary>\n\n{fence}\n", collector.name);
    out += &lines[..lines.len() - left_out].join("\n");
    if left_out > 0 {
        out += &format!("\n... {left_out} more lines");
    }
    out += &format!(
        "\n{fence}\n</details>\n\nRepeat with `coroner explain scenario.scn --collector {}`.\n",
        collector.name
    );
    Ok(json!({ "markdown": out }))
}

/// Neighbours with the same digest and violations, together.
fn outcomes(rows: &Value) -> Vec<(Vec<String>, String, String)> {
    let mut all: Vec<(Vec<String>, String, String)> = Vec::new();
    for row in rows["rows"].as_array().into_iter().flatten() {
        let word = |v: &Value| {
            let known = if v["known"] == true { ", known" } else { "" };
            format!("{} ({}{known})", v["code"].as_str().unwrap_or(""), v["class"].as_str().unwrap_or(""))
        };
        let mut words: Vec<String> = row["violations"].as_array().into_iter().flatten().map(word).collect();
        if let Some(reason) = row["undefined"].as_str() {
            words.push(format!("undefined: {reason}"));
        }
        let violations = if words.is_empty() { "none".to_owned() } else { words.join(", ") };
        let text = |key: &str| row[key].as_str().unwrap_or("").to_owned();
        match all.last_mut().filter(|last| (&last.1, &last.2) == (&violations, &text("digest"))) {
            Some(last) => last.0.push(text("name")),
            None => all.push((vec![text("name")], violations, text("digest"))),
        }
    }
    all
}

/// A fence that no line of the texts ends.
fn fence(source: &str, text: &str) -> String {
    let longest = |of: &str| of.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest(source).max(longest(text)).max(2) + 1)
}

/// The scenario as a script, with the C file where it needs one, or why that cannot be.
pub fn python(document: &Document) -> Value {
    match export(document) {
        Ok(all) => match all.first() {
            Some(first) => json!({ "script": first.script, "c": first.c, "module": MODULE, "notes": first.notes }),
            None => json!({ "refused": [] }),
        },
        Err(reasons) => json!({ "refused": reasons }),
    }
}
