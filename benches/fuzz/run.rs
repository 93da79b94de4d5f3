//! One run of a target, and what it took.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use coroner::fuzzing::engine;

/// What came of a run.
pub struct Outcome {
    pub executions: u64,
    pub cpu: Duration,
    pub wall: Duration,
    /// The broken invariants, if it ended with a crash.
    pub crash: Option<String>,
}

/// CPU time of the children of this process that have ended, from `/proc`, in ticks of 10 ms.
fn children() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program may have spaces: fields are counted behind it.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks: u64 = fields.split_whitespace().skip(13).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Runs a target from nothing, unless the arguments name inputs. What it finds is not written.
pub fn run(program: &Path, arguments: &[String], environment: &[(&str, &str)]) -> Outcome {
    let found = tempfile::tempdir().expect("a temporary folder");
    let before = (children(), Instant::now());
    let mut command = Command::new(program);
    for variable in ["COLLECTOR", "STRICT", "BASELINE", "INVARIANT", "COUNTERS", "STAGE"] {
        command.env_remove(format!("CORONER_{variable}"));
    }
    command.env("RUST_BACKTRACE", "0").envs(environment.iter().copied());
    command.arg(format!("-artifact_prefix={}/", found.path().display()));
    command.args(engine::ARGUMENTS).arg("-print_final_stats=1").args(arguments);
    let output = command.output().expect("the target starts");
    let (cpu, wall) = (children() - before.0, before.1.elapsed());
    let text = String::from_utf8_lossy(&output.stderr);
    let executions = text
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .and_then(|number| number.trim().parse().ok());
    let Some(executions) = executions else { panic!("the target failed:\n{text}") };
    let sentences = text.lines().skip_while(|line| !line.ends_with("breaks an invariant:")).skip(1);
    let codes: Vec<&str> = sentences.map_while(|l| l.strip_prefix("    ")?.split(' ').next()).collect();
    let crash = (!output.status.success()).then(|| codes.join(" "));
    Outcome { executions, cpu, wall, crash }
}
