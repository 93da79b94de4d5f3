//! `coroner corpus`: the life of starting material for fuzzing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Exit;
use crate::corpus::{self, Input, Reach, Reading, Survey};
use crate::findings::write_atomically;
use crate::fuzzing::engine;
use crate::generate::Seed;
use crate::report::{count, json};
use crate::scenario::{Scenario, text};
use crate::supervise::attend;

/// The folder that comes with the project.
const FOLDER: &str = "corpus/scenario";

/// Take inputs into a corpus, give them out, prune it, and say what each file adds
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Take scenario files, or the files of libFuzzer folders, into a corpus if they add something
    Import {
        /// Files and folders, text or binary
        #[arg(required = true, value_name = "PATH")]
        from: Vec<PathBuf>,
        /// The corpus
        #[arg(long, value_name = "DIR", default_value = FOLDER)]
        to: PathBuf,
        /// Take any bytes for a scenario, as the fuzz targets do
        #[arg(long)]
        raw: bool,
        /// Take files that add nothing, too
        #[arg(long)]
        all: bool,
    },
    /// Write the files of a corpus to another folder, for libFuzzer or as text
    Export {
        /// Where to
        #[arg(value_name = "DIR")]
        to: PathBuf,
        /// The corpus
        #[arg(long, value_name = "DIR", default_value = FOLDER)]
        from: PathBuf,
        /// As text that ends in .scn
        #[arg(long)]
        text: bool,
    },
    /// Remove what adds nothing, and what fails on the collector it draws: that would end every run at once
    Prune {
        /// The corpus
        #[arg(value_name = "DIR", default_value = FOLDER)]
        folder: PathBuf,
        /// Say what would go, and keep it
        #[arg(long)]
        dry_run: bool,
        /// Keep, too, what adds code that runs: builds the target `scenario` and lets libFuzzer choose
        #[arg(long)]
        engine: bool,
        /// Take any bytes for a scenario, as the fuzz targets do
        #[arg(long)]
        raw: bool,
    },
    /// Say what each file reaches and adds
    Stats {
        /// The corpus
        #[arg(value_name = "DIR", default_value = FOLDER)]
        folder: PathBuf,
    },
    /// Generate scenarios, reduce those that reach something new, and add them
    Grow {
        /// The corpus
        #[arg(value_name = "DIR", default_value = FOLDER)]
        folder: PathBuf,
        /// Seed of the generator: up to 64 hexadecimal digits
        #[arg(long, value_name = "HEX", default_value = "0")]
        seed: Seed,
        /// How many scenarios to look at
        #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
        scenarios: u64,
    },
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be read or written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let mut result = json::JsonReport::new("corpus", Exit::Clean.code());
    let mut note = |name: &str, number: usize| {
        result.result.insert(name.to_owned(), number.into());
    };
    match &args.command {
        Command::Import { from, to, raw, all } => import(from, to, *raw, *all, &mut note)?,
        Command::Export { to, from, text } => export(from, to, *text, &mut note)?,
        Command::Prune { folder, dry_run, engine, raw } => prune(folder, *dry_run, *engine, reading(*raw), &mut note)?,
        Command::Stats { folder } => stats(folder, &mut note)?,
        Command::Grow { folder, seed, scenarios } => grow(folder, *seed, *scenarios, &mut note)?,
    }
    if let Some(path) = json {
        json::write(path, &result)?;
    }
    Ok(Exit::Clean)
}

type Note<'a> = &'a mut dyn FnMut(&str, usize);

fn survey() -> anyhow::Result<Survey> {
    Survey::new().context("the collectors of the model cannot be made")
}

fn scenario(input: &Input) -> Scenario {
    let mut scenario = Scenario::new();
    crate::fuzzing::read(&input.bytes, &mut scenario);
    scenario
}

fn reading(raw: bool) -> Reading {
    if raw { Reading::Raw } else { Reading::Strict }
}

/// The files of a corpus; none if the folder does not exist yet.
fn load_if_any(folder: &Path) -> anyhow::Result<Vec<Input>> {
    let is_there = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    Ok(if is_there { corpus::load(folder, Reading::Strict)? } else { Vec::new() })
}

fn reach_of(inputs: &[Input], survey: &mut Survey) -> Reach {
    let mut reach = Reach::default();
    for input in inputs {
        reach.add(&survey.features(&input.bytes));
    }
    reach
}

fn import(from: &[PathBuf], to: &Path, raw: bool, all: bool, note: Note) -> anyhow::Result<()> {
    let reading = reading(raw);
    let mut inputs = Vec::new();
    for path in from {
        if path.is_dir() {
            inputs.extend(corpus::load(path, reading)?);
        } else {
            inputs.push(corpus::load_file(path.clone(), reading)?);
        }
    }
    let mut survey = survey()?;
    let mut reach = reach_of(&load_if_any(to)?, &mut survey);
    let (mut taken, mut added) = (0, 0);
    for input in &inputs {
        let new = reach.add(&survey.features(&input.bytes)).len();
        if (new > 0 || all) && corpus::store(&input.bytes, to)?.is_some() {
            taken += 1;
            added += new;
            super::print(&format!("{}: adds {}\n", input.path.display(), count(new as u64, "feature")))?;
        }
    }
    note("files", inputs.len());
    note("taken", taken);
    note("features_added", added);
    let files = count(inputs.len() as u64, "file");
    super::print(&format!("{files} read, {taken} taken into {}\n", to.display()))
}

