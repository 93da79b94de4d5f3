//! What a script shows besides running: as little as makes the violation visible.

use std::collections::{BTreeSet, VecDeque};

use super::expected::Judged;
use super::trace::Heap;
use crate::event::{Event, ObjId};
use crate::invariant::{Class, Invariant};
use crate::scenario::{Op, Scenario, ScriptId, Shape};

/// Where a path starts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Root {
    /// `self`.
    Owner,
    /// A variable.
    Var(u16),
}

/// How code reaches an object: through slots, each with the shape of its holder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Path {
    /// Where it starts.
    pub root: Root,
    /// The slots.
    pub steps: Vec<(Shape, u8)>,
}

/// What a script shows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Instrument {
    /// Which code runs, what weak references answer, how long containers are.
    pub prints: bool,
    /// What `gc.collect()` returns in the main body.
    pub returned: bool,
    /// What `look()` in a script (nothing: in the main body) reaches on these paths.
    pub looks: Vec<(Option<ScriptId>, Path)>,
    /// How many objects that have been cleared `scan()` finds.
    pub scans: bool,
    /// What is left of the objects that these variables hold at the end.
    pub finals: Vec<u16>,
    /// In which generation the objects are that these paths lead to at the end.
    pub listed: Vec<Path>,
    /// How long `gc.garbage` is at the end.
    pub garbage: bool,
    /// How many instances of the script's classes are left at the end.
    pub left: bool,
    /// What `self` has when code starts.
    pub selves: bool,
}

impl Instrument {
    /// Those that may do, the smallest first.
    pub fn candidates(scenario: &Scenario, judged: &Judged) -> Vec<Instrument> {
        let mut found = Vec::new();
        let wrong = || judged.rows.iter().filter(|row| row.violations.iter().any(|v| v.class == Class::Collector));
        if wrong().next().is_some() && wrong().all(|row| row.undefined.is_some()) {
            found.push(Instrument::default());
        }
        let has = |wanted: fn(&Op) -> bool| scenario.ops().iter().any(wanted);
        let plain = Instrument { prints: true, ..Instrument::default() };
        let looks = looks(scenario, judged);
        let shown = |i: Invariant| wrong().any(|row| row.violations.iter().any(|v| v.invariant == i));
        let with_looks = Instrument { looks: looks.clone(), ..plain.clone() };
        let finals = finals(scenario, judged);
        let scans = has(|op| matches!(op, Op::Scan)) && shown(Invariant::I01b);
        let mut rest = vec![plain.clone()];
        if !looks.is_empty() {
            rest.insert(0, with_looks.clone());
        }
        if !finals.is_empty() {
            rest.push(Instrument { finals: finals.clone(), ..with_looks.clone() });
        }
        if shown(Invariant::I32) {
            rest.push(Instrument { listed: moved(scenario, judged), ..plain.clone() });
        }
        rest.push(Instrument { scans, finals, ..with_looks.clone() });
        rest.push(Instrument { selves: true, ..with_looks.clone() });
        rest.push(Instrument { left: true, ..with_looks.clone() });
        rest.push(Instrument { garbage: true, ..with_looks });
        for instrument in rest {
            let silent = Instrument { returned: false, ..instrument.clone() };
            found.push(silent);
            found.push(Instrument { returned: true, ..instrument });
        }
        found
    }
}

/// For each `look()` that reaches an object which has been cleared, the shortest way there.
fn looks(scenario: &Scenario, judged: &Judged) -> Vec<(Option<ScriptId>, Path)> {
    let mut found: Vec<(Option<ScriptId>, Path)> = Vec::new();
    for row in &judged.rows {
        let seen = row.violations.iter().filter(|v| v.invariant == Invariant::I01 && v.class == Class::Collector);
        for violation in seen {
            let (Some(at), Some(object)) = (violation.event, violation.object) else { continue };
            let mut heap = Heap::new(scenario);
            let mut running: Vec<(Option<ScriptId>, ObjId)> = Vec::new();
            for event in &row.events[..=at as usize] {
                heap.take(event);
                match *event {
                    Event::Enter { code, owner, .. } => running.push((heap.script(code, owner), owner)),
                    Event::Leave => drop(running.pop()),
                    _ => {}
                }
            }
            if !matches!(row.events[at as usize], Event::Saw { introspection: false, .. }) {
                continue;
            }
            let (script, owner) = running.last().map_or((None, None), |(s, o)| (*s, Some(*o)));
            let path = shortest(&heap, scenario, owner, object).map(|path| (script, path));
            found.extend(path.filter(|path| !found.iter().any(|(s, _)| *s == path.0)));
        }
    }
    found
}

fn shortest(heap: &Heap<'_>, scenario: &Scenario, owner: Option<ObjId>, wanted: ObjId) -> Option<Path> {
    let vars = (0..scenario.vars()).filter_map(|var| heap.var(var).map(|object| (Root::Var(var), object)));
    let starts = owner.map(|owner| (Root::Owner, owner)).into_iter().chain(vars);
    let mut waiting: VecDeque<(Path, ObjId)> =
        starts.map(|(root, object)| (Path { root, steps: Vec::new() }, object)).collect();
    let mut met: BTreeSet<ObjId> = BTreeSet::new();
    while let Some((path, object)) = waiting.pop_front() {
        if object == wanted {
            return Some(path);
        }
        if met.insert(object) {
            for (step, held) in heap.edges(object) {
                let mut path = path.clone();
                path.steps.push(step);
                waiting.push_back((path, held));
            }
        }
    }
    None
}

/// The variables that hold an object at the end of a run on some row which has been cleared.
fn finals(scenario: &Scenario, judged: &Judged) -> Vec<u16> {
    let mut found = BTreeSet::new();
    for row in &judged.rows {
        let mut heap = Heap::new(scenario);
        row.events.iter().for_each(|event| heap.take(event));
        let cleared = |var: &u16| heap.var(*var).is_some_and(|object| heap.is_cleared(object));
        found.extend((0..scenario.vars()).filter(cleared));
    }
    found.into_iter().collect()
}

/// The ways at the end to objects that moved between generations.
fn moved(scenario: &Scenario, judged: &Judged) -> Vec<Path> {
    let mut found = BTreeSet::new();
    for row in &judged.rows {
        let mut heap = Heap::new(scenario);
        row.events.iter().for_each(|event| heap.take(event));
        let wrong = row.violations.iter().filter(|v| v.invariant == Invariant::I32 && v.class == Class::Collector);
        for object in wrong.filter_map(|v| v.object) {
            found.extend(shortest(&heap, scenario, None, object));
        }
    }
    found.into_iter().collect()
}
