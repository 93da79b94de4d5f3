//! Invariants that need more than one run of a scenario, or of a variant of it.
//!
//! They are generic over [`Subject`] and judged on a sample of a campaign, since each costs
//! several runs. [`check`] runs all of them.

mod death;
pub(crate) mod i18_path_independence;
pub(crate) mod i38_steady_state;
pub(crate) mod i41_same_order;

use super::Invariant;
use super::violation::Violation;
use crate::event::{Event, EventBuffer};
use crate::scenario::Scenario;
use crate::subject::{Declaration, Failure, Subject};

pub use i18_path_independence::{MAX_VARIANTS, Variant, path_independence, variants};
pub use i38_steady_state::{RUNS, WARM_UPS, repeated, steady_state};
pub use i41_same_order::same_order;

/// The events of one run.
fn record(subject: &mut dyn Subject, scenario: &Scenario) -> Result<Vec<Event>, Failure> {
    let mut events = Vec::new();
    subject.run(scenario, &mut EventBuffer::new(&mut events))?;
    Ok(if cfg!(feature = "mutants") { crate::mutants::heard(&events).into_owned() } else { events })
}

/// Tells a subject with a process which runs [`same_order`], [`path_independence`] and [`steady_state`] will ask for, as far
/// as the scenario says.
pub fn prepare(subject: &mut dyn Subject, scenario: &Scenario) {
    let rounds = repeated(scenario).map(|(rounds, _)| rounds);
    let batch: Vec<&Scenario> = [scenario; 3].into_iter().chain(&rounds).collect();
    subject.prepare(&batch);
}

/// True if an invariant is judged here.
pub fn judges(invariant: Invariant) -> bool {
    matches!(invariant, Invariant::I18 | Invariant::I38 | Invariant::I41)
}

/// True if the run ended in undefined behaviour, after which there is nothing to compare.
fn undefined(events: &[Event]) -> bool {
    matches!(events.last(), Some(Event::Undefined { .. }))
}

/// Judges every differential invariant.
///
/// # Errors
/// [`Failure`] if a run broke off.
pub fn check(
    subject: &mut dyn Subject,
    scenario: &Scenario,
    declaration: &Declaration,
) -> Result<Vec<Violation>, Failure> {
    let mut found = Vec::new();
    found.extend(same_order(subject, scenario)?);
    found.extend(path_independence(subject, scenario, declaration)?);
    found.extend(steady_state(subject, scenario, declaration)?);
    Ok(found)
}
