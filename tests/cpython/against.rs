//! Interpreters that are no releases, or not the only build of one: which row they are compared with, what they are called,
//! and which switch explains what they do.

use std::path::PathBuf;

use super::program::{Place, Ran, newest, newest_path, ran, regression};
use coroner::model::collector::{Collector, Row};

/// A program that says it is another version than it is, and runs what it is given otherwise.
fn disguised(place: &Place, name: &str, python: &str, answers: &[(&str, &str)]) -> PathBuf {
    let script: String = answers.iter().map(|(key, value)| format!("s|^{key}=.*|{key}={value}|;")).collect();
    place.program(
        name,
        &format!(
            "#!/bin/sh\nfor a; do case $a in *version_info*) \"{python}\" \"$@\" | sed '{script}'; exit;; esac; done\n\
             exec \"{python}\" \"$@\"\n"
        ),
    )
}

const ALPHA: &[(&str, &str)] = &[
    ("minor", "99"),
    ("patch", "0"),
    ("level", "alpha"),
    ("serial", "2"),
    ("version", "3.99.0a2+ (heads/main:0123abc, Jan  1 2026, 00:00:00) [GCC]"),
];

/// The newest interpreter that is at hand, in disguise, and the row that really covers it.
fn tomorrow(place: &Place) -> Option<(PathBuf, String)> {
    let python = newest()?;
    let row = Row::covering(python.interpreter().release)?.name();
    Some((disguised(place, "python3.99", &python.interpreter().program.to_string_lossy(), ALPHA), row))
}

#[test]
fn an_interpreter_that_no_row_covers_is_compared_with_the_one_that_is_named() {
    let place = Place::new();
    let Some((program, row)) = tomorrow(&place) else { return };
    let (program, newest) = (program.display().to_string(), Collector::all().pop().unwrap().name);
    std::fs::copy(regression("C01-bpo-38006"), place.path("c01.scn")).unwrap();
    let said = format!("python-3.99.0a2 is covered by no row of the model: compared with {newest}");
    for line in [
        format!("diff --scenarios 40 --python {program}"),
        format!("test --scenarios 40 --python {program}"),
        format!("replay c01.scn --python {program}"),
        format!("bisect c01.scn --python {program}"),
        format!("explain c01.scn --collector python:{program}"),
    ] {
        let chosen = place.coroner(&line);
        assert_eq!(chosen.err.matches(&said).count(), 1, "{line}: {}{}", chosen.out, chosen.err);
        let named = place.coroner(&format!("{line} --against {row}"));
        assert!(named.code == 0 && !named.err.contains("compared with"), "{line}: {}{}", named.out, named.err);
        if line.starts_with("diff") || line.starts_with("bisect") {
            assert!(named.out.contains(row.trim_start_matches("cpython-")), "{line}: {}", named.out);
        }
    }
    let wrong = place.coroner(&format!("diff --python {program} --against cpython-3.9x"));
    assert!(wrong.code == 2 && wrong.err.contains("no collector is called"), "{}", wrong.err);
    for line in ["replay c01.scn --against 3.12", "explain c01.scn --against 3.12 --collector 3.13"] {
        assert_eq!(place.coroner(line).code, 2, "{line}");
    }
}

#[test]
fn a_pre_release_is_told_by_level_and_git_id() {
    let place = Place::new();
    let Some((program, _)) = tomorrow(&place) else { return };
    let listed =
        ran(place.command("list pythons").env("CORONER_PYTHONS", &program).env("COLUMNS", "300").output().unwrap());
    assert!(listed.out.contains("python-3.99.0a2  release  alpha 2+  0123abc"), "{}", listed.out);
    assert!(listed.out.contains(&format!("{}: no release", program.display())), "{}", listed.out);
}

/// Differences from a row with one switch turned over.
fn wrong_row(place: &Place, switch: &str) -> Option<(String, String, Ran)> {
    let python = newest()?;
    let (program, row) =
        (python.interpreter().program.display().to_string(), Row::covering(python.interpreter().release)?);
    let against = format!("{}{switch}", row.name());
    let line =
        format!("diff --python {program} --against {against} --scenarios 600 --profile weakrefs --json diff.json");
    let ran = place.coroner(&line);
    Some((program, against, ran))
}

#[test]
fn differences_are_explained_by_the_switch_that_is_wrong() {
    let place = Place::new();
    let Some((program, against, ran)) = wrong_row(&place, "-finalizer-before-weakrefs") else { return };
    assert_eq!(ran.code, 5, "{}{}", ran.out, ran.err);
    let (head, _) =
        ran.out.split_once("explained by `finalizer-before-weakrefs` on").unwrap_or_else(|| panic!("{}", ran.out));
    assert!(head.ends_with("are ") || head.ends_with("is "), "{head}");
    assert!(ran.out.contains(&format!("--against {against} ")) || ran.out.contains(&format!("--against {against}\n")));
    let causes = &place.json("diff.json")["result"]["causes"][0];
    assert_eq!(causes["differences"], causes["explained"], "{causes}");
    assert_eq!(causes["causes"][0]["switches"][0]["name"], "finalizer-before-weakrefs");
    assert!(causes["causes"][0]["phases"][0]["phase"].is_string(), "{causes}");
    // The row with the switch turned over again agrees.
    let name = causes["collector"].as_str().unwrap();
    let right = place.coroner(&format!("diff --python {program} --against {name} --scenarios 100 --profile weakrefs"));
    assert_eq!(right.code, 0, "{}{}", right.out, right.err);
}

