//! Runs an exported script on an interpreter and compares what it prints, and how it ends, with what the row does.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use super::{Exported, MODULE, Outcome};
use crate::cpython::Interpreter;
use crate::supervise::{Bounds, NoAnswer, ask, describe, signal};

/// What a script may take: most take a hundredth of a second.
const SCRIPT: Bounds = Bounds { time: Duration::from_secs(30), output: 4 << 20 };
/// What the C compiler may take.
const COMPILER: Bounds = Bounds { time: Duration::from_secs(300), output: 4 << 20 };
/// What a copy of the script prints at its end: what comes after it is of no account.
const END: &str = "-- the end --";

/// What came of a script on an interpreter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ran {
    /// What the row does; where that is undefined, how the process died of it, if it did.
    AsExpected {
        /// Such as `signal 11 (SIGSEGV)`.
        died: Option<String>,
        /// What it printed.
        printed: Vec<String>,
    },
    /// Something else.
    Different(String),
    /// It could not be run.
    NotRun(String),
}

/// Runs a script on an interpreter, in a folder of its own; with a C file, that is compiled first.
///
/// # Errors
/// If the folder cannot be written.
pub fn run(exported: &Exported, outcome: &Outcome, interpreter: &Interpreter) -> std::io::Result<Ran> {
    let folder = tempfile::tempdir()?;
    if let Some(c) = &exported.c
        && let Err(why) = compile(c, interpreter, folder.path())?
    {
        return Ok(Ran::NotRun(why));
    }
    let file = folder.path().join("script.py");
    std::fs::write(&file, format!("{}print(\"{END}\")\n", exported.script))?;
    let mut command = Command::new(&interpreter.program);
    command.arg("-u").arg(&file).current_dir(folder.path());
    for name in ["PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONFAULTHANDLER", "PYTHONMALLOC"] {
        command.env_remove(name);
    }
    Ok(match ask(&mut command, SCRIPT) {
        Ok(output) => compare(outcome, &output),
        Err(NoAnswer::Start(error)) => Ran::NotRun(error.to_string()),
        Err(limit) if outcome.undefined.is_some() => {
            Ran::AsExpected { died: Some(limit.to_string()), printed: Vec::new() }
        }
        Err(limit) => Ran::Different(limit.to_string()),
    })
}

/// A program that does nothing, in a process of its own as a test starts one.
const NOTHING: &str = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', 'pass']))";

/// Whether the file of a test passes on an interpreter; nothing if it cannot be told, because the C file does not compile,
/// the interpreter does not end, or does not know how to start another one of its kind (one that a script starts may not).
///
/// # Errors
/// If a file cannot be written.
pub fn test_passes(text: &str, c: Option<&str>, interpreter: &Interpreter) -> std::io::Result<Option<bool>> {
    let folder = tempfile::tempdir()?;
    if let Some(c) = c
        && compile(c, interpreter, folder.path())?.is_err()
    {
        return Ok(None);
    }
    let file = folder.path().join("test_script.py");
    std::fs::write(&file, text)?;
    let starts = ask(Command::new(&interpreter.program).args(["-c", NOTHING]), SCRIPT);
    if !starts.is_ok_and(|output| output.status.success()) {
        return Ok(None);
    }
    let output = ask(Command::new(&interpreter.program).arg(&file).current_dir(folder.path()), SCRIPT);
    Ok(output.ok().map(|output| output.status.success()))
}

/// Compiles the C file into a folder: why not, if that fails.
fn compile(source: &str, interpreter: &Interpreter, folder: &Path) -> std::io::Result<Result<(), String>> {
    let file = format!("{MODULE}.c");
    std::fs::write(folder.join(&file), source)?;
    let compiler = std::env::var_os("CC").filter(|v| !v.is_empty()).unwrap_or_else(|| "cc".into());
    let mut command = Command::new(compiler);
    command.current_dir(folder).args(["-O1", "-w", "-shared", "-fPIC", "-o", &format!("{MODULE}.so")]);
    for dir in &interpreter.include {
        command.arg("-I").arg(dir);
        if let Some(parent) = dir.parent() {
            command.arg("-idirafter").arg(parent);
        }
    }
    Ok(match ask(command.arg(&file), COMPILER) {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            let line = text.lines().find(|line| line.contains("error")).unwrap_or("the C file does not compile");
            Err(line.to_owned())
        }
        Err(error) => Err(format!("the C compiler: {error}")),
    })
}

fn compare(outcome: &Outcome, output: &Output) -> Ran {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let printed: Vec<String> = text.lines().take_while(|line| *line != END).map(str::to_owned).collect();
    let is_whole = text.lines().any(|line| line == END);
    let said = || {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        text.lines().rev().find(|line| line.contains("Error")).map(|line| format!(" ({line})")).unwrap_or_default()
    };
    let died = signal(output.status).map(|_| describe(output.status));
    let expected = &outcome.lines;
    if outcome.undefined.is_some() {
        return match expected.iter().zip(&printed).find(|(line, printed)| !line.is(printed)) {
            Some((line, printed)) => Ran::Different(format!("`{printed}` is printed, not `{line}`")),
            None if expected.len() > printed.len() => {
                Ran::Different(format!("`{}` is not printed{}", expected[printed.len()], said()))
            }
            None => Ran::AsExpected { died, printed },
        };
    }
    if let Some(how) = died.filter(|_| !is_whole) {
        return Ran::Different(format!("died of {how}"));
    }
    for at in 0..expected.len().max(printed.len()) {
        let why = match (expected.get(at), printed.get(at)) {
            (Some(line), Some(printed)) if line.is(printed) => continue,
            (Some(line), Some(printed)) => format!("`{printed}` is printed, not `{line}`"),
            (Some(line), None) => format!("`{line}` is not printed"),
            (None, Some(printed)) => format!("`{printed}` is printed"),
            (None, None) => continue,
        };
        return Ran::Different(why + &said());
    }
    if !is_whole {
        return Ran::Different(format!("it did not come to its end{}", said()));
    }
    Ran::AsExpected { died: None, printed }
}
