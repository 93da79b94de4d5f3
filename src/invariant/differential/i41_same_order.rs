//! Verifies: the same scenario on the same subject gives the same events, twice.
//!
//! Does not verify: other processes and machines.

use super::super::about::About;
use super::super::violation::{Class, Detail, Phase, Violation};
use super::super::{Invariant, Why};
use super::record;
use crate::scenario::Scenario;
use crate::subject::{Failure, Subject};

pub(crate) const ABOUT: About = About {
    name: "same-order",
    statement: "The same scenario on the same release gives the same events, twice.",
    premises: "None.",
    not: "Other processes and machines.",
    promised: true,
    sentence: "two runs differ: {expected} events before, {observed} in the second run (at the event given)",
};

/// Runs the scenario twice and compares.
///
/// # Errors
/// [`Failure`] if a run broke off.
pub fn same_order(subject: &mut dyn Subject, scenario: &Scenario) -> Result<Option<Violation>, Failure> {
    let (first, second) = (record(subject, scenario)?, record(subject, scenario)?);
    if first == second {
        return Ok(None);
    }
    let at = first.iter().zip(&second).position(|(a, b)| a != b).unwrap_or(first.len().min(second.len()));
    Ok(Some(Violation {
        invariant: Invariant::I41,
        class: Class::Collector,
        why: Why::Unknown,
        phase: Phase::Mutator,
        event: at as u32,
        object: None,
        other: None,
        expected: Detail::Count(first.len() as u32),
        observed: Detail::Count(second.len() as u32),
    }))
}
