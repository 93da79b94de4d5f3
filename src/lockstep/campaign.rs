//! A campaign in lockstep: the scenarios of a seed, on every interpreter and on the model.

use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::compared_counts::{ComparedCounts, ComparedTotals, DifferenceKey};
use super::finding;
use super::panel::Panel;
use super::plan::{ComparisonPlan, Target};
use super::{Comparison, Lockstep};
use crate::campaign::{self, Bounds, RunOptions, Show, Work};
use crate::event::MOST_KEPT;
use crate::findings::{Bug, CampaignIdentity, Finding, First, ShardState, State, StoreError};

use crate::scenario::Scenario;

/// An interpreter that could not be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Skipped {
    /// Index of the target.
    pub target: usize,
    /// Why, in one line.
    pub why: String,
}

/// The outcome of a campaign in lockstep. Everything but the times is a function of the plan and of the number of
/// scenarios.
#[derive(Debug)]
pub struct ComparisonOutcome {
    /// What was counted and found.
    pub campaign: campaign::CampaignOutcome<ComparedCounts, DifferenceKey>,
    /// Targets that could not be used.
    pub skipped: Vec<Skipped>,
}

/// Runs a whole campaign and keeps nothing. When `stop` becomes true, no new scenario is started.
pub fn run(plan: &ComparisonPlan, stop: &AtomicBool) -> ComparisonOutcome {
    let (about, options) = (plan.about(), RunOptions::default());
    let empty = || {
        campaign::CampaignOutcome::new(&ShardState::new(options.shard, plan.targets.len()), None, Default::default())
    };
    // Nothing can go wrong where nothing is written.
    run_under(plan, &about, options, stop, &mut |_| {})
        .unwrap_or_else(|_| ComparisonOutcome { campaign: empty(), skipped: vec![] })
}

/// Runs a campaign under options; `show` is called about ten times a second.
///
/// # Errors
/// If the state cannot be kept.
pub fn run_under(
    plan: &ComparisonPlan,
    about: &CampaignIdentity,
    options: RunOptions<'_>,
    stop: &AtomicBool,
    show: Show<'_, ComparedCounts, DifferenceKey>,
) -> Result<ComparisonOutcome, StoreError> {
    let comparing = Comparing { plan, about, options, skipped: Mutex::default(), alive: AtomicUsize::new(plan.jobs) };
    let (extent, time) = plan.budget.bounds();
    let (jobs, checkpoint) = (plan.jobs, options.checkpoint);
    let bounds = Bounds { extent, block: about.block, time, findings: options.findings, jobs, checkpoint };
    let shows = &mut |path: &Path, bug: &Bug, subject: &str| comparing.shows(path, bug, subject);
    let campaign = campaign::run_at_home(&comparing, about, &bounds, &options, stop, shows, show)?;
    let mut skipped = comparing.skipped.into_inner().unwrap_or_else(PoisonError::into_inner);
    skipped.sort_by_key(|s| s.target);
    skipped.dedup_by_key(|s| s.target);
    Ok(ComparisonOutcome { campaign, skipped })
}

/// A campaign being run.
struct Comparing<'p> {
    plan: &'p ComparisonPlan,
    about: &'p CampaignIdentity,
    options: RunOptions<'p>,
    skipped: Mutex<Vec<Skipped>>,
    /// Workers that have an interpreter left.
    alive: AtomicUsize,
}

/// The interpreters of a worker, by target: those that could be used so far.
struct Worker {
    locksteps: Vec<Option<Lockstep>>,
    /// The models of all of them, if there are several.
    panel: Option<Panel>,
    batch: Vec<Scenario>,
    source: campaign::Source,
}

