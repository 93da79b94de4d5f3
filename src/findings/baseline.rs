//! The baseline: the bugs that releases are known to have. A file in TOML, one `[[bug]]` each; every baseline has this form.
//!
//! ```toml
//! [[bug]]
//! id = "bpo-38006"
//! title = "a few words"                        # at most 50 characters
//! what = "one sentence"
//! report = "bpo-38006"                          # or "not reported"
//! rows = ["cpython-2.7.0..cpython-3.7.6"]       # first and last row, or one
//! fixed-by = "+clear-trash-weakrefs"            # switches without which the bug is gone; or
//! undefined = "MovedUntracked"                  # the undefined behaviour that it ends in
//! regressions = ["C01-bpo-38006.scn"]
//! ```

use serde::Deserialize;
use toml::Spanned;

use crate::event::Undefined;

/// The baseline that comes with the program.
const COMMITTED: &str = include_str!("../../baseline.toml");

/// The longest title of a bug.
pub const LONGEST_TITLE: usize = 50;

/// What is known of each row.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Baseline {
    /// The names of the rows, in order.
    rows: Vec<String>,
    bugs: Vec<KnownBug>,
}

/// A bug that rows are known to have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownBug {
    /// A short name: the number of its report, if it has one.
    pub id: String,
    /// What happens, in at most 50 characters: for a line of a table.
    pub title: String,
    /// What happens, in one sentence.
    pub what: String,
    /// The number of the report, or `not reported`.
    pub report: String,
    /// Indices of the rows that have it, in the order of the rows.
    pub rows: Vec<usize>,
    /// How it is told from other bugs.
    pub sign: Sign,
    /// The regression files that show it, in the folder `regressions`: at least one. Each of its rows shows it with one of
    /// them.
    pub regressions: Vec<String>,
}

/// What shows that a violation is due to a bug.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sign {
    /// The row with these switches changed does not show it.
    GoneWith(String),
    /// It is the end of a run in undefined behaviour, for this reason.
    Undefined(Undefined),
}

/// A baseline that means nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line} of the baseline: {message}")]
pub struct BaselineError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    bug: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    id: String,
    title: String,
    what: String,
    report: String,
    rows: Vec<Spanned<String>>,
    fixed_by: Option<String>,
    undefined: Option<Spanned<String>>,
    regressions: Vec<String>,
}

impl Baseline {
    /// Nothing is known.
    pub fn empty() -> Baseline {
        Baseline::default()
    }

    /// The baseline that was committed with this version of the program, for the rows of these names in order.
    ///
    /// # Errors
    /// [`BaselineError`] never happens in a program whose tests have passed.
    pub fn committed(rows: &[String]) -> Result<Baseline, BaselineError> {
        Baseline::parse(COMMITTED, rows)
    }

    /// Reads a baseline for the rows of these names, in order: an entry may name a first and a last one.
    ///
    /// # Errors
    /// [`BaselineError`] for the first line that means nothing.
    pub fn parse(text: &str, rows: &[String]) -> Result<Baseline, BaselineError> {
        let at = |offset: usize, message: String| {
            let line = text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1;
            BaselineError { line, message }
        };
        let file: File = toml::from_str(text)
            .map_err(|error| at(error.span().map_or(0, |span| span.start), error.message().to_owned()))?;
        let mut bugs: Vec<KnownBug> = Vec::new();
        for entry in file.bug {
            let start = entry.span().start;
            let bug = bug(entry.into_inner(), rows).map_err(|(offset, why)| at(offset.unwrap_or(start), why))?;
            if bugs.iter().any(|other| other.id == bug.id) {
                return Err(at(start, format!("`{}` is there twice", bug.id)));
            }
            bugs.push(bug);
        }
        Ok(Baseline { rows: rows.to_vec(), bugs })
    }

    /// Every bug, in the order of the file.
    pub fn bugs(&self) -> &[KnownBug] {
        &self.bugs
    }

    /// The bugs that the row of this name has, each with its index among all.
    pub fn of_row(&self, row: &str) -> impl Iterator<Item = (usize, &KnownBug)> {
        let row = self.rows.iter().position(|name| name == row);
        let has = move |(_, bug): &(usize, &KnownBug)| row.is_some_and(|row| bug.rows.contains(&row));
        self.bugs.iter().enumerate().filter(has)
    }
}

impl KnownBug {
    /// What it is and where that is shown: for files and reports.
    pub fn describe(&self) -> String {
        let report = if self.report == self.id { String::new() } else { format!(" ({})", self.report) };
        let regression = self.regressions.first().map_or("", String::as_str);
        format!("{}{report}: {} (regressions/{regression})", self.id, self.what)
    }
}

