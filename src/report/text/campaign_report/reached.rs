//! All counts of what the runs reached, in two columns.

use std::fmt::{self, Write};

use super::CampaignReport;
use crate::report::text::style::{Style, grouped};

pub(super) fn write(out: &mut String, page: &CampaignReport<'_>, style: Style) -> fmt::Result {
    let reached = page.outcome.part.reached();
    let runs = reached.runs.max(1) as f64;
    let lines: Vec<String> = reached
        .fields()
        .map(|(name, count)| {
            let per_run = count as f64 / runs;
            format!("{:<24}{:>14} {:>7}", name.replace('_', " "), grouped(count), format!("{per_run:.3}"))
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
