//! Runs scenarios on the subjects of a group and judges the runs: what several do in the same way is judged once.

mod judging;
mod known;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod together_tests;

use crate::event::{Digest, Event, EventBuffer, MOST_KEPT, Undefined};
use crate::findings::{Baseline, Verdict, count_objects};

use crate::invariant::{Coverage, Judge, Violation, differential};
use crate::scenario::Scenario;
use crate::subject::{At, Declaration, End, Group, Needs, Questions, Spec, Subject};
use crate::supervise::Limits;
use judging::{Judging, Run};
use known::KnownBugs;

/// Subjects with everything that running and judging scenarios on them needs, used again for each scenario.
pub struct Examiner {
    group: Box<dyn Group>,
    runs: Vec<Run>,
    judge: Judge,
    known: KnownBugs,
    digest: Digest,
    limits: Option<Limits>,
    /// The events of a run besides those of the group.
    scratch: Vec<Event>,
    ran: u64,
    judged: u64,
}

impl std::fmt::Debug for Examiner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Examiner").field("runs", &self.runs).finish_non_exhaustive()
    }
}

/// What became of one run.
#[derive(Clone, Copy, Debug)]
pub struct Examined<'e> {
    /// The event stream; of a run with more than [`MOST_KEPT`] events the first so many.
    pub events: &'e [Event],
    /// How many events there were.
    pub total: u64,
    /// Digest of all of them.
    pub digest: u64,
    /// All violations, the first is the primary one.
    pub violations: &'e [(Violation, Verdict)],
    /// Of each of them, the index in the baseline of the bug that it is due to, if it is known.
    pub known_bugs: &'e [Option<u16>],
    /// What the run reached.
    pub reached: Coverage,
    /// The invariants that need several runs were judged too: all of them, which those of a run with more than
    /// [`MOST_KEPT`] events are not.
    pub differential: bool,
    /// A second run was different.
    pub differs: bool,
    /// How the run ended.
    pub end: &'e End,
    /// What its events show.
    pub observes: Needs,
}

impl Examined<'_> {
    /// True if the run had more than [`MOST_KEPT`] events.
    pub fn is_long(&self) -> bool {
        self.total > MOST_KEPT as u64
    }

    /// If the process died where behaviour is undefined: why it is, and which violation says so.
    pub fn death(&self) -> Option<(Undefined, Option<usize>)> {
        let End::Undefined(reason, Some(_)) = self.end else { return None };
        let last = self.total.checked_sub(1);
        let is_ending = |(v, _): &(Violation, Verdict)| v.event.map(u64::from) == last;
        Some((*reason, self.violations.iter().rposition(is_ending)))
    }

    /// What a death where behaviour is undefined means, and the bug of the baseline that it is due to. It is of class
    /// `collector` unless a type lied.
    pub fn death_verdict(&self, reason: Undefined, ending: Option<usize>) -> (Verdict, Option<u16>) {
        let lies = matches!(reason, Undefined::OverReported | Undefined::DeadTracked | Undefined::KeptDying);
        match ending.map(|at| (self.violations[at].1, self.known_bugs[at])) {
            Some((Verdict::Known, bug)) => (Verdict::Known, bug),
            Some((Verdict::TypeFault, _)) => (Verdict::TypeFault, None),
            None if lies => (Verdict::TypeFault, None),
            _ => (Verdict::New, None),
        }
    }

    /// How many events were not kept.
    pub fn left_out(&self) -> u64 {
        self.total - self.events.len() as u64
    }

    /// How many objects the run had: as [`count_objects`] says, or all that were created if not all events were kept.
    pub fn objects(&self) -> u32 {
        if self.left_out() > 0 { self.reached.objects as u32 } else { count_objects(self.events) }
    }
}

impl Examiner {
    /// An examiner for subjects, of whose collectors something may be known.
    pub fn new(spec: &dyn Spec, baseline: &Baseline) -> Examiner {
        Examiner {
            group: spec.group(),
            runs: spec.declarations().iter().map(Run::new).collect(),
            judge: Judge::new(),
            known: KnownBugs::new(spec, baseline),
            digest: Digest::new(),
            limits: spec.limits(),
            scratch: Vec::new(),
            ran: 0,
            judged: 0,
        }
    }

    /// What the first subject is; there is one at least.
    pub fn declaration(&self) -> &Declaration {
        &self.runs[0].declaration
    }

    /// How many subjects there are.
    pub fn subjects(&self) -> usize {
        self.runs.len()
    }

    /// True if the subjects have processes of their own: what they show counts if a fresh one shows it too.
    pub fn is_process(&self) -> bool {
        self.limits.is_some()
    }

    /// The bounds of the subjects' processes; the default ones if they have none.
    pub fn limits(&self) -> Limits {
        self.limits.unwrap_or_default()
    }

    /// Sets the bounds of the processes to come: the next scenario runs in a fresh one.
    pub fn set_limits(&mut self, limits: Limits) {
        if self.limits.is_some() {
            self.limits = Some(limits);
            self.each_subject(|subject| subject.set_limits(limits));
        }
    }

    /// The next scenario runs in a fresh process, if a subject has one.
    pub fn refresh(&mut self) {
        if self.limits.is_some() {
            self.each_subject(|subject| subject.restart());
        }
    }

    fn each_subject(&mut self, mut act: impl FnMut(&mut dyn Subject)) {
        for at in 0..self.runs.len() {
            if let Some(subject) = self.group.one(at) {
                act(subject);
            }
        }
    }

    /// How many runs were made, those of invariants that need several not counted.
    pub fn ran(&self) -> u64 {
        self.ran
    }

