//! Collectors by invariants: neighbours that are alike share a line.

use std::fmt::{self, Write};

use super::CampaignReport;
use crate::campaign::JudgedCounts;
use crate::findings::{SubjectIdentity, Verdict};
use crate::invariant::Invariant;
use crate::report::text::style::{ATTESTED, Style, UNVERIFIED, mark};

pub(super) fn write(out: &mut String, page: &CampaignReport<'_>, width: usize, style: Style) -> fmt::Result {
    let (subjects, tallies) = (&page.about.subjects, &page.outcome.part.tallies);
    let has_mark = |invariant: Invariant, tally: &JudgedCounts| marks(page, tally, invariant).next().is_some();
    let columns: Vec<Invariant> =
        Invariant::ALL.iter().copied().filter(|i| tallies.iter().any(|tally| has_mark(*i, tally))).collect();
    if columns.is_empty() {
        return Ok(());
    }
    let mut lines: Vec<(Vec<&SubjectIdentity>, Vec<String>)> = Vec::new();
    for (subject, tally) in subjects.iter().zip(tallies) {
        let cells: Vec<String> =
            columns.iter().map(|invariant| marks(page, tally, *invariant).map(Verdict::mark).collect()).collect();
        match lines.last_mut() {
            Some((group, before)) if *before == cells => group.push(subject),
            _ => lines.push((vec![subject], cells)),
        }
    }
    let names: Vec<String> = lines.iter().map(|(group, _)| name(group)).collect();
    let left = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let sizes: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(at, invariant)| {
            let cells = lines.iter().map(|(_, cells)| cells[at].len());
            cells.chain([invariant.code().len()]).max().unwrap_or(0) + 1
        })
        .collect();
    let mut from = 0;
    while from < columns.len() {
        let mut used = left;
        let fits = |size: &&usize| {
            used += **size;
            used <= width
        };
        let to = from + sizes[from..].iter().take_while(fits).count().max(1);
        let heads: String = (from..to).map(|at| format!(" {:<1$}", columns[at].code(), sizes[at] - 1)).collect();
        writeln!(out, "\n{:left$}{}", "", style.head(heads.trim_end()))?;
        for ((_, cells), name) in lines.iter().zip(&names) {
            let mut line = format!("{name:left$}");
            for at in from..to {
                let _ = write!(line, " {}{:2$}", painted(&cells[at], style), "", sizes[at] - 1 - cells[at].len());
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        from = to;
    }
    let is_marked =
        |verdict: &Verdict| lines.iter().flat_map(|(_, cells)| cells).any(|cell| cell.contains(verdict.mark()));
    let legend = Verdict::ALL.into_iter().filter(is_marked).map(|v| format!("{} {}", v.mark(), v.meaning()));
    let mut legend: Vec<String> = legend.collect();
    if subjects.iter().any(|subject| !subject.verified) {
        legend.push(format!("* {UNVERIFIED}"));
    }
    if subjects.iter().any(|subject| mark(&subject.name, subject.verified) == ATTESTED) {
        legend.push(format!("+ {ATTESTED}"));
    }
    writeln!(out, "{}", style.faint(&legend.join("   ")))?;
    if page.shown.all {
        for invariant in columns {
            let promised = if invariant.promised() { "" } else { " (no text promises it)" };
            writeln!(out, "  {:<5}{}{promised}", invariant.code(), invariant.name())?;
        }
    }
    Ok(())
}

/// What a collector has in a column.
fn marks<'t>(
    page: &'t CampaignReport<'_>,
    tally: &'t JudgedCounts,
    of: Invariant,
) -> impl Iterator<Item = Verdict> + 't {
    Verdict::ALL.into_iter().filter(move |v| tally.count(*v, of) > 0 && page.shown.marks(*v, of))
}

/// The name of collectors that are alike; a star for those that no interpreter confirmed, a plus for those that somebody
/// else has compared.
fn name(group: &[&SubjectIdentity]) -> String {
    let sign = |subject: &SubjectIdentity| match mark(&subject.name, subject.verified) {
        UNVERIFIED => "*",
        ATTESTED => "+",
        _ => "",
    };
    let one = |subject: &SubjectIdentity| format!("{}{}", subject.name, sign(subject));
    match group {
        [] => String::new(),
        [only] => one(only),
        [first, .., last] => format!("{} - {}", one(first), one(last).trim_start_matches("cpython-")),
    }
}

fn painted(cell: &str, style: Style) -> String {
    let paint = |mark: char| match mark {
        c if c == Verdict::New.mark() => style.bad(&c.to_string()),
        c if c == Verdict::Known.mark() => style.note(&c.to_string()),
        c => style.faint(&c.to_string()),
    };
    cell.chars().map(paint).collect()
}
