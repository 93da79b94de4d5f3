//! A crash is called a crash, also where the model says that behaviour is undefined.

use super::program::{Place, Ran, newest_path, regression};

/// A campaign of one scenario that is known to end a released interpreter: N01, a segmentation fault in pure Python. The
/// number is found by asking the model, whose runs end there.
fn n01_scenario() -> Option<u64> {
    use coroner::campaign::Scenarios;
    use coroner::event::{Event, EventBuffer, Undefined};
    use coroner::generate::{Profile, Seed, Size};
    use coroner::model::collector::Collector;
    use coroner::model::rows::Rows;
    use coroner::scenario::Scenario;
    use coroner::subject::Spec;
    use coroner::supervise::Limits;

    let profiles = vec![Profile::named("weakrefs").unwrap()];
    let draw = Scenarios { seed: Seed::default(), profiles, size: Size::default() };
    let rows = Rows::one(&Collector::parse("cpython-3.13.0").unwrap());
    let mut model = rows.subject(0, Limits::default()).unwrap();
    let (mut source, mut scenario, mut events) = (draw.source(), Scenario::new(), Vec::new());
    (0..20_000).find(|n| {
        source.fill(*n, &mut scenario);
        let _ = model.run(&scenario, &mut EventBuffer::new(&mut events));
        events.last() == Some(&Event::Undefined { reason: Undefined::MovedUntracked })
    })
}

/// What the report says of a crash, as one line.
fn crash(ran: &Ran) -> String {
    let start = ran.out.find("\ncrash").unwrap_or_else(|| panic!("{}{}", ran.out, ran.err));
    ran.out[start..].split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_known_crash_is_a_line_of_its_own_that_says_how_the_interpreter_dies() {
    let Some(python) = newest_path() else { return };
    let Some(number) = n01_scenario() else { panic!("no scenario shows N01") };
    let place = Place::new();
    let line = format!("test --python {python} --profile weakrefs --only {number} --json r.json");
    let ran = place.coroner(&line);
    let crash = crash(&ran);
    assert!(crash.starts_with("crash, known, on python:"), "{crash}");
    for part in ["N01", "signal 11 (SIGSEGV) while collect(", ") of step ", ", phase "] {
        assert!(crash.contains(part), "{part}: {crash}");
    }
    assert!(ran.out.contains("in 1 scenario the interpreter died where behaviour was undefined"), "{}", ran.out);
    // It is no other finding, and known: nothing but a lack of judged runs can set the exit code.
    assert!(!ran.out.contains("I05 no-dangling"), "{}", ran.out);
    assert_eq!(ran.code, 6, "{}", ran.out);
    let result = place.json("r.json");
    let (found, ends) = (&result["result"]["crashes"][0], &result["result"]["ends"][0]);
    assert_eq!((&found["known"], &found["class"]), (&true.into(), &"collector".into()), "{found}");
    assert_eq!((&found["undefined"], &found["how"]), (&"MovedUntracked".into(), &"signal 11 (SIGSEGV)".into()));
    assert!(found["step"].is_u64() && found["collecting"].is_u64() && found["phase"].is_string(), "{found}");
    assert_eq!((&ends["died_where_undefined"], &ends["undefined"]), (&1.into(), &1.into()), "{ends}");
    let [file] = &place.files("findings/known", "crash-moveduntracked")[..] else { panic!("{}", ran.out) };
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("note: the interpreter died: signal 11 (SIGSEGV) while collect("), "{text}");
    let shown = std::fs::read_to_string(file.with_file_name("finding.json")).unwrap();
    assert!(shown.contains("\"state\": \"KNOWN\"") && shown.contains("the interpreter died: signal 11"), "{shown}");
    // And it is shown again.
    let again = place.coroner(&format!("{line} --strict --out again"));
    assert_eq!(again.code, 4, "{}", again.out);
    let replayed = place.coroner(&format!("replay {} --collector python:{python}", file.display()));
    assert!(replayed.out.contains("dies: signal 11 (SIGSEGV) while collect("), "{}{}", replayed.out, replayed.err);
}

#[test]
fn a_new_crash_sets_the_exit_code_and_says_where_it_happened() {
    let Some(python) = newest_path() else { return };
    let place = Place::with_broken_probe("run.c", "op_scan(); return 1;", "abort(); return 1;");
    let ran = place.coroner(&format!("test --python {python} --scenarios 150 --jobs 1 --profile mixed"));
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    let crash = crash(&ran);
    assert!(crash.starts_with("crash, on python:"), "{crash}");
    assert!(crash.contains("the interpreter died: signal 6 (SIGABRT) in step 1"), "{crash}");
}

#[test]
fn replay_says_how_an_interpreter_dies_as_expected() {
    let Some(python) = newest_path() else { return };
    let place = Place::new();
    let file = regression("N01-dying-weakref-moved.scn").display().to_string();
    for option in ["--python ", "--collector python:"] {
        let ran = place.coroner(&format!("replay {file} {option}{python}"));
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(ran.out.contains("ok, dies: signal 11 (SIGSEGV) while collect(2) of step 7, phase "), "{}", ran.out);
    }
}

/// Where a debugger is, its stack; else that of faulthandler, which knows it from 3.14 on; else why there is none.
#[test]
fn the_c_stack_of_a_death_is_shown_or_why_it_is_not() {
    let Some(python) = newest_path() else { return };
    let place = Place::new();
    let file = regression("N01-dying-weakref-moved.scn");
    let ran = place.coroner(&format!("check {} --python {python} --native", file.display()));
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let shown = ran.out.split_once("C stack of python-").unwrap_or_else(|| panic!("{}{}", ran.out, ran.err)).1;
    let gdb = std::process::Command::new("gdb").arg("--version").output().is_ok();
    match shown.lines().next().unwrap() {
        head if head.ends_with(", by gdb") => assert!(gdb && shown.contains("\n#0 "), "{shown}"),
        head if head.ends_with(", by faulthandler") => assert!(shown.lines().count() > 5, "{shown}"),
        head => assert!(!gdb && head.contains("install gdb"), "{head}"),
    }
    assert!(ran.out.lines().skip(1).all(|line| line.chars().count() <= 80 || !line.contains(' ')), "{}", ran.out);
    let ran = place.coroner(&format!("explain {} --collector cpython-3.13 --native", file.display()));
    assert!(ran.code == 2 && ran.err.contains("--native goes with an interpreter"), "{}", ran.err);
}
