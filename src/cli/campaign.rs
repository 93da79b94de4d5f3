//! The options of campaigns, on the model and on real interpreters.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;

use super::options;
use crate::campaign::{Budget, Draw};
use crate::cpython::lockstep::{Target, row_of};
use crate::cpython::{self, Interpreter, Limits};
use crate::generate::{Seed, Size};
use crate::report::quoted;

/// How long a campaign without a bound takes.
const SHORT: Duration = Duration::from_secs(20);

/// Which scenarios, how many, by how many workers, and where findings go.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Seed of the campaign: up to 64 hexadecimal digits
    #[arg(long, value_name = "HEX", default_value = "0")]
    pub seed: Seed,
    /// Stop after N scenarios, each run on every collector or interpreter
    #[arg(long, value_name = "N", conflicts_with_all = ["time", "only"])]
    pub scenarios: Option<u64>,
    /// Stop after a time, such as 30s or 5m [default: 20s]
    #[arg(long, value_name = "TIME", value_parser = options::duration, conflicts_with = "only")]
    pub time: Option<Duration>,
    /// Run scenario number N only
    #[arg(long, value_name = "N")]
    pub only: Option<u64>,
    /// Profiles of the generator, in turn
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "default")]
    pub profile: Vec<String>,
    /// Size of the scenarios: tiny, small, medium or large
    #[arg(long, value_name = "SIZE", value_parser = options::size, default_value = "small")]
    pub size: Size,
    /// Time that an interpreter has for one scenario
    #[arg(long, value_name = "TIME", value_parser = options::duration, default_value = "5s")]
    pub limit: Duration,
    /// Number of workers [default: number of cores]
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Folder for findings
    #[arg(long, value_name = "DIR", default_value = "findings")]
    pub out: PathBuf,
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
            _ => Budget::Time(SHORT),
        }
    }

    /// Bounds of a worker's process.
    pub fn limits(&self) -> Limits {
        Limits { scenario: self.limit, ..Limits::default() }
    }

    /// How many workers there are.
    ///
    /// # Errors
    /// If it is none.
    pub fn jobs(&self) -> anyhow::Result<usize> {
        match self.jobs {
            Some(0) => bail!("--jobs must be at least 1"),
            Some(jobs) => Ok(jobs.min(1024)),
            None => Ok(std::thread::available_parallelism().map_or(1, |n| n.get())),
        }
    }

    /// The scenarios.
    ///
    /// # Errors
    /// If the name of a profile means nothing.
    pub fn draw(&self) -> anyhow::Result<Draw> {
        Ok(Draw { seed: self.seed, profiles: options::profiles(&self.profile)?, size: self.size })
    }

    /// The command that does the same again with a bound that does not depend on time; `command` is how it begins.
    pub fn repeat(&self, command: &str, scenarios: u64) -> String {
        let mut text = format!("{command} --seed {}", self.seed);
        match self.only {
            Some(n) => text += &format!(" --only {n}"),
            None => text += &format!(" --scenarios {scenarios}"),
        }
        if self.profile != ["default"] {
            text += &format!(" --profile {}", self.profile.join(","));
        }
        if self.size != Size::default() {
            text += &format!(" --size {}", self.size.word());
        }
        if self.limit != Limits::default().scenario {
            text += &format!(" --limit {}ms", self.limit.as_millis());
        }
        text
    }
}

/// Which real interpreters.
#[derive(Debug, Clone, clap::Args)]
pub struct Pythons {
    /// Interpreters: paths, versions (3.7, 3.7.16) or all
    #[arg(long, value_name = "P", required = true)]
    pub python: String,
    /// Build the probe with the sanitizers of gcc (address, undefined): what they report is a crash
    #[arg(long)]
    pub sanitize: bool,
}

impl Pythons {
    /// How a command that uses the same interpreters begins.
    pub fn command(&self, name: &str) -> String {
        let sanitize = if self.sanitize { " --sanitize" } else { "" };
        format!("coroner {name} --python {}{sanitize}", quoted(&self.python))
    }
}

/// The interpreters that a list means, with the rows that cover them. One that no row covers, or that cannot be
/// used, is named on standard error and left out.
///
/// # Errors
/// If nothing is left, or an entry of the list is no interpreter.
pub fn targets(list: &str) -> anyhow::Result<Vec<Target>> {
    let mut targets = Vec::new();
    for interpreter in interpreters(list)? {
        match row_of(&interpreter) {
            Some(collector) => targets.push(Target { interpreter, collector }),
            None => eprintln!("skipped: {}: no row of the model covers it", interpreter.name()),
        }
    }
    if targets.is_empty() {
        bail!("none of these interpreters is covered by a row of the model (`coroner list collectors`)");
    }
    Ok(targets)
}

/// The interpreters that a list means.
///
/// # Errors
/// If an entry of the list is no usable interpreter, or there is none.
pub fn interpreters(list: &str) -> anyhow::Result<Vec<Interpreter>> {
    let found = cpython::resolve(list)?;
    if found.is_empty() {
        bail!("no interpreter found: pass a path, or name programs in CORONER_PYTHONS");
    }
    Ok(found)
}
