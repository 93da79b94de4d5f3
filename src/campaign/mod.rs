//! Campaigns: the scenarios of a seed, each run on every collector, over as many workers as there are cores.
//!
//! Scenario `n` of a campaign is a pure function of seed, profiles, size and `n`. The scenarios are cut into blocks,
//! which may be shared out among shards. Workers take blocks and count them; what they counted is added up in the order
//! of the blocks, so the outcome does not depend on how many workers there were or who was faster, and a campaign
//! that ends for whatever reason equals one of that many scenarios.

mod about;
mod baseline;
mod bugs;
mod crash;
mod draw;
mod engine;
mod examine;
mod lane;
mod merge;
mod panel;
mod part;
mod record;
mod reduce;
mod shelf;
mod store;
mod tally;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::collector::Collector;
use crate::cpython::{Interpreter, Limits};
use crate::generate::{PROFILES, Size};
use crate::invariant::{Invariant, Violation};
use crate::scenario::Scenario;
use crate::scenario::binary::encode_to_vec;
use crate::scenario::text::Document;

pub use about::{About, SCHEMA, Subject};
pub use baseline::{Baseline, BaselineError, Known};
pub use bugs::{Bug, REDUCED, Summary};
pub use crash::reduce_fatal;
pub use draw::{Budget, Draw, Source};
pub use engine::{Course, Keeper, Progress, Show, Work, drive};
pub use examine::{End, Examined, Examiner, Fatal};
pub use lane::{Extent, Lane, Position, Shard, Timing};
pub use merge::{MergeError, Merged, merge};
pub use panel::Panel;
pub use part::{Count, First, Kind, Part as Counts, Seen};
pub use record::{Record, State, What};
pub use reduce::{count_objects, digest};
pub use shelf::{Campaign, Overlap, Shelf};
pub use store::{Nowhere, Regressions, Store, StoreError, write_atomically};
pub use tally::{Key, Part, SIBLINGS, Tally, Verdict};

pub(crate) use part::mix;
pub(crate) use reduce::{document, lines, waiting};

/// How many scenarios the fingerprint of a campaign is taken of.
const FINGERPRINT: u64 = 32;

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

/// Under what terms a campaign is run: nothing that changes what a scenario is or does.
#[derive(Clone, Copy)]
pub struct Terms<'t> {
    /// Which of the campaign's blocks are run.
    pub shard: Shard,
    /// End when so many kinds of findings have been made that set the exit code.
    pub findings: Option<u64>,
    /// Every violation sets the exit code.
    pub strict: bool,
    /// How often the state is kept.
    pub checkpoint: Duration,
    /// Where it is kept, if anywhere.
    pub home: Option<Home<'t>>,
    /// Explains a reduced scenario.
    pub explain: Explain<'t>,
}

/// Tells what happens in a scenario on a collector, and why.
pub type Explain<'t> = &'t (dyn Fn(&Collector, &Document) -> String + Sync);

/// Where a campaign keeps its state.
#[derive(Clone, Copy, Debug)]
pub struct Home<'t> {
    /// The folder.
    pub root: &'t Path,
    /// Go on where the files are.
    pub resume: bool,
    /// The names of scenarios that are known.
    pub regressions: &'t Regressions,
}

