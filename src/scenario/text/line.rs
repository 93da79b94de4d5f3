//! Reads the tokens of one line.

use std::ops::Range;

use super::diagnostic::{Code, Diagnostic};
use super::lexer::{Lexeme, Token, shortened};
use super::words::nearest;

/// A cursor over the tokens of a line.
pub(super) struct Line<'s> {
    pub(super) source: &'s str,
    tokens: Vec<Lexeme<'s>>,
    at: usize,
    end: usize,
}

impl<'s> Line<'s> {
    /// The tokens of a line that ends at byte `end` of the source.
    pub(super) fn new(source: &'s str, tokens: Vec<Lexeme<'s>>, end: usize) -> Line<'s> {
        Line { source, tokens, at: 0, end }
    }

    pub(super) fn peek(&self) -> Option<Token<'s>> {
        self.tokens.get(self.at).map(|l| l.token)
    }

    pub(super) fn peek_second(&self) -> Option<Token<'s>> {
        self.tokens.get(self.at + 1).map(|l| l.token)
    }

    /// The bytes of the next token, or the end of the line.
    pub(super) fn span(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.end..self.end, |l| l.span.clone())
    }

    /// The bytes of the token read last.
    pub(super) fn last_span(&self) -> Range<usize> {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(self.end..self.end, |l| l.span.clone())
    }

    pub(super) fn skip(&mut self) {
        self.at += 1;
    }

    /// Reads this sign if it is next.
    pub(super) fn accept(&mut self, sign: char) -> bool {
        let next = self.peek() == Some(Token::Sign(sign));
        self.at += usize::from(next);
        next
    }

    /// Reads this word if it is next.
    pub(super) fn accept_word(&mut self, word: &str) -> bool {
        let next = self.peek() == Some(Token::Word(word));
        self.at += usize::from(next);
        next
    }

    pub(super) fn sign(&mut self, sign: char) -> Result<(), Diagnostic> {
        if self.accept(sign) { Ok(()) } else { Err(self.unexpected([format!("`{sign}`")])) }
    }

    /// Reads a word; `what` names it in the message if there is none.
    pub(super) fn word(&mut self, what: &str) -> Result<(&'s str, Range<usize>), Diagnostic> {
        let Some(Token::Word(word)) = self.peek() else { return Err(self.unexpected([what])) };
        let span = self.span();
        self.skip();
        Ok((word, span))
    }

    /// Reads a number between `low` and `high`.
    pub(super) fn number(&mut self, what: &str, low: u32, high: u32) -> Result<u32, Diagnostic> {
        let Some(Token::Number(text)) = self.peek() else {
            return Err(self.unexpected([format!("{what} ({low} to {high})")]));
        };
        let span = self.span();
        let digits: String = text.chars().filter(|c| *c != '_').collect();
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            let message = format!("`{}` is neither a number nor a name", shortened(text));
            return Err(self.error(Code::Syntax, span, message).expecting([format!("{what} ({low} to {high})")]));
        }
        match digits.parse::<u32>() {
            Ok(number) if (low..=high).contains(&number) => {
                self.skip();
                Ok(number)
            }
            _ => {
                let message = format!("{what} must be {low} to {high}, not {}", shortened(text));
                Err(self.error(Code::Range, span, message))
            }
        }
    }

    /// Reads one of the given words; others get a suggestion.
    pub(super) fn one_of<T: Copy>(&mut self, what: &str, words: &[(&'static str, T)]) -> Result<T, Diagnostic> {
        let names = || words.iter().map(|(w, _)| *w);
        let Some(Token::Word(word)) = self.peek() else {
            return Err(self.unexpected(names().map(|w| format!("`{w}`"))));
        };
        if let Some((_, value)) = words.iter().find(|(w, _)| *w == word) {
            self.skip();
            return Ok(*value);
        }
        let message = format!("`{}` is not {what}", shortened(word));
        Err(self.unknown_word(self.span(), word, message, names()))
    }

    /// An error for a word that does not exist.
    pub(super) fn unknown_word(
        &self,
        span: Range<usize>,
        word: &str,
        message: String,
        candidates: impl Iterator<Item = &'static str> + Clone,
    ) -> Diagnostic {
        const MOST_SHOWN: usize = 12;
        let mut error = self.error(Code::UnknownWord, span, message);
        if candidates.clone().count() <= MOST_SHOWN {
            error = error.expecting(candidates.clone().map(|c| format!("`{c}`")));
        }
        match nearest(word, candidates) {
            Some(near) => error.suggesting(format!("did you mean `{near}`?")),
            None => error,
        }
    }

    /// Checks that nothing but a comment is left.
    pub(super) fn finish(&mut self) -> Result<(), Diagnostic> {
        match self.peek() {
            None | Some(Token::Comment(_)) => Ok(()),
            Some(_) => Err(self.unexpected(["end of line"])),
        }
    }

    /// The comment at the end of the line.
    pub(super) fn comment(&self) -> Option<&'s str> {
        match self.tokens.last()?.token {
            Token::Comment(text) => Some(text),
            _ => None,
        }
    }

    /// An error at the next token.
    pub(super) fn unexpected<S: Into<String>>(&self, expected: impl IntoIterator<Item = S>) -> Diagnostic {
        let found = self.peek().map_or("end of line".to_owned(), Token::describe);
        self.error(Code::Syntax, self.span(), format!("unexpected {found}")).expecting(expected)
    }

    pub(super) fn error(&self, code: Code, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, self.source, span, message)
    }
}
