//! Campaigns: the scenarios of a seed, each run on every collector, over as many workers as there are cores.
//!
//! Scenario `n` of a campaign is a pure function of seed, profiles, size and `n`. Workers take ranges of numbers and
//! keep counts of their own; adding counts up is commutative, so the outcome does not depend on how many workers
//! there were or who was faster. Nothing that a bound in seconds could change is counted: a campaign with such a
//! bound stops handing out ranges, and what was handed out is finished, so it equals a campaign of that many
//! scenarios.

mod baseline;
mod crash;
mod draw;
mod examine;
mod finding;
mod panel;
mod reduce;
mod store;
mod tally;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::collector::Collector;
use crate::cpython::{Interpreter, Limits};
use crate::scenario::Scenario;

pub use baseline::{Baseline, BaselineError, Known};
pub use crash::{Crash, reduce_fatal};
pub use draw::{Budget, Draw, Source};
pub use examine::{End, Examined, Examiner, Fatal};
pub use finding::{Finding, count_objects};
pub use panel::Panel;
pub use store::{StoreError, store, store_crashes, write_atomically};
pub use tally::{First, Key, Part, Tally, Verdict};

pub(crate) use draw::Numbers;

/// How often progress is reported.
const TICK: Duration = Duration::from_millis(100);

/// What a campaign does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which scenarios are run.
    pub draw: Draw,
    /// Who runs them; at least one.
    pub collectors: Vec<Collector>,
    /// The real interpreters that run the scenarios of the collectors with these names.
    pub interpreters: BTreeMap<String, Interpreter>,
    /// Bounds of their processes.
    pub limits: Limits,
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

/// What a campaign is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Scenarios run.
    Running {
        /// How many are done.
        scenarios: u64,
        /// Time since the start.
        elapsed: Duration,
    },
    /// Findings are being reduced.
    Reducing {
        /// How many are done.
        done: usize,
        /// How many there are.
        total: usize,
    },
}

/// The outcome of a campaign. Everything but `took` is a function of the plan (with a bound in seconds: of the plan
/// and the number of scenarios).
#[derive(Debug)]
pub struct Outcome {
    /// Counts.
    pub part: Part,
    /// The first scenario of each kind of violation, reduced, in the order of their keys.
    pub findings: Vec<Finding>,
    /// The first scenario that each interpreter died of, and the first with which it reached a limit, reduced.
    pub crashes: Vec<Crash>,
    /// Kinds of violations and crashes that did not occur again in a fresh process.
    pub unconfirmed: usize,
    /// How long the scenarios took.
    pub took: Duration,
    /// How long the reduction took.
    pub reducing: Duration,
}

impl Plan {
    /// An examiner for a collector of the plan.
    pub fn examiner(&self, collector: &Collector) -> Examiner {
        match self.interpreters.get(&collector.name) {
            Some(interpreter) => Examiner::on(interpreter, collector, self.limits, &self.baseline),
            None => Examiner::new(collector, &self.baseline),
        }
    }
}

/// Runs a campaign; `progress` is called about ten times a second. When `stop` becomes true, no new scenario is
/// started and the campaign ends as one of so many scenarios.
pub fn run(plan: &Plan, stop: &AtomicBool, progress: &mut dyn FnMut(Progress)) -> Outcome {
    let start = Instant::now();
    let done = AtomicU64::new(0);
    let deadline = match plan.budget {
        Budget::Time(time) => start.checked_add(time),
        _ => None,
    };
    let numbers = Numbers::new(&plan.draw, plan.budget, deadline, stop);
    let part = in_parallel(
        plan.jobs,
        || {
            let mut worker = Worker::new(plan);
            while let Some(numbers) = numbers.take() {
                let count = numbers.end - numbers.start;
                worker.run(numbers);
                done.fetch_add(count, Ordering::Relaxed);
            }
            worker.part
        },
        || progress(Progress::Running { scenarios: done.load(Ordering::Relaxed), elapsed: start.elapsed() }),
    )
    .into_iter()
    .fold(Part::new(plan.collectors.len()), |mut all, part| {
        all.absorb(&part);
        all
    });
    let took = start.elapsed();
    let findings = reduce::findings(plan, &part, progress);
    let crashes: Vec<Crash> =
        part.crashes.iter().filter_map(|((at, fatal), n)| crash::reduce(plan, *at, *fatal, *n)).collect();
    let unconfirmed = part.firsts.len() + part.crashes.len() - findings.len() - crashes.len();
    Outcome { part, findings, crashes, unconfirmed, took, reducing: start.elapsed() - took }
}

/// Runs the same work on several threads, calls `tick` until all are done, and returns what they made.
pub(crate) fn in_parallel<T: Send>(jobs: usize, work: impl Fn() -> T + Sync, mut tick: impl FnMut()) -> Vec<T> {
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        let work = &work;
        for _ in 0..jobs.max(1) {
            let sender = sender.clone();
            scope.spawn(move || sender.send(work()));
        }
        drop(sender);
        let mut results = Vec::new();
        loop {
            match receiver.recv_timeout(TICK) {
                Ok(result) => results.push(result),
                Err(mpsc::RecvTimeoutError::Timeout) => tick(),
                Err(mpsc::RecvTimeoutError::Disconnected) => return results,
            }
        }
    })
}

struct Worker<'p> {
    plan: &'p Plan,
    source: Source,
    scenario: Scenario,
    examiners: Vec<Examiner>,
    part: Part,
}

impl<'p> Worker<'p> {
    fn new(plan: &'p Plan) -> Worker<'p> {
        Worker {
            plan,
            source: plan.draw.source(),
            scenario: Scenario::new(),
            examiners: plan.collectors.iter().map(|c| plan.examiner(c)).collect(),
            part: Part::new(plan.collectors.len()),
        }
    }

    fn run(&mut self, numbers: Range<u64>) {
        if !self.plan.interpreters.is_empty() {
            return self.run_together(numbers);
        }
        for n in numbers {
            self.source.fill(n, &mut self.scenario);
            let sampled = self.plan.sample != 0 && n.is_multiple_of(self.plan.sample);
            for (index, examiner) in self.examiners.iter_mut().enumerate() {
                let examined = examiner.examine(&self.scenario, sampled);
                self.part.add(index, n, &examined);
            }
            self.part.scenarios += 1;
        }
    }
    /// Interpreters are in other processes: each gets all the scenarios in one go.
    fn run_together(&mut self, numbers: Range<u64>) {
        let mut batch = Vec::new();
        for n in numbers.clone() {
            let mut scenario = Scenario::new();
            self.source.fill(n, &mut scenario);
            batch.push(scenario);
        }
        let number = |i: usize| numbers.start + i as u64;
        let sampled = |i: usize| self.plan.sample != 0 && number(i).is_multiple_of(self.plan.sample);
        for (index, examiner) in self.examiners.iter_mut().enumerate() {
            examiner.examine_batch(&batch, sampled, |i, examined| self.part.add(index, number(i), &examined));
        }
        self.part.scenarios += batch.len() as u64;
    }
}
