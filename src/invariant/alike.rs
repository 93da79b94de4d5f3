//! Which releases the invariants cannot tell apart, in general and in one run.

use std::cell::Cell;

use super::documented::Why;
use crate::subject::Release;

/// The releases from which on the judge knows something else: the bounds of [`Why`], and 3.0 (no `__del__` that runs
/// late), 3.8 (functions have `tp_clear`), 3.9 (instances report their type), 3.14.0 and 3.14.5 (incremental collector),
/// 3.15 (weak references in the trash).
const BOUNDS: [Release; 10] = [
    Release::new(3, 0, 0),
    Release::new(3, 4, 0),
    Release::new(3, 7, 6),
    Release::new(3, 8, 0),
    Release::new(3, 9, 0),
    Release::new(3, 9, 1),
    Release::new(3, 13, 13),
    Release::new(3, 14, 0),
    Release::new(3, 14, 5),
    Release::new(3, 15, 0),
];

/// What the judge asked about a release: whether it comes before each of some bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Questions(u16);

impl Questions {
    /// Everything that a judge may ask.
    pub const ALL: Questions = Questions((1 << BOUNDS.len()) - 1);

    /// Whether it is from this bound on.
    const fn from(bound: Release) -> Questions {
        let (mut bits, mut i) = (0, 0);
        while i < BOUNDS.len() {
            let Release { major, minor, patch } = BOUNDS[i];
            if major == bound.major && minor == bound.minor && patch == bound.patch {
                bits |= 1 << i;
            }
            i += 1;
        }
        assert!(bits != 0, "a bound that is missing in the table");
        Questions(bits)
    }

    /// Whether a condition holds.
    const fn about(why: Why) -> Questions {
        let (from, to) = why.releases();
        let from = if let Some(bound) = from { Questions::from(bound).0 } else { 0 };
        let to = if let Some(bound) = to { Questions::from(bound).0 } else { 0 };
        Questions(from | to)
    }
}

/// True if the same events of the two releases are the same violations, as far as it depends on these questions.
pub fn judged_alike(a: Release, b: Release, asked: Questions) -> bool {
    let answers = |release: Release| {
        BOUNDS.iter().enumerate().fold(0, |answers: u16, (i, bound)| answers | u16::from(release >= *bound) << i)
    };
    (answers(a) ^ answers(b)) & asked.0 == 0
}

/// The release whose run is judged; it remembers what was asked about it.
#[derive(Debug, Default)]
pub(crate) struct AskedRelease {
    release: Option<Release>,
    is_two: bool,
    is_incremental: bool,
    asked: Cell<u16>,
}

impl AskedRelease {
    /// A release about which nothing has been asked.
    pub fn new(release: Option<Release>) -> AskedRelease {
        AskedRelease {
            release,
            is_two: release.is_some_and(|r| r.major == 2),
            is_incremental: release.is_some_and(|r| r >= Release::new(3, 14, 0) && r < Release::new(3, 14, 5)),
            asked: Cell::new(0),
        }
    }

    #[inline(always)]
    fn ask(&self, Questions(questions): Questions) {
        self.asked.set(self.asked.get() | questions);
    }

    /// Unasked.
    pub fn plain(&self) -> Option<Release> {
        self.release
    }

    /// What was asked.
    pub fn asked(&self) -> Questions {
        Questions(self.asked.get())
    }

    /// True if there is one: all of them have that in common.
    pub fn is_known(&self) -> bool {
        self.release.is_some()
    }

    /// True for 2.7.
    #[inline]
    pub fn is_two(&self) -> bool {
        self.ask(const { Questions::from(Release::new(3, 0, 0)) });
        self.is_two
    }

    /// True for the releases with the incremental collector.
    #[inline]
    pub fn is_incremental(&self) -> bool {
        const FROM: Questions = Questions::from(Release::new(3, 14, 0));
        const TO: Questions = Questions::from(Release::new(3, 14, 5));
        self.ask(Questions(FROM.0 | TO.0));
        self.is_incremental
    }

    /// True if it is known and at least 3.15.
    pub fn is_from_3_15(&self) -> bool {
        const BOUND: Release = Release::new(3, 15, 0);
        self.ask(const { Questions::from(BOUND) });
        self.release.is_some_and(|r| r >= BOUND)
    }

    /// True if the condition holds.
    pub fn holds(&self, why: Why) -> bool {
        const QUESTIONS: [Questions; Why::COUNT] = {
            let mut questions = [Questions(0); Why::COUNT];
            let mut i = 0;
            while i < Why::ALL.len() {
                questions[Why::ALL[i] as usize] = Questions::about(Why::ALL[i]);
                i += 1;
            }
            questions
        };
        self.ask(QUESTIONS[why as usize]);
        why.holds(self.release)
    }

    /// What functions and instances of heap types are was worked out from the release.
    #[inline]
    pub fn made(&self, function: bool, typed: bool) {
        const FUNCTION: u16 = Questions::from(Release::new(3, 8, 0)).0;
        const TYPED: u16 = Questions::from(Release::new(3, 9, 0)).0;
        self.ask(Questions(if function { FUNCTION } else { 0 } | if typed { TYPED } else { 0 }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collector::Collector;
    use crate::event::Event;
    use crate::generate::{Generator, PROFILES, Seed, Size};
    use crate::invariant::{Invariant, Judge, Judged, Reached, Violation};
    use crate::run::Machine;
    use crate::scenario::Scenario;

    #[test]
    fn bounds_are_in_order() {
        assert!(BOUNDS.is_sorted());
    }

    #[test]
    fn releases_that_are_judged_alike_are() {
        let rows = Collector::all();
        let mut machines: Vec<Machine> = rows.iter().map(Machine::new).collect();
        let (mut judge, mut events, mut scenario) = (Judge::new(), Vec::<Event>::new(), Scenario::new());
        let (mut always, mut alike, mut different) = (0, 0, 0);
        for profile in PROFILES.iter().filter(|profile| !profile.is_huge()) {
            let mut generator = Generator::new(Seed::from(5), profile, Size::default());
            for n in 0..40 {
                generator.fill(n, &mut scenario);
                // Streams of a few collectors are enough: every release judges each.
                for machine in machines.iter_mut().step_by(4) {
                    events.clear();
                    machine.run(&scenario, &mut events);
                    type Outcome = (Vec<Violation>, Reached, Vec<Judged>, Questions);
                    let mut judged = |c: &Collector| -> Outcome {
                        let violations = judge.judge(&scenario, &events, Some(c.release)).to_vec();
                        let judged = Invariant::ALL.iter().map(|i| judge.judged(*i)).collect();
                        (violations, judge.reached(), judged, judge.asked())
                    };
                    let outcomes: Vec<Outcome> = rows.iter().map(&mut judged).collect();
                    for (a, of_a) in rows.iter().zip(&outcomes) {
                        for (b, of_b) in rows.iter().zip(&outcomes) {
                            if judged_alike(a.release, b.release, of_a.3) {
                                assert_eq!(of_a, of_b, "{} and {}: {scenario:?}", a.name, b.name);
                                alike += 1;
                            } else {
                                different += u32::from(of_a != of_b);
                            }
                            always += u32::from(judged_alike(a.release, b.release, Questions::ALL));
                        }
                    }
                }
            }
        }
        assert!(alike > 2 * always && different > 100, "{always} of {alike}, {different}");
    }
}
