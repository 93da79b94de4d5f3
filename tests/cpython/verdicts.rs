//! What a command says at its end is true: how much was compared or judged, that it was too little, that it was ended early.

use std::time::Duration;

use super::program::{Place, Ran, newest, newest_path, ran};

/// A probe that says of every scenario, or of about one in so many, that it cannot run it.
fn refusing(one_in: u32) -> Place {
    let refuses = format!("static uint32_t unsupported(void) {{ if (P.n_ops % {one_in} == 0) return 1;");
    Place::with_broken_probe("module.c", "static uint32_t unsupported(void) {", &refuses)
}

fn last_line(ran: &Ran) -> &str {
    ran.out.trim_end().lines().last().unwrap_or_default()
}

#[test]
fn where_nothing_ran_nothing_agrees_and_nothing_is_clean() {
    let Some(python) = newest_path() else { return };
    let place = refusing(1);
    for (command, word) in [("diff", "compared"), ("test", "judged")] {
        let line = format!("{command} --python {python} --profile plain --scenarios 40 --jobs 1 --json {command}.json");
        let ran = place.coroner(&line);
        assert_eq!(ran.code, 6, "{}{}", ran.out, ran.err);
        assert!(last_line(&ran).starts_with("not compared: python"), "{}", ran.out);
        assert!(last_line(&ran).contains(&format!("0 of 40 runs {word}, 0 undefined, 40 unsupported")), "{}", ran.out);
        assert!(!ran.out.contains("agree") && !ran.out.contains("no new"), "{}", ran.out);
        let result = place.json(&format!("{command}.json"));
        for counts in [&result, &result["subjects"][0]] {
            assert_eq!((&counts[word], &counts["unsupported"]), (&0.into(), &40.into()), "{result}");
        }
        assert_eq!((&result["schema"], &result["exit"]), (&2.into(), &6.into()), "{result}");
    }
    let ran = place.coroner("merge findings -o all");
    assert_eq!((ran.code, ran.out.matches("\nnot compared: python").count()), (6, 2), "{}{}", ran.out, ran.err);
    std::fs::write(place.path("a.scn"), "coroner 1\na = Node()\n").unwrap();
    for option in ["--collector python:", "--python "] {
        let ran = place.coroner(&format!("replay a.scn {option}{python}"));
        assert!(ran.code == 6 && last_line(&ran).starts_with("not compared: "), "{}{}", ran.out, ran.err);
    }
    let ran = place.coroner(&format!("enumerate --objects 1 --collector python:{python} --limit 50"));
    assert!(ran.code == 6 && last_line(&ran).contains("50 unsupported"), "{}{}", ran.out, ran.err);
}

#[test]
fn a_tenth_may_be_missing_and_no_more() {
    let Some(python) = newest_path() else { return };
    for (one_in, code) in [(4, 6), (20, 0)] {
        let place = refusing(one_in);
        for command in ["diff", "test"] {
            let line = format!("{command} --python {python} --profile plain --scenarios 400 --jobs 1 --json r.json");
            let ran = place.coroner(&line);
            let unsupported = place.json("r.json")["unsupported"].as_u64().unwrap();
            assert_eq!((unsupported > 40, unsupported > 0), (code == 6, true), "{}", ran.out);
            assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
            assert_eq!(last_line(&ran).starts_with("not compared: "), code == 6, "{}", ran.out);
            let counts = format!("{} of 400 runs compared, 0 undefined, {unsupported} unsupported", 400 - unsupported);
            let agrees = ran.out.contains(&format!("model and interpreters agree: {counts}"));
            assert_eq!(agrees, code == 0 && command == "diff", "{}", ran.out);
        }
    }
}

/// Starts a campaign, sends a signal when it has begun, and waits for its end.
fn signalled(place: &Place, line: &str, name: &str) -> Ran {
    let child = place.start(line);
    while !place.path("findings/campaigns").is_dir() {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(1500));
    let sent = std::process::Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    ran(child.wait_with_output().unwrap())
}

#[test]
fn a_signal_decides_the_exit_code_whatever_was_found() {
    let Some(python) = newest_path() else { return };
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        for command in ["diff", "test"] {
            let place = Place::new();
            let line = format!("{command} --python {python} --profile plain --jobs 1 --time 10m --json r.json");
            let ran = signalled(&place, &line, name);
            assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
            assert!(ran.out.contains("interrupted"), "{}", ran.out);
            assert!(!ran.out.contains("no new collector violation: ") && !ran.out.contains("agree: "), "{}", ran.out);
            assert_eq!(place.json("r.json")["interrupted"], true);
        }
    }
    let place = Place::with_broken_probe("run.c", "op_scan(); return 1;", "abort(); return 1;");
    let line = format!("diff --python {python} --profile mixed --jobs 1 --time 10m");
    let ran = signalled(&place, &line, "-INT");
    assert!(ran.code == 130 && ran.out.contains("interrupted: "), "{}{}", ran.out, ran.err);
    assert!(!ran.out.contains("model and interpreters agree"), "{}", ran.out);
}

#[test]
fn a_time_that_is_over_is_no_interruption() {
    let Some(python) = newest_path() else { return };
    let place = Place::new();
    let ran = place.coroner(&format!("diff --python {python} --profile plain --time 1s --json r.json"));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(!ran.out.contains("interrupted"), "{}", ran.out);
    assert_eq!(place.json("r.json")["interrupted"], false);
}

#[test]
fn two_builds_of_one_version_are_two_subjects() {
    let Some(python) = newest() else { return };
    let place = Place::new();
    let script = format!("#!/bin/sh\nexec {} \"$@\"\n", python.interpreter().program.display());
    let builds = ["python-a", "python-b"].map(|name| place.program(name, &script));
    let pythons = std::env::join_paths(&builds).unwrap();
    for command in ["test --python all", "run --collector python:all", "diff --python all", "replay a.scn --python all"]
    {
        std::fs::write(place.path("a.scn"), "coroner 1\na = Node()\n").unwrap();
        let more = if command.starts_with("replay") { "" } else { "--profile plain --scenarios 8" };
        let mut asked = place.command(&format!("{command} {more} --json r.json"));
        asked.env("CORONER_PYTHONS", &pythons).env("PATH", "/usr/bin:/bin").env("HOME", place.path("home"));
        let ran = ran(asked.env_remove("PYENV_ROOT").output().unwrap());
        assert_eq!(ran.code, 0, "{command}: {}{}", ran.out, ran.err);
        let result = place.json("r.json").to_string();
        for build in &builds {
            assert!(result.contains(&build.display().to_string()), "{command}: {result}");
        }
    }
}
