//! What holds unreachable objects back, and which of them.
//!
//! A cause explains what it holds, directly or through others, and nothing beside it: a type that hides an edge keeps what
//! that edge leads to, a legacy finalizer its object and what that reaches. Whatever is left and held by no cause is left by
//! the collector.

use super::edge::NONE;
use super::facts::Facts;
use super::graph::bit;
use super::object::Object;
use super::object_set::ObjectSet;
use super::objects::Objects;
use super::{AskedExpectations, Reachability, Shadow};
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
    /// Memory, of runs that are not small: the number of a cause, and an edge to what it holds.
    seeds: Vec<(usize, u32)>,
}

/// Where causes are looked for: among the objects that are not in [`Reachability::found`], as the edges are now.
pub(super) struct Heap<'a> {
    pub(super) objects: &'a Objects,
    pub(super) reach: &'a mut Reachability,
    pub(super) expectations: &'a AskedExpectations,
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

    /// Looks for them.
    pub(super) fn look(&mut self, heap: Heap<'_>) {
        self.forget();
        if heap.objects.peculiar.is_empty() {
            return;
        }
        let (graph, present) = (heap.objects.graph(), &heap.objects.present);
        if heap.objects.is_small() {
            // An edge to nothing is bit 0, which no object has.
            let mut edges = [0; CAUSES.len()];
            heap.hold_back(|cause, edge| edges[cause] |= bit(edge));
            self.some = edges != [0; CAUSES.len()];
            for (held, edges) in self.held.iter_mut().zip(edges).filter(|_| self.some) {
                held.set_word(graph.flood_word(present.word(), edges >> 1));
            }
            return;
        }
        self.seeds.clear();
        heap.hold_back(|cause, edge| self.seeds.push((cause, edge)));
        self.some = !self.seeds.is_empty();
        for (cause, held) in self.held.iter_mut().enumerate().filter(|_| self.some) {
            held.reset(graph.objects.len());
            let stack = heap.reach.stack();
            stack.clear();
            stack.extend(self.seeds.iter().filter(|(of, _)| *of == cause).map(|(_, edge)| *edge));
            graph.flood(held, stack);
        }
    }
}

impl Heap<'_> {
    /// What is held back, as edges, and the numbers of the causes.
    fn hold_back(&self, mut f: impl FnMut(usize, u32)) {
        let Objects { all, present, peculiar, .. } = self.objects;
        // Where one saved object keeps all that was found, one that only seems to be saved does too.
        let (whole, mut seems_saved) = (self.expectations.holds(Expectation::IsolateSaved), false);
        peculiar.each(|index| {
            let object = &all[index];
            if object.is(Object::GONE) {
                return;
            }
            if mutant!(LeftoversOfAnyLegacy) && object.facts.is(Facts::LEGACY) {
                present.each(|held| f(LEGACY, held as u32 + 1));
            }
            seems_saved |= whole && object.facts.doubled | object.facts.fickle != 0;
            if !self.reach.found().has(index) {
                self.hold_back_by(index, object, &mut f);
            }
        });
        if seems_saved {
            present.each(|held| f(TYPE, held as u32 + 1));
        }
    }

    /// What an object holds back.
    fn hold_back_by(&self, index: usize, object: &Object, mut f: impl FnMut(usize, u32)) {
        let (graph, facts, itself) = (self.objects.graph(), &object.facts, index as u32 + 1);
        let faulty = facts.is(Facts::FAULTY);
        let by_hand = object.is(Object::BY_HAND) && object.spot == Spot::Untracked;
        if by_hand || faulty && (facts.is(Facts::NO_HEADER | Facts::UNTRACKED) || !facts.is(Facts::HAS_CLEAR)) {
            graph.for_edges(object, |_, edge| f(TYPE, edge));
        } else if faulty {
            let slots = facts.hidden | facts.fickle | facts.keeps;
            graph.for_edges(object, |slot, edge| {
                if slot < 8 && slots & 1 << slot != 0 {
                    f(TYPE, edge);
                }
            });
        }
        let holds = |why: Expectation| self.expectations.holds(why);
        if facts.is(Facts::LEGACY) && holds(Expectation::LegacyFinalizer) {
            f(LEGACY, itself);
        } else if !facts.is(Facts::LEGACY)
            && self.expectations.makes_legacy(facts)
            && holds(Expectation::DelUncollectable)
        {
            f(DEL, itself);
        }
        if facts.shape == Shape::Function && !facts.is(Facts::HAS_CLEAR) {
            graph.for_edges(object, |_, edge| f(TYPE, edge));
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

impl Shadow {
    /// Looks for causes among the objects that are not in [`Reachability::found`], as the edges are now. The result is
    /// [`Shadow::causes`].
    pub(crate) fn find_causes(&mut self) {
        let Shadow { causes, objects, reach, expectations, .. } = self;
        causes.look(Heap { objects, reach, expectations });
    }

    /// What [`Shadow::find_causes`] has found last.
    pub(crate) fn causes(&self) -> &Causes {
        &self.causes
    }
}
