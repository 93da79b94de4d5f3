//! The page that a comparison in lockstep ends with: interpreters across, counts down, then the differences.

use std::fmt::{self, Write};
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::json::{Report, Subject};
use super::style::{Style, UNVERIFIED, count, grouped, quoted};
use crate::cpython::lockstep::{Finding, Looseness, Outcome, Plan, Tally};
use crate::event::Undefined;

/// Everything that the page shows.
#[derive(Clone, Copy, Debug)]
pub struct Page<'p> {
    /// What was asked for.
    pub plan: &'p Plan,
    /// What came out.
    pub outcome: &'p Outcome,
    /// Where each finding was written, in the same order.
    pub files: &'p [PathBuf],
}

/// A table with a column for each interpreter: titles of the columns, then names of the lines with their cells. Broken
/// into blocks of at most `width` columns.
pub fn matrix(titles: &[String], lines: &[(String, Vec<String>)], width: usize, style: Style) -> String {
    let left = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let size = |at: usize| {
        let cells = lines.iter().filter_map(|(_, cells)| cells.get(at)).chain(titles.get(at));
        cells.map(|c| c.chars().count()).max().unwrap_or(0) + 2
    };
    let mut out = String::new();
    let mut at = 0;
    while at < titles.len() {
        let mut end = at;
        let mut used = left;
        while end < titles.len() && (end == at || used + size(end) <= width) {
            used += size(end);
            end += 1;
        }
        if at > 0 {
            out.push('\n');
        }
        let row = |name: &str, cells: &[String]| {
            let mut line = format!("{name:left$}");
            for (i, cell) in cells.iter().enumerate() {
                let _ = write!(line, "{cell:>0$}", size(at + i));
            }
            line.trim_end().to_owned()
        };
        out += &style.head(&row("", &titles[at..end]));
        out.push('\n');
        for (name, cells) in lines {
            out += &row(name, &cells[at.min(cells.len())..end.min(cells.len())]);
            out.push('\n');
        }
        at = end;
    }
    out
}

/// The page as text of at most `width` columns, where names of files allow.
pub fn text(page: &Page<'_>, width: usize, color: bool) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_page(&mut out, page, width, Style { color });
    out
}

fn write_page(out: &mut String, page: &Page<'_>, width: usize, style: Style) -> fmt::Result {
    let Page { plan, outcome, .. } = page;
    let (seed, profiles, size) = (plan.draw.seed, plan.draw.profile_names(), plan.draw.size.word());
    writeln!(out, "{} seed {seed}, profile {profiles}, size {size}", style.head("coroner diff"))?;
    let runs: u64 = outcome.part.tallies.iter().map(|t| t.scenarios).sum();
    let seconds = outcome.took.as_secs_f64();
    writeln!(
        out,
        "{} on {} in {seconds:.1} s ({} per second); digest {:016x}\n",
        count(runs, "run"),
        count(plan.targets.len() as u64, "interpreter"),
        grouped((runs as f64 / seconds.max(1e-6)) as u64),
        outcome.part.digest(),
    )?;
    let titles: Vec<String> =
        plan.targets.iter().map(|t| t.interpreter.name().trim_start_matches("python-").to_owned()).collect();
    out.push_str(&matrix(&titles, &lines(page), width, style));
    for skipped in &outcome.skipped {
        let name = plan.targets[skipped.target].interpreter.name();
        writeln!(out, "{} {name}: {}", style.note("skipped"), skipped.why)?;
    }
    if plan.targets.iter().any(|t| !t.collector.verified) {
        writeln!(out, "* {UNVERIFIED}: no interpreter has confirmed this row yet")?;
    }
    for looseness in Looseness::ALL {
        if outcome.part.tallies.iter().any(|t| t.loose[looseness as usize] > 0) {
            writeln!(out, "{}: {}", looseness.word(), looseness.reason())?;
        }
    }
    for (target, n) in &outcome.part.unstable {
        let name = plan.targets[*target].interpreter.name();
        writeln!(out, "{} {name}: scenario {n} went otherwise in a fresh process", style.bad("unstable"))?;
    }
    if outcome.part.tallies.iter().all(Tally::agrees) {
        return writeln!(out, "\nmodel and interpreters agree");
    }
    for (finding, file) in outcome.findings.iter().zip(page.files) {
        let (kind, name) = (finding.difference.kind, &finding.interpreter);
        let objects = count(finding.objects.into(), "object");
        writeln!(out, "\n{} {name}, scenario {}: {kind}, {objects}", style.bad("differs"), finding.number)?;
        writeln!(out, "    {}", finding.sentence())?;
        let release = plan.targets[finding.target].interpreter.release;
        let command = format!("coroner replay {} --python {release}", quoted(&file.to_string_lossy()));
        writeln!(out, "    {}", style.command(&command))?;
    }
    Ok(())
}

