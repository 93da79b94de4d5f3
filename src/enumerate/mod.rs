//! Every scenario of a small scope, each once.
//!
//! # The scope
//!
//! A scenario of the scope builds 1 to N objects, links them, decorates them, drops the roots (of tracked objects in
//! order of creation, then of the others) and collects twice, with a look in between. Before the second collection a
//! resurrected object is dropped.
//!
//! * **Edges.** Each object has at most 2 strong edges, to different objects (itself included), in slots 0 and 1; both
//!   orders count, because `traverse` and `clear` follow the slots. There are at most [`Scope::edges`] edges in all.
//! * **Roots.** All roots are dropped, or all but one. The objects that are then unreachable contain a cycle, so that
//!   there is something for the collector to find, and all objects are connected by edges.
//! * **Decorations**, at most [`Scope::decorations`] in all: an object's [`Participation`] other than full; an object's
//!   [`Finalizing`]; a weak reference to any object, held by a variable or by slot 2 or 3 of any object, with a
//!   [`Callback`] or without; at most 2 of these.
//!
//! Weak references and the objects that are their callbacks are created after the objects, and count as none.
//!
//! # Isomorphic copies
//!
//! The collector's lists are in order of creation and everything observable follows that order, so two scenarios that
//! differ in the order in which tracked objects are created are different scenarios. What remains are objects that are
//! in no list, those without GC header and untracked ones: whether they are created before or after tracked objects shows
//! in nothing but their numbers. Of all scenarios that differ only in this the smallest alone is produced. Left out as well is
//! what cannot differ from something simpler: a type that hides or does not clear edges without an edge to hold, a finalizer
//! that drops a root where no root is left, two weak references of one holder where CPython shares one object.

mod build;
mod decorate;
mod graph;

#[cfg(test)]
mod tests;

pub use decorate::{Callback, Finalizing, Participation};

use crate::scenario::Scenario;
use decorate::Decorations;
use graph::Graph;

/// Highest number of objects.
pub const MAX_OBJECTS: u8 = 3;

/// What is enumerated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scope {
    /// Highest number of objects, 1 to [`MAX_OBJECTS`].
    pub objects: u8,
    /// Highest number of edges of a scenario.
    pub edges: u8,
    /// Highest number of decorations of a scenario.
    pub decorations: u8,
}

impl Scope {
    /// The scope of the given number of objects: at most 3 edges and 3 decorations. It has 404, 109,739 or 3,620,283
    /// scenarios for 1, 2 or 3 objects.
    pub fn new(objects: u8) -> Scope {
        Scope { objects: objects.clamp(1, MAX_OBJECTS), edges: 3, decorations: 3 }
    }
}

/// All scenarios with one number of objects: every graph with every set of decorations.
#[derive(Clone, Debug)]
struct Table {
    graphs: Vec<Graph>,
    decorations: Vec<Decorations>,
}

impl Table {
    fn len(&self) -> u64 {
        self.graphs.len() as u64 * self.decorations.len() as u64
    }
}

/// The scenarios of a scope, in a fixed order.
///
/// Each has an index by which an enumeration can be resumed or divided. Not every index has a scenario: some stand for
/// copies that are left out.
#[derive(Clone, Debug)]
pub struct Enumeration {
    tables: Vec<Table>,
    next: u64,
}

impl Enumeration {
    /// The scenarios of a scope, from the first.
    pub fn new(scope: Scope) -> Enumeration {
        let table = |objects| Table {
            graphs: graph::graphs(objects, scope.edges),
            decorations: decorate::decorations(objects, scope.decorations),
        };
        Enumeration { tables: (1..=scope.objects.clamp(1, MAX_OBJECTS)).map(table).collect(), next: 0 }
    }

    /// One more than the highest index.
    pub fn end(&self) -> u64 {
        self.tables.iter().map(Table::len).sum()
    }

    /// The index at which the enumeration goes on.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// Goes on at an index: the next scenario is the first whose index is not lower.
    pub fn seek(&mut self, index: u64) {
        self.next = index;
    }

    /// Replaces the content of `scenario` by the next scenario and gives its index; `None` after the last.
    pub fn fill(&mut self, scenario: &mut Scenario) -> Option<u64> {
        self.advance(|graph, decorations| build::build(graph, decorations, scenario))
    }

    /// How many scenarios the whole scope has. Takes a fraction of the time of running them.
    pub fn total(&self) -> u64 {
        let mut all = Enumeration { next: 0, ..self.clone() };
        let mut count = 0;
        while all.advance(|_, _| {}).is_some() {
            count += 1;
        }
        count
    }

    /// Goes to the next index that has a scenario.
    fn advance(&mut self, found: impl FnOnce(&Graph, &Decorations)) -> Option<u64> {
        loop {
            let index = self.next;
            let (graph, decorations) = self.at(index)?;
            self.next = index + 1;
            if decorations.means_something_on(&graph) && decorations.is_smallest_on(&graph) {
                found(&graph, &decorations);
                return Some(index);
            }
        }
    }

    fn at(&self, mut index: u64) -> Option<(Graph, Decorations)> {
        for table in &self.tables {
            if index < table.len() {
                let sets = table.decorations.len() as u64;
                return Some((table.graphs[(index / sets) as usize], table.decorations[(index % sets) as usize]));
            }
            index -= table.len();
        }
        None
    }
}

impl Iterator for Enumeration {
    type Item = (u64, Scenario);

    fn next(&mut self) -> Option<(u64, Scenario)> {
        let mut scenario = Scenario::new();
        self.fill(&mut scenario).map(|index| (index, scenario))
    }
}
