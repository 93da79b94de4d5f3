//! The page that a comparison in lockstep ends with: interpreters across, counts down, then the differences.

use std::fmt::{self, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::difference_causes::{causes_json, causes_text};
use super::run_counts::{self, WITHOUT_LISTS, Word};
use super::style::{Style, UNVERIFIED, count, grouped, quoted};
use crate::campaign::CampaignOutcome;
use crate::diagnose::Causes;
use crate::event::Undefined;
use crate::findings::{CampaignIdentity, Finding, RunCounts, SubjectIdentity};

use crate::lockstep::{ComparedCounts, DifferenceKey, Looseness, Skipped};
use crate::report::json::{JsonReport, JsonRunCounts, JsonSubject, file, timing};
use crate::subject::NotObserved;

/// Everything that the page shows.
#[derive(Clone, Copy, Debug)]
pub struct LockstepReport<'p> {
    /// What the campaign is.
    pub about: &'p CampaignIdentity,
    /// What came out.
    pub outcome: &'p CampaignOutcome<ComparedCounts, DifferenceKey>,
    /// Targets that could not be used.
    pub skipped: &'p [Skipped],
    /// Where findings were written.
    pub out: &'p Path,
    /// A signal ended the campaign early.
    pub interrupted: bool,
    /// The command that does the same, if there is one.
    pub repeat: Option<&'p str>,
    /// What explains the reduced differences, by the index of their target.
    pub causes: &'p [(usize, Causes)],
}

impl LockstepReport<'_> {
    /// How the runs of each interpreter ended.
    fn each_run_counts(&self) -> impl Iterator<Item = RunCounts> {
        let scenarios = self.outcome.part.scenarios;
        self.outcome.part.tallies.iter().map(move |tally| tally.run_counts(scenarios))
    }

    /// How all runs ended.
    pub fn run_counts(&self) -> RunCounts {
        self.each_run_counts().fold(RunCounts::default(), |mut all, counts| {
            all.add(&counts);
            all
        })
    }

    /// Says on which interpreters too little was compared, and why; nothing if it was enough everywhere.
    pub fn not_compared(&self) -> Option<String> {
        let tallies = self.about.subjects.iter().zip(&self.outcome.part.tallies);
        let subjects = tallies.zip(self.each_run_counts()).enumerate().map(|(at, ((subject, tally), counts))| {
            let skipped = self.skipped.iter().filter(move |s| s.target == at).map(|s| (s.why.as_str(), u64::MAX));
            let why = tally.unsupported.iter().map(|(what, number)| (what.as_str(), *number));
            (subject.name.as_str(), (counts, why.chain(skipped).collect()))
        });
        run_counts::not_compared(subjects, |runs| self.about.meant_undefined(runs), Word::Compared)
    }
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
pub fn text(page: &LockstepReport<'_>, width: usize, color: bool) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_page(&mut out, page, width, Style { color });
    out
}

