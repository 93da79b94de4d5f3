//! The executable model of CPython's collector: what a heap is, what a collector decides, and how a scenario runs on both.
//!
//! [`heap`] is mechanism without policy, [`collector`] the phases and the rows of switches that make one release different
//! from another, [`machine`] runs scenarios: mutator operations, user code, deallocation, collections.

pub mod collector;
pub mod heap;
pub mod machine;
pub mod rows;
