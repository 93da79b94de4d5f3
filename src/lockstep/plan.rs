//! What a campaign in lockstep compares.

use std::sync::Arc;

use crate::campaign::{Budget, Scenarios};
use crate::findings::{Baseline, CampaignIdentity, SCHEMA, SubjectIdentity};

use crate::subject::Spec;
use crate::supervise::Limits;

/// What a campaign in lockstep does.
#[derive(Clone, Debug)]
pub struct ComparisonPlan {
    /// Which scenarios are run.
    pub draw: Scenarios,
    /// What is compared.
    pub targets: Vec<Target>,
    /// What the targets are compared with, each of them, in the same order: the campaign's fingerprint is taken of it.
    pub model: Arc<dyn Spec>,
    /// The targets run with sanitizers.
    pub sanitize: bool,
    /// The name of the model of all targets, if somebody chose it; nothing if each has the row of its own version.
    pub against: Option<String>,
    /// How many scenarios, for each target; a time is for all targets together.
    pub budget: Budget,
    /// Number of workers, from 1.
    pub jobs: usize,
    /// One scenario of so many is also run in a fresh process; 0 for none.
    pub sample: u64,
    /// Bounds of a worker.
    pub limits: Limits,
    /// How many candidates the reduction of one difference may try.
    pub tries: u64,
}

/// A subject with a process, and one that should do the same.
#[derive(Clone, Debug)]
pub struct Target {
    /// What is kept of it; its `collector` is the name of the model.
    pub identity: SubjectIdentity,
    /// The subject with a process: the first of these.
    pub real: Arc<dyn Spec>,
    /// What it should do: the first of these.
    pub model: Arc<dyn Spec>,
}

impl ComparisonPlan {
    /// What the campaign is.
    pub fn about(&self) -> CampaignIdentity {
        CampaignIdentity {
            schema: SCHEMA,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            command: "diff".to_owned(),
            seed: self.draw.seed.to_string(),
            profiles: self.draw.profiles.iter().map(|p| p.name.to_owned()).collect(),
            size: self.draw.size.word().to_owned(),
            subjects: self.targets.iter().map(|target| target.identity.clone()).collect(),
            only: if let Budget::Only(n) = self.budget { Some(n) } else { None },
            block: self.draw.block(),
            sample: self.sample,
            tries: self.tries,
            sanitize: self.sanitize,
            against: self.against.clone(),
            limit_ms: Some(self.limits.scenario.as_millis() as u64),
            fingerprint: crate::campaign::fingerprint(&self.draw, self.model.as_ref(), &Baseline::empty()),
        }
    }
}
