//! The text form of scenarios: one operation per line, written as a Python programmer would.
//!
//! ```
//! use coroner::scenario::text;
//!
//! let document = text::parse("coroner 1\na = Node()\na[0] = a\ndel a\ncollect(2)\n").unwrap();
//! assert_eq!(document.scenario.main().len(), 4);
//! assert_eq!(text::parse(&document.print()).unwrap().scenario, document.scenario);
//! ```

mod check;
mod diagnostic;
mod document;
mod header;
mod lexer;
mod line;
mod object;
mod parse;
mod print;
mod statement;
mod symbols;
mod words;

#[cfg(test)]
mod diagnostic_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;

pub use diagnostic::{Code, Diagnostic};
pub(crate) use document::origin;
pub use document::{Anchor, Class, Comment, Document, Expectation, ExpectedViolation, Fact, Field, FieldName, Names};
pub use parse::{parse, parse_bytes};
pub use print::{print, print_op};
pub use words::{is_name, is_reserved, usages};

/// The version that is written.
pub const VERSION: u32 = 1;
/// The versions that are read, oldest first.
pub const KNOWN_VERSIONS: [u32; 1] = [1];
/// Largest file, in bytes.
pub const MAX_SIZE: usize = 4 << 20;
/// Longest line, in bytes.
pub const MAX_LINE: usize = 1 << 16;
/// Highest number of expectations in one file.
pub const MAX_EXPECTATIONS: usize = 1024;
/// Highest number of diagnostics for one file.
pub const MAX_DIAGNOSTICS: usize = 20;

/// Rewrites a file of any known version in the newest one.
///
/// # Errors
/// As [`parse`].
pub fn migrate(source: &str) -> Result<String, Vec<Diagnostic>> {
    parse(source).map(|document| document.print())
}
