//! Reads `tests/rows/*.rows`: the behaviour that was observed on real interpreters. The form is described in `tests/rows.rs`.

/// The releases of the table's columns.
pub const COLUMNS: [&str; 11] = [
    "cpython-2.7.18",
    "cpython-3.6.15",
    "cpython-3.7.16",
    "cpython-3.8.18",
    "cpython-3.9.18",
    "cpython-3.10.13",
    "cpython-3.11.7",
    "cpython-3.12.1",
    "cpython-3.13.0",
    "cpython-3.14.10",
    "cpython-3.15.2",
];

/// A row.
pub struct Row<'t> {
    /// Its name, a letter and a number.
    pub name: &'t str,
    /// One letter per release, `.` where it does not apply.
    pub cells: &'t str,
    /// What else is shown, or left out.
    pub show: Vec<&'t str>,
    /// What it is about, in one sentence.
    pub says: &'t str,
    /// What each letter stands for.
    pub values: Vec<(char, &'t str)>,
    /// The scenario.
    pub source: String,
}

/// The rows of a file.
pub fn rows(text: &str) -> Vec<Row<'_>> {
    let mut rows: Vec<Row> = Vec::new();
    let mut in_source = false;
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("row ") {
            let mut words = head.split_whitespace();
            let (name, cells) = (words.next().expect("a name"), words.next().expect("cells"));
            rows.push(Row { name, cells, show: words.collect(), says: "", values: Vec::new(), source: String::new() });
            in_source = false;
            continue;
        }
        let Some(row) = rows.last_mut() else { continue };
        in_source |= line == "coroner 1";
        if let Some(says) = line.strip_prefix("says ").filter(|_| !in_source) {
            row.says = says;
        } else if in_source {
            row.source.push_str(line);
            row.source.push('\n');
        } else if let Some((letter, value)) = line.split_once(' ') {
            row.values.push((letter.chars().next().expect("a letter"), value.trim()));
        }
    }
    rows
}
