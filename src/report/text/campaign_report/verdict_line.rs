//! The first lines: the verdict, how much it is worth, and what was run.

use std::fmt::{self, Write};

use super::CampaignReport;
use crate::campaign::ViolationKey;
use crate::findings::{CampaignIdentity, Verdict};
use crate::report::text::run_counts::{self, Word};
use crate::report::text::style::{Style, count, grouped};

pub(super) fn write(out: &mut String, page: &CampaignReport<'_>, style: Style) -> fmt::Result {
    let CampaignReport { about, outcome, .. } = page;
    let CampaignIdentity { command, seed, profiles, size, subjects, .. } = about;
    let seconds = outcome.timing.running.as_secs_f64();
    let subjects = match subjects.as_slice() {
        [one] => one.name.clone(),
        many => count(many.len() as u64, "collector"),
    };
    let interrupted = if page.interrupted { "interrupted: " } else { "" };
    let scenarios = count(outcome.part.scenarios, "scenario");
    writeln!(out, "{interrupted}{}: {scenarios} x {subjects}, {seconds:.1} s", verdict(page, style))?;
    writeln!(out, "{}", run_counts::in_words(&page.run_counts(), Word::Judged))?;
    if let Some(unpromised) = unpromised(page) {
        writeln!(out, "{unpromised}")?;
    }
    let profiles = profiles.join(",");
    let digest = outcome.part.digest();
    writeln!(out, "{command}, seed {seed}, profile {profiles}, size {size}; digest {digest:016x}")
}

/// What came out, in a few words.
fn verdict(page: &CampaignReport<'_>, style: Style) -> String {
    let strict = page.shown.strict;
    let kinds = || page.outcome.part.kinds.keys().filter(|key| key.counts(strict));
    let families = |keys: &mut dyn Iterator<Item = &ViolationKey>| {
        let mut families: Vec<_> = keys.map(|key| (key.invariant(), key.verdict())).collect();
        families.sort_unstable();
        families.dedup();
        families.len() as u64
    };
    let crashes = kinds().filter(|key| key.is_crash(strict)).count() as u64;
    let is_violation = |key: &&ViolationKey| key.invariant().is_some();
    let new = families(&mut kinds().filter(is_violation).filter(|key| key.verdict() == Some(Verdict::New)));
    let others = families(&mut kinds().filter(is_violation).filter(|key| key.verdict() != Some(Verdict::New)));
    let mut parts = Vec::new();
    for (number, what) in [(crashes, "new kind of crash"), (new, "new kind of collector violation")] {
        if number > 0 {
            parts.push(kinds_of(number, what));
        }
    }
    if others > 0 {
        parts.push(kinds_of(others, "kind of violation that counts"));
    }
    if page.outcome.part.is_nondeterministic() || page.outcome.unconfirmed > 0 {
        parts.push("not the same twice".to_owned());
    }
    match parts.is_empty() {
        false => style.bad(&parts.join(", ")),
        true if page.not_compared().is_some() => style.note("too little was judged"),
        true if page.interrupted => "no new collector violation so far".to_owned(),
        true => "no new collector violation".to_owned(),
    }
}

/// `1 new kind of crash`, `2 new kinds of crash`.
fn kinds_of(number: u64, what: &str) -> String {
    let what = if number == 1 {
        what.to_owned()
    } else {
        what.replacen("kind", "kinds", 1).replace("that counts", "that count")
    };
    format!("{} {what}", grouped(number))
}

/// In how many scenarios no text speaks for either side: of one collector, or of the fewest and the most.
fn unpromised(page: &CampaignReport<'_>) -> Option<String> {
    let counts = || page.outcome.part.tallies.iter().map(|tally| tally.unpromised);
    let (fewest, most) = (counts().min()?, counts().max()?);
    match (fewest, most) {
        (_, 0) => None,
        (fewest, most) if fewest < most => {
            Some(format!("unpromised: {} to {} scenarios of a collector", grouped(fewest), grouped(most)))
        }
        (_, most) => Some(format!("unpromised: {}", count(most, "scenario"))),
    }
}
