//! The page that a campaign ends with: collectors by invariants, what was reached, what was found.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::path::Path;

use super::run_counts::{self, WITHOUT_LISTS, Word};
use super::style::{Style, UNVERIFIED, count, grouped, mark, quoted, subject};
use crate::campaign::{JudgedCounts, JudgedOutcome, ViolationKey};
use crate::findings::{Baseline, CampaignIdentity, Finding, RunCounts, State, Summary, Verdict};

use crate::invariant::Invariant;

/// Everything that the page shows.
#[derive(Clone, Copy, Debug)]
pub struct CampaignReport<'p> {
    /// What the campaign is.
    pub about: &'p CampaignIdentity,
    /// What came out.
    pub outcome: &'p JudgedOutcome,
    /// What is known.
    pub baseline: &'p Baseline,
    /// Where findings were written.
    pub out: &'p Path,
    /// Which violations count, and which are shown.
    pub shown: Shown,
    /// A signal ended the campaign early.
    pub interrupted: bool,
    /// The command that does the same, if there is one.
    pub repeat: Option<&'p str>,
}

/// Which violations set the exit code, and which are shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown {
    /// Every violation counts.
    pub strict: bool,
    /// Violations that are counted only are shown like the others.
    pub all: bool,
}

impl Shown {
    fn shows(self, key: ViolationKey) -> bool {
        self.all || !key.is_hidden(self.strict)
    }

    /// The same for all violations of a kind in the table.
    fn marks(self, verdict: Verdict, invariant: Invariant) -> bool {
        self.shows(ViolationKey::Violation { verdict, invariant, collector: 0, phase: None, sibling: 0 })
    }
}

impl CampaignReport<'_> {
    /// The findings that are violations, each with its key.
    pub fn violations(&self) -> impl Iterator<Item = &(ViolationKey, Finding)> {
        self.outcome.findings.iter().filter(|(key, _)| matches!(key, ViolationKey::Violation { .. }))
    }

    /// How all runs ended.
    pub fn run_counts(&self) -> RunCounts {
        self.outcome.part.tallies.iter().fold(RunCounts::default(), |mut all, tally| {
            all.add(&tally.run_counts());
            all
        })
    }

    /// Says on whom too little was judged, and why; nothing if it was enough everywhere.
    pub fn not_compared(&self) -> Option<String> {
        let subjects = self.about.subjects.iter().zip(&self.outcome.part.tallies).map(|(subject, tally)| {
            let why = tally.unsupported.iter().map(|(what, number)| (what.as_str(), *number));
            (subject.name.as_str(), (tally.run_counts(), why.collect()))
        });
        run_counts::not_compared(subjects, |runs| self.about.meant_undefined(runs), Word::Judged)
    }

    /// The findings that are ends of interpreters, each with its key.
    pub fn crashes(&self) -> impl Iterator<Item = &(ViolationKey, Finding)> {
        self.outcome.findings.iter().filter(|(key, _)| !matches!(key, ViolationKey::Violation { .. }))
    }
}

/// The page as text of at most `width` columns, where names of collectors and files allow.
pub fn text(page: &CampaignReport<'_>, width: usize, color: bool) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_page(&mut out, page, width, Style { color });
    out
}

fn write_page(out: &mut String, page: &CampaignReport<'_>, width: usize, style: Style) -> fmt::Result {
    heading(out, page, style)?;
    table(out, page, width, style)?;
    unpromised(out, page, style)?;
    reached(out, page, style)?;
    crashes(out, page, style)?;
    findings(out, page, style)?;
    endings(out, page, style)?;
    store(out, page.outcome.waiting, &page.outcome.bugs, page.out, style)?;
    let interrupted = if page.interrupted { "interrupted: " } else { "" };
    writeln!(out, "{interrupted}{}", run_counts::in_words(&page.run_counts(), Word::Judged))
}

