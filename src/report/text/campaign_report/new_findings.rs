//! What is new, before what is known: what broke, the scenario, the command.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use super::CampaignReport;
use crate::campaign::{JudgedOutcome, ViolationKey};
use crate::findings::{Finding, Verdict};
use crate::invariant::Invariant;
use crate::report::text::style::{Style, count, quoted, subject, wrapped};

/// How many of them are shown at most, unless all are asked for.
const MOST: usize = 8;

pub(super) fn write(out: &mut String, page: &CampaignReport<'_>, width: usize, style: Style) -> fmt::Result {
    let mut groups: BTreeMap<(Verdict, Invariant), Vec<&(ViolationKey, Finding)>> = BTreeMap::new();
    for found in page.violations().filter(|(key, _)| key.counts(page.shown.strict)) {
        if let (Some(verdict), Some(invariant)) = (found.0.verdict(), found.0.invariant()) {
            groups.entry((verdict, invariant)).or_default().push(found);
        }
    }
    let most = if page.shown.all { usize::MAX } else { MOST };
    for ((verdict, invariant), members) in groups.iter().take(most) {
        let smallest = members.iter().min_by_key(|(_, record)| (record.objects, record.operations));
        let Some((key, record)) = smallest else { continue };
        let (code, name) = (invariant.code(), invariant.name());
        let (head, class, strict) = match verdict {
            Verdict::New => (format!("NEW {code} {name}"), String::new(), ""),
            other => (format!("{code} {name}"), format!(" ({})", other.meaning()), " --strict"),
        };
        let sentence = record.sentence.split_once("): ").map_or(record.sentence.as_str(), |(_, rest)| rest);
        let plain = format!("{head}{class}, {}: {sentence}", on(record, members));
        let text = wrapped(&plain, width, "    ").join("\n");
        writeln!(out, "\n{}{}", style.bad(&head), text.strip_prefix(head.as_str()).unwrap_or(&text))?;
        let file = quoted(&JudgedOutcome::file(page.out, record).to_string_lossy());
        let objects = count(record.objects.into(), "object");
        writeln!(out, "    {objects}, in {}: {file}", count(scenarios(page, *key), "scenario"))?;
        let collector = quoted(&record.subject);
        let command = match strict {
            "" => format!("coroner explain {file} --collector {collector}"),
            strict => format!("coroner replay {file} --collector {collector}{strict}"),
        };
        writeln!(out, "    {}", style.command(&command))?;
    }
    if groups.len() > most {
        let left_out = count((groups.len() - most) as u64, "kind");
        writeln!(out, "\nand {left_out} more: --all shows them")?;
    }
    Ok(())
}

/// Who shows it: the collector of the smallest scenario, and how many others.
fn on(record: &Finding, members: &[&(ViolationKey, Finding)]) -> String {
    let collectors: BTreeSet<&str> = members.iter().map(|(_, record)| record.subject.as_str()).collect();
    let others = match collectors.len() {
        0 | 1 => String::new(),
        n => format!(" and {}", count(n as u64 - 1, "other")),
    };
    format!("{}{others}", subject(&record.subject, record.verified))
}

/// How many scenarios show it on its collector.
fn scenarios(page: &CampaignReport<'_>, key: ViolationKey) -> u64 {
    let family = page.outcome.part.kinds.iter().filter(|(other, _)| other.family() == key.family());
    family.map(|(_, seen)| seen.count).sum()
}
