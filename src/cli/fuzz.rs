//! `coroner fuzz`: builds a libFuzzer target with its flags on stable Rust and runs it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::fuzz_findings::Explored;
use super::{Exit, interrupt, options};
use crate::corpus::{self, Reading};
use crate::fuzzing::{CANARY, Compare, Scenarios, Setting, TARGETS, VARIABLES, engine};
use crate::invariant::Invariant;
use crate::model::collector::releases::meant;
use crate::report::{count, json, quoted};
use crate::supervise::attend;

/// How long a run without a bound takes.
const DEFAULT_TIME: Duration = Duration::from_secs(300);

/// Build a libFuzzer target with coverage, on stable Rust, and run it
///
/// Starts from `corpus/TARGET`; new inputs go to `target/fuzz/corpus/TARGET`, and `coroner corpus import` takes those
/// that add something into the corpus.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = variables())]
pub struct Args {
    /// The target: scenario, compare, text, binary, decode or canary
    #[arg(value_name = "TARGET", default_value = "scenario")]
    target: String,
    /// Stop after a time, such as 30s or 5m [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = options::some_time, conflicts_with = "runs")]
    time: Option<Duration>,
    /// Stop after N executions
    #[arg(long, value_name = "N")]
    runs: Option<u64>,
    /// Seed of libFuzzer; the same seed, corpus and number of executions find the same inputs
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Collectors to fuzz (for `compare`: two) [default: all]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    collector: Vec<String>,
    /// Violations of every class count, known ones included
    #[arg(long)]
    strict: bool,
    /// Known `collector` violations count like others
    #[arg(long)]
    ignore_baseline: bool,
    /// Only violations of these invariants count
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    invariant: Vec<String>,
    /// Start from nothing and keep what is found here
    #[arg(long, value_name = "DIR")]
    fresh: Option<PathBuf>,
    /// Where the inputs of crashes go
    #[arg(long, value_name = "DIR")]
    artifacts: Option<PathBuf>,
    /// Go on after crashes: reduce each, and keep one file of each kind in this folder
    #[arg(long, value_name = "DIR", conflicts_with = "runs")]
    findings: Option<PathBuf>,
    /// Build the program, say where it is, and run nothing
    #[arg(long)]
    build_only: bool,
    /// Arguments for libFuzzer
    #[arg(last = true, value_name = "ARGS")]
    libfuzzer: Vec<String>,
}

/// The variables that targets read, for those who start them without this command.
fn variables() -> String {
    let width = VARIABLES.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = VARIABLES.iter().map(|(name, meaning)| format!("  {name:width$}  {meaning}\n"));
    format!("Environment of the targets:\n{}", lines.collect::<String>())
}

