//! Property tests over scenarios: strategies for proptest, and a runner that keeps what fails as scenario files.
//!
//! A case is drawn as a seed of the generator or as bytes for the total reader. proptest draws and counts the cases;
//! what fails is made small by [`crate::shrink`] and written as text, never as a seed: a file means the same after
//! every change of the generator.
//!
//! A property that judged nothing does not hold: see [`Property::require`].

mod judged_cases;
mod panics;

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};

pub use judged_cases::{JudgedCases, Occasions};

use self::panics::{Panicked, caught};
use ::proptest::prelude::{Strategy, any};
use ::proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use crate::event::EventBuffer;
use crate::findings::write_atomically;
use crate::generate::{Generator, Profile, Seed, Size};
use crate::invariant::{Class, Invariant, Judge};
use crate::scenario::Scenario;
use crate::scenario::binary::decode_total;
use crate::scenario::text::{Document, Field, FieldName};
use crate::shrink::{Budget, minimize};
use crate::subject::{Declaration, Failure, Subject};
use crate::supervise::Limits;

/// What has to be judged unless somebody says otherwise: that what is freed is freed once, and that all garbage goes. A
/// collector that never frees anything breaks the one or leaves the other unjudged.
pub const REQUIRED: [Invariant; 2] = [Invariant::I04, Invariant::I19];

/// The kind of failure of a subject that reached a limit.
const LIMIT: &str = "limit";

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
    /// No case failed, and an invariant that has to be judged never was.
    #[error("{}", .counts.complaint(.never))]
    NeverJudged {
        /// Which invariants.
        never: Vec<Invariant>,
        /// What was judged.
        counts: Box<JudgedCases>,
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
    required: Vec<Invariant>,
}

impl Property {
    /// A property whose failures are kept as `FOLDER/NAME-….scn`.
    pub fn new(name: &str, folder: impl Into<PathBuf>) -> Property {
        Property {
            name: name.to_owned(),
            cases: 256,
            seed: None,
            folder: folder.into(),
            tries: 4_000,
            required: REQUIRED.into(),
        }
    }

    /// How many cases are drawn; 256 if nothing is said.
    pub fn cases(self, cases: u32) -> Property {
        Property { cases, ..self }
    }

    /// Draws the same cases in every run.
    pub fn seed(self, seed: u64) -> Property {
        Property { seed: Some(seed), ..self }
    }

    /// [`Property::judge`] fails if one of these was never judged; [`REQUIRED`] if nothing is said. What a collector
    /// cannot show, such as reference counts in snapshots, cannot be required of it: what is left out here is not
    /// verified.
    pub fn require(self, invariants: &[Invariant]) -> Property {
        Property { required: invariants.into(), ..self }
    }

    /// Tests that a collector breaks no invariant: violations of class `collector` fail. So does a subject that panics,
    /// dies or reaches a limit; `build` makes another one then. A scenario that the subject cannot run is counted.
    ///
    /// # Errors
    /// The first failure, reduced; [`PropertyError::NeverJudged`] if there is none and an invariant that is
    /// [required](Property::require) was not judged in any case.
    pub fn judge<S: Subject>(
        &self,
        strategy: impl Strategy<Value = Scenario>,
        mut build: impl FnMut() -> S,
    ) -> Result<JudgedCases, PropertyError> {
        let mut ready: Option<(S, Declaration)> = None;
        let mut judge = Judge::new();
        let mut events = Vec::new();
        let mut counts = JudgedCases::default();
        let passed = self.check(strategy, |scenario| {
            let (mut subject, declaration) = ready.take().unwrap_or_else(|| {
                let subject = build();
                let declaration = subject.declaration().clone();
                (subject, declaration)
            });
            match caught(|| subject.run(scenario, &mut EventBuffer::new(&mut events))) {
                Ok(Ok(())) => ready = Some((subject, declaration)),
                Ok(Err(failure @ Failure::Unsupported { .. })) => {
                    ready = Some((subject, declaration));
                    counts.add_unsupported(failure.to_string());
                    return Ok(());
                }
                Ok(Err(failure)) => {
                    let kind = if matches!(failure, Failure::Limit { .. }) { LIMIT } else { "died" };
                    return Err(Broken { kind: kind.to_owned(), message: failure.to_string() });
                }
                Err(Panicked { place, message }) => {
                    // What it left half done may panic again.
                    let _ = caught(|| drop(subject));
                    let message = format!("{} panicked at {place}: {message}", declaration.name);
                    return Err(Broken { kind: format!("panic at {place}"), message });
                }
            }
            let Some((_, declaration)) = &ready else { return Ok(()) };
            judge.judge(scenario, &events, declaration);
            counts.add(&judge);
            match judge.violations().iter().find(|v| v.class == Class::Collector) {
                None => Ok(()),
                Some(violation) => Err(Broken {
                    kind: violation.invariant.code().to_owned(),
                    message: violation.describe(&|object| object.to_string()),
                }),
            }
        })?;
        (counts.cases, counts.kept) = (passed.cases, passed.kept);
        match counts.never(&self.required) {
            never if never.is_empty() => Ok(counts),
            never => Err(PropertyError::NeverJudged { never, counts: Box::new(counts) }),
        }
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
        // Each candidate that reaches a limit takes all of it.
        let mut left = if first.kind == LIMIT { Limits::SLOW_CANDIDATES } else { u64::MAX };
        let mut same = |candidate: &Scenario| {
            let fails = left > 0 && property(candidate).is_err_and(|broken| broken.kind == first.kind);
            left -= u64::from(fails);
            fails
        };
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
