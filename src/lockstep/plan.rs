//! What a campaign in lockstep compares.

use crate::campaign::{Budget, Scenarios};
use crate::cpython::Interpreter;
use crate::findings::{Baseline, CampaignIdentity, SCHEMA, SubjectIdentity};
use crate::model::collector::Collector;
use crate::supervise::Limits;

/// What a campaign in lockstep does.
#[derive(Clone, Debug)]
pub struct ComparisonPlan {
    /// Which scenarios are run.
    pub draw: Scenarios,
    /// What is compared.
    pub targets: Vec<Target>,
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

/// An interpreter and the collector that should do the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// The interpreter.
    pub interpreter: Interpreter,
    /// The collector.
    pub collector: Collector,
}

impl ComparisonPlan {
    /// What the campaign is; `python` is the list that means its interpreters.
    pub fn about(&self, python: &str) -> CampaignIdentity {
        let collectors: Vec<Collector> = self.targets.iter().map(|t| t.collector.clone()).collect();
        let subject = |target: &Target| {
            let program = target.interpreter.program.to_string_lossy();
            let is_path = python.split(',').any(|entry| entry.trim() == program);
            SubjectIdentity {
                name: target.interpreter.name(),
                verified: target.collector.verified,
                option: if is_path { program.into_owned() } else { target.interpreter.short() },
                build: target.interpreter.version.clone(),
                collector: target.collector.name.clone(),
            }
        };
        CampaignIdentity {
            schema: SCHEMA,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            command: "diff".to_owned(),
            seed: self.draw.seed.to_string(),
            profiles: self.draw.profiles.iter().map(|p| p.name.to_owned()).collect(),
            size: self.draw.size.word().to_owned(),
            subjects: self.targets.iter().map(subject).collect(),
            only: if let Budget::Only(n) = self.budget { Some(n) } else { None },
            block: self.draw.block(),
            sample: self.sample,
            tries: self.tries,
            sanitize: self.targets.iter().any(|t| t.interpreter.sanitized),
            limit_ms: Some(self.limits.scenario.as_millis() as u64),
            fingerprint: crate::campaign::fingerprint(&self.draw, &collectors, &Baseline::empty()),
        }
    }
}
