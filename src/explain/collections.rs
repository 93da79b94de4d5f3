//! What each collection decided about each object, and by which arithmetic.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::heap_pictures::{Edge, HeapPicture, Place, Seen};
use super::read_off::{Shown, words};
use super::{MOST_TOLD, Run, Told};
use crate::event::{Event, ObjId};
use crate::model::heap::From;
use crate::model::machine::PhasePoint;

/// One collection.
#[derive(Debug, Serialize)]
pub struct Collection {
    /// Its number, from 1.
    pub number: usize,
    /// The generation.
    pub generation: u8,
    /// Where it started.
    pub place: String,
    /// The operation of the mutator that it belongs to.
    pub operation: String,
    /// What it returned, if it ended.
    pub returned: Option<u32>,
    /// The candidates, in the order of their list.
    pub examined: Vec<Examined>,
    /// The other objects, and why they are no candidates.
    pub not_examined: Vec<Told>,
    /// What the collection decided is not known, because an interpreter had parted with its row before it ended: only the
    /// events say what it did.
    pub is_read_off: bool,
    /// In that case, the objects to which something happened by the events, at most [`MOST_TOLD`], and what.
    pub shown: Vec<Told>,
    /// How many objects there were besides at its start, of which no event of the collection says anything.
    pub unseen: usize,
}

/// A candidate.
#[derive(Debug, Serialize)]
pub struct Examined {
    /// What it is called.
    pub object: String,
    /// Its reference count when the collection started.
    pub refcount: u32,
    /// How much of that the candidates' `traverse` reports.
    pub inside: u32,
    /// What is left: references that the collection cannot account for.
    pub outside: i64,
    /// `trash`, `kept` or `uncollectable`.
    pub verdict: &'static str,
    /// Why.
    pub why: String,
    /// What became of it in this collection.
    pub then: String,
}

/// The pictures of one collection.
pub(super) struct Pictures<'r> {
    pub shots: Vec<&'r HeapPicture>,
    /// Events before its end.
    pub end: usize,
}

impl<'r> Pictures<'r> {
    /// The picture of a moment, if the collection got that far.
    pub fn at(&self, moment: PhasePoint) -> Option<&'r HeapPicture> {
        self.shots.iter().copied().find(|s| s.moment == moment)
    }

    /// True if what the collection decided is known: the run did the same to its end.
    fn is_decided(&self, run: &Run<'_>) -> bool {
        self.shots.first().is_some_and(|shot| shot.event < run.decided())
    }
}

/// The pictures of a run, collection by collection.
pub(super) fn pictures<'r>(run: &'r Run<'_>) -> Vec<Pictures<'r>> {
    let mut found: Vec<Pictures<'r>> = Vec::new();
    for shot in &run.shots {
        if shot.moment == PhasePoint::Start {
            let mut rest = run.log.from(shot.event).iter();
            let end = rest.find(|line| matches!(line.event, Event::CollectEnd { .. }));
            found.push(Pictures { shots: Vec::new(), end: end.map_or(run.log.total(), |line| line.at) });
        }
        if let Some(last) = found.last_mut() {
            last.shots.push(shot);
        }
    }
    found
}

/// Every collection of a run.
pub(super) fn all(run: &Run<'_>) -> Vec<Collection> {
    let pictures = pictures(run);
    let decided = pictures.iter().take_while(|p| p.is_decided(run)).enumerate();
    let decided = decided.filter_map(|(i, pictures)| collection(run, i + 1, pictures));
    decided.chain(run.read.collections.iter().map(|shown| read_off(run, &pictures, shown))).collect()
}

