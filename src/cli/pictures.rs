//! `--html`, `--svg` and `--dot`: where pictures of a run go.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::campaign::Examiner;
use crate::explain::{explain, record};
use crate::findings::{Baseline, write_atomically};
use crate::model::collector::Collector;
use crate::model::rows::Rows;
use crate::picture::{Picture, Source, Taken, dot, page, svg};
use crate::report::quoted;
use crate::scenario::text::Document;

/// Standard output.
const STANDARD: &str = "-";

/// The pictures that are asked for.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Pictures {
    /// Write a page to OUT that shows the heap step by step; - is standard output
    #[arg(long, value_name = "OUT")]
    html: Option<PathBuf>,
    /// Write a drawing of the heap where something breaks or differs to OUT
    #[arg(long, value_name = "OUT")]
    svg: Option<PathBuf>,
    /// Write the same to OUT for Graphviz
    #[arg(long, value_name = "OUT")]
    dot: Option<PathBuf>,
}

/// What a picture is written as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Html,
    Svg,
    Dot,
}

impl Form {
    const ALL: [Form; 3] = [Form::Html, Form::Svg, Form::Dot];

    const fn option(self) -> &'static str {
        match self {
            Form::Html => "--html",
            Form::Svg => "--svg",
            Form::Dot => "--dot",
        }
    }

    const fn endings(self) -> &'static [&'static str] {
        match self {
            Form::Html => &["html", "htm", "xhtml"],
            Form::Svg => &["svg"],
            Form::Dot => &["dot", "gv"],
        }
    }
}

impl Pictures {
    /// True if any is asked for.
    pub fn are_wanted(&self) -> bool {
        self.wanted().next().is_some()
    }

    fn wanted(&self) -> impl Iterator<Item = (Form, &Path)> {
        let all = [(Form::Html, &self.html), (Form::Svg, &self.svg), (Form::Dot, &self.dot)];
        all.into_iter().filter_map(|(form, path)| Some((form, path.as_deref()?)))
    }

    /// Says what is wrong before anything is run.
    ///
    /// # Errors
    /// If two go to the same place, the place is a folder, or its name says that it is something else.
    pub fn check(&self) -> anyhow::Result<()> {
        let mut seen: Vec<(Form, &Path)> = Vec::new();
        for (form, path) in self.wanted() {
            let (option, shown) = (form.option(), quoted(&path.to_string_lossy()));
            if let Some((other, _)) = seen.iter().find(|(_, other)| *other == path) {
                bail!("{} and {option} go to the same place, {shown}", other.option());
            }
            seen.push((form, path));
            if path.is_dir() {
                bail!("{option} {shown}: is a folder, and a file is needed");
            }
            let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
            let is_of = |form: &Form| ending.as_deref().is_some_and(|ending| form.endings().contains(&ending));
            if let Some(other) = Form::ALL.iter().find(|other| **other != form && is_of(other)) {
                bail!("{option} {shown}: that ending is what {} writes", other.option());
            }
        }
        Ok(())
    }

    /// Draws a run, beside that of a row of the model if one is named, and writes it.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(
        &self,
        file: &Path,
        document: &Document,
        first: Taken<'_>,
        against: Option<&Collector>,
    ) -> anyhow::Result<()> {
        let read = std::fs::read_to_string(file).ok();
        let source = Source::of(document, read.as_deref());
        let title = file.to_string_lossy();
        let picture = match against {
            None => Picture::new(&title, source, first, None),
            Some(row) => beside(&title, source, document, first, row),
        };
        for (form, path) in self.wanted() {
            let text = match form {
                Form::Html => page(&picture),
                Form::Svg => svg(&picture, picture.start),
                Form::Dot => dot(&picture, picture.start),
            };
            put(path, &text)?;
        }
        Ok(())
    }
}

/// A picture with the run of a row of the model on its right side.
fn beside(title: &str, source: Source, document: &Document, first: Taken<'_>, row: &Collector) -> Picture {
    // The baseline of a program whose tests have passed can be read.
    let baseline = Baseline::committed(&Collector::row_names()).unwrap_or_default();
    let mut examiner = Examiner::new(&Rows::one(row), &baseline);
    let examined = examiner.examine(&document.scenario, true);
    let run = record(document, row, super::campaign::judged(&examined, false));
    let explanation = explain(&run);
    let second = Taken { run: &run, explanation: &explanation, real: None };
    Picture::new(title, source, first, Some(second))
}

/// Writes a picture to a file, and says so, or to standard output.
///
/// # Errors
/// If it cannot be written.
fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    if path == Path::new(STANDARD) {
        return super::print(text);
    }
    put_quietly(path, text)?;
    super::print(&format!("{}\n", path.display()))
}

/// Writes a file, whose folder is made if there is none.
///
/// # Errors
/// If it cannot be written.
pub fn put_quietly(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    write_atomically(path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}
