//! Verifies: repeating a scenario in one heap, with everything dropped and collected three times after each round,
//! leaves neither more objects nor more references after warm-up; and, where the subject can tell, repeating it from a
//! fresh heap in one process leaves neither more references in the whole process nor more blocks of memory: the oracle
//! of `regrtest -R 5:4`, a leak if every counted round adds at least one.
//!
//! Does not verify: leaks that do not happen every time.

use super::super::description::{Description, Ground};
use super::super::shadow::Fault;
use super::super::violation::{Class, Detail, Phase, Violation};
use super::super::violations::planted;
use super::super::{Invariant, Judge};
use super::{record, undefined};
use crate::event::Event;
use crate::scenario::{Base, MAX_OPS, Op, Place, Scenario, Shape};
use crate::subject::{Declaration, Expectation, Failure, Needs, Subject};

pub(crate) const DESCRIPTION: Description = Description {
    statement: "Repeating a scenario leaves the numbers of objects and references constant after warm-up (5 warm-ups, 4 counted \
                rounds, a leak if each of them adds at least one).",
    premises: "Every type that holds something of what is left takes part fully; otherwise type-fault, as functions before 3.8 do \
               not. Documented for what they hold: legacy finalizers, the type edge before 3.9, a `finalize` whose function or \
               argument owns its object.",
    not: "Leaks that do not happen every time; what the scenario's own code still holds, in variables, `gc.callbacks` or \
          `gc.garbage`, by `gc.freeze()`, or because a script made or saved it in the last collection; \
          what a process holds where the library's own `finalize`, `WeakSet` or `WeakValueDictionary` takes part; runs of more than 262,144 events.",
    rests: &[Ground::Liveness],
    needs: Needs::SNAPSHOTS.and(Needs::COUNTS),
    asks: &[
        Expectation::LegacyFinalizer,
        Expectation::DelUncollectable,
        Expectation::FunctionClear,
        Expectation::TypeEdge,
        Expectation::FinalizeOwns,
    ],
    sentence: "each round leaves more {observed} behind, {expected} in the last one",
};

/// Rounds that are run and not counted.
pub const WARM_UPS: usize = 5;
/// Rounds that are counted.
pub const RUNS: usize = 4;

/// What is counted in the heap.
const OBJECTS: &str = "objects";
const REFERENCES: &str = "references";

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

/// Who is to blame for what the counted rounds have left, as the last snapshot shows it. Nothing if the scenario's own code
/// holds all of it.
fn blame(scenario: &Scenario, events: &[Event], declaration: &Declaration, ends: &[u32]) -> Option<Fault> {
    let mut judge = Judge::new();
    judge.start(scenario, declaration);
    judge.take(events);
    judge.finish();
    let (first, last, end) = (first_of(events, ends[WARM_UPS - 1]), first_of(events, ends[ends.len() - 2]), u32::MAX);
    // What the last round made may only be late.
    let shadow = judge.shadow_mut();
    let objects = shadow.left_behind(first..last).or_else(|| shadow.left_behind(last..end));
    objects.or_else(|| shadow.references_left_behind())
}

/// The number of the first object that is created after an operation.
fn first_of(events: &[Event], op: u32) -> u32 {
    let after = events.iter().skip_while(|event| !matches!(event, Event::Step { op: at } if *at > op));
    let created =
        |event: &Event| if let Event::New { object, .. } = event { Some(object.index() as u32) } else { None };
    after.filter_map(created).next().unwrap_or(u32::MAX)
}

/// True if every counted round adds at least one; and how many the last one adds.
fn leak(sizes: &[i64]) -> Option<i64> {
    let deltas: Vec<i64> = sizes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let counted = deltas.get(WARM_UPS - 1..)?;
    counted.last().copied().filter(|_| counted.iter().all(|delta| *delta >= 1))
}

/// What is counted, in words, and how much there is of it after each round.
type Sizes = (&'static str, Vec<i64>);

/// What a process holds after each round. What looks like a leak in one that has run other scenarios counts if it is there in
/// a fresh one.
fn sizes_of_process(subject: &mut dyn Subject, scenario: &Scenario) -> Result<Option<[Sizes; 2]>, Failure> {
    for fresh in [false, true] {
        if fresh {
            subject.restart();
        }
        let Some(memory) = subject.memory(scenario, WARM_UPS + RUNS)? else { return Ok(None) };
        let references: Vec<i64> = memory.iter().filter_map(|m| m.references).collect();
        let blocks: Vec<i64> = memory.iter().filter_map(|m| m.blocks).collect();
        let sizes = [("references in the whole process", references), ("blocks of memory", blocks)];
        if fresh || sizes.iter().all(|(_, sizes)| leak(sizes).is_none()) {
            return Ok(Some(sizes));
        }
    }
    Ok(None)
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
    let askable = DESCRIPTION.fits(declaration);
    let Some((rounds, ends)) = repeated(scenario).filter(|_| askable) else { return Ok(None) };
    let events = record(subject, &rounds)?;
    let in_heap = sizes(&events, &ends);
    if undefined(&events) || in_heap.len() != ends.len() {
        return Ok(None);
    }
    let column = |what: usize| in_heap.iter().map(|size| size[what]).collect::<Vec<i64>>();
    let mut found = [(OBJECTS, column(0)), (REFERENCES, column(1))].to_vec();
    let library = |shape: Shape| shape == Shape::Finalize || shape.is_library_container();
    let has_library = |op: &Op| matches!(op, Op::New { kind, .. } if library(kind.shape));
    if found.iter().all(|(_, sizes)| leak(sizes).is_none())
        && !scenario.ops().iter().any(has_library)
        && let Some(sizes) = sizes_of_process(subject, scenario)?
    {
        found.extend(sizes);
    }
    let Some((words, last)) = found.into_iter().find_map(|(words, sizes)| Some((words, leak(&sizes)?))) else {
        return Ok(None);
    };
    let of_process = ![OBJECTS, REFERENCES].contains(&words);
    let (class, why) = match blame(&rounds, &events, declaration, &ends) {
        None if of_process => (Class::Collector, None),
        None | Some(Fault::Unclear) => return Ok(None),
        Some(Fault::Collector) => (Class::Collector, None),
        Some(Fault::Type) => (Class::TypeFault, None),
        Some(Fault::Documented(why)) => (Class::Documented, Some(why)),
    };
    Ok(planted(Violation {
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
    }))
}
