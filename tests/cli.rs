//! The program from outside: exit codes, JSON, determinism, diagnostics, findings.

mod program;

use serde_json::Value;

use coroner::generate::PROFILES;
use coroner::invariant::Invariant;
use coroner::model::collector::{ROWS, Switch, SwitchClass};
use coroner::scenario::text::usages;
use program::{command, coroner, files, folder, json};

/// Everything of a result that may not depend on time, machine and paths.
fn pure(mut result: Value) -> Value {
    result.as_object_mut().unwrap().remove("timing").expect("timing is there");
    result
}

/// Callbacks of trash run after clearing: found by the first few hundred scenarios.
const BROKEN: &str = "run --scenarios 600 --collector cpython-3.15+bug-call-trash-callbacks";

#[test]
fn a_campaign_is_the_same_whatever_the_number_of_workers_and_the_process() {
    let folder = folder();
    for (jobs, name) in [(1, "one"), (2, "two"), (3, "three")] {
        let line = format!("{BROKEN},cpython-3.7 --jobs {jobs} --json {name}.json --out {name}");
        assert_eq!(coroner(folder.path(), &line).code, 1);
    }
    let [one, two, three] = ["one", "two", "three"].map(|name| pure(json(folder.path(), &format!("{name}.json"))));
    assert_eq!(one, two);
    assert_eq!(one, three);
    assert!(!one["findings"].as_array().unwrap().is_empty());
    let content = |name: &str| -> Vec<String> {
        let root = folder.path().join(name);
        let bugs = files(&root).into_iter().chain(files(&root.join("known")));
        let bugs = bugs.filter(|f| !f.ends_with("campaigns") && !f.ends_with("known"));
        let files = bugs.flat_map(|bug| files(&bug)).filter(|f| !f.ends_with("first-seen.txt"));
        files.map(|f| std::fs::read_to_string(f).unwrap()).collect()
    };
    assert!(content("one").len() > 20);
    assert_eq!(content("one"), content("two"));
    assert!(coroner(folder.path(), &format!("{BROKEN} --seed 1 --json other.json")).code == 1);
    assert_ne!(one["digest"], json(folder.path(), "other.json")["digest"]);
}

#[test]
fn the_result_as_json_has_the_keys_that_scripts_depend_on() {
    let folder = folder();
    coroner(folder.path(), &format!("{BROKEN} --json result.json"));
    let result = json(folder.path(), "result.json");
    assert_eq!((&result["schema"], &result["command"], &result["exit"]), (&2.into(), &"run".into(), &1.into()));
    assert_eq!(result["interrupted"], false);
    for counts in [&result, &result["subjects"][0]] {
        let all: u64 = ["judged", "undefined", "unsupported", "limited", "died"]
            .iter()
            .map(|key| counts[key].as_u64().unwrap_or_else(|| panic!("{key} is missing in {counts}")))
            .sum();
        assert_eq!(all, 600);
    }
    assert_eq!((&result["scenarios"], &result["reached"]["runs"]), (&600.into(), &600.into()));
    assert_eq!(result["digest"].as_str().unwrap().len(), 16);
    let subject = &result["subjects"][0];
    assert_eq!(subject["name"], "cpython-3.15.0+bug-call-trash-callbacks");
    assert!(subject["violations"]["collector"]["I15"].as_u64().unwrap() > 0, "{subject}");
    let finding = &result["findings"][0];
    for key in ["invariant", "class", "subject", "objects", "file", "repeat"] {
        assert!(!finding[key].is_null(), "{key} is missing in {finding}");
    }
    assert!(result["timing"]["seconds"].is_number());
}

