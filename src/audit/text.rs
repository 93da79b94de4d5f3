//! The text of an audit.

use super::controls::Checked;
use super::outcome::{End, Finding, Outcome};
use super::words::Severity;

/// How many types that nobody has seen are named.
const NAMED: usize = 12;

/// What an audit found out.
pub fn outcome(python: &str, outcome: &Outcome, all: bool) -> String {
    let mut text = head(python, outcome);
    let shown: Vec<&Finding> = outcome.findings.iter().filter(|f| all || f.severity.counts()).collect();
    for finding in &shown {
        text += &line(finding);
    }
    let hidden = outcome.findings.len() - shown.len();
    if hidden > 0 {
        text += &format!("{hidden} more of no consequence for memory or leaks (--all shows them)\n");
    }
    if !outcome.not_seen.is_empty() {
        text += &format!(
            "not seen (no object): {}; a recipe can make some (--recipe)\n",
            some(outcome.not_seen.iter().map(String::as_str))
        );
    }
    for (type_name, why) in outcome.why.iter().take(if all { usize::MAX } else { NAMED }) {
        text += &format!("inconclusive: {type_name}: {why}\n");
    }
    if outcome.why.len() > NAMED && !all {
        text += &format!("inconclusive: {} more types (--all shows them)\n", outcome.why.len() - NAMED);
    }
    if !outcome.left_out.is_empty() {
        text += &format!("not imported: {}\n", some(outcome.left_out.iter().map(|(module, _)| module.as_str())));
    }
    text + &end(outcome)
}

/// Whether the controls were found.
pub fn controls(python: &str, outcome: &Outcome, checked: &Checked) -> String {
    let mut text = format!("controls on {python}: {} of {}\n", checked.right, checked.all);
    for wrong in &checked.wrong {
        text += &format!("  {wrong}\n");
    }
    text + &end(outcome)
}

fn head(python: &str, outcome: &Outcome) -> String {
    let name = |(name, version): &(String, String)| format!("{name} {version}").trim_end().to_owned();
    let names: Vec<String> = outcome.packages.iter().map(name).collect();
    let threads = match outcome.threads {
        0 | 1 => String::new(),
        n => format!(", {} threads stand still in copies", n - 1),
    };
    let Outcome { types, seen, audited, inconclusive, .. } = outcome;
    let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    format!(
        "{names} on {python}: {types} C types, {seen} seen, {audited} objects audited, {inconclusive} inconclusive{threads}\n"
    )
}

fn end(outcome: &Outcome) -> String {
    match &outcome.end {
        End::Whole => String::new(),
        End::BadInput(why) => format!("error: {why}\n"),
        End::Died(why) => format!("ended early: {why}\n"),
    }
}

fn some<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    match names.len() {
        0..=NAMED => names.join(", "),
        n => format!("{} and {} more", names[..NAMED].join(", "), n - NAMED),
    }
}

fn line(finding: &Finding) -> String {
    let Finding { type_name, severity, proof, owned, visits, seen_in, of, .. } = finding;
    let mut what = String::new();
    if let Some(target) = &finding.target {
        let place = finding.place.as_ref().map_or_else(String::new, |place| format!("{place} "));
        what = format!("  {place}-> {target}");
    }
    let mut how = proof.word().to_owned();
    if finding.target.is_some() && (*owned, *visits) != (0, 0) {
        how += &format!(": death releases {owned}, traverse reports {visits}");
    }
    if let Some(made) = &finding.made {
        let short = type_name.rsplit('.').next().unwrap_or(type_name);
        how += &format!("; made by {short}{made}");
    }
    let also = match finding.inherited_by.len() {
        0 => String::new(),
        _ => format!("; also {}", some(finding.inherited_by.iter().map(String::as_str))),
    };
    let mark = match severity {
        Severity::Memory | Severity::Leak => severity.word().to_owned(),
        other => format!("({})", other.word()),
    };
    format!("{:<18} {mark:<8} {type_name}{what}  [{how}] ({seen_in} of {of}){also}\n", finding.fault.word())
}
