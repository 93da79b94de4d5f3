//! Results for programs. Everything that depends on time, machine or paths is under `timing`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::text::campaign_report::CampaignReport;
use super::text::run_counts::Word;
use crate::campaign::{JudgedCounts, JudgedOutcome};
use crate::cpython::Asked;
use crate::findings::{Finding, RunCounts, Summary, Timing, Verdict, write_atomically};

use crate::invariant::{Class, Coverage, Invariant};

/// Version of the JSON: it changes when a key changes its meaning or goes.
pub const SCHEMA: u32 = 2;

/// The result of a command.
#[derive(Debug, Serialize)]
pub struct JsonReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The command.
    pub command: String,
    /// The exit code.
    pub exit: u8,
    /// Digest of all event streams, as 16 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// A signal ended the command early.
    pub interrupted: bool,
    /// How all runs ended.
    #[serde(flatten)]
    pub counts: Option<JsonRunCounts>,
    /// How many scenarios were run, each on every subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenarios: Option<u64>,
    /// What the runs reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reached: Option<Coverage>,
    /// Who ran the scenarios.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subjects: Option<Vec<JsonSubject>>,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<Vec<JsonFinding>>,
    /// The command that does the same again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat: Option<String>,
    /// What a command has to say besides.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub result: serde_json::Map<String, serde_json::Value>,
    /// What depends on time, machine and paths.
    pub timing: serde_json::Map<String, serde_json::Value>,
}

impl JsonReport {
    /// A report that says only how a command ended.
    pub fn new(command: impl Into<String>, exit: u8) -> JsonReport {
        JsonReport {
            schema: SCHEMA,
            command: command.into(),
            exit,
            // 128 and the number of a signal.
            interrupted: exit > 128,
            counts: None,
            digest: None,
            scenarios: None,
            reached: None,
            subjects: None,
            findings: None,
            repeat: None,
            result: serde_json::Map::new(),
            timing: serde_json::Map::new(),
        }
    }
}

/// How runs ended: [`RunCounts`] with the word for those that were whole.
#[derive(Debug, Serialize)]
pub struct JsonRunCounts {
    /// How many runs were judged to the last event, if they were judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judged: Option<u64>,
    /// How many runs were compared to the last event, if they were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared: Option<u64>,
    /// How many ended in undefined behaviour, judged or compared up to there.
    pub undefined: u64,
    /// How many the subject cannot run.
    pub unsupported: u64,
    /// How many reached a limit of time or memory where the outcome is defined.
    pub limited: u64,
    /// How many the interpreter died of where the outcome is defined.
    pub died: u64,
}

impl JsonRunCounts {
    /// The counts; `word` says what became of those that were whole.
    pub fn new(counts: &RunCounts, word: Word) -> JsonRunCounts {
        let RunCounts { whole, undefined, unsupported, limited, died, .. } = *counts;
        let is = |of: Word| (of == word).then_some(whole);
        JsonRunCounts { judged: is(Word::Judged), compared: is(Word::Compared), undefined, unsupported, limited, died }
    }
}

/// One collector.
#[derive(Debug, Serialize)]
pub struct JsonSubject {
    /// Its name.
    pub name: String,
    /// A real interpreter confirmed it.
    pub verified: bool,
    /// Digest of its event streams.
    pub digest: String,
    /// Scenarios with a violation, by class, then by code of the invariant.
    pub violations: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    /// Those `collector` violations that the baseline knows.
    pub known: BTreeMap<&'static str, u64>,
    /// Scenarios with a violation for which neither side can cite a text.
    pub unpromised: u64,
    /// Scenarios judged by the invariants that need several runs.
    pub differential: u64,
    /// How its runs ended.
    #[serde(flatten)]
    pub counts: JsonRunCounts,
}

