//! Colours, and numbers for people.

use anstyle::{AnsiColor, Style as Ansi};

pub use crate::findings::quoted;
use crate::model::collector::Row;

/// Writes with colours, or without.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Style {
    /// Colours are on.
    pub color: bool,
}

impl Style {
    /// Something that is wrong.
    pub fn bad(self, text: &str) -> String {
        self.paint(text, AnsiColor::Red.on_default().bold())
    }

    /// Something to take note of.
    pub fn note(self, text: &str) -> String {
        self.paint(text, AnsiColor::Yellow.on_default())
    }

    /// Something of less importance.
    pub fn faint(self, text: &str) -> String {
        self.paint(text, Ansi::new().dimmed())
    }

    /// A headline.
    pub fn head(self, text: &str) -> String {
        self.paint(text, Ansi::new().bold())
    }

    /// Something to type.
    pub fn command(self, text: &str) -> String {
        self.paint(text, AnsiColor::Cyan.on_default())
    }

    fn paint(self, text: &str, style: Ansi) -> String {
        if self.color && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// A number with commas between groups of three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The word behind a collector that no interpreter confirmed.
pub const UNVERIFIED: &str = "unverified";

/// The word behind a collector that somebody else has compared with an interpreter.
pub const ATTESTED: &str = "attested";

/// The word that a collector needs: that no interpreter confirmed it, or that of a row which somebody else compared.
pub fn mark(name: &str, verified: bool) -> &'static str {
    if verified { Row::named(name).map_or("", Row::mark) } else { UNVERIFIED }
}

/// The name of a collector, with the word that it needs.
pub fn subject(name: &str, verified: bool) -> String {
    match mark(name, verified) {
        "" => name.to_owned(),
        mark => format!("{name} ({mark})"),
    }
}

/// The lines of a text of at most `width` columns, all but the first with an indent. Breaks at spaces only: names and paths
/// stay whole.
pub fn wrapped(text: &str, width: usize, indent: &str) -> Vec<String> {
    let options = textwrap::Options::new(width.max(40))
        .subsequent_indent(indent)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(false);
    textwrap::wrap(text, options).into_iter().map(std::borrow::Cow::into_owned).collect()
}

/// `1 object`, `2 objects`.
pub fn count(number: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas() {
        assert_eq!([0, 999, 1000, 1234567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn without_colour_nothing_is_added() {
        assert_eq!(Style { color: false }.bad("x"), "x");
        assert_eq!(Style { color: true }.bad("x"), "\x1b[1m\x1b[31mx\x1b[0m");
    }
}
