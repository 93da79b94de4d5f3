//! Lists as lines of columns, each with an explanation.

use crate::report::{Style, wrapped};

/// A line of a list: a name, words of a few columns, and an explanation.
pub struct Item {
    /// What the line is about.
    pub name: String,
    /// Words of a few columns.
    pub columns: Vec<String>,
    /// The explanation.
    pub text: String,
}

impl Item {
    /// A line; its text is put on one line.
    pub fn new(name: impl Into<String>, columns: Vec<String>, text: &str) -> Item {
        let text = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        Item { name: name.into(), columns, text: text.trim().to_owned() }
    }
}

/// The lines; an explanation that does not fit beside the columns goes below.
pub fn table(items: &[Item], width: usize, style: Style) -> String {
    let columns = items.first().map_or(0, |i| i.columns.len());
    let widest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
    let name = widest(&mut items.iter().map(|i| i.name.chars().count()));
    let mut out = String::new();
    for item in items {
        let mut line = style.head(&format!("{:name$}", item.name));
        let mut used = name;
        for column in 0..columns {
            let size = widest(&mut items.iter().map(|i| i.columns[column].chars().count())).min(32);
            if size > 0 {
                line += &format!("  {:size$}", item.columns[column]);
                used += 2 + size.max(item.columns[column].chars().count());
            }
        }
        // A text that does not fit beside the columns goes below, indented.
        if used + 2 + item.text.chars().count() <= width {
            line += &format!("  {}", item.text);
        } else {
            for part in wrapped(&item.text, width.saturating_sub(4), "") {
                line = line.trim_end().to_owned() + "\n    " + &part;
            }
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}
