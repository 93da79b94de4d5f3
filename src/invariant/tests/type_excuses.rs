//! Faults of types, each with its cause on the object itself, and with the cause beside it: see [`super::excuses`].

use super::cases_weakrefs::{i13, i13_made_by_its_action};
use super::excuses::Cause::Type;
use super::excuses::Run::{Events, Once, Paths, Rounds};
use super::excuses::{Pair, pair};
use super::stream::Stream;
use super::*;
use crate::event::{Event, Undefined};
use crate::scenario::{DeallocFlaws, SlotSet};

const R312: Release = Release::new(3, 12, 1);

/// What types do, or what is done to their objects.
pub(super) const TYPE_PAIRS: &[Pair] = &[
    pair(
        Type("a function, before 3.8, has no tp_clear"),
        Invariant::I19,
        Once(
            "cpython-3.7",
            "def A():\n    pass\n\na = function(A)\nb = tuple(a)\na[1] = b\ndel a\ndel b\ncollect(2)\n",
        ),
        Once(
            "cpython-3.7+bug-skip-first-clear",
            "def A():\n    pass\n\nc = Node()\nc[0] = c\na = function(A)\nb = tuple(a)\na[1] = b\ndel a\ndel b\ndel c\ncollect(2)\n",
        ),
    ),
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
        Type("its deallocator saves what is being cleared, which an entry of gc.callbacks has let go"),
        Invariant::I02,
        Once(
            "cpython-3.15",
            "def A():\n    del gc.callbacks[:]\n\ndef B():\n    a = self[0]\n\na = Node(call=A)\na[0] = Node(dealloc=B)\n\
             a[0][0] = a\ngc.callbacks.append(a)\ndel a\ncollect(2)\n",
        ),
        Once(
            "cpython-3.15+bug-no-resurrection-check",
            "def A():\n    del gc.callbacks[:]\n\ndef B():\n    a = self[0]\n\ndef C():\n    c = self\n\na = Node(call=A)\n\
             a[0] = Node(dealloc=B)\na[0][0] = a\nc = Node(finalizer=C)\nc[0] = c\ngc.callbacks.append(a)\ndel a\ndel c\n\
             collect(2)\n",
        ),
    ),
    pair(
        Type("hides the edge that holds it"),
        Invariant::I52,
        Once(
            "cpython-3.15",
            "def A():\n    deref(b)\n\ndef B():\n    b = ref(self)\n    self[0] = self\n\na = Node(dealloc=A)\n\
             a[0] = Node(hide=[0], finalizer=B)\na[1] = a\ndel a\ncollect(2)\n",
        ),
        Once(
            "cpython-3.12+bug-keep-plain-weakrefs",
            "def A():\n    pass\n\ndef B():\n    x = deref(w)\n\nc = Node(hide=[0])\nc[0] = c\na = Node(finalizer=A)\na[0] = a\n\
             b = Node(finalizer=B)\nb[0] = b\nw = ref(a)\ndel a\ndel b\ndel c\ncollect(2)\n",
        ),
    ),
    pair(
        Type("was untracked by hand, and is on no list of what is cleared"),
        Invariant::I52,
        Once(
            "cpython-3.15",
            "def A():\n    c = ref(self)\n    untrack(self)\n\ndef B():\n    deref(c)\n\na = Node()\na[0] = Node(finalizer=A)\n\
             b = Node(call=B)\na[0][0] = a[0]\na[0] = a\ndel a\ngc.callbacks.append(b)\ncollect(2)\n",
        ),
        Once(
            "cpython-3.12+bug-keep-plain-weakrefs",
            "def A():\n    untrack(c)\n\ndef B():\n    x = deref(w)\n\nc = Node()\na = Node(finalizer=A)\na[0] = a\n\
             b = Node(finalizer=B)\nb[0] = b\nw = ref(a)\ndel a\ndel b\ncollect(2)\n",
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
        Once("cpython-3.12", "c = ComposedWeakSet()\na = Node(flaw=[weakrefs])\nc[0] = a\ndel a\nlen(c)\n"),
        Once(
            "cpython-3.12+bug-container-keeps-dead",
            "c = ComposedWeakSet()\na = Node(flaw=[weakrefs])\nc[0] = a\ndel a\nb = Node()\nc[1] = b\ndel b\nlen(c)\n",
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
    pair(
        Type("saves what is being cleared when it dies, with what that has not let go of"),
        Invariant::I01,
        Once(
            "cpython-3.12",
            "def A():\n    a = self[0]\n\ndef B():\n    look()\n\na = Node()\nb = Node()\nb[0] = Node(dealloc=A)\n\
             b[1] = Node(gc=no, finalizer=B)\nb[0][0] = b\nb[2] = a\ndel a\ndel b\ncollect(2)\n",
        ),
        // It saves what is no trash; a weak reference leads to what has been cleared.
        Once(
            "cpython-3.12",
            "def A():\n    b = ref(self)\n\ndef B():\n    deref(b)\n\ndef C():\n    d = self[0]\n\nc = Node()\na = Node(finalizer=A)\n\
             a[0] = Node(dealloc=C)\na[0][0] = c\na[1] = a\na[2] = Node(gc=no, finalizer=B)\ndel a\ncollect(2)\n",
        ),
    ),
    pair(
        Type("reports twice what a finalizer has stored"),
        Invariant::I02,
        Once(
            "cpython-3.12",
            "def A():\n    a = self\n    a[0] = a\n\na = Node(twice=[0], finalizer=A)\na[1] = a\ndel a\ncollect(2)\n",
        ),
        Once(
            "cpython-3.12+bug-no-resurrection-check",
            "def A():\n    a = self\n    b[0] = b\n\nb = Node(twice=[0])\na = Node(finalizer=A)\na[1] = a\ndel a\ncollect(2)\n",
        ),
    ),
    pair(
        Type("is tracked while it dies, and reports a reference not every time"),
        Invariant::I21,
        Once("cpython-3.7.0", FICKLE_AND_TRACKED),
        // The collection counts what the type gives away, and one more.
        Once("cpython-3.7.0+bug-count-one-more", FICKLE_AND_TRACKED),
    ),
    pair(
        Type("is tracked while it dies, and reports a reference twice"),
        Invariant::I26,
        Once(
            "cpython-3.12",
            "def A():\n    collect(2)\n\na = Node(twice=[0], dealloc=A, flaw=[tracked])\na[0] = Node()\ndel a\n",
        ),
        // It would report twice, and there is nothing.
        Events(R312, over_reported),
    ),
    pair(
        Type("calls what is being cleared when it dies"),
        Invariant::I27,
        Once(
            "cpython-3.8",
            "def A():\n    pass\n\ndef B():\n    self[0]()\n\na = function(A)\nb = Node()\nb[0] = Node(dealloc=B)\nb[0][0] = a\n\
             b[1] = a\nb[2] = b\ndel a\ndel b\ncollect(2)\n",
        ),
        // A weak reference leads it there.
        Once(
            "cpython-3.8",
            "def A():\n    c = ref(self[1])\n\ndef B():\n    a = deref(c)\n    a()\n\na = function(A)\nb = Node(finalizer=A)\n\
             b[0] = Node(dealloc=B)\nb[1] = a\ndel a\nb[2] = b\ndel b\ncollect(2)\n",
        ),
    ),
    pair(
        Type("seems to save the whole isolate"),
        Invariant::I18,
        Paths("cpython-3.7", "a = Node()\na[0] = Node(fickle=[0])\na[0][0] = a[0]\n"),
        Paths("cpython-3.12+bug-skip-first-clear", "a = Node()\nb = Node(fickle=[0])\nb[0] = b\n"),
    ),
];

/// An object dies that is tracked, and a collection finds what it holds.
const FICKLE_AND_TRACKED: &str =
    "def A():\n    collect(2)\n\na = Node(fickle=[0], dealloc=A, flaw=[tracked])\na[0] = Node()\ndel a\n";

/// An object dies that is tracked, and something is reported too often.
fn over_reported(s: &mut Stream) {
    let flaws = DeallocFlaws { keeps_tracked: true, ..DeallocFlaws::default() };
    let a = s.held(0, Kind { doubled: SlotSet(1), flaws, ..Kind::new(Shape::Node) });
    s.var(0, None);
    s.events.push(Event::Dealloc { object: a });
    s.events.push(Event::Undefined { reason: Undefined::OverReported });
}
