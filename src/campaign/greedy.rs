//! A stand-in for the shrinker: removes operations.

use crate::scenario::{Op, Scenario};

/// The result.
pub struct Minimized {
    /// What is left.
    pub scenario: Scenario,
    /// Candidates tried.
    pub tries: u64,
    /// Nothing more can be removed.
    pub minimal: bool,
}

/// Removes operations as long as the predicate holds.
pub fn minimize(scenario: &Scenario, predicate: &mut dyn FnMut(&Scenario) -> bool, budget: u64) -> Minimized {
    let mut bodies: Vec<Vec<Op>> = scenario.normalize().to_bodies();
    let mut tries = 0;
    loop {
        let mut changed = false;
        for body in 0..bodies.len() {
            let mut size = bodies[body].len();
            while size > 0 {
                let mut at = bodies[body].len();
                while at > 0 {
                    if tries >= budget {
                        return Minimized { scenario: Scenario::from_bodies(&bodies), tries, minimal: false };
                    }
                    let from = at.saturating_sub(size);
                    let removed: Vec<Op> = bodies[body].drain(from..at).collect();
                    tries += 1;
                    if predicate(&Scenario::from_bodies(&bodies)) {
                        changed = true;
                    } else {
                        bodies[body].splice(from..from, removed);
                    }
                    at = from;
                }
                size /= 2;
            }
        }
        if !changed {
            return Minimized { scenario: Scenario::from_bodies(&bodies), tries, minimal: true };
        }
    }
}
