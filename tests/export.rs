//! Scenarios as programs that need nothing of ours: what is exported, and that it does on interpreters what the model says.

mod program;

use std::path::Path;

use coroner::cpython::{self, Interpreter};
use coroner::export::run::{Ran, run, test_passes};
use coroner::export::{Exported, MOST_LINES, export, issue, passes, rust_test, unit_test};
use coroner::lookup::row_of;
use coroner::model::collector::{Collector, Row};
use coroner::regression::load;
use coroner::scenario::text::{self, Document};
use program::{coroner, folder};

fn regression(name: &str) -> Document {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions").join(name);
    text::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The interpreters that are here; without one a line says so.
fn interpreters() -> Vec<Interpreter> {
    let found = cpython::resolve("all").map(|resolved| resolved.interpreters).unwrap_or_default();
    let found: Vec<Interpreter> = found.into_iter().filter(|i| Row::covering(i.release).is_some()).collect();
    if found.is_empty() {
        eprintln!("skipped: no interpreter is here");
    }
    found
}

/// What comes of a translation on every interpreter: how many died, or the first that does something else.
fn on_all(exported: &Exported, interpreters: &[Interpreter]) -> Result<usize, String> {
    let mut died = 0;
    for interpreter in interpreters {
        let row = row_of(interpreter);
        let expected = exported.expected.iter().find(|e| e.row.name == row.name).unwrap();
        match run(exported, &expected.outcome, interpreter).unwrap() {
            Ran::AsExpected { died: how, .. } => died += usize::from(how.is_some()),
            Ran::Different(why) | Ran::NotRun(why) => return Err(format!("{}: {why}", interpreter.name())),
        }
    }
    Ok(died)
}

/// The first translation that all of them run as their rows do.
fn verified(name: &str, interpreters: &[Interpreter]) -> (Exported, usize) {
    let mut reasons = Vec::new();
    for exported in export(&regression(name)).unwrap() {
        match on_all(&exported, interpreters) {
            Ok(died) => return (exported, died),
            Err(why) => reasons.push(why),
        }
    }
    panic!("{name}: {reasons:?}");
}

#[test]
fn every_regression_is_exported_and_all_but_lying_types_without_c() {
    let cases = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions"));
    let mut pure = 0;
    let mut in_c = Vec::new();
    for case in &cases {
        let case = case.as_ref().unwrap();
        let exported = export(&case.document).unwrap_or_else(|why| panic!("{}: {why:?}", case.path.display()));
        match exported[0].c {
            None => pure += 1,
            Some(_) => {
                assert!(exported[0].notes.iter().any(|n| n.starts_with("in C, because ")), "{}", case.path.display());
                in_c.push(case.path.clone());
            }
        }
    }
    assert!(pure >= 80 && pure + in_c.len() == cases.len(), "{pure} without C; with C: {in_c:?}");
}

#[test]
fn the_crash_of_every_release_is_nine_lines_of_python() {
    let exported = &export(&regression("N01-dying-weakref-moved.scn")).unwrap()[0];
    assert!(exported.c.is_none() && exported.script.lines().count() <= 9, "{}", exported.script);
    assert!(!exported.script.contains("coroner"), "{}", exported.script);
    let interpreters = interpreters();
    assert_eq!(on_all(exported, &interpreters), Ok(interpreters.len()), "{}", exported.script);
}

/// One of each way to make a violation visible, and one that needs a C file.
#[test]
fn scripts_do_on_every_interpreter_what_the_model_says() {
    let interpreters = interpreters();
    for name in [
        "C01-bpo-38006.scn",
        "C06b-gh-91636-kept.scn",
        "C25-iteration.scn",
        "N05-frozen-retracked.scn",
        "S02-bpo-38006-code-object.scn",
        "C47-gh-159739.scn",
    ] {
        let (exported, _) = verified(name, &interpreters);
        assert_eq!(exported.c.is_some(), name.starts_with("C47"), "{name}");
    }
}

/// A script of which something else is expected is told from one that does it.
#[test]
fn what_a_script_should_not_print_is_noticed() {
    let Some(interpreter) = interpreters().pop() else { return };
    let mut exported = export(&regression("C25-dead-entries.scn")).unwrap().remove(0);
    let row = row_of(&interpreter);
    let expected = exported.expected.iter().find(|e| e.row.name == row.name).unwrap().outcome.clone();
    assert!(matches!(run(&exported, &expected, &interpreter).unwrap(), Ran::AsExpected { died: None, .. }));
    exported.script = exported.script.replace("gc.collect()\n", "pass\n");
    let ran = run(&exported, &expected, &interpreter).unwrap();
    assert!(matches!(&ran, Ran::Different(why) if why.contains("is printed, not")), "{ran:?}");
    exported.script = "import os\nos.abort()\n".to_owned();
    let ran = run(&exported, &expected, &interpreter).unwrap();
    assert_eq!(ran, Ran::Different("died of signal 6 (SIGABRT)".to_owned()));
}

#[test]
fn the_test_passes_where_nothing_is_wrong_and_fails_elsewhere() {
    let interpreters = interpreters();
    for name in ["C01-bpo-38006.scn", "C06b-gh-91636-callback.scn"] {
        let (exported, _) = verified(name, &interpreters);
        let text = unit_test(&exported, name);
        for interpreter in &interpreters {
            let row = row_of(interpreter);
            let expected = exported.expected.iter().find(|e| e.row.name == row.name).unwrap();
            let wanted = passes(&exported, &expected.outcome);
            // One that cannot start another of its kind cannot run the test.
            let Some(passed) = test_passes(&text, None, interpreter).unwrap() else { continue };
            assert_eq!(passed, wanted, "{name} on {}: {text}", interpreter.name());
        }
    }
}

#[test]
fn a_report_has_the_script_first_what_is_promised_and_since_when() {
    for name in ["N01-dying-weakref-moved.scn", "C01-bpo-38006.scn", "C06b-gh-91636.scn"] {
        let document = regression(name);
        let exported = &export(&document).unwrap()[0];
        let ran = Ran::AsExpected { died: Some("signal 11 (SIGSEGV)".to_owned()), printed: Vec::new() };
        let text = issue(&document, exported, &[("python-3.13.0".to_owned(), ran)]);
        assert!(text.lines().count() <= MOST_LINES, "{text}");
        for part in ["```python\nimport gc", "## What happens", "| 3.13.0 |", "## What is expected", "## Since when"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("coroner") && !text.contains("http"), "{text}");
    }
    let document = regression("C01-bpo-38006.scn");
    let text = issue(&document, &export(&document).unwrap()[0], &[]);
    assert!(text.contains("right from 3.8.0 on: clear-trash-weakrefs"), "{text}");
}

/// `tests/exported.rs` is what is written here: it compiles, and it passes.
#[test]
fn a_test_in_rust_is_the_one_that_compiles() {
    let collector = Collector::parse("cpython-3.7.6").unwrap();
    let text = rust_test(&regression("C01c-bpo-38006-smallest.scn"), "C01c-bpo-38006-smallest", &collector);
    let header = "//! Written by `coroner export --to rust`: see tests/export.rs.\n\n";
    assert_eq!(include_str!("exported.rs"), format!("{header}{text}"), "put this text into tests/exported.rs");
}

#[test]
fn what_no_script_can_do_is_refused_with_a_reason() {
    let document =
        text::parse("coroner 1\na = Node()\na[0] = a\ndel a\ncollect_at_allocation(2, 0)\nb = Node()\n").unwrap();
    let reasons = export(&document).unwrap_err();
    assert!(reasons.iter().any(|reason| reason.contains("allocation")), "{reasons:?}");
}

#[test]
fn the_command_writes_the_script_and_says_how_it_ran() {
    let folder = folder();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/regressions/N01-dying-weakref-moved.scn");
    let ran = coroner(folder.path(), &format!("export {file} --python none"));
    assert!(ran.code == 0 && ran.out.starts_with("import gc, weakref\n"), "{}{}", ran.out, ran.err);
    let ran = coroner(folder.path(), &format!("export {file} --python none --test -o out"));
    let text = std::fs::read_to_string(folder.path().join("out/test_N01-dying-weakref-moved.py")).unwrap();
    assert!(ran.code == 0 && text.contains("def test_n01_dying_weakref_moved(self):"), "{text}");
    let ran = coroner(folder.path(), &format!("export {file} --to rust"));
    assert!(ran.code == 0 && ran.out.contains("#[test]\nfn n01_dying_weakref_moved() {"), "{}", ran.out);
    std::fs::write(folder.path().join("x.scn"), "coroner 1\ncollect_at_allocation(2, 0)\na = Node()\n").unwrap();
    let ran = coroner(folder.path(), "export x.scn --python none");
    assert!(ran.code == 2 && ran.err.contains("cannot be exported"), "{}", ran.err);
}

#[test]
fn a_python_program_is_shown_the_way() {
    let folder = folder();
    std::fs::write(folder.path().join("bug.py"), "import gc\n").unwrap();
    for command in ["explain", "replay", "shrink", "export", "fmt"] {
        let ran = coroner(folder.path(), &format!("{command} bug.py"));
        assert!(ran.code == 2 && ran.err.contains("docs/from-python.md"), "{command}: {}", ran.err);
    }
}

/// The pairs of scenario and script in the document are what the files and the exporter say.
#[test]
fn the_pairs_of_the_document_are_the_exporters() {
    let page = include_str!("../docs/from-python.md");
    let names: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        let document = regression(name);
        let exported = &export(&document).unwrap()[0];
        let bare = Document { fields: Vec::new(), expectations: Vec::new(), comments: Vec::new(), ..document };
        let pair = format!("### {name}\n\n```\n{}```\n\n```python\n{}```\n", bare.print(), exported.script);
        assert!(page.contains(&pair), "put this into docs/from-python.md:\n{pair}");
    }
}

