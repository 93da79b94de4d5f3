//! The baseline: `collector` violations that are known of a row, each with its regression and the reason.
//!
//! One entry per line: first and last row (or one row), invariant, regression file, reason. `#` starts a comment.

use crate::invariant::Invariant;

/// The baseline that comes with the program.
const COMMITTED: &str = include_str!("../../baseline.txt");

/// What is known of each row.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Baseline {
    /// The names of the rows, in order.
    rows: Vec<String>,
    entries: Vec<Known>,
}

/// One thing that is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// Index of the first row that shows it, in the order of the rows.
    pub first: usize,
    /// Index of the last row that shows it.
    pub last: usize,
    /// The broken invariant.
    pub invariant: Invariant,
    /// The regression file that shows it, in the folder `regressions`.
    pub regression: String,
    /// Why it is so.
    pub reason: String,
}

/// A line of a baseline that means nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line} of the baseline: {message}")]
pub struct BaselineError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
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
        let mut entries = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.split_once('#').map_or(line, |(before, _)| before).trim();
            if !line.is_empty() {
                let known = entry(line, rows).map_err(|message| BaselineError { line: index + 1, message })?;
                entries.push(known);
            }
        }
        Ok(Baseline { rows: rows.to_vec(), entries })
    }

    /// Every entry, in the order of the file.
    pub fn entries(&self) -> &[Known] {
        &self.entries
    }

    /// The entry for a violation of this invariant by the row of this name.
    pub fn knows(&self, row: &str, invariant: Invariant) -> Option<&Known> {
        self.entries
            .iter()
            .filter(|known| known.invariant == invariant)
            .find(|known| self.rows[known.first..=known.last].iter().any(|name| name == row))
    }
}

fn entry(line: &str, all: &[String]) -> Result<Known, String> {
    let mut rest = line;
    let mut word = |what: &str| {
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        rest = after.trim_start();
        if word.is_empty() { Err(format!("{what} is missing")) } else { Ok(word) }
    };
    let rows = word("the row")?;
    let (first, last) = rows.split_once("..").unwrap_or((rows, rows));
    let (first, last) = (row(first, all)?, row(last, all)?);
    if last < first {
        return Err(format!("`{rows}` ends before it starts"));
    }
    let invariant = word("the invariant")?;
    let invariant = Invariant::parse(invariant).ok_or_else(|| format!("no invariant is called `{invariant}`"))?;
    let regression = word("the regression file")?.to_owned();
    if rest.is_empty() {
        return Err("the reason is missing".to_owned());
    }
    let reason = rest.to_owned();
    Ok(Known { first, last, invariant, regression, reason })
}

fn row(name: &str, all: &[String]) -> Result<usize, String> {
    all.iter().position(|row| row == name).ok_or_else(|| format!("no row is called `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::collector::Collector;

    #[test]
    fn the_committed_baseline_can_be_read() {
        Baseline::committed(&Collector::row_names()).unwrap();
    }

    #[test]
    fn an_entry_covers_the_rows_from_first_to_last() {
        let baseline = Baseline::parse(
            "# known\ncpython-3.4.0..cpython-3.7.6 I01 x.scn bpo-1: because\n",
            &Collector::row_names(),
        )
        .unwrap();
        assert_eq!(baseline.knows("cpython-3.7.0", Invariant::I01).unwrap().reason, "bpo-1: because");
        assert!(baseline.knows("cpython-3.8.0", Invariant::I01).is_none());
        assert!(baseline.knows("cpython-3.7.0", Invariant::I41).is_none());
    }

    #[test]
    fn a_line_that_means_nothing_is_named() {
        let message = |text| Baseline::parse(text, &Collector::row_names()).unwrap_err().to_string();
        assert_eq!(message("\ncpython-9.9.9 I01 x y"), "line 2 of the baseline: no row is called `cpython-9.9.9`");
        assert!(message("cpython-3.7.6 I99 x y").contains("no invariant is called `I99`"));
        assert!(message("cpython-3.7.6 I01 x").contains("the reason is missing"));
        assert!(message("cpython-3.7.6..cpython-3.4.0 I01 x y").contains("ends before it starts"));
    }
}
