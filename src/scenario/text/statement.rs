//! The grammar of operations.

use std::ops::Range;

use super::super::{Base, MAX_COUNT, MAX_SLOT, Op, Opcode, Operand, Operation, Place, ScriptId};
use super::diagnostic::{Code, Diagnostic};
use super::lexer::{Token, shortened};
use super::line::Line;
use super::symbols::Symbols;
use super::words::{self, makers, usages};

/// Reads one statement of a body.
pub(super) struct Statement<'l, 's> {
    pub(super) line: &'l mut Line<'s>,
    pub(super) symbols: &'l mut Symbols<'s>,
    /// The line stands in a script.
    pub(super) in_script: bool,
}

/// What can follow `gc.`.
#[derive(Clone, Copy)]
enum GcMember {
    /// An operation that is written so.
    Called(&'static Operation),
    /// `gc.saveall(on)`, which means `gc.set_debug(DEBUG_SAVEALL)`.
    SaveAll,
    Callbacks,
    Garbage,
}

impl<'s> Statement<'_, 's> {
    /// Reads the whole line. `None` for `pass`.
    pub(super) fn read(mut self) -> Result<Option<Op>, Diagnostic> {
        let op = self.operation()?;
        self.line.finish()?;
        Ok(op)
    }

    fn operation(&mut self) -> Result<Option<Op>, Diagnostic> {
        let Some(Token::Word(word)) = self.line.peek() else {
            return Err(self.line.unexpected(["an operation"]));
        };
        let span = self.line.span();
        Ok(Some(match word {
            "pass" => {
                self.line.skip();
                return Ok(None);
            }
            "del" => {
                self.line.skip();
                self.delete()?
            }
            "raise" => {
                self.line.skip();
                if !self.in_script {
                    let error = self.line.error(Code::Meaning, span, "`raise` has a meaning in scripts only");
                    return Err(error.suggesting("an exception ends a script, and is reported as unraisable"));
                }
                Op::Raise
            }
            "gc" => {
                self.line.skip();
                self.gc_member()?
            }
            _ if makers().any(|m| m == word) => self.make(Place::NOTHING)?,
            _ => match words::operation(word) {
                Some(operation) => {
                    self.line.skip();
                    self.function(operation, Place::NOTHING)?
                }
                None => self.assignment_or_call()?,
            },
        }))
    }

    fn assignment_or_call(&mut self) -> Result<Op, Diagnostic> {
        let span = self.line.span();
        let place = self.place()?;
        if self.line.peek() == Some(Token::Sign('(')) {
            self.note_call(place, &span);
            self.line.skip();
            self.close_call(&span)?;
            return Ok(Op::Call { callable: place });
        }
        if !self.line.accept('=') {
            let error = self.line.unexpected(["`=`", "`(`"]);
            let word = &self.line.source[span.clone()];
            let forms = usages().filter_map(|u| u.form.split(['(', ' ', '.']).next()).filter(|w| w.len() > 2);
            return Err(match words::nearest(word, forms.chain(["pass"])) {
                Some(near) if place.path().is_empty() => error.suggesting(format!("did you mean `{near}`?")),
                _ => error,
            });
        }
        let assignable = match place.base {
            Base::Var(_) => true,
            Base::Owner | Base::Arg => !place.path().is_empty(),
            Base::Nothing => false,
        };
        if !assignable {
            let message = format!("`{}` cannot be assigned", &self.line.source[span.clone()]);
            return Err(self.line.error(Code::Meaning, span, message).expecting(["a variable", "a slot"]));
        }
        if let (Base::Var(var), []) = (place.base, place.path()) {
            self.symbols.assign(var);
        }
        self.value(place)
    }

    /// The right side of an assignment.
    fn value(&mut self, dst: Place) -> Result<Op, Diagnostic> {
        let span = self.line.span();
        let Some(Token::Word(word)) = self.line.peek() else {
            return Err(self.line.unexpected(["a variable", "a kind of object", "`deref`", "`None`"]));
        };
        if makers().any(|m| m == word) {
            return self.make(dst);
        }
        if let Some(operation) = words::operation(word) {
            if !operation.gives_value() {
                let error = self.line.error(Code::Meaning, span, format!("`{word}` gives no value"));
                return Err(error.suggesting(format!("write `{word}(...)` without an assignment")));
            }
            self.line.skip();
            return self.function(operation, dst);
        }
        let src = self.place()?;
        if self.line.peek() == Some(Token::Sign('(')) {
            self.note_call(src, &span);
            self.line.skip();
            self.close_call(&span)?;
            return Ok(Op::Deref { dst, weak: src });
        }
        Ok(Op::Set { dst, src })
    }

    fn note_call(&mut self, place: Place, span: &Range<usize>) {
        if let (Base::Var(var), []) = (place.base, place.path()) {
            self.symbols.call(var, span);
        }
    }

