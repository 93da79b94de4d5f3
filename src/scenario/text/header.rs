//! The grammar of the header: version, fields, expectations.

use std::ops::Range;

use super::KNOWN_VERSIONS;
use super::diagnostic::{Code, Diagnostic};
use super::document::{Class, Expectation, ExpectedViolation, Fact, Field, FieldName};
use super::lexer::{shortened, unexpected_character};
use super::print::one_line;
use super::symbols::Symbols;
use super::words::{self, nearest};

/// What the items of an `expect` line start with.
const KEYS: [&str; 3] = ["digest=", "violations=", "facts="];

/// The version that the first line names, and the comment behind it.
pub(super) fn version(source: &str, line: Range<usize>) -> Result<(u32, Option<&str>), Diagnostic> {
    let text = &source[line.clone()];
    let known = KNOWN_VERSIONS.map(|v| v.to_string()).join(", ");
    let (text, comment) = split_comment(text);
    let mut words = text.split_ascii_whitespace();
    let (word, number, more) = (words.next(), words.next(), words.next());
    let span = line.start..line.start + text.len().max(1).min(line.len());
    let error = |message: String| Diagnostic::new(Code::Version, source, span.clone(), message);
    if word != Some("coroner") || more.is_some() {
        let error = error("the first line must name the format and its version".to_owned());
        return Err(error.expecting(["`coroner 1`"]));
    }
    match number.and_then(|n| n.parse::<u32>().ok()) {
        Some(version) if KNOWN_VERSIONS.contains(&version) => Ok((version, comment)),
        Some(version) => {
            let error = error(format!("version {version} of the format is unknown; known: {known}"));
            Err(error.suggesting("a newer coroner may read this file"))
        }
        None => Err(error(format!("the version must be a number; known: {known}")).expecting(["`coroner 1`"])),
    }
}

fn split_comment(text: &str) -> (&str, Option<&str>) {
    match text.split_once('#') {
        Some((text, comment)) => (text, Some(comment.trim())),
        None => (text, None),
    }
}

/// The header word that starts the line, if a colon follows it.
pub(super) fn field_word(line: &str) -> Option<&str> {
    let (word, _) = line.split_once(':')?;
    let word = word.trim_end();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (!word.is_empty() && word.chars().all(plain)).then_some(word)
}

/// True if the line is an `expect` line.
pub(super) fn is_expectation(line: &str) -> bool {
    line.strip_prefix("expect").is_some_and(|rest| {
        rest.starts_with([' ', '\t']) && !rest.trim_start().starts_with(['=', '[', '(']) || rest.is_empty()
    })
}

/// A line `word: text`.
pub(super) fn field(source: &str, line: Range<usize>, word: &str) -> Result<Field, Diagnostic> {
    let span = line.start..line.start + word.len();
    let Some(name) = FieldName::ALL.into_iter().find(|f| f.word() == word) else {
        let message = format!("`{}` is no line of the header", shortened(word));
        let names = || FieldName::ALL.into_iter().map(FieldName::word);
        let error = Diagnostic::new(Code::UnknownWord, source, span, message)
            .expecting(names().chain(["expect"]).map(|n| format!("`{n}`")));
        return Err(match nearest(word, names().chain(["expect", "def"])) {
            Some(near) => error.suggesting(format!("did you mean `{near}`?")),
            None => error,
        });
    };
    let text = &source[line.clone()];
    let text = text.split_once(':').map_or("", |(_, text)| text);
    if let Some(c) = text.chars().find(|c| c.is_control() && *c != '\t') {
        let at = line.end - text.len() + text.find(c).unwrap_or(0);
        return Err(unexpected_character(source, at, c));
    }
    let text = one_line(text);
    if text.is_empty() {
        return Err(Diagnostic::new(Code::Syntax, source, line.end..line.end, format!("`{word}` says nothing"))
            .expecting(["text"]));
    }
    Ok(Field { name, text })
}

