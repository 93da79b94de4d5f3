//! The page that a campaign ends with: collectors by invariants, what was reached, what was found.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::path::PathBuf;

use super::style::{Style, UNVERIFIED, count, grouped, quoted, subject};
use crate::campaign::{Fatal, Finding, Outcome, Plan, Tally, Verdict};
use crate::collector::{Collector, Row};
use crate::invariant::Invariant;

/// Everything that the page shows.
#[derive(Clone, Copy, Debug)]
pub struct Page<'p> {
    /// The command: `run` or `test`.
    pub command: &'static str,
    /// What was asked for.
    pub plan: &'p Plan,
    /// What came out.
    pub outcome: &'p Outcome,
    /// Where each finding was written, in the same order, then each crash.
    pub files: &'p [PathBuf],
    /// Every violation counts.
    pub strict: bool,
}

/// The page as text of at most `width` columns, where names of collectors and files allow.
pub fn text(page: &Page<'_>, width: usize, color: bool) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_page(&mut out, page, width, Style { color });
    out
}

fn write_page(out: &mut String, page: &Page<'_>, width: usize, style: Style) -> fmt::Result {
    heading(out, page, style)?;
    table(out, page, width, style)?;
    reached(out, page, style)?;
    findings(out, page, style)?;
    endings(out, page, style)
}

/// What became of the runs of real interpreters that did not end with the last event.
fn endings(out: &mut String, page: &Page<'_>, style: Style) -> fmt::Result {
    for (collector, tally) in page.plan.collectors.iter().zip(&page.outcome.part.tallies) {
        let counts = [
            (tally.crashed, "the interpreter died"),
            (tally.limited, "a limit of time or memory was reached"),
            (tally.undefined, "behaviour was undefined, not judged further"),
            (tally.teardown, "the interpreter died after the last event, when leftovers were dropped"),
        ];
        for (number, what) in counts.into_iter().filter(|(number, _)| *number > 0) {
            writeln!(out, "{}: in {} {what}", collector.name, count(number, "scenario"))?;
        }
        for (what, number) in &tally.unsupported {
            writeln!(out, "{}: {} not run: {what}", collector.name, count(*number, "scenario"))?;
        }
    }
    for (crash, file) in page.outcome.crashes.iter().zip(page.files.iter().skip(page.outcome.findings.len())) {
        let objects = count(crash.objects.into(), "object");
        let word = match crash.fatal {
            Fatal::Crash => "crash",
            Fatal::Limit => "limit",
        };
        writeln!(out, "{} {}: {}, {objects}", style.bad(word), crash.collector, crash.how)?;
        let file = quoted(&file.to_string_lossy());
        let replay = format!("coroner replay {file} --collector {}", crash.collector);
        writeln!(out, "    {}", style.command(&replay))?;
    }
    if page.outcome.unconfirmed > 0 {
        let kinds = count(page.outcome.unconfirmed as u64, "kind");
        writeln!(out, "{} {kinds} of findings did not occur again in a fresh process", style.bad("unconfirmed"))?;
    }
    Ok(())
}

fn heading(out: &mut String, page: &Page<'_>, style: Style) -> fmt::Result {
    let Page { plan, outcome, .. } = page;
    let (seed, profiles, size) = (plan.draw.seed, plan.draw.profile_names(), plan.draw.size.word());
    writeln!(out, "{} seed {seed}, profile {profiles}, size {size}", style.head(&format!("coroner {}", page.command)))?;
    let runs = outcome.part.scenarios * plan.collectors.len() as u64;
    let rate = runs as f64 / outcome.took.as_secs_f64().max(1e-6);
    writeln!(
        out,
        "{} scenarios on {} in {:.1} s ({} runs per second); digest {:016x}",
        grouped(outcome.part.scenarios),
        count(plan.collectors.len() as u64, "collector"),
        outcome.took.as_secs_f64(),
        grouped(rate as u64),
        outcome.part.digest(),
    )
}

fn table(out: &mut String, page: &Page<'_>, width: usize, style: Style) -> fmt::Result {
    let (plan, tallies) = (page.plan, &page.outcome.part.tallies);
    let broken = |i: &&Invariant| tallies.iter().any(|t| Verdict::ALL.iter().any(|v| t.count(*v, **i) > 0));
    let columns: Vec<Invariant> = Invariant::ALL.iter().filter(broken).copied().collect();
    let unverified = plan.collectors.iter().any(|c| !c.verified);
    let name_width = plan.collectors.iter().map(|c| c.name.len()).max().unwrap_or(0);
    let left = name_width + if unverified { 1 + UNVERIFIED.len() } else { 0 };
    if columns.is_empty() {
        writeln!(out, "\nno violations on:")?;
    }
    let per_block = (width.saturating_sub(left + 1) / CELL).max(1);
    let blocks: Vec<&[Invariant]> = if columns.is_empty() { vec![&[]] } else { columns.chunks(per_block).collect() };
    for block in blocks {
        if !block.is_empty() {
            let heads: String = block.iter().map(|i| format!(" {:<1$}", i.code(), CELL - 1)).collect();
            writeln!(out, "\n{:left$}{}", "", style.head(heads.trim_end()))?;
        }
        for (collector, tally) in plan.collectors.iter().zip(tallies) {
            let mark = if collector.verified { "" } else { UNVERIFIED };
            let mut line = format!("{:name_width$}", collector.name);
            if unverified {
                line += &style.faint(&format!(" {mark:<0$}", UNVERIFIED.len()));
            }
            for invariant in block {
                let (marks, len) = cell(tally, *invariant, style);
                let _ = write!(line, " {marks}{:1$}", "", CELL - 1 - len);
            }
            writeln!(out, "{}", line.trim_end())?;
        }
    }
    if !columns.is_empty() {
        let legend: Vec<String> = Verdict::ALL.iter().map(|v| format!("{} {}", v.mark(), v.meaning())).collect();
        writeln!(out, "{}", style.faint(&legend.join("   ")))?;
        for invariant in columns {
            let promised = if invariant.promised() { "" } else { " (CPython never promised it)" };
            writeln!(out, "  {:<5}{}{promised}", invariant.code(), invariant.name())?;
        }
    }
    Ok(())
}

