//! What collections find, keep and report.

use super::stream::{Stream, hidden};
use super::*;
use crate::event::{Code, ObjId, Spot};
use crate::scenario::{Clear, Kind, Shape};
use Class::{Collector, TypeFault};

pub(super) const CASES: &[Case] = &[
    case(Invariant::I19, Collector, i19),
    case(Invariant::I20, Collector, i20),
    case(Invariant::I21, Collector, i21),
    case(Invariant::I22, Collector, i22),
];

/// A knot of trash that is about to be collected.
fn knot(s: &mut Stream) -> ObjId {
    let a = s.node(0);
    s.slot(a, 0, Some(a));
    s.var(0, None);
    s.collect(&[(a, 1, Spot::Gen0)], &[]);
    a
}

fn i19(s: &mut Stream, broken: bool) {
    let a = knot(s);
    if broken {
        s.collected(0, &[(a, 1, Spot::Gen2)], &[]);
    } else {
        s.clear(a);
        s.die(a);
        s.collected(1, &[], &[]);
    }
}

fn i20(s: &mut Stream, broken: bool) {
    let a = knot(s);
    if broken {
        for _ in 0..3 {
            s.collected(1, &[(a, 1, Spot::Gen2)], &[]);
            s.collect(&[(a, 1, Spot::Gen2)], &[]);
        }
    } else {
        s.clear(a);
        s.die(a);
        s.collected(1, &[], &[]);
        s.collect(&[], &[]);
    }
    if !broken {
        s.collected(0, &[], &[]);
    }
}

fn i21(s: &mut Stream, broken: bool) {
    let a = knot(s);
    s.clear(a);
    s.die(a);
    s.collected(if broken { 2 } else { 1 }, &[], &[]);
}

/// bpo-38379: one saved object keeps the whole set.
fn i22(s: &mut Stream, broken: bool) {
    let r = s.finalizable(0);
    let p = s.node(1);
    s.slot(r, 0, Some(r));
    s.slot(p, 0, Some(p));
    s.var(0, None);
    s.var(1, None);
    s.collect(&[(r, 1, Spot::Gen0), (p, 1, Spot::Gen0)], &[]);
    s.enter(Code::Finalizer, r, None);
    s.snapshot(&[(r, 2, Spot::Collecting), (p, 1, Spot::Collecting)], &[]);
    s.var(0, Some(r));
    s.leave();
    s.snapshot(&[(r, 3, Spot::Collecting), (p, 1, Spot::Collecting)], &[]);
    if broken {
        s.collected(0, &[(r, 2, Spot::Gen2), (p, 1, Spot::Gen2)], &[]);
    } else {
        s.clear(p);
        s.die(p);
        s.collected(1, &[(r, 2, Spot::Gen2)], &[]);
    }
}

#[test]
fn what_a_type_without_clear_keeps_is_its_fault() {
    let mut s = Stream::new();
    let mut kind = Kind::new(Shape::Node);
    kind.clear = Clear::Missing;
    let x = s.held(0, kind);
    s.slot(x, 0, Some(x));
    s.var(0, None);
    for round in 0..3 {
        s.collect(&[(x, 1, if round == 0 { Spot::Gen0 } else { Spot::Gen2 })], &[]);
        s.collected(1, &[(x, 1, Spot::Gen2)], &[]);
    }
    let found = Judge::new().judge(&s.scenario(), &s.events, &declared(Some(Release::new(3, 12, 1)))).to_vec();
    for invariant in [Invariant::I19, Invariant::I20, Invariant::I21] {
        let hit = found.iter().find(|v| v.invariant == invariant);
        assert_eq!(hit.map(|v| v.class), Some(TypeFault), "{invariant}");
    }
}

#[test]
fn a_hidden_edge_excuses_what_it_holds() {
    let mut s = Stream::new();
    let a = s.held(0, hidden(1));
    let b = s.node(1);
    s.slot(a, 0, Some(b));
    s.slot(b, 0, Some(a));
    s.var(0, None);
    s.var(1, None);
    s.collect(&[(a, 1, Spot::Gen0), (b, 1, Spot::Gen0)], &[]);
    s.collected(0, &[(a, 1, Spot::Gen2), (b, 1, Spot::Gen2)], &[]);
    let found = Judge::new().judge(&s.scenario(), &s.events, &declared(None)).to_vec();
    assert_eq!(found.iter().map(|v| (v.invariant, v.class)).collect::<Vec<_>>(), [(Invariant::I19, TypeFault)]);
}