impl JsonSubject {
    /// A collector with what was counted of it.
    pub fn new(name: &str, verified: bool, tally: &JudgedCounts) -> JsonSubject {
        JsonSubject {
            name: name.to_owned(),
            verified,
            digest: format!("{:016x}", tally.digest),
            violations: violations(tally),
            known: by_code(|i| tally.count(Verdict::Known, i)),
            unpromised: tally.unpromised,
            differential: tally.differential,
            counts: JsonRunCounts::new(&tally.run_counts(), Word::Judged),
        }
    }
}

/// One finding.
#[derive(Debug, Serialize)]
pub struct JsonFinding {
    /// The invariant's code.
    pub invariant: &'static str,
    /// The invariant's name.
    pub name: &'static str,
    /// The class of the violation.
    pub class: &'static str,
    /// The baseline knows it.
    pub known: bool,
    /// When it broke.
    pub phase: String,
    /// The collector.
    pub subject: String,
    /// A real interpreter confirmed the collector.
    pub verified: bool,
    /// Objects of the reduced scenario: everything with identity, weak references included, callbacks not.
    pub objects: u32,
    /// The violation in words.
    pub message: String,
    /// The file with the reduced scenario, in the folder for findings.
    pub file: String,
    /// No single reduction makes it smaller.
    pub minimal: bool,
    /// Number of the scenario in the campaign.
    pub scenario: u64,
    /// The command that shows it again.
    pub repeat: String,
}

/// The result of a campaign.
pub fn campaign(page: &CampaignReport<'_>, exit: u8) -> JsonReport {
    let CampaignReport { about, outcome, .. } = page;
    let subjects = about.subjects.iter().zip(&outcome.part.tallies);
    let findings = page.violations().filter_map(|(key, record)| {
        let (verdict, invariant) = (key.verdict()?, key.invariant()?);
        Some(JsonFinding {
            invariant: invariant.code(),
            name: invariant.name(),
            class: verdict.class().word(),
            known: verdict == Verdict::Known,
            phase: record.what.phase.clone(),
            subject: record.subject.clone(),
            verified: record.verified,
            objects: record.objects,
            message: record.sentence.clone(),
            file: file(page.out, record),
            minimal: record.minimal,
            scenario: record.first.scenario,
            repeat: record.repeat.clone(),
        })
    });
    let mut report = JsonReport::new(about.command.as_str(), exit);
    report.digest = Some(format!("{:016x}", outcome.part.digest()));
    report.scenarios = Some(outcome.part.scenarios);
    report.counts = Some(JsonRunCounts::new(&page.run_counts(), Word::Judged));
    report.reached = Some(outcome.part.reached());
    report.findings = Some(findings.collect());
    report.repeat = page.repeat.map(str::to_owned);
    report.result.insert("waiting".to_owned(), outcome.waiting.into());
    let triples = outcome.part.triples();
    if !triples.is_empty() {
        let ((reached, possible), unreached) = (triples.share(), triples.unreached());
        let triples = serde_json::json!({ "reached": reached, "possible": possible, "unreached": unreached });
        report.result.insert("triples".to_owned(), triples);
    }
    if about.subjects.iter().any(|subject| !subject.build.is_empty()) {
        let ends = subjects.clone().map(|(subject, tally)| {
            serde_json::json!({
                "subject": subject.name,
                "crashed": tally.crashed,
                "limited": tally.limited,
                "undefined": tally.undefined,
                "died_where_undefined": tally.died_where_undefined,
                "teardown": tally.teardown,
                "unsupported": tally.unsupported,
            })
        });
        report.result.insert("ends".to_owned(), ends.collect());
        let crashes = page.crashes().map(|(key, crash)| {
            serde_json::json!({
                "subject": crash.subject,
                "how": crash.what.name,
                "known": key.verdict() == Some(Verdict::Known),
                "class": key.verdict().map(|verdict| verdict.class().word()),
                "undefined": crash.details.get("undefined"),
                "step": crash.details.get("step"),
                "collecting": crash.details.get("collecting"),
                "phase": crash.what.phase,
                "message": crash.sentence,
                "objects": crash.objects,
                "scenario": crash.first.scenario,
                "file": file(page.out, crash),
                "minimal": crash.minimal,
            })
        });
        report.result.insert("crashes".to_owned(), crashes.collect());
        report.result.insert("unconfirmed".to_owned(), outcome.unconfirmed.into());
    }
    report.subjects = Some(subjects.map(|(s, tally)| JsonSubject::new(&s.name, s.verified, tally)).collect());
    let runs = outcome.part.scenarios as f64 * about.subjects.len() as f64;
    let seconds = outcome.timing.running.as_secs_f64();
    report.timing = timing(&outcome.timing, &outcome.bugs);
    report.timing.insert("runs_per_second".to_owned(), (runs / seconds.max(1e-6)).into());
    let files = outcome.findings.iter().map(|(_, record)| JudgedOutcome::file(page.out, record));
    report.timing.insert("files".to_owned(), files.map(|f| f.to_string_lossy().into_owned()).collect());
    report
}