/// What the store has, and what is left to be done.
pub(super) fn store(out: &mut String, waiting: usize, bugs: &Summary, root: &Path, style: Style) -> fmt::Result {
    if waiting > 0 {
        let findings = count(waiting as u64, "finding");
        writeln!(out, "{} {findings} not reduced yet: --resume goes on", style.note("waiting"))?;
    }
    if bugs.total() == 0 {
        return Ok(());
    }
    let states = State::ALL.iter().filter_map(|state| Some((state, bugs.0.get(state)?)));
    let states: Vec<String> = states.map(|(state, number)| format!("{} {}", grouped(*number), state.word())).collect();
    let total = count(bugs.total(), "bug");
    writeln!(out, "{} has {total}: {}", quoted(&root.to_string_lossy()), states.join(", "))
}

/// What became of the runs of real interpreters that did not end with the last event.
fn endings(out: &mut String, page: &CampaignReport<'_>, style: Style) -> fmt::Result {
    for (collector, tally) in page.about.subjects.iter().zip(&page.outcome.part.tallies) {
        if collector.without_lists {
            let runs = count(tally.run_counts().runs, "run");
            writeln!(out, "{}: {WITHOUT_LISTS} ({runs})", collector.name)?;
        }
        let counts = [
            (tally.crashed, "the interpreter died"),
            (tally.limited, "a limit of time or memory was reached"),
            (tally.undefined - tally.died_where_undefined, "behaviour was undefined, not judged further"),
            (tally.died_where_undefined, "the interpreter died where behaviour was undefined"),
            (tally.teardown, "the interpreter died after the last event, when leftovers were dropped"),
        ];
        for (number, what) in counts.into_iter().filter(|(number, _)| *number > 0) {
            writeln!(out, "{}: in {} {what}", collector.name, count(number, "scenario"))?;
        }
        for (what, number) in &tally.unsupported {
            writeln!(out, "{}: {} not run: {what}", collector.name, count(*number, "scenario"))?;
        }
    }
    if page.outcome.unconfirmed > 0 {
        let kinds = count(page.outcome.unconfirmed as u64, "kind");
        writeln!(out, "{} {kinds} of findings did not occur again in a fresh process", style.bad("unconfirmed"))?;
    }
    Ok(())
}

/// What interpreters died of, and what they did not come to the end of.
fn crashes(out: &mut String, page: &CampaignReport<'_>, style: Style) -> fmt::Result {
    for (at, (key, crash)) in page.crashes().enumerate() {
        let verdict = key.verdict();
        let counts = key.counts(page.shown.strict);
        let meaning = match verdict {
            None => String::new(),
            Some(Verdict::Known) => ", known".to_owned(),
            Some(other) => format!(", {}", other.meaning()),
        };
        let bug = key.known_bug().and_then(|bug| page.baseline.bugs().get(bug));
        let bug = bug.map_or_else(String::new, |bug| format!("{}: ", bug.describe()));
        let word = if counts { style.bad(&crash.what.code) } else { style.note(&crash.what.code) };
        let scenarios = page.outcome.part.kinds.get(key).map_or(0, |seen| seen.count);
        let (on, scenarios) = (&crash.subject, count(scenarios, "scenario"));
        let line_before = if at == 0 { "\n" } else { "" };
        writeln!(out, "{line_before}{word}{meaning}, on {on}, in {scenarios}: {bug}{}", crash.sentence)?;
        let objects = count(crash.objects.into(), "object");
        let file = quoted(&JudgedOutcome::file(page.out, crash).to_string_lossy());
        if counts {
            let replay = format!("coroner replay {file} --collector {}", quoted(on));
            writeln!(out, "    {objects}: {}", style.command(&replay))?;
        } else {
            writeln!(out, "    {objects}: {}", style.faint(&file))?;
        }
    }
    Ok(())
}

