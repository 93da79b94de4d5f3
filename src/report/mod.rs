//! What people and programs read: tables, explanations, JSON. Made of values only; nothing here runs anything.

pub mod json;
pub mod text;

pub use crate::object_names::ObjectNames;
pub use text::style::{Style, UNVERIFIED, count, grouped, quoted, subject, wrapped};
