//! Verifies: the same scenario on the same subject gives the same events, twice.
//!
//! Does not verify: other processes and machines. Where runs of more than [`MOST_KEPT`] events differ after so many,
//! the place of the difference is not known.

use super::super::Invariant;
use super::super::registry::Description;
use super::super::violation::{Class, Detail, Phase, Violation};
use crate::event::{Digest, Event, MOST_KEPT, Sink, Tape};
use crate::scenario::Scenario;
use crate::subject::{Failure, Needs, Subject};

pub(crate) const DESCRIPTION: Description = Description {
    name: "same-order",
    statement: "The same scenario on the same release gives the same events, twice.",
    premises: "None.",
    not: "Other processes and machines.",
    promised: true,
    needs: Needs::NONE,
    asks: &[],
    sentence: "two runs differ: {expected} events before, {observed} in the second run (at the event given)",
};

/// Compares a run with what was kept of the first.
struct Second<'f> {
    first: &'f [Event],
    /// The first event that differs.
    differs: Option<u64>,
    count: u64,
    digest: Digest,
}

impl Sink for Second<'_> {
    fn event(&mut self, event: Event) {
        if self.differs.is_none() && self.first.get(self.count as usize).is_some_and(|first| *first != event) {
            self.differs = Some(self.count);
        }
        self.count += 1;
        self.digest.event(event);
    }
}

/// Runs the scenario twice and compares.
///
/// # Errors
/// [`Failure`] if a run broke off.
pub fn same_order(subject: &mut dyn Subject, scenario: &Scenario) -> Result<Option<Violation>, Failure> {
    let (mut kept, mut digest) = (Vec::new(), Digest::new());
    let mut tape = Tape::new(&mut kept, |events| events.iter().for_each(|event| digest.event(*event)));
    subject.run(scenario, &mut tape)?;
    let first = tape.finish();
    let mut second = Second { first: &kept, differs: None, count: 0, digest: Digest::new() };
    subject.run(scenario, &mut second)?;
    let Second { differs, count, digest: mut again, .. } = second;
    if differs.is_none() && count == first && again.value() == digest.value() {
        return Ok(None);
    }
    let at = differs.unwrap_or(first.min(count).min(MOST_KEPT as u64));
    Ok(Some(Violation {
        invariant: Invariant::I41,
        class: Class::Collector,
        why: None,
        phase: Phase::Mutator,
        event: Some(at as u32),
        object: None,
        other: None,
        expected: Detail::Count(first as u32),
        observed: Detail::Count(count as u32),
    }))
}
