//! Campaigns: the scenarios of a seed, each run on every collector, over as many workers as there are cores.
//!
//! Scenario `n` of a campaign is a pure function of seed, profiles, size and `n`. The scenarios are cut into blocks,
//! which may be shared out among shards. Workers take blocks and count them; what they counted is added up in the order
//! of the blocks, so the outcome does not depend on how many workers there were or who was faster, and a campaign
//! that ends for whatever reason equals one of that many scenarios.

mod engine;
mod examine;
mod judged_counts;
mod plan;
mod reduce;
mod reduce_end;
mod scenarios;
mod scope_counts;
mod store;
mod triples;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::findings::{
    Bug, CampaignIdentity, Counts, Finding, FindingKey, First, REDUCED, Regressions, Shard, ShardState, State,
    StoreError, SubjectCounts, Summary, Timing, folders,
};

use crate::invariant::{Invariant, Violation};
use crate::scenario::Scenario;
use crate::scenario::text::Document;
use crate::subject::{Fatal, is_scheduled};
use triples::TripleReader;

pub use engine::{Bounds, Persist, Progress, Show, Work, drive};
pub use examine::{Examined, Examiner};
pub use judged_counts::{JudgedCounts, JudgedTotals, SIBLINGS, ViolationKey};
pub(crate) use plan::fingerprint;
pub use plan::{CampaignPlan, CampaignSubjects};
pub use reduce_end::reduce_fatal;
pub use scenarios::{Budget, Scenarios, Source};
pub use scope_counts::{Failure, Key, ScopeCounts, ScopeVerdicts};
pub use store::{Nowhere, Store};
pub use triples::Triples;

/// How a campaign is run: nothing that changes what a scenario is or does.
#[derive(Clone, Copy)]
pub struct RunOptions<'t> {
    /// Which of the campaign's blocks are run.
    pub shard: Shard,
    /// End when so many kinds of findings have been made that set the exit code.
    pub findings: Option<u64>,
    /// Every violation sets the exit code.
    pub strict: bool,
    /// How often the state is kept.
    pub checkpoint: Duration,
    /// Where it is kept, if anywhere.
    pub home: Option<StoreOptions<'t>>,
    /// Explains a reduced scenario.
    pub explain: Explain<'t>,
}

/// Tells what happens in a scenario on a subject, by its index, and why: in the run of a process that is handed over, which
/// another run may not repeat; or whenever the subject runs it, if there is none.
pub type Explain<'t> = &'t (dyn Fn(usize, &Document, Option<&Examined<'_>>) -> String + Sync);

/// Where a campaign keeps its state.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions<'t> {
    /// The folder.
    pub root: &'t Path,
    /// Go on where the files are.
    pub resume: bool,
    /// The names of scenarios that are known.
    pub regressions: &'t Regressions,
}

impl Default for RunOptions<'_> {
    /// The whole campaign, kept nowhere.
    fn default() -> Self {
        RunOptions {
            shard: Shard::WHOLE,
            findings: None,
            strict: false,
            checkpoint: Duration::from_secs(1),
            home: None,
            explain: &|_, _, _| String::new(),
        }
    }
}

/// The outcome of a campaign. All but times and the store's summary is a function of the plan and of how many
/// scenarios were run.
#[derive(Clone, Debug)]
pub struct CampaignOutcome<T: SubjectCounts, K: FindingKey> {
    /// Counts.
    pub part: Counts<T, K>,
    /// What was found and reduced, in the order of the keys.
    pub findings: Vec<(K, Finding)>,
    /// How many findings did not occur again.
    pub unconfirmed: usize,
    /// How many findings have been kept, but not reduced.
    pub waiting: usize,
    /// The number of scenarios of a campaign with this outcome, if one process can run it.
    pub scenarios: Option<u64>,
    /// Times.
    pub timing: Timing,
    /// How many bugs the store has.
    pub bugs: Summary,
}

