//! Deterministic simulation and fuzzing of how garbage collection, weak references, callbacks and finalizers interact.
#![forbid(unsafe_code)]

pub mod collector;
pub mod event;
pub mod generate;
pub mod heap;
pub mod invariant;
pub mod mutate;
pub mod run;
pub mod scenario;
pub mod subject;
