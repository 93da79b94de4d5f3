//! Results for programs. Everything that depends on time, machine or paths is under `timing`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use super::campaign::Page;
use crate::campaign::{Tally, Verdict, write_atomically};
use crate::collector::Collector;
use crate::invariant::{Class, Invariant, Reached};

/// Version of the JSON: it changes when a key changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// The result of a command.
#[derive(Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The command.
    pub command: &'static str,
    /// The exit code.
    pub exit: u8,
    /// Digest of all event streams, as 16 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// How many scenarios were run, each on every subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenarios: Option<u64>,
    /// What the runs reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reached: Option<Reached>,
    /// Who ran the scenarios.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subjects: Option<Vec<Subject>>,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<Vec<Finding>>,
    /// The command that does the same again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat: Option<String>,
    /// What a command has to say besides.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub result: serde_json::Map<String, serde_json::Value>,
    /// What depends on time, machine and paths.
    pub timing: serde_json::Map<String, serde_json::Value>,
}

impl Report {
    /// A report that says only how a command ended.
    pub fn new(command: &'static str, exit: u8) -> Report {
        Report {
            schema: SCHEMA,
            command,
            exit,
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

/// One collector.
#[derive(Debug, Serialize)]
pub struct Subject {
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
    /// Scenarios judged by the invariants that need several runs.
    pub differential: u64,
}

impl Subject {
    /// A collector with what was counted of it.
    pub fn new(collector: &Collector, tally: &Tally) -> Subject {
        Subject {
            name: collector.name.clone(),
            verified: collector.verified,
            digest: format!("{:016x}", tally.digest),
            violations: violations(tally),
            known: by_code(|i| tally.count(Verdict::Known, i)),
            differential: tally.differential,
        }
    }
}

/// One finding.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// The invariant's code.
    pub invariant: &'static str,
    /// The invariant's name.
    pub name: &'static str,
    /// The class of the violation.
    pub class: &'static str,
    /// The baseline knows it.
    pub known: bool,
    /// When it broke.
    pub phase: &'static str,
    /// The collector.
    pub subject: String,
    /// A real interpreter confirmed the collector.
    pub verified: bool,
    /// Objects of the reduced scenario: everything with identity, weak references included, callbacks not.
    pub objects: u32,
    /// The violation in words.
    pub message: String,
    /// The name of the file in the folder for findings.
    pub file: String,
    /// No single reduction makes it smaller.
    pub minimal: bool,
    /// Number of the scenario in the campaign.
    pub scenario: u64,
    /// The command that shows it again.
    pub repeat: String,
}

/// The result of a campaign.
pub fn campaign(page: &Page<'_>, exit: u8, repeat: &str) -> Report {
    let Page { plan, outcome, files, .. } = page;
    let subjects = plan.collectors.iter().zip(&outcome.part.tallies).map(|(c, tally)| Subject::new(c, tally));
    let findings = outcome.findings.iter().map(|finding| Finding {
        invariant: finding.key.invariant.code(),
        name: finding.key.invariant.name(),
        class: finding.key.verdict.class().word(),
        known: finding.key.verdict == Verdict::Known,
        phase: finding.violation.phase.word(),
        subject: finding.collector.clone(),
        verified: finding.verified,
        objects: finding.objects,
        message: finding.sentence.clone(),
        file: finding.file_name(),
        minimal: finding.claim.is_minimal(),
        scenario: finding.first.scenario,
        repeat: finding.repeat(plan),
    });
    let mut report = Report::new(page.command, exit);
    report.digest = Some(format!("{:016x}", outcome.part.digest()));
    report.scenarios = Some(outcome.part.scenarios);
    report.reached = Some(outcome.part.reached());
    report.subjects = Some(subjects.collect());
    report.findings = Some(findings.collect());
    report.repeat = Some(repeat.to_owned());
    if !plan.interpreters.is_empty() {
        let ends = plan.collectors.iter().zip(&outcome.part.tallies).map(|(c, tally)| {
            serde_json::json!({
                "subject": c.name,
                "crashed": tally.crashed,
                "limited": tally.limited,
                "undefined": tally.undefined,
                "teardown": tally.teardown,
                "unsupported": tally.unsupported,
            })
        });
        report.result.insert("ends".to_owned(), ends.collect());
        let crashes = outcome.crashes.iter().map(|crash| {
            serde_json::json!({
                "subject": crash.collector,
                "how": crash.how,
                "objects": crash.objects,
                "scenario": crash.number,
                "file": crash.file_name(),
                "minimal": crash.claim.is_minimal(),
            })
        });
        report.result.insert("crashes".to_owned(), crashes.collect());
        report.result.insert("unconfirmed".to_owned(), outcome.unconfirmed.into());
    }
    let timing = &mut report.timing;
    timing.insert("seconds".to_owned(), outcome.took.as_secs_f64().into());
    timing.insert("reducing_seconds".to_owned(), outcome.reducing.as_secs_f64().into());
    timing.insert("jobs".to_owned(), plan.jobs.into());
    let runs = outcome.part.scenarios as f64 * plan.collectors.len() as f64;
    timing.insert("runs_per_second".to_owned(), (runs / outcome.took.as_secs_f64().max(1e-6)).into());
    timing.insert("files".to_owned(), files.iter().map(|f| f.to_string_lossy().into_owned()).collect());
    report
}

fn violations(tally: &Tally) -> BTreeMap<&'static str, BTreeMap<&'static str, u64>> {
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

/// Writes a report to a file.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, report: &Report) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    // Only a file may be replaced by another; a pipe or device is written to.
    let special = path.metadata().is_ok_and(|m| !m.is_file());
    let written = if special {
        std::fs::OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(text.as_bytes()))
    } else {
        write_atomically(path, text.as_bytes())
    };
    written.with_context(|| format!("cannot write {}", path.display()))
}
