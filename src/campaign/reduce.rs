//! Reduces what a campaign found. Each finding is reduced on its own, so the order of the work does not matter.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use super::examine::Examined;
use super::judged_counts::ViolationKey;
use super::reduce_end::reduce_fatal;
use super::{CampaignPlan, Explain};
use crate::findings::{
    BugSignature, CampaignIdentity, Finding, First, State, Verdict, digest, document, lines, waiting,
};
use crate::invariant::{Violation, differential};
use crate::object_names::ObjectNames;
use crate::scenario::Scenario;
use crate::scenario::text::{FieldName, Names};
use crate::shrink::{self, Budget, Minimality};
use crate::subject::{Death, End, Fatal};

/// A finding that was just made.
pub(super) fn found(plan: &CampaignPlan, about: &CampaignIdentity, key: ViolationKey, first: First) -> Finding {
    let collector = plan.subjects.declaration(key.collector());
    let scenario = plan.draw.scenario(first.scenario);
    let strict = if key.counts(false) { "" } else { " --strict" };
    let repeat =
        about.repeat(&[&collector.name], &format!("--only {}", first.scenario), &plan.subjects.default) + strict;
    let (invariant, class) = (key.invariant(), key.verdict().map_or("", |verdict| verdict.class().word()));
    let word = key.fatal().unwrap_or(Fatal::Crash).word();
    let what = match invariant {
        Some(i) => BugSignature {
            code: i.code().to_owned(),
            name: i.name().to_owned(),
            class: class.to_owned(),
            phase: String::new(),
            slug: format!("{}-{class}", i.code()),
        },
        None => {
            let slug = match key {
                ViolationKey::Death { reason, .. } => format!("{word}-{reason:?}").to_lowercase(),
                _ => word.to_owned(),
            };
            BugSignature { code: word.to_owned(), class: class.to_owned(), slug, ..BugSignature::default() }
        }
    };
    let fields = vec![
        (FieldName::Collector, collector.name.clone()),
        (FieldName::Invariant, invariant.map_or_else(|| format!("none: {word}"), |i| format!("{i} ({class})"))),
        (FieldName::Seed, plan.draw.seed.to_string()),
        (FieldName::Repeat, repeat.clone()),
    ];
    let who = (collector.name.clone(), collector.verified);
    waiting(first, what, who, repeat, document(&scenario, fields))
}

/// What a candidate must still show: the same kind of violation, whatever others come before it, or the same end.
struct Same {
    key: ViolationKey,
}

impl Same {
    fn violation(&self, run: &Examined<'_>) -> Option<Violation> {
        let ViolationKey::Violation { verdict, invariant, phase, .. } = self.key else { return None };
        let is_same = |((violation, of), bug): &(&(Violation, Verdict), &Option<u16>)| {
            (*of, violation.invariant) == (verdict, invariant)
                && phase.is_none_or(|phase| phase == violation.phase)
                && self.key.known_bug().is_none_or(|known| **bug == Some(known as u16))
        };
        let mut found = run.violations.iter().zip(run.known_bugs);
        found.find(is_same).map(|((violation, _), _)| *violation)
    }

    fn holds(&self, run: &Examined<'_>) -> bool {
        match self.key {
            ViolationKey::Violation { .. } => self.violation(run).is_some(),
            ViolationKey::Death { verdict, reason, bug, .. } => run
                .death()
                .is_some_and(|(why, ending)| why == reason && run.death_verdict(why, ending) == (verdict, bug)),
            ViolationKey::Fatal { fatal, .. } => run.end.fatal() == Some(fatal),
        }
    }
}

