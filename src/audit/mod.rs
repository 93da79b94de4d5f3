//! Which types of installed extension modules break the rules of the collector, shown by counting.
//!
//! An object that dies releases what it owns. In a copy of the process in which everything else is kept alive, each count
//! that falls at its death was released by its deallocator: so many references the object owned. What its `tp_traverse`
//! reported before is compared with that. The rules are those of "Supporting Cyclic Garbage Collection" in the C API
//! reference: traverse reports each owned reference to an object that can be part of a cycle, once, and nothing else; the
//! deallocator untracks first; weak references are cleared; `tp_clear` leaves an object that can still be traversed and die.
//!
//! It shows that a fault is there, never that none is.

pub mod classify;
pub mod controls;
pub mod facts;
pub mod outcome;
pub mod text;
pub mod words;
