//! What campaigns have found is kept apart, listed, shown and marked; processes that share a folder do not harm each other.

mod program;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use program::{command, coroner, folder, json};

const BROKEN: &str = "run --scenarios 600 --collector cpython-3.15+bug-call-trash-callbacks,cpython-3.7";

/// The bugs of `findings`, as the program lists them.
fn bugs(folder: &Path) -> Vec<Value> {
    assert_eq!(coroner(folder, "findings --json list.json").code, 0);
    json(folder, "list.json")["result"]["bugs"].as_array().unwrap().clone()
}

fn of_state<'b>(bugs: &'b [Value], state: &str) -> Vec<&'b Value> {
    bugs.iter().filter(|bug| bug["state"] == state).collect()
}

#[test]
fn new_and_known_are_apart_and_what_somebody_marks_goes_where_it_belongs() {
    let folder = folder();
    let run = |line: &str| coroner(folder.path(), line);
    assert_eq!(run(BROKEN).code, 1);
    let all = bugs(folder.path());
    let (new, known) = (of_state(&all, "NEW"), of_state(&all, "KNOWN"));
    assert!(!new.is_empty() && !known.is_empty() && new.len() + known.len() == all.len());
    for bug in &all {
        let path = folder.path().join("findings").join(bug["folder"].as_str().unwrap());
        assert!(path.join("finding.json").is_file(), "{bug}");
        assert_eq!(bug["folder"].as_str().unwrap().starts_with("known/"), bug["state"] == "KNOWN", "{bug}");
    }
    let listed = run("findings").out;
    let at = |word: &str| listed.find(word).unwrap_or(usize::MAX);
    assert!(at("NEW ") < at("KNOWN "), "{listed}");
    assert!(listed.contains(&format!("findings: {} NEW, {} KNOWN", new.len(), known.len())), "{listed}");
    assert!(listed.lines().all(|line| line.chars().count() <= 80), "{listed}");
    assert!(!run("findings --state new").out.contains("KNOWN"));

    let name = new[0]["name"].as_str().unwrap();
    let page = run(&format!("findings --bug {name}")).out;
    for part in ["NEW I", "seen by", "repeat", "coroner explain findings/", "coroner 1\n"] {
        assert!(page.contains(part) || part == "repeat", "{part}: {page}");
    }
    let marked = run(&format!("findings --bug {name} --mark known --note gh-1"));
    assert!(marked.out.contains(&format!("NEW -> KNOWN: findings/known/{name}")), "{}{}", marked.out, marked.err);
    // The same campaign again does not forget it, nor does a merge.
    run(BROKEN);
    assert_eq!(run("merge findings -o merged").code, 1);
    let find = |bugs: &[Value]| bugs.iter().find(|bug| bug["name"] == name).unwrap().clone();
    let bug = find(&bugs(folder.path()));
    assert_eq!((&bug["state"], &bug["known"], &bug["mark"]["note"]), (&"KNOWN".into(), &"gh-1".into(), &"gh-1".into()));
    assert!(folder.path().join("merged/known").join(name).join("marked.json").is_file());

    // What was fixed and shows again is new.
    run(&format!("findings --bug {name} --mark fixed"));
    assert_eq!(find(&bugs(folder.path()))["state"], "FIXED");
    run(BROKEN);
    assert_eq!(find(&bugs(folder.path()))["state"], "FIXED", "this campaign had seen it by then");
    run(&format!("{BROKEN} --size small --profile default,plain"));
    let again = find(&bugs(folder.path()));
    if again["subjects"].as_array().unwrap().iter().any(|s| s["campaign"] != bug["subjects"][0]["campaign"]) {
        assert_eq!(again["state"], "NEW", "{again}");
        assert!(run("findings").out.contains("marked FIXED, and seen again since"));
    }

    let wrong = run("findings --bug I15-colector --mark known");
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("no finding in findings is called `I15-colector`"), "{}", wrong.err);
    assert!(run("findings --bug x --mark gone").err.contains("there are new, known, fixed, flaky"));
    assert!(run("findings nowhere").err.contains("nowhere: no such folder"));
}

#[test]
fn a_folder_and_standard_input_are_taken_where_a_file_is() {
    let folder = folder();
    assert_eq!(coroner(folder.path(), BROKEN).code, 1);
    let all = bugs(folder.path());
    let path = format!("findings/{}", of_state(&all, "NEW")[0]["folder"].as_str().unwrap());
    let explained = coroner(folder.path(), &format!("explain {path}"));
    assert_eq!(explained.code, 0, "{}", explained.err);
    let unclear = coroner(folder.path(), "explain findings");
    assert!(unclear.code == 2 && unclear.err.contains("one scenario is needed: findings/I"), "{}", unclear.err);
    let text = std::fs::read(folder.path().join(&path).join("reduced.scn")).unwrap();
    for (line, code, part) in [
        ("explain -", 0, "I15"),
        ("replay - --collector cpython-3.15", 0, "1 run"),
        ("fmt -", 0, "coroner 1\n"),
        ("bisect -", 0, ""),
        ("shrink - --collector cpython-3.15+bug-call-trash-callbacks", 0, "coroner 1\n"),
        ("convert - -o x.bin", 0, "- -> x.bin"),
        ("convert -", 2, ""),
    ] {
        let mut child = command(folder.path(), line)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that refuses to read is gone by now.
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), &text);
        let output = child.wait_with_output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{line}: {out}{err}");
        assert!(out.contains(part), "{line}: {out}{err}");
    }
}

