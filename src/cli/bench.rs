//! `coroner bench`: the figures of `docs/performance.md` on this machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};

use super::{Exit, options};
use crate::bench::{Table, against_interpreter, collection, parallel, pipeline, replay, rows};
use crate::cpython::{self, Interpreter};
use crate::generate::{Profile, Size};
use crate::report::json;

/// Measure this machine: pipeline, all rows, model against a real interpreter, collections, processes, replay
///
/// Both sides of every ratio take turns in one run. Nothing is judged: what is asked for stands beside what was seen.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Measure these only
    #[arg(value_name = "PART", value_enum)]
    parts: Vec<Part>,
    /// Real interpreters: paths, versions (3.7, 3.7.16, 3.14d) or all [default: the newest that is found]
    #[arg(long, value_name = "P")]
    python: Option<String>,
    /// Time for each row of a table
    #[arg(long, value_name = "TIME", default_value = "250ms", value_parser = options::some_time)]
    time: Duration,
    /// Collect graphs of up to N objects
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    objects: u32,
    /// Profiles of the pipeline
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "default,plain,builtin,containers,planted"
    )]
    profile: Vec<String>,
    /// Folder of regressions to replay
    #[arg(long, value_name = "DIR", default_value = "regressions")]
    regressions: PathBuf,
    /// Print the tables as markdown
    #[arg(long)]
    markdown: bool,
    /// Work for so long and print how many scenarios per second: what the processes of `processes` do
    #[arg(long, value_name = "TIME", hide = true, value_parser = options::duration)]
    child: Option<Duration>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Generate, run and judge, alone and together
    Pipeline,
    /// All rows on the same scenarios, each alone and all together
    Rows,
    /// The model against a real interpreter on the same scenarios
    Reality,
    /// One full collection of a large graph, against gc.collect()
    Collection,
    /// One process against as many as there are cores
    Processes,
    /// The regressions, and a corpus of 10,000 files
    Replay,
}

impl Part {
    const ALL: [Part; 6] = [Part::Pipeline, Part::Rows, Part::Reality, Part::Collection, Part::Processes, Part::Replay];
}

/// Runs the command.
///
/// # Errors
/// If the arguments make no sense or the result cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    if let Some(time) = args.child {
        super::print(&format!("{}\n", parallel::work(time)))?;
        return Ok(Exit::Clean);
    }
    let profiles = options::profiles(&args.profile)?;
    if profiles.iter().any(|p| p.is_huge()) {
        bail!("the profile `huge` has scenarios of seconds: the part `collection` measures large graphs");
    }
    let parts = if args.parts.is_empty() { &Part::ALL[..] } else { &args.parts };
    let interpreters = match &args.python {
        Some(list) => options::resolve(list)?,
        None if parts.iter().any(|p| matches!(p, Part::Reality | Part::Collection)) => newest(),
        None => Vec::new(),
    };
    let bar = options::bar(None);
    let mut tables = Vec::new();
    for part in parts {
        bar.set_message(format!("{part:?}").to_lowercase());
        let table = measure(*part, args, &profiles, &interpreters, || bar.inc(1))?;
        bar.suspend(|| super::print(&shown(&table, args.markdown)))?;
        tables.push(table);
    }
    bar.finish_and_clear();
    if let Some(path) = json {
        let mut page = json::JsonReport::new("bench", Exit::Clean.code());
        page.timing = tables.iter().map(|table| (table.key.to_owned(), table.value())).collect();
        json::write(path, &page)?;
    }
    Ok(Exit::Clean)
}

fn shown(table: &Table, markdown: bool) -> String {
    if markdown { format!("{}\n", table.markdown()) } else { format!("{}\n", table.text()) }
}

fn measure(
    part: Part,
    args: &Args,
    profiles: &[&'static Profile],
    interpreters: &[Interpreter],
    step: impl FnMut(),
) -> anyhow::Result<Table> {
    Ok(match part {
        Part::Pipeline => pipeline::table(profiles, &Size::ALL, args.time, step),
        Part::Rows => rows::table(profiles, args.time.mul_f64(4.0), step),
        Part::Reality => {
            let profiles = options::profiles(&["default".to_owned(), "plain".to_owned()])?;
            against_interpreter::table(interpreters, &profiles, args.time.mul_f64(4.0), step)
        }
        Part::Collection => {
            let sizes = (3..=7).map(|digits| 10u32.pow(digits)).filter(|size| *size <= args.objects);
            collection::table(interpreters.last(), &sizes.collect::<Vec<_>>(), step)
        }
        Part::Processes => {
            let program = std::env::current_exe().context("this program does not know its own file")?;
            let time = args.time.mul_f64(2.0);
            let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get).max(2);
            let arguments = ["bench".to_owned(), "--child".to_owned(), format!("{}s", time.as_secs_f64())];
            parallel::table(&program, &arguments, time.saturating_add(CHILD), cores, step)
        }
        Part::Replay => replay::table(&args.regressions, replay::CORPUS, step),
    })
}

/// What a child of the part `processes` may take beyond its time.
const CHILD: Duration = Duration::from_secs(600);

/// The newest interpreter that is no debug build: a debug build's speed says nothing.
fn newest() -> Vec<Interpreter> {
    cpython::installed().into_iter().flatten().rfind(|i| !i.debug).into_iter().collect()
}
