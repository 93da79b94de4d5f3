//! Verifies: the same scenario on the same subject gives the same events, twice.
//!
//! Does not verify: other processes and machines. Where runs of more than [`MOST_KEPT`] events differ after so many,
//! the place of the difference is not known.

use super::super::Invariant;
use super::super::description::Description;
use super::super::violation::{Detail, Phase, Violation};
use super::super::violations::{planted, unexcused};
use crate::event::{Digest, Event, EventBuffer, MOST_KEPT};
use crate::scenario::Scenario;
use crate::subject::{Failure, Needs, Subject};

pub(crate) const DESCRIPTION: Description = Description {
    statement: "The same scenario on the same release gives the same events, twice.",
    premises: "None.",
    not: "Other processes and machines.",
    rests: &[],
    needs: Needs::NONE,
    asks: &[],
    sentence: "two runs differ: {expected} events before, {observed} in the second run (at the event given)",
};

/// Runs the scenario twice and compares.
///
/// # Errors
/// [`Failure`] if a run broke off.
pub fn same_order(subject: &mut dyn Subject, scenario: &Scenario) -> Result<Option<Violation>, Failure> {
    let run = |subject: &mut dyn Subject, memory: &mut Vec<Event>| {
        let mut digest = Digest::new();
        let mut take = |events: &[Event]| {
            #[cfg(feature = "mutants")]
            let events = &*crate::mutants::heard(events);
            digest.take(events);
        };
        let mut out = EventBuffer::new(memory).keep(MOST_KEPT).pass_to(&mut take);
        subject.run(scenario, &mut out)?;
        let number = out.finish();
        #[cfg(feature = "mutants")]
        (*memory = crate::mutants::heard(memory).into_owned());
        Ok((number, digest.value()))
    };
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let (expected, expected_digest) = run(subject, &mut first)?;
    let (observed, observed_digest) = run(subject, &mut second)?;
    let differs = first.iter().zip(&second).position(|(one, other)| one != other);
    if differs.is_none() && (observed, observed_digest) == (expected, expected_digest) {
        return Ok(None);
    }
    let at = differs.unwrap_or(first.len().min(second.len()));
    Ok(planted(Violation {
        invariant: Invariant::I41,
        // A rule for subjects, not for collectors: what cannot be repeated cannot be judged.
        class: unexcused(Invariant::I41),
        why: None,
        phase: Phase::Mutator,
        event: Some(at as u32),
        step: None,
        object: None,
        other: None,
        expected: Detail::Count(expected as u32),
        observed: Detail::Count(observed as u32),
    }))
}