fn write_page(out: &mut String, page: &LockstepReport<'_>, width: usize, style: Style) -> fmt::Result {
    let LockstepReport { about, outcome, .. } = page;
    let CampaignIdentity { seed, profiles, size, subjects, .. } = about;
    writeln!(out, "{} seed {seed}, profile {}, size {size}", style.head("coroner diff"), profiles.join(","))?;
    let runs: u64 = outcome.part.tallies.iter().map(|t| t.scenarios).sum();
    let seconds = outcome.timing.running.as_secs_f64();
    writeln!(
        out,
        "{} on {} in {seconds:.1} s ({} per second); digest {:016x}\n",
        count(runs, "run"),
        count(subjects.len() as u64, "interpreter"),
        grouped((runs as f64 / seconds.max(1e-6)) as u64),
        outcome.part.digest(),
    )?;
    let titles: Vec<String> = subjects.iter().map(|s| s.name.trim_start_matches("python-").to_owned()).collect();
    out.push_str(&matrix(&titles, &lines(page), width, style));
    for skipped in page.skipped {
        writeln!(out, "{} {}: {}", style.note("skipped"), subjects[skipped.target].name, skipped.why)?;
    }
    if subjects.iter().any(|s| !s.verified) {
        writeln!(out, "* {UNVERIFIED}: no interpreter has confirmed this row yet")?;
    }
    for (subject, tally) in subjects.iter().zip(&outcome.part.tallies).filter(|(_, tally)| tally.without_lists > 0) {
        let runs = count(tally.without_lists, "run");
        writeln!(out, "{}: {WITHOUT_LISTS} ({runs})", subject.name)?;
    }
    for looseness in Looseness::ALL {
        if outcome.part.tallies.iter().any(|t| t.loose[looseness as usize] > 0) {
            writeln!(out, "{}: {}", looseness.word(), looseness.reason())?;
        }
    }
    for (key, seen) in outcome.part.kinds.iter().filter(|(key, _)| key.kind.is_none()) {
        let (name, n) = (&subjects[key.target].name, seen.first.scenario);
        writeln!(out, "{} {name}: scenario {n} went otherwise in a fresh process", style.bad("unstable"))?;
    }
    for (key, record) in &outcome.findings {
        let (kind, name) = (&record.what.name, &record.subject);
        let objects = count(record.objects.into(), "object");
        writeln!(out, "\n{} {name}, scenario {}: {kind}, {objects}", style.bad("differs"), record.first.scenario)?;
        writeln!(out, "    {}", record.sentence)?;
        let file = CampaignOutcome::<ComparedCounts, DifferenceKey>::file(page.out, record);
        let option = quoted(&subjects[key.target].option);
        let mut command = format!("coroner replay {} --python {option}", quoted(&file.to_string_lossy()));
        if let Some(row) = &about.against {
            command += &format!(" --against {}", quoted(row));
        }
        writeln!(out, "    {}", style.command(&command))?;
    }
    for (target, causes) in page.causes {
        write!(out, "\n{}", causes_text(&subjects[*target], causes, style))?;
    }
    super::campaign_report::store(out, outcome.waiting, &outcome.bugs, page.out, style)?;
    let agrees = outcome.part.tallies.iter().all(ComparedCounts::agrees);
    let verdict = match (page.interrupted, agrees && page.not_compared().is_none()) {
        (true, true) => "interrupted; model and interpreters agree so far: ",
        (true, false) => "interrupted: ",
        (false, true) => "model and interpreters agree: ",
        (false, false) => "",
    };
    writeln!(out, "\n{verdict}{}", run_counts::in_words(&page.run_counts(), Word::Compared))
}