#[test]
fn a_finding_is_written_and_every_command_that_it_names_shows_it_again() {
    let folder = folder();
    let ran = coroner(folder.path(), &format!("{BROKEN} --json result.json"));
    assert_eq!(ran.code, 1, "{}", ran.err);
    let result = json(folder.path(), "result.json");
    let is_wanted = |f: &&Value| f["invariant"] == "I15" && f["class"] == "collector";
    let finding = result["findings"].as_array().unwrap().iter().find(is_wanted).unwrap();
    assert!(finding["objects"].as_u64().unwrap() <= 6, "{finding}");
    let file = folder.path().join("findings").join(finding["file"].as_str().unwrap());
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("coroner 1\n"));

    let explain = ran.out.lines().map(str::trim).find(|l| l.starts_with("coroner explain findings/I15")).unwrap();
    let explained = coroner(folder.path(), explain.strip_prefix("coroner ").unwrap());
    assert!(explained.code == 0 && explained.out.contains("I15"), "{}", explained.out);
    let replayed = coroner(folder.path(), &explain.replacen("coroner explain", "replay", 1));
    assert!(replayed.code == 1 && replayed.out.contains("I15"), "{}", replayed.out);

    let repeat = finding["repeat"].as_str().unwrap().strip_prefix("coroner ").unwrap();
    assert_eq!(coroner(folder.path(), &format!("{repeat} --out again")).code, 1);

    let last = ran.out.lines().last().unwrap().strip_prefix("repeat with: coroner ").unwrap();
    assert_eq!(coroner(folder.path(), &format!("{last} --json again.json")).code, 1);
    assert_eq!(pure(json(folder.path(), "again.json")), pure(result));
}

#[test]
fn a_clean_campaign_exits_0_and_has_nothing_new() {
    let folder = folder();
    let ran = coroner(folder.path(), "run --scenarios 50 --profile plain --size tiny --collector cpython-3.15");
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(!ran.out.contains('\x1b') && ran.err.is_empty(), "{}", ran.err);
    assert!(folder.path().join("findings/campaigns").is_dir() && !ran.out.contains(" NEW"), "{}", ran.out);
}

/// What neither side can cite a text for is counted in every report, shown on request, and counts with `--strict` only.
#[test]
fn what_nobody_promised_is_counted_and_shown_on_request() {
    let folder = folder();
    let line = "run --seed 0 --scenarios 1000 --collector cpython-3.15";
    let [plain, all] =
        ["", " --all"].map(|all| coroner(folder.path(), &format!("{line}{all} --json run.json --out out")));
    let subject = &json(folder.path(), "run.json")["subjects"][0];
    let (counted, retracked) = (&subject["unpromised"], &subject["violations"]["unpromised"]["I32"]);
    assert!(counted.as_u64() > Some(0) && retracked.as_u64() > Some(0), "{subject}");
    for ran in [&plain, &all] {
        assert!(ran.out.contains(&format!("\nunpromised: {counted} scenarios\n")), "{}", ran.out);
    }
    assert!(!plain.out.contains("\nu I32") && all.out.contains("\nu I32"), "{}", plain.out);
    assert_eq!(plain.code, all.code);
    assert_eq!(coroner(folder.path(), &format!("{line} --strict --out strict")).code, 1);
}

#[test]
fn more_workers_than_cores_are_said_to_be_for_nothing() {
    let folder = folder();
    let with = |jobs: usize| {
        let line = format!("run --scenarios 200 --profile plain --collector cpython-3.15 --jobs {jobs} --json r.json");
        let ran = coroner(folder.path(), &line);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let timing = json(folder.path(), "r.json")["timing"].clone();
        assert!(timing["seconds"].as_f64() <= timing["elapsed_seconds"].as_f64(), "{timing}");
        ran.err
    };
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(with(cores), "");
    assert!(with(cores + 1).contains("more workers make nothing faster"));
}

#[test]
fn a_collector_that_changes_its_mind_is_nondeterminism() {
    let folder = folder();
    let ran = coroner(folder.path(), "run --scenarios 5000 --jobs 1 --collector cpython-3.15+bug-nondeterministic");
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert!(ran.out.contains("I41 same-order"));
}

