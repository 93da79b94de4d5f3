//! Compares what a file expects with what its collectors do.

use super::outcome::{Outcome, Runner, Topic};
use super::{Case, Unreadable};
use crate::scenario::text::{Document, Expectation, ExpectedViolation, Fact, FieldName};
use crate::subject::{Catalogue, UnknownSubject};

/// A difference between a file and what happens.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Mismatch {
    /// An expectation names a collector that does not exist.
    #[error("{0}")]
    Collector(#[from] UnknownSubject),
    /// Two expectations are for one collector.
    #[error("{0} is expected twice")]
    Twice(String),
    /// An expectation is for a collector that was not run.
    #[error("{0} was not run")]
    NotRun(String),
    /// The file says nothing about a row.
    #[error("nothing is expected of {0}")]
    Row(String),
    /// The file states no digest, no violations or no facts for a collector.
    #[error("{collector}: no {what} stated")]
    Missing {
        /// The collector.
        collector: String,
        /// Which of the three.
        what: &'static str,
    },
    /// Another event stream.
    #[error("{collector}: digest {observed:016x} instead of {expected:016x}")]
    Digest {
        /// The collector.
        collector: String,
        /// What the file says.
        expected: u64,
        /// What happened.
        observed: u64,
    },
    /// A violation that was expected and did not happen.
    #[error("{collector}: no violation of {} ({})", violation.code, violation.class.word())]
    NotViolated {
        /// The collector.
        collector: String,
        /// The violation.
        violation: ExpectedViolation,
    },
    /// A violation that the file does not expect.
    #[error("{collector}: violation of {} ({})", violation.code, violation.class.word())]
    Violated {
        /// The collector.
        collector: String,
        /// The violation.
        violation: ExpectedViolation,
    },
    /// A fact that the file states and that is not true.
    #[error("{collector}: {text} is not so")]
    Untrue {
        /// The collector.
        collector: String,
        /// The fact.
        fact: Fact,
        /// The fact in the names of the file.
        text: String,
    },
    /// A fact that is true, on a topic of the file, and not stated.
    #[error("{collector}: {text} is not stated")]
    Unstated {
        /// The collector.
        collector: String,
        /// The fact.
        fact: Fact,
        /// The fact in the names of the file.
        text: String,
    },
    /// Violations and facts are the same for every collector, and no `same:` line says why.
    #[error("all collectors agree, and no `same:` line says why")]
    Alike,
    /// A `same:` line, but violations or facts differ between collectors.
    #[error("a `same:` line, but collectors differ")]
    NotAlike,
}

/// What came of checking files.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// How many files were checked, unreadable ones included.
    pub files: usize,
    /// How many outcomes were compared.
    pub outcomes: usize,
    /// Files that could not be read.
    pub unreadable: Vec<Unreadable>,
    /// Files, by index in what was checked, with what is wrong with them.
    pub mismatches: Vec<(usize, Vec<Mismatch>)>,
}

impl Report {
    /// True if every file was read and every outcome was the expected one.
    pub fn is_clean(&self) -> bool {
        self.unreadable.is_empty() && self.mismatches.is_empty()
    }
}

/// Every difference between what a file expects and the outcomes of its collectors, by the names that the file uses.
/// A collector without outcome is one that does not exist.
pub fn compare(document: &Document, outcomes: &[(String, Outcome)], catalogue: &dyn Catalogue) -> Vec<Mismatch> {
    let mut found = Vec::new();
    let expectations = &document.expectations;
    let topics = topics(document);
    for (at, expectation) in expectations.iter().enumerate() {
        if expectations[..at].iter().any(|e| e.collector == expectation.collector) {
            found.push(Mismatch::Twice(expectation.collector.clone()));
        }
        match outcomes.iter().find(|(name, _)| *name == expectation.collector) {
            Some((_, outcome)) => compare_one(document, &topics, expectation, outcome, &mut found),
            None => match catalogue.find(&expectation.collector) {
                Err(unknown) => found.push(Mismatch::Collector(unknown)),
                Ok(spec) => found.push(Mismatch::NotRun(spec.declarations()[0].name.clone())),
            },
        }
    }
    let named = |row: &String| expectations.iter().any(|e| e.collector == *row);
    found.extend(catalogue.all().into_iter().filter(|row| !named(row)).map(Mismatch::Row));
    let alike = expectations.windows(2).all(|e| e[0].violations == e[1].violations && e[0].facts == e[1].facts);
    match (alike, document.field(FieldName::Same)) {
        (true, None) => found.push(Mismatch::Alike),
        (false, Some(_)) => found.push(Mismatch::NotAlike),
        _ => {}
    }
    found
}