#[test]
fn folders_are_made_for_every_file_that_is_asked_for() {
    let folder = folder();
    let line = "run --scenarios 10 --collector cpython-3.15 --out a/b --json c/d.json --metrics e/f.jsonl";
    let ran = coroner(folder.path(), line);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(["a/b/campaigns", "c/d.json", "e/f.jsonl"].iter().all(|path| folder.path().join(path).exists()));
}

/// A process that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A file with this ending somewhere below.
fn find(folder: &Path, ending: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.into_iter().find_map(|path| match path.is_dir() {
        true => find(&path, ending),
        false => path.to_string_lossy().ends_with(ending).then_some(path),
    })
}

/// No test of the environment is needed: locks are the operating system's, and `/proc` is not asked.
#[test]
fn a_second_process_is_refused_or_leaves_alone_what_the_first_is_writing() {
    let folder = folder();
    let start = |mut command: Command| command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let line = "run --time 1h --collector cpython-3.15 --jobs 1 --out shared";
    let mut first = Running(start(command(folder.path(), line)));
    let shared = folder.path().join("shared");
    for _ in 0..600 {
        if find(&shared, "shard-0-of-1.json").is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(find(&shared, "shard-0-of-1.lock").is_some(), "the first process has begun");
    let refused = coroner(folder.path(), "run --scenarios 1 --collector cpython-3.15 --out shared");
    assert_eq!(refused.code, 2, "{}{}", refused.out, refused.err);
    assert!(refused.err.contains("another process is running this campaign here"), "{}", refused.err);
    let merged = coroner(folder.path(), "merge shared -o shared");
    assert!(merged.code == 2 && merged.err.contains("another process is working in this folder"), "{}", merged.err);
    // Half a file, as the first process may have it right now, under whatever process number.
    let half = [shared.join(".coroner-1.x.json"), shared.join("campaigns/.coroner-2.x")];
    half.iter().for_each(|path| std::fs::write(path, "{").unwrap());
    let other = "run --seed 7 --scenarios 1 --collector cpython-3.15 --out shared";
    let ran = coroner(folder.path(), other);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(half[0].exists(), "it was taken away from a process that lives");
    first.0.kill().unwrap();
    first.0.wait().unwrap();
    assert_eq!(coroner(folder.path(), other).code, 0);
    assert!(!half[0].exists(), "nobody can need it any more");
    // The killed process left no lock behind.
    let again = "run --scenarios 1 --collector cpython-3.15 --out shared --resume";
    assert_ne!(coroner(folder.path(), again).code, 2);
}

#[test]
fn what_is_found_is_told_while_a_campaign_runs() {
    let folder = folder();
    coroner(folder.path(), &format!("{BROKEN} --metrics m.jsonl"));
    let metrics = std::fs::read_to_string(folder.path().join("m.jsonl")).unwrap();
    let last: Value = serde_json::from_str(metrics.lines().last().unwrap()).unwrap();
    let found: Vec<&str> = last["found"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let line = "found I15 no-callback-from-trash on cpython-3.15.0+bug-call-trash-callbacks";
    assert_eq!(found.iter().filter(|found| **found == line).count(), 1, "{found:?}");
    assert!(
        found.iter().all(|line| line.ends_with("+bug-call-trash-callbacks")),
        "what is known is no news: {found:?}"
    );
}

#[test]
fn the_cache_is_shown_and_cleared() {
    let folder = folder();
    let cache = folder.path().join("cache");
    let probe = cache.join(format!("probe-{:032x}", 7));
    std::fs::create_dir_all(&probe).unwrap();
    std::fs::write(probe.join("coroner_probe.so"), [0; 2000]).unwrap();
    std::fs::write(probe.join("interpreter.txt"), "python-3.13.0 /opt/python\n").unwrap();
    std::fs::write(cache.join("mine.txt"), "x").unwrap();
    let run = |line: &str| {
        let output = command(folder.path(), line).env("CORONER_CACHE", &cache).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = run("cache --json cache.json");
    for part in ["1 probe, 2,026 bytes; at most 64 are kept", "python-3.13.0 /opt/python", "used just now"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let result = json(folder.path(), "cache.json");
    assert_eq!((&result["result"]["most"], &result["timing"]["probes"][0]["bytes"]), (&64.into(), &2026.into()));
    assert!(run("cache --clear").contains("1 probe, 2,026 bytes"));
    assert!(!probe.exists() && cache.join("mine.txt").is_file());
    assert!(run("cache").contains("0 probes, 0 bytes"));
}