impl<T: SubjectCounts, K: FindingKey> CampaignOutcome<T, K> {
    /// The outcome of what a shard, or several together, counted.
    pub fn new(state: &ShardState<T, K>, scenarios: Option<u64>, bugs: Summary) -> CampaignOutcome<T, K> {
        let examined = || state.current().filter(|(_, record)| record.is_examined());
        let is_flaky = |record: &Finding| record.state == State::Flaky;
        let findings = examined().filter(|(_, r)| !is_flaky(r)).map(|(kind, r)| (*kind, r.clone()));
        CampaignOutcome {
            part: state.part.clone(),
            findings: findings.collect(),
            unconfirmed: examined().filter(|(_, r)| is_flaky(r)).count(),
            waiting: state.part.kinds.len() - examined().count(),
            scenarios,
            timing: state.timing,
            bugs,
        }
    }

    /// The file of a finding's reduced scenario.
    pub fn file(root: &Path, record: &Finding) -> PathBuf {
        folders::place(root, record).join(REDUCED)
    }
}

impl Bug {
    /// True if a run shows it.
    fn is_shown_by(&self, run: &Examined<'_>) -> bool {
        match Invariant::parse(&self.what.code) {
            Some(invariant) => {
                let is_same = |v: &Violation| v.invariant == invariant && v.class.word() == self.what.class;
                run.violations.iter().any(|(violation, _)| is_same(violation))
            }
            None => {
                let is_death = self.what.code == Fatal::Crash.word() && run.end.death().is_some();
                is_death || run.end.fatal().is_some_and(|fatal| fatal.word() == self.what.code)
            }
        }
    }
}

/// The outcome of a campaign on collectors and interpreters, judged by invariants.
pub type JudgedOutcome = CampaignOutcome<JudgedCounts, ViolationKey>;

/// Runs a whole campaign and keeps nothing. When `stop` becomes true, no new scenario is started and the campaign ends
/// as one of so many scenarios.
pub fn run(plan: &CampaignPlan, stop: &AtomicBool) -> JudgedOutcome {
    let work = JudgedCampaign { plan, about: plan.about("run"), options: RunOptions::default() };
    // Nothing can go wrong where nothing is written.
    let state = drive(&work, &work.bounds(), work.state(), stop, &mut Nowhere).unwrap_or_else(|_| work.state());
    CampaignOutcome::new(&state, Some(state.end(work.about.block)), Summary::default())
}

/// Runs a campaign under options; `show` is called about ten times a second.
///
/// # Errors
/// If the state cannot be kept.
pub fn run_under(
    plan: &CampaignPlan,
    command: &str,
    options: RunOptions<'_>,
    stop: &AtomicBool,
    show: Show<'_, JudgedCounts, ViolationKey>,
) -> Result<JudgedOutcome, StoreError> {
    let work = JudgedCampaign { plan, about: plan.about(command), options };
    let mut examiners = Vec::new();
    let shows = &mut |path: &Path, bug: &Bug, subject: &str| plan.shows(&mut examiners, path, bug, subject);
    run_at_home(&work, &work.about, &work.bounds(), &options, stop, shows, show)
}

/// Says whether a subject shows a bug that is kept in a file; nothing if it cannot be asked.
pub(crate) type Shows<'s> = &'s mut dyn FnMut(&Path, &Bug, &str) -> Option<bool>;

/// Drives a campaign with its store, if it has one: what is there is replayed first, and renewed at the end.
pub(crate) fn run_at_home<W: Work>(
    work: &W,
    about: &CampaignIdentity,
    bounds: &Bounds,
    options: &RunOptions<'_>,
    stop: &AtomicBool,
    shows: Shows<'_>,
    show: Show<'_, W::Counts, W::Key>,
) -> Result<CampaignOutcome<W::Counts, W::Key>, StoreError> {
    let Some(home) = options.home else {
        let state = drive(work, bounds, ShardState::new(options.shard, about.subjects.len()), stop, &mut Nowhere)?;
        return Ok(CampaignOutcome::new(&state, Some(state.end(about.block)), Summary::default()));
    };
    let (mut store, state) = Store::open(home.root, about, options.shard, home.resume, home.regressions.clone(), show)?;
    folders::replay(home.root, shows)?;
    let state = drive(work, bounds, state, stop, &mut store)?;
    let bugs = store.renew()?;
    Ok(CampaignOutcome::new(&state, Some(state.end(about.block)), bugs))
}

