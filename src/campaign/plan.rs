//! What a campaign does: which scenarios, who runs them, how many, what is known.

use std::path::Path;
use std::sync::Arc;

use super::examine::Examiner;
use super::scenarios::{Budget, Scenarios};
use crate::findings::{Baseline, Bug, CampaignIdentity, SCHEMA, SubjectIdentity, mix};
use crate::generate::{PROFILES, Size};
use crate::invariant::{Invariant, differential};
use crate::scenario::Scenario;
use crate::scenario::binary::encode_to_vec;
use crate::subject::{Declaration, Spec};
use crate::supervise::Limits;

/// How many scenarios the fingerprint of a campaign is taken of.
const FINGERPRINT: u64 = 32;

/// What a campaign does.
#[derive(Clone, Debug)]
pub struct CampaignPlan {
    /// Which scenarios are run.
    pub draw: Scenarios,
    /// Who runs them.
    pub subjects: CampaignSubjects,
    /// How many scenarios.
    pub budget: Budget,
    /// Number of workers, from 1.
    pub jobs: usize,
    /// Invariants that need several runs of a scenario are judged on one scenario of so many; 0 for never.
    pub sample: u64,
    /// What is known.
    pub baseline: Baseline,
    /// How many candidates the reduction of one finding may try.
    pub tries: u64,
}

/// Who runs the scenarios of a campaign; at least one.
#[derive(Clone, Debug)]
pub struct CampaignSubjects {
    /// In order; those of one are run together.
    pub specs: Vec<Arc<dyn Spec>>,
    /// What they do according to the model, each of them, in the same order: the campaign's fingerprint is taken of it.
    pub model: Arc<dyn Spec>,
    /// The names of those that the command takes if nobody is named.
    pub default: Vec<String>,
    /// They run with sanitizers.
    pub sanitize: bool,
    /// The model that interpreters are compared with, if somebody chose it.
    pub against: Option<String>,
}

impl CampaignSubjects {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.declarations().count()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What they are, in order.
    pub fn declarations(&self) -> impl Iterator<Item = &Declaration> {
        self.specs.iter().flat_map(|spec| spec.declarations())
    }

    /// What one of them is.
    pub fn declaration(&self, subject: usize) -> &Declaration {
        let (spec, at) = self.find(subject);
        &spec.declarations()[at]
    }

    /// The bounds of their processes; nothing if all run in this one.
    pub fn limits(&self) -> Option<Limits> {
        self.specs.iter().find_map(|spec| spec.limits())
    }

    /// One of them alone.
    pub fn examiner(&self, subject: usize, baseline: &Baseline) -> Examiner {
        let (spec, at) = self.find(subject);
        Examiner::new(spec.alone(at).as_ref(), baseline)
    }

    /// All of them, in groups that are run together, each with the index of its first.
    pub fn examiners(&self, baseline: &Baseline) -> Vec<(usize, Examiner)> {
        let mut next = 0;
        let group = |spec: &Arc<dyn Spec>| {
            let first = next;
            next += spec.declarations().len();
            (first, Examiner::new(spec.as_ref(), baseline))
        };
        self.specs.iter().map(group).collect()
    }

    /// The spec of a subject, and its index there.
    fn find(&self, subject: usize) -> (&dyn Spec, usize) {
        let mut at = subject;
        for spec in &self.specs {
            match at.checked_sub(spec.declarations().len()) {
                Some(rest) => at = rest,
                None => return (spec.as_ref(), at),
            }
        }
        panic!("subject {subject} of {}", self.len())
    }
}

impl CampaignPlan {
    /// What the campaign is; `command` is `run` or `test`.
    pub fn about(&self, command: &str) -> CampaignIdentity {
        let subject = |d: &Declaration| SubjectIdentity {
            name: d.name.clone(),
            verified: d.verified,
            option: match command {
                "run" => d.name.clone(),
                _ => d.name.trim_start_matches("python:").to_owned(),
            },
            build: d.build.clone(),
            collector: String::new(),
            without_lists: !d.observes.shows_lists() && command == "test",
        };
        CampaignIdentity {
            schema: SCHEMA,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            command: command.to_owned(),
            seed: self.draw.seed.to_string(),
            profiles: self.draw.profiles.iter().map(|p| p.name.to_owned()).collect(),
            size: self.draw.size.word().to_owned(),
            subjects: self.subjects.declarations().map(subject).collect(),
            only: if let Budget::Only(n) = self.budget { Some(n) } else { None },
            block: self.draw.block(),
            sample: self.sample,
            tries: self.tries,
            sanitize: self.subjects.sanitize,
            against: self.subjects.against.clone(),
            limit_ms: self.subjects.limits().map(|limits| limits.scenario.as_millis() as u64),
            fingerprint: fingerprint(&self.draw, self.subjects.model.as_ref(), &self.baseline),
        }
    }

    /// True if a subject shows a bug that a campaign has kept in this file; nothing if it cannot be asked.
    pub(super) fn shows(
        &self,
        examiners: &mut Vec<(usize, Examiner)>,
        path: &Path,
        bug: &Bug,
        subject: &str,
    ) -> Option<bool> {
        let subject = self.subjects.declarations().position(|d| d.name == subject)?;
        let at = examiners.iter().position(|(of, _)| *of == subject).unwrap_or_else(|| {
            examiners.push((subject, self.subjects.examiner(subject, &self.baseline)));
            examiners.len() - 1
        });
        let examiner = &mut examiners[at].1;
        let scenario = crate::scenario::text::parse_bytes(&std::fs::read(path).ok()?).ok()?.scenario;
        let differential = Invariant::parse(&bug.what.code).is_some_and(differential::judges);
        let mut shows = bug.is_shown_by(&examiner.examine(&scenario, differential));
        if !shows && examiner.is_process() {
            // Only a fresh process can say no.
            shows = bug.is_shown_by(&examiner.examine_fresh(&scenario, differential));
        }
        Some(shows)
    }
}

/// Digest of what the first scenarios are, and of what they do on subjects of the model.
pub(crate) fn fingerprint(draw: &Scenarios, model: &dyn Spec, baseline: &Baseline) -> String {
    // Large graphs are made and run by the same code as small ones, which is faster to ask.
    let mut draw = Scenarios { size: Size::Small, ..draw.clone() };
    draw.profiles.retain(|p| !p.is_huge());
    draw.profiles.push(&PROFILES[0]);
    let (mut source, mut scenario) = (draw.source(), Scenario::new());
    let mut examiner = Examiner::new(model, baseline);
    let mut digest = 0;
    for n in 0..FINGERPRINT {
        source.fill(n, &mut scenario);
        digest = mix(digest, xxhash_rust::xxh3::xxh3_64(&encode_to_vec(&scenario)));
        examiner.examine_each(&scenario, false, |_, run| {
            digest = run.violations.iter().fold(mix(digest, run.digest), |digest, (violation, verdict)| {
                mix(digest, (violation.invariant as u64) << 8 | *verdict as u64)
            });
        });
    }
    format!("{digest:016x}")
}
