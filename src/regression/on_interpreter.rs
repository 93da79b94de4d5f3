//! Regression files on real interpreters: the outcome must be the one that the file expects of the row.

use super::check::{Mismatch, compare_one, topics};
use super::outcome::Runner;
use crate::event::{Event, EventBuffer, Undefined};
use crate::lockstep::{self, Comparison, Difference};
use crate::scenario::text::{Document, Expectation, ExpectedViolation};
use crate::subject::{Death, Declaration, Failure, Moment, SetupError, Spec, Subject, is_scheduled};
use crate::supervise::Limits;

/// What an interpreter made of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Replayed {
    /// What the file expects.
    Expected,
    /// What the file expects, up to undefined behaviour; then the interpreter died in this way, or went on.
    Undefined(Undefined, Option<Death>),
    /// The interpreter cannot run the scenario, for this reason.
    Unsupported(String),
    /// The interpreter died where the outcome is defined.
    Crashed(Death),
    /// The interpreter reached this limit where the outcome is defined.
    Limited(String),
    /// Not what the file expects.
    Mismatch(Vec<Mismatch>),
    /// The file expects nothing of the row, and the interpreter does what the model does. The violations.
    Agrees(Vec<ExpectedViolation>),
    /// The file expects nothing of the row, and the interpreter does not do what the model does.
    Differs(Box<Difference>),
}

impl Replayed {
    /// The word in tables.
    pub const fn word(&self) -> &'static str {
        match self {
            Replayed::Expected => "ok",
            Replayed::Undefined(_, None) => "ok, undefined",
            Replayed::Undefined(_, Some(_)) => "ok, dies",
            Replayed::Unsupported(_) => "-",
            Replayed::Crashed(_) => "CRASH",
            Replayed::Limited(_) => "LIMIT",
            Replayed::Mismatch(_) => "FAIL",
            Replayed::Agrees(_) => "as model",
            Replayed::Differs(_) => "DIFFERS",
        }
    }
}

impl Runner<'_> {
    /// What a file expects of a row, the first of `row`.
    pub fn expected<'d>(&self, document: &'d Document, row: &dyn Spec) -> Option<&'d Expectation> {
        let row = &row.declarations()[0];
        let is_same = |name: &str| {
            self.catalogue.is_same(name, &row.name)
                && self.catalogue.find(name).is_ok_and(|spec| spec.declarations()[0].row == row.row)
        };
        document.expectations.iter().find(|e| is_same(&e.collector))
    }

    /// Runs a file's scenario on an interpreter, in a fresh process, and compares with what the file expects of the
    /// row, the first of `row`, or, if it expects nothing, with what the row does.
    ///
    /// # Errors
    /// [`SetupError`] if a process could not be started.
    pub fn replay(
        &mut self,
        document: &Document,
        python: &mut dyn Subject,
        row: &dyn Spec,
    ) -> Result<Replayed, SetupError> {
        let (mut model, row_is) = (Vec::new(), &row.declarations()[0]);
        // What broke off is compared as far as it came.
        let _ = row.subject(0, Limits::default())?.run(&document.scenario, &mut EventBuffer::new(&mut model));
        let (mut events, mut failure): (Vec<Event>, Option<Failure>) = (Vec::new(), None);
        python.restart();
        let follows = python.has_own_schedule() && is_scheduled(&document.scenario);
        let mut moments: Vec<Moment> = Vec::new();
        python.run_scheduled(&[&document.scenario], &mut |_, run, told, why| {
            events.extend_from_slice(run);
            moments.extend_from_slice(told);
            failure = why.cloned();
        })?;
        if follows {
            model.clear();
            let mut row = row.subject(0, Limits::default())?;
            let _ = row.follow(&document.scenario, &moments, &mut EventBuffer::new(&mut model));
        }
        let (mut died, mut limit) = (None, None);
        match &failure {
            Some(Failure::Died { how, .. }) => died = Some(Death::new(how, &events)),
            Some(Failure::Limit { limit: reached, .. }) => limit = Some(reached.clone()),
            _ => {}
        }
        let observes = python.declaration().observes;
        let comparison = lockstep::compare_observed(&model, &events, failure.as_ref(), observes);
        let undefined = match &comparison {
            Comparison::Unsupported(what) => return Ok(Replayed::Unsupported(what.clone())),
            // The model's stream says in its last event where it ends.
            Comparison::Undefined(reason) => {
                events.clone_from(&model);
                observes.restrict(&mut events);
                Some(*reason)
            }
            Comparison::Different(d) if d.kind == lockstep::DifferenceKind::Crash => {
                let how = || Death::new("died", &events);
                return Ok(Replayed::Crashed(died.unwrap_or_else(how)));
            }
            Comparison::Different(d) if d.kind == lockstep::DifferenceKind::Limit => {
                return Ok(Replayed::Limited(limit.unwrap_or_default()));
            }
            _ => None,
        };
        let declaration = Declaration { observes, ..row_is.clone() };
        let outcome = self.outcome_of(document, &declaration, &events);
        // What a file expects is what comes of the row's own schedule.
        let Some(expected) = self.expected(document, row).filter(|_| !follows) else {
            return Ok(match (comparison, undefined) {
                (Comparison::Different(difference), _) => Replayed::Differs(difference),
                (_, Some(reason)) => Replayed::Undefined(reason, died),
                _ => Replayed::Agrees(outcome.violations),
            });
        };
        let mut found = Vec::new();
        compare_one(document, &topics(document), expected, &outcome, &mut found);
        // What a file leaves unsaid is the business of the test suite.
        found.retain(|m| !matches!(m, Mismatch::Missing { .. }));
        if !observes.shows_lists() {
            found.retain(|m| !matches!(m, Mismatch::Digest { .. }));
        }
        Ok(match undefined {
            _ if !found.is_empty() => Replayed::Mismatch(found),
            Some(reason) => Replayed::Undefined(reason, died),
            None => Replayed::Expected,
        })
    }
}