fn export(from: &Path, to: &Path, as_text: bool, note: Note) -> anyhow::Result<()> {
    let inputs = corpus::load(from, Reading::Strict)?;
    for input in &inputs {
        if as_text {
            fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
            let path = to.join(format!("{}.scn", corpus::file_name(&input.bytes)));
            let text = text::print(&scenario(input));
            write_atomically(&path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
        } else {
            corpus::store(&input.bytes, to)?;
        }
    }
    note("files", inputs.len());
    super::print(&format!("{} written to {}\n", count(inputs.len() as u64, "file"), to.display()))
}

fn prune(folder: &Path, dry_run: bool, engine: bool, reading: Reading, note: Note) -> anyhow::Result<()> {
    let inputs = corpus::load(folder, reading)?;
    let mut survey = survey()?;
    let reached: Vec<(usize, Vec<u32>)> = inputs
        .iter()
        .map(|input| {
            let features = survey.features(&input.bytes);
            // What fails would end every run at once, whatever it reaches.
            (input.bytes.len(), if survey.is_clean() { features } else { Vec::new() })
        })
        .collect();
    let mut kept = corpus::cover(&reached);
    if engine {
        let clean = inputs.iter().zip(&reached).filter(|(_, (_, features))| !features.is_empty());
        let chosen = cover_code(clean.map(|(input, _)| input.bytes.as_slice()))?;
        kept.extend((0..inputs.len()).filter(|i| chosen.contains(&inputs[*i].bytes)));
        kept.sort_unstable();
        kept.dedup();
    }
    for (index, input) in inputs.iter().enumerate() {
        if kept.binary_search(&index).is_err() {
            let would = if dry_run { "would go" } else { "gone" };
            super::print(&format!("{}: {would}\n", input.path.display()))?;
            if !dry_run {
                fs::remove_file(&input.path).with_context(|| format!("cannot remove {}", input.path.display()))?;
            }
        }
    }
    note("files", inputs.len());
    note("kept", kept.len());
    super::print(&format!("{} of {} add something\n", kept.len(), count(inputs.len() as u64, "file")))
}

/// The smallest set of inputs that runs all the code that all of them run together, as libFuzzer sees it.
fn cover_code<'a>(inputs: impl Iterator<Item = &'a [u8]>) -> anyhow::Result<BTreeSet<Vec<u8>>> {
    let here = std::env::current_dir().context("cannot tell the current folder")?;
    let root = engine::root(&here)?;
    let target = engine::build(&root, &["scenario"])?.join("scenario");
    let [from, to] = ["all", "chosen"].map(|name| root.join("target/fuzz/prune").join(name));
    for folder in [&from, &to] {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    for bytes in inputs {
        corpus::store(bytes, &from)?;
    }
    let mut command = std::process::Command::new(&target);
    let status = attend(command.args(["-set_cover_merge=1", "-max_len=4096"]).args([&to, &from]), &|| false);
    let status = status.with_context(|| format!("cannot run {}", target.display()))?;
    anyhow::ensure!(status.success(), "the target ended with {status}");
    let chosen = corpus::load(&to, Reading::Strict)?;
    Ok(chosen.into_iter().map(|input| input.bytes).collect())
}

fn stats(folder: &Path, note: Note) -> anyhow::Result<()> {
    let inputs = corpus::load(folder, Reading::Strict)?;
    let mut survey = survey()?;
    let features: Vec<Vec<u32>> = inputs.iter().map(|i| survey.features(&i.bytes)).collect();
    let mut times = std::collections::BTreeMap::new();
    features.iter().flatten().for_each(|f| *times.entry(*f).or_insert(0u32) += 1);
    let mut reach = Reach::default();
    let mut text = String::from("file              bytes   ops  features  states  alone\n");
    for (input, features) in inputs.iter().zip(&features) {
        reach.add(features);
        let alone = features.iter().filter(|f| times.get(f) == Some(&1)).count();
        let mut states: Vec<usize> = features.iter().map(|f| corpus::state(*f)).collect();
        states.dedup();
        let name = corpus::file_name(&input.bytes);
        let (bytes, ops) = (input.bytes.len(), scenario(input).ops().len());
        let (features, states) = (features.len(), states.len());
        text += &format!("{name}  {bytes:5}  {ops:4}  {features:8}  {states:6}  {alone:5}\n");
    }
    note("files", inputs.len());
    note("states", reach.states());
    note("features", reach.features());
    let files = count(inputs.len() as u64, "file");
    text += &format!("{files}, {} states, {} features\n", reach.states(), reach.features());
    super::print(&text)
}

fn grow(folder: &Path, seed: Seed, scenarios: u64, note: Note) -> anyhow::Result<()> {
    let mut reach = reach_of(&load_if_any(folder)?, &mut survey()?);
    let (mut written, mut failed) = (0, None);
    corpus::grow(seed, scenarios, &mut reach, |bytes, _| match bytes.map(|bytes| corpus::store(bytes, folder)) {
        Some(Ok(Some(_))) => written += 1,
        Some(Err(error)) => failed = Some(error),
        _ => {}
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    note("scenarios", scenarios as usize);
    note("written", written);
    note("states", reach.states());
    super::print(&format!(
        "{} looked at, {written} added, {} states reached\n",
        count(scenarios, "scenario"),
        reach.states()
    ))
}