/// A campaign on collectors and interpreters.
struct JudgedCampaign<'p> {
    plan: &'p CampaignPlan,
    about: CampaignIdentity,
    options: RunOptions<'p>,
}

impl JudgedCampaign<'_> {
    fn bounds(&self) -> Bounds {
        let (extent, time) = self.plan.budget.bounds();
        Bounds {
            extent,
            block: self.about.block,
            time,
            findings: self.options.findings,
            jobs: self.plan.jobs,
            checkpoint: self.options.checkpoint,
        }
    }

    fn state(&self) -> ShardState<JudgedCounts, ViolationKey> {
        ShardState::new(self.options.shard, self.plan.subjects.len())
    }
}

impl Work for JudgedCampaign<'_> {
    type Counts = JudgedCounts;
    type Key = ViolationKey;
    type Worker = Worker;

    fn worker(&self) -> Worker {
        Worker {
            source: self.plan.draw.source(),
            batch: Vec::new(),
            groups: self.plan.subjects.examiners(&self.plan.baseline),
            triples: TripleReader::default(),
        }
    }

    fn run(&self, worker: &mut Worker, numbers: Range<u64>) -> JudgedTotals {
        worker.run(self.plan, numbers)
    }

    fn found(&self, key: ViolationKey, first: First) -> Finding {
        reduce::found(self.plan, &self.about, key, first)
    }

    fn reduce(&self, found: &Finding, key: ViolationKey, stop: &AtomicBool) -> Option<Finding> {
        reduce::reduce(self.plan, found, key, stop, self.options.explain)
    }

    fn matters(&self, key: ViolationKey) -> Option<ViolationKey> {
        key.counts(self.options.strict).then(|| key.family())
    }
}

struct Worker {
    source: Source,
    batch: Vec<Scenario>,
    /// Those that are run together, each with the index of its first subject.
    groups: Vec<(usize, Examiner)>,
    triples: TripleReader,
}

impl Worker {
    fn run(&mut self, plan: &CampaignPlan, numbers: Range<u64>) -> JudgedTotals {
        let mut part = JudgedTotals::new(plan.subjects.len());
        let sampled = |n: u64| plan.sample != 0 && n.is_multiple_of(plan.sample);
        part.scenarios = numbers.end - numbers.start;
        if plan.subjects.limits().is_none() {
            self.batch.resize_with(1, Scenario::new);
            for n in numbers {
                self.source.fill(n, &mut self.batch[0]);
                for (first, examiner) in &mut self.groups {
                    examiner.examine_each(&self.batch[0], sampled(n), |at, run| {
                        part.add(*first + at, n, run);
                        if sampled(n) {
                            let triples = &mut part.tallies[*first + at].triples;
                            self.triples.read(&self.batch[0], run.events, triples);
                        }
                    });
                }
            }
            return part;
        }
        // Who has a process is given all scenarios in one go.
        self.batch.resize_with(part.scenarios as usize, Scenario::new);
        for (n, scenario) in numbers.clone().zip(&mut self.batch) {
            self.source.fill(n, scenario);
        }
        let number = |i: usize| numbers.start + i as u64;
        for (first, examiner) in &mut self.groups {
            let is_process = examiner.is_process();
            examiner.examine_batch(
                &self.batch,
                |i| sampled(number(i)),
                |at, run| {
                    // When an interpreter collects by itself depends on what its process has run before.
                    let varies = is_process && is_scheduled(&self.batch[at.scenario]);
                    let run = &Examined { digest: if varies { 0 } else { run.digest }, ..*run };
                    part.add(*first + at.subject, number(at.scenario), run);
                    if sampled(number(at.scenario)) {
                        let triples = &mut part.tallies[*first + at.subject].triples;
                        self.triples.read(&self.batch[at.scenario], run.events, triples);
                    }
                },
            );
        }
        part
    }
}
