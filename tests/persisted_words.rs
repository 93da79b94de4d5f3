//! Words that files and other programs hold on to: types may be renamed, these may not.

mod program;

use std::collections::BTreeSet;
use std::path::Path;

use coroner::findings::{State, Verdict};
use coroner::generate::PROFILES;
use coroner::invariant::Invariant;
use program::{coroner, folder, json};
use serde_json::Value;

/// Every word, one per line, under a heading for each kind of file.
const WORDS: &str = include_str!("persisted_words.txt");

/// The paths of all keys of a value; items of lists are one.
fn keys(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = format!("{path}.{key}");
                keys(value, &path, found);
                found.insert(path);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, &format!("{path}[]"), found)),
        _ => {}
    }
}

fn section(title: &str, words: impl IntoIterator<Item = String>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| word + "\n").collect();
    format!("== {title}\n{}", words.concat())
}

/// The keys of a file; without times, which no program reads.
fn file(folder: &Path, name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    keys(&json(folder, name), "", &mut found);
    found.retain(|key| !key.starts_with(".timing."));
    found
}

#[test]
fn no_persisted_word_has_changed() {
    let folder = folder();
    let line = "run --seed 5 --scenarios 600 --collector cpython-3.7,cpython-3.12 --out out --json run.json";
    let ran = coroner(folder.path(), line);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let campaign = std::fs::read_dir(folder.path().join("out/campaigns")).unwrap().next().unwrap().unwrap().path();
    let bug = std::fs::read_dir(folder.path().join("out/known")).unwrap().map(|entry| entry.unwrap().path());
    let bug = bug.filter(|path| path.join("finding.json").is_file()).min().unwrap();
    let replay = coroner(folder.path(), &format!("replay {} --json replay.json", bug.display()));
    assert_eq!(replay.code, 0, "{}", replay.err);
    let mut words = section("profiles", PROFILES.iter().map(|profile| profile.name.to_owned()));
    words += &section("invariants", Invariant::ALL.iter().map(|i| format!("{} {}", i.code(), i.name())));
    words += &section("verdicts", Verdict::ALL.iter().map(|v| serde_json::to_string(v).unwrap()));
    words += &section("states", State::ALL.iter().map(|s| serde_json::to_string(s).unwrap()));
    words += &section("run --json", file(folder.path(), "run.json"));
    words += &section("replay --json", file(folder.path(), "replay.json"));
    words += &section("campaign.json", file(&campaign, "campaign.json"));
    words += &section("shard-0-of-1.json", file(&campaign, "shard-0-of-1.json"));
    words += &section("shard-0-of-1.findings.json", file(&campaign, "shard-0-of-1.findings.json"));
    words += &section("finding.json", file(&bug, "finding.json"));
    if words != WORDS {
        let path = folder.keep().join("persisted_words.txt");
        std::fs::write(&path, &words).unwrap();
        let (old, new): (BTreeSet<&str>, BTreeSet<&str>) = (WORDS.lines().collect(), words.lines().collect());
        panic!(
            "gone: {:?}\nnew: {:?}\nall words are in {}",
            old.difference(&new).collect::<Vec<_>>(),
            new.difference(&old).collect::<Vec<_>>(),
            path.display()
        );
    }
}
