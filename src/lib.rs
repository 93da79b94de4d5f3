//! Deterministic simulation and fuzzing of how garbage collection, weak references, callbacks and finalizers interact.
#![forbid(unsafe_code)]

pub mod cpython;
pub mod event;
pub mod fuzzing;
pub mod scenario;
pub mod subject;
