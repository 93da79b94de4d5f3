use super::super::sample::random_scenarios;
use super::super::{OPERATIONS, Stands};
use super::*;

#[test]
fn the_example_of_the_brief_is_read() {
    let source = "\
coroner 1
# C01: a callback
bug: C01 bpo-38006
source: bpo-38006, row A01
expect cpython-3.7.6: digest=0123456789abcdef violations=I15:collector,I01:collector
expect cpython-3.8.7: digest=fedcba9876543210 violations=none facts=freed(a),returned=2

def C():
    look()

tok = Node(call=C)
a = Node()
y = Node(gc=no)  # NoHeader
z = Node()
wz = ref(z, tok)
a[0] = a
a[1] = y

# the cycle goes
del a
x = deref(wz)
collect(2)
";
    let document = parse(source).unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(|e| e.render("x.scn", source, false)).collect::<Vec<_>>().join("\n"))
    });
    assert_eq!(document.print(), source.replace("I15:collector,I01:collector", "I01:collector,I15:collector"));
}

#[test]
fn printing_and_reading_gives_the_normal_form() {
    let mut ops = 0;
    for (seed, scenario) in random_scenarios(3000) {
        let normal = scenario.normalize();
        ops += normal.ops().len();
        let printed = print(&scenario);
        let document = parse(&printed).unwrap_or_else(|e| panic!("seed {seed}\n{}", e[0].render("", &printed, false)));
        assert_eq!(document.scenario, normal, "seed {seed}\n{printed}");
        let dropped = document.warnings.iter().filter(|w| w.message.contains("never have an effect"));
        assert_eq!(dropped.count(), 0, "seed {seed}\n{printed}");
        assert_eq!(document.print(), printed, "seed {seed}");
    }
    assert!(ops > 30_000, "{ops}");
}

#[test]
fn every_snippet_of_the_manual_is_read() {
    let manual = include_str!("../../../docs/format.md");
    let mut snippets = 0;
    for snippet in manual.split("```").skip(1).step_by(2) {
        snippets += 1;
        let source = snippet.trim_start();
        let document = parse(source).unwrap_or_else(|e| panic!("{}", e[0].render("docs/format.md", source, false)));
        let warnings: String = document.warnings.iter().map(|w| w.render("docs/format.md", source, false)).collect();
        assert_eq!(warnings, "");
        let printed = document.print();
        assert_eq!(parse(&printed).map(|d| d.print()), Ok(printed));
    }
    assert!(snippets >= 6);
}

#[test]
fn every_operation_of_the_list_is_in_the_manual_or_reads_as_written() {
    let world = "coroner 1\n\ndef S():\n    look()\n    raise\n\na = Node()\nb = Node()\nw = ref(a)\nf = function(S)\nd = WeakSet()\n";
    for operation in &OPERATIONS {
        for usage in operation.usages {
            let source = format!("{world}{}\n", usage.form);
            let source = if operation.stands == Stands::Scripts { world.to_owned() } else { source };
            let document = parse(&source).unwrap_or_else(|e| panic!("{}", e[0].render("list", &source, false)));
            assert!(document.scenario.ops().iter().any(|op| op.opcode() == operation.opcode), "{}", usage.form);
            let printed = Some(document.print()).filter(|_| operation.stands != Stands::Scripts);
            assert!(printed.is_none_or(|p| p.lines().last() == Some(usage.form)), "{}", usage.form);
        }
    }
}

#[test]
fn control_characters_in_comments_become_blanks() {
    let source = "coroner 1\na = Node()  #\u{0}x\u{1b}y\n#\u{7}\n# \u{1} z\ndel a  # \u{7}\n";
    let printed = "coroner 1\n\na = Node()  # x y\n# z\ndel a\n";
    assert_eq!(parse(source).map(|d| d.print()).as_deref(), Ok(printed));
    assert_eq!(parse(printed).map(|d| d.print()).as_deref(), Ok(printed));
}

#[test]
fn the_authors_names_and_comments_stay_with_their_operations() {
    let source = "\
coroner 1  # the format
# about the file
note: first
# about the expectation
expect cpython-3.8: violations=none facts=alive(kept),garbage=0  # why

# unused, so it goes
def unused():
    look()

# the second script comes first, because it is used first
def second():
    # about the look
    look()  # really
    # at the end of second

def first():
    # alone
    pass

kept = Node(finalizer=first)

# dropped, but its comment stays
del kept[0][0]
never = None

# before the collection
call_me = Node(call=second)
kept[0] = call_me

collect(2)
# the end
";
    let printed = "\
coroner 1  # the format
# about the file
note: first
# about the expectation
expect cpython-3.8: violations=none facts=alive(kept),garbage=0  # why

def first():
    pass
    # alone

# the second script comes first, because it is used first
def second():
    # about the look
    look()  # really
    # at the end of second

kept = Node(finalizer=first)

# dropped, but its comment stays
del kept[0][0]

# before the collection
call_me = Node(call=second)
kept[0] = call_me

collect(2)
# the end
";
    let document = parse(source).unwrap();
    let dropped: Vec<usize> = document.warnings.iter().map(|w| w.line).collect();
    assert_eq!(dropped, [9, 25]);
    assert_eq!(document.print(), printed);
    assert_eq!(parse(printed).map(|d| d.print()).as_deref(), Ok(printed));
    let lines: Vec<&str> = document.lines.iter().filter_map(|n| source.lines().nth(*n as usize - 1)).collect();
    assert_eq!(lines[0], "kept = Node(finalizer=first)");
    assert_eq!(lines.last(), Some(&"    look()  # really"));
}
