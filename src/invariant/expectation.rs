//! Which releases the invariants cannot tell apart, in general and in one run.

use std::cell::Cell;

use super::excuse::Excuse;
use crate::subject::Release;

/// What a judge knows of a release, a bit for each question: whether a condition of [`Excuse`] holds, and what follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answers(u64);

/// Questions that a judge asked of a release, as bits of [`Answers`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Questions(u64);

impl Questions {
    /// Everything that a judge may ask.
    pub const ALL: Questions = Questions(u64::MAX);
    /// Is it 2.7?
    const TWO: Questions = Questions(1 << 63);
    /// Does it have the incremental collector?
    const INCREMENTAL: Questions = Questions(1 << 62);
    /// Is it 3.15 or later?
    const FROM_3_15: Questions = Questions(1 << 61);
    /// Do functions have `tp_clear`?
    const FUNCTION_CLEAR: Questions = Questions(1 << 60);
    /// Do instances of heap types report their type?
    const TYPE_EDGE: Questions = Questions(1 << 59);

    /// Whether a condition holds.
    const fn about(why: Excuse) -> Questions {
        Questions(1 << why as u64)
    }
}

const _: () = assert!(Excuse::COUNT < 59);

impl Answers {
    /// What a judge knows of this release.
    pub fn of(release: Release) -> Answers {
        let whys = Excuse::ALL.iter().map(|why| (Questions::about(*why), why.holds(Some(release))));
        let from = |minor| release >= Release::new(3, minor, 0);
        let others = [
            (Questions::TWO, release.major == 2),
            (Questions::INCREMENTAL, from(14) && release < Release::new(3, 14, 5)),
            (Questions::FROM_3_15, from(15)),
            (Questions::FUNCTION_CLEAR, from(8)),
            (Questions::TYPE_EDGE, from(9)),
        ];
        Answers(whys.chain(others).filter(|(_, yes)| *yes).fold(0, |bits, (question, _)| bits | question.0))
    }

    /// True if the same events are the same violations with these answers and those, as far as it depends on these questions.
    pub fn agree(self, other: Answers, asked: Questions) -> bool {
        (self.0 ^ other.0) & asked.0 == 0
    }

    fn yes(self, Questions(question): Questions) -> bool {
        self.0 & question != 0
    }
}

/// The release whose run is judged; it remembers what its violations depended on.
#[derive(Debug)]
pub(crate) struct AskedRelease {
    release: Option<Release>,
    answers: Answers,
    asked: Cell<u64>,
}

impl AskedRelease {
    /// A release about which nothing has been asked.
    pub fn new(release: Option<Release>) -> AskedRelease {
        AskedRelease { release, answers: release.map_or(Answers(0), Answers::of), asked: Cell::new(0) }
    }

    /// Another run of it.
    pub fn forget(&self) {
        self.asked.set(0);
    }

    #[inline(always)]
    fn ask(&self, question: Questions) -> bool {
        self.asked.set(self.asked.get() | question.0);
        self.answers.yes(question)
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
        self.ask(Questions::TWO)
    }

    /// True for the releases with the incremental collector.
    #[inline]
    pub fn is_incremental(&self) -> bool {
        self.ask(Questions::INCREMENTAL)
    }

    /// True if it is known and at least 3.15.
    pub fn is_from_3_15(&self) -> bool {
        self.ask(Questions::FROM_3_15)
    }

    /// True if there is one for which the condition holds, or it holds for all.
    pub fn holds(&self, why: Excuse) -> bool {
        match self.release {
            Some(_) => self.ask(Questions::about(why)),
            None => why.holds(None),
        }
    }

    /// What functions or instances of heap types are was worked out from the release.
    #[inline]
    pub fn made(&self, function: bool, typed: bool) {
        let (function, typed) = (u64::from(function), u64::from(typed));
        let made = (function * Questions::FUNCTION_CLEAR.0) | (typed * Questions::TYPE_EDGE.0);
        self.asked.set(self.asked.get() | made);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, EventBuffer};
    use crate::generate::{Generator, PROFILES, Seed, Size};
    use crate::invariant::{Coverage, Judge, Violation};
    use crate::model::collector::Collector;
    use crate::model::machine::Machine;
    use crate::scenario::Scenario;

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
                    machine.run(&scenario, &mut EventBuffer::new(&mut events));
                    type Outcome = (Vec<Violation>, Coverage, Questions);
                    let mut judged = |c: &Collector| -> Outcome {
                        let violations = judge.judge(&scenario, &events, Some(c.release)).to_vec();
                        (violations, judge.reached(), judge.asked())
                    };
                    let outcomes: Vec<Outcome> = rows.iter().map(&mut judged).collect();
                    for (a, of_a) in rows.iter().zip(&outcomes) {
                        for (b, of_b) in rows.iter().zip(&outcomes) {
                            let agree = |asked| Answers::of(a.release).agree(Answers::of(b.release), asked);
                            let same = (&of_a.0, of_a.1) == (&of_b.0, of_b.1);
                            assert!(same || !agree(of_a.2), "{} and {}: {scenario:?}", a.name, b.name);
                            alike += u32::from(agree(of_a.2));
                            different += u32::from(!same);
                            always += u32::from(agree(Questions::ALL));
                        }
                    }
                }
            }
        }
        assert!(alike > 2 * always && different > 100, "{always} of {alike}, {different}");
    }
}
