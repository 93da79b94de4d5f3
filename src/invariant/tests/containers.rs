//! What is due to weak containers and to `finalize`: entries leave, functions are called, and nothing else does.

use super::cases_weakrefs::weak_value_dict;
use super::stream::Stream;
use super::*;
use crate::event::{Code, Event, ObjId, Role, Spot};
use crate::scenario::{Op, Place, ScriptId};

/// The classes of all violations of an invariant that a scenario shows on a collector.
fn classes(source: &str, collector: &str, invariant: Invariant) -> Vec<Class> {
    let release = Collector::parse(collector).unwrap().release;
    let (found, _) = judged(&format!("coroner 1\n\n{source}"), collector, release);
    found.iter().filter(|v| v.invariant == invariant).map(|v| v.class).collect()
}

/// A `finalize` of a node in variable 0 that calls a node in variable 1: the node, the `finalize`, its weak reference, and
/// what it calls.
fn finalize(s: &mut Stream) -> [ObjId; 4] {
    let a = s.node(0);
    let c = s.callable(1);
    s.op(Op::New { dst: Place::NOTHING, kind: Kind::new(Shape::Finalize), items: [Place::var(0), Place::var(1)] });
    let f = s.part(Role::Named);
    s.slot(f, 0, Some(c));
    let w = s.part(Role::FinalizeRef);
    s.events.push(Event::NewWeak { weak: w, referent: a, callback: Some(f) });
    s.slot(f, 1, Some(w));
    [a, f, w, c]
}

/// The callback of a `finalize`: it leaves the registry, and makes this many calls.
fn called(s: &mut Stream, [_, f, w, c]: [ObjId; 4], calls: usize) {
    s.enter(Code::Callback, f, Some(w));
    s.slot(f, 0, None);
    s.slot(f, 1, None);
    for _ in 0..calls {
        s.enter(Code::Call, c, None);
        s.leave();
    }
    s.leave();
}

#[test]
fn an_entry_is_owed_a_removal() {
    // It stays and nobody calls its callback; it leaves, however that is done; an iteration may put that off.
    for (leaves, iterates, class) in [(false, false, Some(Class::Collector)), (true, false, None), (false, true, None)]
    {
        let mut s = Stream::new();
        let [d, v, _] = weak_value_dict(&mut s, Kind::new(Shape::Node));
        if iterates {
            s.op(Op::Iterate { container: Place::var(0), script: ScriptId(2) });
        }
        s.var(1, None);
        s.events.push(Event::Dealloc { object: v });
        if leaves {
            s.slot(ObjId::from_index(d.index() as u32 + 1), 0, None);
        }
        s.events.push(Event::Free { object: v });
        assert_eq!(super::class(&s, Invariant::I14), class, "leaves: {leaves}, iterates: {iterates}");
    }
}

#[test]
fn a_dead_entry_leaves() {
    // Nobody asks for the length.
    let source = "c = ComposedWeakSet()\na = Node()\nc[0] = a\ndel a\n";
    assert_eq!(classes(source, "cpython-3.12+bug-container-keeps-dead", Invariant::I30), [Class::Collector]);
    assert_eq!(classes(source, "cpython-3.12", Invariant::I30), []);
    // The entry's callback ran: it is only the container that keeps it.
    assert_eq!(classes(source, "cpython-3.12+bug-container-keeps-dead", Invariant::I14), []);
    for kind in ["ComposedWeakValueDictionary", "WeakKeyDictionary"] {
        let source = format!("c = {kind}()\nd = {kind}()\na = Node()\na[0] = Node()\nc[0] = a\nd[0] = a\ndel a\n");
        for invariant in [Invariant::I14, Invariant::I30] {
            let found = classes(&source, "cpython-3.12+bug-lose-dealloc-callbacks", invariant);
            assert_eq!(found, [Class::Collector; 2], "{kind}, {invariant}");
            assert_eq!(classes(&source, "cpython-3.12", invariant), [], "{kind}, {invariant}");
        }
    }
}

/// An iteration may keep dead entries until it ends, and no longer.
#[test]
fn what_leaves_after_an_iteration_is_dead() {
    let source = "def A():\n    del a\n    collect(2)\n\nc = ComposedWeakSet()\na = Node()\nb = Node()\nc[0] = a\nc[1] = b\niterate(c, A)\n";
    assert_eq!(classes(source, "cpython-3.12", Invariant::I30), []);
    let mut s = Stream::new();
    let d = s.held(0, Kind::new(Shape::WeakSet));
    let data = s.part(Role::ContainerData);
    let remove = s.part(Role::ContainerRemove);
    s.slot(d, 0, Some(data));
    s.slot(d, 1, Some(remove));
    let v = s.node(1);
    s.op(Op::Set { dst: Place::var(0).slot(0), src: Place::var(1) });
    let entry = s.part_of(d, Role::ContainerEntry);
    s.events.push(Event::NewWeak { weak: entry, referent: v, callback: Some(remove) });
    s.slot(data, 0, Some(entry));
    s.op(Op::Iterate { container: Place::var(0), script: ScriptId(2) });
    s.events.push(Event::Yielded { container: d, entry: v });
    s.snapshot(&[(v, 2, Spot::Gen0)], &[(entry, Some(v), true)]);
    s.slot(data, 0, None);
    assert_eq!(class(&s, Invariant::I30), Some(Class::Collector));
}

