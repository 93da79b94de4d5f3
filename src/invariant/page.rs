//! The page that says what every invariant is: `docs/invariants.md`.

use std::fmt::Write;

use super::Invariant;
use crate::subject::{Expectation, Permission, Promise, Text, Values};

/// The text of `docs/invariants.md`.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Invariants\n\nGenerated from the code by `coroner::invariant::markdown`; a test compares.\n\n\
         An invariant is judged from the scenario and the event stream alone. A violation has a class: `collector` (the\n\
         premises held), `type-fault` (a type lied or did not take part, and the collector could not know), `documented`\n\
         (a text that a user of Python can read allows it) or `unpromised` (no such text speaks for either side). What could\n\
         not be observed is *not judged*. What an invariant rests on is one of four things that need no text, or is promised\n\
         in one; a violation of what rests on nothing is never the collector's fault.\n\n\
         | code | name | rests on |\n| --- | --- | --- |\n",
    );
    for i in Invariant::ALL {
        let rests: Vec<&str> = i.about().rests.iter().map(|ground| ground.words()).collect();
        let rests = if rests.is_empty() { "nothing".to_owned() } else { rests.join(", ") };
        let _ =
            writeln!(text, "| {} | [{}](#{}-{}) | {rests} |", i.code(), i.name(), i.code().to_lowercase(), i.name());
    }
    for i in Invariant::ALL {
        let a = i.about();
        let _ = write!(text, "\n## {} {}\n\n{}\n\n", i.code(), i.name(), a.statement);
        if a.rests.is_empty() {
            text.push_str("No text promises this.\n\n");
        }
        let _ = write!(text, "*Premises.* {}\n\n*Not verified.* {}\n", a.premises, a.not);
    }
    write_expectations(&mut text);
    text
}

/// What texts promise, what they allow, and what subjects do on purpose.
fn write_expectations(text: &mut String) {
    text.push_str("\n## What is promised\n\n| promise | releases | says | where |\n| --- | --- | --- | --- |\n");
    Promise::ALL.iter().for_each(|promise| write_text(text, promise.text()));
    text.push_str("\n## What is allowed\n\n| permission | releases | says | where |\n| --- | --- | --- | --- |\n");
    Permission::ALL.iter().for_each(|permission| write_text(text, permission.text()));
    text.push_str(
        "\n## What is excused\n\nBy a permission; what no text allows or forbids is unpromised.\n\n\
         | condition | releases | allowed by |\n| --- | --- | --- |\n",
    );
    for why in Expectation::ALL {
        let Some(releases) = why.excuses() else { continue };
        let _ = writeln!(text, "| {why:?} | {releases} | {} |", cited(*why));
    }
    text.push_str(
        "\n## What else is expected\n\nOf a subject of which such a choice is not known, the invariants that ask for it are not judged.\n\n\
         | choice | value | releases | allowed by |\n| --- | --- | --- | --- |\n",
    );
    for choice in Expectation::ALL {
        let Values::OneOf(values) = choice.values() else { continue };
        for (value, releases) in values {
            let releases = if releases.is_all() { "others".to_owned() } else { releases.to_string() };
            let _ = writeln!(text, "| {choice:?} | {value} | {releases} | {} |", cited(*choice));
        }
    }
}

fn write_text(page: &mut String, text: &Text) {
    let Text { word, statement, place, releases } = text;
    let _ = writeln!(page, "| {word} | {releases} | {statement} | {place} |");
}

/// The permission, or what a user sees.
fn cited(why: Expectation) -> String {
    why.permission().map_or_else(|| format!("no text: {}", why.source()), |text| text.text().word.to_owned())
}