/// A collection of which the events alone say what it did. How its start was is known if the run parted with its row later.
fn read_off(run: &Run<'_>, pictures: &[Pictures<'_>], shown: &Shown) -> Collection {
    let last = pictures.last().filter(|p| !p.is_decided(run));
    let start = last.and_then(|p| p.at(PhasePoint::Start).map(|start| (p, start)));
    let start = start.filter(|(_, start)| run.collection_at(start.event) == Some(shown.number));
    let around = start.map(|(pictures, start)| Around::of(run, pictures, start));
    let held = |object: ObjId| {
        let around = around.as_ref()?;
        let seen = around.start.get(object).filter(|seen| seen.candidate)?;
        let (_, outside) = around.counts(seen);
        (outside > 0).then(|| owners(run, around, seen, outside))
    };
    let told = shown.happened.iter().take(MOST_TOLD).map(|(object, happened)| {
        let held = held(*object).map_or_else(String::new, |by| format!("; when the collection started, held by {by}"));
        Told { object: run.names.label(*object), text: format!("{}{held}", words(happened)) }
    });
    let step = run.step_at(shown.start);
    Collection {
        number: shown.number,
        generation: shown.generation,
        place: step.map_or_else(String::new, |s| run.place(s)),
        operation: step.map_or_else(String::new, |s| run.operation(s)),
        returned: shown.returned,
        examined: Vec::new(),
        not_examined: Vec::new(),
        is_read_off: true,
        shown: told.collect(),
        unseen: shown.others + shown.happened.len().saturating_sub(MOST_TOLD),
    }
}

fn collection(run: &Run<'_>, number: usize, pictures: &Pictures<'_>) -> Option<Collection> {
    let start = pictures.at(PhasePoint::Start)?;
    let step = run.step_at(start.event);
    let around = &Around::of(run, pictures, start);
    let candidates = start.objects.iter().filter(|o| o.candidate);
    let others = start.objects.iter().filter(|o| !o.candidate);
    Some(Collection {
        number,
        generation: start.generation,
        place: step.map_or_else(String::new, |s| run.place(s)),
        operation: step.map_or_else(String::new, |s| run.operation(s)),
        returned: match run.log.from(pictures.end).first().map(|line| line.event) {
            Some(Event::CollectEnd { returned, .. }) => Some(returned),
            _ => None,
        },
        examined: candidates.map(|o| examined(run, pictures, around, o)).collect(),
        not_examined: others
            .map(|o| Told { object: run.names.label(o.id), text: format!("not examined: {}", not_examined(o)) })
            .collect(),
        is_read_off: false,
        shown: Vec::new(),
        unseen: 0,
    })
}

/// Why an object is no candidate, or its references are not seen.
fn not_examined(object: &Seen) -> String {
    match object.place {
        Place::NoHeader => "it has no GC header".to_owned(),
        Place::Untracked => "it is not tracked".to_owned(),
        Place::List("permanent") => "it is frozen".to_owned(),
        Place::List(name) => format!("it is in {name}"),
    }
}

/// What a collection starts from and does, by object.
struct Around<'s> {
    start: &'s HeapPicture,
    /// The references to each object: who holds them, in the order of the picture.
    holders: BTreeMap<ObjId, Vec<(&'s Seen, &'s Edge)>>,
    cleared: BTreeSet<ObjId>,
    freed: BTreeSet<ObjId>,
}

