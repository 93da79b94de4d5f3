//! Searches: the scenarios of a seed, until one shows a violation.

use coroner::campaign::Examiner;
use coroner::findings::{Baseline, Verdict};
use coroner::generate::{Generator, Profile, Seed, Size};
use coroner::invariant::{Class, Invariant, Violation, differential};
use coroner::model::collector::Collector;
use coroner::model::rows::Rows;
use coroner::scenario::Scenario;
use coroner::scenario::text::Document;
use serde_json::{Value, json};

use crate::question::Wanted;

/// A search, ready to go on.
pub struct Search {
    wanted: Wanted,
    invariant: Invariant,
    class: Option<Class>,
    examiner: Examiner,
    generator: Generator,
    scenario: Scenario,
}

impl Search {
    /// The search that was kept, if it looks for the same, else a new one.
    ///
    /// # Errors
    /// If a name means nothing.
    pub fn of<'s>(
        kept: &'s mut Option<Search>,
        wanted: &Wanted,
        baseline: &Baseline,
    ) -> Result<&'s mut Search, String> {
        if kept.as_ref().is_none_or(|search| !search.looks_for(wanted)) {
            *kept = Some(Search::new(wanted, baseline)?);
        }
        kept.as_mut().ok_or_else(|| "no search".to_owned())
    }

    fn new(wanted: &Wanted, baseline: &Baseline) -> Result<Search, String> {
        let invariant = invariant(&wanted.invariant)?;
        let class = wanted.class.as_deref().map(class).transpose()?;
        let collector = Collector::parse(&wanted.collector).map_err(|error| error.to_string())?;
        let seed: Seed = wanted.seed.parse().map_err(|_| format!("`{}` is no seed", wanted.seed))?;
        let profile = Profile::named(&wanted.profile).filter(|profile| !profile.is_huge());
        let profile = profile.ok_or_else(|| format!("no profile is called `{}`", wanted.profile))?;
        Ok(Search {
            wanted: wanted.clone(),
            invariant,
            class,
            examiner: Examiner::new(&Rows::one(&collector), baseline),
            generator: Generator::new(seed, profile, Size::Small),
            scenario: Scenario::new(),
        })
    }

    fn looks_for(&self, wanted: &Wanted) -> bool {
        let same = |of: &Wanted| {
            (of.invariant.clone(), of.class.clone(), of.collector.clone(), of.seed.clone(), of.profile.clone())
        };
        same(&self.wanted) == same(wanted)
    }

    /// Runs so many scenarios from this one on, or up to the first that shows it.
    pub fn go_on(&mut self, from: u64, count: u64) -> Value {
        let several = differential::judges(self.invariant);
        for number in from..from.saturating_add(count) {
            self.generator.fill(number, &mut self.scenario);
            let run = self.examiner.examine(&self.scenario, several);
            let shows = |violation: &Violation, verdict: &Verdict| {
                violation.invariant == self.invariant && self.class.is_none_or(|class| verdict.class() == class)
            };
            if run.violations.iter().any(|(violation, verdict)| shows(violation, verdict)) {
                let text = Document::new(&self.scenario).print();
                return json!({ "found": text, "number": number, "next": number + 1 });
            }
        }
        json!({ "found": null, "next": from.saturating_add(count) })
    }
}

/// The invariant with a code.
///
/// # Errors
/// If there is none.
pub fn invariant(code: &str) -> Result<Invariant, String> {
    let found = Invariant::ALL.iter().copied().find(|invariant| invariant.code() == code);
    found.ok_or_else(|| format!("no invariant has the code `{code}`"))
}

fn class(word: &str) -> Result<Class, String> {
    let found = [Class::Collector, Class::TypeFault, Class::Documented, Class::Unpromised];
    found.into_iter().find(|class| class.word() == word).ok_or_else(|| format!("no class is called `{word}`"))
}
