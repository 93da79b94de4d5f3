//! Campaigns that are killed, stopped, resumed, cut into shards and merged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use coroner::findings::{Campaigns, merge};
use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

/// A new bug, so that something sets the exit code, and a row, so that something is known.
const SUBJECTS: &str = "cpython-3.15+bug-call-trash-callbacks,cpython-3.7";

fn command(folder: &Path, line: &str) -> Command {
    // `.ci/run` has the large drill with the program that users have.
    let program = std::env::var("CORONER_DRILL_PROGRAM").unwrap_or(env!("CARGO_BIN_EXE_coroner").to_owned());
    let mut command = Command::new(program);
    command.current_dir(folder).args(line.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn coroner(folder: &Path, line: &str) -> Output {
    command(folder, line).output().unwrap()
}

/// A result without what depends on time, machine and paths.
fn json(folder: &Path, name: &str) -> Value {
    let mut value: Value = serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap();
    value.as_object_mut().unwrap().remove("timing").unwrap();
    value
}

/// The files of a store's bugs.
fn bugs(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    for folder in folders(root).into_iter().map(|name| root.join(name)) {
        for file in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            let name = file.strip_prefix(root).unwrap().to_owned();
            if !name.ends_with("first-seen.txt") {
                files.insert(name, std::fs::read_to_string(file).unwrap());
            }
        }
    }
    files
}

fn finding(root: &Path, folder: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(root.join(folder).join("finding.json")).unwrap()).unwrap()
}

/// The folders of a store's bugs; those that are known or fixed have theirs in `known/`.
fn folders(root: &Path) -> Vec<String> {
    let names = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect::<Vec<String>>()
    };
    let mut all = names(root);
    all.retain(|name| name != "campaigns" && name != "known");
    all.extend(names(&root.join("known")).into_iter().map(|name| format!("known/{name}")));
    all.sort();
    all
}

/// How many scenarios the drill has, and how often it is killed. `.ci/run` has it with a million.
fn drill() -> (u64, u64) {
    let number = |name, default| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    (number("CORONER_DRILL_SCENARIOS", 12_000), 10)
}

#[test]
fn a_campaign_that_is_killed_again_and_again_ends_as_if_undisturbed() {
    let folder = TempDir::new().unwrap();
    let (scenarios, kills) = drill();
    let line = format!("run --seed d --collector cpython-3.7 --strict --scenarios {scenarios} --checkpoint 20ms");
    let start = Instant::now();
    coroner(folder.path(), &format!("{line} --out calm --json calm.json"));
    let took = start.elapsed();
    let mut killed = 0;
    for i in 0..kills {
        let mut child = command(folder.path(), &format!("{line} --out drill --resume")).spawn().unwrap();
        // Any moment will do: a tenth of the time on average, so that the end is reached by few.
        let share = 0.2 * ((i * 7 + 3) % kills) as f64 / kills as f64;
        std::thread::sleep(took.mul_f64(share) + Duration::from_millis(5 + 3 * i));
        killed += u64::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let last = coroner(folder.path(), &format!("{line} --out drill --resume --json drill.json --metrics m.jsonl"));
    assert_eq!(last.status.code(), Some(1), "{}", String::from_utf8_lossy(&last.stderr));
    assert!(killed >= kills / 2, "{killed}");
    assert_eq!(json(folder.path(), "drill.json"), json(folder.path(), "calm.json"));
    assert_eq!(bugs(&folder.path().join("drill")), bugs(&folder.path().join("calm")));
    let metrics = std::fs::read_to_string(folder.path().join("m.jsonl")).unwrap();
    let line: Value = serde_json::from_str(metrics.lines().last().unwrap()).unwrap();
    assert_eq!((&line["scenarios"], &line["done"], &line["waiting"]), (&scenarios.into(), &true.into(), &0.into()));
    assert!(line["scenarios_of_process"].as_u64().unwrap() < scenarios, "nothing was resumed: {line}");
    // What is over is not run again.
    coroner(
        folder.path(),
        &format!(
            "run --seed d --collector cpython-3.7 --scenarios {scenarios} --out drill \
        --resume --metrics again.jsonl"
        ),
    );
    let again = std::fs::read_to_string(folder.path().join("again.jsonl")).unwrap();
    assert!(again.contains("\"scenarios_of_process\":0,"), "{again}");
}

#[cfg(unix)]
#[test]
fn a_campaign_that_is_asked_to_stop_reports_and_can_go_on() {
    let folder = TempDir::new().unwrap();
    let line = "run --collector cpython-3.7 --scenarios 1000000000 --jobs 2 --out here --json here.json";
    let child = command(folder.path(), line).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(400));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("interrupted: "));
    assert!(String::from_utf8_lossy(&output.stdout).contains("\nrun, seed 0, "));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--resume goes on"));
    let ran = json(folder.path(), "here.json")["scenarios"].as_u64().unwrap();
    assert!(ran > 0 && ran.is_multiple_of(256), "{ran}");
    let more = ran + 1_000;
    coroner(
        folder.path(),
        &format!("run --collector cpython-3.7 --scenarios {more} --out here --resume --json a.json"),
    );
    coroner(folder.path(), &format!("run --collector cpython-3.7 --scenarios {more} --out there --json b.json"));
    assert_eq!(json(folder.path(), "a.json"), json(folder.path(), "b.json"));
    assert_eq!(bugs(&folder.path().join("here")), bugs(&folder.path().join("there")));
}

