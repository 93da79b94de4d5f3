//! `coroner diff`: the model against real interpreters, in lockstep.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use indicatif::{ProgressBar, ProgressStyle};

use super::campaign::{self, Options, Pythons};
use super::{Exit, options};
use crate::campaign::write_atomically;
use crate::cpython::lockstep::{self, Outcome, Plan, Progress};
use crate::report::{json, lockstep as report};

/// The share of scenarios that are run in a fresh process too: one in so many.
const SAMPLE: u64 = 1024;
/// Candidates that the reduction of one difference may try.
const TRIES: u64 = 4_000;

/// Run scenarios on the model and on real interpreters, and compare event by event
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pythons: Pythons,
    #[command(flatten)]
    options: Options,
}

/// Runs the command.
///
/// # Errors
/// If the arguments make no sense or a file cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let plan = plan(args)?;
    let outcome = lockstep::run(&plan, &AtomicBool::new(false), &mut progress());
    let mut files: Vec<PathBuf> = Vec::new();
    if !outcome.findings.is_empty() {
        std::fs::create_dir_all(&args.options.out)?;
    }
    for finding in &outcome.findings {
        let path = args.options.out.join(finding.file_name());
        write_atomically(&path, finding.text(&plan).as_bytes())?;
        files.push(path);
    }
    let exit = exit(&outcome, plan.targets.len());
    let scenarios = outcome.part.tallies.iter().map(|t| t.scenarios).max().unwrap_or(0);
    let repeat = args.options.repeat(&args.pythons.command("diff"), scenarios);
    let page = report::Page { plan: &plan, outcome: &outcome, files: &files };
    super::print(&report::text(&page, options::width(), options::color()))?;
    if let Some(path) = json {
        json::write(path, &report::json(&page, exit.code(), &repeat))?;
    }
    if exit != Exit::Clean {
        super::print(&format!("\nrepeat with: {repeat}\n"))?;
    }
    Ok(exit)
}

fn plan(args: &Args) -> anyhow::Result<Plan> {
    let options = &args.options;
    let mut targets = campaign::targets(&args.pythons.python)?;
    targets.iter_mut().for_each(|target| target.interpreter.sanitized = args.pythons.sanitize);
    Ok(Plan {
        draw: options.draw()?,
        targets,
        budget: options.budget(),
        jobs: options.jobs()?,
        sample: SAMPLE,
        limits: options.limits(),
        tries: TRIES,
    })
}

fn exit(outcome: &Outcome, targets: usize) -> Exit {
    let tallies = &outcome.part.tallies;
    if outcome.skipped.len() == targets {
        Exit::BadInput
    } else if tallies.iter().any(|t| t.unstable > 0) {
        Exit::Nondeterminism
    } else if tallies.iter().any(|t| t.differ + t.limited > 0) {
        Exit::Disagreement
    } else if tallies.iter().any(|t| t.crashed > 0) {
        Exit::Crash
    } else {
        Exit::Clean
    }
}

/// A bar on the terminal; nothing in a pipe.
fn progress() -> impl FnMut(Progress) {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{bar:32} {human_pos} of {human_len} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    move |progress| match progress {
        Progress::Running { done, total } => {
            bar.set_length(total.max(done));
            bar.set_position(done);
            bar.set_message("scenarios");
        }
        Progress::Reducing => bar.set_message("scenarios; reducing differences"),
    }
}