fn heading(out: &mut String, page: &CampaignReport<'_>, style: Style) -> fmt::Result {
    let CampaignReport { about, outcome, .. } = page;
    let CampaignIdentity { command, seed, profiles, size, subjects, .. } = about;
    let profiles = profiles.join(",");
    writeln!(out, "{} seed {seed}, profile {profiles}, size {size}", style.head(&format!("coroner {command}")))?;
    let runs = outcome.part.scenarios * subjects.len() as u64;
    let seconds = outcome.timing.running.as_secs_f64();
    writeln!(
        out,
        "{} on {} in {seconds:.1} s ({} runs per second); digest {:016x}",
        count(outcome.part.scenarios, "scenario"),
        count(subjects.len() as u64, "collector"),
        grouped((runs as f64 / seconds.max(1e-6)) as u64),
        outcome.part.digest(),
    )
}

fn table(out: &mut String, page: &CampaignReport<'_>, width: usize, style: Style) -> fmt::Result {
    let (subjects, tallies) = (&page.about.subjects, &page.outcome.part.tallies);
    let broken = |i: &&Invariant| {
        let counted = |t: &JudgedCounts| Verdict::ALL.iter().any(|v| t.count(*v, **i) > 0 && page.shown.marks(*v, **i));
        tallies.iter().any(counted)
    };
    let columns: Vec<Invariant> = Invariant::ALL.iter().filter(broken).copied().collect();
    let marked = subjects.iter().any(|c| !mark(&c.name, c.verified).is_empty());
    let name_width = subjects.iter().map(|c| c.name.len()).max().unwrap_or(0);
    let left = name_width + if marked { 1 + UNVERIFIED.len() } else { 0 };
    if columns.is_empty() {
        writeln!(out, "\nno violations{} on:", if counts_unpromised(page) { " that anybody promised" } else { "" })?;
    }
    let per_block = (width.saturating_sub(left + 1) / CELL).max(1);
    let blocks: Vec<&[Invariant]> = if columns.is_empty() { vec![&[]] } else { columns.chunks(per_block).collect() };
    for block in blocks {
        if !block.is_empty() {
            let heads: String = block.iter().map(|i| format!(" {:<1$}", i.code(), CELL - 1)).collect();
            writeln!(out, "\n{:left$}{}", "", style.head(heads.trim_end()))?;
        }
        for (collector, tally) in subjects.iter().zip(tallies) {
            let mark = mark(&collector.name, collector.verified);
            let mut line = format!("{:name_width$}", collector.name);
            if marked {
                line += &style.faint(&format!(" {mark:<0$}", UNVERIFIED.len()));
            }
            for invariant in block {
                let (marks, len) = cell(tally, *invariant, page.shown, style);
                let _ = write!(line, " {marks}{:1$}", "", CELL - 1 - len);
            }
            writeln!(out, "{}", line.trim_end())?;
        }
    }
    if !columns.is_empty() {
        let legend: Vec<String> = Verdict::ALL.iter().map(|v| format!("{} {}", v.mark(), v.meaning())).collect();
        writeln!(out, "{}", style.faint(&legend.join("   ")))?;
        for invariant in columns {
            let promised = if invariant.promised() { "" } else { " (no text promises it)" };
            writeln!(out, "  {:<5}{}{promised}", invariant.code(), invariant.name())?;
        }
    }
    Ok(())
}

/// True if some scenario shows what neither side can cite a text for.
fn counts_unpromised(page: &CampaignReport<'_>) -> bool {
    page.outcome.part.tallies.iter().any(|tally| tally.unpromised > 0)
}

/// How often each collector did what neither side can cite a text for.
fn unpromised(out: &mut String, page: &CampaignReport<'_>, style: Style) -> fmt::Result {
    let pairs = page.about.subjects.iter().zip(&page.outcome.part.tallies);
    let counts: Vec<String> = pairs
        .filter(|(_, tally)| tally.unpromised > 0)
        .map(|(collector, tally)| format!("{} {}", collector.name, grouped(tally.unpromised)))
        .collect();
    if counts.is_empty() {
        return Ok(());
    }
    let hint = if page.shown.all || page.shown.strict { "" } else { "; --all shows them" };
    writeln!(out, "{}: scenarios for which no text speaks, on either side{hint}", style.note("unpromised"))?;
    for line in counts.chunks(4) {
        writeln!(out, "  {}", line.join(", "))?;
    }
    Ok(())
}