#[test]
fn shards_merge_into_the_campaign_and_twice_is_as_good_as_once() {
    let folder = TempDir::new().unwrap();
    let run = |rest: &str| coroner(folder.path(), &format!("run --scenarios 3000 --collector {SUBJECTS} {rest}"));
    assert_eq!(run("--out whole --json whole.json").status.code(), Some(1));
    for index in 0..3 {
        run(&format!("--shard {index}/3 --out s{index}"));
    }
    let merged = coroner(folder.path(), "merge s2 s0 s1 s0 -o all --json all.json");
    assert_eq!(merged.status.code(), Some(1), "{}", String::from_utf8_lossy(&merged.stderr));
    let whole = json(folder.path(), "whole.json");
    assert_eq!(json(folder.path(), "all.json"), whole);
    assert_eq!(bugs(&folder.path().join("all")), bugs(&folder.path().join("whole")));
    coroner(folder.path(), "merge s1 all -o all --json again.json");
    assert_eq!(json(folder.path(), "again.json"), whole);
    // The command that the result names does the same, and what one shard names is that shard.
    let repeat = whole["repeat"].as_str().unwrap().strip_prefix("coroner ").unwrap();
    coroner(folder.path(), &format!("{repeat} --out repeated --json repeated.json"));
    assert_eq!(json(folder.path(), "repeated.json"), whole);
    // Two of three shards are no campaign of so many scenarios.
    coroner(folder.path(), "merge s0 s1 -o two --json two.json");
    let two = json(folder.path(), "two.json");
    assert!(two["repeat"].is_null() && two["scenarios"].as_u64().unwrap() < 3_000);

    run("--shard 1/2 --out half");
    let refused = coroner(folder.path(), "merge s0 half -o wrong");
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("shards 0/3 and 1/2"), "{refused:?}");
    for (line, hint) in [
        ("merge nowhere -o x", "no such folder"),
        ("merge . -o x", "neither campaigns nor a corpus"),
        ("run --shard 3/3", "I below N"),
        ("run --shard x", "such as 0/8"),
        ("run --only 1 --shard 0/2", "cannot be used with"),
    ] {
        let output = coroner(folder.path(), line);
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(hint), "{line}: {output:?}");
    }
}

/// Two shards as far as three budgets take them, another campaign, and the whole of it.
fn stores(folder: &Path) -> Vec<Campaigns> {
    let mut lines = vec!["--seed 5 --scenarios 300".to_owned()];
    for scenarios in [256, 700, 1300] {
        lines.extend((0..2).map(|index| format!("--seed 4 --scenarios {scenarios} --shard {index}/2")));
    }
    lines
        .iter()
        .enumerate()
        .map(|(i, line)| {
            coroner(folder, &format!("run --collector cpython-3.7 --size tiny {line} --out {i}"));
            Campaigns::read(&folder.join(i.to_string())).unwrap()
        })
        .collect()
}

fn join(shelves: &[&Campaigns]) -> Campaigns {
    shelves.iter().fold(Campaigns::default(), |mut all, shelf| {
        all.join(shelf);
        all
    })
}

