//! Files that are replaced as a whole: nobody ever sees half of one, and what is kept is safe on the disk.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A store cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct StoreError {
    /// Which file or folder.
    pub path: PathBuf,
    /// Why.
    pub why: String,
}

impl StoreError {
    pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> StoreError {
        let path = path.to_owned();
        move |error| StoreError { path: path.clone(), why: error.to_string() }
    }

    pub(crate) fn json(path: &Path) -> impl Fn(serde_json::Error) -> StoreError {
        let path = path.to_owned();
        move |error| StoreError { path: path.clone(), why: error.to_string() }
    }

    pub(crate) fn strange(path: &Path, why: String) -> StoreError {
        StoreError { path: path.to_owned(), why }
    }
}

/// What temporary files and folders begin with.
const TEMPORARY: &str = ".coroner-";

/// Removes what a process that was killed left half written.
pub(crate) fn remove_left_over(folder: &Path) -> Result<(), StoreError> {
    for path in children(folder)? {
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
        let Some(owner) = name.strip_prefix(TEMPORARY).and_then(|rest| rest.split('.').next()) else { continue };
        // Of this machine's processes, those that live may still need theirs.
        if owner != std::process::id().to_string() && !Path::new("/proc").join(owner).is_dir() {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            // Another process may have done it.
            let _ = removed;
        }
    }
    Ok(())
}

/// The temporary name for a file or folder: of this process.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{TEMPORARY}{}.{name}", std::process::id()))
}

/// Replaces a file by way of a temporary one in the same folder, so that nobody ever sees half of it.
///
/// # Errors
/// As the file system says.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes, true)
}

/// As [`write_atomically`]; when it returns, the file has its name on the disk as well.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    replace(path, bytes, true).map_err(StoreError::at(path))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    // Not every file system can do this to a folder, and it has no other way.
    let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// As [`write_atomically`], for what can be made again.
pub(crate) fn write_again(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    replace(path, bytes, false).map_err(StoreError::at(path))
}

fn replace(path: &Path, bytes: &[u8], sync: bool) -> io::Result<()> {
    let temporary = temporary(path);
    let written = fs::File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            if sync { file.sync_all() } else { Ok(()) }
        })
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// The text of a file, or nothing if there is none.
pub(crate) fn read_if_any(path: &Path) -> Result<Option<String>, StoreError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::at(path)(error)),
    }
}

/// What is in a folder, sorted; nothing if there is no such folder.
pub(crate) fn children(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(StoreError::at(folder))? {
        paths.push(entry.map_err(StoreError::at(folder))?.path());
    }
    paths.sort_unstable();
    Ok(paths)
}
