//! What people and programs read: tables, explanations, JSON.

pub mod campaign;
pub mod explain;
pub mod json;
pub mod lockstep;
mod style;

pub use crate::object_names::ObjectNames;
pub use style::{Style, UNVERIFIED, count, grouped, quoted, subject};