/// Width of a column, the space before it included.
const CELL: usize = 6;

/// The marks of a cell, and how many there are.
fn cell(tally: &Tally, invariant: Invariant, style: Style) -> (String, usize) {
    let mut marks = String::new();
    let mut len = 0;
    for verdict in Verdict::ALL.into_iter().filter(|v| tally.count(*v, invariant) > 0) {
        let mark = verdict.mark().to_string();
        marks += &match verdict {
            Verdict::New => style.bad(&mark),
            Verdict::Known => style.note(&mark),
            _ => style.faint(&mark),
        };
        len += 1;
    }
    (marks, len)
}

/// All counts of what the runs reached, in two columns.
fn reached(out: &mut String, page: &Page<'_>, style: Style) -> fmt::Result {
    let reached = page.outcome.part.reached();
    let runs = reached.runs.max(1) as f64;
    let lines: Vec<String> = reached
        .fields()
        .map(|(name, count)| {
            let per_run = count as f64 / runs;
            format!("{:<25}{:>15} {:>8}", name.replace('_', " "), grouped(count), format!("{per_run:.3}"))
        })
        .collect();
    let half = lines.len().div_ceil(2);
    writeln!(out, "\n{}", style.head("reached, in all runs and per run"))?;
    for (i, left) in lines.iter().take(half).enumerate() {
        let right = lines.get(half + i).map_or("", String::as_str);
        writeln!(out, "{}", format!("{left}  {right}").trim_end())?;
    }
    Ok(())
}

fn findings(out: &mut String, page: &Page<'_>, style: Style) -> fmt::Result {
    let findings = &page.outcome.findings;
    if findings.is_empty() {
        return writeln!(out, "\nnothing found");
    }
    let mut groups: BTreeMap<(Verdict, Invariant), Vec<usize>> = BTreeMap::new();
    for (i, finding) in findings.iter().enumerate() {
        groups.entry((finding.key.verdict, finding.key.invariant)).or_default().push(i);
    }
    let heading = format!("found: {} (the smallest of each kind)", count(findings.len() as u64, "reduced scenario"));
    writeln!(out, "\n{}", style.head(&heading))?;
    for ((verdict, invariant), members) in groups {
        let smallest = |i: &usize| (findings[*i].objects, findings[*i].scenario.ops().len(), *i);
        let Some(best) = members.iter().copied().min_by_key(smallest) else { continue };
        let collectors = distinct(members.iter().map(|i| &findings[*i]));
        let mark = match verdict {
            Verdict::New => style.bad(&verdict.mark().to_string()),
            _ => verdict.mark().to_string(),
        };
        let (class, all) = (verdict.meaning(), count(collectors.len() as u64, "collector"));
        let finding = &findings[best];
        let objects = count(finding.objects.into(), "object");
        let file = page.files.get(best).map(|file| quoted(&file.to_string_lossy()));
        writeln!(out, "{mark} {} {}: {class}, on {all}", invariant.code(), invariant.name())?;
        if verdict == Verdict::Known
            && let Some(known) = page.plan.baseline.knows(&row_of(&finding.collector), invariant)
        {
            writeln!(out, "    {} (regressions/{})", known.reason, known.regression)?;
        }
        if verdict != Verdict::New && !page.strict {
            writeln!(out, "    {objects}: {}", style.faint(file.as_deref().unwrap_or_default()))?;
            continue;
        }
        let sentence = finding.sentence.split_once("): ").map_or(finding.sentence.as_str(), |(_, rest)| rest);
        writeln!(out, "    {}, {objects}: {sentence}", subject(&finding.collector, finding.verified))?;
        if let Some(file) = file {
            let (collector, strict) = (&finding.collector, finding.strict());
            let replay = format!("coroner replay {file} --collector {collector}{strict}");
            let explain = format!("coroner explain {file} --collector {collector}");
            writeln!(out, "    {}\n    {}", style.command(&replay), style.command(&explain))?;
        }
    }
    Ok(())
}

/// The row that a collector is, or is a variant of.
fn row_of(collector: &str) -> String {
    let parsed = Collector::parse(collector).ok();
    let row = parsed.and_then(|c| Row::covering(c.release));
    row.map_or_else(|| collector.to_owned(), Row::name)
}

/// The names of the collectors of some findings, each once.
fn distinct<'f>(findings: impl Iterator<Item = &'f Finding>) -> Vec<&'f str> {
    let mut names: Vec<&str> = findings.map(|f| f.collector.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}
