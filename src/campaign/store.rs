//! Writes findings to a folder, each in one piece or not at all.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{Crash, Finding, Plan};

/// A finding could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct StoreError {
    /// Which file or folder.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Writes each finding to a file of its own in `folder`, which is made if need be, and returns their paths.
///
/// # Errors
/// [`StoreError`] for the first file that could not be written; the ones before it have been.
pub fn store(findings: &[Finding], plan: &Plan, folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let texts = findings.iter().map(|finding| (finding.file_name(), finding.text(plan)));
    write_all(texts, folder)
}

/// Writes each crash to a file of its own, as [`store`] does with findings.
///
/// # Errors
/// As [`store`].
pub fn store_crashes(crashes: &[Crash], plan: &Plan, folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    write_all(crashes.iter().map(|crash| (crash.file_name(), crash.text(plan))), folder)
}

fn write_all(texts: impl Iterator<Item = (String, String)>, folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    texts
        .map(|(name, text)| {
            fs::create_dir_all(folder).map_err(|source| StoreError { path: folder.to_owned(), source })?;
            let path = folder.join(name);
            match write_atomically(&path, text.as_bytes()) {
                Ok(()) => Ok(path),
                Err(source) => Err(StoreError { path, source }),
            }
        })
        .collect()
}

/// Replaces a file by way of a temporary one in the same folder, so that nobody ever sees half of it.
///
/// # Errors
/// As the file system says.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = fs::File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}
