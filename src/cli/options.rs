//! What several commands take, and how it is read.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::against;
use crate::campaign::Examiner;
use crate::cpython::{self, FindError, Interpreter, Python};
use crate::findings::Baseline;
use crate::generate::{PROFILES, Profile, Size};
use crate::invariant::Invariant;
use crate::lookup::{self, Imitation};
use crate::model::collector::Collector;
use crate::model::collector::releases::{did_you_mean, meant, near};
use crate::subject::Subject;
use crate::supervise::Limits;

/// The collectors of a list of names; `all` stands for every row.
///
/// # Errors
/// If a name means nothing, or nothing is left.
pub fn collectors(names: &[String]) -> anyhow::Result<Vec<Collector>> {
    let mut found: Vec<Collector> = Vec::new();
    for name in names.iter().map(|n| n.trim()) {
        let new = if name == "all" { Collector::all() } else { vec![Collector::parse(name)?] };
        for collector in new {
            if !found.iter().any(|c| c.name == collector.name) {
                found.push(collector);
            }
        }
    }
    if found.is_empty() {
        bail!("no collector is given; `coroner list collectors` shows all");
    }
    Ok(found)
}

/// Collectors, and the interpreters that stand behind those whose names start with `python:`.
pub type Subjects = (Vec<Collector>, BTreeMap<String, Interpreter>);

/// The collectors of a list of names, among them real interpreters: `python:` before a path or a version.
///
/// # Errors
/// If a name means nothing, or nothing is left.
pub fn subjects(names: &[String]) -> anyhow::Result<Subjects> {
    subjects_against(names, None)
}

/// As [`subjects`]; interpreters are compared with a row of the caller's choice, if there is one.
///
/// # Errors
/// As [`subjects`].
pub fn subjects_against(names: &[String], row: Option<&Collector>) -> anyhow::Result<Subjects> {
    let mut entries = Vec::new();
    for name in names {
        match name.trim().strip_prefix("python:") {
            None => entries.extend(collectors(std::slice::from_ref(name))?.into_iter().map(Entry::Row)),
            Some(list) => entries.extend(resolved(list)?.into_iter().map(Entry::Real)),
        }
    }
    named(entries, row)
}

/// What `--collector` and `--python` mean together.
///
/// # Errors
/// As [`subjects`].
pub fn subjects_and_pythons(names: &[String], python: Option<&str>) -> anyhow::Result<Subjects> {
    let list = python.map(|list| format!("python:{list}"));
    let entries = list.iter().flat_map(|list| list.split(',').enumerate()).map(|(i, entry)| match i {
        0 => entry.to_owned(),
        _ => format!("python:{entry}"),
    });
    subjects(&names.iter().cloned().chain(entries).collect::<Vec<String>>())
}

/// An examiner for each subject.
pub fn examiners((collectors, interpreters): &Subjects, baseline: &Baseline) -> Vec<Examiner> {
    let subjects = lookup::campaign_subjects(collectors, interpreters, Limits::default());
    (0..subjects.len()).map(|subject| subjects.examiner(subject, baseline)).collect()
}

/// The interpreters that a list means. Those that reached a limit instead of saying what they are are named on standard
/// error.
///
/// # Errors
/// If an entry of the list is no usable interpreter, or all of them reached a limit.
pub fn resolve(list: &str) -> anyhow::Result<Vec<Interpreter>> {
    let resolved = cpython::resolve(list)?;
    resolved.skipped.iter().for_each(|limit| eprintln!("skipped: {limit}"));
    if resolved.interpreters.is_empty() && !resolved.skipped.is_empty() {
        bail!("no interpreter is left");
    }
    Ok(resolved.interpreters)
}

/// The interpreters of a list as collectors: each has the rules of the row that it is compared with, to say what is
/// undefined, and a name that means the interpreter again. One that cannot be set up, because there is no compiler or no
/// header, is named on standard error and left out.
///
/// # Errors
/// If an entry of the list is no usable interpreter, or none is left.
pub fn pythons(list: &str, row: Option<&Collector>) -> anyhow::Result<Subjects> {
    named(resolved(list)?.into_iter().map(Entry::Real).collect(), row)
}

/// What an entry of a list of subjects means.
enum Entry {
    Row(Collector),
    Real(Meant),
}

/// An interpreter, and what it was called.
struct Meant {
    /// A path, if it was called by one.
    path: Option<String>,
    interpreter: Interpreter,
}

/// The interpreters of a list, each with what it was called there.
fn resolved(list: &str) -> anyhow::Result<Vec<Meant>> {
    let (mut meant, mut limits): (Vec<Meant>, Vec<FindError>) = Default::default();
    for entry in list.split(',').map(str::trim).filter(|e| !e.is_empty()) {
        let path = entry.contains('/').then(|| entry.to_owned());
        let resolved = cpython::resolve(entry)?;
        // Each entry may have met the same ones.
        let new: Vec<_> = resolved.skipped.into_iter().filter(|limit| !limits.contains(limit)).collect();
        new.iter().for_each(|limit| eprintln!("skipped: {limit}"));
        limits.extend(new);
        meant.extend(resolved.interpreters.into_iter().map(|i| Meant { path: path.clone(), interpreter: i }));
    }
    if meant.is_empty() && !limits.is_empty() {
        bail!("no interpreter is left");
    }
    if meant.is_empty() {
        bail!("no interpreter found: pass a path, or name programs in CORONER_PYTHONS");
    }
    Ok(meant)
}

