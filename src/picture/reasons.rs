//! Why user code runs, and what phases decide, in words for the reader of one frame.

use std::collections::BTreeSet;

use super::heap_state::{HeapState, Life, Link, Part};
use crate::event::{Code, Event, ObjId};
use crate::explain::Run;
use crate::model::machine::PhasePoint;

/// How many names are listed before the rest is counted.
const MOST_NAMES: usize = 8;

/// Why an event happens, if it is the start of user code or the end of a life.
pub fn why(
    run: &Run<'_>,
    heap: &HeapState,
    event: &Event,
    trash: Option<&BTreeSet<ObjId>>,
    clearing: Option<ObjId>,
) -> Option<String> {
    let name = |object: ObjId| run.names.label(object);
    let life = |object: ObjId| heap.objects.get(&object).map(|state| state.life);
    let is_trash = |object: ObjId| trash.is_some_and(|trash| trash.contains(&object));
    let while_clearing = || match clearing {
        Some(object) => format!(", while the collector clears {}", name(object)),
        None => String::new(),
    };
    Some(match *event {
        Event::Enter { code: Code::Callback, arg: Some(weak), .. } => {
            let referent = run.referent_of(weak)?;
            match life(referent) {
                Some(Life::Dying | Life::Dead) => {
                    format!("why: {}, its referent, has died{}", name(referent), while_clearing())
                }
                _ if is_trash(referent) && !is_trash(weak) => {
                    format!("why: {}, its referent, is trash, and {} itself is not", name(referent), name(weak))
                }
                _ if is_trash(referent) => format!("why: {}, its referent, is trash", name(referent)),
                _ => format!("why: {}, its referent, is going", name(referent)),
            }
        }
        Event::Enter { code: Code::Finalizer | Code::LegacyFinalizer, owner, .. } => match life(owner) {
            _ if is_trash(owner) && heap.objects.get(&owner).is_some_and(|state| state.refs > 0) => {
                format!("why: {} is trash", name(owner))
            }
            _ => format!("why: the last reference to {} is gone{}", name(owner), while_clearing()),
        },
        Event::Dealloc { object } if !is_trash(object) || clearing.is_some() => {
            format!("why: the last reference to it is gone{}", while_clearing())
        }
        _ => return None,
    })
}

/// What a phase decided, and from what.
pub struct Decided<'d> {
    /// The heap before.
    pub before: &'d HeapState,
    /// The heap now.
    pub heap: &'d HeapState,
    /// What is examined.
    pub examined: &'d BTreeSet<ObjId>,
    /// What was trash before.
    pub old: Option<&'d BTreeSet<ObjId>>,
}

/// What a phase of a collection decided.
pub fn decided(run: &Run<'_>, phase: PhasePoint, told: &Decided<'_>, trash: Option<&BTreeSet<ObjId>>) -> Vec<String> {
    let Decided { before, heap, examined, old } = *told;
    let mut lines = Vec::new();
    let mut list = |what: &str, objects: &mut dyn Iterator<Item = ObjId>| {
        let objects: Vec<ObjId> = objects.collect();
        if !objects.is_empty() {
            lines.push(format!("{what}: {}", names(run, &objects)));
        }
    };
    let alive = |object: &&ObjId| heap.objects.get(object).is_some_and(|state| state.life == Life::Alive);
    let nothing = BTreeSet::new();
    let (trash, old) = (trash.unwrap_or(&nothing), old.unwrap_or(&nothing));
    match phase {
        PhasePoint::Start => list("examined", &mut examined.iter().copied()),
        PhasePoint::Deduced => {
            list("trash", &mut trash.iter().copied());
            for object in examined.iter().filter(alive).filter(|object| !trash.contains(object)).take(MOST_NAMES) {
                let holders = holders(run, heap, Some(examined), *object);
                let by = if holders.is_empty() {
                    reached_from(run, heap, examined, trash, *object)
                } else {
                    format!("held by {}", holders.join(", "))
                };
                lines.push(format!("kept: {}{}{by}", run.names.label(*object), if by.is_empty() { "" } else { ", " }));
            }
        }
        PhasePoint::WeakrefsCleared | PhasePoint::ResurrectionChecked => {
            let went = |weak: &&ObjId| before.referent(**weak).is_some() && heap.referent(**weak).is_none();
            if phase == PhasePoint::ResurrectionChecked {
                let saved: BTreeSet<ObjId> = old.difference(trash).filter(alive).copied().collect();
                let held = reachable(heap, examined, &saved);
                list("saved", &mut held.iter().copied());
                list("kept with that, though nothing holds it", &mut saved.difference(&held).copied());
                list("to be cleared", &mut trash.iter().copied());
            }
            list("answers nothing any more", &mut heap.objects.keys().filter(went).copied());
            let waits = |object: &&ObjId| heap.objects[object].place == "callbacks to call";
            list("its callback is to be called", &mut heap.objects.keys().filter(waits).copied());
        }
        PhasePoint::CallbacksDone | PhasePoint::FinalizersDone => {}
        PhasePoint::Cleared => {
            let is_dead = |object: &&ObjId| heap.objects.get(object).is_some_and(|state| state.life == Life::Dead);
            list("died", &mut trash.iter().filter(is_dead).copied());
            list("cleared, and still there", &mut trash.iter().filter(alive).copied());
        }
    }
    lines
}

