//! A disagreement, reduced.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::Lockstep;
use super::difference::{Comparison, Difference, DifferenceKind};
use super::plan::ComparisonPlan;
use crate::campaign::Explain;
use crate::event::{Event, EventBuffer};
use crate::findings::{
    BugSignature, CampaignIdentity, Finding, First, State, SubjectIdentity, count_objects, digest, document, lines,
    waiting,
};

use crate::scenario::Scenario;
use crate::scenario::text::FieldName;
use crate::shrink::{self, Budget, Minimality};
use crate::subject::SetupError;
use crate::supervise::Limits;

/// A scenario on which the model and an interpreter disagree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReducedDifference {
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
    pub claim: Minimality,
}

impl ReducedDifference {
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

    /// What is kept of it; `found` is what was kept when it was found.
    pub(super) fn record(&self, found: &Finding, explain: Explain<'_>) -> Finding {
        let kind = self.difference.kind.to_string();
        let note = self.sentence();
        let fields = vec![
            (FieldName::Collector, format!("{} against {}", self.collector, self.interpreter)),
            (FieldName::Note, note.clone()),
            (FieldName::Minimal, self.claim.to_string()),
            (FieldName::Repeat, found.repeat.clone()),
        ];
        let document = document(&self.scenario, fields);
        let d = &self.difference;
        let events = format!(
            "{}model from event {} on:\n{}interpreter from event {} on:\n{}",
            lines(&d.before),
            d.at,
            lines(&d.model),
            d.at,
            lines(&d.real)
        );
        Finding {
            what: what(Some(d.kind)),
            state: State::New,
            sentence: note,
            objects: self.objects,
            operations: self.scenario.ops().len(),
            minimal: self.claim.is_minimal(),
            claim: self.claim.to_string(),
            digest: digest(&self.scenario),
            reduced: document.print(),
            events,
            explanation: explain(self.target, &document, None),
            details: self.details(kind),
            ..found.clone()
        }
    }

    /// What programs may want to know.
    fn details(&self, kind: String) -> Map<String, Value> {
        let words = |events: &[Event]| -> Value { events.iter().map(|e| format!("{e:?}")).collect() };
        let d = &self.difference;
        let pairs = [
            ("interpreter", self.interpreter.clone().into()),
            ("collector", self.collector.clone().into()),
            ("kind", kind.into()),
            ("phase", d.phase.word().into()),
            ("step", d.step.into()),
            ("at", d.at.into()),
            ("model", words(&d.model)),
            ("real", words(&d.real)),
        ];
        pairs.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value)).collect()
    }
}

/// What a difference is, whoever shows it.
fn what(kind: Option<DifferenceKind>) -> BugSignature {
    let (code, name) = match kind {
        Some(kind) => ("diff", kind.to_string()),
        None => ("unstable", "fresh process".to_owned()),
    };
    let slug = format!("{code}-{}", name.replace(['/', ' '], "-"));
    BugSignature { code: code.to_owned(), name, slug, ..BugSignature::default() }
}

/// What is kept of a finding that was just made.
pub(super) fn found(
    plan: &ComparisonPlan,
    about: &CampaignIdentity,
    target: usize,
    kind: Option<DifferenceKind>,
    first: First,
) -> Finding {
    let SubjectIdentity { name: interpreter, collector, verified, .. } = plan.targets[target].identity.clone();
    let scenario = plan.draw.scenario(first.scenario);
    let repeat = about.repeat(&[&interpreter], &format!("--only {}", first.scenario), &[]);
    let fields = vec![
        (FieldName::Collector, format!("{collector} against {interpreter}")),
        (FieldName::Seed, plan.draw.seed.to_string()),
        (FieldName::Repeat, repeat.clone()),
    ];
    waiting(first, what(kind), (interpreter, verified), repeat, document(&scenario, fields))
}

/// Makes a scenario small on which the two disagree in a way of this kind, and confirms it in a fresh process. Nothing
/// if a fresh process does not disagree.
///
/// # Errors
/// [`SetupError`] if a new process was needed and could not be started.
pub fn reduce(
    lockstep: &mut Lockstep,
    scenario: &Scenario,
    kind: DifferenceKind,
    tries: u64,
) -> Result<Option<(shrink::Minimized, Difference)>, SetupError> {
    let mut error = None;
    let limits = lockstep.limits();
    if kind == DifferenceKind::Limit {
        lockstep.set_limits(limits.hurried());
    }
    let slow = Cell::new(0);
    let mut holds = |candidate: &Scenario| match lockstep.compare(candidate) {
        Ok(Comparison::Different(difference)) => {
            slow.set(slow.get() + u64::from(difference.kind == DifferenceKind::Limit));
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
    if kind == DifferenceKind::Limit {
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

pub(super) fn finding(plan: &ComparisonPlan, target: usize, number: u64) -> Option<ReducedDifference> {
    let chosen = &plan.targets[target];
    let scenario = plan.draw.scenario(number);
    let mut lockstep = Lockstep::new(chosen.real.clone(), chosen.model.as_ref(), plan.limits).ok()?;
    let Comparison::Different(first) = lockstep.compare_fresh(&scenario).ok()? else { return None };
    // What was found is not lost because it could not be made smaller.
    let (scenario, claim, difference) = match reduce(&mut lockstep, &scenario, first.kind, plan.tries) {
        Ok(Some((minimized, difference))) => (minimized.scenario.clone(), minimized.claim(), difference),
        _ => (scenario, Minimality::new(false, 0), *first),
    };
    let mut events = Vec::new();
    // What broke off has as many objects as it came to.
    let _ = chosen.model.subject(0, plan.limits).ok()?.run(&scenario, &mut EventBuffer::new(&mut events));
    Some(ReducedDifference {
        target,
        interpreter: chosen.identity.name.clone(),
        collector: chosen.identity.collector.clone(),
        number,
        difference,
        objects: count_objects(&events),
        claim,
        scenario,
    })
}
