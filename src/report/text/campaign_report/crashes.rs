//! What interpreters died of, and what they did not come to the end of: before anything else, what is new first.

use std::fmt::{self, Write};

use super::CampaignReport;
use crate::campaign::JudgedOutcome;
use crate::findings::Verdict;
use crate::report::text::style::{Style, count, quoted, wrapped};

pub(super) fn write(out: &mut String, page: &CampaignReport<'_>, width: usize, style: Style) -> fmt::Result {
    let strict = page.shown.strict;
    let mut crashes: Vec<_> = page.crashes().collect();
    crashes.sort_by_key(|(key, _)| !key.counts(strict));
    for (key, crash) in crashes {
        let counts = key.counts(strict);
        let class = match key.verdict() {
            None => String::new(),
            Some(Verdict::Known) => ", known".to_owned(),
            Some(other) => format!(", {}", other.meaning()),
        };
        let bug = key.known_bug().and_then(|bug| page.baseline.bugs().get(bug));
        let bug = bug.map_or_else(String::new, |bug| format!("{}: ", bug.describe()));
        let head = &crash.what.code;
        let plain = format!("{head}{class}, on {}: {bug}{}", crash.subject, crash.sentence);
        let text = wrapped(&plain, width, "    ").join("\n");
        let painted = if counts { style.bad(head) } else { style.note(head) };
        writeln!(out, "\n{painted}{}", text.strip_prefix(head.as_str()).unwrap_or(&text))?;
        let objects = count(crash.objects.into(), "object");
        let scenarios = page.outcome.part.kinds.get(key).map_or(0, |seen| seen.count);
        let file = quoted(&JudgedOutcome::file(page.out, crash).to_string_lossy());
        writeln!(out, "    {objects}, in {}: {file}", count(scenarios, "scenario"))?;
        if counts {
            let replay = format!("coroner replay {file} --collector {}", quoted(&crash.subject));
            writeln!(out, "    {}", style.command(&replay))?;
        }
    }
    Ok(())
}
