//! Reports as text, for terminals and files.

pub mod campaign_report;
pub mod design_report;
pub mod difference_causes;
pub mod explanation;
mod heap_drawing;
pub mod lockstep_report;
pub mod run_counts;
pub(super) mod style;
mod trace;