/// Where things are.
struct Layout {
    root: PathBuf,
    built: PathBuf,
    found: PathBuf,
    committed: Option<PathBuf>,
    artifacts: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// If there is no fuzz crate here, or the target cannot be built or started.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let target = args.target.as_str();
    if !TARGETS.iter().any(|(name, _)| *name == target) {
        let hint = meant(target, TARGETS.iter().map(|(name, _)| (*name).to_owned()));
        bail!("no fuzz target is called `{target}`{hint}");
    }
    let setting = setting(args)?;
    let here = std::env::current_dir().context("cannot tell the current folder")?;
    let root = engine::root(&here)?;
    let folder = engine::build(&root, &[target])?;
    if args.build_only {
        super::print(&format!("{}\n", folder.join(target).display()))?;
        return Ok(Exit::Clean);
    }
    let layout = Layout {
        built: folder.join(target),
        found: args.fresh.clone().unwrap_or_else(|| root.join("target/fuzz/corpus").join(folder_name(args))),
        committed: if args.fresh.is_some() { None } else { stage(&root, target, &setting)? },
        artifacts: args.artifacts.clone().unwrap_or_else(|| root.join("fuzz/artifacts").join(target)),
        root,
    };
    for folder in [&layout.found, &layout.artifacts] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut explored = Explored::default();
    interrupt::watch();
    let started = Instant::now();
    let (crashes, status) = loop {
        let (crashes, status) = once(args, &layout, explored.rounds, started.elapsed())?;
        explored.rounds += 1;
        for crash in &crashes {
            match &args.findings {
                Some(folder) => explored.take(crash, &setting, folder)?,
                None => super::print(&advice(target, crash, &setting, &layout)?)?,
            }
        }
        explored.crashes += crashes.len();
        if interrupt::asked()
            || crashes.is_empty()
            || !explored.goes_on()
            || args.findings.is_none()
            || is_over(args, started)
        {
            break (explored.crashes, status);
        }
    };
    let exit = interrupt::exit(match (crashes == 0, status.code()) {
        _ if interrupt::asked() => Exit::Clean,
        (false, _) => Exit::Violation,
        (true, Some(0)) => Exit::Clean,
        (true, Some(2)) => Exit::BadInput,
        (true, _) => {
            // A crash on an input that was there before leaves no new file.
            eprintln!("the target ended with {status}; its message above names the input");
            Exit::Violation
        }
    });
    if let Some(path) = json {
        let mut report = json::JsonReport::new("fuzz", exit.code());
        report.result.insert("target".to_owned(), target.into());
        report.result.insert("crashes".to_owned(), crashes.into());
        report.result.insert("findings".to_owned(), explored.findings.iter().map(|f| f.to_string_lossy()).collect());
        json::write(path, &report)?;
    }
    Ok(exit)
}

/// Runs the target until it ends: the new files of crashes, and how it ended.
fn once(args: &Args, layout: &Layout, round: u32, spent: Duration) -> anyhow::Result<(Vec<PathBuf>, ExitStatus)> {
    let before = files(&layout.artifacts)?;
    let mut command = command(args, layout, round, spent);
    // It writes every input when it finds it: nothing is lost.
    let status =
        attend(&mut command, &interrupt::asked).with_context(|| format!("cannot run {}", layout.built.display()))?;
    let after = files(&layout.artifacts)?;
    Ok((after.difference(&before).cloned().collect(), status))
}

/// True if the time is over. A bound on executions is one of a single run.
fn is_over(args: &Args, started: Instant) -> bool {
    args.runs.is_some() || started.elapsed() >= args.time.unwrap_or(DEFAULT_TIME)
}

/// What the arguments ask of the target, checked before anything is built.
fn setting(args: &Args) -> anyhow::Result<Setting> {
    let mut setting = Setting::from_env()?;
    setting.strict |= args.strict;
    setting.ignore_baseline |= args.ignore_baseline;
    for code in &args.invariant {
        let invariant = Invariant::parse(code).with_context(|| format!("no invariant is called `{code}`"))?;
        setting.invariants.push(invariant);
    }
    if !args.collector.is_empty() {
        match (args.target.as_str(), args.collector.as_slice()) {
            ("compare", [a, b]) => setting.compare = Some((a.clone(), b.clone())),
            ("compare", _) => bail!("`compare` takes two collectors"),
            _ => setting.collectors = args.collector.clone(),
        }
    }
    match args.target.as_str() {
        "compare" => drop(Compare::new(&setting)?),
        "canary" => setting.collectors = vec![CANARY.to_owned()],
        _ => drop(Scenarios::new(&setting)?),
    }
    Ok(setting)
}

/// What other collectors made of an input says nothing about these, so every choice has a folder of its own.
fn folder_name(args: &Args) -> String {
    let mut name = args.target.clone();
    if !args.collector.is_empty() {
        name += &format!("@{}", args.collector.join(","));
    }
    if args.strict {
        name += "@strict";
    }
    if args.ignore_baseline {
        name += "@all";
    }
    if !args.invariant.is_empty() {
        name += &format!("@{}", args.invariant.join(","));
    }
    name
}

