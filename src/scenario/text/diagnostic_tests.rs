use super::*;

/// Everything that is said about a file.
fn messages(source: &str) -> String {
    let diagnostics = match parse(source) {
        Ok(document) => document.warnings,
        Err(errors) => errors,
    };
    diagnostics.iter().map(|d| d.render("x.scn", source, false)).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(source: &str, expected: &str) {
    let found = messages(source);
    assert_eq!(found.trim_end(), expected.trim(), "\n{found}");
}

#[test]
fn another_version() {
    check(
        "coroner 2\na = Node()\n",
        "\
error[version]: version 2 of the format is unknown; known: 1
 --> x.scn:1:1
  |
1 | coroner 2
  | ^^^^^^^^^
  |
  = help: a newer coroner may read this file",
    );
}

#[test]
fn misspelt_words() {
    check(
        "coroner 1\na = Nod()\ncolect(2)\ngc.colect()\nbgu: C01\n",
        "\
error[unknown-name]: `Nod` is neither a variable nor an operation
 --> x.scn:2:5
  |
2 | a = Nod()
  |     ^^^
  |
  = help: did you mean `Node`?
error[unknown-word]: `colect` is no operation
 --> x.scn:3:1
  |
3 | colect(2)
  | ^^^^^^
  |
  = help: did you mean `collect`?
error[unknown-word]: `colect` is not in gc
 --> x.scn:4:4
  |
4 | gc.colect()
  |    ^^^^^^
  |
  = help: did you mean `collect`?
error[unknown-word]: `bgu` is no line of the header
 --> x.scn:5:1
  |
5 | bgu: C01
  | ^^^
  |
  = help: did you mean `bug`?",
    );
}

#[test]
fn unknown_options_and_values() {
    check(
        "coroner 1\na = Node(finaliser=F)\nb = Node(gc=maybe)\nc = Instance(hide=[0])\n",
        "\
error[unknown-word]: `finaliser` is no option of `Node`
 --> x.scn:2:10
  |
2 | a = Node(finaliser=F)
  |          ^^^^^^^^^
  |
  = help: did you mean `finalizer`?
error[unknown-word]: `maybe` is not a state of `gc`
 --> x.scn:3:13
  |
3 | b = Node(gc=maybe)
  |             ^^^^^ expected `no` or `untracked`
error[meaning]: `hide` applies to `Node` and `Typed` only
 --> x.scn:4:14
  |
4 | c = Instance(hide=[0])
  |              ^^^^ expected `finalizer`",
    );
}

#[test]
fn options_that_contradict_each_other() {
    check(
        "coroner 1\na = Node(gc=no, hide=all)\nb = Node(hide=[1], twice=[1, 2])\nc = Node(keep=[0], clear=none)\n",
        "\
error[meaning]: `hide` has no meaning with `gc=no`
 --> x.scn:2:17
  |
2 | a = Node(gc=no, hide=all)
  |                 ^^^^
  |
  = help: a type without GC support has neither `traverse` nor `clear`: all its edges are hidden
error[meaning]: a slot in `twice` is hidden
 --> x.scn:3:20
  |
3 | b = Node(hide=[1], twice=[1, 2])
  |                    ^^^^^
error[meaning]: `keep` contradicts `clear`
 --> x.scn:4:10
  |
4 | c = Node(keep=[0], clear=none)
  |          ^^^^",
    );
}

#[test]
fn numbers_out_of_range() {
    check(
        "coroner 1\ncollect(3)\na = chain(99999999999999999999, Node(hide=[4]))\na[64] = a\n",
        "\
error[range]: a generation must be 0 to 2, not 3
 --> x.scn:2:9
  |
2 | collect(3)
  |         ^
error[range]: a count must be 1 to 16777215, not 99999999999999999999
 --> x.scn:3:11
  |
3 | a = chain(99999999999999999999, Node(hide=[4]))
  |           ^^^^^^^^^^^^^^^^^^^^
error[range]: a slot must be 0 to 63, not 64
 --> x.scn:4:3
  |
4 | a[64] = a
  |   ^^",
    );
}

#[test]
fn names_that_nothing_makes_exist() {
    check(
        "coroner 1\ntoken = Node(call=Look)\nw = ref(tokn)\nq[0] = token\ndef look_at():\n    pass\nlook_at()\n",
        "\
error[unknown-name]: no `def Look():` in this file
 --> x.scn:2:19
  |
2 | token = Node(call=Look)
  |                   ^^^^
  |
  = help: write `def Look():` and an indented body, such as `pass`
error[unknown-name]: nothing assigns the variable `tokn`
 --> x.scn:3:9
  |
3 | w = ref(tokn)
  |         ^^^^
  |
  = help: did you mean `token`?
error[unknown-name]: nothing assigns the variable `q`
 --> x.scn:4:1
  |
4 | q[0] = token
  | ^
  |
  = help: create the object first, such as `q = Node()`
error[unknown-name]: `look_at` is a script, not an object
 --> x.scn:7:1
  |
7 | look_at()
  | ^^^^^^^
  |
  = help: make an object that runs it, such as `f = function(look_at)`, and use that",
    );
}

#[test]
fn scripts_and_indentation() {
    check(
        "coroner 1\ndef C():\n    look()\n      scan()\ndef D()\n    look()\ndef E():\nself = None\n  raise\n",
        "\
error[indentation]: this line is indented differently
 --> x.scn:4:7
  |
4 |       scan()
  |       ^^^^
  |
  = help: indent all lines of a script as its first line is
error[syntax]: unexpected end of line
 --> x.scn:5:8
  |
5 | def D()
  |        ^ expected `:`
error[syntax]: `E` has no body
 --> x.scn:7:5
  |
7 | def E():
  |     ^
  |
  = help: write the body on the lines below, indented; `pass` if it is empty
error[meaning]: `self` exists in scripts only
 --> x.scn:8:1
  |
8 | self = None
  | ^^^^ expected a variable
error[indentation]: this line is indented, but no `def` is open
 --> x.scn:9:3
  |
9 |   raise
  |   ^^^^^
  |
  = help: remove the blanks at the start of the line",
    );
}

#[test]
fn broken_expectations() {
    check(
        "\
coroner 1
expect cpython-3.7.6: digest=12
expect cpython-3.8.1: violations=I15:colector
expect cpython-3.9.1: facts=aliv(a)
expect cpython-3.9.1 digest=0123456789abcdef
expect cpython-3.9.2: facts=freed(w)
a = Node()
w = deref(a)
",
        "\
error[syntax]: this is no digest
 --> x.scn:2:30
  |
2 | expect cpython-3.7.6: digest=12
  |                              ^^ expected 16 hexadecimal digits
error[unknown-word]: `colector` is no class of a verdict
 --> x.scn:3:38
  |
3 | expect cpython-3.8.1: violations=I15:colector
  |                                      ^^^^^^^^ expected `collector`, `type-fault`, `documented` or `unpromised`
  |
  = help: did you mean `collector`?
error[unknown-word]: `aliv` is no fact
 --> x.scn:4:29
  |
4 | expect cpython-3.9.1: facts=aliv(a)
  |                             ^^^^
  |
  = help: did you mean `alive`?
error[syntax]: unexpected end of line
 --> x.scn:5:45
  |
5 | expect cpython-3.9.1 digest=0123456789abcdef
  |                                             ^ expected `:` after the collector",
    );
    check(
        "coroner 1\nexpect cpython-3.9.2: facts=freed(w)\na = Node()\nw = deref(a)\n",
        "\
error[unknown-name]: no operation creates an object in the variable `w`
 --> x.scn:2:35
  |
2 | expect cpython-3.9.2: facts=freed(w)
  |                                   ^",
    );
}

#[test]
fn characters_that_no_line_contains() {
    check(
        "coroner 1\na = Node(); b = Node()\na = 'x'\n\u{1b}[31m = a\nn\u{e9}\n",
        "\
error[character]: unexpected character `;`
 --> x.scn:2:11
  |
2 | a = Node(); b = Node()
  |           ^
  |
  = help: write one statement per line
error[character]: unexpected character `'`
 --> x.scn:3:5
  |
3 | a = 'x'
  |     ^
  |
  = help: the language has no strings; names stand without quotes
error[character]: unexpected character U+001B
 --> x.scn:4:1
  |
4 | \u{241b}[31m = a
  | ^
error[character]: unexpected character U+00E9
 --> x.scn:5:2
  |
5 | n\u{e9}
  |  ^
  |
  = help: names contain the letters a to z and A to Z, digits and `_`",
    );
}

#[test]
fn operations_that_were_hardly_meant() {
    check(
        "coroner 1\na = Node()\nw = ref(a)\nw()\nb = None\nlen(b)\n",
        "\
warning[no-effect]: a weak reference cannot be called
 --> x.scn:4:1
  |
4 | w()
  | ^^^
  |
  = help: to read it, write `deref(...)`
warning[no-effect]: this operation can never have an effect
 --> x.scn:5:1
  |
5 | b = None
  | ^^^^^^^^
  |
  = help: it is dropped: what it names is never created, nothing runs it, or the script has ended before
warning[no-effect]: this operation can never have an effect
 --> x.scn:6:1
  |
6 | len(b)
  | ^^^^^^
  |
  = help: it is dropped: what it names is never created, nothing runs it, or the script has ended before",
    );
}

#[test]
fn of_a_long_line_the_surroundings_are_shown() {
    let blanks = " ".repeat(30_000);
    let source = format!("coroner 1\na = Node({blanks}frob=1{blanks})\n");
    let found = messages(&source);
    assert!(found.contains("x.scn:2:30010") && found.contains(" frob=1 ") && found.contains("^^^^"), "{found}");
    assert!(found.len() < 1000, "{found}");
}
