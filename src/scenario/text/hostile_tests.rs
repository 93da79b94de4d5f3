use super::super::sample::random_scenarios;
use super::super::{MAX_OPS, MAX_SCRIPTS, MAX_VARS};
use super::*;

/// Reads the text, renders what is wrong with it, and gives the first diagnostic.
fn first_error(source: &str) -> Diagnostic {
    let errors = match parse(source) {
        Ok(_) => panic!("accepted: {}", &source[..source.len().min(200)]),
        Err(errors) => errors,
    };
    assert!(!errors.is_empty() && errors.len() <= MAX_DIAGNOSTICS);
    for error in &errors {
        let rendered = error.render("hostile.scn", source, true);
        assert!(rendered.len() < 4000, "{} bytes", rendered.len());
        error.render("hostile.scn", source, false);
    }
    errors[0].clone()
}

#[test]
fn each_limit_has_its_error() {
    let many = |n: usize, line: &dyn Fn(usize) -> String| {
        std::iter::once("coroner 1\n".to_owned()).chain((0..n).map(line)).collect::<String>()
    };
    let check = |source: String, message: &str| {
        let error = first_error(&source);
        assert_eq!((error.code, error.message.as_str()), (Code::Limit, message));
    };
    check(many(MAX_SIZE / 8 + 1, &|_| "look()  \n".to_owned()), "the file has 4718611 bytes; the limit is 4194304");
    check(many(MAX_OPS + 1, &|_| "look()\n".to_owned()), "more than 100000 operations");
    check(many(MAX_VARS as usize + 1, &|i| format!("x{i} = Node()\n")), "more than 1024 variables");
    check(many(MAX_SCRIPTS + 1, &|i| format!("def S{i}():\n pass\n")), "more than 64 scripts");
    check(format!("coroner 1\n{} = Node()\n", "x".repeat(65)), "a name has at most 64 characters");
    check(format!("coroner 1\n{}\n", "x".repeat(1 << 20)), "the line has 1048576 bytes; the limit is 65536");
    check(many(1025, &|i| format!("expect c{i}: violations=none\n")), "more than 1024 expectations");
    assert!(parse(&many(MAX_OPS, &|_| "look()\n".to_owned())).is_ok());
    assert!(parse(&many(MAX_VARS as usize, &|i| format!("x{i} = Node()\n"))).is_ok());
}

#[test]
fn numbers_of_any_length_are_out_of_range() {
    let digits = "9".repeat(10_000);
    for line in ["collect(%)", "a = chain(%, Node())", "a[%] = a", "a = Node(hide=[%])", "gc.set_threshold(0, %, 0)"] {
        let error = first_error(&format!("coroner 1\na = Node()\n{}\n", line.replace('%', &digits)));
        assert_eq!(error.code, Code::Range, "{line}");
        assert!(error.message.len() < 100, "{line}");
    }
}

#[test]
fn nesting_is_refused_without_recursion() {
    for piece in ["(", "[", "Node(", "ring(1, ", "a[0]", "def f(", "deref("] {
        let error = first_error(&format!("coroner 1\na = {}\n", piece.repeat(5000)));
        assert_eq!(error.line, 2, "{piece}");
    }
}

#[test]
fn foreign_line_ends_and_marks_are_read() {
    let plain = parse("coroner 1\n\ndef F():\n    look()\n\na = Node(finalizer=F)\n").map(|d| d.print());
    for source in [
        "coroner 1\r\ndef F():\r\n\tlook()\r\na = Node(finalizer=F)\r\n",
        "\u{feff}coroner 1\n def_free = None\n"
            .replace(" def_free = None", "def F():\n\t \tlook()\n\na = Node ( finalizer\t= F )   ")
            .as_str(),
        "coroner 1\ndef F():\n\n look()\n\n\na = Node(finalizer=F)",
    ] {
        assert_eq!(parse(source).map(|d| d.print()), plain, "{source:?}");
    }
}

#[test]
fn odd_characters_are_named() {
    for (text, name) in [
        ("\0", "U+0000"),
        ("\u{a0}", "U+00A0"),
        ("é", "U+00E9"),
        ("a\rb", "U+000D"),
        ("\u{202e}", "U+202E"),
        ("!", "`!`"),
    ] {
        let error = first_error(&format!("coroner 1\n{text}\n"));
        assert_eq!(error.message, format!("unexpected character {name}"));
        assert_eq!(error.code, Code::Character);
    }
    assert_eq!(first_error("coroner 1\nnote: a\u{1b}[2J\n").column, 8);
}

#[test]
fn bytes_that_are_not_utf8_have_a_place() {
    let errors = parse_bytes(b"coroner 1\nnote: \xc3\xa9\xff\n").unwrap_err();
    assert_eq!((errors[0].line, errors[0].column, errors[0].code), (2, 8, Code::InvalidUtf8));
    assert_eq!(errors[0].message, "the file is not UTF-8: byte 0xff at offset 18");
    assert!(parse_bytes(b"coroner 1\n\xe2\x82").is_err());
    assert!(parse_bytes(b"coroner 1\n").is_ok());
    let lossy = String::from_utf8_lossy(b"coroner 1\nnote: \xc3\xa9\xff\n");
    errors[0].render("x.scn", &lossy, false);
}

#[test]
fn a_header_line_with_tabs_is_printed_as_it_was_read() {
    let document = parse("coroner 1\nnote: one\t\ttwo\n").unwrap();
    assert_eq!(parse(&document.print()).map(|again| again.fields), Ok(document.fields));
}

#[test]
fn an_empty_file_lacks_its_version() {
    for source in ["", "\n", "\u{feff}", "#", "coroner", "coroner one", "coroner 1 2", "coroner -1", "Coroner 1"] {
        assert_eq!(first_error(source).code, Code::Version, "{source:?}");
    }
    assert_eq!(parse("coroner 1").map(|d| d.scenario.bodies()), Ok(0));
}

#[test]
fn errors_stop_at_the_limit() {
    let source = format!("coroner 1\n{}", "???\n".repeat(100));
    assert_eq!(parse(&source).unwrap_err().len(), MAX_DIAGNOSTICS);
}

#[test]
fn every_cut_and_every_change_of_a_file_is_read_or_refused() {
    let mut refused = 0;
    for (_, scenario) in random_scenarios(12) {
        let printed = print(&scenario);
        for end in 0..printed.len() {
            if let Err(errors) = parse(&printed[..end]) {
                refused += 1;
                errors[0].render("cut.scn", &printed[..end], false);
            }
        }
        for at in (0..printed.len()).step_by(3) {
            for c in ['(', ' ', '9', '\n', '#', '\u{1f4a5}'] {
                let changed = format!("{}{c}{}", &printed[..at], &printed[at + 1..]);
                match parse(&changed) {
                    Ok(document) => assert_eq!(parse(&document.print()).map(|d| d.scenario), Ok(document.scenario)),
                    Err(errors) => {
                        refused += 1;
                        errors.iter().for_each(|e| drop(e.render("changed.scn", &changed, true)));
                    }
                }
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}
