//! `coroner findings`: lists, shows and marks the bugs that campaigns have found.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use serde_json::json;

use super::{Exit, options};
use crate::findings::{self, Bug, REDUCED, State, bugs, set_mark};
use crate::model::collector::releases::meant;
use crate::report::{Style, count, json, quoted, wrapped};

/// The file of a finding that says what happened and why.
const EXPLANATION: &str = "explanation.txt";

/// List what campaigns have found, show one of them, or mark what it is
///
/// What is NEW or FLAKY is in the folder itself, what is KNOWN or FIXED in its folder known/. A mark counts more than what the
/// program has found out; what was marked FIXED and shows again in another campaign is no longer. Marks change no exit code.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Folder that campaigns have written
    #[arg(value_name = "DIR", default_value = "findings")]
    dir: PathBuf,
    /// List these only: new, flaky, waiting, known, fixed
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = state)]
    state: Vec<State>,
    /// Show this one, or mark it: the name of its folder, or as much of it as is clear
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    bug: Vec<String>,
    /// What to mark it as: new, known, fixed or flaky
    #[arg(long, value_name = "STATE", value_parser = mark, requires = "bug")]
    mark: Option<State>,
    /// Why it is marked so
    #[arg(long, value_name = "TEXT", requires = "mark")]
    note: Option<String>,
}

fn word(state: State) -> String {
    state.word().to_lowercase()
}

fn among(name: &str, states: &[State]) -> Result<State, String> {
    let found = states.iter().copied().find(|state| word(*state) == name.to_lowercase());
    found.ok_or_else(|| format!("no state is called `{name}`{}", meant(name, states.iter().copied().map(word))))
}

fn state(name: &str) -> Result<State, String> {
    among(name, &State::ALL)
}

fn mark(name: &str) -> Result<State, String> {
    among(name, &[State::New, State::Known, State::Fixed, State::Flaky])
}

/// Runs the command.
///
/// # Errors
/// If the folder is none, a name means nothing, or a file cannot be read or written.
pub fn run(args: &Args, json: Option<&Path>) -> anyhow::Result<Exit> {
    if !args.dir.is_dir() {
        bail!("{}: no such folder; `coroner run --out DIR` writes one", args.dir.display());
    }
    let mut all = bugs(&args.dir)?;
    if let Some(state) = args.mark {
        for (folder, bug) in chosen(args, &all)? {
            let folder = set_mark(&args.dir, &folder, state, args.note.clone())?;
            let line = format!("{} -> {}: {}\n", bug.state.word(), state.word(), folder.display());
            super::print(&line)?;
        }
        all = bugs(&args.dir)?;
    }
    if !args.bug.is_empty() {
        all = chosen(args, &all)?;
    }
    all.retain(|(_, bug)| args.state.is_empty() || args.state.contains(&bug.state));
    all.sort_by_key(|(_, bug)| State::ALL.iter().position(|state| *state == bug.state));
    let style = Style { color: options::color() };
    let text = match (args.mark, args.bug.is_empty()) {
        (Some(_), _) => String::new(),
        (None, true) => list(&all, args, style),
        (None, false) => {
            let pages: Result<Vec<String>, anyhow::Error> =
                all.iter().map(|(folder, bug)| page(folder, bug, style)).collect();
            pages?.join("\n")
        }
    };
    super::print(&text)?;
    if let Some(path) = json {
        let mut result = json::JsonReport::new("findings", Exit::Clean.code());
        result.result.insert("bugs".to_owned(), all.iter().map(|(folder, bug)| value(args, folder, bug)).collect());
        json::write(path, &result)?;
    }
    Ok(Exit::Clean)
}

/// The name of a bug: that of its folder.
fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The bugs that are named.
fn chosen(args: &Args, all: &[(PathBuf, Bug)]) -> anyhow::Result<Vec<(PathBuf, Bug)>> {
    let mut found = Vec::new();
    for wanted in &args.bug {
        // A path is as good as the name.
        let wanted = name(Path::new(wanted));
        let is_exact = |(folder, _): &&(PathBuf, Bug)| name(folder) == wanted;
        let starts = |(folder, _): &&(PathBuf, Bug)| name(folder).starts_with(&wanted);
        let meant_by: Vec<&(PathBuf, Bug)> = match all.iter().find(is_exact) {
            Some(one) => vec![one],
            None => all.iter().filter(starts).collect(),
        };
        match meant_by[..] {
            [one] => found.push(one.clone()),
            [] if all.is_empty() => bail!("{} has no findings", args.dir.display()),
            [] => {
                return Err(anyhow!(
                    "no finding in {} is called `{wanted}`{}",
                    args.dir.display(),
                    meant(&wanted, all.iter().map(|(folder, _)| name(folder)))
                ));
            }
            _ => {
                let names: Vec<String> = meant_by.iter().map(|(folder, _)| name(folder)).collect();
                bail!("`{wanted}` may mean {}", names.join(", "))
            }
        }
    }
    Ok(found)
}

