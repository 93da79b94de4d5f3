//! What an invariant sees, it sees in other circumstances too: in collections of every generation, beside objects that have
//! nothing to do with it, and inside of other code.

use super::stream::{Stream, finalizable, hidden};
use super::*;
use crate::event::{Code, Spot};
use crate::scenario::{Clear, Finalizer, Kind, ScriptId, Shape, SlotSet, Tracking};

/// The classes in which a case's invariant is broken by its stream after what something else has prepared.
fn seen(case: &Case, prepare: impl FnOnce(&mut Stream)) -> Vec<Class> {
    let mut stream = Stream::new();
    prepare(&mut stream);
    (case.write)(&mut stream, true);
    let mut judge = Judge::new();
    let found = judge.judge(&stream.scenario(), &stream.events, &case.declaration()).iter();
    found.filter(|v| v.invariant == case.invariant).map(|v| v.class).collect()
}

/// Asserts that every case is seen in the same class in a stream that something else has prepared, but for those of some
/// invariants.
fn sees_the_same(what: &str, but_for: &[Invariant], mut prepare: impl FnMut(&mut Stream)) {
    let mut stream = Stream::new();
    prepare(&mut stream);
    // A flag of the mutator's is set by its own operations, not by a script's; collections call callbacks before finalizers.
    let of_mutator = [(Invariant::I02, Class::Documented), (Invariant::I17, Class::Unpromised)];
    let elsewhere = |case: &Case| stream.in_script && of_mutator.contains(&(case.invariant, case.class));
    let asked = cases().filter(|case| !but_for.contains(&case.invariant) && !elsewhere(case));
    let seen = asked.map(|case| (case.invariant.code(), case.class, seen(case, &mut prepare)));
    let unlike: Vec<_> = seen.filter(|(_, class, seen)| !seen.contains(class)).collect();
    assert!(unlike.is_empty(), "{what}: not seen as they should be: {unlike:?}");
}

#[test]
fn in_collections_of_every_generation() {
    for (generation, automatic) in [(0, false), (0, true), (1, false), (1, true), (2, true)] {
        let mut but_for = vec![];
        // Of full collections that are asked for; of full ones.
        but_for.push(Invariant::I20);
        if generation < 2 {
            but_for.push(Invariant::I40);
        }
        // What its case shows is where survivors of generation 0 belong.
        if generation == 0 {
            but_for.push(Invariant::I32);
        }
        let what = format!("generation {generation}, automatic: {automatic}");
        sees_the_same(&what, &but_for, |s| (s.generation, s.automatic) = (generation, automatic));
    }
}

/// Ways not to take part in collection as the protocol asks, and others that excuse something.
fn peculiar() -> [Kind; 8] {
    let node = Kind::new(Shape::Node);
    [
        Kind { hidden: SlotSet(1), ..node },
        Kind { clear: Clear::Missing, ..node },
        Kind { clear: Clear::Keeps(SlotSet::ALL), ..node },
        Kind { tracking: Tracking::NoHeader, ..node },
        Kind { tracking: Tracking::Untracked, ..node },
        Kind { finalizer: Some(Finalizer::Legacy(ScriptId(3))), ..node },
        Kind { on_dealloc: Some(ScriptId(3)), ..node },
        finalizable(),
    ]
}

#[test]
fn beside_types_with_faults() {
    for kind in peculiar() {
        // It blames any type with a fault.
        sees_the_same(&format!("beside {kind:?}"), &[Invariant::I20], |s| {
            s.held(900, kind);
        });
    }
}

/// A collection, which some cases have, does not run inside of another one, and some invariants look only where nothing else runs.
#[test]
fn inside_of_other_code() {
    use Invariant::*;
    let at_rest = [I20, I30, I39, I40];
    sees_the_same("in a call", &at_rest, |s| {
        let callable = s.callable(900);
        s.enter(Code::Call, callable, None);
        s.in_script = true;
    });
    sees_the_same("in a finalizer", &at_rest, |s| {
        let dies = s.finalizable(900);
        s.var(900, None);
        s.enter(Code::Finalizer, dies, None);
        s.in_script = true;
    });
    let collect = [I03, I08, I09, I12, I15, I19, I20, I21, I22, I26, I30, I32, I39, I40, I52];
    sees_the_same("in a finalizer that a collection calls", &collect, |s| {
        let trash = s.finalizable(900);
        s.slot(trash, 0, Some(trash));
        s.var(900, None);
        s.collect(&[(trash, 1, Spot::Gen0)], &[]);
        s.enter(Code::Finalizer, trash, None);
        s.in_script = true;
    });
}

#[test]
fn in_every_phase() {
    use Invariant::*;
    let collect = [I03, I08, I09, I12, I15, I19, I20, I21, I22, I26, I30, I32, I39, I40, I52];
    // Entries hide what the collection has done before them.
    let hidden_before = [&collect[..], &[I16]].concat();
    sees_the_same("in an entry of gc.callbacks", &hidden_before, |s| {
        let entry = s.callable(900);
        s.collect(&[(entry, 1, Spot::Gen0)], &[]);
        s.enter(Code::GcCallback, entry, None);
        s.in_script = true;
    });
    sees_the_same("in a callback that a collection calls", &collect, |s| {
        let (trash, callable) = (s.node(900), s.callable(901));
        let weak = s.weak(902, trash, Some(callable));
        s.slot(trash, 0, Some(trash));
        s.var(900, None);
        let lines = [(trash, 1, Spot::Gen0), (callable, 2, Spot::Gen0), (weak, 1, Spot::Gen0)];
        s.collect(&lines, &[(weak, Some(trash), true)]);
        s.enter(Code::Callback, callable, Some(weak));
        s.in_script = true;
    });
    sees_the_same("in a finalizer that runs while a collection clears", &collect, |s| {
        let (trash, dies) = (s.held(900, hidden(2)), s.finalizable(901));
        s.slot(trash, 0, Some(trash));
        s.slot(trash, 1, Some(dies));
        s.var(900, None);
        s.var(901, None);
        s.collect(&[(trash, 1, Spot::Gen0), (dies, 1, Spot::Gen0)], &[]);
        s.clear(trash);
        s.enter(Code::Finalizer, dies, None);
        s.in_script = true;
    });
}

#[test]
fn of_every_shape() {
    for shape in [Shape::Typed, Shape::List, Shape::Dict, Shape::Instance, Shape::Slotted, Shape::Cell] {
        // It counts the allocations of what is tracked.
        sees_the_same(&format!("of {shape:?}"), &[Invariant::I39], |s| s.node_shape = shape);
    }
}

#[test]
fn of_every_kind_of_weak_reference() {
    for shape in [Shape::Proxy, Shape::KeyedRef] {
        sees_the_same(&format!("of {shape:?}"), &[], |s| s.weak_shape = shape);
    }
}
