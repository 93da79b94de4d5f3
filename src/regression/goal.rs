//! What stays the same while a scenario gets smaller.

use thiserror::Error;

use super::{PreservedOutcome, Runner};
use crate::campaign::{Examined, Examiner};
use crate::findings::{Verdict, count_objects};
use crate::invariant::{Class, Invariant, Phase, Violation};
use crate::scenario::Scenario;
use crate::scenario::text::{Document, Field, FieldName};
use crate::shrink::Minimality;
use crate::subject::{Catalogue, Fatal, UnknownSubject};
use crate::supervise::Limits;

/// The scenario shows nothing that could stay the same.
#[derive(Debug, Error)]
#[error("no violation{} on {names}", .target.map_or_else(String::new, |invariant| format!(" of {invariant}")))]
pub struct NothingShown {
    /// Only violations of this invariant were looked for.
    pub target: Option<Invariant>,
    /// The subjects, with commas.
    pub names: String,
}

/// What a run shows: the violation that makes it fail, or else its primary one, or an end that is worse. With a target, the
/// violation of that invariant which makes it fail, or else the first, and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sign {
    /// With the phase, if the collector is to blame.
    Violation(Invariant, Class, Option<Phase>),
    Fatal(Fatal),
}

fn sign(run: &Examined<'_>, target: Option<Invariant>) -> Option<Sign> {
    let of_target = |v: &&(Violation, Verdict)| target.is_none_or(|invariant| v.0.invariant == invariant);
    let new = || run.violations.iter().filter(of_target).find(|(_, verdict)| *verdict == Verdict::New);
    let primary = || new().or_else(|| run.violations.iter().find(of_target)).map(|(v, _)| v);
    let phase = |class, phase| (class == Class::Collector).then_some(phase);
    let violation = || primary().map(|v| Sign::Violation(v.invariant, v.class, phase(v.class, v.phase)));
    let fatal = run.end.fatal().filter(|_| target.is_none()).map(Sign::Fatal);
    fatal.or_else(violation)
}

/// What stays the same.
pub enum Goal {
    /// What each subject shows.
    Signs(Signs),
    /// The outcome that a regression file expects.
    Outcome(Box<PreservedOutcome>),
}

/// Subjects with what each shows; one that shows nothing must go on to show nothing.
pub struct Signs {
    examiners: Vec<Examiner>,
    wanted: Vec<Option<Sign>>,
    /// Only violations of this invariant are to be kept.
    target: Option<Invariant>,
    /// Invariants that need several runs are judged: nothing else is there to be kept.
    differential: bool,
    /// Candidates that reached a limit.
    slow: u64,
}

impl Goal {
    /// What each subject shows now. With a `target` only violations of that invariant count.
    ///
    /// # Errors
    /// If none shows anything.
    pub fn shown(
        examiners: Vec<Examiner>,
        target: Option<Invariant>,
        scenario: &Scenario,
    ) -> Result<Goal, NothingShown> {
        Signs::new(examiners, target, scenario).map(Goal::Signs)
    }

    /// The outcome that a regression file expects.
    ///
    /// # Errors
    /// If it names a subject that does not exist, or that cannot be set up.
    pub fn expected(document: &Document, catalogue: &dyn Catalogue) -> Result<Goal, UnknownSubject> {
        Ok(Goal::Outcome(Box::new(PreservedOutcome::new(document, catalogue)?)))
    }

    /// True if the scenario shows the same.
    pub fn holds(&mut self, scenario: &Scenario) -> bool {
        match self {
            Goal::Outcome(kept) => kept.holds(scenario),
            Goal::Signs(signs) => signs.hold(scenario),
        }
    }

    /// True if going on takes too long.
    pub fn is_slow(&self) -> bool {
        matches!(self, Goal::Signs(signs) if signs.slow >= Limits::SLOW_CANDIDATES)
    }

    /// True if the scenario shows the same, interpreters in fresh processes and with all the time they may take.
    pub fn is_confirmed(&mut self, scenario: &Scenario) -> bool {
        match self {
            Goal::Outcome(kept) => kept.holds(scenario),
            Goal::Signs(signs) => {
                signs.examiners.iter_mut().for_each(|e| e.set_limits(Limits::default()));
                signs.all(scenario) == signs.wanted
            }
        }
    }

    /// How many objects the scenario has, where the first subject runs it.
    pub fn objects(&mut self, scenario: &Scenario) -> u32 {
        match self {
            Goal::Signs(signs) => signs.examiners.first_mut().map_or(0, |e| e.examine(scenario, false).objects()),
            Goal::Outcome(kept) => count_objects(kept.run_first(scenario)),
        }
    }

