//! One run for several collectors: a row that gives the same answers wherever a run asked does the same, and what is the
//! same is judged once.

use super::{Examined, Examiner, verdict};
use crate::event::{EventBuffer, MOST_KEPT};
use crate::findings::End;
use crate::invariant::Questions;
use crate::scenario::Scenario;

/// What of one collector's last run is another's too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::campaign) enum Shared {
    /// Nothing is known.
    Nothing,
    /// The events, all of which are kept.
    Events,
    /// Everything but what the baseline says of it.
    Everything,
}

impl Examiner {
    /// True for a collector of the model that is no variant of a row: only these share.
    pub(in crate::campaign) fn is_row(&self) -> bool {
        self.real.is_none() && self.plain.is_none()
    }

    /// What of this row's last run would be the same on another row.
    pub(in crate::campaign) fn shares_with(&self, other: &Examiner) -> Shared {
        let (switches, questions) = self.asked;
        if !self.collector.rules.agrees(other.collector.rules, switches) {
            return Shared::Nothing;
        }
        // The invariants that need several runs ask what they like.
        let questions = if self.differential { Questions::ALL } else { questions };
        if self.answers.agree(other.answers, questions) {
            Shared::Everything
        } else if self.differential || self.total > MOST_KEPT as u64 {
            Shared::Nothing
        } else {
            Shared::Events
        }
    }

    /// Takes over how another row's run was judged.
    fn take_over(&mut self, leader: &Examiner) {
        (self.total, self.stream) = (leader.total, leader.stream);
        (self.reached, self.asked.1) = (leader.reached, leader.asked.1);
        self.violations.clear();
        self.violations.extend(leader.violations.iter().map(|(v, _)| (*v, verdict(v, &self.known))));
    }

    /// Takes over what another row did and how it was judged.
    pub(in crate::campaign) fn follow<'e>(&'e mut self, leader: &'e Examiner) -> Examined<'e> {
        self.end = End::Complete;
        self.take_over(leader);
        Examined { events: &leader.events, ..self.examined(leader.differential) }
    }

    /// Takes over the events of another row's run, and judges them.
    pub(in crate::campaign) fn judge_run_of(&mut self, leader: &Examiner, scenario: &Scenario) -> Examined<'_> {
        self.end = End::Complete;
        self.events.clone_from(&leader.events);
        self.judge(scenario);
        (self.stream, self.asked.0) = (leader.stream, leader.asked.0);
        self.examined(false)
    }

    /// Runs and judges a scenario as [`Examiner::examine`] does. If one of the others did the same, that is not judged again:
    /// says whether it was judged, too.
    pub(in crate::campaign) fn examine_beside<'o>(
        &mut self,
        scenario: &Scenario,
        differential: bool,
        others: impl Iterator<Item = &'o Examiner>,
    ) -> (Examined<'_>, bool) {
        let mut others = others.peekable();
        // Nothing to compare with, or more than was kept.
        if others.peek().is_none_or(|other| other.total > MOST_KEPT as u64) {
            return (self.examine(scenario, differential), true);
        }
        self.end = End::Complete;
        self.machine.forget_asked();
        let mut out = EventBuffer::new(&mut self.events).keep(MOST_KEPT).end_at(MOST_KEPT + 1);
        self.machine.run(scenario, &mut out);
        self.total = out.finish();
        if self.total > MOST_KEPT as u64 {
            return (self.examine(scenario, differential), true);
        }
        self.asked.0 = self.machine.asked();
        self.digest.reset();
        self.digest.take(&self.events);
        self.stream = self.digest.value();
        let same = others.find(|other| {
            other.stream == self.stream
                && other.events == self.events
                && other.answers.agree(self.answers, other.asked.1)
        });
        if let Some(other) = same.filter(|_| !differential) {
            self.take_over(other);
            return (self.examined(false), false);
        }
        self.judge(scenario);
        (self.conclude(scenario, differential), true)
    }
}
