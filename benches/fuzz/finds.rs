//! What is found from an empty corpus, after how many executions.

use std::path::Path;

use coroner::model::collector::Collector;
use coroner::planted::{planted as bugs, search_plan};

use crate::run::run;

const SEEDS: u32 = 5;

/// Releases, the invariants that their bugs break, and the bugs.
const KNOWN: [(&str, &str, &str); 3] = [
    ("cpython-3.7", "I15,I01", "bpo-38006"),
    ("cpython-3.8", "I22", "bpo-38379"),
    ("cpython-3.13.0", "I01", "gh-91636"),
];

/// The bugs that random generation needs most scenarios for (docs/bugs.md), of those that one run shows.
const PLANTED: [&str; 12] = [
    "bug-answer-dying",
    "bug-stop-finalizers-early",
    "bug-shallow-rescue",
    "bug-exception-ends-collection",
    "bug-finalize-legacy-reachable",
    "bug-container-removes-new",
    "bug-trashcan-forgets",
    "bug-lose-callbacks",
    "bug-no-weakref-pass",
    "bug-keep-plain-weakrefs",
    "bug-forget-garbage",
    "bug-swallow-errors",
];

/// Bounds of one run.
const SECONDS: u32 = 600;
const EXECUTIONS: u64 = 100_000;

pub fn known(programs: &Path) {
    println!("| collector | bug | invariants | seed | found | executions | CPU seconds | wall seconds |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for (collector, invariants, bug) in KNOWN {
        let name = Collector::parse(collector).expect("a collector of the table").name;
        let environment =
            [("CORONER_COLLECTOR", collector), ("CORONER_BASELINE", "0"), ("CORONER_INVARIANT", invariants)];
        for seed in 1..=SEEDS {
            let arguments = [format!("-seed={seed}"), format!("-max_total_time={SECONDS}")];
            let outcome = run(&programs.join("scenario"), &arguments, &environment);
            println!(
                "| `{name}` | {bug} | {invariants} | {seed} | {} | {} | {:.1} | {:.1} |",
                outcome.crash.as_deref().unwrap_or("no"),
                outcome.executions,
                outcome.cpu.as_secs_f64(),
                outcome.wall.as_secs_f64(),
            );
        }
    }
}

pub fn planted(programs: &Path, wanted: &[&str]) {
    let wanted = if wanted.is_empty() { PLANTED.as_slice() } else { wanted };
    println!("| bug | executions with states, by seed | median | without, by seed | median |");
    println!("| --- | --- | --- | --- | --- |");
    for name in wanted {
        let Some(bug) = bugs().find(|bug| bug.name() == *name) else {
            eprintln!("no planted bug is called `{name}`");
            continue;
        };
        let collector = format!("{}+{name}", search_plan(bug).base);
        let cells = ["1", "0"].map(|counters| {
            let environment = [("CORONER_COLLECTOR", collector.as_str()), ("CORONER_COUNTERS", counters)];
            let mut needed: Vec<u64> = (1..=SEEDS)
                .map(|seed| {
                    let arguments = [format!("-seed={seed}"), format!("-runs={EXECUTIONS}")];
                    let outcome = run(&programs.join("scenario"), &arguments, &environment);
                    outcome.crash.map_or(u64::MAX, |_| outcome.executions)
                })
                .collect();
            let say = |n: u64| if n == u64::MAX { "-".to_owned() } else { n.to_string() };
            let all: Vec<String> = needed.iter().copied().map(say).collect();
            needed.sort_unstable();
            format!("{} | {}", all.join(", "), say(needed[SEEDS as usize / 2]))
        });
        println!("| {name} | {} | {} |", cells[0], cells[1]);
    }
}