/// The file of a finding's reduced scenario, in the folder for findings.
pub(super) fn file(root: &Path, record: &Finding) -> String {
    let file = JudgedOutcome::file(root, record);
    file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned()
}

/// The times of a campaign, and what its store has by now.
pub(super) fn timing(timing: &Timing, bugs: &Summary) -> serde_json::Map<String, serde_json::Value> {
    let times = [
        ("seconds", timing.running.as_secs_f64().into()),
        ("reducing_seconds", timing.reducing.as_secs_f64().into()),
        ("elapsed_seconds", timing.elapsed.as_secs_f64().into()),
    ];
    let mut map: serde_json::Map<_, _> = times.into_iter().map(|(name, time)| (name.to_owned(), time)).collect();
    let states = bugs.0.iter().map(|(state, count)| (state.word().to_owned(), (*count).into()));
    map.insert("bugs".to_owned(), serde_json::Value::Object(states.collect()));
    map
}

/// Adds what was asked of interpreters, if there were any.
pub fn asked(report: &mut JsonReport, asked: Asked) {
    if asked != Asked::default() {
        report.timing.insert("interpreters".to_owned(), serde_json::json!(asked));
    }
}

fn violations(tally: &JudgedCounts) -> BTreeMap<&'static str, BTreeMap<&'static str, u64>> {
    let of_class = |class: Class| {
        // A scenario can show a known and a new violation of one invariant; it counts once for each.
        let verdicts = Verdict::ALL.into_iter().filter(move |v| v.class() == class);
        by_code(|i| verdicts.clone().map(|v| tally.count(v, i)).sum())
    };
    Class::ALL.into_iter().map(|class| (class.word(), of_class(class))).collect()
}

fn by_code(count: impl Fn(Invariant) -> u64) -> BTreeMap<&'static str, u64> {
    Invariant::ALL.iter().map(|i| (i.code(), count(*i))).filter(|(_, n)| *n > 0).collect()
}

/// Makes sure that a report can be written to a file later: its folder is made if need be.
///
/// # Errors
/// Why it cannot.
pub fn check(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let checked = std::fs::create_dir_all(folder).and_then(|()| {
        if path.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
        }
        // A file is replaced by one that is made beside it; a pipe or device waits for who reads it.
        let special = path.metadata().is_ok_and(|m| !m.is_file());
        if special { Ok(()) } else { tempfile::tempfile_in(folder).map(drop) }
    });
    checked.map_err(|error| cannot(path, &error))
}

fn cannot(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
}

/// Writes a report to a file.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, report: &JsonReport) -> io::Result<()> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    // Only a file may be replaced by another; a pipe or device is written to.
    let special = path.metadata().is_ok_and(|m| !m.is_file());
    let written = if special {
        std::fs::OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(text.as_bytes()))
    } else {
        write_atomically(path, text.as_bytes())
    };
    written.map_err(|error| cannot(path, &error))
}
