//! A campaign in lockstep: the scenarios of a seed, on every interpreter and on the model.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::Lockstep;
use super::finding::{self, Finding};
use super::tally::Part;
use crate::campaign::{Budget, Draw, Numbers, in_parallel};
use crate::collector::Collector;
use crate::cpython::{Interpreter, Limits};
use crate::scenario::Scenario;

/// How many kinds of differences are reduced for each interpreter.
const KINDS: usize = 3;

/// What a campaign in lockstep does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which scenarios are run.
    pub draw: Draw,
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

/// An interpreter that could not be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Skipped {
    /// Index of the target.
    pub target: usize,
    /// Why, in one line.
    pub why: String,
}

/// The state of a campaign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Scenarios run, over all targets, of so many (0 if a time is the bound).
    Running {
        /// How many are done.
        done: u64,
        /// How many there are.
        total: u64,
    },
    /// Differences are being reduced.
    Reducing,
}

/// The outcome of a campaign in lockstep. Everything but the times is a function of the plan (with a bound in
/// seconds: of the plan and the number of scenarios).
#[derive(Debug)]
pub struct Outcome {
    /// Counts.
    pub part: Part,
    /// Targets that could not be used.
    pub skipped: Vec<Skipped>,
    /// Differences, reduced.
    pub findings: Vec<Finding>,
    /// How long the comparison took.
    pub took: Duration,
}

/// Runs a campaign: the targets one after the other, each over all workers. When `stop` becomes true, no new
/// scenario is started.
pub fn run(plan: &Plan, stop: &AtomicBool, progress: &mut dyn FnMut(Progress)) -> Outcome {
    let start = Instant::now();
    let range = plan.budget.range();
    let total = match plan.budget {
        Budget::Time(_) => 0,
        _ => (range.end - range.start) * plan.targets.len() as u64,
    };
    let done = AtomicU64::new(0);
    let skipped = Mutex::new(Vec::new());
    let mut part = Part::new(plan.targets.len());
    for (index, target) in plan.targets.iter().enumerate() {
        let deadline = match plan.budget {
            Budget::Time(time) => start.checked_add(time.mul_f64((index + 1) as f64 / plan.targets.len() as f64)),
            _ => None,
        };
        let numbers = Numbers::new(&plan.draw, plan.budget, deadline, stop);
        let work = || {
            let mut part = Part::new(plan.targets.len());
            let result = work(plan, index, target, &numbers, &done, &mut part);
            if let Err(error) = result
                && let Ok(mut skipped) = skipped.lock()
            {
                skipped.push(Skipped { target: index, why: error.to_string() });
            }
            part
        };
        let tick = || progress(Progress::Running { done: done.load(Ordering::Relaxed), total });
        in_parallel(plan.jobs, work, tick).iter().for_each(|p| part.absorb(p));
    }
    let took = start.elapsed();
    let mut skipped = skipped.into_inner().unwrap_or_default();
    skipped.sort_by_key(|s| s.target);
    skipped.dedup_by_key(|s| s.target);
    let mut wanted: Vec<(usize, u64)> = Vec::new();
    for target in 0..plan.targets.len() {
        let of_target = part.firsts.range((target, super::Kind::Crash)..).take_while(|((t, _), _)| *t == target);
        let mut numbers: Vec<u64> = of_target.map(|(_, n)| *n).collect();
        numbers.sort_unstable();
        wanted.extend(numbers.into_iter().take(KINDS).map(|n| (target, n)));
    }
    let next = AtomicU64::new(0);
    let reducing = || {
        let mut found = Vec::new();
        while let Some((target, n)) = wanted.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
            found.extend(finding::finding(plan, *target, *n));
        }
        found
    };
    let jobs = plan.jobs.min(wanted.len());
    let found = in_parallel(jobs, reducing, || progress(Progress::Reducing));
    let mut findings: Vec<Finding> = found.into_iter().flatten().collect();
    findings.sort_by_key(|f| (f.target, f.number));
    Outcome { part, skipped, findings, took }
}

fn work(
    plan: &Plan,
    index: usize,
    target: &Target,
    numbers: &Numbers<'_>,
    done: &AtomicU64,
    part: &mut Part,
) -> Result<(), crate::cpython::SetupError> {
    let mut lockstep = Lockstep::new(target.interpreter.clone(), &target.collector, plan.limits)?;
    let mut source = plan.draw.source();
    let mut batch: Vec<Scenario> = Vec::new();
    while let Some(numbers) = numbers.take() {
        let size = (numbers.end - numbers.start) as usize;
        batch.resize_with(size, Scenario::new);
        for (n, scenario) in numbers.clone().zip(&mut batch) {
            source.fill(n, scenario);
        }
        let sample = |i: usize| plan.sample != 0 && (numbers.start + i as u64).is_multiple_of(plan.sample);
        lockstep.compare_batch(&batch, sample, |compared| {
            part.add(index, numbers.start + compared.index as u64, &compared);
        })?;
        done.fetch_add(size as u64, Ordering::Relaxed);
    }
    Ok(())
}