/// Width of a column, the space before it included.
const CELL: usize = 6;

/// The marks of a cell, and how many there are.
fn cell(tally: &JudgedCounts, invariant: Invariant, shown: Shown, style: Style) -> (String, usize) {
    let mut marks = String::new();
    let mut len = 0;
    for verdict in Verdict::ALL.into_iter().filter(|v| tally.count(*v, invariant) > 0 && shown.marks(*v, invariant)) {
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
fn reached(out: &mut String, page: &CampaignReport<'_>, style: Style) -> fmt::Result {
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
    let triples = page.outcome.part.triples();
    if !triples.is_empty() {
        let (reached, possible) = triples.share();
        let of = format!("{} of {} possible", grouped(reached), grouped(possible));
        writeln!(out, "triples of kind, phase and feature, in the sampled scenarios: {of}")?;
    }
    Ok(())
}

fn findings(out: &mut String, page: &CampaignReport<'_>, style: Style) -> fmt::Result {
    let findings: Vec<&(ViolationKey, Finding)> = page.violations().filter(|(key, _)| page.shown.shows(*key)).collect();
    if findings.is_empty() && page.crashes().next().is_some() {
        return Ok(());
    }
    if findings.is_empty() {
        let so_far = if page.interrupted || page.not_compared().is_some() { " so far" } else { "" };
        return writeln!(out, "\nnothing found{so_far}");
    }
    let mut groups: BTreeMap<(Verdict, Invariant, Option<usize>), Vec<&Finding>> = BTreeMap::new();
    for (key, record) in &findings {
        if let ViolationKey::Violation { verdict, invariant, .. } = key {
            groups.entry((*verdict, *invariant, key.known_bug())).or_default().push(record);
        }
    }
    let heading = format!("found: {} (the smallest of each kind)", count(findings.len() as u64, "reduced scenario"));
    writeln!(out, "\n{}", style.head(&heading))?;
    for ((verdict, invariant, bug), members) in groups {
        let Some(best) = members.iter().min_by_key(|record| (record.objects, record.operations)) else { continue };
        let collectors = distinct(members.iter().copied());
        let mark = match verdict {
            Verdict::New => style.bad(&verdict.mark().to_string()),
            _ => verdict.mark().to_string(),
        };
        let (class, all) = (verdict.meaning(), count(collectors.len() as u64, "collector"));
        let objects = count(best.objects.into(), "object");
        let file = quoted(&JudgedOutcome::file(page.out, best).to_string_lossy());
        writeln!(out, "{mark} {} {}: {class}, on {all}", invariant.code(), invariant.name())?;
        if let Some(known) = bug.and_then(|bug| page.baseline.bugs().get(bug)) {
            writeln!(out, "    {}", known.describe())?;
        }
        if verdict != Verdict::New && !page.shown.strict {
            writeln!(out, "    {objects}: {}", style.faint(&file))?;
            continue;
        }
        let sentence = best.sentence.split_once("): ").map_or(best.sentence.as_str(), |(_, rest)| rest);
        writeln!(out, "    {}, {objects}: {sentence}", subject(&best.subject, best.verified))?;
        let (collector, strict) = (&best.subject, if verdict == Verdict::New { "" } else { " --strict" });
        let replay = format!("coroner replay {file} --collector {collector}{strict}");
        let explain = format!("coroner explain {file} --collector {collector}");
        writeln!(out, "    {}\n    {}", style.command(&replay), style.command(&explain))?;
    }
    Ok(())
}

/// The names of the collectors of some findings, each once.
fn distinct<'f>(findings: impl Iterator<Item = &'f Finding>) -> Vec<&'f str> {
    let mut names: Vec<&str> = findings.map(|record| record.subject.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}
