//! Measurements of this machine: what `coroner bench` prints and `docs/performance.md` shows.
//!
//! Every ratio is taken in one run with both sides taking turns, so that a busy or slow machine moves both. Nothing is judged:
//! what is asked for stands beside what was seen.

pub mod against_interpreter;
pub mod collection;
pub mod interleaved;
pub mod parallel;
pub mod pipeline;
pub mod replay;
pub mod rows;
pub mod table;
pub mod worker;

pub use table::{Cell, Floor, Table};
