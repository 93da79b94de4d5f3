//! `sweep` and `enumerate` from outside.

mod program;

use std::process::Stdio;

use coroner::lookup::row_of;
use coroner::scenario::text::parse;
use program::{command, coroner, files, folder, json};

#[test]
fn a_sweep_shows_the_points_at_which_a_collection_breaks_something() {
    let folder = folder();
    let source = "coroner 1\n\ndef A():\n    look()\n\na = Node(finalizer=A)\na[0] = a\ndel a\n";
    std::fs::write(folder.path().join("cycle.scn"), source).unwrap();
    let sound = coroner(folder.path(), "sweep cycle.scn --collector cpython-3.15 --json sweep.json");
    assert_eq!(sound.code, 0, "{}", sound.out);
    assert!(sound.out.contains("3, at the end: 1 of 1 object freed"), "{}", sound.out);
    assert!(sound.out.contains("1 of 6 points make a difference"), "{}", sound.out);
    let points = json(folder.path(), "sweep.json")["result"]["subjects"][0]["points"].clone();
    assert_eq!(points.as_array().unwrap().len(), 6);

    let broken = coroner(folder.path(), "sweep cycle.scn --collector cpython-3.15+bug-skip-finalizers");
    assert!(broken.code == 1 && broken.out.contains("I08:collector"), "{}", broken.out);
    let pairs = coroner(folder.path(), "sweep cycle.scn --pairs --collector cpython-3.15");
    assert!(pairs.code == 0 && pairs.out.contains("of 21 pairs"), "{}", pairs.out);
    assert_eq!(coroner(folder.path(), "sweep missing.scn").code, 2);
}

#[test]
fn an_enumeration_can_be_resumed_and_counts_each_scenario_once() {
    let folder = folder();
    let line = "enumerate --objects 1 --collector cpython-3.15+bug-no-finalized-bit";
    let whole = coroner(folder.path(), &format!("{line} --out found --json whole.json"));
    assert_eq!(whole.code, 1, "{}{}", whole.out, whole.err);
    let whole = json(folder.path(), "whole.json");
    assert_eq!((&whole["scenarios"], &whole["result"]["position"]), (&404.into(), &whole["result"]["end"]));
    let mut examples = files(&folder.path().join("found"));
    examples.retain(|f| f.extension().is_some_and(|e| e == "scn"));
    assert_eq!(examples.len(), whole["result"]["violations"].as_array().unwrap().len());
    assert!(examples.iter().any(|f| f.file_name().unwrap().to_string_lossy().starts_with("I07-")), "{examples:?}");
    assert!(examples.iter().all(|f| parse(&std::fs::read_to_string(f).unwrap()).is_ok()));

    coroner(folder.path(), &format!("{line} --limit 100 --json first.json"));
    let first = json(folder.path(), "first.json");
    assert_eq!(first["scenarios"], 100);
    let from = &first["result"]["position"];
    coroner(folder.path(), &format!("{line} --from {from} --json rest.json"));
    assert_eq!(json(folder.path(), "rest.json")["scenarios"], 304);
    assert_eq!(coroner(folder.path(), "enumerate --objects 4").code, 2);
}

#[test]
fn an_interpreter_breaks_as_much_as_its_row() {
    let Some(interpreter) = coroner::cpython::installed().into_iter().flatten().next() else {
        eprintln!("skipped: no CPython found (pyenv, PATH, CORONER_PYTHONS)");
        return;
    };
    let (folder, row) = (folder(), row_of(&interpreter));
    let real = format!("python:{}", interpreter.program.display());
    for (name, file) in [(row.name.as_str(), "row.json"), (&real, "real.json")] {
        let line = format!("enumerate --objects 1 --decorations 2 --collector {name} --json {file}");
        assert_eq!(coroner(folder.path(), &line).code, 0);
    }
    let [row, real] = ["row.json", "real.json"].map(|name| json(folder.path(), name));
    let counts = |page: &serde_json::Value| -> Vec<String> {
        let all = page["result"]["violations"].as_array().expect("a list");
        all.iter().map(|v| format!("{} {} {}", v["invariant"], v["class"], v["scenarios"])).collect()
    };
    assert!(!counts(&row).is_empty());
    assert_eq!(counts(&row), counts(&real));
    assert_eq!(real["result"]["failed"], serde_json::json!([]));
}

#[test]
fn the_page_about_small_scopes_says_what_the_command_says() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/enumerate.md")).expect("the page");
    let folder = folder();
    let ran = coroner(folder.path(), "enumerate --objects 2 --decorations 2");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let all = "These are all there are.";
    assert!(ran.out.contains(all) && page.contains(&ran.out), "docs/enumerate.md is out of date:\n{}", ran.out);
}

#[test]
fn an_enumeration_that_is_killed_goes_on_where_it_was() {
    let folder = folder();
    let line = "enumerate --objects 2 --decorations 2 --collector cpython-3.7,cpython-3.8,cpython-3.15";
    assert_eq!(coroner(folder.path(), &format!("{line} --json whole.json")).code, 0);
    let resumed = format!("{line} --out state --resume");
    let mut child = command(folder.path(), &resumed).stdout(Stdio::null()).spawn().expect("started");
    let state = folder.path().join("state/enumeration.json");
    while !state.exists() && child.try_wait().expect("a child").is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().expect("killed, or over before");
    child.wait().expect("a child");
    let killed = json(folder.path(), "state/enumeration.json");
    assert_eq!(coroner(folder.path(), &format!("{resumed} --json resumed.json")).code, 0);
    let [whole, rest] = ["whole.json", "resumed.json"].map(|name| json(folder.path(), name));
    assert_eq!(whole["scenarios"], rest["scenarios"]);
    assert_eq!(whole["result"], rest["result"]);
    let [killed, whole] = [&killed["scenarios"], &whole["scenarios"]].map(|n| n.as_u64().expect("a number"));
    assert!(0 < killed && killed < whole, "killed after {killed} of {whole}");
    // Of another scope the folder knows nothing.
    assert_eq!(coroner(folder.path(), &resumed.replace("--objects 2", "--objects 1")).code, 2);
    assert_eq!(coroner(folder.path(), "enumerate --objects 1 --resume").code, 2);
}
