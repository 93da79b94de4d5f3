//! Campaigns whose interpreters are killed, stopped, crash, hang and run out of memory: each ends with a true count.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::program::{Place, newest_path, ran, regression};

/// The processes that a process has started and that have the probe in them.
fn workers(parent: u32) -> Vec<u32> {
    let numbers = std::fs::read_dir("/proc").unwrap().filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
    let is_worker = |pid: &u32| {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let status = read("status");
        let of_parent = status.lines().any(|l| l.strip_prefix("PPid:").is_some_and(|p| p.trim() == parent.to_string()));
        of_parent && read("cmdline").contains("coroner_probe")
    };
    numbers.filter(is_worker).collect()
}

/// The processes that run the scenarios: each is a copy of a worker.
fn copies(campaign: u32) -> Vec<u32> {
    workers(campaign).into_iter().flat_map(workers).collect()
}

/// Sends a signal to a process of a running campaign, a moment after it has started.
fn signal(campaign: &mut Child, name: &str, to: fn(u32) -> Vec<u32>) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) && campaign.try_wait().unwrap().is_none() {
        if let [process, ..] = to(campaign.id())[..] {
            std::thread::sleep(Duration::from_millis(30));
            let sent = Command::new("kill").args([name, &process.to_string()]).stderr(Stdio::null()).status();
            if sent.unwrap().success() {
                return true;
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

/// Runs a campaign twice, once with signals to its processes; the results must be equal.
fn disturbed(line: &str, name: &str, to: fn(u32) -> Vec<u32>, times: u32) {
    let place = Place::new();
    let undisturbed = place.coroner(&format!("{line} --json undisturbed.json"));
    assert_eq!(undisturbed.code, 0, "{}{}", undisturbed.out, undisturbed.err);
    let mut campaign = place.start(&format!("{line} --json disturbed.json"));
    let sent = (0..times).filter(|_| signal(&mut campaign, name, to)).count();
    let ran = ran(campaign.wait_with_output().unwrap());
    assert!(sent > 0, "the campaign was over too soon");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(place.json("disturbed.json"), place.json("undisturbed.json"));
}

#[test]
fn a_worker_killed_in_the_middle_of_a_campaign_costs_nothing() {
    let Some(python) = newest_path() else { return };
    disturbed(&format!("diff --python {python} --scenarios 8000 --jobs 1"), "-9", workers, 3);
    disturbed(&format!("test --python {python} --scenarios 8000 --jobs 2 --profile plain"), "-9", workers, 3);
    let line = format!("run --collector python:{python},3.13 --scenarios 6000 --jobs 1 --profile plain");
    disturbed(&line, "-9", workers, 3);
}

#[test]
fn a_copy_of_a_worker_killed_in_the_middle_of_a_campaign_costs_nothing() {
    let Some(python) = newest_path() else { return };
    disturbed(&format!("diff --python {python} --scenarios 8000 --jobs 1"), "-9", copies, 3);
    disturbed(&format!("test --python {python} --scenarios 8000 --jobs 2 --profile plain"), "-9", copies, 3);
}

/// Automatic collections come when a process counts so, and what it counts depends on what it has run before. Nothing that is
/// reported may.
#[test]
fn what_a_process_has_run_before_changes_no_result() {
    let Some(python) = newest_path() else { return };
    for command in ["diff", "test"] {
        let place = Place::new();
        let line = format!("{command} --python {python} --seed 7 --scenarios 40000 --jobs 1");
        for options in ["--out whole --json whole.json", "--shard 0/2 --out a", "--shard 1/2 --out b"] {
            let ran = place.coroner(&format!("{line} {options}"));
            assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        }
        assert_eq!(place.coroner("merge a b -o both --json both.json").code, 0);
        let [whole, both] = ["whole.json", "both.json"].map(|name| place.json(name)["digest"].clone());
        assert!(whole.is_string() && whole == both, "{command}: {whole} {both}");
    }
}

#[test]
fn a_process_that_is_stopped_is_replaced() {
    let Some(python) = newest_path() else { return };
    disturbed(&format!("diff --python {python} --scenarios 8000 --jobs 1 --limit 500ms"), "-STOP", copies, 1);
    disturbed(&format!("diff --python {python} --scenarios 8000 --jobs 1 --limit 500ms"), "-STOP", workers, 1);
}

/// What `scan` does in the probe, to be replaced by something worse.
const SCAN: &str = "op_scan(); return 1;";

/// A count of the one interpreter of a campaign: the first number of this name, wherever it is.
fn count(result: &Value, name: &str) -> Option<u64> {
    match result {
        Value::Object(map) => {
            let here = map.get(name).and_then(Value::as_u64);
            here.or_else(|| map.values().find_map(|value| count(value, name)))
        }
        Value::Array(values) => values.iter().find_map(|value| count(value, name)),
        _ => None,
    }
}

/// Runs campaigns with a probe whose `scan` is broken. `diff` and `test` must end with a count of all scenarios, and with
/// one finding that is reduced to a scan and nothing else, and is shown again by `replay`.
fn with_scan(broken: &str, limit: &str, what: &str, codes: [i32; 2]) {
    let Some(python) = newest_path() else { return };
    let place = Place::with_broken_probe("run.c", SCAN, broken);
    let campaign = format!("--python {python} --scenarios 150 --jobs 1 --limit {limit} --profile mixed");
    for (command, code, start) in [("diff", codes[0], "diff-"), ("test", codes[1], what)] {
        let ran = place.coroner(&format!("{command} {campaign} --out {command} --json {command}.json"));
        assert_eq!(ran.code, code, "{command}: {}{}", ran.out, ran.err);
        let result = place.json(&format!("{command}.json"));
        assert_eq!(count(&result, "scenarios"), Some(150), "{result}");
        assert!(count(&result, if what == "crash" { "crashed" } else { "limited" }) > Some(0), "{result}");
        let files = place.files(command, start);
        let [file] = &files[..] else { panic!("{files:?}: {}", ran.out) };
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.ends_with("\nscan()\n"), "{text}");
        assert!(text.contains("minimal: under"), "{text}");
    }
    let file = place.files("diff", "diff-").remove(0);
    let replay = |place: &Place| place.coroner(&format!("replay {} --python {python}", file.display()));
    assert_eq!(replay(&Place::new()).code, 0);
    if what == "crash" {
        assert_eq!(replay(&place).code, 4);
    }
}

#[test]
fn a_scenario_that_crashes_the_interpreter_is_a_finding() {
    with_scan("*(volatile int *)0 = 1; return 1;", "5s", "crash", [4, 4]);
}

#[test]
fn a_scenario_that_hangs_the_interpreter_is_a_finding() {
    with_scan("for (;;); return 1;", "200ms", "limit", [5, 4]);
}

#[test]
fn a_scenario_that_eats_memory_is_a_finding() {
    // What it needs next is not there: the operation that fails is the scan itself.
    let eat = "while (malloc(1 << 24)); while (PyMem_RawMalloc(16)); while (PyObject_Malloc(64)); \
               make_object(NULL, NULL, NULL); return 1;";
    with_scan(eat, "5s", "crash", [4, 4]);
}

#[test]
fn known_crashes_are_agreement_and_the_next_file_runs() {
    let Some(python) = newest_path() else { return };
    let files = ["N01", "N02", "C01-"].map(|name| regression(name).to_string_lossy().into_owned());
    let ran = Place::new().coroner(&format!("replay {} --python {python}", files.join(" ")));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("ok, dies"), "{}", ran.out);
    assert!(ran.out.contains("3 run, 0 failed"), "{}", ran.out);
}

#[test]
fn undefined_behaviour_is_counted_and_the_campaign_goes_on() {
    let Some(python) = newest_path() else { return };
    let place = Place::new();
    let line = "--profile unsafe --scenarios 600 --jobs 2";
    let ran = place.coroner(&format!("diff --python {python} {line} --json diff.json"));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let ran = place.coroner(&format!("run --collector python:{python} {line} --json run.json"));
    assert!([0, 1].contains(&ran.code), "{}{}", ran.out, ran.err);
    let result = place.json("run.json");
    assert_eq!(count(&result, "scenarios"), Some(600));
    assert!(count(&result, "undefined") > Some(0), "{result}");
    assert_eq!([count(&result, "crashed"), count(&result, "limited")], [Some(0); 2], "{result}");
}
