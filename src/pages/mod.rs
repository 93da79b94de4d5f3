//! The page of a campaign: collectors by invariants, each mark with a link to the page of what was found.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;

use crate::campaign::ViolationKey;
use crate::findings::{Finding, Verdict};
use crate::invariant::Invariant;
use crate::report::text::campaign_report::CampaignReport;
use crate::report::{count, grouped, subject};

/// A page for each finding that could be drawn, by the name of the finding's folder.
pub type Links = BTreeMap<String, String>;

#[derive(Template)]
#[template(path = "campaign.html")]
struct Campaign<'c> {
    style: &'static str,
    title: String,
    about: String,
    repeat: Option<&'c str>,
    columns: Vec<(&'static str, &'static str)>,
    lines: Vec<Line>,
    findings: Vec<Entry>,
    is_new: bool,
}

/// A collector's line of the matrix.
struct Line {
    subject: String,
    cells: Vec<Vec<Mark>>,
}

/// What a collector has in a column.
struct Mark {
    mark: char,
    class: &'static str,
    title: String,
    link: String,
}

/// A finding in the list.
struct Entry {
    head: String,
    class: &'static str,
    sentence: String,
    on: String,
    link: String,
    weight: (Verdict, &'static str),
}

/// The page of a campaign; `links` has the pages of its findings.
pub fn campaign(report: &CampaignReport<'_>, links: &Links) -> String {
    let (subjects, tallies) = (&report.about.subjects, &report.outcome.part.tallies);
    let counted = |invariant: Invariant| {
        tallies.iter().any(|tally| Verdict::ALL.into_iter().any(|verdict| tally.count(verdict, invariant) > 0))
    };
    let columns: Vec<Invariant> = Invariant::ALL.iter().copied().filter(|invariant| counted(*invariant)).collect();
    let lines = subjects.iter().zip(tallies).enumerate().map(|(number, (one, tally))| {
        let cell = |invariant: &Invariant| {
            let marks = Verdict::ALL.into_iter().filter(|verdict| tally.count(*verdict, *invariant) > 0);
            let mark = |verdict: Verdict| {
                let scenarios = tally.count(verdict, *invariant);
                Mark {
                    mark: verdict.mark(),
                    class: class(verdict),
                    title: format!("{}: {}", verdict.meaning(), count(scenarios, "scenario")),
                    link: link(report, links, number, verdict, *invariant),
                }
            };
            marks.map(mark).collect()
        };
        Line { subject: subject(&one.name, one.verified), cells: columns.iter().map(cell).collect() }
    });
    let findings = entries(report, links);
    let page = Campaign {
        style: include_str!("assets/campaign.css"),
        title: format!("coroner {}", report.about.command),
        about: format!(
            "{} x {}",
            count(report.outcome.part.scenarios, "scenario"),
            count(subjects.len() as u64, "collector")
        ),
        repeat: report.repeat,
        is_new: findings.iter().any(|entry| entry.weight.0 == Verdict::New),
        lines: lines.collect(),
        columns: columns.iter().map(|invariant| (invariant.code(), invariant.name())).collect(),
        findings,
    };
    // Writing to a string cannot fail, and no value of the template can.
    page.render().unwrap_or_default()
}

/// The page of the smallest scenario in which a collector showed a violation.
fn link(
    report: &CampaignReport<'_>,
    links: &Links,
    collector: usize,
    verdict: Verdict,
    invariant: Invariant,
) -> String {
    let is_it = |key: &ViolationKey| {
        (key.collector(), key.verdict(), key.invariant()) == (collector, Some(verdict), Some(invariant))
    };
    let mine = report.violations().filter(|(key, record)| is_it(key) && links.contains_key(&record.folder()));
    let smallest = mine.min_by_key(|(_, record)| (record.objects, record.operations));
    smallest.map_or_else(String::new, |(_, record)| links[&record.folder()].clone())
}

/// The findings that have a page, each once, what is new first.
fn entries(report: &CampaignReport<'_>, links: &Links) -> Vec<Entry> {
    let mut folders: BTreeMap<String, Vec<&(ViolationKey, Finding)>> = BTreeMap::new();
    for found in &report.outcome.findings {
        folders.entry(found.1.folder()).or_default().push(found);
    }
    let mut entries: Vec<Entry> = folders
        .iter()
        .filter_map(|(folder, found)| {
            let link = links.get(folder)?;
            let (key, record) = found.first()?;
            let verdict = key.verdict().unwrap_or(Verdict::New);
            let on: BTreeSet<&str> = found.iter().map(|(_, record)| record.subject.as_str()).collect();
            let more = on.len() - 1;
            let others = if more == 0 { String::new() } else { format!(" and {} more", grouped(more as u64)) };
            Some(Entry {
                head: format!("{} {}, {}", record.what.code, record.what.name, verdict.meaning()),
                class: class(verdict),
                sentence: record.sentence.clone(),
                on: format!("{}{others}, {}", record.subject, count(record.objects.into(), "object")),
                link: link.clone(),
                weight: (verdict, key.invariant().map_or("", Invariant::code)),
            })
        })
        .collect();
    entries.sort_by(|a, b| a.weight.cmp(&b.weight));
    entries
}

const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::New => "new",
        Verdict::Known => "known",
        Verdict::TypeFault | Verdict::Documented | Verdict::Unpromised => "other",
    }
}
