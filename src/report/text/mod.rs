//! Reports as text, for terminals and files.

pub mod campaign;
pub mod explanation;
mod heap;
pub mod lockstep;
pub(super) mod style;
mod trace;