/// The committed inputs of the target, in a folder. libFuzzer stops at the first input that fails: those are counted and
/// left out.
fn stage(root: &Path, target: &str, setting: &Setting) -> anyhow::Result<Option<PathBuf>> {
    let committed = root.join("corpus").join(target);
    if !committed.is_dir() {
        return Ok(None);
    }
    if target != "scenario" {
        return Ok(Some(committed));
    }
    let staged = root.join("target/fuzz/start");
    if staged.exists() {
        fs::remove_dir_all(&staged).with_context(|| format!("cannot remove {}", staged.display()))?;
    }
    let mut scenarios = Scenarios::new(setting)?;
    let mut failing = 0;
    for input in corpus::load(&committed, Reading::Strict)? {
        if scenarios.run(&input.bytes).crash.is_some() {
            failing += 1;
        } else {
            corpus::store(&input.bytes, &staged)?;
        }
    }
    if failing > 0 {
        let files = count(failing, "input");
        eprintln!("{files} of {} fail on these collectors and are left out", committed.display());
    }
    Ok(staged.exists().then_some(staged))
}

fn command(args: &Args, layout: &Layout, round: u32, spent: Duration) -> Command {
    let mut command = Command::new(&layout.built);
    command.current_dir(&layout.root);
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        // A crash is a scenario, not a place in the code.
        command.env("RUST_BACKTRACE", "0");
    }
    if !args.collector.is_empty() {
        let variable = if args.target == "compare" { "CORONER_COMPARE" } else { "CORONER_COLLECTOR" };
        command.env(variable, args.collector.join(","));
    }
    if args.strict {
        command.env("CORONER_STRICT", "1");
    }
    if args.ignore_baseline {
        command.env("CORONER_BASELINE", "0");
    }
    if !args.invariant.is_empty() {
        command.env("CORONER_INVARIANT", args.invariant.join(","));
    }
    command.arg(absolute(&layout.found)).args(layout.committed.as_deref().map(absolute));
    command.arg(format!("-artifact_prefix={}/", absolute(&layout.artifacts).display()));
    command.args(engine::ARGUMENTS);
    match args.runs {
        Some(runs) => command.arg(format!("-runs={runs}")),
        None => {
            let left = args.time.unwrap_or(DEFAULT_TIME).saturating_sub(spent);
            command.arg(format!("-max_total_time={}", left.as_secs().max(1)))
        }
    };
    if let Some(seed) = args.seed {
        command.arg(format!("-seed={}", seed.wrapping_add(round)));
    }
    command.args(&args.libfuzzer);
    command
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn files(folder: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let paths = entries.map(|entry| entry.map(|e| e.path()));
    paths.collect::<Result<_, _>>().with_context(|| format!("cannot read {}", folder.display()))
}

/// What to do with the file of a crash.
fn advice(target: &str, crash: &Path, setting: &Setting, layout: &Layout) -> anyhow::Result<String> {
    let file = quoted(&crash.strip_prefix(&layout.root).unwrap_or(crash).to_string_lossy());
    let bytes = fs::read(crash).with_context(|| format!("cannot read {}", crash.display()))?;
    let mut text = format!("\n{file}\n");
    let mut on = |collector: &str, strict: &str| {
        text += &format!("    coroner replay {file} --collector {collector}{strict}\n");
        text += &format!("    coroner explain {file} --collector {collector}\n");
        text += &format!("    coroner shrink {file} --collector {collector} -o {file}.scn\n");
    };
    match target {
        "scenario" | "canary" => match Scenarios::new(setting)?.run(&bytes).crash {
            Some(crash) => {
                on(&crash.collector, if crash.strict { " --strict" } else { "" });
                text += &format!("    {}\n", crash.sentences.join("\n    "));
            }
            None => text += "    no violation here: the target ran out of time or memory, or is not deterministic\n",
        },
        "compare" => {
            if let Err(difference) = Compare::new(setting)?.run(&bytes) {
                for name in &difference.collectors {
                    text += &format!("    coroner explain {file} --collector {name}\n");
                }
            }
        }
        _ => text += &format!("    cargo run --release -p coroner-fuzz --bin {target} -- {file}\n"),
    }
    Ok(text)
}
