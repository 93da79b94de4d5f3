//! The collector: its switches, its releases, and the parts of a collection that run no user code.
//!
//! The phases are put in order by [`crate::model::machine`], because user code runs between them.

pub mod legacy;
mod recorded_rules;
pub mod releases;
pub mod state;
mod switch;
pub mod unreachable;
pub mod untracking;
pub mod weakrefs;

pub use recorded_rules::AskedRules;
pub use releases::{Collector, ROWS, Row, UnknownCollector};
pub use state::GcState;
pub use switch::{Rules, Switch, SwitchClass};
