//! Reads a file line by line. Each line has at most one error; the next line starts afresh.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::{MAX_OPS, Op, Scenario, ScriptId};
use super::check::{check_facts, warnings};
use super::diagnostic::{Code, Diagnostic, position};
use super::document::{Anchor, Comment, Document, Expectation, Field, FieldName};
use super::lexer::{Token, lex};
use super::line::Line;
use super::print::one_line;
use super::statement::Statement;
use super::symbols::Symbols;
use super::{MAX_DIAGNOSTICS, MAX_EXPECTATIONS, MAX_LINE, MAX_SIZE, header};

/// Reads a file that may not be UTF-8.
///
/// # Errors
/// Everything that is wrong with the text, in order of place, up to [`MAX_DIAGNOSTICS`].
pub fn parse_bytes(bytes: &[u8]) -> Result<Document, Vec<Diagnostic>> {
    match std::str::from_utf8(bytes) {
        Ok(source) => parse(source),
        Err(error) => {
            let at = error.valid_up_to();
            let (line, column) = position(bytes, at);
            let byte = bytes.get(at).copied().unwrap_or(0);
            let message = format!("the file is not UTF-8: byte 0x{byte:02x} at offset {at}");
            Err(vec![Diagnostic {
                code: Code::InvalidUtf8,
                message,
                line,
                column,
                span: at..at + error.error_len().unwrap_or(1),
                expected: Vec::new(),
                suggestion: Some("scenario files are text; binary ones are read by `coroner convert`".to_owned()),
            }])
        }
    }
}

/// Reads a text.
///
/// # Errors
/// Everything that is wrong with the text, in order of place, up to [`MAX_DIAGNOSTICS`].
pub fn parse(source: &str) -> Result<Document, Vec<Diagnostic>> {
    if source.len() > MAX_SIZE {
        let message = format!("the file has {} bytes; the limit is {MAX_SIZE}", source.len());
        return Err(vec![Diagnostic::new(Code::Limit, source, 0..0, message)]);
    }
    let mut parser = Parser::new(source);
    parser.read();
    parser.finish()
}

/// A comment or an empty line that waits for what follows it.
struct Pending<'s> {
    text: &'s str,
    indented: bool,
}

struct Body {
    ops: Vec<Op>,
    /// The bytes of each operation's line.
    spans: Vec<Range<usize>>,
}

/// A comment whose operation is named by body and index in the body.
struct Placed<'s> {
    place: Spot,
    trailing: bool,
    text: &'s str,
}

#[derive(Clone, Copy)]
enum Spot {
    Header(Anchor),
    Op { body: usize, index: usize },
}

struct Parser<'s> {
    source: &'s str,
    errors: Vec<Diagnostic>,
    symbols: Symbols<'s>,
    fields: Vec<Field>,
    expectations: Vec<Expectation>,
    /// The mutator's body, then one per script in order of mention.
    bodies: Vec<Body>,
    /// The script whose body is being read, and its indentation once a line of it was seen.
    current: Option<(ScriptId, Option<&'s str>)>,
    /// A broken `def` line was met: its body is read and thrown away.
    skipping: bool,
    in_header: bool,
    ops: usize,
    pending: Vec<Pending<'s>>,
    comments: Vec<Placed<'s>>,
}

