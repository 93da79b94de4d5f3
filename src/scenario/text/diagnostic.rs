//! What is wrong with a text, where, and what was meant: values that render like a compiler's messages.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// Longest line, in bytes, that is shown whole; of a longer one only the surroundings of the error are shown.
const MAX_SHOWN: usize = 240;
/// How much of a long line is shown on each side of the error.
const SURROUNDINGS: usize = 60;

/// What kind of thing is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Code {
    /// The file is not UTF-8.
    InvalidUtf8,
    /// The version line is missing, broken, or names a version this program does not know.
    Version,
    /// A character that no line may contain.
    Character,
    /// A word or sign stands where another is expected.
    Syntax,
    /// Wrong indentation.
    Indentation,
    /// A word that does not exist.
    UnknownWord,
    /// A variable that nothing assigns, or a script that nothing defines.
    UnknownName,
    /// A name defined twice, used for two things, or a reserved word used as a name.
    Name,
    /// A number, slot or set that is out of range.
    Range,
    /// Something that has no meaning where it stands.
    Meaning,
    /// The text is larger than the format allows.
    Limit,
    /// The text says something that never has an effect and is dropped (a warning).
    NoEffect,
}

impl Code {
    /// The word shown in brackets after `error`.
    pub const fn word(self) -> &'static str {
        match self {
            Code::InvalidUtf8 => "invalid-utf8",
            Code::Version => "version",
            Code::Character => "character",
            Code::Syntax => "syntax",
            Code::Indentation => "indentation",
            Code::UnknownWord => "unknown-word",
            Code::UnknownName => "unknown-name",
            Code::Name => "name",
            Code::Range => "range",
            Code::Meaning => "meaning",
            Code::Limit => "limit",
            Code::NoEffect => "no-effect",
        }
    }

    /// True if a text with this diagnostic is accepted.
    pub const fn is_warning(self) -> bool {
        matches!(self, Code::NoEffect)
    }
}

/// One thing wrong with a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// The kind.
    pub code: Code,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The bytes of the source that the message is about.
    pub span: Range<usize>,
    /// The words or signs that could stand there.
    pub expected: Vec<String>,
    /// What was probably meant, or what to do: a sentence that can follow "help: ".
    pub suggestion: Option<String>,
}

impl Diagnostic {
    /// A diagnostic about `span` of `source`.
    pub fn new(code: Code, source: &str, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        let (line, column) = position(source.as_bytes(), span.start);
        Diagnostic { code, message: message.into(), line, column, span, expected: Vec::new(), suggestion: None }
    }

    /// The same with the words that could stand there.
    #[must_use]
    pub fn expecting<S: Into<String>>(mut self, expected: impl IntoIterator<Item = S>) -> Diagnostic {
        self.expected = expected.into_iter().map(Into::into).collect();
        self
    }

    /// The same with advice.
    #[must_use]
    pub fn suggesting(mut self, suggestion: impl Into<String>) -> Diagnostic {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// The diagnostic as people read it, with the line it is about. `source` is the text that was parsed (for bytes
    /// that are not UTF-8: its lossy form).
    pub fn render(&self, source_name: &str, source: &str, color: bool) -> String {
        let level = if self.code.is_warning() { Level::WARNING } else { Level::ERROR };
        let title = level.primary_title(self.message.as_str()).id(self.code.word());
        let window = Window::around(source, &self.span);
        let snippet = Snippet::source(window.text).line_start(self.line).fold(false);
        let snippet = snippet.annotation(AnnotationKind::Primary.span(window.span).label(self.label()));
        let mut group: Group<'_> = if window.cut {
            let origin = Origin::path(source_name).line(self.line).char_column(self.column);
            title.element(origin).element(snippet)
        } else {
            title.element(snippet.path(source_name))
        };
        if let Some(suggestion) = &self.suggestion {
            group = group.element(Level::HELP.message(annotate_snippets::normalize_untrusted_str(suggestion)));
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }

    fn label(&self) -> Option<String> {
        match self.expected.as_slice() {
            [] => None,
            [one] => Some(format!("expected {one}")),
            [first @ .., last] => Some(format!("expected {} or {last}", first.join(", "))),
        }
    }
}

/// Line and column of a byte offset, both from 1; columns count characters.
pub(super) fn position(source: &[u8], offset: usize) -> (usize, usize) {
    let before = &source[..offset.min(source.len())];
    let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |p| p + 1);
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let in_line = &before[line_start..];
    let in_line = if line == 1 { in_line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(in_line) } else { in_line };
    (line, String::from_utf8_lossy(in_line).chars().count() + 1)
}

/// The part of the source that is shown.
struct Window<'s> {
    text: &'s str,
    span: Range<usize>,
    cut: bool,
}

impl<'s> Window<'s> {
    fn around(source: &'s str, span: &Range<usize>) -> Window<'s> {
        let start = floor(source, span.start);
        let line_start = source[..start].rfind('\n').map_or(0, |p| p + 1);
        let line_start = line_start + if source[line_start..].starts_with('\u{feff}') { 3 } else { 0 };
        let line_end = source[start..].find(['\n', '\r']).map_or(source.len(), |p| start + p);
        let start = start.clamp(line_start, line_end);
        let end = floor(source, span.end).clamp(start, line_end);
        let cut = line_end - line_start > MAX_SHOWN;
        let (from, to) = if cut {
            let end = end.min(start + SURROUNDINGS);
            (floor(source, start.saturating_sub(SURROUNDINGS)).max(line_start), floor(source, end + SURROUNDINGS))
        } else {
            (line_start, line_end)
        };
        let to = to.min(line_end);
        Window { text: &source[from..to], span: start - from..end.min(to) - from, cut }
    }
}

fn floor(source: &str, mut at: usize) -> usize {
    at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}
