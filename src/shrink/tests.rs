use super::*;
use crate::collector::Collector;
use crate::event::{Code, Event};
use crate::run::Machine;
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
    let mut best = Size::of(start);
    let result = minimize(start, predicate, Budget::default(), &mut |progress| {
        let size = Size::of(progress.best);
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
        events.clear();
        machine.run(scenario, &mut events);
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
