//! Each mutant of the harness is noticed by the one test that its table names, and that test passes without it.
//!
//! A mutant runs in a process of its own, the binary of its test, which was built once. Time that runs out is no
//! notice, nor is a test that does not run. `CORONER_ONLY` restricts the mutants to those whose word contains it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use coroner::invariant::{Invariant, differential};
use coroner::mutants::{Caught, Fault, Mutant, VARIABLE, event_of};

/// How long one run of one test may take.
const LIMIT: Duration = Duration::from_secs(60);

const PAGE: &str = include_str!("../docs/bugs.md");

/// A mutant and the test that must fail.
struct Entry {
    word: String,
    test: String,
}

/// The test of an invariant's three mutants.
fn test_of(invariant: Invariant) -> String {
    let several = match invariant {
        Invariant::I18 => "an_object_dies_the_same_way_on_both_paths_unless_it_owns_its_weak_reference",
        Invariant::I38 => "a_leaking_collector_does_not_reach_a_steady_state",
        Invariant::I41 => "a_single_event_tells_two_runs_apart",
        one => return format!("lib invariant::tests::each::{}", one.code()),
    };
    assert!(differential::judges(invariant));
    format!("lib invariant::tests::differential::{several}")
}

/// Every mutant that a test notices: those of the table, and three of each invariant.
fn entries() -> Vec<Entry> {
    let of_table = Mutant::ALL.iter().filter_map(|mutant| match mutant.caught() {
        Caught::By(test) => Some(Entry { word: mutant.word().to_owned(), test: test.to_owned() }),
        Caught::Equivalent(_) => None,
    });
    let of_invariants = Invariant::ALL.iter().flat_map(|invariant| {
        let word = |fault: Fault| format!("{}{}", fault.prefix(), invariant.code());
        Fault::ALL.map(|fault| Entry { word: word(fault), test: test_of(*invariant) })
    });
    of_table.chain(of_invariants).collect()
}

/// What came of running one test.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Outcome {
    Passed,
    Failed,
    TimedOut,
    /// The test did not run, or the process ended otherwise.
    NotRun(String),
}

/// Reads what a test binary says that was asked for one test.
fn outcome(code: Option<i32>, text: &str) -> Outcome {
    let says = |words: &str| text.lines().any(|line| line.starts_with("test result:") && line.contains(words));
    let wrong = text.contains("no mutant is called") || text.contains("nobody says which event");
    match code {
        Some(0) if says("1 passed; 0 failed; 0 ignored") => Outcome::Passed,
        Some(101) if says("0 passed; 1 failed; 0 ignored") && !wrong => Outcome::Failed,
        _ => Outcome::NotRun(format!("{code:?}: {}", text.chars().take(400).collect::<String>())),
    }
}

/// Runs one test, with a mutant perhaps.
fn run(binary: &Path, test: &str, mutant: Option<&str>) -> Outcome {
    let mut output = tempfile::tempfile().unwrap();
    let mut command = Command::new(binary);
    command.args(["--exact", test, "--test-threads=1", "--nocapture"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output.try_clone().unwrap());
    match mutant {
        Some(word) => command.env(VARIABLE, word),
        None => command.env_remove(VARIABLE),
    };
    let mut child = command.spawn().unwrap();
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            return Outcome::TimedOut;
        }
        std::thread::sleep(Duration::from_millis(3));
    };
    let mut text = Vec::new();
    output.rewind().unwrap();
    output.read_to_end(&mut text).unwrap();
    outcome(status.code(), &String::from_utf8_lossy(&text))
}

/// The test binaries of these targets, built with the mutants.
fn binaries(targets: &BTreeSet<&str>) -> BTreeMap<String, PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--locked", "--features", "mutants", "--no-run", "--message-format=json"]);
    for target in targets {
        match *target {
            "lib" => cargo.arg("--lib"),
            file => cargo.args(["--test", file]),
        };
    }
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "the tests cannot be built");
    let mut found = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        let (target, executable) = (&message["target"], message["executable"].as_str());
        if let (Some(path), Some(true)) = (executable, message["profile"]["test"].as_bool()) {
            let name = if target["kind"][0] == "lib" { "lib" } else { target["name"].as_str().unwrap() };
            found.insert(name.to_owned(), PathBuf::from(path));
        }
    }
    found
}

/// Calls a function for each number below `count`, on every core; the results in order.
fn on_every_core<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (next, work) = (AtomicUsize::new(0), &work);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return done;
            }
            done.push((number, work(number)));
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let mut done: Vec<(usize, T)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