/// Exit codes that `git bisect run` and reducers act on.
#[test]
fn check_says_good_bad_or_cannot_tell() {
    let folder = folder();
    std::fs::write(folder.path().join("good.scn"), "coroner 1\na = Node()\na[0] = a\ndel a\ncollect(2)\n").unwrap();
    std::fs::write(folder.path().join("none.scn"), "coroner 1\na = Nod()\n").unwrap();
    let bad = concat!(env!("CARGO_MANIFEST_DIR"), "/regressions/N01-dying-weakref-moved.scn");
    for line in ["check good.scn --python /nowhere/python", "check good.scn", "check good.scn --pyton 3"] {
        let ran = coroner(folder.path(), line);
        assert_eq!(ran.code, 125, "{line}: {}{}", ran.out, ran.err);
    }
    let Some(interpreter) = interpreters().pop() else { return };
    let python = interpreter.program.display();
    for (line, code) in [
        (format!("good.scn --python {python}"), 0),
        (format!("good.scn --python {python} --interesting"), 1),
        (format!("{bad} --python {python}"), 1),
        (format!("{bad} --python {python} --interesting"), 0),
        (format!("{bad} --python {python} --invariant I05"), 1),
        (format!("{bad} --python {python} --invariant I01"), 125),
        (format!("none.scn --python {python} --interesting"), 125),
        (format!("good.scn --python {python} --invariant I18"), 0),
    ] {
        let ran = coroner(folder.path(), &format!("check {line}"));
        assert_eq!(ran.code, code, "{line}: {}{}", ran.out, ran.err);
    }
}