    /// The end of a call without arguments. A name with arguments was meant as an operation.
    fn close_call(&mut self, name: &Range<usize>) -> Result<(), Diagnostic> {
        if self.line.accept(')') {
            return Ok(());
        }
        let word = &self.line.source[name.clone()];
        let candidates = words::functions().chain(makers());
        if words::nearest(word, candidates.clone()).is_some() {
            let message = format!("`{}` is no operation", shortened(word));
            return Err(self.line.unknown_word(name.clone(), word, message, candidates));
        }
        Err(self.line.unexpected(["`)`"]).suggesting("objects are called without arguments"))
    }

    fn delete(&mut self) -> Result<Op, Diagnostic> {
        if self.line.accept_word("gc") {
            self.line.sign('.')?;
            let op = self
                .line
                .one_of("a list of gc", &[("garbage", Op::EmptyGarbage), ("callbacks", Op::EmptyGcCallbacks)])?;
            if self.line.accept('[') {
                self.line.sign(':')?;
                self.line.sign(']')?;
            }
            return Ok(op);
        }
        let span = self.line.span();
        let dst = self.object("a variable or slot")?;
        if matches!(dst.base, Base::Owner | Base::Arg) && dst.path().is_empty() {
            let message = format!("`{}` cannot be deleted", &self.line.source[span.clone()]);
            return Err(self.line.error(Code::Meaning, span, message).expecting(["a variable", "a slot"]));
        }
        Ok(Op::Set { dst, src: Place::NOTHING })
    }

    fn gc_member(&mut self) -> Result<Op, Diagnostic> {
        self.line.sign('.')?;
        let called = words::gc_members().map(|(word, operation)| (word, GcMember::Called(operation)));
        let others =
            [("saveall", GcMember::SaveAll), ("callbacks", GcMember::Callbacks), ("garbage", GcMember::Garbage)];
        let members: Vec<_> = called.chain(others).collect();
        let span = self.line.span();
        match self.line.one_of("in gc", &members)? {
            GcMember::Called(operation) => self.function(operation, Place::NOTHING),
            GcMember::SaveAll => {
                self.line.sign('(')?;
                let on = self.line.one_of("a state", &[("on", true), ("off", false)])?;
                self.line.sign(')')?;
                Ok(Op::SaveAll { on })
            }
            GcMember::Callbacks => {
                self.line.sign('.')?;
                self.line.one_of("an operation on gc.callbacks", &[("append", ())])?;
                self.function(Opcode::AddGcCallback.operation(), Place::NOTHING)
            }
            GcMember::Garbage => {
                let error = self.line.error(Code::Meaning, span, "gc.garbage can only be emptied");
                Err(error.suggesting("write `del gc.garbage[:]`"))
            }
        }
    }

    fn debug_flag(&mut self) -> Result<bool, Diagnostic> {
        if let Some(Token::Number(_)) = self.line.peek() {
            let span = self.line.span();
            return match self.line.number("the flag", 0, 0) {
                Ok(_) => Ok(false),
                Err(_) => {
                    let error = self.line.error(Code::Range, span, "the only numeric flag is 0");
                    Err(error.expecting(["`0`", "`DEBUG_SAVEALL`"]))
                }
            };
        }
        if self.line.accept_word("gc") {
            self.line.sign('.')?;
        }
        self.line
            .one_of("a debug flag", &[("DEBUG_SAVEALL", true)])
            .map_err(|e| e.expecting(["`DEBUG_SAVEALL`", "`0`"]))
    }

    /// What stands in the parentheses of an operation; `dst` is where its result goes, if it has one.
    fn function(&mut self, operation: &Operation, dst: Place) -> Result<Op, Diagnostic> {
        self.line.sign('(')?;
        let mut op = operation.blank;
        // Whether there was an argument, and whether no allocation is meant.
        let (mut any, mut never) = (false, false);
        let mut objects = operation.objects.iter();
        op.operands(|operand| {
            match operand {
                Operand::Target(place) => *place = dst,
                Operand::Generation(generation) if !any && self.line.peek() == Some(Token::Sign(')')) => {
                    *generation = 2;
                }
                Operand::Generation(_) if never && self.line.peek() != Some(Token::Sign(',')) => {}
                Operand::Allocation(after) => {
                    self.comma(&mut any)?;
                    *after = self.line.number("the allocation", 0, u8::MAX as u32)? as u8;
                    never = *after == 0;
                }
                Operand::Object(place) => {
                    self.comma(&mut any)?;
                    *place = self.object(objects.next().unwrap_or(&"an object"))?;
                }
                operand => {
                    self.comma(&mut any)?;
                    self.argument(operand)?;
                }
            }
            Ok(())
        })?;
        self.line.sign(')')?;
        Ok(op)
    }

    /// The comma before an argument that is not the first.
    fn comma(&mut self, any: &mut bool) -> Result<(), Diagnostic> {
        if std::mem::replace(any, true) { self.line.sign(',') } else { Ok(()) }
    }

