//! `coroner test`: a campaign on a real interpreter, judged by the invariants alone.

use std::path::Path;

use super::campaign::{Options, Pythons};
use super::junit::JunitFile;
use super::{Exit, options, run};
use crate::campaign::CampaignPlan;
use crate::lookup;
use crate::report::text::campaign_report::Shown;

/// Run scenarios on a real interpreter, judge every run by the invariants, reduce what is found
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pythons: Pythons,
    #[command(flatten)]
    options: Options,
    /// Fail on every violation, of whatever class, known or not
    #[arg(long)]
    strict: bool,
    /// Show what no text promises or allows, too: otherwise it is only counted
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    junit: JunitFile,
}

/// Runs the command.
///
/// # Errors
/// If the arguments make no sense, an interpreter cannot be used or a file cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    // Before interpreters are started.
    args.junit.check()?;
    let options = &args.options;
    let (collectors, mut interpreters) = options::pythons(&args.pythons.python, args.pythons.against.row())?;
    interpreters.values_mut().for_each(|i| i.sanitized = args.pythons.sanitize);
    let mut subjects = lookup::campaign_subjects(&collectors, &interpreters, options.limits());
    subjects.against = args.pythons.against.name();
    let plan = CampaignPlan {
        draw: options.draw()?,
        subjects,
        budget: options.budget(),
        jobs: options.jobs()?,
        sample: run::SAMPLE,
        baseline: options::baseline()?,
        tries: run::TRIES,
    };
    let shown = Shown { strict: args.strict, all: args.all };
    run::campaign(("test", &|_| Ok(())), &plan, &collectors, options, shown, (&args.junit, json))
}
