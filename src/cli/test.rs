//! `coroner test`: a campaign on a real interpreter, judged by the invariants alone.

use std::path::Path;

use super::campaign::Options;
use super::{Exit, options, run};
use crate::campaign::Plan;
use crate::report::quoted;

/// Run scenarios on a real interpreter, judge every run by the invariants, reduce what is found
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Interpreters: paths, versions (3.7, 3.7.16) or all
    #[arg(long, value_name = "P", required = true)]
    python: String,
    #[command(flatten)]
    options: Options,
    /// Fail on every violation, of whatever class, known or not
    #[arg(long)]
    strict: bool,
}

/// Runs the command.
///
/// # Errors
/// If the arguments make no sense, an interpreter cannot be used or a file cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let options = &args.options;
    let (collectors, interpreters) = options::pythons(&args.python)?;
    let plan = Plan {
        draw: options.draw()?,
        collectors,
        interpreters,
        limits: options.limits(),
        budget: options.budget(),
        jobs: options.jobs()?,
        sample: run::SAMPLE,
        baseline: options::baseline()?,
        tries: run::TRIES,
    };
    let strict = if args.strict { " --strict" } else { "" };
    let command = format!("coroner test --python {}", quoted(&args.python));
    let repeat = |scenarios| options.repeat(&command, scenarios) + strict;
    run::campaign("test", &plan, &options.out, args.strict, json, &repeat)
}
