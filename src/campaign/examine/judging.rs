//! Judges the runs of a group as they come.

use super::Examined;
use super::known::{DueTo, Found, KnownBugs};
use crate::event::{Digest, Event, MOST_KEPT};
use crate::findings::Verdict;

use crate::invariant::{Class, Coverage, Invariant, Judge, Violation};
use crate::scenario::Scenario;
use crate::subject::{At, Declaration, End, Questions, Receiver};

/// A subject's last run, and how it was judged.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) declaration: Declaration,
    /// Its events, if they are its own.
    events: Vec<Event>,
    /// Whose events it has: index of this run, or of an earlier one.
    events_of: usize,
    /// How many events there were.
    total: u64,
    /// The digest of all of them.
    digest: u64,
    reached: Coverage,
    pub(super) violations: Found,
    /// Of each of them, the index in the baseline of the bug that it is due to.
    pub(super) known_bugs: DueTo,
    pub(super) end: End,
    /// What of the declaration its judging asked.
    asked: Questions,
    /// It was judged by all invariants that need several runs, too.
    pub(super) differential: bool,
    /// It is to be run again, to be judged.
    pub(super) waits: bool,
}

impl Run {
    pub(super) fn new(declaration: &Declaration) -> Run {
        Run {
            declaration: declaration.clone(),
            events: Vec::new(),
            events_of: 0,
            total: 0,
            digest: 0,
            reached: Coverage::default(),
            violations: Vec::new(),
            known_bugs: Vec::new(),
            end: End::Complete,
            asked: Questions::ALL,
            differential: false,
            waits: false,
        }
    }

    /// True if it has more events than are kept.
    pub(super) fn is_long(&self) -> bool {
        self.total > MOST_KEPT as u64
    }

    /// Takes over what the judge has found.
    pub(super) fn finish(&mut self, judge: &mut Judge) {
        self.violations.clear();
        self.violations.extend(judge.finish().iter().map(|v| (*v, verdict(v))));
        self.reached = judge.reached();
        self.asked = judge.asked();
        self.waits = false;
    }

    /// Takes over how another run was judged, whose events and end are the same.
    pub(super) fn take_over(&mut self, other: &Run) {
        (self.reached, self.asked, self.differential) = (other.reached, other.asked, other.differential);
        self.violations.clear();
        self.violations.extend(other.violations.iter().map(|(v, _)| (*v, verdict(v))));
        self.waits = false;
    }

    /// Finds out what of it the baseline knows.
    pub(super) fn settle(&mut self, known: &mut KnownBugs, subject: usize, scenario: &Scenario) {
        let of = (subject, &self.declaration);
        known.settle(of, (scenario, &self.events), &mut self.violations, &mut self.known_bugs);
    }

    /// Adds violations.
    pub(super) fn add(&mut self, found: &[Violation]) {
        self.violations.extend(found.iter().map(|v| (*v, verdict(v))));
    }
}

/// Takes the runs of a group and judges each when it has ended.
pub(super) struct Judging<'j> {
    runs: &'j mut [Run],
    judge: &'j mut Judge,
    batch: &'j [&'j Scenario],
    known: &'j mut KnownBugs,
    digest: &'j mut Digest,
    /// The run that is coming in is judged as it comes: it has more events than are kept.
    streams: bool,
    /// Gets what became of each run, once it is judged.
    each: &'j mut dyn FnMut(At, &Examined<'_>),
    /// Runs that were made.
    pub(super) ran: u64,
    /// Runs that were judged.
    pub(super) judged: u64,
}

impl<'j> Judging<'j> {
    pub(super) fn new(
        runs: &'j mut [Run],
        (judge, known): (&'j mut Judge, &'j mut KnownBugs),
        digest: &'j mut Digest,
        batch: &'j [&'j Scenario],
        each: &'j mut dyn FnMut(At, &Examined<'_>),
    ) -> Judging<'j> {
        runs.iter_mut().for_each(|run| run.total = 0);
        Judging { runs, judge, known, batch, digest, streams: false, each, ran: 0, judged: 0 }
    }

    /// An earlier run of the scenario that had the same events and was judged by the same answers.
    fn same(&self, subject: usize) -> Option<usize> {
        let run = &self.runs[subject];
        (0..subject).rev().find(|at| {
            let other = &self.runs[*at];
            (other.events_of == run.events_of
                || (run.events_of == subject
                    && (other.digest, other.total) == (run.digest, run.total)
                    && !run.is_long()
                    && self.runs[other.events_of].events == run.events))
                && !other.waits
                && other.end == run.end
                && other.declaration.expectations.agree(run.declaration.expectations, other.asked)
        })
    }

    fn judge(&mut self, subject: usize, scenario: usize) {
        let streams = std::mem::replace(&mut self.streams, false);
        if !streams && let Some(other) = self.same(subject) {
            let (before, rest) = self.runs.split_at_mut(subject);
            return rest[0].take_over(&before[other]);
        }
        if !streams {
            let run = &self.runs[subject];
            if run.is_long() {
                self.runs[subject].waits = true;
                return;
            }
            self.judge.start(self.batch[scenario], &run.declaration);
            self.judge.take(&self.runs[run.events_of].events);
        }
        self.runs[subject].finish(self.judge);
        self.judged += 1;
    }
}

impl Receiver for Judging<'_> {
    fn events(&mut self, at: At, events: &[Event]) {
        let run = &mut self.runs[at.subject];
        if run.total == 0 {
            run.events.clear();
            run.events.extend_from_slice(events);
            self.digest.reset();
        } else {
            if !self.streams {
                self.streams = true;
                self.judge.start(self.batch[at.scenario], &run.declaration);
                self.judge.take(&run.events);
            }
            self.judge.take(events);
        }
        self.digest.take(events);
        run.total += events.len() as u64;
    }

    fn ended(&mut self, at: At, end: End, same_as: Option<usize>) {
        let subject = at.subject;
        match same_as {
            Some(other) => {
                let other = &self.runs[other];
                let (events_of, total, digest) = (other.events_of, other.total, other.digest);
                let run = &mut self.runs[subject];
                (run.events_of, run.total, run.digest) = (events_of, total, digest);
            }
            None => {
                let run = &mut self.runs[subject];
                if run.total == 0 {
                    run.events.clear();
                    self.digest.reset();
                }
                (run.events_of, run.digest) = (subject, self.digest.value());
                self.ran += 1;
            }
        }
        self.runs[subject].end = end;
        self.runs[subject].differential = false;
        self.judge(subject, at.scenario);
        if !self.runs[subject].waits {
            self.runs[subject].settle(self.known, subject, self.batch[at.scenario]);
        }
        (self.each)(at, &examined(self.runs, subject));
        if self.batch.len() > 1 {
            self.runs[subject].total = 0;
        }
    }
}

/// What became of a subject's last run.
pub(super) fn examined(runs: &[Run], subject: usize) -> Examined<'_> {
    let run = &runs[subject];
    Examined {
        events: &runs[run.events_of].events,
        total: run.total,
        digest: run.digest,
        violations: &run.violations,
        known_bugs: &run.known_bugs,
        reached: run.reached,
        differential: run.differential,
        differs: run.violations.iter().any(|(v, _)| v.invariant == Invariant::I41),
        end: &run.end,
        observes: run.declaration.observes,
    }
}

/// Before it is known whether the baseline knows it.
fn verdict(violation: &Violation) -> Verdict {
    match violation.class {
        Class::Collector => Verdict::New,
        Class::TypeFault => Verdict::TypeFault,
        Class::Documented => Verdict::Documented,
        Class::Unpromised => Verdict::Unpromised,
    }
}