#[test]
fn a_value_leaves_with_its_key() {
    for leaves in [false, true] {
        let mut s = Stream::new();
        let d = s.held(0, Kind::new(Shape::WeakKeyDict));
        let data = s.part(Role::ContainerData);
        let remove = s.part(Role::ContainerRemove);
        s.slot(d, 0, Some(data));
        s.slot(d, 1, Some(remove));
        let key = s.node(1);
        let value = s.node(2);
        s.op(Op::Set { dst: Place::var(0).slot(0), src: Place::var(1) });
        let entry = s.part_of(d, Role::ContainerEntry);
        s.events.push(Event::NewWeak { weak: entry, referent: key, callback: Some(remove) });
        s.slot(data, 0, Some(entry));
        s.slot(data, 1, Some(value));
        s.var(1, None);
        s.events.push(Event::Dealloc { object: key });
        s.enter(Code::Callback, remove, Some(entry));
        s.slot(data, 0, None);
        if leaves {
            s.slot(data, 1, None);
        }
        s.leave();
        s.events.push(Event::Free { object: key });
        s.end(&[], &[]);
        assert_eq!(class(&s, Invariant::I30), (!leaves).then_some(Class::Collector));
    }
}

#[test]
fn a_finalize_is_owed_a_call() {
    for hears in [false, true] {
        let mut s = Stream::new();
        let all = finalize(&mut s);
        s.var(0, None);
        s.events.push(Event::Dealloc { object: all[0] });
        if hears {
            called(&mut s, all, 1);
        }
        s.events.push(Event::Free { object: all[0] });
        assert_eq!(class(&s, Invariant::I14), (!hears).then_some(Class::Collector));
    }
    let source = "def A():\n    pass\n\na = Node()\nc = Node(call=A)\nfinalize(a, c)\nfinalize(a, c)\ndel a\n";
    for invariant in [Invariant::I14, Invariant::I30] {
        assert_eq!(
            classes(source, "cpython-3.12+bug-lose-dealloc-callbacks", invariant),
            [Class::Collector; 2],
            "{invariant}"
        );
        assert_eq!(classes(source, "cpython-3.12", invariant), [], "{invariant}");
    }
}

#[test]
fn a_finalize_leaves_the_registry() {
    // Its callback runs and does nothing.
    for leaves in [false, true] {
        let mut s = Stream::new();
        let all = finalize(&mut s);
        s.var(0, None);
        s.events.push(Event::Dealloc { object: all[0] });
        if leaves {
            called(&mut s, all, 1);
        } else {
            s.enter(Code::Callback, all[1], Some(all[2]));
            s.leave();
        }
        s.events.push(Event::Free { object: all[0] });
        s.end(&[], &[]);
        assert_eq!(class(&s, Invariant::I30), (!leaves).then_some(Class::Collector));
    }
}

#[test]
fn a_finalize_calls_once() {
    for calls in 0..3 {
        let mut s = Stream::new();
        let all = finalize(&mut s);
        s.var(0, None);
        s.events.push(Event::Dealloc { object: all[0] });
        called(&mut s, all, calls);
        s.events.push(Event::Free { object: all[0] });
        s.end(&[], &[]);
        assert_eq!(class(&s, Invariant::I14), (calls != 1).then_some(Class::Collector), "{calls} calls");
    }
    // The mutator may call it first.
    let source = "def A():\n    pass\n\na = Node()\nc = Node(call=A)\nf = finalize(a, c)\ncall(f)\ncall(c)\ndel a\n";
    assert_eq!(classes(source, "cpython-3.12", Invariant::I14), []);
}

#[test]
fn a_finalize_that_owns_its_object_keeps_it() {
    let source = "def A():\n    pass\n\na = Node(call=A)\nfinalize(a, a)\ndel a\ncollect(2)\n";
    assert_eq!(classes(source, "cpython-3.12", Invariant::I40), [Class::Documented]);
    // Something else holds the object; or the function does not.
    let held = "def A():\n    pass\n\na = Node(call=A)\nfinalize(a, a)\ncollect(2)\n";
    let other = "def A():\n    pass\n\na = Node()\nc = Node(call=A)\nfinalize(a, c)\ncollect(2)\n";
    for source in [held, other] {
        assert_eq!(classes(source, "cpython-3.12", Invariant::I40), []);
    }
}

/// A finalizer saves a container, whose entry and whose reference to itself are dead by then: it never hears of deaths again.
#[test]
fn what_was_saved_has_lost_its_weak_references() {
    let entry = "def A():\n    b = self\n\na = Node(finalizer=A)\na[0] = a\nc = ComposedWeakSet()\na[1] = c\nd = Node()\nd[0] = d\nc[0] = d\n\
                 del a\ndel c\ndel d\ncollect(2)\nlen(b[1])\n";
    let later = "def A():\n    b = self\n\na = Node(finalizer=A)\na[0] = a\nc = ComposedWeakSet()\na[1] = c\nd = Node()\nc[0] = d\n\
                 del a\ndel c\ncollect(2)\ndel d\nlen(b[1])\n";
    for (name, source) in
        [("cpython-3.12", entry), ("cpython-3.15", entry), ("cpython-3.7", later), ("cpython-3.12", later)]
    {
        let found = classes(source, name, Invariant::I30);
        assert!(!found.is_empty() && found.iter().all(|class| *class == Class::Documented), "{name}: {found:?}");
    }
    // What is added to the container afterwards stays as well; what another container holds does not.
    let beside = format!("{}e = ComposedWeakSet()\nf = Node()\ne[0] = f\ndel f\nlen(e)\n", entry);
    let found = classes(&beside, "cpython-3.12+bug-container-keeps-dead", Invariant::I30);
    assert!(found.contains(&Class::Collector), "{found:?}");
}
