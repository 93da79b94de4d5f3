//! What `coroner shrink` keeps while a scenario gets smaller.

use std::path::Path;

use anyhow::{Context, bail};

use super::input;
use super::options::{self, Subjects};
use crate::campaign::{Examined, Examiner};
use crate::findings::{Verdict, count_objects};
use crate::invariant::{Class, Invariant, Phase, Violation};
use crate::lookup::Collectors;
use crate::model::collector::Collector;
use crate::regression::{PreservedOutcome, Runner};
use crate::report::subject;
use crate::scenario::Scenario;
use crate::scenario::text::{Document, Field, FieldName};
use crate::shrink::Minimality;
use crate::subject::Fatal;
use crate::supervise::Limits;

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
    /// What the arguments and the file mean: the subjects that they name, or the outcome that the file expects. With a `target`
    /// the subjects keep their violation of that invariant.
    ///
    /// # Errors
    /// If a name means nothing, or there is nothing to keep.
    pub fn new(
        file: &Path,
        collectors: &[String],
        python: Option<&str>,
        target: Option<Invariant>,
        document: &Document,
    ) -> anyhow::Result<Goal> {
        if collectors.is_empty() && python.is_none() {
            let Some(name) = input::collector(document) else {
                if document.expectations.is_empty() {
                    bail!("the file names no collector and expects nothing; give --collector or --python");
                }
                if target.is_some() {
                    bail!("the outcome that the file expects is no single invariant; give --collector or --python");
                }
                return Ok(Goal::Outcome(Box::new(PreservedOutcome::new(document, &Collectors)?)));
            };
            let subjects = options::subjects(&[name.to_owned()]).context("the file names its collector")?;
            return Signs::new(&subjects, target, document, file).map(Goal::Signs);
        }
        let subjects = options::subjects_and_pythons(collectors, python)?;
        Signs::new(&subjects, target, document, file).map(Goal::Signs)
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

    /// The options of a command that runs the result on the same subjects.
    pub fn options(&self) -> String {
        match self {
            Goal::Signs(signs) => {
                let names: Vec<&str> = signs.examiners.iter().map(|e| e.declaration().name.as_str()).collect();
                let invariant = signs.target.map_or_else(String::new, |i| format!(" --invariant {}", i.code()));
                format!(" --collector {}{invariant} --strict", names.join(","))
            }
            Goal::Outcome(_) => String::new(),
        }
    }

    /// The reduced scenario with the header of the original, brought up to date. A file with expectations keeps its
    /// names and comments as well if nothing was reduced, and expects what happens.
    pub fn document(&self, original: &Document, scenario: &Scenario, claim: &Minimality) -> Document {
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
                let _ = Runner::new(&Collectors).bless(&mut document);
                document
            }
            Goal::Signs(signs) => {
                let mut document = new(&[FieldName::Bug, FieldName::Source, FieldName::Seed]);
                document.fields.extend(signs.fields());
                document
            }
        };
        document.fields.push(Field { name: FieldName::Minimal, text: claim.to_string() });
        document
    }
}

impl Signs {
    fn new(
        (collectors, interpreters): &Subjects,
        target: Option<Invariant>,
        document: &Document,
        file: &Path,
    ) -> anyhow::Result<Signs> {
        let subjects = (collectors.clone(), interpreters.clone());
        let examiners = options::examiners(&subjects, &options::baseline()?);
        let mut signs = Signs { examiners, wanted: Vec::new(), target, differential: false, slow: 0 };
        signs.wanted = signs.all(&document.scenario);
        if signs.wanted.iter().all(Option::is_none) {
            signs.differential = true;
            signs.wanted = signs.all(&document.scenario);
        }
        if signs.wanted.iter().all(Option::is_none) {
            let names: Vec<&str> = collectors.iter().map(|c: &Collector| c.name.as_str()).collect();
            let of = target.map_or_else(String::new, |invariant| format!(" of {invariant}"));
            bail!("{} shows no violation{of} on {}", file.display(), names.join(", "));
        }
        if signs.wanted.contains(&Some(Sign::Fatal(Fatal::Limit))) {
            signs.examiners.iter_mut().for_each(|e| e.set_limits(e.limits().hurried()));
        }
        Ok(signs)
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
    fn fields(&self) -> Vec<Field> {
        let collectors = self.examiners.iter().map(Examiner::declaration);
        let subjects: Vec<String> = collectors.map(|c| subject(&c.name, c.verified)).collect();
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