impl Comparing<'_> {
    fn skip(&self, target: usize, why: String) {
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner).push(Skipped { target, why });
    }

    fn shows(&self, path: &Path, bug: &Bug, subject: &str) -> Option<bool> {
        let target = self.plan.targets.iter().find(|t| t.identity.name == subject)?;
        let document = crate::scenario::text::parse_bytes(&std::fs::read(path).ok()?).ok()?;
        let limits = self.plan.limits;
        let mut lockstep = Lockstep::new(target.real.clone(), target.model.as_ref(), limits).ok()?;
        let comparison = lockstep.compare_fresh(&document.scenario).ok()?;
        let is_same = |d: &super::Difference| bug.what.code == "diff" && d.kind.to_string() == bug.what.name;
        Some(matches!(comparison, Comparison::Different(difference) if is_same(&difference)))
    }
}

impl Work for Comparing<'_> {
    type Counts = ComparedCounts;
    type Key = DifferenceKey;
    type Worker = Worker;

    fn worker(&self) -> Worker {
        let start = |(index, target): (usize, &Target)| {
            let lockstep = Lockstep::new(target.real.clone(), target.model.as_ref(), self.plan.limits);
            lockstep.map_err(|error| self.skip(index, error.to_string())).ok()
        };
        let locksteps: Vec<Option<Lockstep>> = self.plan.targets.iter().enumerate().map(start).collect();
        if locksteps.iter().all(Option::is_none) {
            self.alive.fetch_sub(1, Ordering::Relaxed);
        }
        let model = self.plan.model.as_ref();
        // What a model does with less room than the panel keeps, only the model itself can say.
        let shares = locksteps.len() > 1
            && model.declarations().len() == locksteps.len()
            && self.plan.limits.events() > MOST_KEPT;
        let panel = shares.then(|| Panel::new(model));
        Worker { locksteps, panel, batch: Vec::new(), source: self.plan.draw.source() }
    }

    fn run(&self, worker: &mut Worker, numbers: Range<u64>) -> ComparedTotals {
        let mut part = ComparedTotals::new(self.plan.targets.len());
        let size = (numbers.end - numbers.start) as usize;
        part.scenarios = size as u64;
        worker.batch.resize_with(size, Scenario::new);
        for (n, scenario) in numbers.clone().zip(&mut worker.batch) {
            worker.source.fill(n, scenario);
        }
        let number = |i: usize| numbers.start + i as u64;
        let sample = |i: usize| self.plan.sample != 0 && number(i).is_multiple_of(self.plan.sample);
        let were_alive = worker.locksteps.iter().any(Option::is_some);
        if let Some(panel) = worker.panel.as_mut().filter(|_| were_alive) {
            panel.run(&worker.batch);
        }
        for (index, place) in worker.locksteps.iter_mut().enumerate() {
            let Some(lockstep) = place else { continue };
            let each = |compared: super::Compared| part.add(index, number(compared.index), &compared);
            let known = |i: usize| worker.panel.as_ref().and_then(|panel| panel.events(i, index));
            if let Err(error) = lockstep.compare_known(&worker.batch, known, sample, each) {
                self.skip(index, error.to_string());
                *place = None;
            }
        }
        if were_alive && worker.locksteps.iter().all(Option::is_none) {
            self.alive.fetch_sub(1, Ordering::Relaxed);
        }
        part
    }

    fn found(&self, key: DifferenceKey, first: First) -> Finding {
        let DifferenceKey { target, kind } = key;
        finding::found(self.plan, self.about, target, kind, first)
    }

    fn reduce(&self, found: &Finding, key: DifferenceKey, _stop: &AtomicBool) -> Option<Finding> {
        let reduced = key.kind.and_then(|_| finding::finding(self.plan, key.target, found.first.scenario));
        Some(match reduced {
            Some(finding) => finding.record(found, self.options.explain),
            None => Finding {
                state: State::Flaky,
                sentence: "a fresh process did something else".to_owned(),
                ..found.clone()
            },
        })
    }

    fn matters(&self, key: DifferenceKey) -> Option<DifferenceKey> {
        Some(key)
    }

    fn is_over(&self) -> bool {
        self.alive.load(Ordering::Relaxed) == 0
    }
}