/// The lines of the table; lines of zeros are left out, but not the first.
fn lines(page: &Page<'_>) -> Vec<(String, Vec<String>)> {
    let tallies = &page.outcome.part.tallies;
    let rows = page.plan.targets.iter().map(|t| {
        let star = if t.collector.verified { "" } else { "*" };
        format!("{}{star}", t.collector.name.trim_start_matches("cpython-"))
    });
    let mut lines = vec![("row".to_owned(), rows.collect())];
    let mut add = |always: bool, name: String, of: &dyn Fn(&Tally) -> u64| {
        if always || tallies.iter().any(|t| of(t) > 0) {
            lines.push((name, tallies.iter().map(|t| grouped(of(t))).collect()));
        }
    };
    add(true, "scenarios".to_owned(), &|t| t.scenarios);
    add(true, "same".to_owned(), &|t| t.same);
    add(true, "differ".to_owned(), &|t| t.differ);
    add(true, "crashed".to_owned(), &|t| t.crashed);
    add(false, "limit reached".to_owned(), &|t| t.limited);
    for (i, reason) in Undefined::ALL.iter().enumerate() {
        add(false, format!("undefined: {reason:?}"), &|t| t.undefined[i]);
    }
    for what in reasons(tallies) {
        add(false, format!("unsupported: {what}"), &|t| t.unsupported.get(&what).copied().unwrap_or(0));
    }
    for looseness in Looseness::ALL {
        add(false, looseness.word().to_owned(), &|t| t.loose[looseness as usize]);
    }
    let sample = format!("run in a fresh process too (1 in {})", page.plan.sample);
    add(false, sample, &|t| t.sampled);
    add(false, "unstable".to_owned(), &|t| t.unstable);
    lines
}

fn reasons(tallies: &[Tally]) -> Vec<String> {
    let mut all: Vec<String> = tallies.iter().flat_map(|t| t.unsupported.keys().cloned()).collect();
    all.sort();
    all.dedup();
    all
}

/// The result for programs.
pub fn json(page: &Page<'_>, exit: u8, repeat: &str) -> Report {
    let Page { plan, outcome, files } = page;
    let mut report = Report::new("diff", exit);
    report.digest = Some(format!("{:016x}", outcome.part.digest()));
    report.scenarios = outcome.part.tallies.iter().map(|t| t.scenarios).max();
    let pairs = || plan.targets.iter().zip(&outcome.part.tallies);
    let subject = |(target, tally): (&crate::cpython::lockstep::Target, &Tally)| Subject {
        name: target.interpreter.name(),
        verified: target.collector.verified,
        digest: format!("{:016x}", tally.digest),
        violations: Default::default(),
        known: Default::default(),
        differential: 0,
    };
    report.subjects = Some(pairs().map(subject).collect());
    report.findings = Some(Vec::new());
    report.repeat = Some(repeat.to_owned());
    let counts: Vec<Value> = pairs().map(|(t, tally)| counts(t, tally)).collect();
    report.result.insert("interpreters".to_owned(), counts.into());
    let differences: Vec<Value> = outcome.findings.iter().map(|f| difference(plan, f)).collect();
    report.result.insert("differences".to_owned(), differences.into());
    let timing = &mut report.timing;
    timing.insert("seconds".to_owned(), outcome.took.as_secs_f64().into());
    timing.insert("jobs".to_owned(), plan.jobs.into());
    timing.insert("files".to_owned(), files.iter().map(|f| f.to_string_lossy().into_owned()).collect());
    let programs = plan.targets.iter().map(|t| t.interpreter.program.to_string_lossy().into_owned());
    timing.insert("programs".to_owned(), programs.collect());
    let skipped = outcome.skipped.iter().map(|s| {
        let name = plan.targets[s.target].interpreter.name();
        json!({ "interpreter": name, "why": s.why })
    });
    timing.insert("skipped".to_owned(), skipped.collect());
    report
}

fn counts(target: &crate::cpython::lockstep::Target, tally: &Tally) -> Value {
    let undefined: Map<String, Value> = Undefined::ALL
        .iter()
        .zip(tally.undefined)
        .filter(|(_, n)| *n > 0)
        .map(|(reason, n)| (format!("{reason:?}"), n.into()))
        .collect();
    let loose: Map<String, Value> =
        Looseness::ALL.iter().zip(tally.loose).map(|(l, n)| (l.word().to_owned(), n.into())).collect();
    json!({
        "interpreter": target.interpreter.name(),
        "debug": target.interpreter.debug,
        "collector": target.collector.name,
        "verified": target.collector.verified,
        "scenarios": tally.scenarios,
        "same": tally.same,
        "differ": tally.differ,
        "crashed": tally.crashed,
        "limited": tally.limited,
        "undefined": undefined,
        "unsupported": tally.unsupported,
        "loose": loose,
        "sampled": tally.sampled,
        "unstable": tally.unstable,
    })
}

fn difference(plan: &Plan, finding: &Finding) -> Value {
    json!({
        "interpreter": finding.interpreter,
        "collector": finding.collector,
        "kind": finding.difference.kind.to_string(),
        "phase": finding.difference.phase.word(),
        "step": finding.difference.step,
        "at": finding.difference.at,
        "model": finding.difference.model.iter().map(|e| format!("{e:?}")).collect::<Vec<_>>(),
        "real": finding.difference.real.iter().map(|e| format!("{e:?}")).collect::<Vec<_>>(),
        "objects": finding.objects,
        "scenario": finding.number,
        "minimal": finding.claim.is_minimal(),
        "file": finding.file_name(),
        "repeat": finding.repeat(plan),
    })
}
