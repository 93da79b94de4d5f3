//! Property tests over scenarios: strategies for proptest, and a runner that keeps what fails as scenario files.
//!
//! A case is drawn as a seed of the generator or as bytes for the total reader. proptest draws and counts the cases;
//! what fails is made small by [`crate::shrink`] and written as text, never as a seed: a file means the same after
//! every change of the generator.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};

use ::proptest::prelude::{Strategy, any};
use ::proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use crate::event::EventBuffer;
use crate::findings::write_atomically;
use crate::generate::{Generator, Profile, Seed, Size};
use crate::invariant::{Class, Judge};
use crate::scenario::Scenario;
use crate::scenario::binary::decode_total;
use crate::scenario::text::{Document, Field, FieldName};
use crate::shrink::{Budget, minimize};
use crate::subject::Subject;

/// Scenarios of a profile of the generator.
pub fn scenarios(profile: &'static Profile, size: Size) -> impl Strategy<Value = Scenario> {
    any::<u64>().prop_map(move |seed| Generator::new(Seed::from(seed), profile, size).make(0)).no_shrink()
}

/// Scenarios out of at most `most` arbitrary bytes.
pub fn from_bytes(most: usize) -> impl Strategy<Value = Scenario> {
    ::proptest::collection::vec(any::<u8>(), 0..=most).prop_map(|bytes| decode_total(&bytes)).no_shrink()
}

/// Why a property does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// What kind of failure it is: a smaller scenario must fail in the same way.
    pub kind: String,
    /// The failure in words.
    pub message: String,
}

/// A property failed; displayed, it names the file and shows the scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failed {
    /// What failed, on the reduced scenario.
    pub broken: Broken,
    /// The reduced scenario.
    pub scenario: Scenario,
    /// Where it was written, or was read.
    pub file: PathBuf,
}

/// Why a run of [`Property`] did not pass.
#[derive(Debug, thiserror::Error)]
pub enum PropertyError {
    /// The property does not hold.
    #[error("{}\nkept in {}\n{}", .0.broken.message, .0.file.display(), crate::scenario::text::print(&.0.scenario))]
    Failed(Box<Failed>),
    /// A kept failure cannot be read: it must not be skipped.
    #[error("{file}: {message}", file = file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// proptest could not draw enough cases.
    #[error("no more cases: {0}")]
    Aborted(String),
}

/// How many scenarios a property was really called with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Passed {
    /// Drawn ones.
    pub cases: u32,
    /// Kept failures of earlier runs, which go first.
    pub kept: u32,
}

/// A property to be tested: its name, how often, and where failures are kept.
#[derive(Clone, Debug)]
pub struct Property {
    name: String,
    cases: u32,
    seed: Option<u64>,
    folder: PathBuf,
    tries: u64,
}

impl Property {
    /// A property whose failures are kept as `FOLDER/NAME-….scn`.
    pub fn new(name: &str, folder: impl Into<PathBuf>) -> Property {
        Property { name: name.to_owned(), cases: 256, seed: None, folder: folder.into(), tries: 4_000 }
    }

    /// How many cases are drawn; 256 if nothing is said.
    pub fn cases(self, cases: u32) -> Property {
        Property { cases, ..self }
    }

    /// Draws the same cases in every run.
    pub fn seed(self, seed: u64) -> Property {
        Property { seed: Some(seed), ..self }
    }

    /// Tests that a collector breaks no invariant: violations of class `collector` fail. A scenario that the subject
    /// cannot run counts as passed.
    ///
    /// # Errors
    /// The first failure, reduced.
    pub fn judge(
        &self,
        strategy: impl Strategy<Value = Scenario>,
        subject: &mut dyn Subject,
    ) -> Result<Passed, PropertyError> {
        let declaration = subject.declaration().clone();
        let mut judge = Judge::new();
        let mut events = Vec::new();
        self.check(strategy, |scenario| {
            if subject.run(scenario, &mut EventBuffer::new(&mut events)).is_err() {
                return Ok(());
            }
            let violations = judge.judge(scenario, &events, &declaration);
            match violations.iter().find(|v| v.class == Class::Collector) {
                None => Ok(()),
                Some(violation) => Err(Broken {
                    kind: violation.invariant.code().to_owned(),
                    message: violation.describe(&|object| object.to_string()),
                }),
            }
        })
    }

