//! What is no fault of a collector, or not its own: counted in a line; listed if all is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use super::CampaignReport;
use crate::campaign::{JudgedOutcome, ViolationKey};
use crate::findings::{Finding, Verdict};
use crate::invariant::Invariant;
use crate::report::text::style::{Style, count, grouped, quoted};

/// The verdicts that this is about.
const OTHERS: [Verdict; 3] = [Verdict::TypeFault, Verdict::Documented, Verdict::Unpromised];

/// How many invariants are broken in each of these classes: in one line.
pub(super) fn count_kinds(out: &mut String, page: &CampaignReport<'_>, style: Style) -> fmt::Result {
    let kinds = || page.outcome.part.kinds.keys().filter(|key| !key.counts(page.shown.strict));
    let counts = OTHERS.map(|verdict| {
        let invariants: BTreeSet<Invariant> =
            kinds().filter(|key| key.verdict() == Some(verdict)).filter_map(|key| key.invariant()).collect();
        (verdict, invariants.len() as u64)
    });
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(_, number)| *number > 0)
        .map(|(verdict, number)| format!("{} {}", grouped(number), verdict.meaning()))
        .collect();
    if counts.is_empty() {
        return Ok(());
    }
    let hint = if page.shown.all { "" } else { " (--all)" };
    writeln!(out, "{}: {}{hint}", style.faint("no fault of a collector"), counts.join(", "))
}

/// The smallest scenario of each invariant that is broken in each of these classes.
pub(super) fn list(out: &mut String, page: &CampaignReport<'_>, style: Style) -> fmt::Result {
    let mut groups: BTreeMap<(Verdict, Invariant), Vec<&(ViolationKey, Finding)>> = BTreeMap::new();
    for found in page.violations().filter(|(key, _)| !key.counts(page.shown.strict)) {
        if let (Some(verdict), Some(invariant)) = (found.0.verdict(), found.0.invariant()) {
            groups.entry((verdict, invariant)).or_default().push(found);
        }
    }
    if groups.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", style.head("the smallest reduced scenario of each kind"))?;
    for ((verdict, invariant), members) in groups {
        let smallest = members.iter().min_by_key(|(_, record)| (record.objects, record.operations));
        let Some((_, best)) = smallest else { continue };
        let collectors: BTreeSet<usize> = members.iter().map(|(key, _)| key.collector()).collect();
        let on = count(collectors.len() as u64, "collector");
        let (mark, class) = (verdict.mark(), verdict.meaning());
        writeln!(out, "{mark} {} {}: {class}, on {on}", invariant.code(), invariant.name())?;
        let file = quoted(&JudgedOutcome::file(page.out, best).to_string_lossy());
        writeln!(out, "    {}: {}", count(best.objects.into(), "object"), style.faint(&file))?;
    }
    Ok(())
}