impl<'s> Around<'s> {
    fn of(run: &Run<'_>, pictures: &Pictures<'_>, start: &'s HeapPicture) -> Around<'s> {
        let mut holders: BTreeMap<ObjId, Vec<(&Seen, &Edge)>> = BTreeMap::new();
        for holder in &start.objects {
            for edge in &holder.references {
                holders.entry(edge.to).or_default().push((holder, edge));
            }
        }
        let (mut cleared, mut freed) = (BTreeSet::new(), BTreeSet::new());
        for line in run.log.from(start.event).iter().take_while(|line| line.at < pictures.end) {
            match line.event {
                Event::Clear { object } => _ = cleared.insert(object),
                Event::Free { object } => _ = freed.insert(object),
                _ => {}
            }
        }
        Around { start, holders, cleared, freed }
    }

    /// The references to an object.
    fn holders(&self, id: ObjId) -> &[(&'s Seen, &'s Edge)] {
        self.holders.get(&id).map_or(&[], Vec::as_slice)
    }

    /// How much of a reference count the candidates' `traverse` reports, and what is left.
    fn counts(&self, object: &Seen) -> (u32, i64) {
        let by_candidates = self.holders(object.id).iter().filter(|(holder, _)| holder.candidate);
        let inside = by_candidates.map(|(_, edge)| edge.reported).sum();
        (inside, i64::from(object.refcount) - i64::from(inside))
    }
}

fn examined(run: &Run<'_>, pictures: &Pictures<'_>, around: &Around<'_>, object: &Seen) -> Examined {
    let (inside, outside) = around.counts(object);
    let (verdict, why) = match pictures.at(PhasePoint::Deduced) {
        None => ("undecided", "the collection stopped in undefined behaviour".to_owned()),
        Some(deduced) if deduced.is_in(object.id, "unreachable") => ("trash", "only trash holds it".to_owned()),
        Some(deduced) if deduced.is_in(object.id, "uncollectable") => {
            ("uncollectable", "it is unreachable, and a legacy finalizer is on it or reaches it".to_owned())
        }
        Some(_) if outside > 0 => ("kept", format!("held by {}", owners(run, around, object, outside))),
        Some(deduced) => ("kept", reached_from(run, around, deduced, object.id)),
    };
    let then = if verdict == "kept" { String::new() } else { then(pictures, around, object.id) };
    Examined { object: run.names.label(object.id), refcount: object.refcount, inside, outside, verdict, why, then }
}

/// Who owns the references that the collection cannot account for.
fn owners(run: &Run<'_>, around: &Around<'_>, object: &Seen, outside: i64) -> String {
    let (start, mut owners) = (around.start, Vec::new());
    for (var, held) in start.vars.iter().enumerate() {
        if *held == Some(object.id) {
            owners.push(format!("the variable {}", run.document.names.var(var as u16)));
        }
    }
    for (holder, edge) in around.holders(object.id) {
        if holder.candidate && edge.reported > 0 {
            continue;
        }
        let part = part(run, holder, edge);
        let reason = if holder.candidate { "its traverse does not report it".to_owned() } else { not_examined(holder) };
        owners.push(format!("{part} ({reason})"));
    }
    owners.extend(start.garbage.iter().filter(|g| **g == object.id).map(|_| "gc.garbage".to_owned()));
    owners.extend(start.callbacks.iter().filter(|g| **g == object.id).map(|_| "gc.callbacks".to_owned()));
    let rest = outside - owners.len() as i64;
    if rest > 0 {
        let who = if object.shape.is_finalize() { "the registry of finalize" } else { "code that is running" };
        owners.push(who.to_owned());
    }
    owners.join(", ")
}

/// A part of an object in words: `a[1]`.
pub(super) fn part(run: &Run<'_>, holder: &Seen, edge: &Edge) -> String {
    let name = run.names.label(holder.id);
    match edge.from {
        From::Slot(slot) => format!("{name}[{slot}]"),
        From::Key => format!("a key of {name}"),
        From::Value => format!("a value of {name}"),
        From::Callback => format!("the callback of {name}"),
    }
}

fn reached_from(run: &Run<'_>, around: &Around<'_>, deduced: &HeapPicture, id: ObjId) -> String {
    let kept = |o: &Seen| o.candidate && !deduced.is_in(o.id, "unreachable") && !deduced.is_in(o.id, "uncollectable");
    match around.holders(id).iter().find(|(holder, _)| holder.id != id && kept(holder)) {
        Some((holder, edge)) => format!("reached from {}, which is kept", part(run, holder, edge)),
        None => "no reference says why: a rule of this collector keeps it".to_owned(),
    }
}

/// What became of an unreachable object.
fn then(pictures: &Pictures<'_>, around: &Around<'_>, id: ObjId) -> String {
    let freed = around.freed.contains(&id);
    if around.cleared.contains(&id) {
        return if freed { "cleared and freed" } else { "cleared, and not freed" }.to_owned();
    }
    if freed {
        return "freed by its reference count".to_owned();
    }
    match pictures.at(PhasePoint::ResurrectionChecked) {
        Some(shot) if shot.is_in(id, "uncollectable") => "stays, as garbage".to_owned(),
        Some(shot) if !shot.is_in(id, "to be cleared") => "resurrected".to_owned(),
        Some(_) => "neither cleared nor freed: its type has no clear".to_owned(),
        None => String::new(),
    }
}
