//! The command line: one file per command, each turns its arguments into a report and an exit code.

mod against;
mod audit;
mod bench;
mod bisect;
mod bless;
mod bugs;
mod cache;
mod campaign;
mod campaign_pages;
mod check;
mod convert;
mod corpus;
mod design;
mod diff;
mod enumerate;
mod exit;
mod explain;
mod export;
mod findings;
mod fmt;
mod fuzz;
mod fuzz_findings;
mod input;
mod interrupt;
mod junit;
mod list;
mod list_pythons;
mod listed;
mod merge;
mod migrate;
mod monitor;
mod native;
mod on_interpreters;
mod options;
mod pictures;
mod replay;
mod replay_python;
mod run;
mod shell;
mod shrink;
mod sweep;
mod test;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

pub use exit::{Exit, exit_table};

use crate::report::json;

/// Finds out how objects die: garbage collection, weak references, callbacks and finalizers, simulated on a model of
/// every CPython collector and judged by invariants.
///
/// Without a command: a campaign of 20 seconds over all collectors.
#[derive(Debug, Parser)]
#[command(name = "coroner", version, propagate_version = true, after_help = exit::help())]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Write the result to FILE as JSON
    #[arg(long, value_name = "FILE", global = true)]
    json: Option<PathBuf>,
    /// Run no scenario of a file that creates more objects: so many take time and memory
    #[arg(long, value_name = "N", global = true, default_value_t = input::DEFAULT_MAX_OBJECTS)]
    max_objects: u64,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Test(test::Args),
    Diff(diff::Args),
    Replay(replay::Args),
    Bisect(bisect::Args),
    Check(check::Args),
    Explain(explain::Args),
    Export(export::Args),
    Shrink(shrink::Args),
    Sweep(sweep::Args),
    Enumerate(enumerate::Args),
    Audit(audit::Args),
    Bugs(bugs::Args),
    Bench(bench::Args),
    List(list::Args),
    Fmt(fmt::Args),
    Convert(convert::Args),
    Migrate(migrate::Args),
    Fuzz(fuzz::Args),
    Corpus(corpus::Args),
    Merge(merge::Args),
    Findings(findings::Args),
    Cache(cache::Args),
    Completions(shell::Completions),
    Man(shell::Man),
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    ExitCode::from(run_with(std::env::args_os()).code())
}

/// Runs the program with the given arguments, the first of which is its name.
pub fn run_with(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing is left to be done if the terminal is gone.
            let _ = error.print();
            // A search must not take a mistyped option for a bug.
            let is_check = arguments.get(1).is_some_and(|command| command == "check");
            return match error.use_stderr() {
                true if is_check => Exit::CannotTell,
                true => Exit::BadInput,
                false => Exit::Clean,
            };
        }
    };
    let json = cli.json.as_deref();
    input::set_max_objects(cli.max_objects);
    let command = cli.command.unwrap_or_else(|| Command::Run(run::Args::default()));
    // A night's work is not to end with a file that cannot be written.
    let is_writable = json.map_or(Ok(()), |path| Ok(json::check(path)?));
    let result = is_writable.and_then(|()| match command {
        Command::Run(args) => run::run(&args, json),
        Command::Test(args) => test::run(&args, json),
        Command::Diff(args) => diff::run(&args, json),
        Command::Replay(args) => replay::run(&args, json),
        Command::Bisect(args) => bisect::run(&args, json),
        Command::Check(args) => check::run(&args, json),
        Command::Explain(args) => explain::run(&args, json),
        Command::Export(args) => export::run(&args, json),
        Command::Shrink(args) => shrink::run(&args, json),
        Command::Sweep(args) => sweep::run(&args, json),
        Command::Enumerate(args) => enumerate::run(&args, json),
        Command::Audit(args) => audit::run(&args, json),
        Command::Bugs(args) => bugs::run(&args, json),
        Command::Bench(args) => bench::run(&args, json),
        Command::List(args) => list::run(&args, json),
        Command::Fmt(args) => fmt::run(&args, json),
        Command::Convert(args) => convert::run(&args, json),
        Command::Migrate(args) => migrate::run(&args, json),
        Command::Fuzz(args) => fuzz::run(&args, json),
        Command::Corpus(args) => corpus::run(&args, json),
        Command::Merge(args) => merge::run(&args, json),
        Command::Completions(args) => shell::completions(&args, json),
        Command::Man(args) => shell::man(&args, json),
        Command::Cache(args) => cache::run(&args, json),
        Command::Findings(args) => findings::run(&args, json),
    });
    result.unwrap_or_else(|error| {
        if let Some(broken) = error.downcast_ref::<std::io::Error>()
            && broken.kind() == std::io::ErrorKind::BrokenPipe
        {
            // The reader has seen enough: `coroner list | head`.
            return Exit::Clean;
        }
        eprintln!("error: {error:#}");
        Exit::BadInput
    })
}

/// The options of a command, as a table of a document.
pub fn options_table(command: &str) -> String {
    let cli = Cli::command();
    let found = cli.get_subcommands().find(|c| c.get_name() == command);
    let mut table = String::from("| option | default | what it does |\n| --- | --- | --- |\n");
    for option in found.into_iter().flat_map(clap::Command::get_arguments) {
        let Some(long) = option.get_long() else { continue };
        let takes = option.get_action().takes_values();
        let names = option.get_value_names().filter(|_| takes).unwrap_or_default();
        let value = names.first().map_or_else(String::new, |name| format!(" {name}"));
        let default: Vec<_> = option.get_default_values().iter().map(|v| v.to_string_lossy()).collect();
        let default = if takes { default.join(",") } else { String::new() };
        let help = option.get_help().map(ToString::to_string).unwrap_or_default();
        table += &format!("| `--{long}{value}` | {default} | {help} |\n");
    }
    table
}

/// The last lines of a command: what does the same again, unless all is well, and that too little was compared.
fn print_end(exit: Exit, repeat: Option<&str>, not_compared: Option<&str>) -> anyhow::Result<()> {
    let mut text = String::new();
    if let Some(repeat) = repeat.filter(|_| exit != Exit::Clean) {
        text += &format!("\nrepeat with: {repeat}\n");
    }
    if let Some(not_compared) = not_compared {
        text += &format!("\n{not_compared}\n");
    }
    print(&text)
}

/// Writes to standard output; a closed pipe is an error like any other, not a panic.
fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
