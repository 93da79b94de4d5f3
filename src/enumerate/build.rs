//! Writing a decorated graph as a scenario.

use super::MAX_OBJECTS;
use super::decorate::{Callback, Decorations, Finalizing, Participation, Weak};
use super::graph::Graph;
use crate::scenario::{Base, Clear, Finalizer, Kind, Op, Place, Scenario, ScriptId, Shape, SlotSet, Tracking};

/// The variable of a resurrected object, of a weak reference made by a finalizer, of a callback, of the first weak
/// reference held by a variable. Objects have those below.
const RESURRECTED: Place = Place::var(MAX_OBJECTS as u16);
const MADE: Place = Place::var(MAX_OBJECTS as u16 + 1);
const CALLABLE: Place = Place::var(MAX_OBJECTS as u16 + 2);
const HELD: u16 = MAX_OBJECTS as u16 + 3;
/// The slot of the first weak reference that an object holds.
const WEAK_SLOT: u8 = 2;

const COLLECT: Op = Op::Collect { generation: 2 };

/// What scripts do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Look,
    Resurrect,
    MakeWeakref,
    DropRoot,
    Collect,
}

/// The scripts of one scenario, in order of first use.
struct Scripts {
    deeds: [Deed; 5],
    len: usize,
}

impl Scripts {
    fn number(&mut self, deed: Deed) -> ScriptId {
        let known = self.deeds[..self.len].iter().position(|other| *other == deed);
        let number = known.unwrap_or_else(|| {
            self.deeds[self.len] = deed;
            self.len += 1;
            self.len - 1
        });
        ScriptId(number as u8)
    }
}

fn drop_of(place: Place) -> Op {
    Op::Set { dst: place, src: Place::NOTHING }
}

/// The variable of each object: tracked objects in order of creation, then the others. Roots are dropped in this order,
/// and looks start in it, so that neither depends on when objects that are in no list were created.
fn names(decorations: &Decorations, objects: usize) -> [u8; MAX_OBJECTS as usize] {
    let mut names = [0; MAX_OBJECTS as usize];
    let mut next = 0;
    for unlisted in [false, true] {
        for object in (0..objects).filter(|object| decorations.participation[*object].is_unlisted() == unlisted) {
            names[object] = next;
            next += 1;
        }
    }
    names
}

/// Replaces the content of `out` by the scenario.
pub(super) fn build(graph: &Graph, decorations: &Decorations, out: &mut Scenario) {
    let mut scripts = Scripts { deeds: [Deed::Look; 5], len: 0 };
    let objects = graph.objects;
    let names = names(decorations, objects as usize);
    let var = |object: u8| Place::var(names[object as usize].into());
    out.clear();
    out.start_body();
    for object in 0..objects {
        let kind = kind(decorations, object as usize, &mut scripts);
        out.push(Op::New { dst: var(object), kind, items: [Place::NOTHING; 2] });
    }
    for object in 0..objects {
        for (slot, target) in graph.edges[object as usize].iter().enumerate() {
            if let Some(target) = target {
                out.push(Op::Set { dst: var(object).slot(slot as u8), src: var(*target) });
            }
        }
    }
    for (which, weak) in decorations.weakrefs.iter().flatten().enumerate() {
        watch(weak, which as u8, &var, &mut scripts, out);
    }
    for name in (0..objects).filter(|name| graph.root.map(|root| names[root as usize]) != Some(*name)) {
        out.push(drop_of(Place::var(name.into())));
    }
    out.push(COLLECT);
    out.push(Op::Look);
    if decorations.finalizing.contains(&Finalizing::Resurrect) {
        out.push(drop_of(RESURRECTED));
    }
    out.push(COLLECT);
    for deed in &scripts.deeds[..scripts.len] {
        out.start_body();
        write(*deed, graph.root.map(var), decorations, out);
    }
}

fn kind(decorations: &Decorations, object: usize, scripts: &mut Scripts) -> Kind {
    let mut kind = Kind::new(Shape::Node);
    match decorations.participation[object] {
        Participation::Full => {}
        Participation::HidesEdges => kind.hidden = SlotSet::ALL,
        Participation::NoHeader => kind.tracking = Tracking::NoHeader,
        Participation::NoClear => kind.clear = Clear::Missing,
        Participation::Untracked => kind.tracking = Tracking::Untracked,
    }
    let deed = match decorations.finalizing[object] {
        Finalizing::None => return kind,
        Finalizing::Look => Deed::Look,
        Finalizing::Resurrect => Deed::Resurrect,
        Finalizing::MakeWeakref => Deed::MakeWeakref,
        Finalizing::DropRoot => Deed::DropRoot,
    };
    kind.finalizer = Some(Finalizer::Modern(scripts.number(deed)));
    kind
}

/// Makes a weak reference and the object that is its callback.
fn watch(weak: &Weak, which: u8, var: &dyn Fn(u8) -> Place, scripts: &mut Scripts, out: &mut Scenario) {
    let deed = match weak.callback {
        Callback::None => None,
        Callback::Look => Some(Deed::Look),
        Callback::Collect => Some(Deed::Collect),
    };
    let mut callback = Place::NOTHING;
    if let Some(deed) = deed {
        callback = CALLABLE;
        let kind = Kind { on_call: Some(scripts.number(deed)), ..Kind::new(Shape::Node) };
        out.push(Op::New { dst: callback, kind, items: [Place::NOTHING; 2] });
    }
    let dst = match weak.holder {
        None => Place::var(HELD + u16::from(which)),
        Some(holder) => var(holder).slot(WEAK_SLOT + which),
    };
    out.push(Op::New { dst, kind: Kind::new(Shape::Ref), items: [var(weak.referent), callback] });
    if deed.is_some() {
        out.push(drop_of(CALLABLE));
    }
}

fn write(deed: Deed, root: Option<Place>, decorations: &Decorations, out: &mut Scenario) {
    let owner = Place::of(Base::Owner);
    match deed {
        Deed::Look => {
            if decorations.finalizing.contains(&Finalizing::MakeWeakref) {
                out.push(Op::Deref { dst: Place::NOTHING, weak: MADE });
            }
            for (which, weak) in decorations.weakrefs.iter().flatten().enumerate() {
                if weak.holder.is_none() {
                    out.push(Op::Deref { dst: Place::NOTHING, weak: Place::var(HELD + which as u16) });
                }
            }
            out.push(Op::Look);
        }
        Deed::Resurrect => out.push(Op::Set { dst: RESURRECTED, src: owner }),
        Deed::MakeWeakref => {
            out.push(Op::New { dst: MADE, kind: Kind::new(Shape::Ref), items: [owner, Place::NOTHING] });
        }
        Deed::DropRoot => out.push(drop_of(root.unwrap_or(Place::NOTHING))),
        Deed::Collect => out.push(COLLECT),
    }
}