/// The names of objects.
fn names(run: &Run<'_>, objects: &[ObjId]) -> String {
    let mut names: Vec<String> = objects.iter().take(MOST_NAMES).map(|object| run.names.label(*object)).collect();
    if objects.len() > MOST_NAMES {
        names.push(format!("and {} more", objects.len() - MOST_NAMES));
    }
    names.join(", ")
}

/// What a reference is called: `a[1]`.
pub fn link_name(run: &Run<'_>, link: &Link) -> String {
    let holder = run.names.label(link.from);
    match link.part {
        Part::Slot(slot) => format!("{holder}[{slot}]"),
        Part::Key => format!("a key of {holder}"),
        Part::Value => format!("a value of {holder}"),
        Part::Callback => format!("the callback of {holder}"),
        Part::Referent => format!("the weak reference {holder}"),
    }
}

/// Who holds an object from outside: variables, lists of the collector, and, while a collection runs, references that
/// it does not see.
pub fn holders(run: &Run<'_>, heap: &HeapState, examined: Option<&BTreeSet<ObjId>>, object: ObjId) -> Vec<String> {
    let mut holders = Vec::new();
    for (var, held) in &heap.vars {
        if *held == object {
            holders.push(format!("variable {}", run.document.names.var(*var)));
        }
    }
    if let Some(examined) = examined {
        for (link, reported) in heap.links_to(object).filter(|(link, _)| link.part != Part::Referent) {
            if !examined.contains(&link.from) || reported == 0 {
                holders.push(link_name(run, link));
            }
        }
    }
    holders.extend(heap.garbage.iter().filter(|held| **held == object).map(|_| "gc.garbage".to_owned()));
    holders.extend(heap.callbacks.iter().filter(|held| **held == object).map(|_| "gc.callbacks".to_owned()));
    holders
}

/// What of some objects is held from outside of what is examined, and what that reaches among them.
fn reachable(heap: &HeapState, examined: &BTreeSet<ObjId>, among: &BTreeSet<ObjId>) -> BTreeSet<ObjId> {
    let is_held = |object: &&ObjId| {
        let inside = heap.links_to(**object).filter(|(link, _)| examined.contains(&link.from));
        let inside: u32 = inside.filter(|(link, _)| link.part != Part::Referent).map(|(_, reported)| reported).sum();
        heap.objects.get(object).is_some_and(|state| state.refs > inside)
    };
    let mut stack: Vec<ObjId> = among.iter().filter(is_held).copied().collect();
    let mut reached = BTreeSet::new();
    while let Some(object) = stack.pop() {
        if reached.insert(object) {
            let first = Link { from: object, part: Part::Slot(0), to: ObjId::from_index(0) };
            let mine = heap.links.range(first..).map(|(link, _)| link).take_while(|link| link.from == object);
            stack.extend(mine.filter(|l| l.part != Part::Referent && among.contains(&l.to)).map(|link| link.to));
        }
    }
    reached
}

/// Through what an object is kept that nobody outside holds.
fn reached_from(
    run: &Run<'_>,
    heap: &HeapState,
    examined: &BTreeSet<ObjId>,
    trash: &BTreeSet<ObjId>,
    object: ObjId,
) -> String {
    let is_kept = |link: &&Link| {
        let from = link.from;
        link.part != Part::Referent && from != object && examined.contains(&from) && !trash.contains(&from)
    };
    let first = heap.links_to(object).map(|(link, _)| link).find(is_kept);
    first.map_or_else(String::new, |link| format!("reached from {}", link_name(run, link)))
}
