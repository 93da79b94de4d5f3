//! What each collection decided about each object, and by which arithmetic.

use serde::Serialize;

use super::recorder::{Edge, Place, Seen, Shot};
use super::{Run, Told};
use crate::event::{Event, ObjId};
use crate::heap::From;
use crate::run::Moment;
use crate::scenario::Shape;

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
    pub shots: Vec<&'r Shot>,
    /// Events before its end.
    pub end: usize,
}

impl<'r> Pictures<'r> {
    /// The picture of a moment, if the collection got that far.
    pub fn at(&self, moment: Moment) -> Option<&'r Shot> {
        self.shots.iter().copied().find(|s| s.moment == moment)
    }
}

/// The pictures of a run, collection by collection.
pub(super) fn pictures<'r>(run: &'r Run<'_>) -> Vec<Pictures<'r>> {
    let mut found: Vec<Pictures<'r>> = Vec::new();
    for shot in &run.shots {
        if shot.moment == Moment::Start {
            let rest = &run.events[shot.event..];
            let length = rest.iter().position(|e| matches!(e, Event::CollectEnd { .. })).unwrap_or(rest.len());
            found.push(Pictures { shots: Vec::new(), end: shot.event + length });
        }
        if let Some(last) = found.last_mut() {
            last.shots.push(shot);
        }
    }
    found
}

/// Every collection of a run.
pub(super) fn all(run: &Run<'_>) -> Vec<Collection> {
    pictures(run).iter().enumerate().filter_map(|(i, pictures)| collection(run, i + 1, pictures)).collect()
}

fn collection(run: &Run<'_>, number: usize, pictures: &Pictures<'_>) -> Option<Collection> {
    let start = pictures.at(Moment::Start)?;
    let step = run.step_at(start.event);
    let candidates = start.objects.iter().filter(|o| o.candidate);
    let others = start.objects.iter().filter(|o| !o.candidate);
    Some(Collection {
        number,
        generation: start.generation,
        place: step.map_or_else(String::new, |s| run.place(s)),
        operation: step.map_or_else(String::new, |s| run.operation(s)),
        returned: match run.events.get(pictures.end) {
            Some(Event::CollectEnd { returned, .. }) => Some(*returned),
            _ => None,
        },
        examined: candidates.map(|o| examined(run, pictures, start, o)).collect(),
        not_examined: others
            .map(|o| Told { object: run.names.label(o.id), text: format!("not examined: {}", not_examined(o)) })
            .collect(),
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

fn examined(run: &Run<'_>, pictures: &Pictures<'_>, start: &Shot, object: &Seen) -> Examined {
    let inside = reported_by_candidates(start, object.id);
    let outside = i64::from(object.refcount) - i64::from(inside);
    let (verdict, why) = match pictures.at(Moment::Deduced) {
        None => ("undecided", "the collection stopped in undefined behaviour".to_owned()),
        Some(deduced) if deduced.is_in(object.id, "unreachable") => ("trash", "only trash holds it".to_owned()),
        Some(deduced) if deduced.is_in(object.id, "uncollectable") => {
            ("uncollectable", "it is unreachable, and a legacy finalizer is on it or reaches it".to_owned())
        }
        Some(_) if outside > 0 => ("kept", format!("held by {}", owners(run, start, object, outside))),
        Some(deduced) => ("kept", reached_from(run, start, deduced, object.id)),
    };
    let then = if verdict == "kept" { String::new() } else { then(run, pictures, object.id) };
    Examined { object: run.names.label(object.id), refcount: object.refcount, inside, outside, verdict, why, then }
}

fn reported_by_candidates(start: &Shot, id: ObjId) -> u32 {
    let candidates = start.objects.iter().filter(|o| o.candidate);
    candidates.flat_map(|o| &o.references).filter(|edge| edge.to == id).map(|edge| edge.reported).sum()
}

/// Who owns the references that the collection cannot account for.
fn owners(run: &Run<'_>, start: &Shot, object: &Seen, outside: i64) -> String {
    let mut owners = Vec::new();
    for (var, held) in start.vars.iter().enumerate() {
        if *held == Some(object.id) {
            owners.push(format!("the variable {}", run.document.names.var(var as u16)));
        }
    }
    for holder in &start.objects {
        for edge in holder.references.iter().filter(|edge| edge.to == object.id) {
            if holder.candidate && edge.reported > 0 {
                continue;
            }
            let part = part(run, holder, edge);
            let reason =
                if holder.candidate { "its traverse does not report it".to_owned() } else { not_examined(holder) };
            owners.push(format!("{part} ({reason})"));
        }
    }
    owners.extend(start.garbage.iter().filter(|g| **g == object.id).map(|_| "gc.garbage".to_owned()));
    owners.extend(start.callbacks.iter().filter(|g| **g == object.id).map(|_| "gc.callbacks".to_owned()));
    let rest = outside - owners.len() as i64;
    if rest > 0 {
        let who = if object.shape == Shape::Finalize { "the registry of finalize" } else { "code that is running" };
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

fn reached_from(run: &Run<'_>, start: &Shot, deduced: &Shot, id: ObjId) -> String {
    let kept = |o: &&Seen| o.candidate && !deduced.is_in(o.id, "unreachable") && !deduced.is_in(o.id, "uncollectable");
    let holders = start.objects.iter().filter(kept).filter(|o| o.id != id);
    let edges = holders.flat_map(|o| o.references.iter().map(move |edge| (o, edge)));
    match edges.into_iter().find(|(_, edge)| edge.to == id) {
        Some((holder, edge)) => format!("reached from {}, which is kept", part(run, holder, edge)),
        None => "no reference says why: a rule of this collector keeps it".to_owned(),
    }
}

/// What became of an unreachable object.
fn then(run: &Run<'_>, pictures: &Pictures<'_>, id: ObjId) -> String {
    let start = pictures.shots.first().map_or(0, |s| s.event);
    let events = &run.events[start..pictures.end.max(start)];
    let happened = |wanted: Event| events.contains(&wanted);
    let freed = happened(Event::Free { object: id });
    if happened(Event::Clear { object: id }) {
        return if freed { "cleared and freed" } else { "cleared, and not freed" }.to_owned();
    }
    if freed {
        return "freed by its reference count".to_owned();
    }
    match pictures.at(Moment::ResurrectionChecked) {
        Some(shot) if shot.is_in(id, "uncollectable") => "stays, as garbage".to_owned(),
        Some(shot) if !shot.is_in(id, "to be cleared") => "resurrected".to_owned(),
        Some(_) => "neither cleared nor freed: its type has no clear".to_owned(),
        None => String::new(),
    }
}
