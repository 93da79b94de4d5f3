//! Types that do not take part in collection as the protocol asks, and objects that are tracked by hand.

use super::super::cases_weakrefs::{i13, i13_made_by_its_action};
use super::*;

pub(super) const PAIRS: &[Pair] = &[
    pair(
        Type("reports a reference twice"),
        Invariant::I12,
        Once("cpython-3.12", "a = Node()\nb = Node(twice=[0])\nb[0] = a\nb[1] = b\nc = ref(a)\ndel b\ncollect(2)\n"),
        Once(
            "cpython-3.12+bug-clear-live-weakrefs",
            "a = Node()\nb = Node(twice=[0])\nd = Node()\nb[0] = d\nb[1] = b\nc = ref(a)\ndel b\ncollect(2)\n",
        ),
    ),
    pair(
        Type("reports a reference not every time"),
        Invariant::I12,
        Once("cpython-3.12", "a = Node()\nb = Node(fickle=[0])\nb[0] = a\nc = ref(a)\ndel a\ncollect(2)\n"),
        Once(
            "cpython-3.12+bug-clear-live-weakrefs",
            "a = Node()\nb = Node(fickle=[0])\nd = Node()\nb[0] = d\nc = ref(a)\ncollect(2)\n",
        ),
    ),
    pair(
        Type("hides a reference"),
        Invariant::I19,
        Once("cpython-3.12", "a = Node(hide=[0])\nb = Node()\na[0] = b\nb[0] = a\ndel a\ndel b\ncollect(2)\n"),
        Once(
            "cpython-3.12+bug-skip-first-clear",
            "a = Node()\nb = Node(hide=[0])\na[0] = a\nb[0] = Node()\nb[1] = b\ndel a\ndel b\ncollect(2)\n",
        ),
    ),
    pair(
        Type("has no header"),
        Invariant::I38,
        Rounds("cpython-3.12", "a = Node(gc=no)\na[0] = a\n"),
        Rounds(
            "cpython-3.12+bug-collection-leaks",
            "a = Node(gc=no)\ndel a\na = Node()\nb = Node()\nb[0] = b\ndel b\ncollect(2)\n",
        ),
    ),
    pair(
        Type("was untracked by hand, and holds garbage"),
        Invariant::I19,
        Once("cpython-3.12", "a = Node()\nb = Node()\na[0] = b\nb[0] = a\nuntrack(a)\ndel a\ndel b\ncollect(2)\n"),
        Once("cpython-3.12+bug-skip-first-clear", "a = Node()\nb = Node()\na[0] = a\nuntrack(b)\ndel a\ncollect(2)\n"),
    ),
    pair(
        Type("was untracked by hand"),
        Invariant::I23,
        Once("cpython-3.12", "a = Node()\nb = Node()\na[0] = b\nuntrack(a)\ncollect(2)\n"),
        Once(
            "cpython-3.12+bug-untrack-survivors",
            "a = Node()\nb = Node()\na[0] = b\nc = Node()\nuntrack(c)\ncollect(2)\n",
        ),
    ),
    pair(
        Type("has no tp_clear"),
        Invariant::I20,
        Once("cpython-3.12", "a = Node(clear=none)\na[0] = a\ndel a\ncollect(2)\ncollect(2)\ncollect(2)\n"),
        Once(
            "cpython-3.12+bug-count-survivors",
            "a = Node(clear=none)\nb = Node()\ncollect(2)\ncollect(2)\ncollect(2)\n",
        ),
    ),
    pair(
        Type("keeps a slot when it is cleared"),
        Invariant::I21,
        Once("cpython-3.12", "a = Node(keep=[0])\na[0] = a\ndel a\ncollect(2)\n"),
        Once(
            "cpython-3.12+bug-skip-first-clear",
            "a = Node()\na[0] = a\nb = Node(keep=[0])\nb[0] = Node()\nb[1] = b\ndel a\ndel b\ncollect(2)\n",
        ),
    ),
    pair(
        Type("leaves weak references when it dies"),
        Invariant::I05,
        Once("cpython-3.12", "a = Node(flaw=[weakrefs])\nb = ref(a)\ndel a\nc = deref(b)\n"),
        Once(
            "cpython-3.12+bug-dealloc-keeps-weakrefs",
            "a = Node(flaw=[weakrefs])\ndel a\na = Node()\nb = ref(a)\ndel a\nc = deref(b)\n",
        ),
    ),
    pair(
        Type("leaves entries of weak containers when it dies"),
        Invariant::I30,
        Once("cpython-3.12", "c = WeakSet()\na = Node(flaw=[weakrefs])\nc[0] = a\ndel a\nlen(c)\n"),
        Once(
            "cpython-3.12+bug-container-keeps-dead",
            "c = WeakSet()\na = Node(flaw=[weakrefs])\nc[0] = a\ndel a\nb = Node()\nc[1] = b\ndel b\nlen(c)\n",
        ),
    ),
    pair(
        Type("stays tracked when it dies"),
        Invariant::I24,
        Once(
            "cpython-3.12",
            "def A():\n    collect(2)\n\na = Node(flaw=[tracked])\nc = Node(call=A)\nb = ref(a, c)\ndel a\n",
        ),
        Once(
            "cpython-3.12+bug-untrack-late",
            "def A():\n    collect(2)\n\nd = Node(flaw=[tracked])\na = Node()\nc = Node(call=A)\nb = ref(a, c)\ndel a\n",
        ),
    ),
    pair(
        Type("makes a weak reference to itself when it dies"),
        Invariant::I13,
        Events(R312, |s| i13_made_by_its_action(s, true)),
        Events(R312, |s| {
            i13_made_by_its_action(s, false);
            i13(s, true);
        }),
    ),
    pair(
        Type("saves what is being cleared when it dies"),
        Invariant::I02,
        Once(
            "cpython-3.12",
            "def A():\n    b = self[0]\n\na = Node()\nx = Node(dealloc=A)\na[0] = x\na[1] = a\nx[0] = a\ndel x\ndel a\ncollect(2)\n",
        ),
        Once(
            "cpython-3.12+bug-no-resurrection-check",
            "def A():\n    b = self[0]\n\ndef B():\n    d = self\n\na = Node()\nx = Node(dealloc=A)\na[0] = x\na[1] = a\nx[0] = a\n\
             del x\ndel a\ne = Node(finalizer=B)\ne[0] = e\ndel e\ncollect(2)\n",
        ),
    ),
];
