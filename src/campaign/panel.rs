//! Many collectors of the model, one scenario: what several do in the same way is judged once.

use super::examine::{End, Examiner};
use super::tally::Verdict;
use crate::invariant::{Questions, Violation, judged_alike};
use crate::scenario::Scenario;

/// Collectors that run the same scenarios.
#[derive(Debug)]
pub struct Panel {
    examiners: Vec<Examiner>,
    /// For each collector those before it whose runs are judged as its own would be.
    alike: Vec<Vec<usize>>,
    judged: u64,
}

impl Panel {
    /// A panel of these collectors.
    pub fn new(examiners: Vec<Examiner>) -> Panel {
        let alike = |(at, one): (usize, &Examiner)| {
            let same = |other: &Examiner| judged_alike(one.collector().release, other.collector().release, Questions::ALL);
            let sharing = |before: &usize| one.is_row() && examiners[*before].is_row() && same(&examiners[*before]);
            (0..at).filter(sharing).collect()
        };
        let alike = examiners.iter().enumerate().map(alike).collect();
        Panel { examiners, alike, judged: 0 }
    }

    /// Runs a scenario on every collector; `each` gets the violations of each, as [`Examiner::examine`] finds them, and
    /// how the run ended.
    pub fn examine(&mut self, scenario: &Scenario, mut each: impl FnMut(usize, &[(Violation, Verdict)], &End)) {
        for at in 0..self.examiners.len() {
            let (before, rest) = self.examiners.split_at_mut(at);
            let Some(examiner) = rest.first_mut() else { break };
            if !examiner.is_row() {
                self.judged += 1;
                let run = examiner.examine(scenario, false);
                each(at, run.violations, run.end);
                continue;
            }
            examiner.run(scenario);
            match self.alike[at].iter().map(|i| &before[*i]).find(|other| other.events() == examiner.events()) {
                Some(other) => examiner.judge_as(other),
                None => {
                    self.judged += 1;
                    examiner.judge(scenario);
                }
            }
            each(at, examiner.violations(), &End::Complete);
        }
    }

    /// The collectors, each with what it needs to be run alone.
    pub fn examiners(&mut self) -> &mut [Examiner] {
        &mut self.examiners
    }

    /// How many runs were judged; the others were the same as one of these.
    pub fn judged(&self) -> u64 {
        self.judged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::Baseline;
    use crate::collector::Collector;
    use crate::enumerate::{Enumeration, Scope};

    #[test]
    fn a_panel_finds_what_each_collector_finds_alone() {
        let mut names: Vec<Collector> = Collector::all();
        names.push(Collector::parse("cpython-3.15+clear-weakrefs-before-finalizers").unwrap());
        let baseline = Baseline::committed().unwrap();
        let examiners = || names.iter().map(|c| Examiner::new(c, &baseline)).collect::<Vec<Examiner>>();
        let (mut panel, mut alone) = (Panel::new(examiners()), examiners());
        let (mut runs, mut violations) = (0, 0);
        let scope = Scope { decorations: 2, ..Scope::new(2) };
        for (_, scenario) in Enumeration::new(scope).step_by(11) {
            panel.examine(&scenario, |at, found, _| {
                assert_eq!(found, alone[at].examine(&scenario, false).violations, "{}", names[at].name);
                runs += 1;
                violations += found.len();
            });
        }
        assert!(violations > 1000, "{violations}");
        assert!(panel.judged() < runs * 2 / 3, "{} of {runs} were judged", panel.judged());
    }
}
