//! `coroner convert`: text to binary and back.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::input::{self, Form};
use super::{Exit, options};
use crate::findings::write_atomically;
use crate::report::{count, json};
use crate::scenario::binary;

/// What a binary file's name ends in.
const BINARY: &str = "bin";
/// What a text file's name ends in.
const TEXT: &str = "scn";

/// Write scenario files in the other form: text as binary (names, header and comments are lost), binary as text
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where to write [default: beside the file, ending in .bin or .scn]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be written or would be replaced.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    if args.output.is_some() && args.files.len() > 1 {
        bail!("--output takes the result of one file, and there are {}", args.files.len());
    }
    if args.output.is_none() && args.files.iter().any(|file| input::is_stdin(file)) {
        bail!("what is read from standard input needs --output FILE");
    }
    let mut unread = 0u64;
    for file in &args.files {
        let (document, form) = match input::read(file) {
            Ok(read) => read,
            Err(unreadable) => {
                unread += 1;
                eprintln!("{}\n", unreadable.render(options::error_color()));
                continue;
            }
        };
        let (extension, bytes) = match form {
            Form::Text => (BINARY, binary::encode_to_vec(&document.scenario)),
            Form::Binary => (TEXT, document.print().into_bytes()),
        };
        let target = args.output.clone().unwrap_or_else(|| file.with_extension(extension));
        if target.exists() && !args.force {
            bail!("{} exists; --force replaces it", target.display());
        }
        write_atomically(&target, &bytes).with_context(|| format!("cannot write {}", target.display()))?;
        super::print(&format!("{} -> {} ({} bytes)\n", file.display(), target.display(), bytes.len()))?;
    }
    let exit = if unread > 0 { Exit::BadInput } else { Exit::Clean };
    if unread > 0 {
        eprintln!("{} could not be read", count(unread, "file"));
    }
    if let Some(path) = json {
        let mut result = json::JsonReport::new("convert", exit.code());
        result.result.insert("files".to_owned(), args.files.len().into());
        result.result.insert("unreadable".to_owned(), unread.into());
        json::write(path, &result)?;
    }
    Ok(exit)
}