    /// Tests any property of scenarios.
    ///
    /// # Errors
    /// The first failure, reduced.
    pub fn check(
        &self,
        strategy: impl Strategy<Value = Scenario>,
        mut property: impl FnMut(&Scenario) -> Result<(), Broken>,
    ) -> Result<Passed, PropertyError> {
        let kept = self.kept()?;
        for (file, scenario) in &kept {
            if let Err(broken) = property(scenario) {
                let failed = Failed { broken, scenario: scenario.clone(), file: file.clone() };
                return Err(PropertyError::Failed(Box::new(failed)));
            }
        }
        let config = Config {
            cases: self.cases,
            failure_persistence: None,
            rng_seed: self.seed.map_or(RngSeed::Random, RngSeed::Fixed),
            ..Config::default()
        };
        let cases = Cell::new(0);
        // proptest wants a function that can be called through a shared reference.
        let shared = RefCell::new(&mut property);
        let outcome = TestRunner::new(config).run(&strategy, |scenario| {
            cases.set(cases.get() + 1);
            (shared.borrow_mut())(&scenario).map_err(|broken| TestCaseError::fail(broken.message))
        });
        match outcome {
            Ok(()) => Ok(Passed { cases: cases.get(), kept: kept.len() as u32 }),
            Err(TestError::Abort(reason)) => Err(PropertyError::Aborted(reason.to_string())),
            Err(TestError::Fail(reason, scenario)) => Err(self.keep(&scenario, &reason.to_string(), &mut property)),
        }
    }

    /// Reduces a failure and writes it.
    fn keep(
        &self,
        scenario: &Scenario,
        reason: &str,
        property: &mut dyn FnMut(&Scenario) -> Result<(), Broken>,
    ) -> PropertyError {
        let Err(first) = property(scenario) else {
            return PropertyError::Aborted(format!("the property held when called again: {reason}"));
        };
        let mut same = |candidate: &Scenario| property(candidate).is_err_and(|broken| broken.kind == first.kind);
        let small = minimize(scenario, &mut same, Budget { tries: self.tries }, &mut |_| {});
        let broken = property(&small.scenario).err().unwrap_or(first);
        let mut document = Document::new(&small.scenario);
        document.fields = vec![Field { name: FieldName::Note, text: broken.message.replace('\n', " ") }];
        let text = document.print();
        let digest = xxhash_rust::xxh3::xxh3_64(text.as_bytes());
        let file = self.folder.join(format!("{}-{:08x}.scn", self.name, digest as u32));
        let written = fs::create_dir_all(&self.folder).and_then(|()| write_atomically(&file, text.as_bytes()));
        match written {
            Ok(()) => PropertyError::Failed(Box::new(Failed { broken, scenario: small.scenario, file })),
            Err(error) => PropertyError::Unreadable { file, message: format!("cannot be written: {error}\n{text}") },
        }
    }

    /// The failures that were kept, sorted by name.
    fn kept(&self) -> Result<Vec<(PathBuf, Scenario)>, PropertyError> {
        let prefix = format!("{}-", self.name);
        let wanted = |path: &Path| {
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            name.starts_with(&prefix) && name.ends_with(".scn")
        };
        // A folder that does not exist keeps nothing.
        let entries = fs::read_dir(&self.folder).into_iter().flatten();
        let mut paths: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).filter(|p| wanted(p)).collect();
        paths.sort();
        let mut kept = Vec::new();
        for file in paths {
            let unreadable = |message: String| PropertyError::Unreadable { file: file.clone(), message };
            let bytes = fs::read(&file).map_err(|error| unreadable(error.to_string()))?;
            let document = crate::scenario::text::parse_bytes(&bytes).map_err(|errors| {
                unreadable(errors.first().map_or_else(String::new, |e| format!("line {}: {}", e.line, e.message)))
            })?;
            kept.push((file, document.scenario));
        }
        Ok(kept)
    }
}
