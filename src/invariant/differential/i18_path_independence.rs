//! Verifies: an object that dies because its last reference goes, and the same object with an edge to itself that dies in
//! a collection, have the same finalizer calls, callbacks and answers of weak references, and the same fate.
//!
//! Does not verify: order (I17); scenarios with `DEBUG_SAVEALL` or frozen objects, in which collections are special;
//! objects without a free slot that the collector sees and clears.
//!
//! No text promises that the two deaths are the same. PEP 442 has callbacks before finalizers in a collection, and lets
//! weak references to what was saved be dead: a difference that follows from that is documented. It is the collector's fault
//! where a finalizer or callback is missing, or called twice, in one of the deaths, which is promised for both.

use super::super::description::{Description, Ground};
use super::super::shadow::{Facts, NONE, Shadow};
use super::super::violation::{Class, Detail, Phase, Violation};
use super::super::violations::class_of;
use super::super::{Invariant, Judge};
use super::{record, undefined};
use crate::event::{Code, Event, ObjId, Role};
use crate::scenario::{NODE_SLOTS, Op, Place, Scenario};
use crate::subject::{Declaration, Expectation, Failure, Needs, Promise, Subject};

pub(crate) const DESCRIPTION: Description = Description {
    statement: "What is observed of an object's death (finalizer, callbacks, answers of weak references, resurrection) is the \
                same if its reference count falls to 0 and if it carries an extra edge to itself and dies in a collection.",
    premises: "No `DEBUG_SAVEALL`, nothing frozen; the object dies by reference count without the extra edge. If in one death \
               nothing is missing or called twice (I07, I10, I14) that is not so in the other, the difference is documented: \
               of order, because it was saved, or of legacy finalizers.",
    not: "Order (I17); runs of more than 262,144 events.",
    rests: &[Ground::Liveness, Ground::Promise(Promise::FinalizedOnce), Ground::Promise(Promise::CallbackDue)],
    needs: Needs::SNAPSHOTS.and(Needs::COUNTS),
    asks: &[
        Expectation::CallbacksFirst,
        Expectation::Resurrection,
        Expectation::LegacyFinalizer,
        Expectation::DelUncollectable,
        Expectation::Finalizers,
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
    let mut found = Vec::new();
    for (var, edge) in shadow.roots().vars().iter().enumerate() {
        let Some(slot) = free_slot(shadow, *edge) else { continue };
        let place = Place::var(var as u16);
        let drop = [Op::Set { dst: place, src: Place::NOTHING }, Op::Collect { generation: 2 }];
        let knot = Op::Set { dst: place.slot(slot), src: place };
        found.push(Variant {
            object: ObjId::from_index(*edge - 1),
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
    let object = shadow.at(edge).filter(|o| o.held() && o.in_edges() == 1 && o.refcount() == 1)?;
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

/// What was observed of the object after the first `from` operations, in no order; and whether it was freed.
fn observed(events: &[Event], object: ObjId, from: u32) -> (Vec<Event>, bool) {
    let mut weaks = Vec::new();
    let (mut seen, mut freed, mut counting) = (Vec::new(), false, false);
    for event in events {
        match *event {
            Event::Step { op } => counting |= op >= from,
            Event::NewWeak { weak, referent, .. } if referent == object => weaks.push(weak),
            Event::Free { object: o } if o == object => freed = true,
            Event::Enter { owner, arg, .. }
                if counting && (owner == object || arg.is_some_and(|a| weaks.contains(&a))) =>
            {
                seen.push(*event);
            }
            Event::Answer { weak, .. } if counting && weaks.contains(&weak) => seen.push(*event),
            _ => {}
        }
    }
    seen.sort_by_key(|e| e.words());
    (seen, freed)
}

/// The finalizers and callbacks that an object's death misses or has too often, each with what it is about.
fn missing(object: ObjId, scenario: &Scenario, events: &[Event], declaration: &Declaration) -> Vec<Broken> {
    let promised = [Invariant::I07, Invariant::I10, Invariant::I14];
    let mut judge = Judge::new();
    let found = judge.judge(scenario, events, declaration).iter();
    let about = found.filter(|v| v.class == Class::Collector && promised.contains(&v.invariant));
    about.filter(|v| [v.object, v.other].contains(&Some(object))).map(|v| (v.invariant, v.object, v.other)).collect()
}

/// An invariant that is broken, and the objects that it is about.
type Broken = (Invariant, Option<ObjId>, Option<ObjId>);

/// Who is to blame that the deaths of an object by reference count and in a collection differ; `stayed` if it survived the
/// collection only.
fn class(
    object: ObjId,
    deaths: [(&Scenario, &[Event]); 2],
    stayed: bool,
    declaration: &Declaration,
) -> (Class, Option<Expectation>) {
    let [plain, knotted] = deaths.map(|(scenario, events)| missing(object, scenario, events, declaration));
    if plain != knotted {
        return (Class::Collector, None);
    }
    let (_, events) = deaths[1];
    let saved = |e: &Event| matches!(e, Event::Enter { code: Code::Finalizer, .. });
    let listed = events.iter().any(|e| matches!(e, Event::Garbage { .. }));
    let whys = [
        (listed, Expectation::DelUncollectable),
        (listed, Expectation::LegacyFinalizer),
        (stayed && events.iter().any(saved), Expectation::Resurrection),
        (true, Expectation::CallbacksFirst),
    ];
    let why = whys.into_iter().find(|(applies, why)| *applies && declaration.expectations.holds(*why));
    why.map_or((Class::Unpromised, None), |(_, why)| (class_of(why), Some(why)))
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
    let mut found = Vec::new();
    for variant in variants(scenario, &events, declaration) {
        let (plain, knotted) = (record(subject, &variant.plain)?, record(subject, &variant.knotted)?);
        if undefined(&plain) || undefined(&knotted) {
            continue;
        }
        let (expected, died) = observed(&plain, variant.object, from);
        let (got, died_too) = observed(&knotted, variant.object, from);
        if expected == got && died == died_too {
            continue;
        }
        let deaths = [(&variant.plain, &plain[..]), (&variant.knotted, &knotted[..])];
        let (class, why) = class(variant.object, deaths, died && !died_too, declaration);
        found.push(Violation {
            invariant: Invariant::I18,
            class,
            why,
            phase: Phase::Mutator,
            event: None,
            step: None,
            object: Some(variant.object),
            other: None,
            expected: Detail::Count(expected.len() as u32),
            observed: Detail::Count(got.len() as u32),
        });
    }
    Ok(found)
}
