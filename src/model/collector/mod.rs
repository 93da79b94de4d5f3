//! The collector: its switches, its releases, and the parts of a collection that run no user code.
//!
//! The phases are put in order by [`crate::model::machine`], because user code runs between them.

mod attestation;
pub mod legacy;
mod recorded_rules;
pub mod releases;
mod rules;
pub mod state;
mod switches;
mod table;
pub mod unreachable;
pub mod untracking;
pub mod weakrefs;

pub use attestation::Attestation;
pub use recorded_rules::AskedRules;
pub use releases::{Collector, ROWS, Row, UnknownCollector};
pub use rules::Rules;
pub use state::GcState;
pub use switches::Switch;
pub use table::SwitchClass;
