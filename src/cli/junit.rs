//! `--junit`: results in the form that CI servers show.

use std::path::{Path, PathBuf};

use anyhow::Context;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::findings::write_atomically;
use crate::report::json;

/// Where results for a CI server go.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct JunitFile {
    /// Write the result to FILE as JUnit XML, for CI servers
    #[arg(long = "junit", value_name = "FILE")]
    path: Option<PathBuf>,
}

/// What became of one case.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing is wrong.
    Passed,
    /// Something is: what, in a word and in a sentence, and how to see it again.
    Failed {
        /// A word, such as the code of an invariant.
        what: String,
        /// What happened.
        message: String,
        /// Files and commands.
        details: String,
    },
    /// It was not run, or not judged.
    Skipped(String),
}

/// Cases with a name each, of one subject or command.
#[derive(Debug)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// Its cases.
    pub cases: Vec<(String, Outcome)>,
}

impl JunitFile {
    /// Makes sure that the file can be written later.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn check(&self) -> std::io::Result<()> {
        self.path.as_deref().map_or(Ok(()), json::check)
    }

    /// Writes suites, if a file is asked for.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, command: &str, suites: impl FnOnce() -> Vec<Suite>) -> anyhow::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let mut report = Report::new(format!("coroner {command}"));
        for suite in suites() {
            let mut of_suite = TestSuite::new(suite.name.clone());
            of_suite.add_test_cases(suite.cases.into_iter().map(|(name, outcome)| {
                let mut case = TestCase::new(name, status(outcome));
                // What servers group by.
                case.set_classname(suite.name.clone());
                case
            }));
            report.add_test_suite(of_suite);
        }
        write(path, &report)
    }
}

fn status(outcome: Outcome) -> TestCaseStatus {
    match outcome {
        Outcome::Passed => TestCaseStatus::success(),
        Outcome::Failed { what, message, details } => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(what).set_message(message).set_description(details);
            status
        }
        Outcome::Skipped(why) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(why);
            status
        }
    }
}

fn write(path: &Path, report: &Report) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let text = report.to_string().with_context(cannot)?;
    write_atomically(path, text.as_bytes()).with_context(cannot)
}
