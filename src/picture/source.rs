//! The text of a scenario, with the lines of its operations.

use crate::scenario::ScriptId;
use crate::scenario::text::{Document, parse};

/// The text that is shown beside the picture.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Source {
    /// Its lines.
    pub lines: Vec<String>,
    /// How many of them are the header: what does not run.
    pub header: usize,
    /// The line of each operation, from 1; 0 where it is not known.
    places: Vec<u32>,
}

impl Source {
    /// The text of a document: as it was read, if that is known, else as it is printed.
    pub fn of(document: &Document, read: Option<&str>) -> Source {
        let (text, places) = match read {
            Some(text) if !document.lines.is_empty() => (text.to_owned(), document.lines.clone()),
            _ => {
                let text = document.print();
                // What is printed can be read; without places no line would be lit.
                let places = parse(&text).map(|printed| printed.lines).unwrap_or_default();
                (text, places)
            }
        };
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let first = lines.iter().position(String::is_empty).unwrap_or(0);
        let is_header = places.iter().filter(|line| **line > 0).all(|line| *line as usize > first);
        Source { header: if is_header { first } else { 0 }, lines, places }
    }

    /// The line of an operation.
    pub fn line(&self, operation: usize) -> Option<usize> {
        self.places.get(operation).map(|line| *line as usize).filter(|line| *line > 0)
    }

    /// The first and last line of a script, its head included.
    pub fn script(&self, document: &Document, script: ScriptId) -> Option<(usize, usize)> {
        let lines = document.scenario.script_range(script).filter_map(|operation| self.line(operation));
        let (first, last) = lines.fold((usize::MAX, 0), |(first, last), line| (first.min(line), last.max(line)));
        (last > 0).then(|| (first.saturating_sub(1).max(1), last))
    }
}
