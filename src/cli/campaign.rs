//! The options of campaigns, on the model and on real interpreters.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{anyhow, bail};

use super::against::{self, Against};
use super::{input, options};
use crate::campaign::{Budget, Examined, Examiner, Explain, RunOptions, Scenarios, StoreOptions};
use crate::cpython::Interpreter;
use crate::explain::{self, Judged, RealRun, record};
use crate::findings::{Baseline, CampaignIdentity, Regressions, Shard, digest};

use crate::generate::{Seed, Size};
use crate::lookup::Imitation;
use crate::model::collector::Collector;
use crate::model::rows::Rows;
use crate::report::count;
use crate::report::text::explanation::text;
use crate::scenario::text::Document;
use crate::supervise::Limits;

/// How long a campaign without a bound takes.
const SHORT: Duration = Duration::from_secs(20);
/// Highest number of workers.
const MOST_JOBS: usize = 1024;

/// Which scenarios, how many, by how many workers, and where findings go.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Seed of the campaign: up to 64 hexadecimal digits
    #[arg(long, value_name = "HEX", default_value = "0")]
    pub seed: Seed,
    /// Stop after N scenarios, each run on every collector or interpreter
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with_all = ["time", "only"])]
    pub scenarios: Option<u64>,
    /// Stop after a time, such as 30s or 5m [default: 20s]
    #[arg(long, value_name = "TIME", value_parser = options::some_time, conflicts_with = "only")]
    pub time: Option<Duration>,
    /// Run scenario number N only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..u64::MAX))]
    pub only: Option<u64>,
    /// Profiles of the generator, in turn
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "default")]
    pub profile: Vec<String>,
    /// Size of the scenarios: tiny, small, medium or large
    #[arg(long, value_name = "SIZE", value_parser = options::size, default_value = "small")]
    pub size: Size,
    /// Time that an interpreter has for one scenario
    #[arg(long, value_name = "TIME", value_parser = options::some_time, default_value = "5s")]
    pub limit: Duration,
    /// Number of workers [default: number of cores]
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Folder for findings and for how far the campaign is
    #[arg(long, value_name = "DIR", default_value = "findings")]
    pub out: PathBuf,
    /// Go on where the same campaign in DIR was stopped or killed; begin if there is none
    #[arg(long)]
    pub resume: bool,
    /// Run the part I, from 0, of N that have no scenario in common; `coroner merge` puts them together
    #[arg(long, value_name = "I/N", default_value = "0/1", conflicts_with = "only")]
    pub shard: Shard,
    /// Stop after N kinds of findings that set the exit code; there is no other bound unless it is given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "only")]
    pub findings: Option<u64>,
    /// How often the state is written
    #[arg(long, value_name = "TIME", value_parser = options::duration, default_value = "1s")]
    pub checkpoint: Duration,
    /// Append a line of JSON to FILE every five seconds
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
    /// Files or folders of scenarios that are known: what is reduced to one of them is KNOWN
    #[arg(long, value_name = "PATH", value_delimiter = ',')]
    pub known: Vec<PathBuf>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            seed: Seed::default(),
            scenarios: None,
            time: None,
            only: None,
            profile: vec!["default".to_owned()],
            size: Size::default(),
            limit: Limits::default().scenario,
            jobs: None,
            out: PathBuf::from("findings"),
            resume: false,
            shard: Shard::WHOLE,
            findings: None,
            checkpoint: Duration::from_secs(1),
            metrics: None,
            known: Vec::new(),
        }
    }
}

impl Options {
    /// When the campaign is over.
    pub fn budget(&self) -> Budget {
        match (self.scenarios, self.time, self.only) {
            (Some(n), ..) => Budget::Scenarios(n),
            (_, Some(time), _) => Budget::Time(time),
            (.., Some(n)) => Budget::Only(n),
            _ if self.findings.is_some() => Budget::Scenarios(u64::MAX),
            _ => Budget::Time(SHORT),
        }
    }

    /// Bounds of a worker's process.
    pub fn limits(&self) -> Limits {
        Limits { scenario: self.limit, ..Limits::default() }
    }

    /// How many workers there are. Says so if some of them are for nothing.
    ///
    /// # Errors
    /// If it is none, or too many.
    pub fn jobs(&self) -> anyhow::Result<usize> {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        let jobs = self.jobs.unwrap_or(cores);
        if !(1..=MOST_JOBS).contains(&jobs) && self.jobs.is_some() {
            bail!("--jobs must be at least 1 and at most {MOST_JOBS}");
        }
        if jobs > cores {
            eprintln!("--jobs {jobs}: there are {}, and more workers make nothing faster", count(cores as u64, "core"));
        }
        Ok(jobs)
    }

