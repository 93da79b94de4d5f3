//! An exported script as the text of a bug report: the script first, at most 60 lines.

use super::run::Ran;
use super::{Exported, MODULE};
use crate::diagnose::bisect;
use crate::invariant::{Class, Ground, Invariant};
use crate::scenario::text::{Document, FieldName};

/// The most lines of a report.
pub const MOST_LINES: usize = 60;

/// What came of a script on an interpreter, by the interpreter's version.
pub type Runs = [(String, Ran)];

/// The text of a report.
pub fn issue(document: &Document, exported: &Exported, runs: &Runs) -> String {
    let mut lines = vec![format!("# {}", title(document, exported)), String::new(), "```python".to_owned()];
    lines.extend(exported.script.lines().map(str::to_owned));
    lines.push("```".to_owned());
    if exported.c.is_some() {
        lines.push(format!("The types of `{MODULE}.c` (attached): `cc -shared -fPIC $(python3-config --includes) {MODULE}.c -o {MODULE}.so`"));
    }
    let mut after = vec![String::new(), "## What happens".to_owned(), String::new()];
    after.extend(happens(runs));
    after.extend([String::new(), "## What is expected".to_owned(), String::new()]);
    after.extend(promises(exported));
    after.extend([String::new(), "## Since when".to_owned(), String::new()]);
    after.extend(since(document, exported));
    let room = MOST_LINES.saturating_sub(after.len());
    if lines.len() > room {
        lines = vec![lines[0].clone(), String::new(), "The script is attached.".to_owned()];
    }
    lines.extend(after);
    lines.truncate(MOST_LINES);
    lines.join("\n") + "\n"
}

/// The invariants that are violated by the collector's fault on some row, each once.
fn violated(exported: &Exported) -> Vec<Invariant> {
    let all = exported.expected.iter().flat_map(|row| &row.violations);
    let mut found: Vec<Invariant> = all.filter(|v| v.class == Class::Collector).map(|v| v.invariant).collect();
    found.sort();
    found.dedup();
    found
}

fn title(document: &Document, exported: &Exported) -> String {
    // Words behind the numbers of the bug.
    let words = |text: &str| {
        let words: Vec<&str> = text.split(' ').skip_while(|word| word.contains(|c: char| c.is_ascii_digit())).collect();
        (words.len() > 3).then(|| words.join(" "))
    };
    let sentence = |text: &str| text.split([':', ';']).next().and_then(|s| s.split(". ").next()).map(str::to_owned);
    let bug = document.field(FieldName::Bug).and_then(words);
    let note = bug.or_else(|| document.field(FieldName::Note).and_then(sentence));
    let invariant = || violated(exported).first().map(|i| i.about().statement.trim_end_matches('.').to_owned());
    let title = note.or_else(invariant).unwrap_or_else(|| "What a collection does".to_owned());
    let mut letters = title.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// What happens on which versions: those with the same outcome together.
fn happens(runs: &Runs) -> Vec<String> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for (version, ran) in runs {
        let words = match ran {
            Ran::AsExpected { died: Some(how), .. } => format!("the process dies of {how}"),
            Ran::AsExpected { died: None, printed } if printed.is_empty() => "nothing is printed".to_owned(),
            Ran::AsExpected { died: None, printed } => format!("`{}`", printed.join("`, `")),
            Ran::Different(why) => why.clone(),
            Ran::NotRun(_) => continue,
        };
        match groups.iter_mut().find(|(w, _)| *w == words) {
            Some((_, versions)) => versions.push(short(version)),
            None => groups.push((words, vec![short(version)])),
        }
    }
    let mut lines = vec!["| Python | outcome |".to_owned(), "| --- | --- |".to_owned()];
    lines.extend(groups.iter().map(|(words, versions)| format!("| {} | {words} |", versions.join(", "))));
    if groups.is_empty() {
        lines = vec!["It was run on no interpreter.".to_owned()];
    }
    lines
}

fn short(version: &str) -> &str {
    version.strip_prefix("python-").unwrap_or(version)
}

fn promises(exported: &Exported) -> Vec<String> {
    let mut lines = Vec::new();
    for invariant in violated(exported) {
        for ground in invariant.about().rests {
            let line = match ground {
                Ground::Promise(promise) => format!("- {} ({})", promise.text().statement, promise.text().place),
                Ground::MemorySafety => "- A process does not die of a program in pure Python.".to_owned(),
                Ground::Reachability => {
                    "- What can be reached is not torn down, and what is dead is not seen.".to_owned()
                }
                Ground::AtMostOnce => "- A finalizer and a callback run at most once.".to_owned(),
                Ground::Liveness => "- Garbage goes, and a callback that is due runs.".to_owned(),
            };
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    if lines.is_empty() {
        lines.push("Nothing else: this shows what releases do differently.".to_owned());
    }
    lines.truncate(6);
    lines
}

/// The first release that is bad, and what explains each change after that.
fn since(document: &Document, exported: &Exported) -> Vec<String> {
    let release = |name: &str| name.strip_prefix("cpython-").unwrap_or(name).to_owned();
    let mut bad = exported.expected.iter().filter(|row| row.is_bad());
    let Some(first) = bad.next() else { return vec!["No release is known to be wrong.".to_owned()] };
    let mut lines = vec![match exported.expected.iter().all(super::Expected::is_bad) {
        true => "Every release from 2.7 to 3.15.".to_owned(),
        false => format!("Seen first in {} (of 2.7 to 3.15).", release(&first.row.name)),
    }];
    for change in bisect(document) {
        let codes = |outcome: &crate::regression::Outcome| {
            outcome
                .violations
                .iter()
                .filter(|v| v.class == Class::Collector)
                .map(|v| v.code.clone())
                .collect::<Vec<_>>()
        };
        let (old, new) = (codes(&change.old), codes(&change.new));
        if old == new {
            continue;
        }
        let switches: Vec<String> = change
            .explained
            .first()
            .map(|switches| switches.iter().map(|s| format!("{} ({})", s.name(), s.source())).collect())
            .unwrap_or_default();
        let because = if switches.is_empty() { String::new() } else { format!(": {}", switches.join(" with ")) };
        let what = if new.is_empty() {
            "right"
        } else if old.is_empty() {
            "wrong"
        } else {
            "wrong in another way"
        };
        lines.push(format!("- {what} from {} on{because}", release(&change.after.name)));
    }
    lines.truncate(8);
    lines
}
