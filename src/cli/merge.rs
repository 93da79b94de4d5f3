//! `coroner merge`: one store out of those of shards, nights and machines.

use std::path::{Path, PathBuf};

use anyhow::bail;

use super::campaign::{regressions, repeat};
use super::{Exit, diff, options, run};
use crate::campaign::{self, CampaignOutcome, JudgedOutcome};
use crate::corpus;
use crate::findings::{self, Campaign, CampaignIdentity, Merged, Shard};

use crate::lockstep;
use crate::report::text::campaign_report::{CampaignReport, Shown};
use crate::report::text::lockstep_report::LockstepReport;
use crate::report::{self, json};

/// The folder of a store with inputs for fuzzing, in folders of their own.
const CORPUS: &str = "corpus";

/// Merge the findings, counts and corpora of several folders into one
///
/// Shards of one campaign become the campaign: the result is the one of a single process. The order does not matter,
/// and merging something twice changes nothing.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Folders that campaigns have written
    #[arg(value_name = "DIR", required = true)]
    from: Vec<PathBuf>,
    /// The folder to write; what it has already is merged, too
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Fail on every violation, of whatever class, known or not
    #[arg(long)]
    strict: bool,
    /// Show what no text promises or allows, too: otherwise it is only counted
    #[arg(long)]
    all: bool,
    /// Files or folders of scenarios that are known: what is reduced to one of them is KNOWN
    #[arg(long, value_name = "PATH", value_delimiter = ',')]
    known: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// If a folder is no store, if shards have scenarios in common, or if the result cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    for from in &args.from {
        if !from.is_dir() {
            bail!("{}: no such folder", from.display());
        }
    }
    let merged = findings::merge(&args.from, &args.out, &regressions(&args.known)?)?;
    let mut inputs = 0;
    for from in &args.from {
        inputs += corpus::join(&from.join(CORPUS), &args.out.join(CORPUS))?;
    }
    if inputs > 0 {
        super::print(&format!("{} new in {}\n", report::count(inputs, "input"), args.out.join(CORPUS).display()))?;
    }
    let Merged { campaigns, bugs } = &merged;
    let mut exit = Exit::Clean;
    let count = campaigns.campaigns.len();
    if count == 0 && inputs == 0 && !args.out.join(CORPUS).is_dir() {
        bail!("these folders have neither campaigns nor a corpus");
    }
    let mut pages = Vec::new();
    for (i, campaign) in campaigns.campaigns.values().enumerate() {
        if i > 0 {
            super::print("\n")?;
        }
        // The result of one campaign is the result of the command.
        let file = json.filter(|_| count == 1);
        exit = exit.max(page(campaign, bugs, args, file)?);
        let repeat = repeat(&campaign.about, campaign.contiguous(), Shard::WHOLE, args.strict);
        pages.push(serde_json::json!({ "campaign": campaign.about.id(), "repeat": repeat }));
    }
    if let Some(path) = json.filter(|_| count != 1) {
        let mut report = json::JsonReport::new("merge", exit.code());
        report.result.insert("campaigns".to_owned(), pages.into());
        json::write(path, &report)?;
    }
    Ok(exit)
}

/// Shows the page that a single process would have shown.
fn page(campaign: &Campaign, bugs: &findings::Summary, args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let about: &CampaignIdentity = &campaign.about;
    let scenarios = campaign.contiguous();
    let strict = args.strict;
    if about.command == "diff" {
        let state = campaign.total::<lockstep::ComparedCounts, lockstep::DifferenceKey>()?;
        let outcome = CampaignOutcome::new(&state, scenarios, bugs.clone());
        let repeat = repeat(about, scenarios, Shard::WHOLE, false);
        let (outcome, out, repeat) = (&outcome, args.out.as_path(), repeat.as_deref());
        let page = LockstepReport { about, outcome, skipped: &[], out, interrupted: false, repeat, causes: &[] };
        return diff::show_page(&page, json);
    }
    let state = campaign.total::<campaign::JudgedCounts, campaign::ViolationKey>()?;
    let outcome = JudgedOutcome::new(&state, scenarios, bugs.clone());
    let repeat = repeat(about, scenarios, Shard::WHOLE, strict);
    let (outcome, baseline, shown) = (&outcome, &options::baseline()?, Shown { strict, all: args.all });
    let (out, repeat) = (args.out.as_path(), repeat.as_deref());
    run::show(&CampaignReport { about, outcome, baseline, out, shown, interrupted: false, repeat }, json)
}
