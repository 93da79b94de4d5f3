//! What is missing is said in one clear line, and what cannot be a subject is refused in one.

use std::path::PathBuf;

use super::program::{Place, Ran, newest_path, ran};

/// A program that answers as an interpreter does.
fn impostor(place: &Place, name: &str, changes: &[(&str, &str)]) -> PathBuf {
    let mut answers = vec![
        ("major", "3"),
        ("minor", "13"),
        ("patch", "0"),
        ("level", "final"),
        ("serial", "0"),
        ("implementation", "cpython"),
        ("debug", "0"),
        ("free_threaded", "0"),
        ("include", "/nowhere/include"),
        ("platform_include", "/nowhere/include"),
        ("version", "3.13.0 (an impostor)"),
    ];
    for (key, value) in changes {
        answers.iter_mut().filter(|a| a.0 == *key).for_each(|a| a.1 = value);
    }
    let lines: String = answers.iter().map(|(key, value)| format!("echo '{key}={value}'\n")).collect();
    place.program(name, &format!("#!/bin/sh\n{lines}"))
}

/// The program with no other interpreter to be found.
fn alone(place: &Place, line: &str, path: &str) -> Ran {
    let mut command = place.command(line);
    command.env("PATH", path).env_remove("CC").env("CORONER_CACHE", place.path("cache"));
    command.env("HOME", place.path("home")).env_remove("PYENV_ROOT");
    ran(command.output().unwrap())
}

fn one_line(ran: &Ran, part: &str) {
    let said = format!("{}{}", ran.out, ran.err);
    assert_eq!(ran.code, 2, "{said}");
    assert_eq!(said.lines().filter(|l| l.contains(part)).count(), 1, "{part}: {said}");
}

#[test]
fn a_free_threaded_build_is_refused() {
    let place = Place::new();
    let program = impostor(&place, "python3.13t", &[("free_threaded", "1")]);
    let part = "CPython 3.13.0t is a free-threaded build, whose collector coroner does not know";
    for command in ["diff", "test"] {
        one_line(&alone(&place, &format!("{command} --python {}", program.display()), "/nowhere"), part);
    }
    one_line(&alone(&place, &format!("run --collector python:{}", program.display()), "/nowhere"), part);
    let listed = ran(place.command("list pythons").env("CORONER_PYTHONS", &program).output().unwrap());
    assert!(listed.code == 0 && listed.out.contains("python-3.13.0t  unusable"), "{}", listed.out);
    // By its version it is named, not looked for in vain.
    for entry in ["3.13t", "3.13.0t"] {
        let mut command = place.command(&format!("diff --python {entry}"));
        command.env("CORONER_PYTHONS", &program).env("PATH", "/nowhere").env("HOME", place.path("home"));
        one_line(&ran(command.env_remove("PYENV_ROOT").output().unwrap()), part);
    }
}

#[test]
fn other_implementations_and_releases_are_refused() {
    let place = Place::new();
    for (key, value, part) in [
        ("implementation", "pypy", "pypy is not CPython"),
        ("minor", "3", "CPython 3.3.0 is not covered"),
        ("patch", "x", "no patch in its answer"),
    ] {
        let program = impostor(&place, &format!("python-{key}"), &[(key, value)]);
        one_line(&alone(&place, &format!("diff --python {}", program.display()), "/nowhere"), part);
    }
    one_line(&alone(&place, "diff --python ./nothing", "/nowhere"), "./nothing: not a Python interpreter");
    one_line(&alone(&place, "diff --python 3.13", "/nowhere"), "no Python interpreter matches `3.13`");
}

#[test]
fn missing_headers_name_the_package() {
    let place = Place::new();
    let program = impostor(&place, "python3.13", &[]);
    for command in ["diff --python ", "test --python ", "run --collector python:", "sweep empty.scn --python "] {
        std::fs::write(place.path("empty.scn"), "coroner 1\n").unwrap();
        let ran = alone(&place, &format!("{command}{}", program.display()), "/usr/bin:/bin");
        one_line(&ran, "has no Python.h in /nowhere/include: install python3.13-dev");
    }
}

#[test]
fn a_missing_compiler_names_the_package() {
    let Some(python) = newest_path() else { return };
    let place = Place::new();
    for command in ["diff --python ", "test --python ", "replay empty.scn --python "] {
        std::fs::write(place.path("empty.scn"), "coroner 1\n").unwrap();
        let ran = alone(&place, &format!("{command}{python}"), "/nowhere");
        one_line(&ran, "no C compiler (`cc`): install gcc, or set CC");
    }
}

/// A text without the ends of its lines.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_release_that_nobody_has_observed_is_announced() {
    let place = Place::new();
    let listed = |patch: &str| {
        let program = impostor(&place, "python3.11", &[("minor", "11"), ("patch", patch)]);
        unwrapped(&ran(place.command("list pythons").env("CORONER_PYTHONS", program).output().unwrap()).out)
    };
    let part = "newer than 3.11.7, the last release that its row was compared with";
    assert!(listed("99").contains(part), "{}", listed("99"));
    assert!(!listed("7").contains(part), "{}", listed("7"));
}

/// What such programs do is seen in an instant: none of these waits for a limit of time.
#[test]
fn a_program_that_does_not_come_to_its_end_is_named_and_the_others_go_on() {
    let place = Place::new();
    let good = impostor(&place, "python3.13", &[]);
    let answer = format!("exec {}", good.display());
    let endless = place.program("python3.12", "#!/bin/sh\nwhile :; do echo major=3; done\n");
    let parent = place.program("python3.11", &format!("#!/bin/sh\nsleep 1000000 &\n{answer}\n"));
    let limit = format!("{}: it was asked what it is, and it wrote more than 65536 bytes", endless.display());
    let pythons = std::env::join_paths([&endless, &parent, &good]).unwrap();
    let nowhere = |line: &str| {
        let mut command = place.command(line);
        command.env("CORONER_PYTHONS", &pythons).env("PATH", "/usr/bin:/bin").env("HOME", place.path("home"));
        ran(command.env_remove("PYENV_ROOT").env("COLUMNS", "400").output().unwrap())
    };
    let listed = nowhere("list pythons");
    for part in [&limit, &good.display().to_string(), &parent.display().to_string()] {
        assert!(listed.code == 0 && unwrapped(&listed.out).contains(part), "{part}: {}", listed.out);
    }
    std::fs::write(place.path("empty.scn"), "coroner 1\n").unwrap();
    for command in ["diff", "test", "replay empty.scn"] {
        let list = format!("{},{},{}", endless.display(), parent.display(), good.display());
        let ran = nowhere(&format!("{command} --python {list}"));
        one_line(&ran, &limit);
        // The others went on, as far as these can.
        assert!(ran.out.contains("has no Python.h") || ran.err.contains("has no Python.h"), "{}{}", ran.out, ran.err);
    }
}