#[test]
fn what_makes_no_sense_is_named_with_what_would() {
    let folder = folder();
    for (line, hint) in [
        ("run --collector cpyton-3.7.6", "did you mean `cpython-3.7.6` or `cpython-3.7.0`?"),
        ("run --collector cpython-3.7+bug-lose-callback", "did you mean `bug-lose-callbacks`?"),
        ("run --profile plane", "did you mean `plain` or `planted`?"),
        ("run --profile weak", "did you mean `weakrefs`?"),
        ("run --profile xyz", "there are default, plain, mixed"),
        ("shrink nowhere.scn --invariant I0", "did you mean `I01`, "),
        ("run --time 1h --json .", "cannot write .: it is a folder"),
        ("run --time 1h --json /proc/x/y.json", "cannot write /proc/x/y.json"),
        ("run --time 1h --out /proc/x", "/proc/x"),
        ("run --seed xyz", "hexadecimal"),
        ("run --time 5x", "such as 30s"),
        ("run --time 0s", "'0s' for '--time <TIME>'"),
        ("test --python 3.7 --time 0", "'0' for '--time <TIME>'"),
        ("diff --python 3.7 --limit 0ms", "'0ms' for '--limit <TIME>'"),
        ("enumerate --objects 1 --limit 0", "'0' for '--limit <N>'"),
        ("bugs --budget 0", "'0' for '--budget <N>'"),
        ("corpus grow --scenarios 0", "'0' for '--scenarios <N>'"),
        ("run --jobs 0", "at least 1"),
        ("run --jobs 1025", "at most 1024"),
        ("run --scenarios 0", "1.."),
        ("run --findings 0", "1.."),
        ("run --only 18446744073709551615", "is not in"),
        ("corpus import nowhere", "error: nowhere: No such file or directory (os error 2)\n"),
        ("run --scenarios 1 --only 1", "cannot be used with"),
        ("rum", "run"),
        ("replay nowhere.scn", "nowhere.scn"),
        ("explain nowhere.scn", "nowhere.scn"),
        ("list color", "collectors"),
    ] {
        let ran = coroner(folder.path(), line);
        assert_eq!(ran.code, 2, "{line}");
        assert!(ran.err.contains(hint), "{line}: {}", ran.err);
    }
}

#[test]
fn a_bad_file_gets_a_diagnostic_and_the_others_are_replayed() {
    let folder = folder();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    std::fs::create_dir(folder.path().join("cases")).unwrap();
    write("cases/bad.scn", b"coroner 1\na = Nod()\n");
    write("cases/cut.scn", b"\xc0rnr\x01\x02");
    write("cases/dead.scn", b"\xff\xfe\n");
    write("cases/good.scn", b"coroner 1\na = Node()\na[0] = a\ndel a\ncollect(2)\n");
    let ran = coroner(folder.path(), "replay cases --json result.json");
    assert_eq!(ran.code, 2);
    for part in ["bad.scn:2:5", "did you mean `Node`?", "the file ends at byte 6", "invalid-utf8"] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    assert!(ran.out.contains("18 runs") || ran.out.contains(&format!("{} runs", ROWS.len())), "{}", ran.out);
    assert!(ran.out.trim_end().ends_with("repeat with: coroner replay cases"), "{}", ran.out);
    assert_eq!(json(folder.path(), "result.json")["result"]["failures"].as_array().unwrap().len(), 3);
}

#[test]
fn a_scenario_that_creates_more_than_the_limit_is_refused_before_anything_runs() {
    let folder = folder();
    let text = "coroner 1\na = Node()\nb = knots(16000000, Node())\ndel b\ncollect(2)\n";
    std::fs::write(folder.path().join("large.scn"), text).unwrap();
    for command in ["replay large.scn", "explain large.scn --collector cpython-3.15", "sweep large.scn"] {
        let ran = coroner(folder.path(), command);
        assert_eq!(ran.code, 2, "{command}: {}", ran.out);
        for part in ["large.scn:3:1", "creates 16000001 objects, and the limit is 1000000", "--max-objects N"] {
            assert!(ran.err.contains(part), "{command}, {part}: {}", ran.err);
        }
    }
    assert_eq!(coroner(folder.path(), "convert large.scn").code, 0, "what is not run may be large");
    let ran = coroner(folder.path(), "replay large.bin");
    assert_eq!((ran.code, ran.err.contains("--max-objects N")), (2, true), "{}", ran.err);
    std::fs::write(folder.path().join("small.scn"), text.replace("16000000", "40")).unwrap();
    assert_eq!(coroner(folder.path(), "replay small.scn --max-objects 40").code, 2);
    assert_eq!(coroner(folder.path(), "replay small.scn --max-objects 41").code, 0);
}

