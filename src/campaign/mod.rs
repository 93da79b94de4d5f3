//! Campaigns: the scenarios of a seed, each run on every collector, over as many workers as there are cores.
//!
//! Scenario `n` of a campaign is a pure function of seed, profiles, size and `n`. The scenarios are cut into blocks,
//! which may be shared out among shards. Workers take blocks and count them; what they counted is added up in the order
//! of the blocks, so the outcome does not depend on how many workers there were or who was faster, and a campaign
//! that ends for whatever reason equals one of that many scenarios.

mod engine;
mod examine;
mod judged_counts;
mod reduce;
mod reduce_end;
mod rows;
mod scenarios;
mod scope_counts;
mod store;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::cpython::Interpreter;
use crate::findings::{
    Baseline, Bug, CampaignIdentity, Counts, Finding, FindingKey, First, REDUCED, Regressions, SCHEMA, Shard,
    ShardState, State, StoreError, SubjectCounts, SubjectIdentity, Summary, Timing, folders, mix,
};
use crate::generate::{PROFILES, Size};
use crate::invariant::{Invariant, Violation};
use crate::model::collector::Collector;
use crate::scenario::Scenario;
use crate::scenario::binary::encode_to_vec;
use crate::scenario::text::Document;
use crate::supervise::Limits;

pub use engine::{Bounds, Persist, Progress, Show, Work, drive};
pub use examine::{Examined, Examiner};
pub use judged_counts::{JudgedCounts, JudgedTotals, SIBLINGS, ViolationKey};
pub use reduce_end::reduce_fatal;
pub use rows::Rows;
pub use scenarios::{Budget, Scenarios, Source};
pub use scope_counts::{Failure, Key, ScopeCounts, ScopeVerdicts};
pub use store::{Nowhere, Store};

/// How many scenarios the fingerprint of a campaign is taken of.
const FINGERPRINT: u64 = 32;

/// What a campaign does.
#[derive(Clone, Debug)]
pub struct CampaignPlan {
    /// Which scenarios are run.
    pub draw: Scenarios,
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

/// Tells what happens in a scenario on a collector, and why.
pub type Explain<'t> = &'t (dyn Fn(&Collector, &Document) -> String + Sync);

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
            explain: &|_, _| String::new(),
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
        root.join(record.folder()).join(REDUCED)
    }
}

impl CampaignPlan {
    /// An examiner for a collector of the plan.
    pub fn examiner(&self, collector: &Collector) -> Examiner {
        match self.interpreters.get(&collector.name) {
            Some(interpreter) => Examiner::on(interpreter, collector, self.limits, &self.baseline),
            None => Examiner::new(collector, &self.baseline),
        }
    }

    /// What the campaign is; `command` is `run` or `test`.
    pub fn about(&self, command: &str) -> CampaignIdentity {
        let subject = |c: &Collector| SubjectIdentity {
            name: c.name.clone(),
            verified: c.verified,
            option: match command {
                "run" => c.name.clone(),
                _ => c.name.trim_start_matches("python:").to_owned(),
            },
            build: self.interpreters.get(&c.name).map_or(String::new(), |i| i.version.clone()),
            collector: String::new(),
        };
        CampaignIdentity {
            schema: SCHEMA,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            command: command.to_owned(),
            seed: self.draw.seed.to_string(),
            profiles: self.draw.profiles.iter().map(|p| p.name.to_owned()).collect(),
            size: self.draw.size.word().to_owned(),
            subjects: self.collectors.iter().map(subject).collect(),
            only: if let Budget::Only(n) = self.budget { Some(n) } else { None },
            block: self.draw.block(),
            sample: self.sample,
            tries: self.tries,
            sanitize: self.interpreters.values().any(|i| i.sanitized),
            limit_ms: (!self.interpreters.is_empty()).then_some(self.limits.scenario.as_millis() as u64),
            fingerprint: fingerprint(&self.draw, &self.collectors, &self.baseline),
        }
    }

