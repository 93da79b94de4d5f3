//! What people read: names for objects.

mod names;

pub use names::ObjectNames;
