//! `replay --collector python:PATH` compares the interpreter's own run with what a file expects of the row that covers it.

use std::path::Path;

use super::program::{Place, newest_path, regression};

/// What dies, or hangs, with a probe whose `scan` is broken.
const SCANS: &str = "coroner 1\n\na = Node()\na[0] = a\nb = Node()\ndel a\nscan()\ncollect(2)\n";
const SCAN: &str = "op_scan(); return 1;";

/// Writes a file that expects what each row does; `changed` makes another text of it.
fn blessed(place: &Place, name: &str, changed: impl Fn(String) -> String) {
    std::fs::write(place.path(name), SCANS).unwrap();
    assert_eq!(place.coroner(&format!("replay {name} --bless")).code, 0);
    let text = std::fs::read_to_string(place.path(name)).unwrap();
    std::fs::write(place.path(name), changed(text)).unwrap();
}

fn n01() -> String {
    regression("N01-dying-weakref-moved.scn").display().to_string()
}

#[test]
fn a_death_that_a_file_foresees_is_named_and_expected() {
    let Some(python) = newest_path() else { return };
    let place = Place::new();
    let ran = place.coroner(&format!("replay {} --collector python:{python} --json r.json", n01()));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("ok, dies: signal 11 (SIGSEGV)"), "{}", ran.out);
    assert!(ran.out.contains("1 expected outcome checked, 1 run on 1 collector"), "{}", ran.out);
    let column = &place.json("r.json")["result"]["interpreters"][0];
    assert_eq!(column["files"]["N01-dying-weakref-moved.scn"], "ok, dies", "{column}");
}

#[test]
fn what_a_file_expects_of_the_row_is_compared_with_the_interpreters_run() {
    let Some(python) = newest_path() else { return };
    let place = Place::new();
    blessed(&place, "right.scn", |text| text);
    let ran = place.coroner(&format!("replay right.scn --collector python:{python}"));
    assert!(ran.code == 0 && ran.out.contains(": ok\n"), "{}{}", ran.out, ran.err);
    for (name, from, to, said) in [
        ("facts.scn", "returned=1", "returned=2", "returned=2 is not so"),
        ("violations.scn", "violations=none", "violations=I01:collector", "no violation of I01 (collector)"),
        ("digest.scn", "digest=", "digest=f", "instead of f"),
    ] {
        blessed(&place, name, |text| match from {
            // The last digit goes for the new first one.
            "digest=" => text.lines().map(|line| shifted(line) + "\n").collect(),
            _ => text.replace(from, to),
        });
        let ran = place.coroner(&format!("replay {name} --collector python:{python}"));
        assert!(ran.code == 5 && ran.out.contains(said), "{name}: {}{}", ran.out, ran.err);
        let same = place.coroner(&format!("replay {name} --python {python}"));
        assert!(same.code == 5 && same.out.contains(said), "{name}: {}{}", same.out, same.err);
    }
}

/// A line that expects another digest.
fn shifted(line: &str) -> String {
    match line.split_once("digest=") {
        Some((before, after)) => format!("{before}digest=f{}{}", &after[..15], &after[16..]),
        None => line.to_owned(),
    }
}

#[test]
fn a_death_that_a_file_does_not_expect_is_a_crash() {
    let Some(python) = newest_path() else { return };
    let place = Place::with_broken_probe("run.c", SCAN, "abort(); return 1;");
    blessed(&place, "expects.scn", |text| text);
    std::fs::write(place.path("silent.scn"), SCANS).unwrap();
    for file in ["expects.scn", "silent.scn", "expects.scn silent.scn"] {
        let ran = place.coroner(&format!("replay {file} --collector python:{python}"));
        assert!(ran.code == 4 && ran.out.contains("signal 6 (SIGABRT)"), "{file}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn a_limit_that_a_file_does_not_expect_is_as_bad() {
    let Some(python) = newest_path() else { return };
    let place = Place::with_broken_probe("run.c", SCAN, "for (;;) { } return 1;");
    blessed(&place, "expects.scn", |text| text);
    for option in ["--collector python:", "--python "] {
        let ran = place.coroner(&format!("replay expects.scn {option}{python}"));
        assert!(ran.code == 4 && ran.out.contains("did not come to its end"), "{}{}", ran.out, ran.err);
    }
}

#[test]
fn rows_and_interpreters_are_replayed_side_by_side() {
    let Some(python) = newest_path() else { return };
    let place = Place::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions/N01-dying-weakref-moved-by-slot.scn");
    let files = format!("{} {}", n01(), folder.display());
    let ran = place.coroner(&format!("replay {files} --collector cpython-3.7.0,python:{python},cpython-3.8.0"));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("2 files, 6 expected outcomes checked, 6 runs on 3 collectors"), "{}", ran.out);
    assert!(ran.out.contains("2 ok, dies\n"), "{}", ran.out);
    // One that expects something else of both.
    blessed(&place, "facts.scn", |text| text.replace("returned=1", "returned=2"));
    let ran = place.coroner(&format!("replay facts.scn --collector cpython-3.7.0,python:{python}"));
    assert_eq!(ran.code, 5, "{}{}", ran.out, ran.err);
    assert_eq!(ran.out.matches("returned=2 is not so").count(), 2, "{}", ran.out);
}
