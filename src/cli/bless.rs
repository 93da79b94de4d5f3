//! `coroner replay --bless`: writes what happens into files as what they expect.

use std::path::{Path, PathBuf};

use super::Exit;
use crate::lookup::Collectors;
use crate::regression::bless_file;
use crate::report::{self, json};

/// Blesses files and folders.
///
/// # Errors
/// If the result cannot be written.
pub fn run(paths: &[PathBuf], json: Option<&Path>) -> anyhow::Result<Exit> {
    let (mut files, mut changed, mut failed) = (0u64, 0u64, 0u64);
    for blessed in paths.iter().flat_map(|path| bless_file(path, &Collectors)) {
        files += 1;
        match blessed {
            Ok(blessed) if blessed.changed => {
                changed += 1;
                super::print(&format!("changed {}\n", blessed.path.display()))?;
            }
            Ok(_) => {}
            Err(error) => {
                failed += 1;
                eprintln!("error: {error}");
            }
        }
    }
    super::print(&format!("{}, {changed} changed\n", report::count(files, "file")))?;
    let exit = if failed == 0 { Exit::Clean } else { Exit::BadInput };
    if let Some(path) = json {
        let mut result = json::JsonReport::new("replay", exit.code());
        result.result.insert("files".to_owned(), files.into());
        result.result.insert("changed".to_owned(), changed.into());
        json::write(path, &result)?;
    }
    Ok(exit)
}
