//! The shadow heap: the truth about a run, rebuilt from the scenario and the events.
//!
//! It is a dozen parts, each in a file that says what it holds, what it leaves open, and in which direction it errs then. Their
//! fields are seen in this folder only; invariants ask through the methods, and none of them changes an edge, a count or a
//! set. An event is *applied* after the invariants have looked at what it does, unless they look at what it has done.

mod causes;
mod collection;
mod confidence;
mod containers;
mod deeds;
mod edge;
mod expectations;
mod facts;
mod fate;
mod graph;
mod left_behind;
mod misled;
mod object;
mod object_set;
mod objects;
mod program;
mod reachability;
mod roots;
mod snapshot_reader;
mod stores;
mod subtract_references;
mod trash;
mod unreachable;
mod user_code;
mod weakrefs;

pub(crate) use causes::{Causes, Fault};
pub(crate) use collection::{Collection, Progress};
pub(crate) use confidence::Confidence;
pub(crate) use containers::Keeps;
pub(crate) use deeds::Deeds;
pub(crate) use edge::{NONE, pack, unpack};
pub(crate) use expectations::{ASKS, AskedExpectations};
pub(crate) use facts::Facts;
pub(crate) use fate::Fate;
pub(crate) use object::{NOT_IN_A_LIST, Object};
pub(crate) use object_set::ObjectSet;
pub(crate) use objects::Objects;
pub(crate) use program::{Program, Trait};
pub(crate) use reachability::Reachability;
pub(crate) use roots::Roots;
pub(crate) use snapshot_reader::{After, Line, Listed, SnapshotReader};
pub(crate) use user_code::{Frame, UserCode};
pub(crate) use weakrefs::{WeakRec, Weakrefs};

use crate::scenario::Scenario;
use crate::subject::Expectations;

/// The shadow heap of one run, and its memory.
#[derive(Debug, Default)]
pub(crate) struct Shadow {
    objects: Objects,
    weakrefs: Weakrefs,
    roots: Roots,
    /// Of the actor that runs.
    user_code: UserCode,
    program: Program,
    /// Of the interpreter that runs.
    collection: Collection,
    snapshot: SnapshotReader,
    reach: Reachability,
    expectations: AskedExpectations,
    confidence: Confidence,
    deeds: Deeds,
    /// What holds back what is left, as was asked last.
    causes: Causes,
}

impl Shadow {
    /// Forgets the last run and keeps the memory.
    pub fn start(&mut self, scenario: &Scenario) {
        self.objects.start();
        self.weakrefs.start();
        self.roots.start();
        self.user_code.start();
        self.program.start(scenario);
        self.collection.start();
        self.snapshot.start();
        self.reach.changed();
        self.expectations.start();
        self.confidence.start();
        self.deeds.start();
        self.causes.forget();
    }

    /// The runs to come are of a subject of which this is expected.
    pub fn expect(&mut self, expectations: &Expectations) {
        self.expectations = AskedExpectations::new(expectations);
    }

    /// The objects and their edges.
    #[inline]
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The weak references.
    #[inline]
    pub fn weakrefs(&self) -> &Weakrefs {
        &self.weakrefs
    }

    /// What holds objects from outside.
    #[inline]
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// The user code that runs.
    #[inline]
    pub fn user_code(&self) -> &UserCode {
        &self.user_code
    }

    /// The scenario.
    #[inline]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The collection that runs, or ran last.
    #[inline]
    pub fn collection(&self) -> &Collection {
        &self.collection
    }

    /// The snapshot that is being read, or was read last.
    #[inline]
    pub fn snapshot(&self) -> &SnapshotReader {
        &self.snapshot
    }

    /// What walks over the heap have found.
    #[inline]
    pub fn reach(&self) -> &Reachability {
        &self.reach
    }

    /// What is expected of the subject.
    #[inline]
    pub fn expectations(&self) -> &AskedExpectations {
        &self.expectations
    }

    /// How far all this can be believed.
    #[inline]
    pub fn confidence(&self) -> &Confidence {
        &self.confidence
    }
}