/// One line for each bug with its state, and what broke.
fn list(all: &[(PathBuf, Bug)], args: &Args, style: Style) -> String {
    let mut text = String::new();
    for (folder, bug) in all {
        let state = format!("{:7}", bug.state.word());
        let state = if bug.state == State::New { style.bad(&state) } else { style.note(&state) };
        let _ = writeln!(text, "{state}  {}", style.head(&name(folder)));
        let mut lines = vec![what(bug)];
        lines.push(format!(
            "{} in {}, on {}",
            count(bug.objects.into(), "object"),
            count(bug.count, "scenario"),
            on(bug)
        ));
        lines.extend(why(bug));
        for line in lines {
            let room = options::width().saturating_sub(9);
            wrapped(&line, room, "").iter().for_each(|line| text += &format!("         {line}\n"));
        }
    }
    let states: Vec<String> = State::ALL
        .iter()
        .map(|state| (all.iter().filter(|(_, bug)| bug.state == *state).count(), state.word()))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let sum = if states.is_empty() { "no findings".to_owned() } else { states.join(", ") };
    let dir = quoted(&args.dir.to_string_lossy());
    let next = match all.first() {
        Some((folder, _)) => format!("\n    coroner findings {dir} --bug {}\n", name(folder)),
        None => String::new(),
    };
    let line = format!("{}: {sum}", args.dir.display());
    let head = if text.is_empty() { String::new() } else { "\n".to_owned() };
    format!("{text}{head}{line}\n{next}")
}

/// What broke, without who showed it.
fn what(bug: &Bug) -> String {
    let sentence = bug.sentence.split_once("): ").map_or(bug.sentence.as_str(), |(_, rest)| rest);
    match bug.what.class.as_str() {
        "" => format!("{} {}: {sentence}", bug.what.code, bug.what.name),
        class => format!("{} {} ({class}): {sentence}", bug.what.code, bug.what.name),
    }
}

/// Who showed it: the first, and how many others.
fn on(bug: &Bug) -> String {
    let mut subjects: Vec<&str> = bug.seen.iter().map(|seen| seen.subject.as_str()).collect();
    subjects.sort_unstable();
    subjects.dedup();
    match subjects[..] {
        [] => "nobody".to_owned(),
        [one] => one.to_owned(),
        [first, ref others @ ..] => format!("{first} and {}", count(others.len() as u64, "other")),
    }
}

/// By what it is known, or why it is marked.
fn why(bug: &Bug) -> Option<String> {
    match (&bug.mark, &bug.known) {
        (Some(mark), _) if mark.state == State::Fixed && bug.state != State::Fixed => {
            Some("marked FIXED, and seen again since".to_owned())
        }
        (Some(mark), _) => {
            let note = mark.note.as_ref().map_or(String::new(), |note| format!(": {note}"));
            Some(format!("marked {}{note}", mark.state.word()))
        }
        (None, Some(known)) => Some(format!("known by {known}")),
        (None, None) => None,
    }
}

/// Everything about one bug.
fn page(folder: &Path, bug: &Bug, style: Style) -> anyhow::Result<String> {
    let mut text = format!("{} {}\n", bug.state.word(), style.head(&name(folder)));
    let mut lines = vec![what(bug)];
    lines.extend(why(bug));
    for line in lines {
        wrapped(&line, options::width(), "").iter().for_each(|line| text += &format!("{line}\n"));
    }
    text += "\nseen by\n";
    for seen in &bug.seen {
        let gone = if bug.gone.contains(&seen.subject) { ", not any more" } else { "" };
        let _ = writeln!(text, "  {}: {}{gone}", seen.subject, count(seen.count, "scenario"));
        let _ = writeln!(text, "    {}", style.command(&seen.repeat));
    }
    let file = folder.join(REDUCED);
    let scenario = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let _ = write!(text, "\n{scenario}");
    if let Ok(explanation) = std::fs::read_to_string(folder.join(EXPLANATION)) {
        let _ = write!(text, "\n{explanation}");
    }
    let path = quoted(&folder.to_string_lossy());
    let _ = writeln!(text, "\n    {}", style.command(&format!("coroner explain {path}")));
    Ok(text)
}

fn value(args: &Args, folder: &Path, bug: &Bug) -> serde_json::Value {
    let subjects = bug.seen.iter().map(|seen| {
        json!({ "name": seen.subject, "scenarios": seen.count, "campaign": seen.campaign, "repeat": seen.repeat })
    });
    json!({
        "name": name(folder),
        "state": bug.state.word(),
        "folder": folder.strip_prefix(&args.dir).unwrap_or(folder).to_string_lossy(),
        "invariant": bug.what.code,
        "class": bug.what.class,
        "phase": bug.what.phase,
        "message": bug.sentence,
        "known": bug.known,
        "mark": bug.mark.as_ref().map(|mark: &findings::Mark| json!({ "state": mark.state.word(), "note": mark.note })),
        "objects": bug.objects,
        "operations": bug.operations,
        "scenarios": bug.count,
        "subjects": subjects.collect::<Vec<_>>(),
        "gone": bug.gone,
    })
}