    /// True if a subject shows a bug that a campaign has kept in this file; nothing if it cannot be asked.
    fn shows(&self, examiners: &mut Vec<Examiner>, path: &Path, bug: &Bug, subject: &str) -> Option<bool> {
        let collector = self.collectors.iter().find(|c| c.name == subject)?;
        let at = examiners.iter().position(|e| e.collector().name == subject).unwrap_or_else(|| {
            examiners.push(self.examiner(collector));
            examiners.len() - 1
        });
        let scenario = crate::scenario::text::parse_bytes(&std::fs::read(path).ok()?).ok()?.scenario;
        let differential = Invariant::parse(&bug.what.code).is_some_and(reduce::is_differential);
        let mut shows = bug.is_shown_by(&examiners[at].examine(&scenario, differential));
        if !shows && examiners[at].is_real() {
            // Only a fresh process can say no.
            shows = bug.is_shown_by(&examiners[at].examine_fresh(&scenario, differential));
        }
        Some(shows)
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
            None => run.end.fatal().is_some_and(|fatal| fatal.word() == self.what.code),
        }
    }
}

/// Digest of what the first scenarios are, and of what they do on collectors of the model.
pub(crate) fn fingerprint(draw: &Scenarios, collectors: &[Collector], baseline: &Baseline) -> String {
    // Large graphs are made and run by the same code as small ones, which is faster to ask.
    let mut draw = Scenarios { size: Size::Small, ..draw.clone() };
    draw.profiles.retain(|p| !p.is_huge());
    draw.profiles.push(&PROFILES[0]);
    let (mut source, mut scenario) = (draw.source(), Scenario::new());
    let mut examiners: Vec<Examiner> = collectors.iter().map(|c| Examiner::new(c, baseline)).collect();
    let mut digest = 0;
    for n in 0..FINGERPRINT {
        source.fill(n, &mut scenario);
        digest = mix(digest, xxhash_rust::xxh3::xxh3_64(&encode_to_vec(&scenario)));
        for examiner in &mut examiners {
            let run = examiner.examine(&scenario, false);
            digest = run.violations.iter().fold(mix(digest, run.digest), |digest, (violation, verdict)| {
                mix(digest, (violation.invariant as u64) << 8 | *verdict as u64)
            });
        }
    }
    format!("{digest:016x}")
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
        ShardState::new(self.options.shard, self.plan.collectors.len())
    }
}

impl Work for JudgedCampaign<'_> {
    type Counts = JudgedCounts;
    type Key = ViolationKey;
    type Worker = Worker;

    fn worker(&self) -> Worker {
        Worker {
            source: self.plan.draw.source(),
            scenario: Scenario::new(),
            rows: Rows::new(self.plan.collectors.iter().map(|c| self.plan.examiner(c)).collect()),
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
    scenario: Scenario,
    rows: Rows,
}

impl Worker {
    fn run(&mut self, plan: &CampaignPlan, numbers: Range<u64>) -> JudgedTotals {
        let mut part = JudgedTotals::new(plan.collectors.len());
        let sampled = |n: u64| plan.sample != 0 && n.is_multiple_of(plan.sample);
        part.scenarios = numbers.end - numbers.start;
        if !plan.interpreters.is_empty() {
            self.run_together(numbers, sampled, &mut part);
            return part;
        }
        for n in numbers {
            self.source.fill(n, &mut self.scenario);
            self.rows.examine(&self.scenario, sampled(n), |index, run| part.add(index, n, run));
        }
        part
    }

    /// Interpreters are in other processes: each gets all the scenarios in one go.
    fn run_together(&mut self, numbers: Range<u64>, sampled: impl Fn(u64) -> bool, part: &mut JudgedTotals) {
        let mut batch = Vec::new();
        for n in numbers.clone() {
            let mut scenario = Scenario::new();
            self.source.fill(n, &mut scenario);
            batch.push(scenario);
        }
        let number = |i: usize| numbers.start + i as u64;
        for (index, examiner) in self.rows.examiners().iter_mut().enumerate() {
            examiner.examine_batch(&batch, |i| sampled(number(i)), |i, examined| part.add(index, number(i), &examined));
        }
    }
}