#[test]
fn merging_is_associative_commutative_and_idempotent() {
    let folder = TempDir::new().unwrap();
    let stores = stores(folder.path());
    let everything = join(&stores.iter().collect::<Vec<_>>());
    assert_eq!(everything.campaigns.len(), 2);
    let furthest = join(&[&stores[0], &stores[5], &stores[6]]);
    let seen = |shelf: &Campaigns| shelf.found().iter().map(|f| (f.campaign.to_owned(), f.seen)).collect::<Vec<_>>();
    assert_eq!(seen(&everything), seen(&furthest), "a longer prefix contains a shorter one");
    assert_ne!(seen(&join(&[&stores[1], &stores[2]])), seen(&join(&[&stores[1], &stores[4]])));
    let (cases, count) = (std::cell::Cell::new(0), stores.len());
    let picks = prop::collection::vec(prop::collection::vec(0..count, 0..5), 1..4);
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) };
    proptest!(config, |(groups in picks, turn in 0usize..20)| {
        let pick = |group: &Vec<usize>| join(&group.iter().map(|i| &stores[*i]).collect::<Vec<_>>());
        let parts: Vec<Campaigns> = groups.iter().map(pick).collect();
        let grouped = join(&parts.iter().collect::<Vec<_>>());
        let mut flat: Vec<usize> = groups.concat();
        prop_assert!(grouped == pick(&flat));
        if !flat.is_empty() {
            let middle = turn % flat.len();
            flat.rotate_left(middle);
            flat.reverse();
            prop_assert!(grouped == pick(&flat));
            flat.extend_from_within(..);
            prop_assert!(grouped == pick(&flat));
        }
        cases.set(cases.get() + 1);
    });
    assert!(cases.get() >= 300);
}

#[test]
fn merging_folders_does_not_depend_on_order_or_grouping() {
    let folder = TempDir::new().unwrap();
    stores(folder.path());
    let path = |name: &str| folder.path().join(name);
    for (name, bytes) in [("0/corpus/scenario/x", "one"), ("1/corpus/scenario/x", "two"), ("2/corpus/text/y", "one")] {
        std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
        std::fs::write(path(name), bytes).unwrap();
    }
    let merge_to = |from: &[&str], to: &str| {
        let from: Vec<PathBuf> = from.iter().map(|name| path(name)).collect();
        merge(&from, &path(to), &Default::default()).unwrap();
    };
    merge_to(&["0", "1", "2", "3", "5"], "flat");
    merge_to(&["5", "3"], "a");
    merge_to(&["2", "1", "0"], "b");
    merge_to(&["b", "a", "b"], "grouped");
    assert_eq!(bugs(&path("flat")), bugs(&path("grouped")));
    assert!(bugs(&path("flat")).len() > 20);
    assert!(Campaigns::read(&path("flat")).unwrap() == Campaigns::read(&path("grouped")).unwrap());
    let output = coroner(folder.path(), "merge 2 0 1 -o corpora");
    assert!(String::from_utf8_lossy(&output.stdout).contains("3 inputs new"), "{output:?}");
    let output = coroner(folder.path(), "merge 1 0 -o corpora");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("new in"), "{output:?}");
    assert_eq!(std::fs::read_dir(path("corpora/corpus/scenario")).unwrap().count(), 2);
}

