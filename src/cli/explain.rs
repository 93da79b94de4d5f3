//! `coroner explain`: what happened to each object of one scenario on one collector, and why.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{Exit, input, options};
use crate::collector::Collector;
use crate::report::explain::{explain, record, text};
use crate::report::json;
use crate::scenario::text::Document;

/// Explain what happened to each object of a scenario, and why
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// A scenario file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The collector [default: the one the file names, or the newest]
    #[arg(long, value_name = "NAME")]
    collector: Option<String>,
    /// Draw the heap at each phase of each collection
    #[arg(long)]
    phases: bool,
}

/// Runs the command.
///
/// # Errors
/// If the collector does not exist or the result cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    let Some(document) = input::document(&args.file) else { return Ok(Exit::BadInput) };
    let collector = collector(args, &document)?;
    let recorded = record(&document, &collector, &options::baseline()?);
    let explanation = explain(&recorded);
    super::print(&format!("{} ", args.file.display()))?;
    super::print(&text(&recorded, &explanation, args.phases, options::color()))?;
    if let Some(path) = json {
        let mut result = json::Report::new("explain", Exit::Clean.code());
        result.digest = Some(format!("{:016x}", recorded.digest));
        if let serde_json::Value::Object(map) = serde_json::to_value(&explanation)? {
            result.result = map;
        }
        json::write(path, &result)?;
    }
    Ok(Exit::Clean)
}

fn collector(args: &Args, document: &Document) -> anyhow::Result<Collector> {
    if let Some(name) = &args.collector {
        return Ok(Collector::parse(name)?);
    }
    if let Some(name) = input::collector(document) {
        return Collector::parse(name).context("the file names a collector that does not exist; give --collector");
    }
    Collector::all().pop().context("there is no collector")
}
