use super::*;
use crate::event::{Code, Event, EventBuffer};
use crate::model::collector::Collector;
use crate::model::machine::Machine;
use crate::scenario::{Op, Shape, text};

fn scenario(source: &str) -> Scenario {
    text::parse(source)
        .unwrap_or_else(|errors| {
            panic!("{}", errors.iter().map(|e| e.render("test.scn", source, false)).collect::<Vec<_>>().join("\n"))
        })
        .scenario
}

/// Minimizes, checks what every result promises, and gives the text.
fn minimal(start: &Scenario, predicate: &mut dyn FnMut(&Scenario) -> bool) -> String {
    let mut best = Measure::of(start);
    let result = minimize(start, predicate, Budget::default(), &mut |progress| {
        let size = Measure::of(progress.best);
        assert!(size <= best);
        best = size;
    });
    assert!(result.confirmed && result.minimal);
    assert!(predicate(&result.scenario));
    assert_eq!(result.scenario, result.scenario.normalize());
    assert_eq!(check_minimal(&result.scenario, predicate), Ok(()));
    text::print(&result.scenario)
}

fn count(scenario: &Scenario, what: impl Fn(&Op) -> bool) -> usize {
    scenario.ops().iter().filter(|op| what(op)).count()
}

const NOISE: &str = "\
coroner 1

def C():
    look()
    collect(0)

def F():
    t = ref(self, c)
    look()

n = Instance()
c = Node(call=C)
a = Node(finalizer=F)
b = Typed(hide=[0, 2])
l = list()
a[0] = a
a[1] = b
b[3] = l
l[0] = c
r = ref(b, c)
k = KeyedRef(a)
collect(1)
n[2] = r
del a
del b
look()
collect(2)
x = deref(r)
del n
collect(0)
";

#[test]
fn a_predicate_that_always_holds_leaves_nothing() {
    assert_eq!(minimal(&scenario(NOISE), &mut |_| true), "coroner 1\n");
}

#[test]
fn what_the_predicate_does_not_hold_for_is_left_alone() {
    let start = scenario(NOISE);
    let result = minimize(&start, &mut |_| false, Budget::default(), &mut |_| {});
    assert!(!result.confirmed && !result.minimal);
    assert_eq!((result.scenario, result.tries), (start, 1));
}

/// The founding bug (bpo-38006): a callback runs although its owner has been cleared.
fn cleared_owner_is_called(collector: &str) -> impl FnMut(&Scenario) -> bool {
    let mut machine = Machine::new(&Collector::parse(collector).unwrap());
    let mut events: Vec<Event> = Vec::new();
    move |scenario| {
        machine.run(scenario, &mut EventBuffer::new(&mut events));
        let mut cleared = Vec::new();
        events.iter().any(|event| match *event {
            Event::CollectEnd { .. } => {
                cleared.clear();
                false
            }
            Event::Clear { object } => {
                cleared.push(object);
                false
            }
            Event::Enter { code: Code::Callback, owner, .. } => cleared.contains(&owner),
            _ => false,
        })
    }
}

const FOUNDING: &str = "\
coroner 1

def C():
    look()
    x = None

def D():
    scan()

n = Instance()
tok = Node(call=C)
a = Node()
y = Node(hide=[0, 1, 2])
z = Node(call=D)
wz = ref(z, tok)
a[0] = a
a[1] = y
y[2] = z
a[3] = wz
tok[2] = a
n[0] = y
collect(0)
del n
x = list()
x[0] = x
del a
del y
del z
del wz
del tok
collect(2)
look()
";

#[test]
fn the_founding_bug_ends_as_its_smallest_form() {
    let mut predicate = cleared_owner_is_called("cpython-3.7");
    assert_eq!(
        minimal(&scenario(FOUNDING), &mut predicate),
        "\
coroner 1

def A():
    pass

a = Node(call=A)
a[0] = Node(gc=no)
a[1] = ref(a[0], a)
del a
collect(2)
"
    );
}

#[test]
fn shapes_and_numbers_are_lowered() {
    let mut predicate =
        |s: &Scenario| count(s, |op| matches!(op, Op::New { kind, .. } if kind.shape == Shape::Typed)) >= 1;
    assert_eq!(minimal(&scenario(NOISE), &mut predicate), "coroner 1\n\nTyped()\n");
}

