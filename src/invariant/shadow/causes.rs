//! What holds unreachable objects back, and which of them.
//!
//! A cause explains what it holds, directly or through others, and nothing beside it: a type that hides an edge keeps what
//! that edge leads to, a legacy finalizer its object and what that reaches. Whatever is left and held by no cause is left by
//! the collector.

use super::Shadow;
use super::edge::NONE;
use super::facts::Facts;
use super::graph::{Graph, bit};
use super::object::Object;
use super::object_set::ObjectSet;
use crate::event::Spot;
use crate::scenario::Shape;
use crate::subject::Expectation;

/// What explains that unreachable objects are still there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Nothing does.
    Collector,
    /// A type among their holders.
    Type,
    /// The subject does it on purpose.
    Documented(Expectation),
    /// It cannot be told: their holders are not all known.
    Unclear,
}

/// The causes that there are, the more certain ones first.
const CAUSES: [Fault; 5] = [
    Fault::Type,
    Fault::Documented(Expectation::LegacyFinalizer),
    Fault::Documented(Expectation::DelUncollectable),
    Fault::Documented(Expectation::TypeEdge),
    Fault::Unclear,
];

const TYPE: usize = 0;
const LEGACY: usize = 1;
const DEL: usize = 2;
const TYPE_EDGE: usize = 3;
const UNCLEAR: usize = 4;

/// What the causes among some objects hold back.
#[derive(Debug, Default)]
pub(crate) struct Causes {
    /// There are any.
    some: bool,
    /// What each holds, in the order of [`CAUSES`].
    held: [ObjectSet; CAUSES.len()],
    /// Memory: the number of a cause, and an edge to what it holds.
    seeds: Vec<(usize, u32)>,
}

impl Causes {
    pub(super) fn forget(&mut self) {
        self.some = false;
    }

    /// What holds an object back.
    pub fn of(&self, index: usize) -> Fault {
        if !self.some {
            return Fault::Collector;
        }
        self.held.iter().position(|set| set.has(index)).map_or(Fault::Collector, |cause| CAUSES[cause])
    }

    /// What holds all of these back: the cause of the first, unless one is the collector's fault or unclear.
    pub fn of_all(&self, objects: impl Iterator<Item = usize>) -> Fault {
        let mut first = None;
        let mut unclear = false;
        for index in objects {
            match self.of(index) {
                Fault::Collector => return Fault::Collector,
                Fault::Unclear => unclear = true,
                fault => first = first.or(Some(fault)),
            }
        }
        if unclear { Fault::Unclear } else { first.unwrap_or(Fault::Collector) }
    }

    /// Follows the edges from what is held.
    fn spread(&mut self, graph: Graph<'_>, small: bool, present: &ObjectSet, stack: &mut Vec<u32>) {
        self.some = !self.seeds.is_empty();
        if !self.some {
            return;
        }
        for (cause, held) in self.held.iter_mut().enumerate() {
            let edges = self.seeds.iter().filter(|(of, _)| *of == cause).map(|(_, edge)| *edge);
            if small {
                let edges = edges.fold(0, |edges, edge| edges | bit(edge));
                held.set_word(graph.flood_word(present.word(), edges >> 1));
            } else {
                held.reset(graph.objects.len());
                stack.clear();
                stack.extend(edges);
                graph.flood(held, stack);
            }
        }
    }
}

impl Shadow {
    /// Looks for causes among the objects that are not in [`Reachability::found`](super::Reachability::found), as the
    /// edges are now. The result is [`Shadow::causes`].
    pub(crate) fn find_causes(&mut self) {
        let mut causes = std::mem::take(&mut self.causes);
        self.look_for_causes(&mut causes);
        self.causes = causes;
    }

    /// What [`Shadow::find_causes`] has found last.
    pub(crate) fn causes(&self) -> &Causes {
        &self.causes
    }

    pub(super) fn look_for_causes(&mut self, causes: &mut Causes) {
        causes.forget();
        if !self.objects.peculiar {
            return;
        }
        causes.seeds.clear();
        // Where one saved object keeps all that was found, one that only seems to be saved does too.
        let (whole, mut seems_saved) = (self.expectations.holds(Expectation::IsolateSaved), false);
        for index in self.objects.present.iter() {
            let object = &self.objects.all[index];
            if mutant!(LeftoversOfAnyLegacy) && object.facts.is(Facts::LEGACY) {
                causes.seeds.extend(self.objects.present.iter().map(|held| (LEGACY, held as u32 + 1)));
            }
            let lies = object.facts.doubled | object.facts.fickle;
            seems_saved |= whole && lies != 0 && !object.is(Object::GONE);
            if !object.is(Object::GONE) && !self.reach.found().has(index) {
                self.hold_back(index, object, |cause, edge| causes.seeds.push((cause, edge)));
            }
        }
        if seems_saved {
            causes.seeds.extend(self.objects.present.iter().map(|held| (TYPE, held as u32 + 1)));
        }
        let Shadow { objects, reach, .. } = self;
        causes.spread(objects.graph(), objects.is_small(), &objects.present, reach.stack());
    }

    /// What an object holds back, as edges, and the number of the cause.
    fn hold_back(&self, index: usize, object: &Object, mut f: impl FnMut(usize, u32)) {
        let (facts, itself) = (&object.facts, index as u32 + 1);
        let faulty = facts.is(Facts::FAULTY);
        let by_hand = object.is(Object::BY_HAND) && object.spot == Spot::Untracked;
        if by_hand || faulty && (facts.is(Facts::NO_HEADER | Facts::UNTRACKED) || !facts.is(Facts::HAS_CLEAR)) {
            self.for_edges(object, |_, edge| f(TYPE, edge));
        } else if faulty {
            let slots = facts.hidden | facts.fickle | facts.keeps;
            self.for_edges(object, |slot, edge| {
                if slot < 8 && slots & 1 << slot != 0 {
                    f(TYPE, edge);
                }
            });
        }
        let holds = |why: Expectation| self.expectations.holds(why);
        if facts.is(Facts::LEGACY) && holds(Expectation::LegacyFinalizer) {
            f(LEGACY, itself);
        } else if !facts.is(Facts::LEGACY) && self.is_legacy(object) && holds(Expectation::DelUncollectable) {
            f(DEL, itself);
        }
        if facts.shape == Shape::Function && !facts.is(Facts::HAS_CLEAR) {
            self.for_edges(object, |_, edge| f(TYPE, edge));
        }
        if facts.shape == Shape::Typed
            && facts.hidden & 8 != 0
            && object.slots[3] != NONE
            && holds(Expectation::TypeEdge)
        {
            f(TYPE_EDGE, object.slots[3]);
        }
        if object.is(Object::UNKNOWN_HOLDERS) {
            f(UNCLEAR, itself);
        }
    }
}
