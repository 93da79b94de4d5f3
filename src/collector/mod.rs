//! The collector: its switches, its releases, and the parts of a collection that run no user code.
//!
//! The phases are put in order by [`crate::run`], because user code runs between them.

mod asked;
pub mod legacy;
pub mod reach;
pub mod releases;
pub mod state;
pub mod survivors;
mod switch;
pub mod weakrefs;

pub use asked::AskedRules;
pub use releases::{Collector, ROWS, Row, UnknownCollector};
pub use state::GcState;
pub use switch::{Rules, Switch, SwitchClass};
