//! Verifies: an object that dies because its last reference goes, and the same object with an edge to itself that dies in
//! a collection, have the same finalizer calls, callbacks and answers of weak references, and the same fate.
//!
//! Does not verify: order (I17); scenarios with `DEBUG_SAVEALL` or frozen objects, in which collections are special;
//! objects without a free slot that the collector sees and clears. That the order differs, and what becomes of an object that is
//! saved in a collection, is documented (PEP 442); that a finalizer or a callback runs on one way only is not.

use super::super::description::{Description, Ground};
use super::super::shadow::{Facts, Fate, NONE, Object, Shadow};
use super::super::violation::{Class, Detail, Phase, Violation};
use super::super::violations::{class_of, planted};
use super::super::{Invariant, Judge};
use super::death::Death;
use super::{record, undefined};
use crate::event::{Event, ObjId, Role, Spot};
use crate::scenario::{NODE_SLOTS, Op, Place, Scenario};
use crate::subject::{Declaration, Expectation, Failure, Needs, Promise, Subject};

pub(crate) const DESCRIPTION: Description = Description {
    statement: "What is observed of an object's death (finalizer, callbacks, answers of weak references, resurrection) is the \
                same if its reference count falls to 0 and if it carries an extra edge to itself and dies in a collection.",
    premises: "No `DEBUG_SAVEALL`, nothing frozen; the object dies by reference count without the extra edge. Documented: what \
               weak references answer, which follows from the order, and objects that are saved; weak references that are made \
               in the death, do not outlive it, or are trash that a finalizer saves; legacy finalizers; before 3.8 the trashcan. A fault of its own type \
               makes other differences type-faults, and so does a type that misled about the object in one of the deaths.",
    not: "Order (I17); runs of more than 262,144 events.",
    rests: &[Ground::Liveness, Ground::Promise(Promise::FinalizedOnce), Ground::Promise(Promise::CallbackDue)],
    needs: Needs::SNAPSHOTS.and(Needs::COUNTS),
    asks: &[
        Expectation::CallbacksFirst,
        Expectation::Resurrection,
        Expectation::LegacyFinalizer,
        Expectation::DelUncollectable,
        Expectation::IsolateSaved,
        Expectation::TrashcanLeftover,
    ],
    sentence: "the death of {object} shows {expected} events by reference count and {observed} by collection, not the same ones",
};

/// Highest number of objects of a scenario that are compared.
pub const MAX_VARIANTS: usize = 8;

/// An object to compare, and the two scenarios.
#[derive(Clone, Debug)]
pub struct Variant {
    /// The object that dies.
    pub object: ObjId,
    /// It dies by reference count.
    pub plain: Scenario,
    /// It dies in a collection.
    pub knotted: Scenario,
    facts: Facts,
    /// It was tracked or untracked by hand, or a script may do so while it dies.
    by_hand: bool,
}

/// The objects that the mutator alone holds in a variable at the end, each with its two scenarios.
pub fn variants(scenario: &Scenario, events: &[Event], declaration: &Declaration) -> Vec<Variant> {
    let special = |op: &Op| matches!(op, Op::SaveAll { on: true } | Op::Freeze);
    if scenario.ops().iter().any(special) || undefined(events) {
        return Vec::new();
    }
    let mut judge = Judge::new();
    judge.start(scenario, declaration);
    judge.take(events);
    let shadow = judge.shadow();
    let by_hand = |op: &Op| matches!(op, Op::Untrack { .. } | Op::Track { .. });
    let in_scripts = (1..scenario.bodies()).any(|body| scenario.body(body).iter().any(by_hand));
    let mut found = Vec::new();
    for (var, edge) in shadow.roots().vars().iter().enumerate() {
        let Some(slot) = free_slot(shadow, *edge) else { continue };
        let place = Place::var(var as u16);
        let drop = [Op::Set { dst: place, src: Place::NOTHING }, Op::Collect { generation: 2 }];
        let knot = Op::Set { dst: place.slot(slot), src: place };
        found.push(Variant {
            object: ObjId::from_index(*edge - 1),
            facts: *shadow.objects().all()[*edge as usize - 1].facts(),
            by_hand: in_scripts || shadow.objects().all()[*edge as usize - 1].is(Object::BY_HAND),
            plain: appended(scenario, &drop),
            knotted: appended(scenario, &[knot, drop[0], drop[1]]),
        });
        if found.len() == MAX_VARIANTS {
            break;
        }
    }
    found
}

