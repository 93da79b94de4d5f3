//! `coroner run`: a campaign over collectors of the model.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use indicatif::{ProgressBar, ProgressStyle};

use super::campaign::Options;
use super::{Exit, options};
use crate::campaign::{self, Budget, Outcome, Plan, Progress, Verdict};
use crate::report::{campaign as report, json};

/// The share of scenarios that differential invariants judge: one in so many.
pub(super) const SAMPLE: u64 = 64;
/// Candidates that the reduction of one finding may try.
pub(super) const TRIES: u64 = 4_000;

/// Generate scenarios, run them on collectors, judge every run, reduce what is found
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    options: Options,
    /// Collectors: rows (cpython-3.7), variants (cpython-3.13.0+switch-name), interpreters (python:PATH) or all
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "all")]
    collector: Vec<String>,
    /// Fail on every violation, of whatever class, known or not
    #[arg(long)]
    strict: bool,
}

impl Default for Args {
    fn default() -> Args {
        Args { options: Options::default(), collector: vec!["all".to_owned()], strict: false }
    }
}

impl Args {
    fn plan(&self) -> anyhow::Result<Plan> {
        let (collectors, interpreters) = options::subjects(&self.collector)?;
        Ok(Plan {
            draw: self.options.draw()?,
            collectors,
            interpreters,
            limits: self.options.limits(),
            budget: self.options.budget(),
            jobs: self.options.jobs()?,
            sample: SAMPLE,
            baseline: options::baseline()?,
            tries: TRIES,
        })
    }

    /// The command that runs the same campaign.
    fn repeat(&self, plan: &Plan, scenarios: u64) -> String {
        let mut command = self.options.repeat("coroner run", scenarios);
        if self.collector != ["all"] {
            let names: Vec<&str> = plan.collectors.iter().map(|c| c.name.as_str()).collect();
            command += &format!(" --collector {}", names.join(","));
        }
        if self.strict {
            command += " --strict";
        }
        command
    }
}

/// Runs the command.
///
/// # Errors
/// If the arguments make no sense or a file cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let plan = args.plan()?;
    let repeat = |scenarios| args.repeat(&plan, scenarios);
    campaign("run", &plan, &args.options.out, args.strict, json, &repeat)
}

/// Runs a campaign, writes its findings and shows its page. `repeat` makes the command that does the same with so
/// many scenarios.
pub(super) fn campaign(
    command: &'static str,
    plan: &Plan,
    out: &Path,
    strict: bool,
    json: Option<&Path>,
    repeat: &dyn Fn(u64) -> String,
) -> anyhow::Result<Exit> {
    let outcome = campaign::run(plan, &AtomicBool::new(false), &mut progress(plan));
    let mut files = campaign::store(&outcome.findings, plan, out)?;
    files.extend(campaign::store_crashes(&outcome.crashes, plan, out)?);
    let exit = exit(&outcome, strict);
    let repeat = repeat(outcome.part.scenarios);
    let page = report::Page { command, plan, outcome: &outcome, files: &files, strict };
    let color = options::color();
    super::print(&report::text(&page, options::width(), color))?;
    if let Some(path) = json {
        json::write(path, &json::campaign(&page, exit.code(), &repeat))?;
    }
    if exit != Exit::Clean {
        super::print(&format!("\nrepeat with: {repeat}\n"))?;
    }
    Ok(exit)
}

fn exit(outcome: &Outcome, strict: bool) -> Exit {
    let counts = |verdict| strict || verdict == Verdict::New;
    if outcome.part.is_nondeterministic() || outcome.unconfirmed > 0 {
        Exit::Nondeterminism
    } else if !outcome.part.crashes.is_empty() {
        Exit::Crash
    } else if outcome.part.firsts.keys().any(|key| counts(key.verdict)) {
        Exit::Violation
    } else {
        Exit::Clean
    }
}

/// A bar on the terminal; nothing in a pipe.
fn progress(plan: &Plan) -> impl FnMut(Progress) + use<> {
    let budget = plan.budget;
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    let running = ProgressStyle::with_template("{bar:32} {human_pos} of {human_len} {msg}");
    let style = |template| ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(running.unwrap_or_else(|_| ProgressStyle::default_bar()));
    move |progress| match progress {
        Progress::Running { scenarios, elapsed } => match budget {
            Budget::Scenarios(n) => {
                bar.set_length(n);
                bar.set_position(scenarios);
                bar.set_message("scenarios");
            }
            Budget::Only(_) => {}
            Budget::Time(time) => {
                bar.set_style(style("{bar:32} {msg}"));
                bar.set_length(time.as_millis() as u64);
                bar.set_position(elapsed.as_millis() as u64);
                let left = time.saturating_sub(elapsed).as_secs();
                bar.set_message(format!("{} scenarios, {left} s left", crate::report::grouped(scenarios)));
            }
        },
        Progress::Reducing { done, total } => {
            bar.set_style(style("{bar:32} {msg}"));
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            bar.set_message(format!("reducing finding {done} of {total}"));
            if done == total {
                bar.finish_and_clear();
            }
        }
    }
}