/// What an entry means; or what is wrong, and where if not at its beginning.
fn bug(entry: Entry, all: &[String]) -> Result<KnownBug, (Option<usize>, String)> {
    let mut rows = Vec::new();
    for range in entry.rows {
        let start = range.span().start;
        let (first, last) = range.get_ref().split_once("..").unwrap_or((range.get_ref(), range.get_ref()));
        let row = |name: &str| {
            let found = all.iter().position(|row| row == name);
            found.ok_or_else(|| (Some(start), format!("no row is called `{name}`")))
        };
        let (first, last) = (row(first)?, row(last)?);
        if last < first {
            return Err((Some(start), format!("`{}` ends before it starts", range.get_ref())));
        }
        rows.extend(first..=last);
    }
    let sign = match (entry.fixed_by, entry.undefined) {
        (Some(switches), None) if switches.starts_with(['+', '-']) => Sign::GoneWith(switches),
        (Some(switches), None) => {
            return Err((None, format!("`{switches}` changes no switch: write +name or -name")));
        }
        (None, Some(word)) => {
            let known = Undefined::ALL.iter().find(|reason| format!("{reason:?}") == *word.get_ref());
            let unknown =
                || (Some(word.span().start), format!("no undefined behaviour is called `{}`", word.get_ref()));
            Sign::Undefined(*known.ok_or_else(unknown)?)
        }
        _ => return Err((None, "either `fixed-by` or `undefined` says by what it is told".to_owned())),
    };
    if rows.is_empty() || entry.regressions.is_empty() {
        return Err((None, format!("`{}` needs a row and a regression file", entry.id)));
    }
    if entry.title.is_empty() || entry.title.chars().count() > LONGEST_TITLE {
        return Err((None, format!("the title of `{}` needs 1 to {LONGEST_TITLE} characters", entry.id)));
    }
    let (id, title, what, report) = (entry.id, entry.title, entry.what, entry.report);
    Ok(KnownBug { id, title, what, report, rows, sign, regressions: entry.regressions })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::collector::Collector;

    const BUG: &str =
        "[[bug]]\nid = \"x\"\ntitle = \"z\"\nwhat = \"y\"\nreport = \"not reported\"\nregressions = [\"x.scn\"]\n";

    fn parse(rest: &str) -> Result<Baseline, BaselineError> {
        Baseline::parse(&format!("{BUG}{rest}"), &Collector::row_names())
    }

    #[test]
    fn the_switches_of_the_committed_baseline_exist_and_change_each_of_its_rows() {
        let names = Collector::row_names();
        for bug in Baseline::committed(&names).unwrap().bugs() {
            for row in &bug.rows {
                if let Sign::GoneWith(switches) = &bug.sign {
                    let changed = Collector::parse(&format!("{}{switches}", names[*row])).unwrap();
                    assert_ne!(changed.rules, Collector::parse(&names[*row]).unwrap().rules, "{}", bug.id);
                }
            }
        }
    }

    #[test]
    fn a_bug_covers_the_rows_from_first_to_last() {
        let baseline =
            parse("rows = [\"cpython-3.4.0..cpython-3.7.6\", \"cpython-3.9.0\"]\nfixed-by = \"+pep442\"\n").unwrap();
        let knows = |row: &str| baseline.of_row(row).count();
        assert_eq!((knows("cpython-3.7.0"), knows("cpython-3.8.0"), knows("cpython-3.9.0"), knows("")), (1, 0, 1, 0));
        assert_eq!(baseline.bugs()[0].describe(), "x (not reported): y (regressions/x.scn)");
    }

    #[test]
    fn what_means_nothing_is_named_with_its_line() {
        let message = |rest: &str| parse(rest).unwrap_err().to_string();
        let fixed = "fixed-by = \"+a\"\n";
        assert_eq!(
            message(&format!("rows = [\"cpython-9.9.9\"]\n{fixed}")),
            "line 7 of the baseline: no row is called `cpython-9.9.9`"
        );
        assert!(
            message(&format!("rows = [\"cpython-3.7.6..cpython-3.4.0\"]\n{fixed}")).contains("ends before it starts")
        );
        assert!(message("rows = [\"cpython-3.7.6\"]\n").contains("line 1 of the baseline: either `fixed-by`"));
        assert!(message("rows = [\"cpython-3.7.6\"]\nfixed-by = \"a\"\n").contains("changes no switch"));
        assert!(message("rows = [\"cpython-3.7.6\"]\nundefined = \"Nonsense\"\n").contains("line 8"));
        assert!(message(&format!("rows = []\n{fixed}")).contains("needs a row"));
        assert!(message("rows = 3\n").contains("line 7"));
        assert!(message(&format!("rows = [\"cpython-3.7.6\"]\n{fixed}colour = 3\n")).contains("line 9"));
        let long = BUG.replace("\"z\"", &format!("\"{}\"", "z".repeat(LONGEST_TITLE + 1)));
        let long = Baseline::parse(&format!("{long}rows = [\"cpython-3.7.6\"]\n{fixed}"), &Collector::row_names());
        assert!(long.unwrap_err().to_string().contains("needs 1 to 50 characters"));
        let twice = format!("rows = [\"cpython-3.7.6\"]\n{fixed}{BUG}rows = [\"cpython-3.7.6\"]\n{fixed}");
        assert!(message(&twice).contains("there twice"));
    }
}
