//! `coroner completions` and `coroner man`: for shells and for `man`, made of the command line itself.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Exit};
use crate::report::json;

/// Print what a shell completes the command line by: bash, elvish, fish, powershell or zsh
#[derive(Debug, Clone, clap::Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, or write one for each command into a folder
#[derive(Debug, Clone, clap::Args)]
pub struct Man {
    /// Write coroner.1, coroner-run.1 and so on into DIR
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints completions.
///
/// # Errors
/// If they cannot be written.
pub fn completions(args: &Completions, json: Option<&Path>) -> anyhow::Result<Exit> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "coroner", &mut text);
    super::print(&String::from_utf8_lossy(&text))?;
    report("completions", 1, json)
}

/// Prints or writes manual pages.
///
/// # Errors
/// If they cannot be written.
pub fn man(args: &Man, json: Option<&Path>) -> anyhow::Result<Exit> {
    let Some(folder) = &args.out else {
        let mut text = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut text)?;
        super::print(&String::from_utf8_lossy(&text))?;
        return report("man", 1, json);
    };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    // A command for itself, and each of its own.
    let pages = Cli::command().get_subcommands().count() + 1;
    clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), folder)
        .with_context(|| format!("cannot write to {}", folder.display()))?;
    super::print(&format!("{}: manual pages of coroner and its commands\n", folder.display()))?;
    report("man", pages, json)
}

fn report(command: &str, pages: usize, json: Option<&Path>) -> anyhow::Result<Exit> {
    if let Some(path) = json {
        let mut result = json::JsonReport::new(command, Exit::Clean.code());
        result.result.insert("pages".to_owned(), pages.into());
        json::write(path, &result)?;
    }
    Ok(Exit::Clean)
}