#[test]
fn an_outcome_that_is_not_the_expected_one_fails() {
    let folder = folder();
    let file = folder.path().join("case.scn");
    std::fs::write(&file, "coroner 1\na = Node()\na[0] = a\ndel a\ncollect(2)\n").unwrap();
    assert_eq!(coroner(folder.path(), "replay case.scn --bless").code, 0);
    let blessed = std::fs::read_to_string(&file).unwrap();
    let ran = coroner(folder.path(), "replay case.scn");
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.contains(&format!("{} expected outcomes checked", ROWS.len())), "{}", ran.out);
    assert!(blessed.contains("returned=1"), "{blessed}");
    std::fs::write(&file, blessed.replacen("returned=1", "returned=2", 1)).unwrap();
    let ran = coroner(folder.path(), "replay case.scn");
    assert!(ran.code == 1 && ran.out.contains("returned=2 is not so"), "{}", ran.out);
}

#[test]
fn lists_have_everything_in_them() {
    let folder = folder();
    let listed = |topic: &str, names: Vec<String>| {
        let ran = coroner(folder.path(), &format!("list {topic} --json {topic}.json"));
        assert_eq!(ran.code, 0);
        let items = json(folder.path(), &format!("{topic}.json"))["result"][topic].clone();
        let items: Vec<&str> = items.as_array().unwrap().iter().map(|i| i["name"].as_str().unwrap()).collect();
        assert_eq!(items, names, "{topic}");
        for name in names {
            assert!(ran.out.contains(&name), "{name} is not in {topic}");
        }
    };
    let switches = |class| Switch::ALL.iter().filter(move |s| s.class() == class).map(|s| s.name().to_owned());
    listed("collectors", ROWS.iter().map(|r| r.name()).collect());
    listed("switches", switches(SwitchClass::Rule).collect());
    listed("bugs", switches(SwitchClass::Bug).collect());
    listed("invariants", Invariant::ALL.iter().map(|i| format!("{} {}", i.code(), i.name())).collect());
    listed("profiles", PROFILES.iter().map(|p| p.name.to_owned()).collect());
    listed("operations", usages().map(|u| u.form.to_owned()).collect());
}

#[test]
fn a_text_survives_the_binary_form_and_fmt_leaves_its_own_output_alone() {
    let folder = folder();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("a.scn", "coroner 1\nx   = Node( )\nx[0]=x\ndel x\ncollect(2)\n");
    assert_eq!(coroner(folder.path(), "fmt --check a.scn").code, 1);
    assert_eq!(coroner(folder.path(), "fmt a.scn").code, 0);
    assert_eq!(coroner(folder.path(), "fmt --check a.scn").code, 0);
    assert_eq!(coroner(folder.path(), "migrate a.scn").code, 0);
    assert_eq!(coroner(folder.path(), "convert a.scn").code, 0);
    assert_eq!(coroner(folder.path(), "convert a.bin -o b.scn").code, 0);
    assert_eq!(coroner(folder.path(), "convert a.bin -o b.scn").code, 2, "a file is not replaced unasked");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("b.scn"), read("a.scn").replace('x', "a"));
}

#[test]
fn the_violation_of_an_invariant_is_kept_and_replayed_wherever_it_stands() {
    let folder = folder();
    let source = "coroner 1\n\nk = Node(flaw=[weakrefs])\nd = WeakSet()\nd[0] = k\ndel k\nlen(d)\n";
    std::fs::write(folder.path().join("two.scn"), source).unwrap();
    for (option, kept) in [("", "I14"), (" --invariant I30", "I30"), (" --invariant I05", "I05")] {
        let ran = coroner(folder.path(), &format!("shrink two.scn --collector cpython-3.12{option} -o small.scn"));
        assert_eq!(ran.code, 0, "{option}: {}", ran.err);
        let small = std::fs::read_to_string(folder.path().join("small.scn")).unwrap();
        assert!(small.contains(&format!("\ninvariant: {kept} ")), "{option}: {small}");
        assert!(!small.contains("\nlen("), "{option}: {small}");
    }
    let absent = coroner(folder.path(), "shrink two.scn --collector cpython-3.12 --invariant I20");
    assert!(absent.code == 2 && absent.err.contains("shows no violation of I20"), "{}", absent.err);
    let replayed = |options: &str| coroner(folder.path(), &format!("replay two.scn --collector cpython-3.12{options}"));
    let only = replayed(" --invariant I05 --strict");
    assert!(only.code == 1 && only.out.contains("I05") && !only.out.contains("I30"), "{}", only.out);
    assert_eq!(replayed(" --invariant I20 --strict").code, 0);
    assert_eq!(replayed(" --invariant I99").code, 2);
}