    /// The scenarios.
    ///
    /// # Errors
    /// If the name of a profile means nothing.
    pub fn draw(&self) -> anyhow::Result<Scenarios> {
        Ok(Scenarios { seed: self.seed, profiles: options::profiles(&self.profile)?, size: self.size })
    }

    /// The names of scenarios that are known.
    ///
    /// # Errors
    /// If a file is no scenario.
    pub fn regressions(&self) -> anyhow::Result<Regressions> {
        regressions(&self.known)
    }

    /// How the campaign is run.
    pub fn run_options<'t>(
        &'t self,
        strict: bool,
        regressions: &'t Regressions,
        explain: Explain<'t>,
    ) -> RunOptions<'t> {
        RunOptions {
            shard: self.shard,
            findings: self.findings,
            strict,
            checkpoint: self.checkpoint,
            home: Some(StoreOptions { root: &self.out, resume: self.resume, regressions }),
            explain,
        }
    }

    /// The command that does the same again as a campaign that ended as one of so many scenarios.
    pub fn repeat(&self, about: &CampaignIdentity, scenarios: Option<u64>, strict: bool) -> Option<String> {
        repeat(about, scenarios, self.shard, strict)
    }
}

/// The command that does the same again as a shard that ended as one of so many scenarios of the campaign.
pub fn repeat(about: &CampaignIdentity, scenarios: Option<u64>, shard: Shard, strict: bool) -> Option<String> {
    let which = match about.only {
        Some(n) => format!("--only {n}"),
        None => format!("--scenarios {}", scenarios?),
    };
    let mut command = about.repeat(&[], &which, &Collector::row_names());
    if shard != Shard::WHOLE {
        command += &format!(" --shard {shard}");
    }
    if strict {
        command += " --strict";
    }
    Some(command)
}

/// The names of the scenarios in files and folders.
///
/// # Errors
/// If a file is no scenario.
pub fn regressions(paths: &[PathBuf]) -> anyhow::Result<Regressions> {
    let mut known = Regressions::new();
    for case in input::read_all(paths) {
        let case = case.map_err(|unreadable| anyhow!("{}: {}", unreadable.path.display(), unreadable.message()))?;
        known.insert(digest(&case.document.scenario.normalize()), case.path.to_string_lossy().into_owned());
    }
    Ok(known)
}

/// Explains a reduced scenario: the run of an interpreter, or what a collector of the model does.
pub fn explain(collector: &Collector, document: &Document, run: Option<&Examined<'_>>) -> String {
    if let Some(run) = run {
        return page(document, collector, judged(run, true));
    }
    // The baseline of a program whose tests have passed can be read.
    let baseline = Baseline::committed(&Collector::row_names()).unwrap_or_default();
    let mut examiner = Examiner::new(&Rows::one(collector), &baseline);
    page(document, collector, judged(&examiner.examine(&document.scenario, true), false))
}

fn page(document: &Document, collector: &Collector, judged: Judged<'_>) -> String {
    let run = record(document, collector, judged);
    text(&run, &explain::explain(&run), true, false)
}

/// How a run was judged, for its explanation; with its events, if it is that of an interpreter.
pub fn judged<'e>(run: &Examined<'e>, is_process: bool) -> Judged<'e> {
    let real = RealRun { events: run.events, total: run.total, end: run.end, observes: run.observes };
    Judged { violations: run.violations, digest: run.digest, real: is_process.then_some(real) }
}

/// Which real interpreters.
#[derive(Debug, Clone, clap::Args)]
pub struct Pythons {
    /// Interpreters: paths, versions (3.7, 3.7.16, 3.14d) or all
    #[arg(long, value_name = "P", required = true)]
    pub python: String,
    /// Build the probe with the sanitizers of gcc (address, undefined): what they report is a crash
    #[arg(long)]
    pub sanitize: bool,
    #[command(flatten)]
    pub against: Against,
}

/// The interpreters that a list means, each with the row that it is compared with. Which that is if nobody names it is said
/// on standard error of those that are no releases.
///
/// # Errors
/// If an entry of the list is no usable interpreter, or there is none.
pub fn targets(list: &str, row: Option<&Collector>) -> anyhow::Result<Vec<Imitation>> {
    Ok(interpreters(list)?.into_iter().map(|interpreter| against::imitation(interpreter, row)).collect())
}

/// The interpreters that a list means.
///
/// # Errors
/// If an entry of the list is no usable interpreter, or there is none.
pub fn interpreters(list: &str) -> anyhow::Result<Vec<Interpreter>> {
    let found = options::resolve(list)?;
    if found.is_empty() {
        bail!("no interpreter found: pass a path, or name programs in CORONER_PYTHONS");
    }
    Ok(found)
}