    fn argument(&mut self, operand: Operand<'_>) -> Result<(), Diagnostic> {
        match operand {
            Operand::Assigned(place) | Operand::Source(place) => *place = self.place()?,
            Operand::Generation(generation) => *generation = self.line.number("a generation", 0, 2)? as u8,
            Operand::Times(times) => *times = self.line.number("the number of times", 1, u8::MAX as u32)? as u8,
            Operand::Thresholds(thresholds) => {
                for (i, threshold) in thresholds.iter_mut().enumerate() {
                    if i > 0 {
                        self.line.sign(',')?;
                    }
                    *threshold = self.line.number("a threshold", 0, u16::MAX as u32)? as u16;
                }
            }
            Operand::SaveAll(on) => *on = self.debug_flag()?,
            Operand::Body(script) => *script = self.script()?,
            // Read before, or by the grammar of objects.
            Operand::Target(_) | Operand::Object(_) | Operand::Allocation(_) => {}
            Operand::Kind(_) | Operand::Graph(_) | Operand::Items(_) | Operand::Bulk(_) | Operand::Count(_) => {}
        }
        Ok(())
    }

    /// An object that is made: the next word is one of [`makers`].
    fn make(&mut self, dst: Place) -> Result<Op, Diagnostic> {
        let (word, span) = self.line.word("a kind of object")?;
        self.line.sign('(')?;
        let op = if let Some(bulk) = words::bulk(word) {
            let count = self.line.number("a count", 1, MAX_COUNT)?;
            self.line.sign(',')?;
            let kind_span = self.line.span();
            let (name, _) = self.line.word("`Node` or `Typed`")?;
            let Some(shape) = words::shape(name).filter(|s| s.is_extension()) else {
                let message = format!("a {word} consists of extension objects");
                return Err(self.line.error(Code::Meaning, kind_span, message).expecting(["`Node`", "`Typed`"]));
            };
            self.line.sign('(')?;
            let (kind, _) = self.kind(shape)?;
            self.line.sign(')')?;
            Op::Build { dst, bulk, kind, count }
        } else {
            let Some(shape) = words::shape(word) else {
                return Err(self.line.error(Code::UnknownWord, span, format!("`{word}` is no kind of object")));
            };
            let (kind, items) = self.kind(shape)?;
            Op::New { dst, kind, items }
        };
        self.line.sign(')')?;
        Ok(op)
    }

    /// A place that must not be `None`.
    pub(super) fn object(&mut self, what: &str) -> Result<Place, Diagnostic> {
        if self.line.peek() == Some(Token::Word("None")) {
            let error = self.line.error(Code::Meaning, self.line.span(), "`None` makes this operation do nothing");
            return Err(error.expecting([what]));
        }
        self.place_of(what)
    }

    fn place(&mut self) -> Result<Place, Diagnostic> {
        self.place_of("a variable")
    }

    /// `a`, `a[0]`, `self[1][0]`, `arg`, `None`.
    pub(super) fn place_of(&mut self, what: &str) -> Result<Place, Diagnostic> {
        let (word, span) = self.line.word(what)?;
        let base = match word {
            "None" => Base::Nothing,
            "self" | "arg" if !self.in_script => {
                let message = format!("`{word}` exists in scripts only");
                return Err(self.line.error(Code::Meaning, span, message).expecting(["a variable"]));
            }
            "self" => Base::Owner,
            "arg" => Base::Arg,
            _ => Base::Var(self.var(word, span)?),
        };
        let mut place = Place::of(base);
        while self.line.accept('[') {
            let bracket = self.line.last_span();
            if base == Base::Nothing {
                return Err(self.line.error(Code::Meaning, bracket, "`None` has no slots"));
            }
            let slot = self.line.number("a slot", 0, MAX_SLOT as u32)? as u8;
            self.line.sign(']')?;
            if place.path().len() == 2 {
                let error = self.line.error(Code::Range, bracket, "a path has at most two slots");
                return Err(error.suggesting("store what is on the way in a variable, and go on from there"));
            }
            place = place.slot(slot);
        }
        Ok(place)
    }

    fn var(&mut self, word: &'s str, span: Range<usize>) -> Result<u16, Diagnostic> {
        self.check_name(word, &span)?;
        self.symbols.var(word, &span).ok_or_else(|| {
            self.line.error(Code::Limit, span, format!("more than {} variables", super::super::MAX_VARS))
        })
    }

    /// The name of a script.
    pub(super) fn script(&mut self) -> Result<ScriptId, Diagnostic> {
        let (word, span) = self.line.word("the name of a script")?;
        self.check_name(word, &span)?;
        self.symbols.script(word, &span).ok_or_else(|| {
            self.line.error(Code::Limit, span, format!("more than {} scripts", super::super::MAX_SCRIPTS))
        })
    }

    fn check_name(&self, word: &str, span: &Range<usize>) -> Result<(), Diagnostic> {
        if word.len() > words::MAX_NAME {
            let message = format!("a name has at most {} characters", words::MAX_NAME);
            return Err(self.line.error(Code::Limit, span.clone(), message));
        }
        if words::is_reserved(word) {
            let message = format!("`{word}` is a word of the language and cannot be a name");
            return Err(self.line.error(Code::Name, span.clone(), message));
        }
        Ok(())
    }
}