#[test]
fn a_shrunk_scenario_shows_what_it_showed_before() {
    let folder = folder();
    let source = "coroner 1\n\ndef f():\n    look()\n\nz = Node()\ny = Node()\nc = Node(call=f)\na = Node()\na[0] = a\n\
                  a[1] = Node(gc=no)\na[2] = ref(a[1], c)\ny[0] = z\ndel a\ndel y\ncollect(2)\ncollect(2)\n";
    std::fs::write(folder.path().join("a.scn"), source).unwrap();
    let ran = coroner(folder.path(), "shrink a.scn --collector cpython-3.7 -o b.scn");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let shrunk = std::fs::read_to_string(folder.path().join("b.scn")).unwrap();
    assert!(shrunk.contains("invariant: I15") && !shrunk.contains("look()"), "{shrunk}");
    assert_eq!(coroner(folder.path(), "replay b.scn --collector cpython-3.7 --strict").code, 1);
    assert_eq!(coroner(folder.path(), "shrink b.scn --collector cpython-3.15").code, 2, "there is nothing to keep");
}

#[test]
fn an_explanation_marks_where_an_invariant_broke() {
    let folder = folder();
    let source = "coroner 1\n\ndef f():\n    look()\n\nc = Node(call=f)\na = Node()\na[0] = a\na[1] = Node(gc=no)\n\
                  a[2] = ref(a[1], c)\ndel a\ncollect(2)\n";
    std::fs::write(folder.path().join("a.scn"), source).unwrap();
    let ran = coroner(folder.path(), "explain a.scn --collector cpython-3.7 --phases --json a.json");
    assert_eq!(ran.code, 0, "{}", ran.err);
    for part in ["I15 no-callback-from-trash", "first at step 7: collect(2)", "heap at phase: deduced", "only trash"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    assert_eq!(json(folder.path(), "a.json")["result"]["broken"][0]["invariant"], "I15");
    let unverified = coroner(folder.path(), "explain a.scn --collector cpython-3.14.0");
    assert!(unverified.out.contains("cpython-3.14.0 (unverified)"), "{}", unverified.out);
}

#[test]
fn planted_bugs_are_looked_for_by_name() {
    let folder = folder();
    let line = "bugs bug-callback-twice --budget 500 --seeds 2 --json bugs.json";
    let ran = coroner(folder.path(), line);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("I14 callback-once"), "{}", ran.out);
    let bug = json(folder.path(), "bugs.json")["result"]["bugs"][0].clone();
    assert_eq!((&bug["found"], &bug["invariant"]), (&true.into(), &"I14".into()));
    assert!(
        bug["objects"].as_u64().unwrap() <= 4 && bug["reduced"].as_str().unwrap().starts_with("coroner 1"),
        "{bug}"
    );

    let ran = coroner(folder.path(), "bugs bug-container-removes-new --budget 2 --seeds 1");
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("repeat with: coroner bugs bug-container-removes-new --budget 2 --seed 1 --seeds 1"));

    let ran = coroner(folder.path(), "bugs bug-callback-twce");
    assert!(ran.code == 2 && ran.err.contains("did you mean `bug-callback-twice`?"), "{}", ran.err);
}

#[test]
fn bench_knows_its_parts_and_leaves_huge_scenarios_alone() {
    let folder = folder();
    let child = coroner(folder.path(), "bench --child 1ms");
    assert_eq!(child.code, 0);
    assert!(child.out.trim().parse::<f64>().unwrap() > 0.0, "{}", child.out);
    for wrong in ["bench nonsense", "bench pipeline --profile huge", "bench --objects 5"] {
        assert_eq!(coroner(folder.path(), wrong).code, 2, "{wrong}");
    }
}

#[test]
fn a_compiler_that_cannot_be_run_is_named_once_with_the_reason() {
    let folder = folder();
    std::fs::create_dir_all(folder.path().join("fuzz/fuzz_targets")).unwrap();
    let output = command(folder.path(), "fuzz --build-only").env("RUSTC", "./nowhere").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "error: cannot run ./nowhere: No such file or directory (os error 2)\n");
}
