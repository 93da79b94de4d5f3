//! Reduces what a campaign found. Each finding is reduced on its own, so the order of the work does not matter.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::examine::Examined;
use super::finding::{Finding, count_objects};
use super::tally::{First, Key, Part, Verdict};
use super::{Plan, Progress, in_parallel};
use crate::invariant::{Invariant, Violation};
use crate::names::ObjectNames;
use crate::scenario::Scenario;
use crate::scenario::text::Names;
use crate::shrink::{self, Budget, Claim};

/// Reduces the first scenario of every key, in the order of the keys.
pub(super) fn findings(plan: &Plan, part: &Part, progress: &mut dyn FnMut(Progress)) -> Vec<Finding> {
    let wanted: Vec<(Key, First)> = part.firsts.iter().map(|(key, first)| (*key, *first)).collect();
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let total = wanted.len();
    let work = || {
        let mut found = Vec::new();
        while let Some((key, first)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.extend(finding(plan, *key, *first));
            done.fetch_add(1, Ordering::Relaxed);
        }
        found
    };
    let tick = || progress(Progress::Reducing { done: done.load(Ordering::Relaxed), total });
    let mut found: Vec<Finding> = in_parallel(plan.jobs.min(total), work, tick).into_iter().flatten().collect();
    found.sort_by_key(|finding| finding.key);
    found
}

/// What a candidate must still show: the same kind of violation, primary if it was.
struct Same {
    key: Key,
    first: First,
}

impl Same {
    fn find(&self, run: &Examined<'_>) -> Option<Violation> {
        let is_same = |(violation, verdict): &&(Violation, Verdict)| {
            (*verdict, violation.invariant) == (self.key.verdict, self.key.invariant)
                && self.key.phase.is_none_or(|phase| phase == violation.phase)
        };
        // What comes first in a run that differs from itself depends on the run.
        let any = self.first.secondary || self.key.invariant == Invariant::I41;
        let among = if any { run.violations } else { &run.violations[..run.violations.len().min(1)] };
        among.iter().find(is_same).map(|(violation, _)| *violation)
    }
}

fn finding(plan: &Plan, key: Key, first: First) -> Option<Finding> {
    let collector = &plan.collectors[key.collector];
    let scenario = plan.draw.scenario(first.scenario);
    let same = Same { key, first };
    let differential = [Invariant::I18, Invariant::I38, Invariant::I41].contains(&key.invariant);
    let mut examiner = plan.examiner(collector);
    let mut holds = |candidate: &Scenario| same.find(&examiner.examine(candidate, differential)).is_some();
    let budget = Budget { tries: plan.tries };
    let minimized = shrink::minimize(&scenario, &mut holds, budget, &mut |_| {});
    // What was found in a process that had run others counts if a fresh one shows it too.
    let reduced = same.find(&examiner.examine_fresh(&minimized.scenario, differential)).is_some();
    let claim = if reduced { minimized.claim() } else { Claim::new(false, minimized.tries) };
    let scenario = if reduced { minimized.scenario } else { scenario };
    let run = examiner.examine_fresh(&scenario, differential);
    let violation = same.find(&run)?;
    let names = ObjectNames::new(&Names::default(), run.events);
    Some(Finding {
        key,
        first,
        collector: collector.name.clone(),
        verified: collector.verified,
        violation,
        sentence: violation.describe(&|object| names.label(object)),
        objects: count_objects(run.events),
        claim,
        scenario,
    })
}
