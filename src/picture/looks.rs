//! What an object and an arrow look like in a frame.

use std::collections::{BTreeMap, BTreeSet};

use super::frames::Frame;
use super::heap_state::{HeapState, Life, Link, ObjectState, Part};
use super::reasons::holders;
use super::union::{Arrow, EdgeKind};
use crate::event::ObjId;
use crate::explain::Run;

/// Most letters of a line in a box.
const MOST_LETTERS: usize = 26;

/// How an object is drawn. Without a class it is not there yet.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct ObjectLook {
    /// Classes of the stylesheet: what became of it.
    pub class: String,
    /// Its reference count, and while a collection runs where from.
    pub refs: String,
    /// Who holds it from outside.
    pub held: String,
    /// The same in full.
    pub holders: String,
    /// What became of it, in words.
    pub state: String,
}

/// How an arrow is drawn. Without a class it is not there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct ArrowLook {
    /// Classes of the stylesheet.
    pub class: String,
    /// Which parts of the holder it is, or what a weak reference calls.
    pub label: String,
}

/// The look of an object in a frame; `before` is the frame before.
pub fn object(run: &Run<'_>, frame: &Frame, before: Option<&Frame>, id: ObjId) -> ObjectLook {
    let Some(state) = frame.heap.objects.get(&id) else { return ObjectLook::default() };
    let is_weak = frame.heap.weakrefs.contains(&id);
    let mut class = vec![];
    let mut words: Vec<&str> = Vec::new();
    let is_examined = frame.examined.contains(&id);
    let is_trash = frame.trash.as_ref().is_some_and(|trash| trash.contains(&id));
    match state.life {
        Life::Dead => {
            class.push("dead");
            words.push("died");
        }
        Life::Dying => {
            class.push("dying");
            words.push("dying");
        }
        Life::Alive => {}
    }
    if state.life != Life::Dead {
        if state.cleared {
            class.push("cleared");
            words.push("cleared");
        }
        if is_trash {
            class.push("trash");
            words.push("trash");
        } else if state.place == "uncollectable" {
            class.push("uncollectable");
            words.push("uncollectable");
        } else if is_examined && frame.trash.is_some() {
            class.push("kept");
            words.push("kept");
        } else if is_examined {
            class.push("examined");
            words.push("examined");
        } else if state.life == Life::Alive && !state.place.is_empty() {
            words.push(short(state.place));
        }
        if is_weak && frame.heap.referent(id).is_none() {
            class.push("silent");
            words.push("answers None");
        }
    }
    if state.finalized {
        words.push("finalizer ran");
    }
    if frame.about.contains(&id) {
        class.push("about");
    }
    if changed(state, before.and_then(|before| before.heap.objects.get(&id))) && before.is_some() {
        class.push("changed");
    }
    if frame.violations.iter().any(|number| involves(run, *number, id)) {
        class.push("bad");
    }
    if class.is_empty() {
        class.push("plain");
    }
    let examined = frame.collection.map(|_| &frame.examined).filter(|examined| !examined.is_empty());
    let is_there = state.life == Life::Alive;
    let holders = if is_there { holders(run, &frame.heap, examined.filter(|_| is_examined), id) } else { Vec::new() };
    let (refs, holders) = (refs(frame, state, id), holders.join(", "));
    let held = if holders.is_empty() { String::new() } else { cut(&format!("held by {holders}")) };
    ObjectLook {
        class: class.join(" "),
        refs: if is_there { refs } else { String::new() },
        held,
        holders,
        state: words.join(", "),
    }
}

/// The look of an arrow in a frame, by the objects at its ends.
pub fn arrow(run: &Run<'_>, frame: &Frame, before: Option<&Frame>, arrow: &Arrow, ends: (ObjId, ObjId)) -> ArrowLook {
    let mine = |heap: &HeapState| parts(heap, arrow.kind, ends);
    let now = mine(&frame.heap);
    let old = before.map_or_else(BTreeMap::new, |before| mine(&before.heap));
    if now.is_empty() && old.is_empty() {
        return ArrowLook::default();
    }
    let shown = if now.is_empty() { &old } else { &now };
    let mut class = vec![match arrow.kind {
        EdgeKind::Strong => "strong",
        EdgeKind::Callback => "strong callback",
        EdgeKind::Weak => "weak",
    }];
    let is_counted = arrow.kind != EdgeKind::Weak;
    if is_counted && shown.values().all(|reported| *reported == 0) {
        class.push("unseen");
    }
    let is_outside = !frame.examined.contains(&ends.0) || shown.values().any(|reported| *reported == 0);
    if is_counted && frame.examined.contains(&ends.1) && is_outside {
        class.push("keeps");
    }
    if now.is_empty() {
        class.push("gone");
    } else if before.is_some() && now.keys().ne(old.keys()) {
        class.push("changed");
    }
    let label = match arrow.kind {
        EdgeKind::Strong => {
            let parts: Vec<String> = shown.keys().map(|part| part_word(*part)).collect();
            cut(&parts.join(" "))
        }
        EdgeKind::Callback => "callback".to_owned(),
        EdgeKind::Weak => match frame.heap.part(ends.0, Part::Callback) {
            Some(callback) => cut(&format!("weak, calls {}", run.names.label(callback))),
            None => "weak".to_owned(),
        },
    };
    ArrowLook { class: class.join(" "), label }
}

/// The references from an object to another of one kind, with how often they are reported.
fn parts(heap: &HeapState, kind: EdgeKind, (from, to): (ObjId, ObjId)) -> BTreeMap<Part, u32> {
    let first = Link { from, part: Part::Slot(0), to: ObjId::from_index(0) };
    let mine = heap.links.range(first..).take_while(|(link, _)| link.from == from);
    mine.filter(|(link, _)| link.to == to && EdgeKind::of(link.part) == kind)
        .map(|(link, reported)| (link.part, *reported))
        .collect()
}

