//! What a long fuzzing run keeps: each crash reduced, one file of each kind.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{Exit, input, shrink};
use crate::corpus::file_name;
use crate::findings::write_atomically;
use crate::fuzzing::{Scenarios, Setting};
use crate::scenario::binary::encode_to_vec;
use crate::scenario::text::FieldName;

/// After so many crashes in a row that are known, there is nothing left to learn: something that is found at once
/// stands in the way of everything else.
const MOST_AGAIN: u32 = 20;

/// What several runs of a target have found.
#[derive(Debug, Default)]
pub struct Explored {
    /// How many runs there were.
    pub rounds: u32,
    /// How many of them crashed.
    pub crashes: usize,
    /// The files of findings.
    pub findings: Vec<PathBuf>,
    again: u32,
}

impl Explored {
    /// False if only known crashes come.
    pub fn goes_on(&self) -> bool {
        self.again < MOST_AGAIN
    }

    /// Reduces the input of a crash and keeps the result if it is a new one. The input stays where it is.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn take(&mut self, crash: &Path, setting: &Setting, folder: &Path) -> anyhow::Result<()> {
        self.again += 1;
        let bytes = std::fs::read(crash).with_context(|| format!("cannot read {}", crash.display()))?;
        let Some(broken) = Scenarios::new(setting)?.run(&bytes).crash else {
            return super::print(&format!("{}: no violation here; out of time or memory?\n", crash.display()));
        };
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let reduced = unfinished(folder, crash);
        let arguments = shrink::Args::one(crash.to_owned(), broken.collector.clone(), reduced.clone());
        if shrink::run(&arguments, None)? != Exit::Clean {
            return Ok(());
        }
        let Some(document) = input::document(&reduced) else { return Ok(()) };
        let code = document.field(FieldName::Invariant).and_then(|text| text.split(' ').next()).unwrap_or("crash");
        let digest = file_name(&encode_to_vec(&document.scenario));
        // One bug shows on many collectors: the scenario says which it is.
        let kept = folder.join(format!("{code}-{digest}.scn"));
        if kept.exists() {
            super::print(&format!("{}: again {}\n", crash.display(), kept.display()))?;
        } else {
            write_atomically(&kept, document.print().as_bytes())
                .with_context(|| format!("cannot write {}", kept.display()))?;
            super::print(&format!("{}: {}\n", kept.display(), broken.sentences.join("\n    ")))?;
            self.findings.push(kept);
            self.again = 0;
        }
        std::fs::remove_file(&reduced).with_context(|| format!("cannot remove {}", reduced.display()))
    }
}

/// Where a reduction goes until it is known whether it is new.
fn unfinished(folder: &Path, crash: &Path) -> PathBuf {
    let name = crash.file_name().unwrap_or_default().to_string_lossy().into_owned();
    folder.join(format!("{name}.reducing"))
}
