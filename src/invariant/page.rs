//! The page that says what every invariant is: `docs/invariants.md`.

use std::fmt::Write;

use super::Invariant;
use crate::subject::{Expectation, Release, Span, Values};

/// The text of `docs/invariants.md`.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Invariants\n\nGenerated from the code by `coroner::invariant::markdown`; a test compares.\n\n\
         An invariant is judged from the scenario and the event stream alone. A violation has a class: `collector` (the\n\
         premises held), `type-fault` (a type lied or did not take part, and the collector could not know) or `documented`\n\
         (the release does it on purpose, or CPython never promised otherwise). What could not be observed is *not judged*.\n\n\
         | code | name | promised |\n| --- | --- | --- |\n",
    );
    for i in Invariant::ALL {
        let promised = if i.promised() { "yes" } else { "no" };
        let _ =
            writeln!(text, "| {} | [{}](#{}-{}) | {promised} |", i.code(), i.name(), i.code().to_lowercase(), i.name());
    }
    for i in Invariant::ALL {
        let a = i.about();
        let _ = write!(text, "\n## {} {}\n\n{}\n\n", i.code(), i.name(), a.statement);
        if !a.promised {
            text.push_str("CPython never promised this; reported apart.\n\n");
        }
        let _ = write!(text, "*Premises.* {}\n\n*Not verified.* {}\n", a.premises, a.not);
    }
    write_expectations(&mut text);
    text
}

/// What subjects do on purpose.
fn write_expectations(text: &mut String) {
    text.push_str(
        "\n## What is documented\n\n| condition | since | until before | source |\n| --- | --- | --- | --- |\n",
    );
    let show = |r: Option<Release>| r.map_or_else(String::new, |r| r.to_string());
    for why in Expectation::ALL {
        let Some(Span { since, until }) = why.excuses() else { continue };
        let _ = writeln!(text, "| {why:?} | {} | {} | {} |", show(since), show(until), why.source());
    }
    text.push_str(
        "\n## What else is expected\n\nOf a subject of which such a choice is not known, the invariants that ask for it are not judged.\n\n\
         | choice | value | releases | source |\n| --- | --- | --- | --- |\n",
    );
    for choice in Expectation::ALL {
        let Values::OneOf(values) = choice.values() else { continue };
        for (value, releases) in values {
            let releases = if releases.is_all() { "others".to_owned() } else { releases.to_string() };
            let _ = writeln!(text, "| {choice:?} | {value} | {releases} | {} |", choice.source());
        }
    }
}