/// An `expect` line, and the comment behind it.
pub(super) fn expectation<'s>(
    source: &'s str,
    line: Range<usize>,
    symbols: &mut Symbols<'s>,
) -> Result<(Expectation, Option<&'s str>), Diagnostic> {
    let mut reader = Reader { source, symbols };
    let text = &source[line.clone()];
    let rest = line.start + "expect".len();
    let Some(colon) = text.find(':') else {
        let error = Diagnostic::new(Code::Syntax, source, line.end..line.end, "unexpected end of line");
        return Err(error.expecting(["`:` after the collector"]));
    };
    let name = trimmed(source, rest..line.start + colon);
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-/".contains(c);
    if name.is_empty() || !source[name.clone()].chars().all(plain) {
        let error = Diagnostic::new(Code::Syntax, source, name, "this is no name of a collector");
        return Err(error.suggesting("write a row or a variant, such as `cpython-3.7.6`"));
    }
    let mut result = Expectation { collector: source[name].to_owned(), ..Expectation::default() };
    let mut comment = None;
    let mut seen = Vec::new();
    for item in pieces(source, line.start + colon + 1..line.end, |c| c == ' ' || c == '\t') {
        let text = &source[item.clone()];
        if text.starts_with('#') {
            comment = Some(source[item.start + 1..line.end].trim());
            break;
        }
        let Some(key) = KEYS.into_iter().find(|k| text.starts_with(k)) else {
            let word = text.split(['=', ':']).next().unwrap_or(text);
            let message = format!("`{}` is nothing that can be expected", shortened(word));
            let span = item.start..item.start + word.len();
            return Err(reader.unknown(span, message, &KEYS.map(|k| k.trim_end_matches('='))));
        };
        if seen.contains(&key) {
            let message = format!("`{}` is given twice", key.trim_end_matches('='));
            return Err(Diagnostic::new(Code::Name, source, item, message));
        }
        seen.push(key);
        let value = item.start + key.len()..item.end;
        match key {
            "digest=" => result.digest = Some(reader.digest(value)?),
            "violations=" => result.violations = Some(reader.violations(value)?),
            _ => result.facts = reader.facts(value)?,
        }
    }
    if seen.is_empty() {
        let error = Diagnostic::new(Code::Syntax, source, line.end..line.end, "nothing is expected");
        return Err(error.expecting(KEYS.map(|k| format!("`{k}`"))));
    }
    Ok((result, comment))
}

/// The non-empty pieces of a range between separators.
fn pieces(source: &str, range: Range<usize>, separates: impl Fn(char) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut at = range.start;
    let all: Vec<Range<usize>> = source[range]
        .split(separates)
        .map(|piece| {
            let span = at..at + piece.len();
            at = span.end + 1;
            span
        })
        .collect();
    all.into_iter().filter(|p| !p.is_empty())
}

fn trimmed(source: &str, range: Range<usize>) -> Range<usize> {
    let text = &source[range.clone()];
    let start = range.start + (text.len() - text.trim_start().len());
    start..start + text.trim().len()
}

struct Reader<'r, 's> {
    source: &'s str,
    symbols: &'r mut Symbols<'s>,
}