/// Reduces a finding; nothing if `stop` became true.
pub(super) fn reduce(
    plan: &CampaignPlan,
    found: &Finding,
    key: ViolationKey,
    stop: &AtomicBool,
    explain: Explain<'_>,
) -> Option<Finding> {
    let collector = plan.subjects.declaration(key.collector());
    let same = Same { key };
    let differential = key.invariant().is_some_and(differential::judges);
    let mut examiner = plan.subjects.examiner(key.collector(), &plan.baseline);
    let original = plan.draw.scenario(found.first.scenario);
    let halt = &mut |progress: &shrink::Progress<'_>| {
        if stop.load(Ordering::Relaxed) {
            progress.stop();
        }
    };
    let minimized = match key {
        ViolationKey::Fatal { fatal, .. } => reduce_fatal(&mut examiner, &original, fatal, plan.tries, halt),
        ViolationKey::Violation { .. } | ViolationKey::Death { .. } => {
            let mut holds = |candidate: &Scenario| same.holds(&examiner.examine(candidate, differential));
            shrink::minimize(&original, &mut holds, Budget { tries: plan.tries }, halt)
        }
    };
    if stop.load(Ordering::Relaxed) {
        return None;
    }
    // What was found in a process that had run others counts if a fresh one shows it too.
    let is_reduced = same.holds(&examiner.examine_fresh(&minimized.scenario, differential));
    let (scenario, claim) = match is_reduced {
        true => (&minimized.scenario, minimized.claim()),
        false => (&original, Minimality::new(false, minimized.tries)),
    };
    let is_process = examiner.is_process();
    let run = examiner.examine_fresh(scenario, differential);
    let mut record = Finding { minimal: claim.is_minimal(), claim: claim.to_string(), ..found.clone() };
    if let (ViolationKey::Death { reason, .. }, false) = (key, same.holds(&run)) {
        // Anything may happen where behaviour is undefined: that it died once is what is known.
        record.sentence =
            format!("the interpreter died where behaviour is undefined ({reason:?}), and not when asked again");
        record.reduced.clone_from(&record.scenario);
        record.known = known(plan, key, None);
        record.state = if record.known.is_some() { State::Known } else { State::New };
        return Some(record);
    }
    if !same.holds(&run) {
        record.state = State::Flaky;
        record.sentence = "it did not occur again".to_owned();
        return Some(record);
    }
    let names = ObjectNames::new(&Names::default(), run.events);
    match same.violation(&run) {
        Some(violation) => {
            record.sentence = violation.describe(&|object| names.label(object));
            record.what.phase = violation.phase.word().to_owned();
            record.what.slug += &format!("-{}", violation.phase.word().to_lowercase());
            record.known = known(plan, key, Some(&violation));
        }
        None => {
            if let End::Limit(limit) = run.end {
                record.what.name = limit.clone();
                record.sentence = format!("the interpreter did not end within its limit: {limit}");
            }
            if let Some(death) = run.end.death() {
                record.what.name = death.how.clone();
                record.what.phase = death.place.phase.word().to_owned();
                record.sentence = format!("the interpreter died: {death}");
                record.details.extend(details(death));
            }
            if let End::Undefined(reason, _) = run.end {
                record.sentence += &format!("; behaviour is undefined there ({reason:?})");
                record.known = known(plan, key, None);
                record.details.insert("undefined".to_owned(), format!("{reason:?}").into());
            }
        }
    }
    record.state = if record.known.is_some() { State::Known } else { State::New };
    record.objects = run.objects();
    record.operations = scenario.ops().len();
    record.digest = digest(scenario);
    record.events = lines(run.events);
    if run.left_out() > 0 {
        let _ = writeln!(record.events, "... and {} more", run.left_out());
    }
    let unverified = if collector.verified { "" } else { " (unverified)" };
    let mut fields = vec![(FieldName::Collector, format!("{}{unverified}", collector.name))];
    if let Some(invariant) = key.invariant() {
        fields.push((FieldName::Invariant, format!("{invariant} ({})", record.what.class)));
    }
    fields.extend([
        (FieldName::Note, record.sentence.clone()),
        (FieldName::Minimal, record.claim.clone()),
        (FieldName::Seed, plan.draw.seed.to_string()),
        (FieldName::Repeat, record.repeat.clone()),
    ]);
    let document = document(scenario, fields);
    record.explanation = explain(key.collector(), &document, is_process.then_some(&run));
    record.reduced = document.print();
    Some(record)
}

/// A death for programs; steps are counted from 1.
fn details(death: &Death) -> [(String, serde_json::Value); 4] {
    let Death { how, place } = death;
    let step = place.step.map(|step| u64::from(step) + 1);
    let generation = place.collecting.map(|(generation, _)| generation);
    [
        ("how".to_owned(), how.as_str().into()),
        ("step".to_owned(), step.into()),
        ("collecting".to_owned(), generation.into()),
        ("phase".to_owned(), place.phase.word().into()),
    ]
}

fn known(plan: &CampaignPlan, key: ViolationKey, violation: Option<&Violation>) -> Option<String> {
    match key.verdict()? {
        Verdict::New => None,
        Verdict::Known => {
            let bug = plan.baseline.bugs().get(key.known_bug()?)?;
            let regression = bug.regressions.first()?;
            Some(format!("regressions/{regression}: {}: {}", bug.id, bug.what))
        }
        Verdict::TypeFault => Some("type-fault: a type lied or did not take part".to_owned()),
        Verdict::Documented => Some(format!("documented: {}", violation?.source())),
        Verdict::Unpromised => Some(format!("unpromised: {}", violation?.source())),
    }
}
