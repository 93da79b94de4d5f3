use std::sync::Arc;

use super::*;
use crate::campaign::Examiner;
use crate::findings::Baseline;
use crate::invariant::Invariant;
use crate::model::collector::Switch;
use crate::model::rows::Rows;
use crate::report::text::explanation::text;
use crate::scenario::text::parse;
use crate::subject::{Declaration, Foreseen, Spec, Subject};
use crate::supervise::Limits;

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

/// What is said of an interpreter of the release of a row that does what a variant does.
fn explained_real(source: &str, row: &str, does: &str) -> (Explanation, String) {
    let (row, does) = (Collector::parse(row).unwrap(), Collector::parse(does).unwrap());
    let declaration = Declaration { name: "python:fake".to_owned(), ..row.declaration() };
    let start = Arc::new(move |_| Ok(Box::new(Machine::new(&does)) as Box<dyn Subject>));
    let spec = Foreseen::new(declaration, Limits::default(), start, Arc::new(Rows::one(&row)), 0);
    assert!(spec.limits().is_some());
    let document = parse(source).unwrap();
    let mut examiner = Examiner::new(&spec, &Baseline::empty());
    let run = examiner.examine(&document.scenario, true);
    let real = Some(RealRun { events: run.events, total: run.total, end: run.end, observes: run.observes });
    let run = record(&document, &row, Judged { violations: run.violations, digest: run.digest, real });
    let explanation = explain(&run);
    let page = text(&run, &explanation, true, false);
    (explanation, page)
}

/// Its finalizer saves a cycle, twice; the weak reference is to a part of it.
const SAVED: &str = "\
coroner 1

def f():
    a = self

def see():
    look()

c = Node(call=see)
a = Node(finalizer=f)
a[0] = a
a[1] = Node()
a[1][0] = a
b = ref(a[1], c)
del a
collect(2)
del a
collect(2)
";

#[test]
fn an_object_that_an_interpreter_cleared_is_not_said_to_be_kept() {
    let (explanation, page) = explained_real(SAVED, "cpython-3.12.0", "cpython-3.12.0+bug-no-resurrection-check");
    assert!(page.contains("tp_clear of a"), "{page}");
    for wrong in ["resurrected", "kept: ", "heap at phase: resurrection checked", "heap at phase: deduced"] {
        assert!(!page.contains(wrong), "{wrong}: {page}");
    }
    let collection = &explanation.collections[0];
    assert!(collection.examined.is_empty() && collection.not_examined.is_empty(), "{collection:?}");
    let of = |name: &str| &collection.shown.iter().find(|told| told.object == name).unwrap().text;
    assert_eq!(of("a"), "its finalizer ran, tp_clear ran on it, and it was not freed");
    assert_eq!(of("a[1]"), "it died, and was freed");
    let held = "its callback ran, and it answers nothing any more; when the collection started, held by the variable b";
    assert_eq!(of("b"), held);
    assert_eq!(collection.unseen, 1);
    let difference = explanation.difference.unwrap();
    assert_eq!((difference.step, difference.phase, difference.row.as_str()), (Some(8), "FIN", "cpython-3.12.0"));
    assert_eq!(
        (difference.expected.as_str(), difference.shown.as_str()),
        ("collection ends and returns 0", "tp_clear of a")
    );
    assert_eq!(explanation.collections.len(), 2);
    let line = "this run differs from cpython-3.12.0 after 58 events, in step 8, line 16 (collect(2)), phase FIN: there \
                `collection ends and returns 0`, here `tp_clear of a`; what follows is read off the events alone";
    assert!(page.contains(line), "{page}");
    assert!(page.contains("from here on no pictures of the heap"), "{page}");
}

#[test]
fn a_live_object_that_an_interpreter_cleared_is_said_to_have_been_held() {
    let source = "coroner 1\na = Node()\na[0] = Node()\nb = Node()\ncollect(2)\ncollect(2)\n";
    let (explanation, page) = explained_real(source, "cpython-3.12.0", "cpython-3.12.0+bug-ignore-outer-reference");
    assert!(!page.contains("kept"), "{page}");
    let shown = &explanation.collections[0].shown;
    let of = |name: &str| shown.iter().find(|told| told.object == name).map(|told| told.text.as_str());
    assert_eq!(
        of("b"),
        Some("tp_clear ran on it, and it was not freed; when the collection started, held by the variable b"),
        "{page}"
    );
    assert_eq!(explanation.collections[1].shown[0].text, "tp_clear ran on it, and it was not freed", "{page}");
}

/// The row clears the weak reference and calls the callback first; the run calls it when the referent dies.
#[test]
fn beyond_a_difference_places_are_those_of_the_events() {
    let (explanation, page) = explained_real(SAVED, "cpython-3.12.0", "cpython-3.12.0+bug-no-weakref-pass");
    assert_eq!(explanation.weakrefs[0].text, "the callback ran in collection 2 (step 10, line 18)", "{page}");
    assert_eq!(explanation.finalizers[0].text, "ran once: in collection 1 (step 8, line 16)", "{page}");
}

#[test]
fn an_interpreter_that_does_what_its_row_does_is_explained_by_it() {
    let (explanation, page) = explained_real(SAVED, "cpython-3.12.0", "cpython-3.12.0");
    assert!(explanation.difference.is_none() && page.contains("trash: only trash holds it; resurrected"), "{page}");
    assert!(page.contains("is what cpython-3.12.0 does, with the same events"), "{page}");
    assert!(explanation.collections.iter().all(|c| c.shown.is_empty()));
}

/// Whatever the difference is: what the row decided is told only of collections that ended in the same way.
#[test]
fn no_decision_of_the_row_outlives_the_first_difference() {
    let mut differ = 0;
    let bugs = Switch::ALL.iter().filter(|switch| switch.name().starts_with("bug-"));
    for (switch, source) in bugs.flat_map(|switch| [(switch, SAVED), (switch, FOUNDING)]) {
        let does = format!("cpython-3.12.0+{}", switch.name());
        let (explanation, page) = explained_real(source, "cpython-3.12.0", &does);
        let Some(difference) = explanation.difference else { continue };
        differ += 1;
        let story = page.split("what happened\n").nth(1).unwrap();
        let after = story.split("from here on no pictures").nth(1).unwrap_or_else(|| panic!("{does}: {page}"));
        assert!(!after.contains("heap at phase"), "{does}: {page}");
        let inside = explanation.collections.iter().filter(|c| !c.examined.is_empty()).count();
        let ended = story.split("from here on no pictures").next().unwrap().matches("collection ends").count();
        assert!(inside <= ended, "{does}: {page}");
        for told in explanation.weakrefs.iter().chain(&explanation.finalizers) {
            let told_of_row = told.text.contains(" phase of collection") || told.text.contains("the collector cleared");
            assert!(!told_of_row || ended > 0, "{does}, {difference:?}: {}", told.text);
        }
    }
    assert!(differ > 20, "{differ}");
}