#[test]
fn every_mutant_is_noticed() {
    let only = std::env::var("CORONER_ONLY").unwrap_or_default();
    let entries: Vec<Entry> = entries().into_iter().filter(|entry| entry.word.contains(&only)).collect();
    assert!(!entries.is_empty(), "no mutant was tested");
    let split = |test: &str| test.split_once(' ').map(|(target, path)| (target.to_owned(), path.to_owned())).unwrap();
    let tests: Vec<&str> =
        entries.iter().map(|entry| entry.test.as_str()).collect::<BTreeSet<_>>().into_iter().collect();
    let targets = tests.iter().map(|test| test.split(' ').next().unwrap()).collect();
    let binaries = binaries(&targets);
    let run = |test: &str, mutant: Option<&str>| {
        let (target, path) = split(test);
        let binary = binaries.get(&target).unwrap_or_else(|| panic!("{target} has no tests"));
        run(binary, &path, mutant)
    };
    let without = on_every_core(tests.len(), |number| run(tests[number], None));
    let with = on_every_core(entries.len(), |number| run(&entries[number].test, Some(&entries[number].word)));
    let mut wrong = String::new();
    for (test, outcome) in tests.iter().zip(&without).filter(|(_, outcome)| **outcome != Outcome::Passed) {
        writeln!(wrong, "without a mutant: {test}: {outcome:?}").unwrap();
    }
    for (entry, outcome) in entries.iter().zip(&with).filter(|(_, outcome)| **outcome != Outcome::Failed) {
        writeln!(wrong, "{}: {}: {outcome:?}", entry.word, entry.test).unwrap();
    }
    assert!(wrong.is_empty(), "not noticed, of {}:\n{wrong}", entries.len());
    println!("{} mutants, each noticed by its test of {}", entries.len(), tests.len());
}

#[test]
fn only_a_test_that_ran_and_failed_is_a_notice() {
    let result =
        |numbers: &str| format!("\nrunning 1 test\n\ntest result: FAILED. {numbers}; 0 measured; 9 filtered out\n");
    assert_eq!(outcome(Some(101), &result("0 passed; 1 failed; 0 ignored")), Outcome::Failed);
    assert_eq!(outcome(Some(0), &result("1 passed; 0 failed; 0 ignored")), Outcome::Passed);
    for (code, numbers) in [
        (Some(0), "0 passed; 0 failed; 0 ignored"),
        (Some(0), "0 passed; 0 failed; 1 ignored"),
        (Some(101), "1 passed; 1 failed; 0 ignored"),
        (Some(1), "0 passed; 1 failed; 0 ignored"),
        (None, "0 passed; 1 failed; 0 ignored"),
    ] {
        assert!(matches!(outcome(code, &result(numbers)), Outcome::NotRun(_)), "{code:?} {numbers}");
    }
    assert!(matches!(outcome(Some(101), "thread panicked"), Outcome::NotRun(_)));
}

/// The sources below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The file in which each mutant has its hook.
fn hooks() -> BTreeMap<String, String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut files, mut found) = (Vec::new(), BTreeMap::new());
    sources(&src, &mut files);
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for (at, hook) in text.match_indices("mutant!(") {
            let name = text[at + hook.len()..].split(')').next().unwrap();
            found.entry(name.to_owned()).or_insert(file.strip_prefix(&src).unwrap().display().to_string());
        }
    }
    found
}

#[test]
fn every_mutant_has_a_hook() {
    let hooks: Vec<String> = hooks().into_keys().collect();
    let mut mutants: Vec<&str> = Mutant::ALL.iter().map(|mutant| mutant.name()).collect();
    mutants.sort_unstable();
    assert_eq!(hooks, mutants, "on the left the hooks, on the right the table");
    for invariant in Invariant::ALL {
        assert!(event_of(invariant.code()).is_some(), "EVENTS has no event to which {invariant} is deaf");
    }
}

/// The tables of the page.
fn tables() -> String {
    let (hooks, mut out) = (hooks(), String::new());
    out.push_str("| mutant | in `src/` | what it breaks | the test that fails |\n| --- | --- | --- | --- |\n");
    for mutant in Mutant::ALL {
        if let Caught::By(test) = mutant.caught() {
            let (word, file, breaks) = (mutant.word(), &hooks[mutant.name()], mutant.breaks());
            writeln!(out, "| {word} | `{file}` | {breaks} | `{test}` |").unwrap();
        }
    }
    out.push_str("\n| invariant | is deaf to | the test that fails |\n| --- | --- | --- |\n");
    for invariant in Invariant::ALL {
        let (event, test) = (event_of(invariant.code()).unwrap_or_default(), test_of(*invariant));
        writeln!(out, "| {invariant} | `{event}` | `{test}` |").unwrap();
    }
    out.push_str("\n| equivalent mutant | why nothing can notice it |\n| --- | --- |\n");
    for mutant in Mutant::ALL {
        if let Caught::Equivalent(reason) = mutant.caught() {
            writeln!(out, "| {}: {} | {reason} |", mutant.word(), mutant.breaks()).unwrap();
        }
    }
    out
}

#[test]
fn the_page_has_the_tables() {
    let start = "<!-- mutants: generated, tests/mutants.rs compares -->\n";
    let from = PAGE.find(start).expect("the tables' start") + start.len();
    let len = PAGE[from..].find("<!-- end -->").expect("the tables' end");
    let tables = tables();
    assert!(PAGE[from..from + len] == tables, "put these tables into docs/bugs.md:\n{tables}");
}
