//! `coroner` finds out how objects die.
//!
//! It builds random object graphs whose members take part in garbage collection fully, partly or not at all, hangs weak
//! references, callbacks and finalizers on them, runs them through an executable model of CPython's collector and
//! through real interpreters, and proves on every step that nothing dead was seen by the living.
//!
//! ```text
//!  seed | bytes | text file
//!         |
//!         v
//!    Scenario            what exists, who points where, what callbacks do, where collections fire
//!         |
//!         v
//!    a Subject runs it   the model of a release, a real interpreter, your collector
//!         |
//!         v
//!    the Event stream    the one vocabulary of what can be observed
//!         |
//!         v
//!    Shadow heap         the truth, rebuilt from scenario and events, hidden edges included
//!         |
//!         v
//!    Invariants          violations with a class; shrink, explain, regression file
//! ```
//!
//! Data only moves down. A scenario never knows who runs it; a subject never judges; an invariant never looks inside a
//! subject, so the same invariants judge the model, a variant of it, a real interpreter and your crate.
//!
//! # The founding bug in twenty lines
//!
//! bpo-38006: a weak reference callback ran on an object that the collector had already cleared, because one type hid
//! one edge. Up to 3.7 the collector did it; 3.8 does not.
//!
//! ```
//! use coroner::model::collector::Collector;
//! use coroner::event::record;
//! use coroner::invariant::{Class, Invariant, Judge};
//! use coroner::model::machine::Machine;
//! use coroner::scenario::text;
//! use coroner::subject::Declaration;
//!
//! let source = "\
//! coroner 1
//! def C():
//!     look()
//!
//! tok = Node(call=C)      # the callback, created first: cleared first
//! a = Node()
//! z = Node(gc=no)         # a type without GC support: the collector cannot see what owns it
//! a[0] = a
//! a[1] = z
//! a[2] = ref(z, tok)
//! a[3] = tok
//! tok[0] = a
//! del tok
//! del z
//! del a
//! collect(2)
//! ";
//! let scenario = text::parse(source).expect("a correct text").scenario;
//! let breaks_i15 = |name: &str| {
//!     let collector = Collector::parse(name).expect("a known release");
//!     let events = record(|out| Machine::new(&collector).run(&scenario, out));
//!     let mut judge = Judge::new();
//!     let declaration = Declaration::of_release(name, collector.release);
//!     let violations = judge.judge(&scenario, &events, &declaration);
//!     violations.iter().any(|v| v.invariant == Invariant::I15 && v.class == Class::Collector)
//! };
//! assert!(breaks_i15("cpython-3.7"));
//! assert!(!breaks_i15("cpython-3.8"));
//! ```
//!
//! # Where to look
//!
//! | question | module |
//! | --- | --- |
//! | What can a scenario say? | [`scenario`], text form in [`scenario::text`] |
//! | What can be observed? | [`event`] |
//! | What differs between releases? | [`model::collector`] |
//! | In what order do things die? | [`model::machine`] |
//! | What must hold? | [`invariant`] |
//! | How are scenarios made? | [`generate`], [`mutate`] |
//! | How do they get small? | [`shrink`] |
//! | How do I test my own collector? | [`subject::Subject`] |
//! | How are real interpreters run? | [`cpython`] |
//! | Who runs a campaign's scenarios? | [`subject::Spec`], found by name in [`lookup`] |
//! | What was found, and where is it kept? | [`findings`] |
//! | Which extension types break the rules? | [`audit`] |
//! | How does a run look? | [`explain`] in words, [`picture`] as a drawing |
//! | What changes with a rule? | [`design`] |
//! | How does a scenario become a script of its own? | [`export`] |
//!
//! What belongs to the program alone (its commands, its reports, what it measures) is not listed here and may change.
#![forbid(unsafe_code)]

/// The version of this library and of its program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

#[macro_use]
#[doc(hidden)]
pub mod mutants;

#[doc(hidden)]
pub mod audit;
#[doc(hidden)]
pub mod bench;
#[doc(hidden)]
pub mod bits;
pub mod campaign;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod corpus;
pub mod cpython;
pub mod design;
pub mod diagnose;
pub mod enumerate;
pub mod event;
pub mod explain;
pub mod export;
pub mod findings;
pub mod fuzzing;
pub mod generate;
pub mod invariant;
pub mod lockstep;
pub mod lookup;
pub mod model;
pub mod mutate;
#[doc(hidden)]
pub mod object_names;
pub mod pages;
pub mod picture;
#[doc(hidden)]
pub mod planted;
#[cfg(feature = "proptest")]
pub mod proptest;
pub mod regression;
#[doc(hidden)]
pub mod report;
pub mod scenario;
pub mod shrink;
pub mod subject;
pub mod supervise;
