//! The library of the audit: compiled for an interpreter, and run in it by `audit/driver.py`, which writes what it finds out
//! to a file, one JSON object per line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use serde::Serialize;

use super::compile::{CORE, Library, SetupError, library};
use super::identity::Interpreter;
use crate::supervise::{Bounds, NoAnswer, ask, describe};

const AUDIT: Library = Library {
    module: "coroner_audit",
    sources: &[
        ("objects.c", include_str!("audit/objects.c")),
        ("types.c", include_str!("audit/types.c")),
        ("places.c", include_str!("audit/places.c")),
        ("deaths.c", include_str!("audit/deaths.c")),
        ("module.c", include_str!("audit/module.c")),
    ],
    headers: &[("audit.h", include_str!("audit/audit.h")), CORE],
    may_be_sanitized: false,
};
/// Types with one planted fault each, and types without.
const CONTROLS: Library = Library {
    module: "coroner_controls",
    sources: &[("controls.c", include_str!("audit/controls/controls.c"))],
    headers: &[CORE],
    may_be_sanitized: false,
};
const DRIVER: &str = include_str!("audit/driver.py");
/// What the driver may write to its pipes: it has closed them after its first lines.
const OUTPUT: usize = 1 << 20;

/// What an audit is to look at.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Orders {
    /// Packages; none: the standard library.
    pub packages: Vec<String>,
    /// Python files that make objects.
    pub recipes: Vec<PathBuf>,
    /// How many objects of each type.
    pub samples: u32,
    /// Constructors are tried with arguments of many kinds.
    pub auto: bool,
    /// The controls, instead of packages.
    pub controls: bool,
    /// An empty folder in which it runs.
    pub folder: PathBuf,
}

/// What the process of an audit left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Left {
    /// The lines that it wrote.
    pub lines: String,
    /// How it ended, in words, unless it came to its end.
    pub end: Option<String>,
}

/// Audits in one process of an interpreter, for no longer than `time`.
///
/// # Errors
/// [`SetupError`] if there is no library for the interpreter, or it does not start.
pub fn audit(interpreter: &Interpreter, orders: &Orders, time: Duration) -> Result<Left, SetupError> {
    let folder = library(interpreter, AUDIT)?;
    let temporary = Folder::new()?;
    if orders.controls {
        copy(&library(interpreter, CONTROLS)?, "coroner_controls.so", temporary.path())?;
    }
    copy(&folder, "coroner_audit.so", temporary.path())?;
    let (driver, out) = (temporary.path().join("driver.py"), temporary.path().join("out"));
    fs::write(&driver, DRIVER).map_err(|error| failed(&driver, error))?;
    let work = temporary.path().join("work");
    fs::create_dir(&work).map_err(|error| failed(&work, error))?;
    let orders = Orders { folder: work.clone(), ..orders.clone() };
    let orders = serde_json::to_string(&orders).map_err(|error| failed(&out, error.into()))?;
    let mut command = Command::new(&interpreter.program);
    command.args(["-B", "-W", "ignore"]).arg(&driver).arg(temporary.path()).arg(&out).arg(orders);
    command.current_dir(&work).env("TMPDIR", &work).env("PYTHONDONTWRITEBYTECODE", "1").env_remove("PYTHONSTARTUP");
    let answer = ask(&mut command, Bounds { time, output: OUTPUT });
    let lines = fs::read(&out).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let end = match answer {
        Err(NoAnswer::Start(error)) => return Err(failed(&interpreter.program, error)),
        Err(limit) => Some(limit.to_string()),
        Ok(output) if lines.is_empty() => return Err(not_started(interpreter, &output.stderr, output.status)),
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(describe(output.status)),
    };
    Ok(Left { lines, end })
}

fn not_started(interpreter: &Interpreter, stderr: &[u8], status: ExitStatus) -> SetupError {
    let text = String::from_utf8_lossy(stderr);
    let message = text.lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned);
    SetupError::Start { name: interpreter.name(), message: message.unwrap_or_else(|| describe(status)) }
}

fn failed(path: &Path, error: std::io::Error) -> SetupError {
    SetupError::File { what: path.display().to_string(), error }
}

fn copy(folder: &Path, file: &str, to: &Path) -> Result<(), SetupError> {
    let from = folder.join(file);
    std::fs::copy(&from, to.join(file)).map(|_| ()).map_err(|error| failed(&from, error))
}

/// A folder that is gone with this value.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Result<Folder, SetupError> {
        let made = tempfile::Builder::new().prefix("coroner-audit-").tempdir();
        made.map(Folder).map_err(|error| failed(&std::env::temp_dir(), error))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}
