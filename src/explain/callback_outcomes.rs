//! Why callbacks and finalizers ran or did not.

use std::collections::BTreeMap;

use super::collections::{Pictures, pictures};
use super::kept_events::is_finalizer_of;
use super::read_off::Silent;
use super::{Line, Run, Told};
use crate::event::{Code, Event, ObjId};
use crate::model::collector::Switch;
use crate::model::machine::PhasePoint;
use crate::scenario::Finalizer;

/// How many weak references and how many finalizers are told of.
pub const MOST_TOLD: usize = 500;

/// What the first weak references did.
pub(super) fn weakrefs(run: &Run<'_>) -> Vec<Told> {
    let pictures = pictures(run);
    let firsts = Firsts::of(run.log.lines());
    run.log
        .lines()
        .iter()
        .filter_map(|line| match line.event {
            Event::NewWeak { weak, referent, callback } => Some(Told {
                object: heading(run, weak, referent, callback),
                text: weakref(run, &pictures, &firsts, weak, referent, callback),
            }),
            _ => None,
        })
        .take(MOST_TOLD)
        .collect()
}

fn heading(run: &Run<'_>, weak: ObjId, referent: ObjId, callback: Option<ObjId>) -> String {
    let label = |o| run.names.label(o);
    match callback {
        Some(callback) => format!("{} (to {}, callback {})", label(weak), label(referent), label(callback)),
        None => format!("{} (to {})", label(weak), label(referent)),
    }
}

/// The first event of each kind that concerns an object, found in one pass over the events.
struct Firsts {
    /// Called with the weak reference as argument, cleared by `tp_clear`, deallocated.
    of: BTreeMap<ObjId, [Option<usize>; 3]>,
}

impl Firsts {
    fn of(lines: &[Line]) -> Firsts {
        let mut firsts = Firsts { of: BTreeMap::new() };
        for line in lines {
            let (object, kind) = match line.event {
                Event::Enter { code: Code::Callback, arg: Some(weak), .. } => (weak, 0),
                Event::Clear { object } => (object, 1),
                Event::Dealloc { object } => (object, 2),
                _ => continue,
            };
            firsts.of.entry(object).or_default()[kind].get_or_insert(line.at);
        }
        firsts
    }

    fn get(&self, object: ObjId) -> [Option<usize>; 3] {
        self.of.get(&object).copied().unwrap_or_default()
    }
}

fn weakref(
    run: &Run<'_>,
    pictures: &[Pictures<'_>],
    firsts: &Firsts,
    weak: ObjId,
    referent: ObjId,
    callback: Option<ObjId>,
) -> String {
    let ([called, cleared, own_death], [_, _, death]) = (firsts.get(weak), firsts.get(referent));
    if let Some(called) = called {
        return format!("the callback ran {}", occasion(run, pictures, called));
    }
    let subject = if callback.is_some() { "the callback did not run" } else { "no callback" };
    if let Some((pass, moment)) = cleared_by_collector(pictures, weak) {
        let shot = pass.at(PhasePoint::Deduced);
        let trash = shot.is_some_and(|s| s.is_in(weak, "unreachable"));
        let why = match moment {
            PhasePoint::ResurrectionChecked => "the pass after the finalizers cleared it, which calls no callbacks",
            _ if callback.is_none() => "the collector cleared it, because its referent is trash",
            _ if trash => "the collector cleared it without a call, because the weak reference is trash itself",
            _ => "the collector cleared it and did not call",
        };
        return format!("{subject}: {why}");
    }
    let before = |a: Option<usize>, b: Option<usize>| a.is_some_and(|a| b.is_none_or(|b| a < b));
    if let Some(text) = weakref_beyond(run, weak, [own_death, cleared, death]) {
        return format!("{subject}: {text}");
    }
    if before(own_death, death) {
        return format!("{subject}: it died before its referent");
    }
    if before(cleared, death) {
        return format!("{subject}: tp_clear of the weak reference came before the death of its referent");
    }
    match death {
        None => format!("{subject}: its referent never died, and it still answers"),
        Some(_) if callback.is_none() => format!("{subject}: it was cleared when its referent was deallocated"),
        Some(_) => format!("{subject}: its referent was deallocated, and the deallocator did not call it"),
    }
}

/// What the events alone show of a weak reference whose callback did not run, if the row did not know its fate when an
/// interpreter parted with it. `ends` are its death, the `tp_clear` of it, and the death of its referent.
fn weakref_beyond(run: &Run<'_>, weak: ObjId, ends: [Option<usize>; 3]) -> Option<String> {
    let decided = run.decided();
    if decided == usize::MAX || ends.iter().flatten().any(|end| *end < decided) {
        return None;
    }
    let first = ends.iter().flatten().min().copied();
    let silent = run.read.silent(weak).filter(|silent| first.is_none_or(|first| silent.at < first));
    if let Some(Silent { at, collection }) = silent {
        let step = step(run, at);
        let place = collection.map_or_else(|| "outside of collections".to_owned(), |n| format!("in collection {n}"));
        return Some(format!("a snapshot {place}{step} shows that it answers nothing, and its referent had not died"));
    }
    let [own_death, cleared, _] = ends.map(|end| end.is_some() && end == first);
    Some(match first {
        None => {
            "its referent had not died when the events end, and no snapshot shows that it stopped to answer".to_owned()
        }
        Some(at) if own_death => format!("it died before its referent, {}", occasion(run, &[], at)),
        Some(at) if cleared => {
            format!("tp_clear of the weak reference came before the death of its referent, {}", occasion(run, &[], at))
        }
        Some(at) => format!("its referent died {}", occasion(run, &[], at)),
    })
}

/// The collection that cleared a weak reference, and after which moment.
fn cleared_by_collector<'p, 'r>(pictures: &'p [Pictures<'r>], weak: ObjId) -> Option<(&'p Pictures<'r>, PhasePoint)> {
    let answers = |pictures: &Pictures<'_>, moment| {
        pictures.at(moment).and_then(|shot| shot.get(weak)).map(|seen| seen.referent.is_some())
    };
    pictures.iter().find_map(|p| {
        let passes = [
            (PhasePoint::Deduced, PhasePoint::WeakrefsCleared),
            (PhasePoint::FinalizersDone, PhasePoint::ResurrectionChecked),
        ];
        let pass = passes
            .into_iter()
            .find(|(before, after)| answers(p, *before) == Some(true) && answers(p, *after) == Some(false));
        pass.map(|(_, after)| (p, after))
    })
}

