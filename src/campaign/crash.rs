//! A scenario that an interpreter died of, or did not end within its limits, where the model of its release defines an
//! outcome.

use std::cell::Cell;

use super::{End, Examiner, Fatal, Plan, count_objects};
use crate::cpython::Limits;
use crate::scenario::Scenario;
use crate::scenario::text::{Document, Field, FieldName, print};
use crate::shrink::{self, Budget, Claim, Minimized};

/// A crash of an interpreter, or a limit that it reached, reduced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crash {
    /// The name of the collector, which stands for the interpreter.
    pub collector: String,
    /// Number of the scenario in the campaign.
    pub number: u64,
    /// What it was.
    pub fatal: Fatal,
    /// Signal, exit code or limit, in words.
    pub how: String,
    /// The reduced scenario, in normal form.
    pub scenario: Scenario,
    /// How many objects were created before the crash: see [`count_objects`].
    pub objects: u32,
    /// How far it is reduced.
    pub claim: Claim,
}

impl Crash {
    /// The name of its file.
    pub fn file_name(&self) -> String {
        let digest = xxhash_rust::xxh3::xxh3_64(print(&self.scenario).as_bytes());
        let word = match self.fatal {
            Fatal::Crash => "crash",
            Fatal::Limit => "limit",
        };
        format!("{word}-{}-{:08x}.scn", self.collector.replace(['/', ':'], "-"), digest as u32)
    }

    /// What happened.
    pub fn sentence(&self) -> String {
        match self.fatal {
            Fatal::Crash => format!("the interpreter died: {}", self.how),
            Fatal::Limit => format!("the interpreter did not end within its limit: {}", self.how),
        }
    }

    /// The text of its file.
    pub fn text(&self, plan: &Plan) -> String {
        let mut document = Document::new(&self.scenario);
        let fields = [
            (FieldName::Collector, self.collector.clone()),
            (FieldName::Note, self.sentence()),
            (FieldName::Minimal, self.claim.to_string()),
            (FieldName::Seed, plan.draw.seed.to_string()),
        ];
        document.fields = fields.into_iter().map(|(name, text)| Field { name, text }).collect();
        document.print()
    }
}

/// Makes a scenario small that an interpreter dies of, or reaches a limit with, while candidates end in the same way.
pub fn reduce_fatal(
    examiner: &mut Examiner,
    scenario: &Scenario,
    fatal: Fatal,
    tries: u64,
    progress: &mut dyn FnMut(&shrink::Progress<'_>),
) -> Minimized {
    let limits = examiner.limits();
    if fatal == Fatal::Limit {
        examiner.set_limits(limits.hurried());
    }
    let slow = Cell::new(0);
    let mut holds = |candidate: &Scenario| {
        let end = examiner.examine(candidate, false).end;
        slow.set(slow.get() + u64::from(matches!(end, End::Limit(_))));
        end.fatal() == Some(fatal)
    };
    let minimized = shrink::minimize(scenario, &mut holds, Budget { tries }, &mut |p| {
        if slow.get() >= Limits::SLOW_CANDIDATES {
            p.stop();
        }
        progress(p);
    });
    examiner.set_limits(limits);
    minimized
}

/// Reduces what a scenario of the campaign showed. `None` if a fresh process shows it no more.
pub(super) fn reduce(plan: &Plan, collector: usize, fatal: Fatal, number: u64) -> Option<Crash> {
    let collector = &plan.collectors[collector];
    let original = plan.draw.scenario(number);
    let minimized = reduce_fatal(&mut plan.examiner(collector), &original, fatal, plan.tries, &mut |_| {});
    // A new examiner has a fresh process.
    let mut examiner = plan.examiner(collector);
    let confirmed = [(&minimized.scenario, minimized.claim()), (&original, Claim::new(false, minimized.tries))];
    confirmed.into_iter().find_map(|(scenario, claim)| {
        let run = examiner.examine(scenario, false);
        let (End::Crashed(how) | End::Limit(how)) = run.end else { return None };
        Some(Crash {
            collector: collector.name.clone(),
            number,
            fatal: run.end.fatal()?,
            how: how.clone(),
            objects: count_objects(run.events),
            claim,
            scenario: scenario.clone(),
        })
    })
}
