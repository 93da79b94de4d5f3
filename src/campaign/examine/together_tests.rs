//! What several do in the same way is run and judged once, and nobody can tell.

use super::Examiner;
use crate::enumerate::{Enumeration, Scope};
use crate::findings::Baseline;
use crate::generate::{Generator, PROFILES, Seed, Size};
use crate::model::collector::Collector;
use crate::model::rows::Rows;
use crate::scenario::Scenario;

/// The rows and a variant, all together and each alone.
struct Both {
    rows: Examiner,
    alone: Vec<Examiner>,
    runs: u64,
    violations: usize,
}

impl Both {
    fn new() -> Both {
        let mut collectors: Vec<Collector> = Collector::all();
        collectors.insert(9, Collector::parse("cpython-3.15+clear-weakrefs-before-finalizers").unwrap());
        let baseline = Baseline::committed(&Collector::row_names()).unwrap();
        let alone = collectors.iter().map(|c| Examiner::new(&Rows::one(c), &baseline)).collect();
        Both { rows: Examiner::new(&Rows::new(collectors), &baseline), alone, runs: 0, violations: 0 }
    }

    fn examine(&mut self, scenario: &Scenario, differential: bool) {
        let mut next = 0;
        self.rows.examine_each(scenario, differential, |at, run| {
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
fn rows_together_find_what_each_finds_alone() {
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
