//! The page that a campaign ends with: a verdict, what is new, what is known in a line per bug, what to do next.

mod crashes;
mod ends;
mod known_bugs;
mod matrix;
mod new_findings;
mod other_classes;
mod reached;
mod verdict_line;

use std::fmt::{self, Write};
use std::path::Path;

use super::run_counts::{self, Word};
use super::style::{Style, count, grouped, quoted};
use crate::campaign::{JudgedOutcome, ViolationKey};
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
    /// The table of all classes, their findings and what the runs reached are shown too.
    pub all: bool,
}

impl Shown {
    /// True if a kind of violation is one of those that the page is about.
    fn shows(self, key: ViolationKey) -> bool {
        self.all || key.counts(self.strict) || key.verdict() == Some(Verdict::Known)
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

    /// The findings that are ends of interpreters, each with its key.
    pub fn crashes(&self) -> impl Iterator<Item = &(ViolationKey, Finding)> {
        self.outcome.findings.iter().filter(|(key, _)| !matches!(key, ViolationKey::Violation { .. }))
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

    /// True if some kind of finding sets the exit code.
    fn has_news(&self) -> bool {
        self.outcome.part.kinds.keys().any(|key| key.counts(self.shown.strict))
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
    verdict_line::write(out, page, style)?;
    crashes::write(out, page, width, style)?;
    new_findings::write(out, page, width, style)?;
    if page.shown.all || page.has_news() {
        matrix::write(out, page, width, style)?;
    }
    known_bugs::write(out, page, width, style)?;
    if page.shown.all {
        reached::write(out, page, style)?;
        other_classes::list(out, page, style)?;
    }
    let mut rest = String::new();
    other_classes::count_kinds(&mut rest, page, style)?;
    ends::write(&mut rest, page, style)?;
    store(&mut rest, page.outcome.waiting, &page.outcome.bugs, page.out, style)?;
    next(&mut rest, page, style)?;
    if !rest.is_empty() {
        write!(out, "\n{rest}")?;
    }
    Ok(())
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
    let total = count(bugs.total(), "reduced scenario");
    writeln!(out, "{} has {total}: {}", quoted(&root.to_string_lossy()), states.join(", "))
}

/// What to do next, where nothing asks for it: the same on what was not tried yet.
fn next(out: &mut String, page: &CampaignReport<'_>, style: Style) -> fmt::Result {
    if page.has_news() || page.interrupted || page.not_compared().is_some() {
        return Ok(());
    }
    match page.about.command.as_str() {
        "run" => {
            let command = style.command("coroner test --python all");
            writeln!(out, "next: {command}    the same on the interpreters of this machine")
        }
        "test" => {
            let command = style.command("coroner diff --python all");
            writeln!(out, "next: {command}    event by event beside the model")
        }
        _ => Ok(()),
    }
}
