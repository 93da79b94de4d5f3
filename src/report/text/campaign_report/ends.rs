//! What became of the runs of real interpreters that did not end with the last event.

use std::fmt::{self, Write};

use super::CampaignReport;
use crate::report::text::run_counts::WITHOUT_LISTS;
use crate::report::text::style::{Style, count};

pub(super) fn write(out: &mut String, page: &CampaignReport<'_>, style: Style) -> fmt::Result {
    for (collector, tally) in page.about.subjects.iter().zip(&page.outcome.part.tallies) {
        if collector.without_lists {
            let runs = count(tally.run_counts().runs, "run");
            writeln!(out, "{}: {WITHOUT_LISTS} ({runs})", collector.name)?;
        }
        let counts = [
            (tally.crashed, "the interpreter died"),
            (tally.limited, "a limit of time or memory was reached"),
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
