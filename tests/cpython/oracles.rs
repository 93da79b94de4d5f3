//! The sanitizers and the count of what the whole process holds: quiet on the probe as it is, loud on a broken one.

use super::program::{Place, Ran, interpreters, newest_path};

const SCAN: &str = "op_scan(); return 1;";
const SCANS: &str = "coroner 1\n\na = Node()\na[0] = a\ndel a\nscan()\ncollect(2)\n";

/// True, with a line, if this machine has no sanitizers.
fn has_none(ran: &Ran) -> bool {
    let none = ran.out.contains("install the sanitizers of gcc");
    if none {
        eprintln!("skipped: the compiler has no sanitizers");
    }
    none
}

#[test]
fn the_probe_is_clean_under_sanitizers() {
    let paths: Vec<String> = interpreters().iter().map(|i| i.program.to_string_lossy().into_owned()).collect();
    let (Some(oldest), Some(newest)) = (paths.first(), paths.last()) else { return };
    let profiles = "default,mixed,weakrefs,containers,builtin";
    let line = format!("diff --python {oldest},{newest} --sanitize --scenarios 2000 --profile {profiles}");
    let ran = Place::new().coroner(&line);
    if !has_none(&ran) {
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(ran.out.contains("+sanitizers"), "{}", ran.out);
    }
}

/// Runs a scenario that scans with a broken probe under sanitizers, which must complain.
fn reported(broken: &str, report: &str) {
    let Some(python) = newest_path() else { return };
    let place = Place::with_broken_probe("run.c", SCAN, broken);
    let line = format!("diff --python {python} --sanitize --scenarios 40 --profile mixed --jobs 1");
    let ran = place.coroner(&line);
    if has_none(&ran) {
        return;
    }
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    let files = place.files("findings", "diff-");
    let text = std::fs::read_to_string(&files[0]).unwrap();
    assert!(text.contains(report), "{text}");
    assert!(text.contains(&format!("--python {python} ")) && text.contains(" --sanitize"), "{text}");
    assert!(text.ends_with("\nscan()\n"), "{text}{}", ran.err);
}

#[test]
fn a_write_behind_the_end_is_a_crash_under_sanitizers() {
    let broken = "{ char *volatile p = malloc(8); p[8] = (char)P.n_ops; free(p); } return 1;";
    reported(broken, "AddressSanitizer: heap-buffer-overflow");
}

#[test]
fn undefined_behaviour_of_c_is_a_crash_under_sanitizers() {
    let broken = "{ volatile int n = 0x7fffffff; n += (int)P.n_ops; } return 1;";
    reported(broken, "runtime error: signed integer overflow");
}

/// Replays a scenario that scans with a probe that leaks whenever it does; I38 must see it, and nothing without.
fn leaks(python: &str, leak: &str, what: &str) {
    let broken = Place::with_broken_probe("run.c", SCAN, &format!("{leak} {SCAN}"));
    for (place, code) in [(&broken, 1), (&Place::new(), 0)] {
        std::fs::write(place.path("scans.scn"), SCANS).unwrap();
        let ran = place.coroner(&format!("replay scans.scn --collector python:{python}"));
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
        assert_eq!(ran.out.contains("I38 steady-state (collector"), code == 1, "{}", ran.out);
        assert_eq!(ran.out.contains(what), code == 1, "{}", ran.out);
    }
    let ran = broken.coroner(&format!("shrink scans.scn --python {python}"));
    assert!(ran.code == 0 && ran.out.ends_with("\n\nscan()\n"), "{}{}", ran.out, ran.err);
}

#[test]
fn a_block_of_memory_that_every_run_leaks_is_found() {
    let Some(python) = newest_path() else { return };
    leaks(&python, "PyObject_Malloc(64);", "blocks of memory");
}

#[test]
fn a_reference_that_every_run_leaks_is_found_on_debug_builds() {
    let Some(python) = interpreters().into_iter().rev().find(|i| i.debug) else {
        eprintln!("skipped: no debug build of CPython found");
        return;
    };
    leaks(&python.program.to_string_lossy(), "Py_INCREF(P.garbage);", "references in the whole process");
}