/// The step of an event, in brackets.
fn step(run: &Run<'_>, event: usize) -> String {
    run.step_at(event).map_or_else(String::new, |step| format!(" ({})", run.place(step)))
}

/// When user code that starts at an event ran.
fn occasion(run: &Run<'_>, pictures: &[Pictures<'_>], event: usize) -> String {
    let step = step(run, event);
    if event >= run.decided() {
        return match run.collection_at(event) {
            Some(number) => format!("in collection {number}{step}"),
            None => format!("outside of collections{step}"),
        };
    }
    let inside = pictures.iter().position(|p| p.shots.first().is_some_and(|s| s.event <= event) && event < p.end);
    let Some(number) = inside else { return format!("outside of collections{step}") };
    let last = pictures[number].shots.iter().rev().find(|s| s.event <= event).map(|s| s.moment);
    let number = number + 1;
    match last {
        Some(PhasePoint::WeakrefsCleared) => format!("in the callback phase of collection {number}{step}"),
        Some(PhasePoint::CallbacksDone) => format!("in the finalizer phase of collection {number}{step}"),
        Some(PhasePoint::ResurrectionChecked) => format!("while collection {number} was clearing trash{step}"),
        Some(PhasePoint::Cleared) => format!("after collection {number} had cleared trash{step}"),
        _ => format!("at the start of collection {number}{step}"),
    }
}

/// What the first finalizers did.
pub(super) fn finalizers(run: &Run<'_>) -> Vec<Told> {
    let pictures = pictures(run);
    let ops = run.document.scenario.ops();
    let finalizer = |origin: u32| ops.get(origin as usize).and_then(|op| op.kind()).and_then(|k| k.finalizer);
    run.log
        .lines()
        .iter()
        .filter_map(|line| match line.event {
            Event::New { object, origin, role: crate::event::Role::Named } => {
                let finalizer = finalizer(origin)?;
                let text = fate(run, &pictures, object, finalizer);
                Some(Told { object: run.names.label(object), text })
            }
            _ => None,
        })
        .take(MOST_TOLD)
        .collect()
}

fn fate(run: &Run<'_>, pictures: &[Pictures<'_>], object: ObjId, finalizer: Finalizer) -> String {
    let runs = run.log.lines().iter().filter(|line| is_finalizer_of(&line.event, object));
    let runs: Vec<usize> = runs.map(|line| line.at).collect();
    let times = match runs.as_slice() {
        [] => return format!("did not run: {}", why_not(run, pictures, object, finalizer)),
        [_] => "ran once".to_owned(),
        more => format!("ran {} times", more.len()),
    };
    let occasions: Vec<String> = runs.iter().map(|at| occasion(run, pictures, *at)).collect();
    format!("{times}: {}", occasions.join("; "))
}

/// Why a finalizer did not run; of what happened beyond a difference what the events show.
fn why_not(run: &Run<'_>, pictures: &[Pictures<'_>], object: ObjId, finalizer: Finalizer) -> &'static str {
    let death = run.log.lines().iter().find(|line| line.event == Event::Dealloc { object }).map(|line| line.at);
    let is_known = run.decided() == usize::MAX || death.is_some_and(|at| at < run.decided());
    let uncollectable =
        pictures.iter().any(|p| p.at(PhasePoint::Deduced).is_some_and(|s| s.is_in(object, "uncollectable")));
    let happened = |is_it: &dyn Fn(&Event) -> bool| run.log.lines().iter().any(|line| is_it(&line.event));
    let dead = death.is_some();
    let marked = happened(&|e| matches!(*e, Event::State { object: o, .. } if o == object));
    let rules = run.collector.rules;
    match finalizer {
        _ if !is_known && dead && marked => "the finalized bit was set, and it died",
        _ if !is_known && dead => "it died without",
        _ if !is_known => "it had not died when the events end",
        _ if uncollectable => "it is uncollectable because of a legacy finalizer",
        Finalizer::Legacy(_) if dead && rules.has(Switch::IgnoreStaticLegacy) => {
            "it was freed, and this collector does not look at tp_del of static types"
        }
        _ if dead && marked => "the finalized bit was set already",
        _ if dead => "it was freed without",
        _ => "the object never died",
    }
}
