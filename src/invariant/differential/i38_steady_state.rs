//! Verifies: repeating a scenario in one heap, with everything dropped and collected three times after each round,
//! leaves neither more objects nor more references after warm-up; and, where the subject can tell, repeating it from a
//! fresh heap in one process leaves neither more references in the whole process nor more blocks of memory: the oracle
//! of `regrtest -R 5:4`, a leak if every counted round adds at least one.
//!
//! Does not verify: leaks that do not happen every time.

use super::super::Invariant;
use super::super::description::{Description, Ground};
use super::super::shadow::Facts;
use super::super::violation::{Class, Detail, Phase, Violation};
use super::super::violations::planted;
use super::{record, undefined};
use crate::event::{Event, Role};
use crate::scenario::{Base, MAX_OPS, Op, Place, Scenario, Shape};
use crate::subject::{Declaration, Expectation, Expectations, Failure, Needs, Subject};

pub(crate) const DESCRIPTION: Description = Description {
    statement: "Repeating a scenario leaves the numbers of objects and references constant after warm-up (5 warm-ups, 4 counted \
                rounds, a leak if each of them adds at least one).",
    premises: "Every type takes part fully; otherwise type-fault, as functions before 3.8 do not. Documented: legacy \
               finalizers, the type edge before 3.9, values of weak-key dictionaries, `finalize`.",
    not: "Leaks that do not happen every time; runs of more than 262,144 events.",
    rests: &[Ground::Liveness],
    needs: Needs::SNAPSHOTS.and(Needs::COUNTS),
    asks: &[
        Expectation::LegacyFinalizer,
        Expectation::DelUncollectable,
        Expectation::EmptySlots,
        Expectation::FunctionClear,
        Expectation::TypeEdge,
        Expectation::NoEphemerons,
        Expectation::FinalizeOwns,
    ],
    sentence: "each round leaves more {observed} behind, {expected} in the last one",
};

/// Rounds that are run and not counted.
pub const WARM_UPS: usize = 5;
/// Rounds that are counted.
pub const RUNS: usize = 4;

fn places(op: &Op) -> Vec<Place> {
    match *op {
        Op::New { dst, items, .. } => vec![dst, items[0], items[1]],
        Op::Set { dst, src } => vec![dst, src],
        op => op.target().into_iter().collect(),
    }
}

/// The scenario that repeats another one with a clean-up after each round, and the index of the last operation of
/// each round. Nothing if it would be too long.
pub fn repeated(scenario: &Scenario) -> Option<(Scenario, Vec<u32>)> {
    let mut bodies = scenario.to_bodies();
    let round = bodies.first()?.clone();
    let vars = scenario.ops().iter().flat_map(places).filter_map(|p| match p.base {
        Base::Var(v) => Some(v),
        _ => None,
    });
    let vars: std::collections::BTreeSet<u16> = vars.collect();
    let mut clean = Vec::new();
    for _ in 0..3 {
        // Every time: what dies in one pass may freeze, save or hook in again.
        clean.extend([
            Op::CollectAtAllocation { after: 0, generation: 0 },
            Op::Disable,
            Op::SaveAll { on: false },
            Op::Unfreeze,
            Op::EmptyGcCallbacks,
        ]);
        clean.extend(vars.iter().map(|v| Op::Set { dst: Place::var(*v), src: Place::NOTHING }));
        clean.push(Op::EmptyGarbage);
        clean.push(Op::Collect { generation: 2 });
    }
    let rounds = WARM_UPS + RUNS;
    if scenario.ops().len() + rounds * (round.len() + clean.len()) > MAX_OPS {
        return None;
    }
    let mut main = Vec::new();
    let mut ends = Vec::new();
    for _ in 0..rounds {
        main.extend_from_slice(&round);
        main.extend_from_slice(&clean);
        ends.push(main.len() as u32 - 1);
    }
    bodies[0] = main;
    Some((Scenario::from_bodies(&bodies), ends))
}