    /// How many runs were judged; the others were the same as one of these.
    pub fn judged(&self) -> u64 {
        self.judged
    }

    /// Runs and judges a scenario on the first subject, in a fresh process if it has one.
    pub fn examine_fresh(&mut self, scenario: &Scenario, differential: bool) -> Examined<'_> {
        self.refresh();
        self.examine(scenario, differential)
    }

    /// Runs and judges a scenario, on the first subject where there are several; with `differential`, also by the
    /// invariants that need several runs. Of them a run with more than [`MOST_KEPT`] events is judged by I41 only: I18 and
    /// I38 would run it a score of times.
    pub fn examine(&mut self, scenario: &Scenario, differential: bool) -> Examined<'_> {
        self.examine_each(scenario, differential, |_, _| {});
        self.examined(0)
    }

    /// Runs and judges a scenario on every subject; `each` gets what became of it on each, in order.
    pub fn examine_each(
        &mut self,
        scenario: &Scenario,
        differential: bool,
        mut each: impl FnMut(usize, &Examined<'_>),
    ) {
        let (batch, mut told) = ([scenario], |_: At, _: &Examined<'_>| {});
        let mut judging =
            Judging::new(&mut self.runs, (&mut self.judge, &mut self.known), &mut self.digest, &batch, &mut told);
        self.group.run(&batch, &mut judging);
        self.ran += judging.ran;
        self.judged += judging.judged;
        let is_long = self.runs.iter().any(Run::is_long);
        for subject in 0..self.runs.len() {
            self.conclude(subject, scenario, differential);
            each(subject, &self.examined(subject));
        }
        if is_long {
            // Let go of the memory that a long run took.
            self.judge = Judge::new();
        }
    }

    /// Runs and judges many scenarios, together where that is cheaper; only those that `differential` chooses also by the
    /// invariants that need several runs. `each` gets what became of each run, scenarios in no particular order.
    pub fn examine_batch(
        &mut self,
        scenarios: &[Scenario],
        differential: impl Fn(usize) -> bool,
        mut each: impl FnMut(At, &Examined<'_>),
    ) {
        let (mut closely, mut together): (Vec<usize>, Vec<usize>) =
            (0..scenarios.len()).partition(|i| self.limits.is_none() || differential(*i));
        if together.len() == 1 {
            // A batch of one is run as one that is looked at by itself.
            closely.append(&mut together);
            closely.sort_unstable();
        }
        let batch: Vec<&Scenario> = together.iter().map(|i| &scenarios[*i]).collect();
        if !batch.is_empty() {
            let mut told = |at: At, run: &Examined<'_>| each(At { scenario: together[at.scenario], ..at }, run);
            let mut judging =
                Judging::new(&mut self.runs, (&mut self.judge, &mut self.known), &mut self.digest, &batch, &mut told);
            self.group.run(&batch, &mut judging);
            self.ran += judging.ran;
            self.judged += judging.judged;
        }
        for i in closely {
            self.examine_each(&scenarios[i], differential(i), |subject, run| each(At { scenario: i, subject }, run));
        }
    }

    /// What comes after a run has been judged by itself.
    fn conclude(&mut self, subject: usize, scenario: &Scenario, differential: bool) {
        if self.runs[subject].waits {
            // It did what a long run did, and is to be judged otherwise: its events are not there any more.
            self.run_alone(subject, scenario);
        }
        self.runs[subject].differential = false;
        if differential && self.runs[subject].end == End::Complete {
            self.judge_several_runs(subject, scenario);
            self.runs[subject].settle(&mut self.known, subject, scenario);
        }
    }

    /// Runs a scenario on one subject and judges the events as they come.
    fn run_alone(&mut self, at: usize, scenario: &Scenario) {
        self.judge.start(scenario, &self.runs[at].declaration);
        if let Some(subject) = self.group.one(at) {
            let mut take = |events: &[Event]| self.judge.take(events);
            let mut out = EventBuffer::new(&mut self.scratch).keep(0).pass_to(&mut take);
            // What broke off has been judged as far as it came.
            let _ = subject.run(scenario, &mut out);
        }
        let run = &mut self.runs[at];
        run.finish(&mut self.judge);
        run.settle(&mut self.known, at, scenario);
        self.judged += 1;
    }

    /// Judges by the invariants that need several runs; by one of them, if there is too much for all.
    fn judge_several_runs(&mut self, subject: usize, scenario: &Scenario) {
        let same = (0..subject).rev().find(|other| {
            let (mine, theirs) = (&self.runs[subject], &self.runs[*other]);
            theirs.differential
                && theirs.end == End::Complete
                // They ask what they like.
                && mine.declaration.expectations.agree(theirs.declaration.expectations, Questions::ALL)
                && self.group.is_alike(subject, *other)
        });
        if let Some(other) = same {
            let (before, rest) = self.runs.split_at_mut(subject);
            return rest[0].take_over(&before[other]);
        }
        let run = &mut self.runs[subject];
        let Some(subject) = self.group.one(subject) else { return };
        if self.limits.is_some() && !run.is_long() {
            differential::prepare(subject, scenario);
        }
        // What a subject cannot run in one of them does not keep the others from being judged.
        let mut found = Vec::from_iter(differential::same_order(subject, scenario).ok().flatten());
        run.differential = !run.is_long();
        if run.differential {
            found.extend(differential::path_independence(subject, scenario, &run.declaration).unwrap_or_default());
            found.extend(differential::steady_state(subject, scenario, &run.declaration).ok().flatten());
        }
        run.add(&found);
    }

    fn examined(&self, subject: usize) -> Examined<'_> {
        judging::examined(&self.runs, subject)
    }
}