/// The lines of the table; lines of zeros are left out, but not the first.
fn lines(page: &LockstepReport<'_>) -> Vec<(String, Vec<String>)> {
    let tallies = &page.outcome.part.tallies;
    let rows = page.about.subjects.iter().map(|s| {
        let star = if s.verified { "" } else { "*" };
        format!("{}{star}", s.collector.trim_start_matches("cpython-"))
    });
    let mut lines = vec![("row".to_owned(), rows.collect())];
    let mut add = |always: bool, name: String, of: &dyn Fn(&ComparedCounts) -> u64| {
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
    for what in NotObserved::ALL {
        add(false, format!("same, not observed: {}", what.word()), &|t| t.not_observed[what as usize]);
    }
    let sample = format!("run in a fresh process too (1 in {})", page.about.sample);
    add(false, sample, &|t| t.sampled);
    add(false, "unstable".to_owned(), &|t| t.unstable);
    add(false, "without lists".to_owned(), &|t| t.without_lists);
    lines
}

fn reasons(tallies: &[ComparedCounts]) -> Vec<String> {
    let mut all: Vec<String> = tallies.iter().flat_map(|t| t.unsupported.keys().cloned()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The result for programs.
pub fn json(page: &LockstepReport<'_>, exit: u8) -> JsonReport {
    let LockstepReport { about, outcome, .. } = page;
    let mut report = JsonReport::new("diff", exit);
    report.digest = Some(format!("{:016x}", outcome.part.digest()));
    report.scenarios = Some(outcome.part.scenarios);
    report.counts = Some(JsonRunCounts::new(&page.run_counts(), Word::Compared));
    let pairs = || about.subjects.iter().zip(&outcome.part.tallies);
    let subject = |(subject, tally): (&SubjectIdentity, &ComparedCounts)| JsonSubject {
        name: subject.name.clone(),
        verified: subject.verified,
        digest: format!("{:016x}", tally.digest),
        violations: Default::default(),
        known: Default::default(),
        unpromised: 0,
        differential: 0,
        counts: JsonRunCounts::new(&tally.run_counts(outcome.part.scenarios), Word::Compared),
    };
    report.subjects = Some(pairs().map(subject).collect());
    report.findings = Some(Vec::new());
    report.repeat = page.repeat.map(str::to_owned);
    let counts: Vec<Value> = pairs().map(|(subject, tally)| counts(subject, tally)).collect();
    report.result.insert("interpreters".to_owned(), counts.into());
    let differences: Vec<Value> = outcome.findings.iter().map(|(_, record)| difference(page.out, record)).collect();
    report.result.insert("differences".to_owned(), differences.into());
    let causes = page.causes.iter().map(|(at, causes)| causes_json(&about.subjects[*at].name, causes));
    report.result.insert("causes".to_owned(), causes.collect());
    report.result.insert("waiting".to_owned(), outcome.waiting.into());
    report.timing = timing(&outcome.timing, &outcome.bugs);
    let files = outcome
        .findings
        .iter()
        .map(|(_, record)| CampaignOutcome::<ComparedCounts, DifferenceKey>::file(page.out, record));
    report.timing.insert("files".to_owned(), files.map(|f| f.to_string_lossy().into_owned()).collect());
    let skipped = page.skipped.iter().map(|s| json!({ "interpreter": about.subjects[s.target].name, "why": s.why }));
    report.timing.insert("skipped".to_owned(), skipped.collect());
    report
}

fn counts(subject: &SubjectIdentity, tally: &ComparedCounts) -> Value {
    let undefined: Map<String, Value> = Undefined::ALL
        .iter()
        .zip(tally.undefined)
        .filter(|(_, n)| *n > 0)
        .map(|(reason, n)| (format!("{reason:?}"), n.into()))
        .collect();
    let loose: Map<String, Value> =
        Looseness::ALL.iter().zip(tally.loose).map(|(l, n)| (l.word().to_owned(), n.into())).collect();
    let not_observed: Map<String, Value> =
        NotObserved::ALL.iter().zip(tally.not_observed).map(|(w, n)| (w.word().to_owned(), n.into())).collect();
    json!({
        "interpreter": subject.name,
        "debug": subject.name.split([' ', '+']).next().is_some_and(|version| version.ends_with('d')),
        "collector": subject.collector,
        "verified": subject.verified,
        "scenarios": tally.scenarios,
        "same": tally.same,
        "differ": tally.differ,
        "crashed": tally.crashed,
        "limited": tally.limited,
        "undefined": undefined,
        "unsupported": tally.unsupported,
        "loose": loose,
        "not_observed": not_observed,
        "sampled": tally.sampled,
        "unstable": tally.unstable,
        "without_lists": tally.without_lists,
    })
}

fn difference(root: &Path, record: &Finding) -> Value {
    let mut all = record.details.clone();
    let pairs = [
        ("objects", record.objects.into()),
        ("scenario", record.first.scenario.into()),
        ("minimal", record.minimal.into()),
        ("file", file(root, record).into()),
        ("repeat", record.repeat.clone().into()),
    ];
    all.extend(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)));
    Value::Object(all)
}
