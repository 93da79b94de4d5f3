//! Which scenarios a campaign runs.

use std::time::Duration;

use crate::findings::Extent;
use crate::generate::{Generator, Profile, Seed, Size};
use crate::scenario::Scenario;

/// How many scenarios a block has: what a worker takes at a time.
const BLOCK: u64 = 256;

/// A sequence of scenarios: each is a pure function of this and its number.
#[derive(Clone, Debug)]
pub struct Scenarios {
    /// Where all randomness comes from.
    pub seed: Seed,
    /// Scenario `n` is made with profile `n` modulo their number; at least one.
    pub profiles: Vec<&'static Profile>,
    /// How large scenarios are.
    pub size: Size,
}

impl Scenarios {
    /// Makes scenario `n`.
    pub fn scenario(&self, n: u64) -> Scenario {
        let mut scenario = Scenario::new();
        self.source().fill(n, &mut scenario);
        scenario
    }

    /// The generators, to make many scenarios with.
    pub fn source(&self) -> Source {
        Source(self.profiles.iter().map(|p| Generator::new(self.seed, p, self.size)).collect())
    }

    /// The names of the profiles, with commas between them.
    pub fn profile_names(&self) -> String {
        let names: Vec<&str> = self.profiles.iter().map(|p| p.name).collect();
        names.join(",")
    }

    /// How many scenarios a block has.
    pub fn block(&self) -> u64 {
        if self.profiles.iter().any(|p| p.is_huge()) { 1 } else { BLOCK }
    }
}

/// The generators of a [`Scenarios`], one per profile.
#[derive(Debug)]
pub struct Source(Vec<Generator>);

impl Source {
    /// Replaces the content of `scenario` by scenario `n`.
    pub fn fill(&mut self, n: u64, scenario: &mut Scenario) {
        let count = self.0.len() as u64;
        self.0[(n % count) as usize].fill(n, scenario);
    }
}

/// When a campaign is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Budget {
    /// After this many scenarios, from number 0.
    Scenarios(u64),
    /// After this one scenario.
    Only(u64),
    /// When the time is over; what has been started is finished.
    Time(Duration),
}

impl Budget {
    /// The scenarios that there are, and the time.
    pub fn bounds(self) -> (Extent, Option<Duration>) {
        match self {
            Budget::Scenarios(n) => (Extent::Scenarios(n), None),
            Budget::Only(n) => (Extent::Only(n), None),
            Budget::Time(time) => (Extent::Scenarios(u64::MAX), Some(time)),
        }
    }
}