/// The callback drops the value of the entry, and the callback that this calls is the referent's last holder.
#[test]
fn a_weak_reference_counts_though_its_callback_killed_the_referent() {
    let source = "\
coroner 1

def A():
    pass

a = Node(call=A)
a[0] = Node()
a[1] = Node()
b = WeakKeyDictionary()
a[0][0] = a[0]
a[0] = ref(a[1], a)
b[1] = a
del a[1]
del a
collect(2)
";
    let (found, judge) = judged(source, "cpython-3.15", Release::new(3, 15, 0));
    assert_eq!(class_of(&found, Invariant::I21), None, "{found:?}");
    assert!(judge.judged(Invariant::I21).passed > 0);
}

/// Seed 51, scenario 904837. Up to 3.7 the last of a chain waits in the trashcan, and holds one that was cleared.
#[test]
fn what_the_trashcan_holds_is_counted_as_collected_before_3_8() {
    let source = "\
coroner 1

def A():
    b = Slotted()
    b[1] = a
    a = b

repeat(52, A)
a[0] = a
del a
collect(2)
del b
collect(2)
";
    // From a release that promises to keep nothing, the same events are the collector's fault.
    for (release, class) in [(Release::new(3, 7, 16), Class::Documented), (Release::new(3, 8, 18), Collector)] {
        let (found, _) = judged(source, "cpython-3.7", release);
        assert_eq!(class_of(&found, Invariant::I21), Some(class), "{release}");
    }
}

/// The collector of 2.7 clears what has such a finalizer, which then keeps it.
#[test]
fn what_the_finalizer_of_a_c_type_reaches_is_the_collectors_fault_on_2_7_too() {
    let kept = "\
coroner 1

def A():
    a = self

Node(clear=none, finalizer=A)
a[0] = Node()
a[1] = Node()
a[0][0] = a
del a
collect(2)
";
    // It sees what a `tp_clear` was about to drop, too.
    let seen = "\
coroner 1

def A():
    look()

a = Node()
b = Node(clear=none, finalizer=A)
b[0] = Node()
b[0][0] = b
b[0][1] = a
del a
del b
collect(2)
";
    for (source, invariant) in [(seen, Invariant::I01), (kept, Invariant::I02), (kept, Invariant::I03)] {
        // No text lets a collector that does not look for it show what has been cleared.
        for release in [Release::new(2, 7, 18), Release::new(3, 6, 15)] {
            let (found, _) = judged(source, "cpython-2.7", release);
            let classes: Vec<Class> = found.iter().filter(|v| v.invariant == invariant).map(|v| v.class).collect();
            assert!(
                !classes.is_empty() && classes.iter().all(|c| *c == Collector),
                "{invariant} on {release}: {found:?}"
            );
        }
    }
    // That is no excuse for a callback: bpo-38006.
    let source = "\
coroner 1

def A():
    pass

a = Node(call=A)
a[0] = Node(gc=no)
a[1] = ref(a[0], a)
a[2] = Node(finalizer=A)
del a
collect(2)
";
    let (found, _) = judged(source, "cpython-2.7", Release::new(2, 7, 18));
    assert_eq!(class_of(&found, Invariant::I01), Some(Collector), "{found:?}");
}

