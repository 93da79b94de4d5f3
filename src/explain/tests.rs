use super::*;
use crate::campaign::Examiner;
use crate::findings::Baseline;
use crate::invariant::Invariant;
use crate::model::rows::Rows;
use crate::report::text::explanation::text;
use crate::scenario::text::parse;

/// The five objects of bpo-38006: a cycle behind a blind object, a weak reference with a callback that is trash.
const FOUNDING: &str = "\
coroner 1

def see():
    look()

f = Node(call=see)
c = Node()
c[0] = c
c[1] = Node(gc=no)
c[2] = ref(c[1], f)
f[0] = c
c[3] = f
del c
del f
collect(2)
";

/// Runs and judges a document and records everything.
fn recorded<'d>(document: &'d Document, collector: &Collector) -> Run<'d> {
    let mut examiner = Examiner::new(&Rows::one(collector), &Baseline::empty());
    let run = examiner.examine(&document.scenario, true);
    record(document, collector, Judged { violations: run.violations, digest: run.digest, real: None })
}

fn explained(source: &str, collector: &str) -> (Explanation, String) {
    let document = parse(source).unwrap();
    let run = recorded(&document, &Collector::parse(collector).unwrap());
    let explanation = explain(&run);
    let page = text(&run, &explanation, true, false);
    (explanation, page)
}

#[test]
fn the_arithmetic_of_the_founding_bug_is_shown() {
    let (explanation, page) = explained(FOUNDING, "cpython-3.7");
    let collection = &explanation.collections[0];
    let of = |name: &str| collection.examined.iter().find(|e| e.object == name).unwrap();
    assert_eq!((of("c").refcount, of("c").inside, of("c").verdict), (2, 2, "trash"));
    assert!(collection.not_examined.iter().any(|t| t.object == "c[1]" && t.text.contains("no GC header")));
    let broken: Vec<&str> = explanation.broken.iter().map(|b| b.invariant).collect();
    assert!(broken.contains(&"I15") && broken.contains(&"I01"), "{broken:?}");
    assert_eq!(explanation.broken[0].operation, "collect(2)");
    assert!(
        explanation.weakrefs[0].text.contains("while collection 1 was clearing trash"),
        "{:?}",
        explanation.weakrefs
    );
    assert!(page.contains("heap at phase: deduced"), "{page}");
}

#[test]
fn a_fixed_collector_says_why_the_callback_did_not_run() {
    let (explanation, _) = explained(FOUNDING, "cpython-3.8");
    assert!(explanation.broken.is_empty(), "{:?}", explanation.broken);
    assert!(explanation.weakrefs[0].text.contains("trash itself"), "{:?}", explanation.weakrefs);
}

#[test]
fn an_object_that_is_kept_has_an_owner() {
    let source = "\
coroner 1
a = Node()
b = Node(hide=[0])
b[1] = b
b[0] = Node()
b[0][0] = b[0]
d = Node()
d[0] = Node()
old = Node()
old[0] = Node()
u = Node(gc=untracked)
u[0] = Node()
del b
collect(2)
";
    let (explanation, _) = explained(source, "cpython-3.15");
    let collection = &explanation.collections[0];
    let why = |name: &str| &collection.examined.iter().find(|e| e.object == name).unwrap().why;
    assert_eq!(why("a"), "held by the variable a");
    assert_eq!(why("b[0]"), "held by b[0] (its traverse does not report it)");
    assert_eq!(why("d[0]"), "reached from d[0], which is kept");
    assert_eq!(why("u[0]"), "held by u[0] (it is not tracked)");
}

#[test]
fn finalizers_say_when_they_ran_and_why_not() {
    let source = "\
coroner 1

def f():
    pass

a = Node(finalizer=f)
a[0] = a
b = Node(finalizer=f)
c = Node(finalizer=f)
del a
del b
collect(2)
";
    let (explanation, _) = explained(source, "cpython-3.15");
    let fate = |name: &str| &explanation.finalizers.iter().find(|t| t.object == name).unwrap().text;
    assert_eq!(fate("a"), "ran once: in the finalizer phase of collection 1 (step 7, line 12)");
    assert_eq!(fate("b"), "ran once: outside of collections (step 6, line 11)");
    assert_eq!(fate("c"), "did not run: the object never died");
}

/// They repeat the scenario, and go on after its end: numbers of their events are none of this run's.
#[test]
fn what_other_runs_show_is_at_no_event_of_this_one() {
    let source = "coroner 1\n\ndef f():\n    a = self\n\na = Node(call=f)\nb = Node(finalizer=f)\nc = ref(b, a)\n";
    let document = parse(source).unwrap();
    let mut run = recorded(&document, &Collector::parse("cpython-3.12").unwrap());
    assert!(run.violations.iter().any(|(v, _)| v.invariant == Invariant::I18), "{:?}", run.violations);
    run.violations.retain(|(v, _)| v.invariant == Invariant::I18);
    let explanation = explain(&run);
    assert_eq!((explanation.broken[0].event, explanation.broken[0].step), (None, None));
    let page = text(&run, &explanation, true, false);
    assert!(page.contains("not in this run, but in others"), "{page}");
    let end = page.split("the end\n").nth(1).unwrap();
    assert!(end.trim_start().starts_with("not in this run: I18"), "{end}");
}

#[test]
fn of_a_long_run_little_is_kept_and_all_is_told_that_matters() {
    let source = "\
coroner 1

def see():
    look()

def f():
    pass

g = ring(40000, Node())
c = Node(call=see)
a = ref(g, c)
b = Node(finalizer=f)
c[0] = b
del b
collect(1)
del g
collect(2)
del a
del c
collect(2)
";
    let document = parse(source).unwrap();
    let collector = Collector::parse("cpython-3.15").unwrap();
    let run = recorded(&document, &collector);
    let events = crate::event::record(|out| Machine::new(&collector).run(&document.scenario, out));
    assert_eq!(run.log.total(), events.len());
    assert!(events.len() > 300_000, "{} events", events.len());
    assert!(run.log.lines().len() < 12_000, "{} of {} events are kept", run.log.lines().len(), events.len());
    assert!(run.log.lines().iter().all(|line| events[line.at] == line.event));
    let explanation = explain(&run);
    assert!(explanation.weakrefs[0].text.starts_with("the callback ran"), "{:?}", explanation.weakrefs);
    assert_eq!(explanation.finalizers[0].object, "b");
    assert_eq!(explanation.finalizers[0].text, "ran once: outside of collections (step 11, line 19)");
    let page = text(&run, &explanation, true, false);
    assert!(page.contains("events more\n") && page.contains("finalizer of b starts"), "{page}");
}

#[test]
fn a_heap_that_is_too_large_is_said_to_be() {
    let (explanation, _) = explained("coroner 1\na = chain(3000, Node())\ncollect(2)\n", "cpython-3.15");
    assert!(explanation.note.unwrap().contains("more than 2000 objects"));
}
