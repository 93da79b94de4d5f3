//! Finds subjects by name: rows of the model and their variants, real interpreters with the rows that should be like them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::campaign::CampaignSubjects;
use crate::cpython::{Interpreter, Python};
use crate::findings::SubjectIdentity;
use crate::lockstep::Target;
use crate::model::collector::{Collector, Row};
use crate::model::rows::Rows;
use crate::subject::{Catalogue, Declaration, Foreseen, SetupError, Spec, Start, Subject, UnknownSubject};
use crate::supervise::Limits;

/// The collector of the model that is compared with an interpreter, if nobody names another: the row that covers its
/// release, or the newest row whose version fits.
pub fn row_of(interpreter: &Interpreter) -> Collector {
    Collector::imitating(interpreter.release)
}

/// One line that says which row is compared with an interpreter that is no release, or that no row covers; nothing for a
/// release that one covers.
pub fn chosen_row(interpreter: &Interpreter) -> Option<String> {
    let (row, name) = (Row::fitting(interpreter.release).name(), interpreter.name());
    let why = match (Row::covering(interpreter.release), interpreter.is_release()) {
        (Some(_), true) => return None,
        (Some(_), false) => "is no release",
        (None, _) => "is covered by no row of the model",
    };
    Some(format!("{name} {why}: compared with {row}, the newest whose version fits (--against names another)"))
}

/// An interpreter, and the collector that should do the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imitation {
    /// The interpreter.
    pub interpreter: Interpreter,
    /// The collector.
    pub collector: Collector,
}

impl Imitation {
    /// An interpreter, and the collector that it is compared with if nobody names another.
    pub fn of(interpreter: Interpreter) -> Imitation {
        Imitation { collector: row_of(&interpreter), interpreter }
    }

    /// The two as subjects that are compared; `option` is what a command line calls the interpreter.
    pub fn target(&self, option: String) -> Target {
        let Imitation { interpreter: real, collector } = self;
        let identity = SubjectIdentity {
            name: real.name(),
            verified: collector.verified,
            option,
            build: real.version.clone(),
            collector: collector.name.clone(),
            // Each run says so, once it has been started.
            without_lists: false,
        };
        let model = Arc::new(Rows::one(collector));
        Target { identity, real: Arc::new(interpreter(real, collector, Limits::default())), model }
    }
}

/// Collectors as the subjects of a campaign, and the interpreters that stand behind those with these names: neighbours
/// without one are run together.
pub fn campaign_subjects(
    collectors: &[Collector],
    interpreters: &BTreeMap<String, Interpreter>,
    limits: Limits,
) -> CampaignSubjects {
    let is_real = |c: &Collector| interpreters.contains_key(&c.name);
    let mut specs: Vec<Arc<dyn Spec>> = Vec::new();
    for chunk in collectors.chunk_by(|a, b| !is_real(a) && !is_real(b)) {
        match interpreters.get(&chunk[0].name) {
            Some(real) => specs.push(Arc::new(interpreter(real, &chunk[0], limits))),
            None => specs.push(Arc::new(Rows::new(chunk.to_vec()))),
        }
    }
    CampaignSubjects {
        specs,
        model: Arc::new(Rows::new(collectors.to_vec())),
        default: Collector::row_names(),
        sanitize: interpreters.values().any(|i| i.sanitized),
        against: None,
    }
}

/// An interpreter as a subject: `collector` has its name, and the rules of the row that covers it, which say only what is
/// undefined. It is started when the first scenario is run.
pub fn interpreter(interpreter: &Interpreter, collector: &Collector, limits: Limits) -> Foreseen {
    let (build, observes) = (interpreter.version.clone(), interpreter.observes);
    let declaration = Declaration { build, observes, ..collector.declaration() };
    Foreseen::new(declaration, limits, start(interpreter), Arc::new(Rows::one(collector)), 0)
}

/// How an interpreter is started.
pub fn start(interpreter: &Interpreter) -> Start {
    let interpreter = interpreter.clone();
    Arc::new(move |limits| match Python::new(interpreter.clone(), limits) {
        Ok(python) => Ok(Box::new(python) as Box<dyn Subject>),
        Err(error) => Err(SetupError(error.to_string())),
    })
}

/// The collectors of the model by their names.
#[derive(Clone, Copy, Debug)]
pub struct Collectors;

impl Catalogue for Collectors {
    fn all(&self) -> Vec<String> {
        Collector::row_names()
    }

    fn find(&self, name: &str) -> Result<Box<dyn Spec>, UnknownSubject> {
        match Collector::parse(name) {
            Ok(collector) => Ok(Box::new(Rows::one(&collector))),
            Err(error) => Err(UnknownSubject(error.to_string())),
        }
    }

    fn is_same(&self, name: &str, other: &str) -> bool {
        match (Collector::parse(name), Collector::parse(other)) {
            (Ok(one), Ok(other)) => one.rules == other.rules,
            _ => false,
        }
    }
}
