//! What excuses how much a collection frees and counts, and what it shows of its state.

use super::super::cases_objects::i01b;
use super::*;
use crate::event::{Event, Spot};

pub(super) const PAIRS: &[Pair] = &[
    Pair {
        cause: Entry(Expectation::Introspection),
        invariant: Invariant::I01b,
        own: Events(R314, |s| i01b(s, true)),
        // Cleared by a collection that is over: no state of the collector's between two.
        beside: (
            Invariant::I02,
            Once(
                "cpython-3.12+bug-no-resurrection-check",
                "def A():\n    b = self\n\na = Node(finalizer=A)\na[0] = a\ndel a\ncollect(2)\nscan()\n",
            ),
        ),
    },
    pair(
        Entry(Expectation::SaveAll),
        Invariant::I22,
        Once(
            "cpython-3.12",
            "def A():\n    pass\n\na = Node(finalizer=A)\na[0] = a\ndel a\ngc.set_debug(DEBUG_SAVEALL)\ncollect(2)\n",
        ),
        // Set and unset before.
        Once(
            "cpython-3.12+bug-skip-first-clear",
            "def A():\n    pass\n\ngc.set_debug(DEBUG_SAVEALL)\ngc.set_debug(0)\na = Node(finalizer=A)\na[0] = a\ndel a\n\
             collect(2)\n",
        ),
    ),
    pair(
        Entry(Expectation::TypeEdge),
        Invariant::I19,
        Once("cpython-3.8", "a = Typed()\na[3] = a\ndel a\ncollect(2)\n"),
        Once(
            "cpython-3.8+bug-skip-first-clear",
            "a = Node()\na[0] = a\nb = Typed()\nb[3] = b\ndel a\ndel b\ncollect(2)\n",
        ),
    ),
    pair(
        Entry(Expectation::SaveAll),
        Invariant::I21,
        // Set by what clearing the first object runs: the other one is saved, and holds it.
        Once(
            "cpython-3.12",
            "def A():\n    gc.set_debug(DEBUG_SAVEALL)\n\na = Node()\na[0] = Node()\na[1] = Node(legacy=A)\na[0][0] = a[0]\n\
             a[0][1] = a\ndel a\ncollect(2)\n",
        ),
        // The same, and an object that nothing saved is not cleared.
        Once(
            "cpython-3.12+bug-skip-first-clear",
            "def A():\n    gc.set_debug(DEBUG_SAVEALL)\n\nc = Node()\nc[0] = c\na = Node()\na[0] = Node()\na[1] = Node(legacy=A)\n\
             a[0][0] = a[0]\na[0][1] = a\ndel c\ndel a\ncollect(2)\n",
        ),
    ),
    pair(
        Entry(Expectation::CountedEarly),
        Invariant::I21,
        Once("cpython-3.7.0", "def A():\n    b = self\n\na = Node(finalizer=A)\na[0] = a\ndel a\ncollect(2)\n"),
        Once(
            "cpython-3.7.0+bug-count-one-more",
            "def A():\n    pass\n\na = Node(finalizer=A)\na[0] = a\ndel a\ncollect(2)\n",
        ),
    ),
    Pair {
        cause: Entry(Expectation::TrashcanLeftover),
        invariant: Invariant::I37,
        own: Once(
            "cpython-3.7",
            "def A():\n    a = Instance()\n    a[0] = b\n    b = a\n\nrepeat(60, A)\ndel a\ndel b\n",
        ),
        // What is being deallocated does not wait.
        beside: (Invariant::I37, Events(R37, dies_for_ever)),
    },
];

/// A deallocation begins and does not end.
fn dies_for_ever(s: &mut Stream) {
    let a = s.node(0);
    s.var(0, None);
    s.events.push(Event::Dealloc { object: a });
    s.end(&[(a, 0, Spot::Untracked)], &[]);
}
