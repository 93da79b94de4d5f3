//! Scenario files on real interpreters, for `replay --python` and `replay --collector python:PATH`: how one is run, and
//! what its outcome means.

use std::collections::BTreeMap;

use super::Exit;
use crate::cpython::Interpreter;
use crate::findings::RunCounts;
use crate::lookup;
use crate::model::collector::Collector;
use crate::model::rows::Rows;
use crate::regression::{Replayed, Runner};
use crate::report::text::run_counts::Reasoned;
use crate::scenario::text::Document;
use crate::subject::{SetupError, Subject};
use crate::supervise::Limits;

/// An interpreter with the row that covers it.
pub struct Replayer {
    row: Rows,
    python: Box<dyn Subject>,
}

impl Replayer {
    /// Sets up an interpreter that the row `collector` covers.
    ///
    /// # Errors
    /// [`SetupError`] if it cannot be started.
    pub fn new(interpreter: &Interpreter, collector: &Collector) -> Result<Replayer, SetupError> {
        let start = lookup::start(interpreter);
        Ok(Replayer { row: Rows::one(collector), python: start(Limits::default())? })
    }

    /// True if a file expects something of the row.
    pub fn is_expected(&self, runner: &Runner<'_>, document: &Document) -> bool {
        runner.expected(document, &self.row).is_some()
    }

    /// Runs a file's scenario in a fresh process and compares with what the file expects of the row.
    ///
    /// # Errors
    /// [`SetupError`] if a process could not be started.
    pub fn replay(&mut self, runner: &mut Runner<'_>, document: &Document) -> Result<Replayed, SetupError> {
        runner.replay(document, self.python.as_mut(), &self.row)
    }
}

/// What an outcome does to the exit code, and what there is to say about it; nothing if it needs no words.
pub fn remark(replayed: &Replayed) -> Option<(Exit, String)> {
    Some(match replayed {
        Replayed::Expected | Replayed::Unsupported(_) | Replayed::Undefined(_, None) => return None,
        Replayed::Undefined(_, Some(_)) => (Exit::Clean, in_words(replayed)),
        Replayed::Agrees(violations) => {
            let codes: Vec<&str> = violations.iter().map(|v| v.code.as_str()).collect();
            let codes = if codes.is_empty() { "none".to_owned() } else { codes.join(", ") };
            (Exit::Clean, format!("violations: {codes}"))
        }
        Replayed::Crashed(how) => (Exit::Crash, format!("died where the outcome is defined: {how}")),
        Replayed::Limited(limit) => (Exit::Crash, format!("did not come to its end: {limit}")),
        Replayed::Mismatch(found) => {
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            (Exit::Disagreement, found.join("; "))
        }
        Replayed::Differs(d) => (Exit::Disagreement, format!("{} after {} events, phase {}", d.kind, d.at, d.phase)),
    })
}

/// What came of files, as counts, and why some were not run.
pub fn counts<'r>(files: impl Iterator<Item = &'r Replayed>) -> Reasoned<'r> {
    let (mut counts, mut why) = (RunCounts::default(), BTreeMap::<&str, u64>::new());
    for replayed in files {
        counts.runs += 1;
        match replayed {
            Replayed::Expected | Replayed::Agrees(_) | Replayed::Mismatch(_) | Replayed::Differs(_) => {
                counts.whole += 1;
            }
            Replayed::Undefined(..) => counts.undefined += 1,
            Replayed::Unsupported(what) => {
                counts.unsupported += 1;
                *why.entry(what).or_default() += 1;
            }
            Replayed::Limited(_) => counts.limited += 1,
            Replayed::Crashed(_) => counts.died += 1,
        }
    }
    (counts, why.into_iter().collect())
}

/// What came of it in a few words: the word of tables, and how the process died or why nothing was run.
pub fn in_words(replayed: &Replayed) -> String {
    match replayed {
        Replayed::Undefined(_, Some(death)) => format!("{}: {death}", replayed.word()),
        Replayed::Unsupported(what) => format!("not run: {what}"),
        _ => replayed.word().to_owned(),
    }
}
