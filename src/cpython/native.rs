//! The C stack of an interpreter that dies: from gdb, or, of releases whose faulthandler knows it (3.14), from that.

use std::process::Command;
use std::time::Duration;

use super::child::{START, arguments};
use super::compile::{SetupError, probe};
use super::identity::Interpreter;
use crate::scenario::{MAX_DEPTH, MAX_SCRIPT_STEPS, Scenario, layout};
use crate::supervise::{Bounds, Limits, NoAnswer, ask};

/// What a debugger may take: it reads the symbols of an interpreter first.
const DEBUGGER: Bounds = Bounds { time: Duration::from_secs(120), output: 4 << 20 };
/// How often it is tried: memory that is corrupted does not show every time.
const ATTEMPTS: u32 = 3;
/// How many frames are asked for.
const FRAMES: u32 = 40;
/// What faulthandler begins the stack with.
const HEAD: &str = "C stack trace";

/// The stack of a process that died.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NativeStack {
    /// Where it comes from: `gdb` or `faulthandler`.
    pub tool: &'static str,
    /// One line for each frame, innermost first.
    pub frames: Vec<String>,
}

/// Runs a scenario once more on an interpreter that dies of it, and gives the C stack of the place where it does.
///
/// # Errors
/// [`SetupError`] if the probe cannot be built; the string says why there is no stack.
pub fn native_stack(
    interpreter: &Interpreter,
    scenario: &Scenario,
    limits: &Limits,
) -> Result<Result<NativeStack, String>, SetupError> {
    let folder = probe(interpreter)?;
    let made = |error| SetupError::File { what: "a temporary file".to_owned(), error };
    let work = tempfile::tempdir().map_err(made)?;
    let milliseconds = limits.scenario.as_millis().clamp(1, u128::from(u32::MAX)) as u32;
    let mut batch = Vec::new();
    for word in [1, MAX_DEPTH, MAX_SCRIPT_STEPS, milliseconds] {
        batch.extend_from_slice(&word.to_le_bytes());
    }
    layout::encode(scenario, 0, &mut batch);
    let [asked, batch_file, events] = ["asked", "batch", "events"].map(|name| work.path().join(name));
    // One batch of this size; then there is nothing more to do.
    std::fs::write(&asked, (batch.len() as u32).to_le_bytes()).map_err(made)?;
    std::fs::write(&batch_file, &batch).map_err(made)?;
    std::fs::File::create(&events).and_then(|file| file.set_len(limits.event_bytes)).map_err(made)?;
    let start = format!(
        "import os; os.dup2(os.open({:?}, 0), 0); os.dup2(os.open('/dev/null', 1), 1); {START}",
        asked.display().to_string()
    );
    let mut program = vec![interpreter.program.clone().into_os_string()];
    program.extend(arguments(interpreter).iter().map(Into::into));
    program.extend(["-W", "ignore", "-X", "faulthandler", "-c"].map(Into::into));
    program.push(start.into());
    program.extend([folder, batch_file, events].map(Into::into));
    // A debugger needs memory of the process, too.
    program.extend([limits.event_bytes, 0, limits.stack_bytes].map(|n| n.to_string().into()));
    program.extend(interpreter.library.iter().map(Into::into));

    let mut gdb = Command::new("gdb");
    gdb.args(["-q", "-nx", "-batch", "-iex", "set debuginfod enabled off"]);
    for command in ["set confirm off", "set pagination off", "set follow-fork-mode child", "run"] {
        gdb.args(["-ex", command]);
    }
    gdb.args(["-ex", &format!("backtrace {FRAMES}"), "--args"]).args(&program);
    let mut alone = Command::new(&program[0]);
    alone.args(&program[1..]);
    let mut reason = String::new();
    for _ in 0..ATTEMPTS {
        match frames(&mut gdb, "gdb", |text| text.lines().filter(|line| line.starts_with('#')).collect()) {
            Ok(stack) => return Ok(Ok(stack)),
            Err(why) => reason = why,
        }
        let told = |text: &'static str| move |line: &&str| line.contains(text);
        let of_handler = |text: &str| -> Vec<String> {
            let lines = text.lines().skip_while(|line| !told(HEAD)(line)).skip(1);
            lines.map(str::trim).take_while(|line| !line.is_empty()).map(str::to_owned).collect()
        };
        if let Ok(output) = ask(&mut alone, DEBUGGER) {
            let frames = of_handler(&String::from_utf8_lossy(&output.stderr));
            if !frames.is_empty() {
                return Ok(Ok(NativeStack { tool: "faulthandler", frames }));
            }
        }
    }
    Ok(Err(reason))
}

/// What a debugger says.
fn frames(command: &mut Command, tool: &'static str, of: impl Fn(&str) -> Vec<&str>) -> Result<NativeStack, String> {
    match ask(command, DEBUGGER) {
        Err(NoAnswer::Start(_)) => {
            Err("install gdb, or take a release whose faulthandler shows the C stack (3.14)".to_owned())
        }
        Err(limit) => Err(format!("{tool} was started, and {limit}")),
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout);
            let frames: Vec<String> = of(&text).into_iter().map(str::to_owned).collect();
            let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            match frames.is_empty() {
                true => Err(format!("the process did not die under {tool} ({last})")),
                false => Ok(NativeStack { tool, frames }),
            }
        }
    }
}