impl Default for Terms<'_> {
    /// The whole campaign, kept nowhere.
    fn default() -> Self {
        Terms {
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
pub struct Outcome<T: Count, K: Kind> {
    /// Counts.
    pub part: part::Part<T, K>,
    /// What was found and reduced, in the order of the keys.
    pub findings: Vec<(K, Record)>,
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

impl<T: Count, K: Kind> Outcome<T, K> {
    /// The outcome of what a shard, or several together, counted.
    pub fn new(lane: &Lane<T, K>, scenarios: Option<u64>, bugs: Summary) -> Outcome<T, K> {
        let examined = || store::current(lane).filter(|(_, record)| record.is_examined());
        let is_flaky = |record: &Record| record.state == State::Flaky;
        let findings = examined().filter(|(_, r)| !is_flaky(r)).map(|(kind, r)| (*kind, r.clone()));
        Outcome {
            part: lane.part.clone(),
            findings: findings.collect(),
            unconfirmed: examined().filter(|(_, r)| is_flaky(r)).count(),
            waiting: lane.part.kinds.len() - examined().count(),
            scenarios,
            timing: lane.timing,
            bugs,
        }
    }

    /// The file of a finding's reduced scenario.
    pub fn file(root: &Path, record: &Record) -> PathBuf {
        root.join(record.folder()).join(REDUCED)
    }
}

impl Plan {
    /// An examiner for a collector of the plan.
    pub fn examiner(&self, collector: &Collector) -> Examiner {
        match self.interpreters.get(&collector.name) {
            Some(interpreter) => Examiner::on(interpreter, collector, self.limits, &self.baseline),
            None => Examiner::new(collector, &self.baseline),
        }
    }

    /// What the campaign is; `command` is `run` or `test`.
    pub fn about(&self, command: &str) -> About {
        let subject = |c: &Collector| Subject {
            name: c.name.clone(),
            verified: c.verified,
            option: match command {
                "run" => c.name.clone(),
                _ => c.name.trim_start_matches("python:").to_owned(),
            },
            build: self.interpreters.get(&c.name).map_or(String::new(), |i| i.version.clone()),
            collector: String::new(),
        };
        About {
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
pub(crate) fn fingerprint(draw: &Draw, collectors: &[Collector], baseline: &Baseline) -> String {
    // Large graphs are made and run by the same code as small ones, which is faster to ask.
    let mut draw = Draw { size: Size::Small, ..draw.clone() };
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
pub type Judged = Outcome<Tally, Key>;

/// Runs a whole campaign and keeps nothing. When `stop` becomes true, no new scenario is started and the campaign ends
/// as one of so many scenarios.
pub fn run(plan: &Plan, stop: &AtomicBool) -> Judged {
    let hunt = Hunt { plan, about: plan.about("run"), terms: Terms::default() };
    // Nothing can go wrong where nothing is written.
    let lane = drive(&hunt, &hunt.course(), hunt.lane(), stop, &mut Nowhere).unwrap_or_else(|_| hunt.lane());
    Outcome::new(&lane, Some(lane.end(hunt.about.block)), Summary::default())
}

/// Runs a campaign under terms; `show` is called about ten times a second.
///
/// # Errors
/// If the state cannot be kept.
pub fn run_under(
    plan: &Plan,
    command: &str,
    terms: Terms<'_>,
    stop: &AtomicBool,
    show: Show<'_, Tally, Key>,
) -> Result<Judged, StoreError> {
    let hunt = Hunt { plan, about: plan.about(command), terms };
    let mut examiners = Vec::new();
    let shows = &mut |path: &Path, bug: &Bug, subject: &str| plan.shows(&mut examiners, path, bug, subject);
    run_at_home(&hunt, &hunt.about, &hunt.course(), &terms, stop, shows, show)
}

/// Says whether a subject shows a bug that is kept in a file; nothing if it cannot be asked.
pub(crate) type Shows<'s> = &'s mut dyn FnMut(&Path, &Bug, &str) -> Option<bool>;

/// Drives a campaign with its store, if it has one: what is there is replayed first, and renewed at the end.
pub(crate) fn run_at_home<W: Work>(
    work: &W,
    about: &About,
    course: &Course,
    terms: &Terms<'_>,
    stop: &AtomicBool,
    shows: Shows<'_>,
    show: Show<'_, W::Count, W::Kind>,
) -> Result<Outcome<W::Count, W::Kind>, StoreError> {
    let Some(home) = terms.home else {
        let lane = drive(work, course, Lane::new(terms.shard, about.subjects.len()), stop, &mut Nowhere)?;
        return Ok(Outcome::new(&lane, Some(lane.end(about.block)), Summary::default()));
    };
    let (mut store, lane) = Store::open(home.root, about, terms.shard, home.resume, home.regressions.clone(), show)?;
    bugs::replay(home.root, shows)?;
    let lane = drive(work, course, lane, stop, &mut store)?;
    let bugs = store.renew()?;
    Ok(Outcome::new(&lane, Some(lane.end(about.block)), bugs))
}

/// A campaign on collectors and interpreters.
struct Hunt<'p> {
    plan: &'p Plan,
    about: About,
    terms: Terms<'p>,
}

impl Hunt<'_> {
    fn course(&self) -> Course {
        let (extent, time) = self.plan.budget.bounds();
        Course {
            extent,
            block: self.about.block,
            time,
            findings: self.terms.findings,
            jobs: self.plan.jobs,
            checkpoint: self.terms.checkpoint,
        }
    }

    fn lane(&self) -> Lane<Tally, Key> {
        Lane::new(self.terms.shard, self.plan.collectors.len())
    }
}

impl Work for Hunt<'_> {
    type Count = Tally;
    type Kind = Key;
    type Worker = Worker;

    fn worker(&self) -> Worker {
        Worker {
            source: self.plan.draw.source(),
            scenario: Scenario::new(),
            panel: Panel::new(self.plan.collectors.iter().map(|c| self.plan.examiner(c)).collect()),
        }
    }

    fn run(&self, worker: &mut Worker, numbers: Range<u64>) -> Part {
        worker.run(self.plan, numbers)
    }

    fn found(&self, key: Key, first: First) -> Record {
        reduce::found(self.plan, &self.about, key, first)
    }

    fn reduce(&self, found: &Record, key: Key, stop: &AtomicBool) -> Option<Record> {
        reduce::reduce(self.plan, found, key, stop, self.terms.explain)
    }

    fn matters(&self, key: Key) -> Option<Key> {
        key.counts(self.terms.strict).then(|| key.family())
    }
}

struct Worker {
    source: Source,
    scenario: Scenario,
    panel: Panel,
}

impl Worker {
    fn run(&mut self, plan: &Plan, numbers: Range<u64>) -> Part {
        let mut part = Part::new(plan.collectors.len());
        let sampled = |n: u64| plan.sample != 0 && n.is_multiple_of(plan.sample);
        part.scenarios = numbers.end - numbers.start;
        if !plan.interpreters.is_empty() {
            self.run_together(numbers, sampled, &mut part);
            return part;
        }
        for n in numbers {
            self.source.fill(n, &mut self.scenario);
            self.panel.examine(&self.scenario, sampled(n), |index, run| part.add(index, n, run));
        }
        part
    }

    /// Interpreters are in other processes: each gets all the scenarios in one go.
    fn run_together(&mut self, numbers: Range<u64>, sampled: impl Fn(u64) -> bool, part: &mut Part) {
        let mut batch = Vec::new();
        for n in numbers.clone() {
            let mut scenario = Scenario::new();
            self.source.fill(n, &mut scenario);
            batch.push(scenario);
        }
        let number = |i: usize| numbers.start + i as u64;
        for (index, examiner) in self.panel.examiners().iter_mut().enumerate() {
            examiner.examine_batch(&batch, |i| sampled(number(i)), |i, examined| part.add(index, number(i), &examined));
        }
    }
}
