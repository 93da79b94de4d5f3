//! `coroner explain`: what happened to each object of one scenario on one collector, and why.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::against::Against;
use super::options::Subjects;
use super::pictures::Pictures;
use super::{Exit, campaign, input, native, options};
use crate::campaign::Examiner;
use crate::explain::{explain, record};
use crate::model::collector::Collector;
use crate::picture::Taken;
use crate::report::json;
use crate::report::text::explanation::text;
use crate::scenario::text::Document;

/// Explain what happened to each object of a scenario, and why
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// A scenario file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The collector, or an interpreter (python:PATH) [default: the one the file names, or the newest]
    #[arg(long, value_name = "NAME")]
    collector: Option<String>,
    #[command(flatten)]
    against: Against,
    /// Draw the heap at each phase of each collection
    #[arg(long)]
    phases: bool,
    #[command(flatten)]
    pictures: Pictures,
    /// Of an interpreter that dies, show the C stack of the place: by gdb, or by faulthandler (3.14)
    #[arg(long)]
    native: bool,
}

/// Runs the command.
///
/// # Errors
/// If the collector does not exist or the result cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    args.pictures.check()?;
    let Some(document) = input::document(&args.file) else { return Ok(Exit::BadInput) };
    let subjects = subjects(args, &document)?;
    let mut examiner = examiner(&subjects)?;
    let is_process = examiner.is_process();
    let examined = examiner.examine(&document.scenario, true);
    let recorded = record(&document, &subjects.0[0], campaign::judged(&examined, is_process));
    let explanation = explain(&recorded);
    if args.pictures.are_wanted() {
        let first = Taken { run: &recorded, explanation: &explanation, real: is_process.then_some(examined.events) };
        args.pictures.write(&args.file, &document, first, args.against.row())?;
    } else {
        super::print(&format!("{} ", args.file.display()))?;
        super::print(&text(&recorded, &explanation, args.phases, options::color()))?;
    }
    if args.native {
        let Some(interpreter) = subjects.1.values().next() else {
            bail!("--native goes with an interpreter: --collector python:PATH");
        };
        super::print(&native::text(interpreter, &document.scenario)?)?;
    }
    if let Some(path) = json {
        let mut result = json::JsonReport::new("explain", Exit::Clean.code());
        result.digest = Some(format!("{:016x}", recorded.digest));
        if let serde_json::Value::Object(map) = serde_json::to_value(&explanation)? {
            result.result = map;
        }
        json::write(path, &result)?;
    }
    Ok(Exit::Clean)
}

fn subjects(args: &Args, document: &Document) -> anyhow::Result<Subjects> {
    let against = args.against.row();
    let subjects = match (&args.collector, input::collector(document)) {
        (Some(name), _) => options::subjects_against(std::slice::from_ref(name), against),
        (None, Some(name)) => options::subjects_against(&[name.to_owned()], against)
            .context("what the file names as its collector is not here; give --collector"),
        (None, None) => Ok((Collector::all().pop().into_iter().collect(), Default::default())),
    }?;
    if against.is_some() && subjects.1.is_empty() && !args.pictures.are_wanted() {
        bail!(
            "--against names what an interpreter is compared with (--collector python:PATH), or the second collector of a \
             picture (--html, --svg or --dot)"
        );
    }
    Ok(subjects)
}

fn examiner(subjects: &Subjects) -> anyhow::Result<Examiner> {
    let [examiner] = <[Examiner; 1]>::try_from(options::examiners(subjects, &options::baseline()?))
        .map_err(|all| anyhow::anyhow!("one collector can be explained at a time, and {} are given", all.len()))?;
    Ok(examiner)
}