    /// The names of the subjects, and the invariant whose violations are kept; nothing for the outcome of a file.
    pub fn subjects(&self) -> Option<(Vec<&str>, Option<Invariant>)> {
        match self {
            Goal::Signs(signs) => Some((signs.names().collect(), signs.target)),
            Goal::Outcome(_) => None,
        }
    }

    /// The reduced scenario with the header of the original, brought up to date: `shown` is how the header writes the name of
    /// a subject. A file with expectations keeps its names and comments as well if nothing was reduced, and expects what happens
    /// on the subjects of the catalogue.
    pub fn document(
        &self,
        original: &Document,
        scenario: &Scenario,
        claim: &Minimality,
        catalogue: &dyn Catalogue,
        shown: fn(&str, bool) -> String,
    ) -> Document {
        let new = |kept: &[FieldName]| {
            let mut document = Document::new(scenario);
            document.fields = original.fields.iter().filter(|f| kept.contains(&f.name)).cloned().collect();
            document
        };
        let mut document = match self {
            Goal::Outcome(_) if *scenario == original.scenario => {
                let mut document = original.clone();
                document.fields.retain(|f| f.name != FieldName::Minimal);
                document
            }
            Goal::Outcome(_) => {
                let mut document =
                    new(&[FieldName::Bug, FieldName::Source, FieldName::Note, FieldName::Same, FieldName::Seed]);
                document.expectations = original.expectations.clone();
                document.expectations.iter_mut().for_each(|e| e.facts.clear());
                // Its collectors were parsed before.
                let _ = Runner::new(catalogue).bless(&mut document);
                document
            }
            Goal::Signs(signs) => {
                let mut document = new(&[FieldName::Bug, FieldName::Source, FieldName::Seed]);
                document.fields.extend(signs.fields(shown));
                document
            }
        };
        document.fields.push(Field { name: FieldName::Minimal, text: claim.to_string() });
        document
    }
}

impl Signs {
    fn new(examiners: Vec<Examiner>, target: Option<Invariant>, scenario: &Scenario) -> Result<Signs, NothingShown> {
        let mut signs = Signs { examiners, wanted: Vec::new(), target, differential: false, slow: 0 };
        signs.wanted = signs.all(scenario);
        if signs.wanted.iter().all(Option::is_none) {
            signs.differential = true;
            signs.wanted = signs.all(scenario);
        }
        if signs.wanted.iter().all(Option::is_none) {
            return Err(NothingShown { target, names: signs.names().collect::<Vec<_>>().join(", ") });
        }
        if signs.wanted.contains(&Some(Sign::Fatal(Fatal::Limit))) {
            signs.examiners.iter_mut().for_each(|e| e.set_limits(e.limits().hurried()));
        }
        Ok(signs)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.examiners.iter().map(|e| e.declaration().name.as_str())
    }

    fn all(&mut self, scenario: &Scenario) -> Vec<Option<Sign>> {
        let (target, differential) = (self.target, self.differential);
        self.examiners.iter_mut().map(|e| sign(&e.examine_fresh(scenario, differential), target)).collect()
    }

    fn hold(&mut self, scenario: &Scenario) -> bool {
        self.examiners.iter_mut().zip(&self.wanted).all(|(examiner, wanted)| {
            let sign = sign(&examiner.examine(scenario, self.differential), self.target);
            self.slow += u64::from(sign == Some(Sign::Fatal(Fatal::Limit)));
            sign == *wanted
        })
    }

    /// Who shows it, and what.
    fn fields(&self, shown: fn(&str, bool) -> String) -> Vec<Field> {
        let collectors = self.examiners.iter().map(Examiner::declaration);
        let subjects: Vec<String> = collectors.map(|c| shown(&c.name, c.verified)).collect();
        let what = match self.wanted.iter().flatten().next() {
            Some(Sign::Violation(invariant, class, _)) => {
                Some((FieldName::Invariant, format!("{} {} ({})", invariant.code(), invariant.name(), class.word())))
            }
            Some(Sign::Fatal(Fatal::Crash)) => Some((FieldName::Note, "the interpreter dies".to_owned())),
            Some(Sign::Fatal(Fatal::Limit)) => Some((FieldName::Note, "the interpreter reaches a limit".to_owned())),
            None => None,
        };
        let fields = [(FieldName::Collector, subjects.join(", "))].into_iter().chain(what);
        fields.map(|(name, text)| Field { name, text }).collect()
    }
}
