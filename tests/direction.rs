//! Imports point one way: every room of `src/` may use the rooms that its line below names, and no others. There is no
//! circle between rooms, and none between the files of one room.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Each room with the rooms that it may use besides those that these use. A room is used by rooms below it only.
const ROOMS: &[(&str, &[&str])] = &[
    ("mutants", &[]),
    ("bits", &[]),
    ("supervise", &[]),
    ("scenario", &["mutants", "bits"]),
    ("event", &["scenario"]),
    ("subject", &["event", "supervise", "bits"]),
    ("model", &["subject"]),
    ("cpython", &["subject"]),
    ("invariant", &["subject"]),
    ("generate", &["scenario", "bits"]),
    ("mutate", &["generate"]),
    ("enumerate", &["scenario"]),
    ("shrink", &["scenario"]),
    ("object_names", &["event"]),
    ("findings", &["invariant", "shrink", "object_names", "generate"]),
    ("campaign", &["findings", "enumerate"]),
    ("lockstep", &["campaign"]),
    ("regression", &["lockstep"]),
    ("lookup", &["lockstep", "model", "cpython"]),
    ("diagnose", &["regression", "lookup", "explain"]),
    ("proptest", &["findings"]),
    ("planted", &["campaign", "model"]),
    ("fuzzing", &["campaign", "mutate", "model"]),
    ("corpus", &["fuzzing"]),
    ("explain", &["findings", "model"]),
    ("picture", &["explain"]),
    ("design", &["findings", "model"]),
    ("report", &["explain", "diagnose", "design"]),
    ("pages", &["report"]),
    ("export", &["diagnose"]),
    ("bench", &["report", "planted"]),
    ("audit", &["cpython"]),
    ("cli", &["bench", "corpus", "export", "picture", "pages", "audit"]),
];

/// Arrows against the direction that still stand, as `from -> to`. Each must occur: one that is gone leaves this list.
const WRONG: &[&str] = &[];

/// Circles of files that still stand, each as its files in order. Each must occur.
const CIRCLES: &[&[&str]] = &[];

/// The rooms in which files may not import each other in a circle.
const WITHOUT_CIRCLES: &[&str] =
    &["campaign", "findings", "cpython", "lockstep", "cli", "regression", "subject", "invariant", "picture"];

/// The sources below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// A file's module path, from the room on: `campaign::engine`.
fn module(path: &Path) -> String {
    let relative = path.strip_prefix(src()).unwrap().with_extension("");
    let mut names: Vec<String> = relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if names.last().is_some_and(|last| last == "mod") {
        names.pop();
    }
    names.join("::")
}

/// What a file says outside of its tests and comments.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let tests = ["\n#[cfg(test)]\nmod tests {", "\n#[cfg(all(test, unix))]\nmod tests {"];
    let code = tests.iter().fold(text.as_str(), |code, start| code.split(start).next().unwrap_or_default());
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn is_test(module: &str) -> bool {
    module.split("::").any(|name| name == "tests" || name.ends_with("_tests"))
}

/// The paths after `crate::` in a text, groups in braces taken apart.
fn paths(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        expand("", &text[at + "crate::".len()..], &mut found);
    }
    found
}

/// Reads one path of a `use` or an expression; the rest of the text.
fn expand<'t>(prefix: &str, text: &'t str, found: &mut Vec<String>) -> &'t str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = expand(prefix, rest, found).trim_start();
            match rest.strip_prefix(',') {
                Some(after) if !after.trim_start().starts_with('}') => rest = after,
                _ => return rest.trim_start_matches(',').trim_start().strip_prefix('}').unwrap_or(rest),
            }
        }
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let path = if prefix.is_empty() { text[..end].to_owned() } else { format!("{prefix}::{}", &text[..end]) };
    match text[end..].strip_prefix("::") {
        Some(rest) if end > 0 => expand(&path, rest, found),
        _ => {
            found.push(path);
            &text[end..]
        }
    }
}

/// All rooms that a room may use.
fn allowed(room: &str) -> BTreeSet<&'static str> {
    let mut all: BTreeSet<&'static str> = BTreeSet::new();
    let mut next = vec![room];
    while let Some(room) = next.pop() {
        let (_, direct) = ROOMS.iter().find(|(name, _)| *name == room).unwrap_or_else(|| panic!("{room} is no room"));
        for name in direct.iter().copied() {
            if all.insert(name) {
                next.push(name);
            }
        }
    }
    all
}

fn room(module: &str) -> &str {
    module.split("::").next().unwrap()
}

/// Every arrow between rooms, with the files that draw it.
fn arrows() -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut arrows: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for path in sources(&src()) {
        let from = module(&path);
        if matches!(from.as_str(), "lib" | "main") || is_test(&from) {
            continue;
        }
        for to in paths(&code(&path)) {
            // What is not in lower case is a macro of the root.
            if room(&to) != room(&from) && room(&to).starts_with(|c: char| c.is_ascii_lowercase()) {
                let arrow = (room(&from).to_owned(), room(&to).to_owned());
                arrows.entry(arrow).or_default().insert(from.clone());
            }
        }
    }
    arrows
}

#[test]
fn every_room_has_a_place() {
    let found: BTreeSet<String> = sources(&src()).iter().map(|path| room(&module(path)).to_owned()).collect();
    let known: BTreeSet<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    let missing: Vec<&String> = found
        .iter()
        .filter(|room| !known.contains(room.as_str()) && !matches!(room.as_str(), "lib" | "main"))
        .collect();
    assert!(missing.is_empty(), "rooms without a place in this test: {missing:?}");
    for (room, _) in ROOMS {
        assert!(!allowed(room).contains(room), "{room} may use itself by way of others");
    }
}