impl Runner<'_> {
    /// What the collectors do that a file expects something of; those that do not exist are left out.
    pub fn outcomes(&mut self, document: &Document) -> Vec<(String, Outcome)> {
        let mut outcomes = Vec::new();
        for expectation in &document.expectations {
            let found = self.catalogue.find(&expectation.collector);
            // One that cannot be set up was not run, and `compare` says so.
            if let Some(outcome) = found.ok().and_then(|spec| self.outcome(document, spec.as_ref()).ok()) {
                outcomes.push((expectation.collector.clone(), outcome));
            }
        }
        outcomes
    }

    /// Every difference between what a file expects and what its collectors do.
    pub fn check(&mut self, document: &Document) -> Vec<Mismatch> {
        compare(document, &self.outcomes(document), self.catalogue)
    }

    /// Checks every file, the unreadable ones too.
    pub fn check_all(&mut self, cases: &[Result<Case, Unreadable>]) -> Report {
        let mut report = Report { files: cases.len(), ..Report::default() };
        for (at, case) in cases.iter().enumerate() {
            match case {
                Err(unreadable) => report.unreadable.push(unreadable.clone()),
                Ok(case) => {
                    report.outcomes += case.document.expectations.len();
                    let found = self.check(&case.document);
                    if !found.is_empty() {
                        report.mismatches.push((at, found));
                    }
                }
            }
        }
        report
    }
}

/// The topics on which a file states facts, sorted.
pub(super) fn topics(document: &Document) -> Vec<Topic> {
    let mut topics: Vec<Topic> = document.expectations.iter().flat_map(|e| &e.facts).map(|f| Topic::of(*f)).collect();
    topics.sort_unstable();
    topics.dedup();
    topics
}

/// Compares the outcome of one collector with what the file expects of it; `topics` are those of the file.
pub(super) fn compare_one(
    document: &Document,
    topics: &[Topic],
    expectation: &Expectation,
    outcome: &Outcome,
    found: &mut Vec<Mismatch>,
) {
    let collector = || expectation.collector.clone();
    let missing = |what| Mismatch::Missing { collector: collector(), what };
    match expectation.digest {
        None => found.push(missing("digest")),
        Some(expected) if expected != outcome.digest && !mutant!(DigestsMayDiffer) => {
            found.push(Mismatch::Digest { collector: collector(), expected, observed: outcome.digest });
        }
        Some(_) => {}
    }
    match &expectation.violations {
        None => found.push(missing("violations")),
        Some(expected) => {
            for violation in
                expected.iter().filter(|v| !mutant!(ViolationsMayVanish) && !outcome.violations.contains(v))
            {
                found.push(Mismatch::NotViolated { collector: collector(), violation: violation.clone() });
            }
            for violation in
                outcome.violations.iter().filter(|v| !mutant!(ViolationsMayAppear) && !expected.contains(v))
            {
                found.push(Mismatch::Violated { collector: collector(), violation: violation.clone() });
            }
        }
    }
    if topics.is_empty() {
        found.push(missing("facts"));
    }
    let text = |fact: &Fact| {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = fact.write(&document.names, &mut text);
        text
    };
    for fact in expectation.facts.iter().filter(|f| !mutant!(FactsMayBeUntrue) && !outcome.facts.contains(f)) {
        found.push(Mismatch::Untrue { collector: collector(), fact: *fact, text: text(fact) });
    }
    let stated = |fact: &&Fact| topics.contains(&Topic::of(**fact)) && !expectation.facts.contains(fact);
    for fact in outcome.facts.iter().filter(stated) {
        found.push(Mismatch::Unstated { collector: collector(), fact: *fact, text: text(fact) });
    }
}
