//! What is wrong with a text, where, and what was meant: values that render like a compiler's messages.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// How much of a long mistake is marked, in bytes.
const MAX_MARKED: usize = 100;
/// How much of a line is shown behind the mistake, in bytes.
const MAX_REST: usize = 200;

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
        let (line, span) = shown(source, &self.span);
        let annotation = AnnotationKind::Primary.span(span).label(self.label());
        let snippet = Snippet::source(line).line_start(self.line).fold(false).path(source_name).annotation(annotation);
        let mut group = title.element(snippet);
        if let Some(suggestion) = &self.suggestion {
            group = group.element(Level::HELP.message(annotate_snippets::normalize_untrusted_str(suggestion)));
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }

    fn label(&self) -> Option<String> {
        const MOST_SHOWN: usize = 5;
        match self.expected.as_slice() {
            [] => None,
            [_, ..] if self.suggestion.is_some() && self.expected.len() > MOST_SHOWN => None,
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

/// The line of the source that is shown, and the span in it. Of a line that goes on for long behind the error, the
/// rest is left out; what is long before it is cut by the renderer.
fn shown<'s>(source: &'s str, span: &Range<usize>) -> (&'s str, Range<usize>) {
    let start = floor(source, span.start);
    let line_start = source[..start].rfind('\n').map_or(0, |p| p + 1);
    let line_start = line_start + if source[line_start..].starts_with('\u{feff}') { 3 } else { 0 };
    let line_end = source[start..].find(['\n', '\r']).map_or(source.len(), |p| start + p);
    let start = start.clamp(line_start, line_end);
    let end = floor(source, span.end).clamp(start, line_end);
    let end = if end - start > MAX_MARKED { floor(source, start + MAX_MARKED) } else { end };
    let rest = floor(source, end + MAX_REST).min(line_end);
    (&source[line_start..rest], start - line_start..end - line_start)
}

fn floor(source: &str, mut at: usize) -> usize {
    at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}
