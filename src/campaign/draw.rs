//! Which scenarios a campaign runs, and who takes which of them.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::generate::{Generator, Profile, Seed, Size};
use crate::scenario::Scenario;

/// How many scenarios a worker takes at a time.
const CHUNK: u64 = 256;

/// A sequence of scenarios: each is a pure function of this and its number.
#[derive(Clone, Debug)]
pub struct Draw {
    /// Where all randomness comes from.
    pub seed: Seed,
    /// Scenario `n` is made with profile `n` modulo their number; at least one.
    pub profiles: Vec<&'static Profile>,
    /// How large scenarios are.
    pub size: Size,
}

impl Draw {
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

    /// The options of a command that draws scenario `n` again, a space before each.
    pub fn options(&self, n: u64) -> String {
        let mut text = format!(" --seed {} --only {n}", self.seed);
        let profiles = self.profile_names();
        if profiles != "default" {
            text += &format!(" --profile {profiles}");
        }
        if self.size != Size::default() {
            text += &format!(" --size {}", self.size.word());
        }
        text
    }

    fn chunk(&self) -> u64 {
        if self.profiles.iter().any(|p| p.is_huge()) { 1 } else { CHUNK }
    }
}

/// The generators of a [`Draw`], one per profile.
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
    /// The numbers of the scenarios that may be run.
    pub(crate) fn range(self) -> Range<u64> {
        match self {
            Budget::Scenarios(n) => 0..n,
            Budget::Only(n) => n..n.saturating_add(1),
            Budget::Time(_) => 0..u64::MAX,
        }
    }
}

/// The numbers of scenarios that no worker has taken yet.
#[derive(Debug)]
pub(crate) struct Numbers<'s> {
    next: AtomicU64,
    end: u64,
    chunk: u64,
    deadline: Option<Instant>,
    stop: &'s AtomicBool,
}

impl<'s> Numbers<'s> {
    /// All numbers of a budget. Nothing is handed out any more after the deadline, or once `stop` is true.
    pub(crate) fn new(draw: &Draw, budget: Budget, deadline: Option<Instant>, stop: &'s AtomicBool) -> Numbers<'s> {
        let range = budget.range();
        Numbers { next: AtomicU64::new(range.start), end: range.end, chunk: draw.chunk(), deadline, stop }
    }

    /// The next numbers, for one worker.
    pub(crate) fn take(&self) -> Option<Range<u64>> {
        if self.stop.load(Ordering::Relaxed) || self.deadline.is_some_and(|d| Instant::now() >= d) {
            return None;
        }
        let after = |n: u64| n.saturating_add(self.chunk).min(self.end);
        let more = |n| (n < self.end).then(|| after(n));
        let from = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(from..after(from))
    }
}
