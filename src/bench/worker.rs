//! How fast a worker runs scenarios in a real interpreter: the time is taken inside the child, from the first operation
//! to the last event, so that neither the pipe nor the judge counts.

use crate::cpython::{Python, SetupError};
use crate::generate::{Generator, PROFILES, Profile, Seed, Size};
use crate::scenario::{Op, Scenario};

/// What a worker took for some scenarios.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Timing {
    /// Scenarios that were run to their end.
    pub scenarios: u64,
    /// Their events.
    pub events: u64,
    /// The time for all of them, in nanoseconds.
    pub nanoseconds: u64,
}

impl Timing {
    /// Nanoseconds for one scenario; nothing if none was run.
    pub fn each(&self) -> Option<f64> {
        (self.scenarios > 0).then(|| self.nanoseconds as f64 / self.scenarios as f64)
    }

    /// Scenarios in a second; nothing if none was run.
    pub fn per_second(&self) -> Option<f64> {
        self.each().map(|each| 1e9 / each.max(1.0))
    }
}

/// Runs scenarios in batches of 256, as campaigns do, and adds up what they took. What the interpreter cannot run, or
/// dies of, does not count.
///
/// # Errors
/// [`SetupError`] if a worker could not be started.
pub fn worker(python: &mut Python, scenarios: &[Scenario]) -> Result<Timing, SetupError> {
    let mut timing = Timing::default();
    for batch in scenarios.chunks(256) {
        python.run_batch(batch, |outcome| {
            if outcome.failure.is_none() {
                timing.scenarios += 1;
                timing.events += outcome.events.len() as u64;
                timing.nanoseconds += outcome.nanoseconds;
            }
        })?;
    }
    Ok(timing)
}

/// Scenarios of the size that the aim is stated for: 12 objects and 30 operations, give or take a sixth.
pub fn typical(count: usize) -> Vec<Scenario> {
    let profile = Profile::named("default").unwrap_or(&PROFILES[0]);
    let mut generator = Generator::new(Seed::default(), profile, Size::Small);
    let is_typical = |scenario: &Scenario| {
        let created = scenario.ops().iter().filter(|op| matches!(op, Op::New { .. })).count();
        (10..=14).contains(&created) && (25..=35).contains(&scenario.ops().len())
    };
    (0..).map(|n| generator.make(n)).filter(is_typical).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typical_scenarios_are_easy_to_find_and_of_the_size() {
        let scenarios = typical(50);
        assert_eq!(scenarios.len(), 50);
        let operations: usize = scenarios.iter().map(|s| s.ops().len()).sum();
        assert!((25 * 50..=35 * 50).contains(&operations));
    }

    #[test]
    fn nothing_that_was_run_has_no_rate() {
        assert_eq!(Timing::default().per_second(), None);
        let timing = Timing { scenarios: 4, events: 9, nanoseconds: 80_000 };
        assert_eq!((timing.each(), timing.per_second()), (Some(20_000.0), Some(50_000.0)));
    }
}
