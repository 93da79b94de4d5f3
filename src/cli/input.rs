//! Reads scenario files, text or binary, and shows what is wrong with them.

use std::fs;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use crate::regression::Case;
use crate::scenario::binary::{self, BinaryError};
use crate::scenario::text::{self, Diagnostic, Document, FieldName};

/// Largest file that is read. A binary scenario of the highest number of operations is smaller.
const MAX_SIZE: u64 = text::MAX_SIZE as u64;
/// How deep folders in folders are read.
const MAX_DEPTH: u32 = 16;

/// What is said of a Python program.
const PYTHON: &str = "is a Python program, and a scenario is needed: docs/from-python.md shows how to write it as one";

/// A file that is no scenario.
#[derive(Debug)]
pub struct Unreadable {
    /// Where it is.
    pub path: PathBuf,
    /// What is wrong.
    pub problem: Problem,
}

/// Why a file is no scenario.
#[derive(Debug)]
pub enum Problem {
    /// It cannot be read, or what was read is nothing at all.
    File(String),
    /// The text is wrong: the diagnostics and the text they are about.
    Text(Vec<Diagnostic>, String),
    /// The bytes are wrong.
    Binary(BinaryError),
}

impl Unreadable {
    fn new(path: &Path, problem: Problem) -> Unreadable {
        Unreadable { path: path.to_owned(), problem }
    }

    /// What is wrong, for people.
    pub fn render(&self, color: bool) -> String {
        let path = self.path.display();
        match &self.problem {
            Problem::File(what) => format!("error: {path}: {what}"),
            Problem::Binary(error) => format!("error[binary]: {path}: {error}"),
            Problem::Text(diagnostics, source) => {
                let name = self.path.to_string_lossy();
                let parts: Vec<String> = diagnostics.iter().map(|d| d.render(&name, source, color)).collect();
                parts.join("\n\n")
            }
        }
    }

    /// What is wrong, in one line for programs.
    pub fn message(&self) -> String {
        match &self.problem {
            Problem::File(what) => what.clone(),
            Problem::Binary(error) => error.to_string(),
            Problem::Text(diagnostics, _) => match diagnostics.first() {
                Some(d) => format!("line {}, column {}: {}", d.line, d.column, d.message),
                None => "no scenario".to_owned(),
            },
        }
    }
}

/// The form that a file has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Text.
    Text,
    /// Bytes.
    Binary,
}

/// Reads one file.
///
/// # Errors
/// [`Unreadable`] if it is no scenario.
pub fn read(path: &Path) -> Result<(Document, Form), Unreadable> {
    if path.extension().is_some_and(|e| e == "py") {
        return Err(Unreadable::new(path, Problem::File(PYTHON.to_owned())));
    }
    let bytes = bytes(path).map_err(|what| Unreadable::new(path, Problem::File(what)))?;
    // Bytes that are the start of the magic are a binary file that was cut off.
    if bytes.starts_with(&binary::MAGIC[..bytes.len().clamp(1, binary::MAGIC.len())]) {
        let scenario = binary::decode(&bytes).map_err(|error| Unreadable::new(path, Problem::Binary(error)))?;
        return Ok((Document::new(&scenario), Form::Binary));
    }
    match text::parse_bytes(&bytes) {
        Ok(document) => Ok((document, Form::Text)),
        Err(diagnostics) => {
            let source = String::from_utf8_lossy(&bytes).into_owned();
            Err(Unreadable::new(path, Problem::Text(diagnostics, source)))
        }
    }
}

/// Reads the scenario of one file; `None` if it is none, which is said on standard error.
pub fn document(path: &Path) -> Option<Document> {
    match read(path) {
        Ok((document, _)) => Some(document),
        Err(unreadable) => {
            eprintln!("{}", unreadable.render(std::io::stderr().is_terminal()));
            None
        }
    }
}

/// The first collector that the header names.
pub fn collector(document: &Document) -> Option<&str> {
    document.field(FieldName::Collector)?.split([' ', ',']).find(|name| !name.is_empty())
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    if path.is_dir() {
        return Err("is a folder, and a file is needed".to_owned());
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(format!("is larger than {MAX_SIZE} bytes, the limit for a scenario"));
    }
    Ok(bytes)
}

/// Reads files, and all scenarios of folders: files that end in `.scn` or are binary scenarios, sorted by path.
pub fn read_all(paths: &[PathBuf]) -> Vec<Result<Case, Unreadable>> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(Ok(path.clone()));
            continue;
        }
        let before = found.len();
        list_folder(path, MAX_DEPTH, &mut found);
        if found.len() == before {
            found.push(Err(Unreadable::new(path, Problem::File("has no file that ends in .scn".to_owned()))));
        }
    }
    found
        .into_iter()
        .map(|path| {
            let path = path?;
            read(&path).map(|(document, _)| Case { path, document })
        })
        .collect()
}

fn list_folder(folder: &Path, depth: u32, found: &mut Vec<Result<PathBuf, Unreadable>>) {
    let mut failed = |error: std::io::Error| found.push(Err(Unreadable::new(folder, Problem::File(error.to_string()))));
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return failed(error),
    };
    let mut paths = Vec::new();
    for entry in entries {
        match entry {
            Ok(entry) => paths.push(entry.path()),
            Err(error) => failed(error),
        }
    }
    paths.sort_unstable();
    for path in paths {
        if path.is_dir() {
            if depth > 0 {
                list_folder(&path, depth - 1, found);
            }
        } else if path.extension().is_some_and(|e| e == "scn") || starts_with_magic(&path) {
            found.push(Ok(path));
        }
    }
}

fn starts_with_magic(path: &Path) -> bool {
    let mut start = [0; binary::MAGIC.len()];
    path.is_file() && fs::File::open(path).and_then(|mut f| f.read_exact(&mut start)).is_ok() && start == binary::MAGIC
}