#[test]
fn a_folder_says_everything_about_a_bug() {
    let folder = TempDir::new().unwrap();
    coroner(folder.path(), &format!("run --scenarios 600 --collector {SUBJECTS},cpython-3.6"));
    let root = folder.path().join("findings");
    let states: Vec<(String, Value)> = folders(&root).into_iter().map(|f| (f.clone(), finding(&root, &f))).collect();
    let is = |state: &str| states.iter().filter(|(_, bug)| bug["state"] == state).count();
    assert!(is("NEW") > 0 && is("KNOWN") > 0 && is("NEW") + is("KNOWN") == states.len(), "{states:?}");
    let known = states.iter().find(|(name, _)| name.contains("I15-collector-del")).map(|(_, bug)| bug).unwrap();
    // One bug, whoever shows it: the row knows it, and the variant has it anew.
    assert!(known["seen"].as_array().unwrap().len() >= 2, "{known}");
    assert!(states.iter().any(|(_, b)| b["known"].as_str().is_some_and(|k| k.starts_with("regressions/"))));
    let counts = known["seen"].as_array().unwrap().iter().map(|s| s["count"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(known["count"], counts);
    for (name, bug) in &states {
        assert_eq!(name.starts_with("known/"), bug["state"] == "KNOWN", "{name}");
        let read = |file: &str| std::fs::read_to_string(root.join(name).join(file)).unwrap_or_default();
        for file in ["scenario.scn", "reduced.scn", "events.txt", "explanation.txt", "repeat.txt", "first-seen.txt"] {
            assert!(!read(file).is_empty(), "{name}/{file}");
        }
        assert!(read("first-seen.txt").starts_with("20") && read("first-seen.txt").ends_with("Z\n"));
        assert_eq!(read("repeat.txt").trim_end(), bug["seen"][0]["repeat"].as_str().unwrap());
        let line = read("repeat.txt").trim_end().strip_prefix("coroner ").unwrap().to_owned();
        if bug["state"] == "NEW" {
            assert_eq!(coroner(folder.path(), &format!("{line} --out again")).status.code(), Some(1), "{line}");
        }
        coroner::scenario::text::parse(&read("scenario.scn")).unwrap();
    }
    // Who names a file that a finding is reduced to knows it.
    let (new, _) = states.iter().find(|(_, bug)| bug["state"] == "NEW").unwrap();
    std::fs::copy(root.join(new).join("reduced.scn"), folder.path().join("mine.scn")).unwrap();
    coroner(folder.path(), &format!("run --scenarios 600 --collector {SUBJECTS},cpython-3.6 --known mine.scn"));
    let bug = finding(&root, &format!("known/{new}"));
    assert_eq!((&bug["state"], &bug["known"]), (&"KNOWN".into(), &"mine.scn".into()));
    assert!(!root.join(new).exists());
}

#[test]
fn a_bug_that_nobody_shows_any_more_is_fixed_until_somebody_does() {
    let folder = TempDir::new().unwrap();
    let root = folder.path().join("findings");
    let run = |rest: &str| coroner(folder.path(), &format!("run --collector cpython-3.7 {rest}"));
    run("--scenarios 300");
    let name = folders(&root).into_iter().find(|f| f.starts_with("known/I15")).unwrap();
    assert_eq!(finding(&root, &name)["state"], "KNOWN");
    // As if the subject had been repaired since: the file now holds a scenario that breaks nothing.
    let file = root.join(&name).join("reduced.scn");
    let good = std::fs::read(&file).unwrap();
    std::fs::write(&file, "coroner 1\na = Node()\ndel a\n").unwrap();
    let output = run("--seed 1 --only 0");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 FIXED"), "{output:?}");
    let bug = finding(&root, &name);
    assert_eq!((&bug["state"], &bug["gone"][0]), (&"FIXED".into(), &"cpython-3.7.6".into()));
    std::fs::write(&file, good).unwrap();
    run("--seed 1 --only 0");
    assert_eq!(finding(&root, &name)["state"], "KNOWN");
}

#[test]
fn a_campaign_ends_when_enough_was_found() {
    let folder = TempDir::new().unwrap();
    for jobs in [1, 3] {
        let line = format!("run --collector {SUBJECTS} --findings 2 --jobs {jobs} --out {jobs} --json {jobs}.json");
        assert_eq!(coroner(folder.path(), &line).status.code(), Some(1));
    }
    let one = json(folder.path(), "1.json");
    assert_eq!(one, json(folder.path(), "3.json"));
    let of_new =
        one["findings"].as_array().unwrap().iter().filter(|f| f["class"] == "collector" && f["known"] == false);
    assert!(of_new.count() >= 2);
    let repeat = one["repeat"].as_str().unwrap().strip_prefix("coroner ").unwrap();
    coroner(folder.path(), &format!("{repeat} --out again --json again.json"));
    assert_eq!(json(folder.path(), "again.json"), one);
}

#[test]
fn a_store_that_is_damaged_is_named_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let line = "run --scenarios 300 --collector cpython-3.15";
    coroner(folder.path(), line);
    let campaigns = folder.path().join("findings/campaigns");
    let mut entries = std::fs::read_dir(campaigns).unwrap().map(|entry| entry.unwrap().path());
    let campaign = entries.find(|path| path.is_dir()).unwrap();
    let state = campaign.join("shard-0-of-1.json");
    let text = std::fs::read_to_string(&state).unwrap();
    std::fs::write(&state, &text[..text.len() / 2]).unwrap();
    for line in [&format!("{line} --resume"), "merge findings -o merged"] {
        let output = coroner(folder.path(), line);
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("shard-0-of-1.json"), "{output:?}");
    }
    assert_eq!(std::fs::read_to_string(&state).unwrap().len(), text.len() / 2);
}
