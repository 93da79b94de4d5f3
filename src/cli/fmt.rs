//! `coroner fmt`: writes text files in the one form that `coroner` prints.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{Exit, input, options};
use crate::findings::write_atomically;
use crate::report::{count, json};

/// Write scenario files in their normal form: dead operations gone, scripts in order, one layout
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Text files, or folders; of standard input (-) the normal form is printed
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Change nothing, and fail if a file is not in normal form
    #[arg(long)]
    check: bool,
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    rewrite("fmt", &args.files, args.check, json)
}

/// Prints every file again and writes those that differ.
///
/// # Errors
/// If a file cannot be written.
pub(super) fn rewrite(
    command: &'static str,
    files: &[PathBuf],
    check: bool,
    json: Option<&Path>,
) -> anyhow::Result<Exit> {
    let cases = input::read_all(files);
    let (mut changed, mut unread) = (0u64, 0u64);
    let color = options::error_color();
    for case in &cases {
        let case = match case {
            Ok(case) => case,
            Err(unreadable) => {
                unread += 1;
                eprintln!("{}\n", unreadable.render(color));
                continue;
            }
        };
        let path = &case.path;
        if input::is_stdin(path) {
            // What is read there is written there.
            super::print(&case.document.print())?;
            continue;
        }
        let old = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        if old.starts_with(&crate::scenario::binary::MAGIC) {
            // A binary file has one form only.
            continue;
        }
        for warning in &case.document.warnings {
            eprintln!("{}\n", warning.render(&path.to_string_lossy(), &String::from_utf8_lossy(&old), color));
        }
        let new = case.document.print();
        if old == new.as_bytes() {
            continue;
        }
        changed += 1;
        if !check {
            write_atomically(path, new.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
        }
        super::print(&format!("{} {}\n", if check { "not in normal form:" } else { "changed" }, path.display()))?;
    }
    let exit = match (unread > 0, check && changed > 0) {
        (true, _) => Exit::BadInput,
        (_, true) => Exit::Violation,
        _ => Exit::Clean,
    };
    let verb = if check { "would change" } else { "changed" };
    if !files.iter().all(|file| input::is_stdin(file)) {
        super::print(&format!("{}, {changed} {verb}\n", count(cases.len() as u64, "file")))?;
    }
    if let Some(path) = json {
        let mut result = json::JsonReport::new(command, exit.code());
        result.result.insert("files".to_owned(), cases.len().into());
        result.result.insert("changed".to_owned(), changed.into());
        result.result.insert("unreadable".to_owned(), unread.into());
        json::write(path, &result)?;
    }
    if exit == Exit::Violation {
        let files: Vec<String> = files.iter().map(|f| crate::report::quoted(&f.to_string_lossy())).collect();
        super::print(&format!("\nrepeat with: coroner {command} --check {}\n", files.join(" ")))?;
    }
    Ok(exit)
}
