//! A disagreement, reduced.

use std::cell::Cell;

use super::Lockstep;
use super::campaign::Plan;
use super::difference::{Comparison, Difference, Kind};
use crate::campaign::count_objects;
use crate::cpython::{Limits, SetupError};
use crate::event::Event;
use crate::run::Machine;
use crate::scenario::Scenario;
use crate::scenario::text::{Document, Field, FieldName, print};
use crate::shrink::{self, Budget, Claim};

/// A scenario on which the model and an interpreter disagree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Index of the target in the plan.
    pub target: usize,
    /// The name of the interpreter.
    pub interpreter: String,
    /// The name of the collector.
    pub collector: String,
    /// Number of the scenario in its campaign.
    pub number: u64,
    /// The reduced scenario, in normal form.
    pub scenario: Scenario,
    /// The difference that the reduced scenario shows in a fresh process.
    pub difference: Difference,
    /// Objects of the reduced scenario, in the model's run.
    pub objects: u32,
    /// How far it is reduced.
    pub claim: Claim,
}

impl Finding {
    /// The name of its file.
    pub fn file_name(&self) -> String {
        let digest = xxhash_rust::xxh3::xxh3_64(print(&self.scenario).as_bytes());
        let kind = self.difference.kind.to_string().replace('/', "-");
        format!("diff-{}-{kind}-{:08x}.scn", self.interpreter, digest as u32)
    }

    /// The difference in one sentence.
    pub fn sentence(&self) -> String {
        let side = |events: &[Event]| events.first().map_or("nothing".to_owned(), |e| format!("{e:?}"));
        let d = &self.difference;
        let place = match d.step {
            Some(step) => format!("after {} common events, in operation {step}, phase {}", d.at, d.phase),
            None => format!("after {} common events", d.at),
        };
        let failure = d.failure.as_ref().map_or_else(String::new, |f| format!("; {f}"));
        let (model, real) = (side(&d.model), side(&d.real));
        format!("{place}: {} says {model}, {} says {real}{failure}", self.collector, self.interpreter)
    }

    /// The text of its file.
    pub fn text(&self, plan: &Plan) -> String {
        let mut document = Document::new(&self.scenario);
        let fields = [
            (FieldName::Collector, format!("{} against {}", self.collector, self.interpreter)),
            (FieldName::Note, self.sentence()),
            (FieldName::Minimal, self.claim.to_string()),
            (FieldName::Seed, plan.draw.seed.to_string()),
            (FieldName::Repeat, self.repeat(plan)),
        ];
        document.fields = fields.into_iter().map(|(name, text)| Field { name, text }).collect();
        document.print()
    }

    /// The command that makes the unreduced scenario again and fails.
    pub fn repeat(&self, plan: &Plan) -> String {
        let interpreter = &plan.targets[self.target].interpreter;
        let sanitize = if interpreter.sanitized { " --sanitize" } else { "" };
        format!("coroner diff --python {}{sanitize}{}", interpreter.program.display(), plan.draw.options(self.number))
    }
}

/// Makes a scenario small on which the two disagree in a way of this kind, and confirms it in a fresh process. Nothing
/// if a fresh process does not disagree.
///
/// # Errors
/// [`SetupError`] if a new process was needed and could not be started.
pub fn reduce(
    lockstep: &mut Lockstep,
    scenario: &Scenario,
    kind: Kind,
    tries: u64,
) -> Result<Option<(shrink::Minimized, Difference)>, SetupError> {
    let mut error = None;
    let limits = lockstep.limits();
    if kind == Kind::Limit {
        lockstep.set_limits(limits.hurried());
    }
    let slow = Cell::new(0);
    let mut holds = |candidate: &Scenario| match lockstep.compare(candidate) {
        Ok(Comparison::Different(difference)) => {
            slow.set(slow.get() + u64::from(difference.kind == Kind::Limit));
            difference.kind == kind
        }
        Ok(_) => false,
        Err(e) => {
            error.get_or_insert(e);
            false
        }
    };
    let minimized = shrink::minimize(scenario, &mut holds, Budget { tries }, &mut |p| {
        if slow.get() >= Limits::SLOW_CANDIDATES {
            p.stop();
        }
    });
    if kind == Kind::Limit {
        lockstep.set_limits(limits);
    }
    if let Some(error) = error {
        return Err(error);
    }
    for (scenario, minimal) in [(minimized.scenario.clone(), minimized.minimal), (scenario.clone(), false)] {
        if let Comparison::Different(difference) = lockstep.compare_fresh(&scenario)? {
            return Ok(Some((shrink::Minimized { scenario, minimal, ..minimized }, *difference)));
        }
    }
    Ok(None)
}

pub(super) fn finding(plan: &Plan, target: usize, number: u64) -> Option<Finding> {
    let chosen = &plan.targets[target];
    let scenario = plan.draw.scenario(number);
    let mut lockstep = Lockstep::new(chosen.interpreter.clone(), &chosen.collector, plan.limits).ok()?;
    let Comparison::Different(first) = lockstep.compare_fresh(&scenario).ok()? else { return None };
    // What was found is not lost because it could not be made smaller.
    let (scenario, claim, difference) = match reduce(&mut lockstep, &scenario, first.kind, plan.tries) {
        Ok(Some((minimized, difference))) => (minimized.scenario.clone(), minimized.claim(), difference),
        _ => (scenario, Claim::new(false, 0), *first),
    };
    let mut events: Vec<Event> = Vec::new();
    Machine::new(&chosen.collector).run(&scenario, &mut events);
    Some(Finding {
        target,
        interpreter: chosen.interpreter.name(),
        collector: chosen.collector.name.clone(),
        number,
        difference,
        objects: count_objects(&events),
        claim,
        scenario,
    })
}
