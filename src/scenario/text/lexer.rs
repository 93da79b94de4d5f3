//! Splits a line into words, numbers and signs.

use std::ops::Range;

use winnow::ascii::space0;
use winnow::combinator::{alt, preceded, repeat};
use winnow::prelude::*;
use winnow::stream::LocatingSlice;
use winnow::token::{one_of, rest, take_while};

use super::diagnostic::{Code, Diagnostic};
use super::words::continues_name;

/// Every sign of the language.
const SIGNS: [char; 8] = ['=', '(', ')', '[', ']', ',', '.', ':'];

/// A word of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Token<'s> {
    /// Letters, digits and underscores, starting with no digit.
    Word(&'s str),
    /// The same, starting with a digit.
    Number(&'s str),
    /// One of [`SIGNS`].
    Sign(char),
    /// `#` to the end of the line, without the sign and the blanks around the text.
    Comment(&'s str),
}

impl Token<'_> {
    /// How a message names the token.
    pub(super) fn describe(self) -> String {
        match self {
            Token::Word(word) | Token::Number(word) => format!("`{}`", shortened(word)),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::Comment(_) => "end of line".to_owned(),
        }
    }
}

/// A token and its bytes in the source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Lexeme<'s> {
    pub(super) token: Token<'s>,
    pub(super) span: Range<usize>,
}

/// The words of the line that is `source[line]`.
pub(super) fn lex<'s>(source: &'s str, line: Range<usize>) -> Result<Vec<Lexeme<'s>>, Diagnostic> {
    let mut input = LocatingSlice::new(&source[line.clone()]);
    let lexed: ModalResult<Vec<(Token<'s>, Range<usize>)>> =
        repeat(0.., preceded(space0, token.with_span())).parse_next(&mut input);
    let blank: ModalResult<&str> = space0.parse_next(&mut input);
    let (Ok(lexed), Ok(_)) = (lexed, blank) else { return Ok(Vec::new()) };
    if let Some(c) = input.chars().next() {
        let at = line.end - input.len();
        return Err(unexpected_character(source, at, c));
    }
    let place = |span: Range<usize>| span.start + line.start..span.end + line.start;
    Ok(lexed.into_iter().map(|(token, span)| Lexeme { token, span: place(span) }).collect())
}

fn token<'s>(input: &mut LocatingSlice<&'s str>) -> ModalResult<Token<'s>> {
    let word = take_while(1.., continues_name).map(|word: &'s str| {
        if word.starts_with(|c: char| c.is_ascii_digit()) { Token::Number(word) } else { Token::Word(word) }
    });
    let sign = one_of(SIGNS).map(Token::Sign);
    let comment = preceded('#', rest).map(|text: &'s str| Token::Comment(text.trim()));
    alt((word, sign, comment)).parse_next(input)
}

pub(super) fn unexpected_character(source: &str, at: usize, c: char) -> Diagnostic {
    let span = at..at + c.len_utf8();
    let name = if c.is_control() || c.is_whitespace() || !c.is_ascii() {
        format!("U+{:04X}", c as u32)
    } else {
        format!("`{c}`")
    };
    let error = Diagnostic::new(Code::Character, source, span, format!("unexpected character {name}"));
    match c {
        ';' => error.suggesting("write one statement per line"),
        '\'' | '"' => error.suggesting("the language has no strings; names stand without quotes"),
        '-' => error.suggesting("names contain letters, digits and `_`; numbers are never negative"),
        '\r' => error.suggesting("end lines with LF or CR LF"),
        c if c.is_alphabetic() => error.suggesting("names contain the letters a to z and A to Z, digits and `_`"),
        _ => error,
    }
}

/// The word, cut if it is too long for a message.
pub(super) fn shortened(word: &str) -> String {
    const LONGEST: usize = 40;
    if word.chars().count() <= LONGEST {
        return word.to_owned();
    }
    let mut short: String = word.chars().take(LONGEST).collect();
    short.push_str("...");
    short
}