/// A slot for the extra edge, if the object dies when one variable lets go.
fn free_slot(shadow: &Shadow, edge: u32) -> Option<u8> {
    let alone = |o: &&Object| o.held() && o.in_edges() == 1 && o.refcount() == 1;
    let object = shadow.at(edge).filter(|o| alone(o) && !matches!(o.spot(), Spot::Untracked | Spot::NoHeader))?;
    let facts = object.facts();
    let slotted = facts.shape().facts().slots == NODE_SLOTS;
    if !slotted || facts.is(Facts::NO_HEADER | Facts::UNTRACKED | Facts::LIES) || !facts.is(Facts::HAS_CLEAR) {
        return None;
    }
    let dict = shadow.at(object.slot(0)).filter(|o| o.facts().role() == Role::InstanceDict);
    let holder = dict.unwrap_or(object);
    let blocked = facts.hidden() | facts.kept();
    (0..3u8).find(|slot| holder.slot(*slot) == NONE && blocked & 1 << slot == 0)
}

fn appended(scenario: &Scenario, ops: &[Op]) -> Scenario {
    let mut bodies = scenario.to_bodies();
    if bodies.is_empty() {
        bodies.push(Vec::new());
    }
    bodies[0].extend_from_slice(ops);
    Scenario::from_bodies(&bodies)
}

/// Compares the two deaths of each object that [`variants`] finds.
///
/// # Errors
/// [`Failure`] if a run broke off.
pub fn path_independence(
    subject: &mut dyn Subject,
    scenario: &Scenario,
    declaration: &Declaration,
) -> Result<Vec<Violation>, Failure> {
    if !DESCRIPTION.fits(declaration) {
        return Ok(Vec::new());
    }
    let from = scenario.main().len() as u32;
    let events = record(subject, scenario)?;
    let (mut judge, mut found) = (Judge::new(), Vec::new());
    let variants = variants(scenario, &events, declaration);
    subject.prepare(&variants.iter().flat_map(|v| [&v.plain, &v.knotted]).collect::<Vec<_>>());
    for variant in variants {
        let (plain, knotted) = (record(subject, &variant.plain)?, record(subject, &variant.knotted)?);
        if undefined(&plain) || undefined(&knotted) {
            continue;
        }
        let (expected, got) = (Death::of(&plain, variant.object, from), Death::of(&knotted, variant.object, from));
        if expected.is_as(&got) {
            continue;
        }
        let (mut class, mut why) = expected.blame(&got, &variant.facts, variant.by_hand, &declaration.expectations);
        let misled = |(scenario, events): (&Scenario, &[Event])| {
            judge.start(scenario, declaration);
            judge.take(events);
            judge.shadow().is_misled(Some(variant.object))
        };
        // What another type, or its deallocator, has done to the object in one of the two deaths.
        if class == Class::Collector
            && [(&variant.plain, &plain[..]), (&variant.knotted, &knotted)].into_iter().any(misled)
        {
            class = Class::TypeFault;
        }
        let (silent, saved) = (expected.silent_in(&got), Expectation::Resurrection);
        if class == Class::Collector && !silent.is_empty() && declaration.expectations.holds(saved) {
            judge.start(&variant.knotted, declaration);
            judge.take(&knotted);
            if silent.iter().all(|weak| is_saved_trash(judge.shadow(), *weak)) {
                (class, why) = (class_of(saved), Some(saved));
            }
        }
        found.extend(planted(Violation {
            invariant: Invariant::I18,
            class,
            why,
            phase: Phase::Mutator,
            event: None,
            step: None,
            object: Some(variant.object),
            other: None,
            expected: Detail::Count(expected.seen.len() as u32),
            observed: Detail::Count(got.seen.len() as u32),
        }));
    }
    Ok(found)
}

/// True for a weak reference that was trash itself when it was cleared, without a callback, and that a finalizer saved after
/// that.
fn is_saved_trash(shadow: &Shadow, weak: ObjId) -> bool {
    let died = shadow.weak(weak).map(|record| record.died());
    died.is_some_and(|fate| fate.is(Fate::WEAK) && fate.is(Fate::FINALIZED) && !fate.is(Fate::EARLY))
}
