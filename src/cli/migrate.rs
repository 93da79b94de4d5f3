//! `coroner migrate`: writes files of older versions of the format in the newest one.

use std::path::{Path, PathBuf};

use super::{Exit, fmt};

/// Write scenario files of any known version of the format in the newest one
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Text files, or folders
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    // Reading understands every known version, and writing knows only the newest.
    fmt::rewrite("migrate", &args.files, false, json)
}