#[test]
fn bisect_says_why_an_interpreter_differs_and_in_which_phase() {
    let Some(python) = newest() else { return };
    let place = Place::new();
    std::fs::copy(regression("C01-bpo-38006"), place.path("c01.scn")).unwrap();
    let program = python.interpreter().program.display().to_string();
    let row = Row::covering(python.interpreter().release).unwrap().name();
    let ran =
        place.coroner(&format!("bisect c01.scn --python {program} --against {row}-clear-trash-weakrefs --json b.json"));
    assert_eq!(ran.code, 5, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("the difference is explained by `clear-trash-weakrefs` on"), "{}", ran.out);
    assert!(ran.out.contains("the cause is in phase WR1"), "{}", ran.out);
    let found = &place.json("b.json")["result"]["interpreters"][0]["causes"];
    assert_eq!(found["causes"][0]["switches"][0]["name"], "clear-trash-weakrefs", "{found}");
}

#[test]
fn two_builds_of_one_version_have_different_names_everywhere() {
    let Some(python) = newest_path() else { return };
    let place = Place::new();
    let builds = ["one", "two"].map(|name| disguised(&place, name, &python, &[]).display().to_string());
    let list = builds.join(",");
    std::fs::copy(regression("C01-bpo-38006"), place.path("c01.scn")).unwrap();
    for line in [
        format!("diff --python {list} --scenarios 20 --json r.json"),
        format!("test --python {list} --scenarios 20 --json r.json"),
        format!("replay c01.scn --python {list} --json r.json"),
        format!("bisect c01.scn --python {list} --json r.json"),
    ] {
        let ran = place.coroner(&line);
        assert_eq!(ran.code, 0, "{line}: {}{}", ran.out, ran.err);
        let page = place.json("r.json");
        let names: Vec<&str> = match page["subjects"].as_array() {
            Some(subjects) => subjects.iter().map(|s| s["name"].as_str().unwrap()).collect(),
            None => page["result"]["interpreters"]
                .as_array()
                .unwrap()
                .iter()
                .map(|i| i["interpreter"].as_str().unwrap())
                .collect(),
        };
        assert!(names.len() == 2 && names[0] != names[1], "{line}: {names:?}");
        // Where nothing is wrong the page of `test` has no table.
        let is_named = |build: &String| line.starts_with("test") || ran.out.contains(build.as_str());
        assert!(builds.iter().all(is_named), "{line}: {}", ran.out);
    }
    let mut command = place.command("list pythons");
    let pythons = std::env::join_paths(&builds).unwrap();
    let listed = ran(command.env("CORONER_PYTHONS", pythons).env("COLUMNS", "300").output().unwrap());
    assert!(builds.iter().all(|build| listed.out.contains(&format!("({build})"))), "{}", listed.out);
}

#[test]
fn a_collector_whose_lists_are_not_found_is_judged_by_everything_else() {
    let Some(python) = newest_path() else { return };
    let place = Place::with_broken_probe("gclists.c", "if (!is_in_a_list(last)) return -1;", "return -1;");
    let line = "the collector\u{27}s lists were not found";
    for command in ["diff", "test"] {
        let ran = place
            .coroner(&format!("{command} --python {python} --scenarios 200 --profile weakrefs,mixed --json r.json"));
        assert_eq!(ran.code, 0, "{command}: {}{}", ran.out, ran.err);
        assert_eq!(ran.out.matches(line).count(), 1, "{command}: {}", ran.out);
        assert!(ran.out.contains("(200 runs)"), "{command}: {}", ran.out);
    }
    let ran = place.coroner(&format!("diff --python {python} --scenarios 200 --profile weakrefs,mixed --json r.json"));
    let counts = &place.json("r.json")["result"]["interpreters"][0];
    assert_eq!((&counts["without_lists"], &counts["same"]), (&200.into(), &200.into()), "{}", ran.out);
    // The models of several interpreters run together, and are restricted as one alone is.
    let other = place.program("other", &format!("#!/bin/sh\nexec \"{python}\" \"$@\"\n"));
    let two = format!("{python},{}", other.display());
    let ran = place.coroner(&format!("diff --python {two} --scenarios 100 --profile weakrefs,mixed --json r.json"));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let counts = &place.json("r.json")["result"]["interpreters"];
    assert!((0..2).all(|i| counts[i]["without_lists"] == 100 && counts[i]["same"] == 100), "{}", ran.out);
    std::fs::copy(regression("C01-bpo-38006"), place.path("c01.scn")).unwrap();
    let ran = place.coroner(&format!("replay c01.scn --python {python}"));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}
