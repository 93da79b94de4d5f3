//! What is drawn: the objects and references of all frames of all runs together, each with one place for the whole picture.

use std::collections::{BTreeMap, BTreeSet};

use super::frames::Frame;
use super::heap_state::{Life, Part};
use crate::event::{Event, ObjId, Role};

/// Most objects that are drawn.
pub const MOST_OBJECTS: usize = 40;
/// Most references that are drawn, those of one kind from one object to another being one.
pub const MOST_EDGES: usize = 90;

/// Kinds of references, each drawn in its own way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EdgeKind {
    /// It is counted.
    Strong,
    /// It is counted, and the callback of a weak reference.
    Callback,
    /// From a weak reference to what it refers to.
    Weak,
}

impl EdgeKind {
    /// The kind of a part's reference.
    pub const fn of(part: Part) -> EdgeKind {
        match part {
            Part::Callback => EdgeKind::Callback,
            Part::Referent => EdgeKind::Weak,
            Part::Slot(_) | Part::Key | Part::Value => EdgeKind::Strong,
        }
    }
}

/// An arrow of the picture: between objects by their number in the picture.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Arrow {
    /// The holder.
    pub from: usize,
    /// What is referred to.
    pub to: usize,
    /// What the references are.
    pub kind: EdgeKind,
}

/// What an object is in every run of a scenario: the operation that made it, what it is to that, and the how manieth.
type Identity = (u32, Role, u32);

/// The objects of one run, for the union.
#[derive(Debug)]
pub struct Members {
    identities: BTreeMap<ObjId, Identity>,
}

impl Members {
    /// The objects that events create.
    pub fn of(events: &[Event]) -> Members {
        let mut counts: BTreeMap<(u32, Role), u32> = BTreeMap::new();
        let mut identities = BTreeMap::new();
        for event in events {
            if let Event::New { object, origin, role } = *event {
                let count = counts.entry((origin, role)).or_default();
                identities.insert(object, (origin, role, *count));
                *count += 1;
            }
        }
        Members { identities }
    }
}

/// The objects and arrows that are drawn.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Union {
    /// Of each run, which object has which number in the picture.
    pub numbers: Vec<BTreeMap<ObjId, usize>>,
    /// How many objects are drawn.
    pub objects: usize,
    /// The arrows.
    pub arrows: Vec<Arrow>,
    /// How many objects are not drawn, because the picture would be too large.
    pub left_out: usize,
}

/// The union of all frames; if it is too large, of what is next to the seeds, which are objects of the first run.
pub fn union(runs: &[(&Members, &[Frame])], seeds: &[ObjId]) -> Union {
    let mut all: BTreeSet<Identity> = BTreeSet::new();
    let mut arrows: BTreeSet<(Identity, Identity, EdgeKind)> = BTreeSet::new();
    for (members, frames) in runs {
        let identity = |object: ObjId| members.identities.get(&object).copied();
        for frame in *frames {
            let living = frame.heap.objects.iter().filter(|(_, state)| state.life != Life::Dead);
            all.extend(living.filter_map(|(object, _)| identity(*object)));
            for link in frame.heap.links.keys() {
                if let (Some(from), Some(to)) = (identity(link.from), identity(link.to)) {
                    all.extend([from, to]);
                    arrows.insert((from, to, EdgeKind::of(link.part)));
                }
            }
        }
    }
    let seeds = seeds.iter().filter_map(|object| runs.first()?.0.identities.get(object).copied());
    let chosen = chosen(&all, &arrows, seeds.filter(|seed| all.contains(seed)));
    let number: BTreeMap<Identity, usize> = all
        .iter()
        .filter(|object| chosen.contains(object))
        .zip(0..)
        .map(|(object, number)| (*object, number))
        .collect();
    let numbers = runs.iter().map(|(members, _)| {
        let drawn = members.identities.iter().filter_map(|(object, identity)| Some((*object, *number.get(identity)?)));
        drawn.collect()
    });
    let arrow = |(from, to, kind): &(Identity, Identity, EdgeKind)| {
        Some(Arrow { from: *number.get(from)?, to: *number.get(to)?, kind: *kind })
    };
    let mut arrows: Vec<Arrow> = arrows.iter().filter_map(arrow).collect();
    // What is counted first: it is what decides which object is above which.
    arrows.sort_by_key(|arrow| (arrow.kind == EdgeKind::Weak, arrow.from, arrow.to, arrow.kind));
    arrows.truncate(MOST_EDGES);
    Union { numbers: numbers.collect(), objects: number.len(), arrows, left_out: all.len() - number.len() }
}

/// All objects if they can be drawn; else the seeds and what is next to them, as many as can.
fn chosen(
    all: &BTreeSet<Identity>,
    arrows: &BTreeSet<(Identity, Identity, EdgeKind)>,
    seeds: impl Iterator<Item = Identity>,
) -> BTreeSet<Identity> {
    if all.len() <= MOST_OBJECTS && arrows.len() <= MOST_EDGES {
        return all.clone();
    }
    let mut next: BTreeMap<Identity, BTreeSet<Identity>> = BTreeMap::new();
    for (from, to, _) in arrows {
        next.entry(*from).or_default().insert(*to);
        next.entry(*to).or_default().insert(*from);
    }
    // In rings around the seeds; what is in none of them is chosen last.
    let mut seen: BTreeSet<Identity> = BTreeSet::new();
    let mut order: Vec<Identity> = seeds.filter(|seed| seen.insert(*seed)).collect();
    let mut at = 0;
    while order.len() < MOST_OBJECTS {
        match order.get(at) {
            Some(object) => {
                let around = next.get(object).into_iter().flatten();
                order.extend(around.filter(|object| seen.insert(**object)));
                at += 1;
            }
            None => match all.iter().find(|object| seen.insert(**object)) {
                Some(object) => order.push(*object),
                None => break,
            },
        }
    }
    order.truncate(MOST_OBJECTS);
    let mut chosen: BTreeSet<Identity> = order.iter().copied().collect();
    let drawn = |chosen: &BTreeSet<Identity>| {
        arrows.iter().filter(|(from, to, _)| chosen.contains(from) && chosen.contains(to)).count()
    };
    while drawn(&chosen) > MOST_EDGES && chosen.len() > 1 {
        let Some(last) = order.pop() else { break };
        chosen.remove(&last);
    }
    chosen
}