#[test]
fn imports_point_one_way() {
    let mut wrong = BTreeMap::new();
    for ((from, to), files) in arrows() {
        if !allowed(&from).contains(to.as_str()) {
            wrong.insert(format!("{from} -> {to}"), files);
        }
    }
    let new: Vec<_> = wrong.iter().filter(|(arrow, _)| !WRONG.contains(&arrow.as_str())).collect();
    assert!(new.is_empty(), "against the direction: {new:#?}");
    let gone: Vec<_> = WRONG.iter().filter(|arrow| !wrong.contains_key(**arrow)).collect();
    assert!(gone.is_empty(), "these are gone, take them out of the list: {gone:?}");
}

/// The files of a room that a file imports, by `super::` and `crate::`.
fn imported(path: &Path, modules: &BTreeSet<String>) -> BTreeSet<String> {
    let from = module(path);
    let text = code(path);
    let mut named: Vec<String> = paths(&text);
    for (at, _) in text.match_indices("super::") {
        let before = text[..at].trim_end_matches("super::");
        if before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') || text[..at].ends_with("super::") {
            continue;
        }
        let mut parent: Vec<&str> = from.split("::").collect();
        let mut rest = &text[at..];
        // `super` of a file is the folder it is in; of a folder's own file, the folder around it.
        while let Some(after) = rest.strip_prefix("super::") {
            parent.pop();
            rest = after;
        }
        let mut found = Vec::new();
        expand("", rest, &mut found);
        named.extend(found.into_iter().map(|name| format!("{}::{name}", parent.join("::"))));
    }
    // The longest prefix that is a file; a folder's own file names what is below it, which is no import.
    let file = |name: &String| {
        let parts: Vec<&str> = name.split("::").collect();
        (1..=parts.len()).rev().map(|n| parts[..n].join("::")).find(|prefix| modules.contains(prefix))
    };
    named.iter().filter_map(file).filter(|to| *to != from && !from.starts_with(&format!("{to}::"))).collect()
}

#[test]
fn files_of_a_room_do_not_import_each_other_in_a_circle() {
    let mut circles: BTreeSet<Vec<String>> = BTreeSet::new();
    for room_name in WITHOUT_CIRCLES.iter().filter(|room| src().join(room).is_dir()) {
        let files: Vec<PathBuf> =
            sources(&src().join(room_name)).into_iter().filter(|path| !is_test(&module(path))).collect();
        let modules: BTreeSet<String> = files.iter().map(|path| module(path)).collect();
        let graph: BTreeMap<String, BTreeSet<String>> =
            files.iter().map(|path| (module(path), imported(path, &modules))).collect();
        let reach = |start: &String| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![start.clone()]);
            while let Some(module) = next.pop() {
                next.extend(graph[&module].iter().filter(|to| seen.insert((*to).clone())).cloned());
            }
            seen
        };
        let reached: BTreeMap<&String, BTreeSet<String>> = graph.keys().map(|m| (m, reach(m))).collect();
        for module in graph.keys().filter(|m| reached[m].contains(*m)) {
            let others = graph.keys().filter(|o| reached[module].contains(*o) && reached[o].contains(module));
            circles.insert(others.cloned().collect());
        }
    }
    let known: BTreeSet<Vec<String>> = CIRCLES.iter().map(|c| c.iter().map(|f| (*f).to_owned()).collect()).collect();
    assert_eq!(circles, known, "circles of files, left: found, right: known");
}

/// What is started elsewhere has no limit.
#[test]
fn child_processes_are_started_in_one_room() {
    let words = [".spawn()", ".output()", ".status()", "process::Child", "Stdio::inherit"];
    let starts = |path: &PathBuf| words.iter().any(|word| code(path).contains(word));
    let found: BTreeSet<String> = sources(&src()).iter().filter(|path| starts(path)).map(|path| module(path)).collect();
    let known = ["supervise::ask", "supervise::child"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(known));
}

/// Invariants ask the shadow heap by methods.
#[test]
fn fields_of_the_shadow_heap_are_seen_in_its_folder_only() {
    let mut seen = Vec::new();
    for path in sources(&src().join("invariant/shadow")) {
        for line in code(&path).lines() {
            let field = line.strip_prefix("    pub ").or_else(|| line.strip_prefix("    pub(crate) "));
            let name = field.and_then(|rest| rest.split_once(": ")).map(|(name, _)| name);
            if name.is_some_and(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')) {
                seen.push(format!("{}: {}", module(&path), line.trim()));
            }
        }
    }
    assert!(seen.is_empty(), "{seen:#?}");
}

#[test]
fn paths_are_read_with_their_groups() {
    let text = "use crate::event::{Event, log::Tape};\nuse crate::scenario;\nlet x = crate::run::Machine::new();";
    assert_eq!(paths(text), ["event::Event", "event::log::Tape", "scenario", "run::Machine::new"]);
}

#[test]
fn the_table_of_rooms_is_this_one() {
    let document = include_str!("../docs/architecture.md");
    let from = document.find("<!-- rooms: tests/direction.rs compares -->").expect("the table's start");
    let table = &document[from..from + document[from..].find("<!-- end -->").expect("the table's end")];
    let lines = table.lines().filter(|line| line.starts_with("| `"));
    let cell = |line: &str, n: usize| line.split('|').nth(n).unwrap_or_default().replace('`', "").trim().to_owned();
    let written: Vec<(String, String)> = lines.map(|line| (cell(line, 1), cell(line, 2))).collect();
    let rooms: Vec<(String, String)> = ROOMS.iter().map(|(room, uses)| ((*room).to_owned(), uses.join(", "))).collect();
    assert_eq!(written, rooms, "put these into docs/architecture.md");
}
