//! Every command that takes a collector takes an interpreter.

use super::program::{Place, newest_path};

/// A cycle whose type has no `tp_clear`: every release keeps it, by the type's fault. The rest is ballast.
const KEPT: &str = "coroner 1\n\na = Node()\nb = Node(clear=none)\nb[0] = b\nb[1] = a\nc = ref(b)\ndel b\ncollect(2)\n";
/// What dies with the probe whose `scan` is broken.
const SCANS: &str = "coroner 1\n\na = Node()\na[0] = a\nb = Node()\ndel a\nscan()\ncollect(2)\n";

#[test]
fn explain_shows_the_interpreters_run() {
    let Some(python) = newest_path() else { return };
    let place = Place::new();
    std::fs::write(place.path("kept.scn"), KEPT).unwrap();
    let ran = place.coroner(&format!("explain kept.scn --collector python:{python}"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    for part in [&format!("on python:{python}"), "I19 complete", "trash:", "with the same events"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
}

#[test]
fn explain_shows_what_led_to_a_death() {
    let Some(python) = newest_path() else { return };
    let place = Place::with_broken_probe("run.c", "op_scan(); return 1;", "abort(); return 1;");
    std::fs::write(place.path("scans.scn"), SCANS).unwrap();
    let ran = place.coroner(&format!("explain scans.scn --collector python:{python}"));
    assert!(ran.out.contains("the interpreter died (signal 6 (SIGABRT))"), "{}", ran.out);
    assert!(ran.out.contains("what follows is read off the events alone"), "{}", ran.out);
}

#[test]
fn shrink_keeps_what_the_interpreter_shows() {
    let Some(python) = newest_path() else { return };
    let place = Place::new();
    std::fs::write(place.path("kept.scn"), KEPT).unwrap();
    let ran = place.coroner(&format!("shrink kept.scn --python {python} -o small.scn"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let text = std::fs::read_to_string(place.path("small.scn")).unwrap();
    assert!(text.contains(&format!("collector: python:{python}\n")), "{text}");
    assert!(text.contains("invariant: I19") && text.matches("Node(").count() == 1, "{text}");
    // The file names its subject: nothing else has to be given.
    let ran = place.coroner("explain small.scn");
    assert!(ran.code == 0 && ran.out.contains("I19 complete"), "{}{}", ran.out, ran.err);
    let ran = place.coroner("shrink small.scn");
    assert!(ran.code == 0 && ran.out.ends_with(text.rsplit("\n\n").next().unwrap()), "{}{}", ran.out, ran.err);
}

#[test]
fn shrink_keeps_a_crash() {
    let Some(python) = newest_path() else { return };
    let place = Place::with_broken_probe("run.c", "op_scan(); return 1;", "abort(); return 1;");
    std::fs::write(place.path("scans.scn"), SCANS).unwrap();
    let ran = place.coroner(&format!("shrink scans.scn --python {python}"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.ends_with("\n\nscan()\n") && ran.out.contains("note: the interpreter dies\n"), "{}", ran.out);
}

#[test]
fn sweep_bisect_replay_and_enumerate_take_interpreters() {
    let Some(python) = newest_path() else { return };
    let place = Place::new();
    std::fs::write(place.path("kept.scn"), KEPT).unwrap();
    let ran = place.coroner(&format!("sweep kept.scn --python {python}"));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("I19:type-fault") && ran.out.contains("of 8 points make a difference"), "{}", ran.out);
    let ran = place.coroner(&format!("sweep kept.scn --python {python} --strict"));
    assert!(ran.code == 1 && ran.out.contains(&format!("--python {python} --strict")), "{}", ran.out);
    let ran = place.coroner(&format!("bisect kept.scn --python {python}"));
    assert!(ran.code == 0 && ran.out.contains("does what the row does"), "{}{}", ran.out, ran.err);
    let ran = place.coroner(&format!("replay kept.scn --python {python}"));
    assert!(ran.code == 0 && ran.out.contains("1 run, 0 failed"), "{}{}", ran.out, ran.err);
    let ran = place.coroner(&format!("replay kept.scn --collector python:{python} --strict"));
    assert!(ran.code == 1 && ran.out.contains("I19"), "{}{}", ran.out, ran.err);
    let ran = place.coroner(&format!("enumerate --objects 1 --collector python:{python},cpython-3.13 --limit 300"));
    assert!([0, 1].contains(&ran.code) && ran.out.contains(&python), "{}{}", ran.out, ran.err);
}

#[test]
fn a_list_of_interpreters_means_each_of_them() {
    let Some(python) = newest_path() else { return };
    let place = Place::new();
    let list = format!("run --collector python:{python},3.7 --scenarios 50 --profile plain --json run.json");
    assert_eq!(place.coroner(&list).code, 0);
    let subjects = place.json("run.json")["subjects"].as_array().unwrap().len();
    assert_eq!(subjects, 2);
}
