//! What excuses that finalizers run again, and that what they save, or keep as uncollectable, stays.

use super::super::stream::finalizable;
use super::*;
use crate::event::Code;
use crate::scenario::{Finalizer, Kind, ScriptId, Shape, Tracking};

pub(super) const PAIRS: &[Pair] = &[
    pair(
        Entry(Expectation::LegacyFinalizer),
        Invariant::I38,
        Rounds("cpython-3.12", "def A():\n    pass\n\na = Node(legacy=A)\na[0] = a\n"),
        Rounds(
            "cpython-3.12+bug-collection-leaks",
            "def A():\n    pass\n\na = Node(legacy=A)\nb = Node()\nb[0] = b\ndel b\ncollect(2)\n",
        ),
    ),
    Pair {
        cause: Entry(Expectation::DelUncollectable),
        invariant: Invariant::I38,
        own: Rounds("cpython-2.7", "def A():\n    pass\n\na = Slotted(finalizer=A)\na[0] = a\n"),
        beside: (
            Invariant::I19,
            Once(
                "cpython-2.7+bug-skip-first-clear",
                "def A():\n    pass\n\na = Node()\na[0] = a\nb = Slotted(finalizer=A)\nb[0] = b\ndel a\ndel b\ncollect(2)\n",
            ),
        ),
    },
    pair(
        Entry(Expectation::NoFinalizedBit),
        Invariant::I07,
        Once("cpython-3.12", "def A():\n    b = self\n\na = Node(gc=no, finalizer=A)\ndel a\ndel b\n"),
        Events(R312, |s| finalized_twice(s, Kind { tracking: Tracking::NoHeader, ..finalizable() }, Code::Finalizer)),
    ),
    pair(
        Entry(Expectation::NoBitBefore34),
        Invariant::I07,
        Once("cpython-2.7", "def A():\n    b = self\n\na = Slotted(finalizer=A)\ndel a\ndel b\n"),
        Events(R27, |s| finalized_twice(s, finalizable(), Code::Finalizer)),
    ),
    pair(
        Entry(Expectation::LegacyEachTime),
        Invariant::I07,
        Once("cpython-3.12", "def A():\n    b = self\n\na = Node(legacy=A)\ndel a\ndel b\n"),
        Events(R312, |s| {
            let kind = Kind { finalizer: Some(Finalizer::Legacy(ScriptId(0))), ..Kind::new(Shape::Node) };
            finalized_twice(s, kind, Code::LegacyFinalizer);
        }),
    ),
    pair(
        Entry(Expectation::EmptySlots),
        Invariant::I07,
        Once("cpython-3.8.0", "def A():\n    b = self\n\na = Bare(finalizer=A)\ndel a\ndel b\n"),
        Events(R38, |s| {
            let kind = Kind { finalizer: Some(Finalizer::Modern(ScriptId(0))), ..Kind::new(Shape::Bare) };
            finalized_twice(s, kind, Code::Finalizer);
        }),
    ),
    pair(
        Entry(Expectation::RetrackedYoung),
        Invariant::I32,
        Once("cpython-3.12", "def A():\n    b = self\n\na = Slotted(finalizer=A)\ncollect(2)\ndel a\ncollect(0)\n"),
        // Saved so, long ago.
        Once(
            "cpython-3.12+bug-survivors-get-younger",
            "def A():\n    b = self\n\na = Slotted(finalizer=A)\ndel a\ncollect(2)\ncollect(2)\ncollect(2)\n",
        ),
    ),
    pair(
        Entry(Expectation::IsolateSaved),
        Invariant::I22,
        Once(
            "cpython-3.7",
            "def A():\n    b = self\n\na = Node(finalizer=A)\na[0] = a\nc = Node()\nc[0] = c\ndel a\ndel c\ncollect(2)\n",
        ),
        // Nothing was saved.
        Once(
            "cpython-3.7+bug-skip-first-clear",
            "def A():\n    pass\n\nc = Node()\nc[0] = c\na = Node(finalizer=A)\na[0] = a\ndel a\ndel c\ncollect(2)\n",
        ),
    ),
];

/// The finalizer of an object that nothing saves runs a second time; another object's was saved by its own.
fn finalized_twice(s: &mut Stream, kind: Kind, code: Code) {
    let a = s.held(0, kind);
    s.var(0, None);
    for _ in 0..2 {
        s.enter(code, a, None);
        s.leave();
    }
    s.die(a);
}
