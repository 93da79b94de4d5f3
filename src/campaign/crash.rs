//! A scenario that an interpreter died of, where the model of its release defines an outcome.

use super::{End, Plan, count_objects};
use crate::scenario::Scenario;
use crate::scenario::text::{Document, Field, FieldName, print};
use crate::shrink::{self, Budget, Claim};

/// A crash of an interpreter, reduced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crash {
    /// The name of the collector, which stands for the interpreter.
    pub collector: String,
    /// Number of the scenario in the campaign.
    pub number: u64,
    /// Signal or exit code, in words.
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
        format!("crash-{}-{:08x}.scn", self.collector.replace(['/', ':'], "-"), digest as u32)
    }

    /// The text of its file.
    pub fn text(&self, plan: &Plan) -> String {
        let mut document = Document::new(&self.scenario);
        let fields = [
            (FieldName::Collector, self.collector.clone()),
            (FieldName::Note, format!("the interpreter died: {}", self.how)),
            (FieldName::Minimal, self.claim.to_string()),
            (FieldName::Seed, plan.draw.seed.to_string()),
        ];
        document.fields = fields.into_iter().map(|(name, text)| Field { name, text }).collect();
        document.print()
    }
}

/// Reduces a crash while the interpreter, a new process after each, dies. `None` if it does not die again.
pub(super) fn reduce(plan: &Plan, collector: usize, number: u64) -> Option<Crash> {
    let collector = &plan.collectors[collector];
    let mut examiner = plan.examiner(collector);
    let mut holds = |candidate: &Scenario| matches!(examiner.examine(candidate, false).end, End::Crashed(_));
    let budget = Budget { tries: plan.tries };
    let minimized = shrink::minimize(&plan.draw.scenario(number), &mut holds, budget, &mut |_| {});
    // A new examiner has a fresh process.
    let mut examiner = plan.examiner(collector);
    let run = examiner.examine(&minimized.scenario, false);
    let End::Crashed(how) = run.end else { return None };
    Some(Crash {
        collector: collector.name.clone(),
        number,
        how: how.clone(),
        objects: count_objects(run.events),
        claim: minimized.claim(),
        scenario: minimized.scenario,
    })
}
