//! Tables of figures, for terminals, for documents and for programs.

use serde_json::{Value, json};

use crate::report::grouped;

/// One cell.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A whole number.
    Count(u64),
    /// A number with so many digits after the point.
    Number(f64, usize),
    /// Not measured.
    Nothing,
}

impl Cell {
    fn show(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Count(count) => grouped(*count),
            Cell::Number(number, digits) => format!("{number:.digits$}"),
            Cell::Nothing => "-".to_owned(),
        }
    }

    fn value(&self) -> Value {
        match self {
            Cell::Text(text) => json!(text),
            Cell::Count(count) => json!(count),
            Cell::Number(number, _) => json!(number),
            Cell::Nothing => Value::Null,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Cell {
        Cell::Count(count)
    }
}

/// The figures of one question.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// Key in the JSON.
    pub key: &'static str,
    /// What was measured, and in which unit.
    pub title: String,
    /// What is asked for, and what was seen; empty if nothing is.
    pub floors: Vec<Floor>,
    /// Names of the columns: the keys in the JSON.
    pub columns: &'static [&'static str],
    /// A cell for each column.
    pub rows: Vec<Vec<Cell>>,
    /// Why something is missing, in one line each.
    pub notes: Vec<String>,
}

/// A figure with what is asked of it. Nothing judges it: a busy machine is no failure.
#[derive(Clone, PartialEq, Debug)]
pub struct Floor {
    /// Which figure.
    pub what: String,
    /// What is asked for.
    pub asked: &'static str,
    /// What was seen.
    pub seen: String,
}

impl Table {
    /// An empty table.
    pub fn new(key: &'static str, title: impl Into<String>, columns: &'static [&'static str]) -> Table {
        Table { key, title: title.into(), floors: Vec::new(), columns, rows: Vec::new(), notes: Vec::new() }
    }

    /// Sets a figure beside what is asked of it.
    pub fn floor(&mut self, what: impl Into<String>, asked: &'static str, seen: impl Into<String>) {
        self.floors.push(Floor { what: what.into(), asked, seen: seen.into() });
    }

    fn cells(&self) -> Vec<Vec<String>> {
        let header = self.columns.iter().map(|c| (*c).to_owned()).collect();
        std::iter::once(header).chain(self.rows.iter().map(|row| row.iter().map(Cell::show).collect())).collect()
    }

    /// Words stand left, numbers right.
    fn is_left(&self, column: usize) -> bool {
        self.rows.first().is_none_or(|row| matches!(row.get(column), Some(Cell::Text(_))))
    }

    fn lines(&self, edge: &str, between: &str) -> Vec<String> {
        let cells = self.cells();
        let width = |column: usize| cells.iter().map(|row| row.get(column).map_or(0, String::len)).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let mut lines = Vec::new();
        for row in &cells {
            let padded: Vec<String> = row
                .iter()
                .zip(&widths)
                .enumerate()
                .map(|(at, (cell, &width))| match self.is_left(at) {
                    true => format!("{cell:<width$}"),
                    false => format!("{cell:>width$}"),
                })
                .collect();
            lines.push(format!("{edge}{}{edge}", padded.join(between)).trim_end().to_owned());
        }
        lines
    }

    /// For a terminal.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.title);
        if !self.rows.is_empty() {
            for line in self.lines("  ", "  ") {
                text += &format!("{line}\n");
            }
        }
        for floor in &self.floors {
            text += &format!("  {}: {}; asked for: {}\n", floor.what, floor.seen, floor.asked);
        }
        for note in &self.notes {
            text += &format!("  {note}\n");
        }
        text
    }

    /// For a document.
    pub fn markdown(&self) -> String {
        let mut text = format!("**{}**\n\n", self.title);
        if !self.rows.is_empty() {
            for (number, line) in self.lines("|", " | ").iter().enumerate() {
                let line = line.replacen('|', "| ", 1);
                text += &match line.strip_suffix('|') {
                    Some(rest) => format!("{} |\n", rest.trim_end()),
                    None => format!("{line} |\n"),
                };
                if number == 0 {
                    let rule = (0..self.columns.len()).map(|at| if self.is_left(at) { "---" } else { "---:" });
                    text += &format!("| {} |\n", rule.collect::<Vec<_>>().join(" | "));
                }
            }
            text += "\n";
        }
        for floor in &self.floors {
            text += &format!("- {}: {} (asked for: {})\n", floor.what, floor.seen, floor.asked);
        }
        for note in &self.notes {
            text += &format!("- {note}\n");
        }
        text
    }

    /// For programs.
    pub fn value(&self) -> Value {
        let row = |row: &Vec<Cell>| -> Value {
            self.columns.iter().zip(row).map(|(column, cell)| ((*column).to_owned(), cell.value())).collect()
        };
        let floor = |f: &Floor| json!({"what": f.what, "asked": f.asked, "seen": f.seen});
        json!({
            "title": self.title,
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
            "floors": self.floors.iter().map(floor).collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new("key", "Something, ns", &["what", "ns"]);
        table.rows.push(vec!["one".into(), Cell::Number(1.25, 1)]);
        table.rows.push(vec!["three".into(), Cell::Count(12_345)]);
        table.rows.push(vec!["none".into(), Cell::Nothing]);
        table.floor("one", "at most 2", "1.2");
        table
    }

    #[test]
    fn the_three_forms_say_the_same() {
        let text = "Something, ns\n  what       ns\n  one       1.2\n  three  12,345\n  none        -\n  one: 1.2; asked for: at most 2\n";
        assert_eq!(table().text(), text);
        let markdown = "**Something, ns**\n\n| what  |     ns |\n| --- | ---: |\n| one   |    1.2 |\n| three | 12,345 |\n\
                        | none  |      - |\n\n- one: 1.2 (asked for: at most 2)\n";
        assert_eq!(table().markdown(), markdown);
        assert_eq!(table().value()["rows"][1]["ns"], 12_345);
        assert!(table().value()["rows"][2]["ns"].is_null());
    }
}