#[test]
fn each_peculiarity_stays_only_if_it_is_needed() {
    type Case = (&'static str, fn(&Op) -> bool, &'static str);
    let cases: [Case; 8] = [
        ("collection", |op| matches!(op, Op::Collect { .. }), "collect(2)\n"),
        ("look", |op| matches!(op, Op::Look), "look()\n"),
        ("hidden slot", |op| op.kind().is_some_and(|k| k.hidden.0 != 0 && k.shape == Shape::Node), "Node(hide=[0])\n"),
        (
            "finalizer",
            |op| op.kind().is_some_and(|k| k.finalizer.is_some()),
            "def A():\n    pass\n\nNode(finalizer=A)\n",
        ),
        ("weakref", |op| op.kind().is_some_and(|k| k.shape == Shape::KeyedRef), "KeyedRef(a)\na = Node()\n"),
        ("variable", |op| matches!(op, Op::Deref { .. }), "a = Node()\nderef(a)\n"),
        ("scan", |op| matches!(op, Op::Scan), "scan()\n"),
        ("slot", |op| op.target().is_some_and(|t| !t.path().is_empty()), "a = Node()\ndel a[0]\n"),
    ];
    let source = format!("{NOISE}scan()\nm = Node(hide=[2, 3])\n");
    for (name, holds, expected) in cases {
        let text = minimal(&scenario(&source), &mut |s| s.ops().iter().any(holds));
        assert_eq!(text, format!("coroner 1\n\n{expected}"), "{name}");
    }
}

#[test]
fn numbers_end_at_the_lowest_that_hold() {
    let start = scenario("coroner 1\n\na = tree(900, Node())\ngc.set_threshold(700, 20, 9)\ncollect(0)\n");
    let text = minimal(&start, &mut |s| {
        s.ops().iter().any(|op| matches!(op, Op::Build { count, .. } if *count >= 37))
            && s.ops().iter().any(|op| matches!(op, Op::SetThreshold { thresholds } if thresholds[1] > 5))
            && s.ops().iter().any(|op| matches!(op, Op::Collect { generation } if *generation < 2))
    });
    assert_eq!(text, "coroner 1\n\ncollect(1)\ngc.set_threshold(0, 6, 0)\nchain(37, Node())\n");
}

#[test]
fn the_budget_counts_calls_of_the_predicate() {
    let start = scenario(FOUNDING);
    let mut founding = cleared_owner_is_called("cpython-3.7");
    for tries in [0, 1, 2, 10, 50] {
        let mut calls = 0;
        let result = minimize(
            &start,
            &mut |s| {
                calls += 1;
                founding(s)
            },
            Budget { tries },
            &mut |_| {},
        );
        assert_eq!(result.tries, calls);
        assert_eq!(calls, tries);
        assert!(!result.minimal);
        assert!(founding(&result.scenario));
    }
}

#[test]
fn a_search_that_is_stopped_keeps_the_best() {
    let start = scenario(FOUNDING);
    let mut founding = cleared_owner_is_called("cpython-3.7");
    let result = minimize(&start, &mut founding, Budget::default(), &mut |progress| {
        if progress.improved {
            progress.stop();
        }
    });
    assert!(result.confirmed && !result.minimal);
    assert!(result.scenario.ops().len() < start.ops().len());
    assert!(founding(&result.scenario));
}

#[test]
fn what_is_not_minimal_is_shown_to_be_so() {
    let mut founding = cleared_owner_is_called("cpython-3.7");
    let larger = scenario(
        "coroner 1\n\ndef A():\n    look()\n\na = Node(call=A)\na[0] = Node(gc=no)\na[1] = ref(a[0], a)\ndel a\ncollect(2)\n",
    );
    assert!(founding(&larger));
    let smaller = check_minimal(&larger, &mut founding).unwrap_err();
    assert!(founding(&smaller));
    assert!(Measure::of(&smaller) < Measure::of(&larger));
}

#[test]
fn every_reduction_has_a_pass_and_a_name_of_its_own() {
    let passes = pass::REMOVAL.iter().chain(pass::CLEANUP).map(|(reduction, _)| *reduction);
    assert!(passes.eq(Reduction::ALL));
    let mut names = Reduction::ALL.map(Reduction::name);
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}
