//! Writes what collectors do into a file's expectations.

use std::path::{Path, PathBuf};

use super::check::topics;
use super::load::load;
use super::outcome::{Outcome, Runner, Topic};
use super::preserved_outcome::PreservedOutcome;
use super::{Case, Unreadable};
use crate::scenario::text::{Anchor, Document, Expectation, Fact, FieldName};
use crate::shrink::Minimality;
use crate::subject::{Catalogue, Spec, UnknownSubject};

/// What blessing did to a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Blessed {
    /// The file.
    pub path: PathBuf,
    /// False if it said all that already.
    pub changed: bool,
}

/// Why a file could not be blessed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BlessError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// It expects something of a collector that does not exist.
    #[error("{}: {unknown}", path.display())]
    Collector {
        /// The file.
        path: PathBuf,
        /// What is wrong with the name.
        unknown: UnknownSubject,
    },
    /// It cannot be written.
    #[error("{}: cannot be written: {reason}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        reason: String,
    },
}

impl Runner<'_> {
    /// Replaces every expectation by what happens: the rows first, oldest first, then the variants that the
    /// document names, in its order. Facts stay on the topics that the document has; a document without facts gets
    /// what the last collection returned and everything about named objects that differs between the collectors.
    ///
    /// # Errors
    /// [`UnknownSubject`] if the document names one, or one that cannot be set up; nothing has changed then.
    pub fn bless(&mut self, document: &mut Document) -> Result<(), UnknownSubject> {
        let mut collectors: Vec<(String, Box<dyn Spec>)> = Vec::new();
        let expected = document.expectations.iter().map(|e| e.collector.clone());
        let rows = self.catalogue.all();
        for (at, name) in rows.iter().cloned().chain(expected).enumerate() {
            let spec = self.catalogue.find(&name)?;
            let release = |spec: &dyn Spec| spec.declarations()[0].release;
            let is_there = |(other, there): &(String, Box<dyn Spec>)| {
                self.catalogue.is_same(other, &name) && release(there.as_ref()) == release(spec.as_ref())
            };
            if at < rows.len() || !collectors.iter().any(is_there) {
                collectors.push((name, spec));
            }
        }
        let outcomes = collectors.iter().map(|(_, spec)| self.outcome(document, spec.as_ref()));
        let outcomes = outcomes.collect::<Result<Vec<Outcome>, _>>().map_err(|e| UnknownSubject(e.to_string()))?;
        let mut topics = topics(document);
        if topics.is_empty() {
            topics = default_topics(&outcomes);
        }
        let old = std::mem::take(&mut document.expectations);
        document.expectations = collectors
            .iter()
            .zip(outcomes)
            .map(|((name, _), outcome)| Expectation {
                collector: name.clone(),
                digest: Some(outcome.digest),
                violations: Some(outcome.violations),
                facts: outcome.facts.into_iter().filter(|f| topics.contains(&Topic::of(*f))).collect(),
            })
            .collect();
        let place = |at: usize| {
            let name = &old.get(at)?.collector;
            document.expectations.iter().position(|e| e.collector == *name).map(Anchor::Expectation)
        };
        document.comments.retain_mut(|comment| match comment.anchor {
            Anchor::Expectation(at) => place(at).map(|new| comment.anchor = new).is_some(),
            _ => true,
        });
        document.comments.sort_by_key(|c| c.anchor);
        Ok(())
    }
}

/// Brings the numbers of a claim of minimality up to date, if it is true; a false one is left for a test to find.
fn renew_claim(document: &mut Document, catalogue: &dyn Catalogue) -> Result<(), UnknownSubject> {
    let Some(at) = document.fields.iter().position(|f| f.name == FieldName::Minimal) else { return Ok(()) };
    if Minimality::parse(&document.fields[at].text).is_some_and(|claim| claim.is_minimal())
        && let Ok(tries) = PreservedOutcome::new(document, catalogue)?.check_minimal(&document.scenario)
    {
        document.fields[at].text = Minimality::new(true, tries).to_string();
    }
    Ok(())
}

fn default_topics(outcomes: &[Outcome]) -> Vec<Topic> {
    let mut topics = Vec::new();
    let facts =
        |o: &Outcome, topic| -> Vec<Fact> { o.facts.iter().copied().filter(|f| Topic::of(*f) == topic).collect() };
    for fact in outcomes.iter().flat_map(|o| &o.facts) {
        let topic = Topic::of(*fact);
        let differs = outcomes.windows(2).any(|o| facts(&o[0], topic) != facts(&o[1], topic));
        if !topics.contains(&topic) && (differs || topic == Topic::Returned) {
            topics.push(topic);
        }
    }
    if topics.is_empty() {
        topics.extend(outcomes.iter().flat_map(|o| &o.facts).map(|f| Topic::of(*f)));
    }
    topics
}

/// Blesses a file, or every scenario of a folder, and writes what has changed.
pub fn bless_file(path: &Path, catalogue: &dyn Catalogue) -> Vec<Result<Blessed, BlessError>> {
    let mut runner = Runner::new(catalogue);
    load(path).into_iter().map(|case| bless_case(&mut runner, case?)).collect()
}

fn bless_case(runner: &mut Runner<'_>, case: Case) -> Result<Blessed, BlessError> {
    let Case { path, mut document } = case;
    let unwritable = |e: std::io::Error| BlessError::Unwritable { path: path.clone(), reason: e.to_string() };
    let old = std::fs::read(&path).map_err(unwritable)?;
    let unknown = |unknown| BlessError::Collector { path: path.clone(), unknown };
    runner.bless(&mut document).map_err(unknown)?;
    renew_claim(&mut document, runner.catalogue).map_err(unknown)?;
    let new = document.print();
    let changed = old != new.as_bytes();
    if changed {
        std::fs::write(&path, new).map_err(unwritable)?;
    }
    Ok(Blessed { path, changed })
}
