//! What is no excuse: something in the scenario that has nothing to do with the object, or the collection, that is judged.

use super::*;
use crate::event::{Event, Role};
use crate::scenario::{Kind, Op, Place, ScriptId, Shape};

/// What once silenced an invariant, and a run in which it is beside what goes wrong.
const BESIDE: &[(&str, Invariant, Run)] = &[
    (
        "there is a finalize",
        Invariant::I21,
        Once(
            "cpython-3.12+bug-count-one-more",
            "def A():\n    pass\n\nf = Node()\nc = Node(call=A)\nfinalize(f, c)\na = Node()\na[0] = a\ndel a\ncollect(2)\n",
        ),
    ),
    (
        "a finalize is called by the collection",
        Invariant::I21,
        Once(
            "cpython-3.12+bug-count-one-more",
            "def A():\n    pass\n\na = Node()\na[0] = a\nc = Node(call=A)\nfinalize(a, c)\ndel a\ncollect(2)\n",
        ),
    ),
    (
        "there is a weak container of the library, with an entry that stays",
        Invariant::I21,
        Once(
            "cpython-3.12+bug-count-one-more",
            "w = WeakSet()\nc = Node()\nw[0] = c\na = Node()\na[0] = a\ndel a\ncollect(2)\n",
        ),
    ),
    (
        "an entry of gc.callbacks empties gc.garbage, and nothing was saved there",
        Invariant::I21,
        Once(
            "cpython-3.12+bug-count-one-more",
            "def A():\n    del gc.garbage[:]\n\ndef B():\n    gc.callbacks.append(a)\n\na = Node(call=A)\nb = Node(finalizer=B)\n\
             b[0] = b\ndel b\ncollect(2)\n",
        ),
    ),
    (
        "a script that does not run empties gc.callbacks",
        Invariant::I19,
        Once(
            "cpython-3.12+bug-skip-first-clear",
            "def A():\n    del gc.callbacks[:]\n\nc = Node(call=A)\na = Node()\na[0] = a\ndel a\ncollect(2)\n",
        ),
    ),
    (
        "a script has added an object to gc.callbacks, which was emptied since",
        Invariant::I19,
        Once(
            "cpython-3.12+bug-skip-first-clear",
            "def A():\n    gc.callbacks.append(d)\n\ndef B():\n    pass\n\nd = Node(call=B)\nc = Node(call=A)\na = Node(call=B)\n\
             call(c)\ndel gc.callbacks[:]\na[0] = a\ndel a\ncollect(2)\n",
        ),
    ),
    (
        "a script has added another object to gc.callbacks",
        Invariant::I06,
        Once(
            "cpython-3.12+bug-store-leaks",
            "def A():\n    gc.callbacks.append(d)\n\ndef B():\n    pass\n\nd = Node(call=B)\nc = Node(call=A)\na = Node(call=B)\n\
             call(c)\ne = Node()\ne[0] = a\ne[0] = d\ndel d\ndel e\ncollect(2)\n",
        ),
    ),
    (
        "something raises",
        Invariant::I30,
        Events(R312, |s| {
            s.script(3, &[Op::Raise]);
            let d = s.held(0, Kind::new(Shape::WeakSet));
            let data = s.part(Role::ContainerData);
            s.slot(d, 0, Some(data));
            let v = s.node(1);
            let entry = s.part_of(d, Role::ContainerEntry);
            s.slot(d, 1, Some(v));
            s.events.push(Event::Yielded { container: d, entry });
            s.op(Op::Iterate { container: Place::var(0), script: ScriptId(2) });
            s.events.extend([Event::Yielded { container: d, entry: v }; 2]);
            s.op(Op::Look);
        }),
    ),
];

#[test]
fn what_is_beside_an_object_excuses_nothing() {
    let mut wrong = Vec::new();
    for (what, invariant, run) in BESIDE {
        let found = run.found();
        if class_of(&found, *invariant) != Some(Class::Collector) {
            wrong.push(format!("{what} excuses {invariant}: {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same with the cause on the object itself: nothing is said of what may be an entry.
#[test]
fn what_a_script_may_list_is_excused() {
    for source in [
        // The script adds it, to the list and to the references that are not known.
        "def A():\n    gc.callbacks.append(d)\n\ndef B():\n    pass\n\nd = Node(call=B)\nc = Node(call=A)\ncall(c)\ncollect(2)\n",
        // It is its argument, or in a slot of its owner; or the mutator adds it.
        "def A():\n    gc.callbacks.append(self[0])\n\ndef B():\n    pass\n\nc = Node(call=A)\nc[0] = Node(call=B)\ncall(c)\ncollect(2)\n",
        "def A():\n    a = Node(call=B)\n    gc.callbacks.append(a)\n    del a\n\ndef B():\n    pass\n\nrepeat(3, A)\ncollect(2)\n",
        "def A():\n    del gc.callbacks[:]\n\ndef B():\n    pass\n\nd = Node(call=B)\ngc.callbacks.append(d)\ndel d\ncollect(2)\n",
    ] {
        let found = Once("cpython-3.12", source).found();
        assert!(found.is_empty(), "{source}: {found:#?}");
    }
}

/// A finalizer that makes another object with that finalizer, each time: no round of a repetition ends without one more.
#[test]
fn what_finalizers_make_for_ever_is_no_leak() {
    let chain = "def A():\n    c = Node(finalizer=A)\n    c[0] = c\n    del c\n\na = Node(finalizer=A)\na[0] = a\n";
    let kept = "def A():\n    c = Node(finalizer=A)\n    c[0] = c\n    d = Node()\n    c[1] = d\n    d[0] = c\n    del c\n    del d\n\n\
                a = Node(finalizer=A)\na[0] = a\n";
    let frozen = "def A():\n    c = Node(finalizer=A)\n    c[0] = c\n    del c\n    gc.freeze()\n\na = Node(finalizer=A)\na[0] = a\n";
    let listed = "def A():\n    c = Node(call=B)\n    gc.callbacks.append(c)\n    d = Node(finalizer=A)\n    d[0] = d\n    del c\n    del d\n\n\
                  def B():\n    pass\n\na = Node(finalizer=A)\na[0] = a\n";
    for (name, source) in [("chain", chain), ("kept", kept), ("frozen", frozen), ("listed", listed)] {
        for collector in ["cpython-3.4", "cpython-3.7", "cpython-3.12", "cpython-3.15"] {
            let found = rounds(collector, source);
            assert!(found.iter().all(|v| v.class != Class::Collector), "{name} on {collector}: {found:#?}");
        }
        // What the collector keeps beside it is its own fault.
        let beside = format!("{source}b = Node()\nb[0] = b\ndel b\ncollect(2)\n");
        let found = rounds("cpython-3.12+bug-collection-leaks", &beside);
        assert_eq!(class_of(&found, Invariant::I38), Some(Class::Collector), "{name}");
    }
}

/// What `DEBUG_SAVEALL` has saved, and an entry of `gc.callbacks` has taken out of `gc.garbage` again, is not known to be left.
#[test]
fn what_was_saved_and_let_go_in_one_collection_is_not_counted() {
    let text = "def A():\n    del gc.garbage[:]\n\ndef B():\n    gc.callbacks.append(a)\n\na = Node(call=A)\nb = Node(finalizer=B)\n\
                b[0] = b\ndel b\ngc.set_debug(DEBUG_SAVEALL)\ncollect(2)\n";
    assert_eq!(Once("cpython-3.15", text).found(), []);
}
