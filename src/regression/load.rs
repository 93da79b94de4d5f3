//! Reads regression files.

use std::path::{Path, PathBuf};

use crate::scenario::text::{self, Diagnostic, Document};

/// A file that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub document: Document,
}

/// A file that could not be read: a failure, never a reason to skip it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct Unreadable {
    /// Where it is.
    pub path: PathBuf,
    /// Why it could not be read.
    pub reason: Reason,
}

/// Why a file could not be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Reason {
    /// The operating system refused.
    #[error("cannot be read: {0}")]
    System(String),
    /// The folder has no scenario in it.
    #[error("has no file that ends in .scn")]
    Empty,
    /// The text is no scenario.
    #[error("is no scenario ({} diagnostics, the first in line {})", .diagnostics.len(), .diagnostics.first().map_or(0, |d| d.line))]
    Text {
        /// What is wrong.
        diagnostics: Vec<Diagnostic>,
        /// The text, lossy if it is not UTF-8.
        text: String,
    },
}

/// Reads a file, or every file that ends in `.scn` of a folder, sorted by name. Folders in the folder are not read.
pub fn load(path: &Path) -> Vec<Result<Case, Unreadable>> {
    if !path.is_dir() {
        return vec![read(path)];
    }
    let failed = |reason| vec![Err(Unreadable { path: path.to_owned(), reason })];
    let system = |e: std::io::Error| Reason::System(e.to_string());
    let mut paths = Vec::new();
    match std::fs::read_dir(path) {
        Err(error) => return failed(system(error)),
        Ok(entries) => {
            for entry in entries {
                match entry {
                    Err(error) => return failed(system(error)),
                    Ok(entry) => paths.push(entry.path()),
                }
            }
        }
    }
    paths.retain(|p| p.extension().is_some_and(|e| e == "scn") && !p.is_dir());
    if paths.is_empty() {
        return failed(Reason::Empty);
    }
    paths.sort_unstable();
    paths.iter().map(|p| read(p)).collect()
}

fn read(path: &Path) -> Result<Case, Unreadable> {
    let failed = |reason| Unreadable { path: path.to_owned(), reason };
    let length = std::fs::metadata(path).map_err(|e| failed(Reason::System(e.to_string())))?.len();
    if length > text::MAX_SIZE as u64 {
        return Err(failed(Reason::System(format!("larger than {} bytes", text::MAX_SIZE))));
    }
    let bytes = std::fs::read(path).map_err(|e| failed(Reason::System(e.to_string())))?;
    match text::parse_bytes(&bytes) {
        Ok(document) => Ok(Case { path: path.to_owned(), document }),
        Err(diagnostics) => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Err(failed(Reason::Text { diagnostics, text }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_file_does_not_hide_the_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        write("b.scn", "coroner 1\na = Node(\n");
        write("c.scn", "coroner 1\na = Node()\n");
        write("a.scn", "coroner 1\na = Node()\n");
        write("a.txt", "nothing");
        let cases = load(folder.path());
        assert_eq!(cases.len(), 3);
        assert!(cases[0].is_ok() && cases[2].is_ok());
        let error = cases[1].as_ref().expect_err("it does not parse");
        assert!(error.path.ends_with("b.scn") && matches!(error.reason, Reason::Text { .. }));
    }

    #[test]
    fn what_is_not_there_is_a_failure() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(load(&folder.path().join("no.scn"))[0], Err(Unreadable { reason: Reason::System(_), .. })));
        assert!(matches!(load(folder.path())[0], Err(Unreadable { reason: Reason::Empty, .. })));
    }
}
