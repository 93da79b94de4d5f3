//! Many collectors of the model, one scenario: what several do in the same way is run once and judged once.

use super::examine::{Examined, Examiner, Shared};
use crate::scenario::Scenario;

/// Collectors that run the same scenarios.
#[derive(Debug)]
pub struct Rows {
    examiners: Vec<Examiner>,
    /// The rows that ran the last scenario themselves or judged it, in order.
    leaders: Vec<usize>,
    ran: u64,
    judged: u64,
}

impl Rows {
    /// The rows of these collectors.
    pub fn new(examiners: Vec<Examiner>) -> Rows {
        Rows { leaders: Vec::with_capacity(examiners.len()), examiners, ran: 0, judged: 0 }
    }

    /// Runs a scenario on every collector; `each` gets what [`Examiner::examine`] finds on each, in order.
    pub fn examine(&mut self, scenario: &Scenario, differential: bool, mut each: impl FnMut(usize, &Examined<'_>)) {
        self.leaders.clear();
        for at in 0..self.examiners.len() {
            let (before, rest) = self.examiners.split_at_mut(at);
            let Some(examiner) = rest.first_mut() else { break };
            if !examiner.is_row() {
                (self.ran, self.judged) = (self.ran + 1, self.judged + 1);
                each(at, &examiner.examine(scenario, differential));
                continue;
            }
            let leaders = self.leaders.iter().map(|leader| &before[*leader]);
            // The last that shares the most: neighbours have the most in common.
            match leaders.clone().map(|leader| (leader.shares_with(examiner), leader)).max_by_key(|(shared, _)| *shared)
            {
                Some((Shared::Everything, leader)) => each(at, &examiner.follow(leader)),
                Some((Shared::Events, leader)) => {
                    self.judged += 1;
                    each(at, &examiner.judge_run_of(leader, scenario));
                    self.leaders.push(at);
                }
                _ => {
                    let (run, judged) = examiner.examine_beside(scenario, differential, leaders);
                    each(at, &run);
                    (self.ran, self.judged) = (self.ran + 1, self.judged + u64::from(judged));
                    self.leaders.push(at);
                }
            }
        }
    }

    /// The collectors, each with what it needs to be run alone.
    pub fn examiners(&mut self) -> &mut [Examiner] {
        &mut self.examiners
    }

    /// How many runs were made, those of invariants that need several not counted.
    pub fn ran(&self) -> u64 {
        self.ran
    }

    /// How many runs were judged; the others were the same as one of these.
    pub fn judged(&self) -> u64 {
        self.judged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enumerate::{Enumeration, Scope};
    use crate::findings::Baseline;
    use crate::generate::{Generator, PROFILES, Seed, Size};
    use crate::model::collector::Collector;

    /// The rows and a variant, all together and each alone.
    struct Both {
        rows: Rows,
        alone: Vec<Examiner>,
        runs: u64,
        violations: usize,
    }

    impl Both {
        fn new() -> Both {
            let mut collectors: Vec<Collector> = Collector::all();
            collectors.insert(9, Collector::parse("cpython-3.15+clear-weakrefs-before-finalizers").unwrap());
            let baseline = Baseline::committed(&Collector::row_names()).unwrap();
            let examiners = || collectors.iter().map(|c| Examiner::new(c, &baseline)).collect::<Vec<Examiner>>();
            Both { rows: Rows::new(examiners()), alone: examiners(), runs: 0, violations: 0 }
        }

        fn examine(&mut self, scenario: &Scenario, differential: bool) {
            let mut next = 0;
            self.rows.examine(scenario, differential, |at, run| {
                let alone = self.alone[at].examine(scenario, differential);
                assert_eq!(at, next);
                assert_eq!(format!("{run:?}"), format!("{alone:?}"), "collector {at}: {scenario:?}");
                next += 1;
                self.runs += 1;
                self.violations += run.violations.len();
            });
            assert_eq!(next, self.alone.len());
        }
    }

    #[test]
    fn a_panel_finds_what_each_collector_finds_alone() {
        let mut both = Both::new();
        let scope = Scope { decorations: 2, ..Scope::new(2) };
        for (_, scenario) in Enumeration::new(scope).step_by(37) {
            both.examine(&scenario, false);
        }
        let mut scenario = Scenario::new();
        for profile in PROFILES.iter().filter(|profile| !profile.is_huge()) {
            for size in [Size::Small, Size::Large] {
                let mut generator = Generator::new(Seed::from(3), profile, size);
                for n in 0..24 {
                    generator.fill(n, &mut scenario);
                    both.examine(&scenario, n % 8 == 0);
                }
            }
        }
        assert!(both.violations > 1000, "{}", both.violations);
        let (ran, judged) = (both.rows.ran(), both.rows.judged());
        assert!(ran < both.runs / 2 && judged < both.runs / 2, "of {} {ran} were run, {judged} judged", both.runs);
    }
}
