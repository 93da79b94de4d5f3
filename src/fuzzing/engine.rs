//! Builds libFuzzer targets with their coverage on stable Rust.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use crate::supervise::{Bounds, NoAnswer, ask, attend};

/// What the compiler may take to say what it is: it may have to be installed first.
const VERSION: Bounds = Bounds { time: Duration::from_secs(600), output: 4 << 20 };

/// What instruments a target. Stable Rust takes them all.
///
/// These are cargo-fuzz's without `trace-compares`, `stack-depth` and debug assertions, and functions are counted, not
/// edges. Mutations are structural and do not use what was compared, and each compare would cost a call. What
/// libFuzzer did with edges took two fifths of all time; functions and the states of a run guide the search better
/// (`docs/campaigns.md` has the figures).
pub const FLAGS: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=1",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];

/// What libFuzzer is told unless somebody says otherwise.
///
/// * Inputs have room for some 40 operations: the smallest scenarios that break something have ten.
/// * No small inputs first: nothing fits into the few bytes that libFuzzer would begin with.
/// * No entropic schedule: with as many features as states give it took half of the time and found no more.
/// * No table of compares: should they be traced, addresses would come back in mutations, which no seed reproduces.
pub const ARGUMENTS: [&str; 4] = ["-max_len=192", "-len_control=0", "-entropic=0", "-use_cmp=0"];

/// A target cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no fuzz crate.
    #[error("there is no fuzz/fuzz_targets here or above: run this in the project's folder")]
    NoProject,
    /// A program cannot be started.
    #[error("cannot run {program}: {why}")]
    Start {
        /// Which.
        program: String,
        /// Why.
        why: NoAnswer,
    },
    /// The compiler does not say which machine it runs on.
    #[error("rustc does not name its host")]
    NoHost,
    /// The build fails; cargo has said why.
    #[error("the target `{targets}` could not be built ({status})")]
    Build {
        /// What was to be built.
        targets: String,
        /// How cargo ended.
        status: ExitStatus,
    },
}

/// The folder of the project: this one or one above it.
///
/// # Errors
/// [`EngineError::NoProject`] if there is none.
pub fn root(start: &Path) -> Result<PathBuf, EngineError> {
    let found = start.ancestors().find(|folder| folder.join("fuzz/fuzz_targets").is_dir());
    found.map(Path::to_owned).ok_or(EngineError::NoProject)
}

fn program(variable: &str, default: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| default.to_owned())
}

/// The machine that the compiler runs on. Naming it keeps build scripts free of instrumentation.
fn host() -> Result<String, EngineError> {
    let program = program("RUSTC", "rustc");
    let output = ask(Command::new(&program).arg("-vV"), VERSION);
    let output = output.map_err(|why| EngineError::Start { program, why })?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned).ok_or(EngineError::NoHost)
}

/// Builds targets of the project in `root`, and returns the folder with the programs: `target/fuzz/HOST/release`.
///
/// # Errors
/// If rustc or cargo cannot be run, or the build fails.
pub fn build(root: &Path, targets: &[&str]) -> Result<PathBuf, EngineError> {
    let host = host()?;
    let program = program("CARGO", "cargo");
    let mut command = Command::new(&program);
    command
        .current_dir(root)
        .args(["build", "--release", "--package", "coroner-fuzz", "--target", &host, "--target-dir", "target/fuzz"])
        .args(targets.iter().flat_map(|target| ["--bin", target]))
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"))
        // Everything hot is in one crate: optimizing across crates costs minutes and gains nothing.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        // A panic ends a target anyway, and every way of unwinding would be an edge to count.
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort");
    let status =
        attend(&mut command, &|| false).map_err(|why| EngineError::Start { program, why: NoAnswer::Start(why) })?;
    if !status.success() {
        return Err(EngineError::Build { targets: targets.join(", "), status });
    }
    Ok(root.join("target/fuzz").join(host).join("release"))
}