/// On 3.15 weak references in the trash are armed while callbacks run: one that dies in a callback calls its own. What that lets die
/// may be the referent of a weak reference whose callback the collector has yet to call.
#[test]
fn what_one_callback_lets_die_may_have_another_that_waits() {
    let texts = [
        "\
coroner 1

def A():
    del a

a = Node()
b = Node(call=A)
c = Node(finalizer=A, call=A)
b[0] = ref(c, b)
c[0] = ref(a, c)
d = ref(c, b)
del c
collect(2)
",
        "\
coroner 1

def A():
    del b[0]

a = Node()
a[0] = Node(finalizer=A, call=A)
a[0][0] = ref(a, a[0])
b = Node(call=A)
b[1] = ref(a[0], b)
a[0] = ref(a[0], b)
b[0] = a
del a
collect(2)
",
        "\
coroner 1

def A():
    del a

a = Node()
a[0] = Node(call=A)
a[0][0] = ref(a, a[0])
b = Node(call=A)
a[1] = ref(a[0], b)
a[0] = ref(a[0], b)
collect(2)
",
        "\
coroner 1

def A():
    del c[0]

a = Node()
b = Node()
a[0] = Node(call=A)
b[0] = ref(a, a[0])
c = Node(call=A)
a[1] = ref(b, c)
b[1] = b
del b
c[0] = a
c[0][0] = ref(a[0], c)
del a
collect(2)
",
        "\
coroner 1

def A():
    del a

a = Node()
b = Node(call=A)
b[0] = Node()
b[1] = ref(a, b)
c = Node(call=A)
a[0] = ref(b, c)
d = ref(b, c)
b[0][0] = b[0]
del b
collect(2)
",
        "\
coroner 1

def A():
    del a[0]

a = Node(call=A)
a[0] = Node()
b = Node(finalizer=A, call=A)
a[0][0] = ref(b, a)
a[1] = ref(b, a)
b[0] = ref(a[0], b)
del b
collect(2)
",
    ];
    for text in texts {
        let (found, judge) = judged(text, "cpython-3.15", Release::new(3, 15, 0));
        let collectors: Vec<_> = found.iter().filter(|v| v.class == Collector).collect();
        assert!(collectors.is_empty(), "{text}{collectors:?}");
        assert!(judge.judged(Invariant::I21).passed > 0);
    }
}

/// `gc.freeze` promises that all later collections ignore what is frozen, so an object that is not frozen any more breaks a
/// promise, however it came; that an object of the oldest generation is young again outside of collections breaks none.
#[test]
fn what_is_frozen_stays_frozen() {
    let retracked = |before: &str| {
        format!("coroner 1\n\ndef A():\n    kept = self\n\na = Slotted(finalizer=A)\n{before}\ndel a\ncollect(0)\n")
    };
    let moved = |before: &str| {
        format!(
            "coroner 1\n\ndef C():\n    pass\n\ndef A():\n    kept = self\n\nc = Node(call=C)\na = Slotted(finalizer=A)\nw = ref(a, c)\n\
             {before}\ndel a\nkept[0] = kept\ndel kept\ncollect(0)\n"
        )
    };
    for (name, release) in [("cpython-3.9", Release::new(3, 9, 18)), ("cpython-3.15", Release::new(3, 15, 2))] {
        let classes = |source: &str| {
            let (found, _) = judged(source, name, release);
            let mut classes: Vec<Class> =
                found.iter().filter(|v| v.invariant == Invariant::I32).map(|v| v.class).collect();
            classes.dedup();
            classes
        };
        assert_eq!(classes(&retracked("gc.freeze()\ncollect(0)")), [Collector], "{name}");
        assert_eq!(classes(&retracked("collect(2)")), [Class::Unpromised], "{name}");
        // The weak reference, whose callback the collector calls, leaves the oldest generation, or the permanent one.
        assert_eq!(classes(&moved("collect(2)")), [Class::Unpromised, Collector], "{name}");
        assert_eq!(classes(&moved("gc.freeze()")), [Collector], "{name}");
    }
}

/// bpo-38379: before 3.9 PEP 442 lets all of an isolate stay when one object of it was saved, and nothing when none was.
#[test]
fn one_saved_object_keeps_the_others_before_3_9() {
    let source = include_str!("../../../regressions/C30-bpo-38379.scn");
    for (name, release, class) in [
        ("cpython-3.8", Release::new(3, 8, 18), Some(Class::Documented)),
        ("cpython-3.8", Release::new(3, 9, 18), Some(Collector)),
        ("cpython-3.9", Release::new(3, 9, 18), None),
    ] {
        let (found, _) = judged(source, name, release);
        assert_eq!(class_of(&found, Invariant::I22), class, "{name}");
    }
}

/// bpo-33418: a type without `tp_clear` that can be part of a cycle is a fault of the type, and no text allows it.
#[test]
fn a_function_without_clear_is_a_fault_of_its_type() {
    let source = include_str!("../../../regressions/C46-bpo-33418.scn");
    for (release, class) in [(Release::new(3, 7, 16), TypeFault), (Release::new(3, 8, 18), Collector)] {
        let (found, _) = judged(source, "cpython-3.7", release);
        for invariant in [Invariant::I19, Invariant::I20, Invariant::I21] {
            assert_eq!(class_of(&found, invariant), Some(class), "{invariant} on {release}");
        }
    }
}
