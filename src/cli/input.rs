//! Reads scenario files, text or binary, and shows what is wrong with them.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::options;
use crate::findings::REDUCED;
use crate::regression::Case;
use crate::scenario::binary::{self, BinaryError};
use crate::scenario::text::{self, Diagnostic, Document, FieldName};

/// Largest file that is read. A binary scenario of the highest number of operations is smaller.
const MAX_SIZE: u64 = text::MAX_SIZE as u64;
/// How deep folders in folders are read.
const MAX_DEPTH: u32 = 16;

/// How many objects a scenario from a file may create.
static MAX_OBJECTS: AtomicU64 = AtomicU64::new(DEFAULT_MAX_OBJECTS);
/// What that is unless somebody says otherwise: a collector of the model takes a second and 400 MB for so many.
pub const DEFAULT_MAX_OBJECTS: u64 = 1_000_000;
/// What to do about it.
const RAISE: &str = "build less, or say --max-objects N";

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

/// Reads one file; `-` is standard input, and a folder the reduced scenario of a finding or the only scenario in it.
///
/// # Errors
/// [`Unreadable`] if it is no scenario.
pub fn read(path: &Path) -> Result<(Document, Form), Unreadable> {
    read_within(path, u64::MAX)
}

/// Reads one file whose scenario is to be run.
///
/// # Errors
/// [`Unreadable`] if it is none, or creates more objects than `--max-objects` says.
pub fn runnable(path: &Path) -> Result<Document, Unreadable> {
    read_within(path, MAX_OBJECTS.load(Ordering::Relaxed)).map(|(document, _)| document)
}

/// Sets how many objects a scenario from a file may create.
pub fn set_max_objects(limit: u64) {
    MAX_OBJECTS.store(limit, Ordering::Relaxed);
}

fn read_within(path: &Path, limit: u64) -> Result<(Document, Form), Unreadable> {
    if path.extension().is_some_and(|e| e == "py") {
        return Err(Unreadable::new(path, Problem::File(PYTHON.to_owned())));
    }
    if let Some(file) = found_in(path) {
        return read_within(&file, limit);
    }
    let bytes = bytes(path).map_err(|what| Unreadable::new(path, Problem::File(what)))?;
    // Bytes that are the start of the magic are a binary file that was cut off.
    if bytes.starts_with(&binary::MAGIC[..bytes.len().clamp(1, binary::MAGIC.len())]) {
        let scenario = binary::decode(&bytes).map_err(|error| Unreadable::new(path, Problem::Binary(error)))?;
        let document = Document::new(&scenario);
        return match document.too_large("", limit, RAISE) {
            Some(d) => Err(Unreadable::new(path, Problem::File(format!("{}: {RAISE}", d.message)))),
            None => Ok((document, Form::Binary)),
        };
    }
    match text::parse_bytes(&bytes) {
        Ok(document) => {
            let source = || String::from_utf8_lossy(&bytes).into_owned();
            match document.too_large(&source(), limit, RAISE) {
                Some(diagnostic) => Err(Unreadable::new(path, Problem::Text(vec![diagnostic], source()))),
                None => Ok((document, Form::Text)),
            }
        }
        Err(diagnostics) => {
            let source = String::from_utf8_lossy(&bytes).into_owned();
            Err(Unreadable::new(path, Problem::Text(diagnostics, source)))
        }
    }
}

/// Reads the scenario of one file that is to be run; `None` if that cannot be, which is said on standard error.
pub fn document(path: &Path) -> Option<Document> {
    match runnable(path) {
        Ok(document) => Some(document),
        Err(unreadable) => {
            eprintln!("{}", unreadable.render(options::error_color()));
            None
        }
    }
}

/// The first collector that the header names.
pub fn collector(document: &Document) -> Option<&str> {
    document.field(FieldName::Collector)?.split([' ', ',']).find(|name| !name.is_empty())
}

/// True if a path stands for standard input.
pub fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// The scenario that a folder stands for: the reduced one of a finding, or the only one.
fn found_in(path: &Path) -> Option<PathBuf> {
    if !path.is_dir() {
        return None;
    }
    let reduced = path.join(REDUCED);
    if reduced.is_file() {
        return Some(reduced);
    }
    match &scenarios(path)[..] {
        [one] => Some(one.clone()),
        _ => None,
    }
}

/// The scenarios right in a folder, sorted.
fn scenarios(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == "scn")).collect();
    found.sort_unstable();
    found
}

/// What is said of a folder that stands for no scenario: those that may be meant.
fn folder(path: &Path) -> String {
    /// How many are named.
    const MOST: usize = 8;
    let mut found = scenarios(path);
    if found.is_empty() {
        let folders = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        found = folders.filter(|folder| folder.join(REDUCED).is_file()).collect();
        found.sort_unstable();
    }
    let names: Vec<String> = found.iter().take(MOST).map(|path| path.display().to_string()).collect();
    let more = if found.len() > MOST { format!(" and {} more", found.len() - MOST) } else { String::new() };
    match names.is_empty() {
        true => "is a folder without scenarios, and a file is needed".to_owned(),
        false => format!("is a folder, and one scenario is needed: {}{more}", names.join(", ")),
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file: Box<dyn Read> = match path.is_dir() {
        true => return Err(folder(path)),
        false if is_stdin(path) => Box::new(std::io::stdin().lock()),
        false => Box::new(fs::File::open(path).map_err(|error| error.to_string())?),
    };
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(format!("is larger than {MAX_SIZE} bytes, the limit for a scenario"));
    }
    Ok(bytes)
}

/// Reads files, and all scenarios of folders: files that end in `.scn` or are binary scenarios, sorted by path.
pub fn read_all(paths: &[PathBuf]) -> Vec<Result<Case, Unreadable>> {
    read_each(paths, |path| read(path).map(|(document, _)| document))
}

/// The same of scenarios that are to be run.
pub fn runnable_all(paths: &[PathBuf]) -> Vec<Result<Case, Unreadable>> {
    read_each(paths, runnable)
}

fn read_each(paths: &[PathBuf], read: impl Fn(&Path) -> Result<Document, Unreadable>) -> Vec<Result<Case, Unreadable>> {
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
            read(&path).map(|document| Case { path, document })
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
