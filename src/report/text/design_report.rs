//! What users would notice of a change of rule, as text and for programs.

use std::fmt::Write;

use serde_json::json;

use super::style::{count, grouped, wrapped};
use crate::design::{Aspect, Kind, Survey};
use crate::model::collector::{Collector, Switch};

/// What was compared, and what came of it.
#[derive(Debug)]
pub struct DesignReport<'r> {
    /// The collector as it is.
    pub old: &'r Collector,
    /// The collector as it would be.
    pub new: &'r Collector,
    /// Which scenarios: `100,000 scenarios of profile default`.
    pub scenarios: String,
    /// The highest number of objects, if all scenarios of a scope were compared.
    pub complete: Option<u8>,
    /// How many differ in what.
    pub survey: &'r Survey,
    /// The smallest scenario of each kind.
    pub kinds: &'r [Kind],
}

/// Differences of one scenario that are shown; the rest is counted.
const MOST_SHOWN: usize = 8;

/// The page: what was compared, what differs how often, and the smallest scenario of each kind with both outcomes.
pub fn text(page: &DesignReport<'_>, width: usize) -> String {
    let DesignReport { old, new, survey, kinds, .. } = page;
    let mut text = String::new();
    let mut say = |line: &str| push(&mut text, &wrapped(line, width, ""));
    say(&format!("What users notice of {} where {} was:", new.name, old.name));
    for switch in switches(old, new) {
        wrapped(&switch, width, "    ").iter().for_each(|line| say(line));
    }
    say("");
    say(&format!("{}:", page.scenarios));
    for (scenarios, what) in [
        (survey.not_asked, "that never come to where the two differ"),
        (survey.same, "with the same events"),
        (survey.inside, "with differences inside of the collector only"),
        (survey.visible, "with a difference that users notice"),
        (survey.too_long, "too long to be compared"),
    ] {
        if scenarios > 0 || what.ends_with("notice") {
            say(&format!("{:>12}  {what}", grouped(scenarios)));
        }
    }
    for (number, kind) in kinds.iter().enumerate() {
        one(kind, number + 1, width, &mut text);
    }
    text.push('\n');
    let kinds = count(kinds.len() as u64, "kind");
    let end = match page.complete {
        Some(objects) if survey.too_long == 0 => {
            format!("complete up to {}: {kinds} of difference, and no other", count(objects.into(), "object"))
        }
        _ => {
            format!("{kinds} of difference; `coroner enumerate --objects N` with the same two says if there are others")
        }
    };
    push(&mut text, &wrapped(&end, width, ""));
    text
}

fn push(text: &mut String, lines: &[String]) {
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
}

/// What the two have differently: each switch with its meaning and source.
fn switches(old: &Collector, new: &Collector) -> Vec<String> {
    let changed = new.rules.difference(old.rules);
    let words = |switch: Switch| {
        let sign = if new.rules.has(switch) { '+' } else { '-' };
        let meaning: Vec<&str> = switch.meaning().split_whitespace().collect();
        let meaning = meaning.join(" ");
        format!("  {sign}{}: {} ({})", switch.name(), meaning.trim_end_matches('.'), switch.source())
    };
    changed.map(words).collect()
}

fn one(kind: &Kind, number: usize, width: usize, text: &mut String) {
    let example = &kind.example;
    let names: Vec<&str> = kind.aspects.iter().map(|(aspect, ..)| aspect.sentence()).collect();
    let mut lines = wrapped(&format!("{number}. {}", names.join("; ")), width, "   ");
    for (aspect, scenarios, ordinary) in &kind.aspects {
        let all = count(*scenarios, "scenario");
        let how = match ordinary {
            0 => "all with types that take part incompletely".to_owned(),
            n if n == scenarios => "all with ordinary types".to_owned(),
            n => format!("{} with ordinary types only", grouped(*n)),
        };
        lines.push(format!("   {}: {all}, {how}", aspect.word()));
    }
    text.push('\n');
    push(text, &lines);
    text.push('\n');
    // The first line, the number of the format, says nothing here.
    let scenario = example.document.print();
    for line in scenario.lines().skip(1).skip_while(|line| line.is_empty()) {
        let _ = match line {
            "" => writeln!(text),
            line => writeln!(text, "       {line}"),
        };
    }
    text.push('\n');
    let is_named = |aspect: &Aspect| kind.aspects.iter().any(|(named, ..)| named == aspect);
    // What the kind is named after comes first.
    let (named, others): (Vec<_>, Vec<_>) = example.differences.iter().partition(|d| is_named(&d.aspect));
    let all: Vec<_> = named.into_iter().chain(others).collect();
    for difference in all.iter().take(MOST_SHOWN) {
        for (word, outcome) in [("before", &difference.old), ("after ", &difference.new)] {
            push(text, &wrapped(&format!("   {word}  {outcome}"), width, "           "));
        }
    }
    if all.len() > MOST_SHOWN {
        let _ = writeln!(text, "   and {} more", all.len() - MOST_SHOWN);
    }
    if !example.minimal {
        let _ = writeln!(text, "   (perhaps not the smallest: the reduction ended early)");
    }
}

/// The same for programs.
pub fn json(page: &DesignReport<'_>) -> serde_json::Value {
    let DesignReport { old, new, survey, kinds, complete, .. } = page;
    let kind = |kind: &Kind| {
        let aspects = kind.aspects.iter().map(|(aspect, scenarios, ordinary)| {
            json!({ "aspect": aspect.word(), "scenarios": scenarios, "ordinary": ordinary })
        });
        let differences = kind.example.differences.iter().map(
            |difference| json!({ "aspect": difference.aspect.word(), "old": difference.old, "new": difference.new }),
        );
        json!({
            "aspects": aspects.collect::<Vec<_>>(),
            "scenario": kind.example.document.print(),
            "minimal": kind.example.minimal,
            "from": kind.example.from,
            "differences": differences.collect::<Vec<_>>(),
        })
    };
    json!({
        "old": old.name,
        "new": new.name,
        "switches": new.rules.difference(old.rules).map(Switch::name).collect::<Vec<_>>(),
        "not_asked": survey.not_asked,
        "same": survey.same,
        "inside": survey.inside,
        "visible": survey.visible,
        "too_long": survey.too_long,
        "complete": complete,
        "kinds": kinds.iter().map(kind).collect::<Vec<_>>(),
    })
}
