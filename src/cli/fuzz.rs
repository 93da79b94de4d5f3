//! `coroner fuzz`: builds a libFuzzer target with its flags on stable Rust and runs it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use super::{Exit, options};
use crate::collector::releases::nearest;
use crate::corpus::{self, Reading};
use crate::fuzzing::{CANARY, Compare, Scenarios, Setting, TARGETS};
use crate::report::{count, json, quoted};

/// How long a run without a bound takes.
const DEFAULT_TIME: Duration = Duration::from_secs(300);
/// Largest input unless the arguments for libFuzzer say otherwise: room for some 100 operations.
const MAX_LEN: u32 = 512;

/// What instruments a target. These are the flags of cargo-fuzz without debug assertions; stable Rust takes them all.
const FLAGS: [&str; 9] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Cllvm-args=-sanitizer-coverage-stack-depth",
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];

/// Build a libFuzzer target with coverage, on stable Rust, and run it
///
/// Starts from `corpus/TARGET`; new inputs go to `target/fuzz/corpus/TARGET`, and `coroner corpus import` takes those
/// that add something into the corpus.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The target: scenario, compare, text, binary, decode or canary
    #[arg(value_name = "TARGET", default_value = "scenario")]
    target: String,
    /// Stop after a time, such as 30s or 5m [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = options::duration, conflicts_with = "runs")]
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
    /// Start from nothing and keep what is found here
    #[arg(long, value_name = "DIR")]
    fresh: Option<PathBuf>,
    /// Where the inputs of crashes go
    #[arg(long, value_name = "DIR")]
    artifacts: Option<PathBuf>,
    /// Arguments for libFuzzer
    #[arg(last = true, value_name = "ARGS")]
    libfuzzer: Vec<String>,
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
        let hint = nearest(target, TARGETS.iter().map(|(name, _)| (*name).to_owned()))
            .map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
        bail!("no fuzz target is called `{target}`{hint}");
    }
    let setting = setting(args)?;
    let root = root()?;
    let host = host()?;
    build(&root, target, &host)?;
    let layout = Layout {
        built: root.join("target/fuzz").join(&host).join("release").join(target),
        found: args.fresh.clone().unwrap_or_else(|| root.join("target/fuzz/corpus").join(folder_name(args))),
        committed: if args.fresh.is_some() { None } else { stage(&root, target, &setting)? },
        artifacts: args.artifacts.clone().unwrap_or_else(|| root.join("fuzz/artifacts").join(target)),
        root,
    };
    for folder in [&layout.found, &layout.artifacts] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let before = files(&layout.artifacts)?;
    let status = command(args, &layout).status().with_context(|| format!("cannot run {}", layout.built.display()))?;
    let after = files(&layout.artifacts)?;
    let crashes: Vec<&PathBuf> = after.difference(&before).collect();
    for crash in &crashes {
        super::print(&advice(target, crash, &setting, &layout)?)?;
    }
    let exit = match (crashes.is_empty(), status.code()) {
        (false, _) => Exit::Violation,
        (true, Some(0)) => Exit::Clean,
        (true, Some(2)) => Exit::BadInput,
        (true, _) => {
            // A crash on an input that was there before leaves no new file.
            eprintln!("the target ended with {status}; its message above names the input");
            Exit::Violation
        }
    };
    if let Some(path) = json {
        let mut report = json::Report::new("fuzz", exit.code());
        report.result.insert("target".to_owned(), target.into());
        report.result.insert("crashes".to_owned(), crashes.len().into());
        json::write(path, &report)?;
    }
    Ok(exit)
}

/// What the arguments ask of the target, checked before anything is built.
fn setting(args: &Args) -> anyhow::Result<Setting> {
    let mut setting = Setting::from_env()?;
    setting.strict |= args.strict;
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

/// The folder of the project: this one or one above it.
fn root() -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir().context("cannot tell the current folder")?;
    let found = here.ancestors().find(|folder| folder.join("fuzz/fuzz_targets").is_dir());
    found.map(Path::to_owned).context("there is no fuzz/fuzz_targets here or above: run this in the project's folder")
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The machine that the compiler runs on. Naming it keeps build scripts free of instrumentation.
fn host() -> anyhow::Result<String> {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler).arg("-vV").output().context("cannot run rustc")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned).context("rustc does not name its host")
}

fn build(root: &Path, target: &str, host: &str) -> anyhow::Result<()> {
    let status = cargo()
        .current_dir(root)
        .args(["build", "--release", "--package", "coroner-fuzz", "--bin", target, "--target", host])
        .args(["--target-dir", "target/fuzz"])
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"))
        // Everything hot is in one crate: optimizing across crates costs minutes and gains nothing.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("the target `{target}` could not be built");
    }
    Ok(())
}

fn command(args: &Args, layout: &Layout) -> Command {
    let mut command = Command::new(&layout.built);
    command.current_dir(&layout.root);
    if !args.collector.is_empty() {
        let variable = if args.target == "compare" { "CORONER_COMPARE" } else { "CORONER_COLLECTOR" };
        command.env(variable, args.collector.join(","));
    }
    if args.strict {
        command.env("CORONER_STRICT", "1");
    }
    command.arg(absolute(&layout.found)).args(layout.committed.as_deref().map(absolute));
    command.arg(format!("-artifact_prefix={}/", absolute(&layout.artifacts).display()));
    command.arg(format!("-max_len={MAX_LEN}"));
    match args.runs {
        Some(runs) => command.arg(format!("-runs={runs}")),
        None => command.arg(format!("-max_total_time={}", args.time.unwrap_or(DEFAULT_TIME).as_secs().max(1))),
    };
    if let Some(seed) = args.seed {
        // libFuzzer feeds compared addresses back into mutation, which no seed can reproduce.
        command.args([format!("-seed={seed}"), "-use_cmp=0".to_owned()]);
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