/// Gives every interpreter a name: its version, or its path if that is what it was called or if another one of the same
/// version is there.
fn named(entries: Vec<Entry>, row: Option<&Collector>) -> anyhow::Result<Subjects> {
    let mut all: Vec<Interpreter> = entries
        .iter()
        .filter_map(|entry| if let Entry::Real(meant) = entry { Some(meant.interpreter.clone()) } else { None })
        .collect();
    cpython::tell_apart(&mut all);
    let mut all = all.into_iter();
    let (mut found, mut interpreters): Subjects = Default::default();
    let mut skipped = 0;
    for entry in entries {
        let (path, mut interpreter) = match entry {
            // The same again, and what it is called beside the others.
            Entry::Real(Meant { path, interpreter }) => (path, all.next().unwrap_or(interpreter)),
            Entry::Row(collector) => {
                if !found.iter().any(|c| c.name == collector.name) {
                    found.push(collector);
                }
                continue;
            }
        };
        let name = format!("python:{}", path.unwrap_or_else(|| interpreter.option()));
        if interpreters.contains_key(&name) {
            // The same name is the same program.
            continue;
        }
        match Python::new(interpreter.clone(), Limits::default()) {
            Ok(python) => interpreter.observes = python.declaration().observes,
            Err(error) => {
                eprintln!("skipped: {error}");
                skipped += 1;
                continue;
            }
        }
        let Imitation { interpreter, collector } = against::imitation(interpreter, row);
        found.push(Collector { name: name.clone(), verified: true, ..collector });
        interpreters.insert(name, interpreter);
    }
    if found.is_empty() && skipped > 0 {
        bail!("no interpreter is left");
    }
    if found.is_empty() {
        bail!("no collector is given; `coroner list collectors` shows all");
    }
    Ok((found, interpreters))
}

/// The profiles of a list of names.
///
/// # Errors
/// If a name means nothing.
pub fn profiles(names: &[String]) -> anyhow::Result<Vec<&'static Profile>> {
    names
        .iter()
        .map(|name| {
            let name = name.trim();
            Profile::named(name).with_context(|| {
                let hint = meant(name, PROFILES.iter().map(|p| p.name.to_owned()));
                format!("no profile is called `{name}`{hint} (`coroner list profiles` shows all)")
            })
        })
        .collect()
}

/// The size of that name.
///
/// # Errors
/// A sentence that names all sizes.
pub fn size(name: &str) -> Result<Size, String> {
    let words: Vec<&str> = Size::ALL.iter().map(|s| s.word()).collect();
    let found = Size::ALL.into_iter().find(|s| s.word() == name);
    found.ok_or_else(|| format!("the sizes are {}", words.join(", ")))
}

/// The invariant with a code or name.
pub fn invariant(code: &str) -> Result<Invariant, String> {
    Invariant::parse(code).ok_or_else(|| {
        let names = Invariant::ALL.iter().flat_map(|i| [i.code().to_owned(), i.name().to_owned()]);
        let hint = did_you_mean(&near(code, names));
        format!("no invariant is called `{code}`{hint} (`coroner list invariants` shows all)")
    })
}

/// A length of time: `90`, `90s`, `5m`, `1h`.
///
/// # Errors
/// A sentence that says what is expected.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len()));
    let seconds = match unit {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return Err("a time is a number and s, m, h or d, such as 30s or 5m".to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| "a time starts with a number, such as 30s or 5m".to_owned())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| "this time is too long".to_owned())
}

/// A length of time in which something can happen: 1 ms or more.
///
/// # Errors
/// As [`duration`], or if it is shorter.
pub fn some_time(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    if time < Duration::from_millis(1) {
        return Err("nothing happens in less than 1ms".to_owned());
    }
    Ok(time)
}

/// A number in hexadecimal digits, with `0x` or without.
///
/// # Errors
/// A sentence that says what is expected.
pub fn number(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u64::from_str_radix(digits, 16).map_err(|_| "a seed is 1 to 16 hexadecimal digits".to_owned())
}

/// A bar on the terminal; nothing in a pipe.
pub fn bar(total: Option<u64>) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:32} {human_pos} of {human_len} {msg}");
    let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// The baseline of this version of the program.
///
/// # Errors
/// If it cannot be read, which the tests exclude.
pub fn baseline() -> anyhow::Result<Baseline> {
    Ok(Baseline::committed(&Collector::row_names())?)
}

/// True if what goes to standard output may be coloured: a terminal that can, and NO_COLOR is not set.
pub fn color() -> bool {
    AutoStream::choice(&std::io::stdout()) != ColorChoice::Never
}

/// The same of standard error.
pub fn error_color() -> bool {
    AutoStream::choice(&std::io::stderr()) != ColorChoice::Never
}

/// How many columns there are to write in.
pub fn width() -> usize {
    if !std::io::stdout().is_terminal() {
        return 80;
    }
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    columns.unwrap_or(80).clamp(60, 160)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["", "s", "-1s", "1y", "1e99999d", "99999999999999999999d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_time_is_not_some_time() {
        assert_eq!(some_time("1ms"), Ok(Duration::from_millis(1)));
        assert!(["0", "0s", "0.0ms", "0.000001s", "x"].iter().all(|wrong| some_time(wrong).is_err()));
    }

    #[test]
    fn numbers_are_hexadecimal() {
        assert_eq!(number("1f"), Ok(31));
        assert_eq!(number("0xFF"), Ok(255));
        assert!(["", "0x", "g", "-1", "11111111111111111"].iter().all(|wrong| number(wrong).is_err()));
    }

    #[test]
    fn a_mistyped_profile_gets_a_suggestion() {
        let error = profiles(&["weakref".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("did you mean `weakrefs`?"), "{error}");
    }

    #[test]
    fn a_collector_named_twice_runs_once() {
        let names = ["all", "cpython-3.7", "3.7.6"].map(str::to_owned);
        assert_eq!(collectors(&names).unwrap().len(), Collector::all().len());
    }
}
