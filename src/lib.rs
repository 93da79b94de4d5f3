//! Deterministic simulation and fuzzing of how garbage collection, weak references, callbacks and finalizers interact.
#![forbid(unsafe_code)]

pub mod bugs;
pub mod campaign;
pub mod cli;
pub mod collector;
pub mod cpython;
pub mod enumerate;
pub mod event;
pub mod fuzzing;
pub mod generate;
pub mod heap;
pub mod invariant;
pub mod mutate;
pub mod names;
pub mod regression;
pub mod report;
pub mod run;
pub mod scenario;
pub mod shrink;
pub mod subject;
pub mod sweep;
