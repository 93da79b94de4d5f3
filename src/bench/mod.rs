//! Measurements of this machine: what `coroner bench` prints and `docs/performance.md` shows.
//!
//! Every ratio is taken in one run with both sides interleaved, so that a busy or slow machine moves both.

pub mod collection;