/// Objects and references in the first snapshot after each of the given operations.
fn sizes(events: &[Event], ends: &[u32]) -> Vec<[i64; 2]> {
    let mut sizes = Vec::new();
    let mut ends = ends.iter();
    let mut next = ends.next();
    let (mut inside, mut collected, mut counting) = (false, false, false);
    let mut size = [0i64; 2];
    for event in events {
        match event {
            Event::State { refcount, .. } if counting => {
                size[0] += 1;
                size[1] += i64::from(*refcount);
            }
            Event::State { .. } | Event::Weak { .. } | Event::Garbage { .. } => {}
            other => {
                if counting {
                    sizes.push(std::mem::take(&mut size));
                    (counting, inside, collected) = (false, false, false);
                    next = ends.next();
                }
                match other {
                    Event::Step { op } => inside = Some(op) == next,
                    Event::CollectEnd { .. } => collected = inside,
                    Event::Snapshot => counting = collected,
                    _ => {}
                }
            }
        }
    }
    if counting {
        sizes.push(size);
    }
    sizes
}

fn class(scenario: &Scenario, expectations: &Expectations) -> (Class, Option<Expectation>) {
    let mut found = (Class::Collector, None);
    for op in scenario.ops() {
        if matches!(op, Op::Untrack { .. }) {
            return (Class::TypeFault, None);
        }
        let Some(kind) = op.kind() else { continue };
        let facts = Facts::of(kind, Role::Named, expectations);
        let incomplete = facts.shape() == Shape::Function && !facts.is(Facts::HAS_CLEAR);
        if facts.is(Facts::FAULTY) || incomplete {
            return (Class::TypeFault, None);
        }
        let reasons = [
            (facts.is(Facts::LEGACY), Expectation::LegacyFinalizer),
            (facts.is(Facts::FINALIZER), Expectation::DelUncollectable),
            (facts.shape() == Shape::Typed, Expectation::TypeEdge),
            (facts.shape() == Shape::Bare && facts.is(Facts::FINALIZER), Expectation::EmptySlots),
            (facts.shape() == Shape::Finalize, Expectation::FinalizeOwns),
            (facts.shape() == Shape::WeakKeyDict, Expectation::NoEphemerons),
        ];
        if let Some((_, why)) = reasons.into_iter().find(|(applies, why)| *applies && expectations.holds(*why)) {
            found = (Class::Documented, Some(why));
        }
    }
    found
}

/// True if every counted round adds at least one; and how many the last one adds.
fn leak(sizes: &[i64]) -> Option<i64> {
    let deltas: Vec<i64> = sizes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let counted = deltas.get(WARM_UPS - 1..)?;
    counted.last().copied().filter(|_| counted.iter().all(|delta| *delta >= 1))
}

/// Runs the scenario nine times in one heap, and nine times in one process, and looks for a leak.
///
/// # Errors
/// [`Failure`] if the run broke off.
pub fn steady_state(
    subject: &mut dyn Subject,
    scenario: &Scenario,
    declaration: &Declaration,
) -> Result<Option<Violation>, Failure> {
    let expectations = &declaration.expectations;
    let askable = DESCRIPTION.fits(declaration);
    let Some((rounds, ends)) = repeated(scenario).filter(|_| askable) else { return Ok(None) };
    let events = record(subject, &rounds)?;
    let in_heap = sizes(&events, &ends);
    if undefined(&events) || in_heap.len() != ends.len() {
        return Ok(None);
    }
    let column = |what: usize| in_heap.iter().map(|size| size[what]).collect::<Vec<i64>>();
    let mut found = [("objects", column(0)), ("references", column(1))].to_vec();
    if found.iter().all(|(_, sizes)| leak(sizes).is_none())
        && let Some(memory) = subject.memory(scenario, WARM_UPS + RUNS)?
    {
        found.push(("references in the whole process", memory.iter().filter_map(|m| m.references).collect()));
        found.push(("blocks of memory", memory.iter().filter_map(|m| m.blocks).collect()));
    }
    Ok(found.into_iter().find_map(|(words, sizes)| {
        let last = leak(&sizes)?;
        // What the trashcan keeps counts too: it may be late, and here more of it stays with every round.
        let (class, why) = class(scenario, expectations);
        planted(Violation {
            invariant: Invariant::I38,
            class,
            why,
            phase: Phase::Mutator,
            event: None,
            step: None,
            object: None,
            other: None,
            expected: Detail::Count(last as u32),
            observed: Detail::Words(words),
        })
    }))
}
