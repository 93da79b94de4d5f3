//! What excuses that weak references are dead, are called, answer, or keep their referents.

use super::super::cases_weakrefs::i17_finalizer;
use super::*;
use crate::event::{Code, Spot};

pub(super) const PAIRS: &[Pair] = &[
    pair(
        Entry(Expectation::CallbacksFirst),
        Invariant::I17,
        Once(
            "cpython-3.12",
            "def A():\n    pass\n\nc = Node(call=A)\na = Node(finalizer=A)\nb = ref(a, c)\na[0] = a\ndel a\ncollect(2)\n",
        ),
        Events(R312, |s| i17_finalizer(s, true)),
    ),
    pair(
        Entry(Expectation::Resurrection),
        Invariant::I18,
        // The finalizer saves a weak reference that was trash, after it was cleared.
        Paths(
            "cpython-3.15",
            "def A():\n    a = self[0]\n\na = Node(call=A)\nb = Node(finalizer=A)\nb[0] = ref(b, a)\n",
        ),
        Paths(
            "cpython-3.15+bug-lose-callbacks",
            "def A():\n    d = self[0]\n\na = Node(call=A)\nb = Node(finalizer=A)\nb[0] = ref(b)\nc = ref(b, a)\n",
        ),
    ),
    pair(
        Entry(Expectation::Resurrection),
        Invariant::I12,
        Once(
            "cpython-3.12",
            "def A():\n    b = self\n\na = Node(finalizer=A)\nc = ref(a)\na[0] = a\ndel a\ncollect(2)\n",
        ),
        // The object that was saved lives, and loses a weak reference that was made later.
        Once(
            "cpython-3.12+bug-clear-live-weakrefs",
            "def A():\n    b = self\n\na = Node(finalizer=A)\na[0] = a\ndel a\ncollect(2)\nc = ref(b)\ncollect(2)\n",
        ),
    ),
    pair(
        Entry(Expectation::DelAfterWeakrefs),
        Invariant::I12,
        Once("cpython-2.7", "def A():\n    b = self\n\na = Slotted(finalizer=A)\nc = ref(a)\ndel a\n"),
        // There is a finalizer, and it has not run.
        Once(
            "cpython-2.7+bug-clear-live-weakrefs",
            "def A():\n    b = self\n\na = Slotted(finalizer=A)\nc = ref(a)\ncollect(2)\n",
        ),
    ),
    pair(
        Entry(Expectation::TrashWeakrefCleared),
        Invariant::I12,
        Once(
            "cpython-3.12",
            "def A():\n    b = self[1]\n\na = Node(finalizer=A)\nc = Node()\na[1] = ref(c)\na[0] = a\ndel a\ncollect(2)\n",
        ),
        Events(R312, trash_weakref_dies_later),
    ),
    pair(
        Entry(Expectation::BeforeClearOld),
        Invariant::I15,
        Once("cpython-3.7", REFERENT_DROPPED),
        Once("cpython-3.7+bug-call-trash-callbacks", REFERENT_KEPT),
    ),
    pair(
        Entry(Expectation::BeforeClearNew),
        Invariant::I15,
        Once("cpython-3.15", REFERENT_DROPPED),
        Once("cpython-3.15+bug-call-trash-callbacks", REFERENT_KEPT),
    ),
    Pair {
        cause: Entry(Expectation::NoEphemerons),
        invariant: Invariant::I40,
        own: Once("cpython-3.12", "a = WeakKeyDictionary()\nb = Node()\nb[0] = b\na[0] = b\ndel b\ncollect(2)\n"),
        // An empty dictionary keeps nothing.
        beside: (
            Invariant::I38,
            Rounds(
                "cpython-3.12+bug-collection-leaks",
                "a = WeakKeyDictionary()\nb = Node()\nb[0] = b\ndel b\ncollect(2)\n",
            ),
        ),
    },
    pair(
        Entry(Expectation::FinalizeOwns),
        Invariant::I38,
        Rounds("cpython-3.12", "def A():\n    pass\n\na = Node(call=A)\nfinalize(a, a)\n"),
        // A `finalize` whose function does not own its object.
        Rounds(
            "cpython-3.12+bug-collection-leaks",
            "def A():\n    pass\n\na = Node(call=A)\nb = Node()\nfinalize(b, a)\ndel b\nb = Node()\nb[0] = b\ndel b\ncollect(2)\n",
        ),
    ),
    pair(
        Entry(Expectation::AnswersUntilDestroyed),
        Invariant::I52,
        // The first finalizer makes the weak reference.
        Once(
            "cpython-3.12",
            "def A():\n    w = ref(self)\n\ndef B():\n    x = deref(w)\n\na = Node(finalizer=A)\na[0] = a\nb = Node(finalizer=B)\n\
             b[0] = b\ndel a\ndel b\ncollect(2)\n",
        ),
        // It is older than the collection.
        Once(
            "cpython-3.12+bug-keep-plain-weakrefs",
            "def A():\n    pass\n\ndef B():\n    x = deref(w)\n\na = Node(finalizer=A)\na[0] = a\nb = Node(finalizer=B)\n\
             b[0] = b\nw = ref(a)\ndel a\ndel b\ncollect(2)\n",
        ),
    ),
];

/// A callback releases the referent of a weak reference in the trash.
const REFERENT_DROPPED: &str = "def A():\n    pass\n\ndef B():\n    del a[0]\n\na = Node(call=B)\na[0] = Node()\n\
    b = Node(call=A)\nb[0] = ref(a[0], b)\nc = ref(b, a)\ndel b\ncollect(2)\n";

/// It does not release that of another one.
const REFERENT_KEPT: &str = "def A():\n    pass\n\ndef B():\n    del a[0]\n\na = Node(call=B)\na[0] = Node()\n\
    b = Node(call=A)\nb[0] = ref(b, b)\nc = ref(b, a)\ndel b\ncollect(2)\n";

/// A weak reference is found in trash, saved, and lives; a later collection kills it.
fn trash_weakref_dies_later(s: &mut Stream) {
    let a = s.finalizable(0);
    let x = s.node(1);
    let w = s.weak(2, x, None);
    s.slot(a, 0, Some(a));
    s.slot(a, 1, Some(w));
    s.var(0, None);
    s.var(2, None);
    let live = [(w, Some(x), false)];
    s.collect(&[(a, 1, Spot::Gen0), (x, 1, Spot::Gen0), (w, 1, Spot::Gen0)], &live);
    s.enter(Code::Finalizer, a, None);
    s.snapshot(&[(x, 1, Spot::Gen2), (a, 2, Spot::Collecting), (w, 1, Spot::Collecting)], &live);
    s.var(2, Some(w));
    s.leave();
    s.snapshot(&[(x, 1, Spot::Gen2), (a, 2, Spot::Collecting), (w, 2, Spot::Collecting)], &live);
    s.clear(a);
    s.die(a);
    s.collected(1, &[(x, 1, Spot::Gen2), (w, 1, Spot::Gen2)], &live);
    let lines = [(x, 1, Spot::Gen2), (w, 1, Spot::Gen2)];
    s.collect(&lines, &live);
    s.collected(0, &lines, &[(w, None, false)]);
}