fn part_word(part: Part) -> String {
    match part {
        Part::Slot(slot) => format!("[{slot}]"),
        Part::Key => "key".to_owned(),
        Part::Value => "value".to_owned(),
        Part::Callback => "callback".to_owned(),
        Part::Referent => "weak".to_owned(),
    }
}

/// The reference count in words: while a collection runs, of what it examines, where the references come from.
fn refs(frame: &Frame, state: &ObjectState, id: ObjId) -> String {
    if !frame.examined.contains(&id) {
        return format!("refs {}", state.refs);
    }
    let links = frame.heap.links_to(id).filter(|(link, _)| frame.examined.contains(&link.from));
    let inside: u32 = links.filter(|(link, _)| link.part != Part::Referent).map(|(_, reported)| reported).sum();
    let outside = i64::from(state.refs) - i64::from(inside);
    format!("refs {} = {inside} in + {outside} out", state.refs)
}

/// True if an object has changed since the frame before.
fn changed(now: &ObjectState, before: Option<&ObjectState>) -> bool {
    let Some(before) = before else { return true };
    let of = |state: &ObjectState| (state.refs, state.finalized, state.cleared, state.life);
    of(now) != of(before)
}

fn involves(run: &Run<'_>, number: usize, id: ObjId) -> bool {
    run.violations.get(number).is_some_and(|(violation, _)| violation.object == Some(id) || violation.other == Some(id))
}

/// A place in few letters.
fn short(place: &str) -> &str {
    match place {
        "generation 0" => "gen 0",
        "generation 1" => "gen 1",
        "generation 2" => "gen 2",
        "permanent" => "frozen",
        // Which of the collector's lists trash is in says nothing to a reader.
        "unreachable" | "to be cleared" | "callbacks to call" | "finalizer done" => "trash",
        other => other,
    }
}

/// What became of objects since the frame before, down to slot and count; `drawn` says which are told of.
pub fn changes(run: &Run<'_>, frame: &Frame, before: &Frame, drawn: &BTreeSet<ObjId>) -> Vec<String> {
    let name = |object: ObjId| run.names.label(object);
    let maybe = |object: Option<&ObjId>| object.map_or_else(|| "nothing".to_owned(), |object| name(*object));
    let (now, old) = (&frame.heap, &before.heap);
    let mut lines = Vec::new();
    for (var, held) in now.vars.iter().filter(|(var, held)| old.vars.get(var) != Some(held)) {
        lines.push(format!(
            "variable {}: {} \u{2192} {}",
            run.document.names.var(*var),
            maybe(old.vars.get(var)),
            name(*held)
        ));
    }
    for (var, held) in old.vars.iter().filter(|(var, _)| !now.vars.contains_key(var)) {
        lines.push(format!("variable {}: {} \u{2192} nothing", run.document.names.var(*var), name(*held)));
    }
    let by_part = |heap: &HeapState| -> BTreeMap<(ObjId, Part), Vec<ObjId>> {
        let mut parts: BTreeMap<(ObjId, Part), Vec<ObjId>> = BTreeMap::new();
        for link in heap.links.keys().filter(|link| drawn.contains(&link.from)) {
            parts.entry((link.from, link.part)).or_default().push(link.to);
        }
        parts
    };
    let (mine, theirs) = (by_part(now), by_part(old));
    let all: BTreeSet<&(ObjId, Part)> = mine.keys().chain(theirs.keys()).collect();
    for place in all {
        let (new, before) = (mine.get(place), theirs.get(place));
        if new == before {
            continue;
        }
        let list = |held: Option<&Vec<ObjId>>| match held {
            None => "nothing".to_owned(),
            Some(held) => held.iter().map(|object| name(*object)).collect::<Vec<_>>().join(" "),
        };
        let what = match place.1 {
            Part::Slot(slot) => format!("{}[{slot}]", name(place.0)),
            Part::Key => format!("keys of {}", name(place.0)),
            Part::Value => format!("values of {}", name(place.0)),
            Part::Callback => format!("callback of {}", name(place.0)),
            Part::Referent => format!("{} answers", name(place.0)),
        };
        lines.push(format!("{what}: {} \u{2192} {}", list(before), list(new)));
    }
    for object in drawn {
        let (Some(new), old) = (now.objects.get(object), old.objects.get(object)) else { continue };
        lines.extend(object_changes(&name(*object), new, old));
    }
    lines
}

fn object_changes(name: &str, new: &ObjectState, old: Option<&ObjectState>) -> Vec<String> {
    let Some(old) = old else {
        return vec![format!("{name}: new, refs {}", new.refs)];
    };
    let mut lines = Vec::new();
    if new.life != old.life {
        let word = if new.life == Life::Dead { "died" } else { "dying" };
        lines.push(format!("{name}: {word}"));
    }
    if new.refs != old.refs && new.life == Life::Alive {
        lines.push(format!("{name}: refs {} \u{2192} {}", old.refs, new.refs));
    }
    if new.cleared && !old.cleared {
        lines.push(format!("{name}: cleared"));
    }
    if new.finalized && !old.finalized {
        lines.push(format!("{name}: finalizer ran"));
    }
    if short(new.place) != short(old.place) && new.life == Life::Alive && !old.place.is_empty() {
        lines.push(format!("{name}: {} \u{2192} {}", short(old.place), short(new.place)));
    }
    lines
}

/// At most so many letters of a text.
pub fn cut(text: &str) -> String {
    if text.chars().count() <= MOST_LETTERS {
        return text.to_owned();
    }
    text.chars().take(MOST_LETTERS - 1).chain(['\u{2026}']).collect()
}