impl<'s> Reader<'_, 's> {
    fn unknown(&self, span: Range<usize>, message: String, candidates: &[&'static str]) -> Diagnostic {
        let word = &self.source[span.clone()];
        let error = Diagnostic::new(Code::UnknownWord, self.source, span, message)
            .expecting(candidates.iter().map(|c| format!("`{c}`")));
        match nearest(word, candidates.iter().copied()) {
            Some(near) => error.suggesting(format!("did you mean `{near}`?")),
            None => error,
        }
    }

    fn digest(&self, value: Range<usize>) -> Result<u64, Diagnostic> {
        let text = &self.source[value.clone()];
        let hex = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        match u64::from_str_radix(text, 16) {
            Ok(digest) if hex => Ok(digest),
            _ => Err(Diagnostic::new(Code::Syntax, self.source, value, "this is no digest")
                .expecting(["16 hexadecimal digits"])),
        }
    }

    fn violations(&self, value: Range<usize>) -> Result<Vec<ExpectedViolation>, Diagnostic> {
        if &self.source[value.clone()] == "none" {
            return Ok(Vec::new());
        }
        let mut violations = Vec::new();
        for piece in pieces(self.source, value.clone(), |c| c == ',') {
            let text = &self.source[piece.clone()];
            let (code, class) = text.split_once(':').unwrap_or((text, ""));
            let code_span = piece.start..piece.start + code.len();
            let digits = code.strip_prefix('I').map(|c| c.trim_end_matches(|c: char| c.is_ascii_lowercase()));
            let known_form = digits.is_some_and(|d| d.len() == 2 && d.bytes().all(|b| b.is_ascii_digit()));
            if !known_form || code.len() > 4 {
                let message = format!("`{}` is no code of an invariant", shortened(code));
                let error = Diagnostic::new(Code::Syntax, self.source, code_span, message);
                return Err(error.expecting(["a code such as `I15`, and a class", "`none`"]));
            }
            let class_span = (piece.start + code.len() + 1).min(piece.end)..piece.end;
            let Some(class) = Class::ALL.into_iter().find(|c| c.word() == class) else {
                let message = format!("`{}` is no class of a verdict", shortened(class));
                return Err(self.unknown(class_span, message, &Class::ALL.map(Class::word)));
            };
            violations.push(ExpectedViolation { code: code.to_owned(), class });
        }
        if violations.is_empty() {
            let error = Diagnostic::new(Code::Syntax, self.source, value, "no violation is named");
            return Err(error.expecting(["`none`", "a code and a class such as `I15:collector`"]));
        }
        violations.sort_unstable();
        violations.dedup();
        Ok(violations)
    }

    fn facts(&mut self, value: Range<usize>) -> Result<Vec<Fact>, Diagnostic> {
        let mut facts = Vec::new();
        for piece in pieces(self.source, value.clone(), |c| c == ',') {
            facts.push(self.fact(piece)?);
        }
        if facts.is_empty() {
            let error = Diagnostic::new(Code::Syntax, self.source, value, "no fact is named");
            return Err(error.expecting(["a fact such as `freed(a)`"]));
        }
        facts.sort_unstable();
        facts.dedup();
        Ok(facts)
    }

    fn fact(&mut self, piece: Range<usize>) -> Result<Fact, Diagnostic> {
        let text = &self.source[piece.clone()];
        if text == Fact::UNDEFINED {
            return Ok(Fact::Undefined);
        }
        for (word, fact) in Fact::ABOUT_OBJECTS {
            let inner = text.strip_prefix(word).and_then(|t| t.strip_prefix('(')).and_then(|t| t.strip_suffix(')'));
            if let Some(name) = inner {
                let span = piece.start + word.len() + 1..piece.end - 1;
                let var = if words::is_name(name) { self.symbols.var(name, &span) } else { None };
                return var.map(fact).ok_or_else(|| {
                    Diagnostic::new(Code::Syntax, self.source, span, "a fact is about a variable")
                        .expecting(["the name of a variable"])
                });
            }
        }
        for (word, fact) in Fact::WITH_NUMBERS {
            if let Some(number) = text.strip_prefix(word).and_then(|t| t.strip_prefix('=')) {
                let span = piece.start + word.len() + 1..piece.end;
                let plain = number.bytes().all(|b| b.is_ascii_digit());
                return number.parse().ok().filter(|_| plain).map(fact).ok_or_else(|| {
                    Diagnostic::new(Code::Range, self.source, span, "this is no number").expecting(["0 to 4294967295"])
                });
            }
        }
        let word = text.split(['(', '=']).next().unwrap_or(text);
        let words: Vec<&'static str> = Fact::ABOUT_OBJECTS
            .iter()
            .map(|(w, _)| *w)
            .chain(Fact::WITH_NUMBERS.iter().map(|(w, _)| *w))
            .chain([Fact::UNDEFINED])
            .collect();
        if words.contains(&word) {
            let error = Diagnostic::new(Code::Syntax, self.source, piece, "this fact is incomplete");
            return Err(error.expecting(["`alive(a)`", "`returned=2`", "`undefined`"]));
        }
        let span = piece.start..piece.start + word.len();
        Err(self.unknown(span, format!("`{}` is no fact", shortened(word)), &words))
    }
}