impl<'s> Parser<'s> {
    fn new(source: &'s str) -> Parser<'s> {
        Parser {
            source,
            errors: Vec::new(),
            symbols: Symbols::default(),
            fields: Vec::new(),
            expectations: Vec::new(),
            bodies: Vec::new(),
            current: None,
            skipping: false,
            in_header: true,
            ops: 0,
            pending: Vec::new(),
            comments: Vec::new(),
        }
    }

    fn read(&mut self) {
        let mut at = if self.source.starts_with('\u{feff}') { 3 } else { 0 };
        let mut first = true;
        for line in self.source[at..].split('\n') {
            let content = line.strip_suffix('\r').unwrap_or(line);
            let span = at..at + content.len();
            at += line.len() + 1;
            let result = if content.len() > MAX_LINE {
                let message = format!("the line has {} bytes; the limit is {MAX_LINE}", content.len());
                Err(Diagnostic::new(Code::Limit, self.source, span.start..span.start, message))
            } else if first {
                self.version(span)
            } else {
                self.line(span)
            };
            if let Err(error) = result {
                let fatal = error.code == Code::Version || (error.code == Code::Limit && self.ops >= MAX_OPS);
                self.errors.push(error);
                if fatal || self.errors.len() == MAX_DIAGNOSTICS {
                    return;
                }
            }
            first = false;
        }
        self.end_script();
        self.place_pending(None);
    }

    fn version(&mut self, span: Range<usize>) -> Result<(), Diagnostic> {
        let (_, comment) = header::version(self.source, span)?;
        if let Some(text) = comment {
            self.comments.push(Placed { place: Spot::Header(Anchor::Version), trailing: true, text });
        }
        Ok(())
    }

    fn line(&mut self, span: Range<usize>) -> Result<(), Diagnostic> {
        let text = &self.source[span.clone()];
        let content = text.trim_start_matches([' ', '\t']);
        let indent = &text[..text.len() - content.len()];
        if content.trim_end_matches([' ', '\t']).is_empty() {
            self.pending.push(Pending { text: "", indented: !indent.is_empty() });
            return Ok(());
        }
        if let Some(comment) = content.strip_prefix('#') {
            let text = comment.trim();
            if !text.is_empty() {
                self.pending.push(Pending { text, indented: !indent.is_empty() });
            }
            return Ok(());
        }
        if indent.is_empty() {
            self.end_script();
            if header::is_expectation(content) {
                return self.expectation(span);
            }
            if let Some(word) = header::field_word(content) {
                return self.field(span, word);
            }
        }
        let start = span.start + indent.len();
        let mut line = Line::new(self.source, lex(self.source, start..span.end)?, span.end);
        self.in_header = false;
        if line.peek() == Some(Token::Word("def")) {
            return self.definition(line, !indent.is_empty());
        }
        if self.skipping {
            return Ok(());
        }
        let body = self.body_of(indent, &line)?;
        let indented = self.current.is_some();
        let statement = Statement { line: &mut line, symbols: &mut self.symbols, in_script: indented };
        let op = statement.read()?;
        while self.bodies.len() <= body {
            self.bodies.push(Body { ops: Vec::new(), spans: Vec::new() });
        }
        let index = self.bodies[body].ops.len();
        self.place_pending(Some(Spot::Op { body, index }));
        let Some(op) = op else { return Ok(()) };
        if self.ops == MAX_OPS {
            let message = format!("more than {MAX_OPS} operations");
            return Err(Diagnostic::new(Code::Limit, self.source, start..span.end, message));
        }
        self.ops += 1;
        self.bodies[body].ops.push(op);
        self.bodies[body].spans.push(start..span.start + text.trim_end().len());
        if let Some(text) = line.comment() {
            self.comments.push(Placed { place: Spot::Op { body, index }, trailing: true, text });
        }
        Ok(())
    }

    /// Which body a line with this indentation belongs to.
    fn body_of(&mut self, indent: &'s str, line: &Line<'s>) -> Result<usize, Diagnostic> {
        match &mut self.current {
            None if indent.is_empty() => Ok(0),
            None => {
                let error = line.error(Code::Indentation, line.span(), "this line is indented, but no `def` is open");
                Err(error.suggesting("remove the blanks at the start of the line"))
            }
            Some((script, known)) => {
                let expected = *known.get_or_insert(indent);
                if indent != expected {
                    let error = line.error(Code::Indentation, line.span(), "this line is indented differently");
                    return Err(error.suggesting("indent all lines of a script as its first line is"));
                }
                Ok(script.0 as usize + 1)
            }
        }
    }

    fn definition(&mut self, mut line: Line<'s>, indented: bool) -> Result<(), Diagnostic> {
        self.skipping = true;
        if indented {
            let error = line.error(Code::Indentation, line.span(), "scripts are defined at the start of a line");
            return Err(error.suggesting("a script is no part of another one; remove the indentation"));
        }
        line.skip();
        let name_span = line.span();
        let mut statement = Statement { line: &mut line, symbols: &mut self.symbols, in_script: false };
        let script = statement.script()?;
        if !self.symbols.define(script) {
            let name = &self.source[name_span.clone()];
            let (first, _) = position(self.source.as_bytes(), self.symbols.script_span(script).start);
            let message = format!("`{name}` is defined twice");
            let error = Diagnostic::new(Code::Name, self.source, name_span, message);
            return Err(error.suggesting(format!("the name is in use since line {first}; choose another one")));
        }
        self.current = Some((script, None));
        self.skipping = false;
        line.sign('(')?;
        line.sign(')')?;
        line.sign(':')?;
        line.finish().map_err(|e| e.suggesting("write the body on the lines below, indented"))?;
        let place = Spot::Header(Anchor::Script(script.0 as usize));
        self.place_pending(Some(place));
        if let Some(text) = line.comment() {
            self.comments.push(Placed { place, trailing: true, text });
        }
        Ok(())
    }

    /// Called at each line that is not indented.
    fn end_script(&mut self) {
        self.skipping = false;
        let Some((script, seen)) = self.current.take() else { return };
        let own = self.pending.iter().rposition(|p| p.indented && !p.text.is_empty()).map_or(0, |last| last + 1);
        let rest = self.pending.split_off(own);
        let place = Spot::Header(Anchor::BodyEnd(script.0 as usize + 1));
        let own = std::mem::replace(&mut self.pending, rest);
        for comment in own.into_iter().filter(|p| !p.text.is_empty()) {
            self.comments.push(Placed { place, trailing: false, text: comment.text });
        }
        if seen.is_none() && self.errors.len() < MAX_DIAGNOSTICS {
            let span = self.symbols.script_span(script);
            let name = &self.source[span.clone()];
            let error = Diagnostic::new(Code::Syntax, self.source, span.clone(), format!("`{name}` has no body"));
            self.errors.push(error.suggesting("write the body on the lines below, indented; `pass` if it is empty"));
        }
    }

    /// Gives the waiting comments their place; without one they stand at the end of the mutator's body.
    fn place_pending(&mut self, spot: Option<Spot>) {
        let place = spot.unwrap_or(Spot::Header(Anchor::BodyEnd(0)));
        let keep_blank = matches!(spot, Some(Spot::Op { index, .. }) if index > 0);
        for comment in self.pending.drain(..).filter(|p| keep_blank || !p.text.is_empty()) {
            self.comments.push(Placed { place, trailing: false, text: comment.text });
        }
    }

    fn header_place(&self, span: &Range<usize>) -> Result<(), Diagnostic> {
        if self.in_header {
            return Ok(());
        }
        let message = "header lines stand before the first `def` and the first operation";
        Err(Diagnostic::new(Code::Syntax, self.source, span.clone(), message))
    }

    fn field(&mut self, span: Range<usize>, word: &'s str) -> Result<(), Diagnostic> {
        let field = header::field(self.source, span.clone(), word)?;
        self.header_place(&span)?;
        let once = matches!(field.name, FieldName::Same | FieldName::Minimal);
        if once && self.fields.iter().any(|f| f.name == field.name) {
            let message = format!("`{word}` is given twice");
            return Err(Diagnostic::new(Code::Name, self.source, span.start..span.start + word.len(), message));
        }
        self.place_pending(Some(Spot::Header(Anchor::Field(self.fields.len()))));
        self.fields.push(field);
        Ok(())
    }

    fn expectation(&mut self, span: Range<usize>) -> Result<(), Diagnostic> {
        self.header_place(&span)?;
        let (expectation, comment) = header::expectation(self.source, span.clone(), &mut self.symbols)?;
        if self.expectations.iter().any(|e| e.collector == expectation.collector) {
            let message = format!("`{}` has an expectation already", expectation.collector);
            return Err(Diagnostic::new(Code::Name, self.source, span, message));
        }
        if self.expectations.len() == MAX_EXPECTATIONS {
            let message = format!("more than {MAX_EXPECTATIONS} expectations");
            return Err(Diagnostic::new(Code::Limit, self.source, span, message));
        }
        let place = Spot::Header(Anchor::Expectation(self.expectations.len()));
        self.place_pending(Some(place));
        self.expectations.push(expectation);
        if let Some(text) = comment {
            self.comments.push(Placed { place, trailing: true, text });
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Document, Vec<Diagnostic>> {
        let stopped = self.errors.len() == MAX_DIAGNOSTICS || self.errors.iter().any(|e| e.code == Code::Version);
        if !stopped {
            // A line that could not be read says enough about its names.
            let lines: BTreeSet<usize> = self.errors.iter().map(|e| e.line).collect();
            self.errors.extend(self.symbols.problems(self.source).into_iter().filter(|p| !lines.contains(&p.line)));
        }
        if !self.errors.is_empty() {
            self.errors.sort_by_key(|e| e.span.start);
            self.errors.truncate(MAX_DIAGNOSTICS);
            return Err(self.errors);
        }
        self.bodies.resize_with(self.symbols.scripts() + 1, || Body { ops: Vec::new(), spans: Vec::new() });
        let mut scenario = Scenario::new();
        let mut spans = Vec::with_capacity(self.ops);
        for body in &mut self.bodies {
            scenario.start_body();
            body.ops.iter().for_each(|op| scenario.push(*op));
            spans.append(&mut body.spans);
        }
        let mut document = Document {
            names: self.symbols.names(),
            fields: self.fields,
            expectations: self.expectations,
            lines: line_numbers(self.source, &spans),
            ..Document::default()
        };
        let comments = self.comments.iter().map(|placed| (placed, place(placed, &scenario)));
        document.comments = comments.filter(|(p, c)| p.text.is_empty() || !c.text.is_empty()).map(|(_, c)| c).collect();
        document.comments.sort_by_key(|c| c.anchor);
        document.scenario = scenario;
        check_facts(self.source, &document)?;
        let trace = document.scenario.normalize_traced();
        document.warnings = warnings(self.source, &spans, &document.scenario, &trace.ops);
        document.follow(trace);
        check_facts(self.source, &document)?;
        Ok(document)
    }
}

fn place(placed: &Placed<'_>, scenario: &Scenario) -> Comment {
    let anchor = match placed.place {
        Spot::Header(anchor) => anchor,
        Spot::Op { body, index } => {
            let range = scenario.range(body);
            if range.start + index < range.end { Anchor::Op(range.start + index) } else { Anchor::BodyEnd(body) }
        }
    };
    Comment { anchor, trailing: placed.trailing, text: one_line(placed.text) }
}

fn line_numbers(source: &str, spans: &[Range<usize>]) -> Vec<u32> {
    let mut starts = vec![0];
    starts.extend(source.bytes().zip(1..).filter(|(b, _)| *b == b'\n').map(|(_, next)| next));
    spans.iter().map(|span| starts.partition_point(|start| *start <= span.start) as u32).collect()
}
