//! The grammar of objects: what stands between the parentheses of `Node(...)`, `tuple(...)` and the others.

use std::ops::Range;

use super::super::{Clear, Finalizer, Items, Kind, NODE_SLOTS, Place, Shape, SlotSet, Tracking};
use super::diagnostic::{Code, Diagnostic};
use super::lexer::{Token, shortened};
use super::statement::Statement;
use super::words::OPTIONS;

impl<'s> Statement<'_, 's> {
    /// Everything up to the closing parenthesis, which is not read.
    pub(super) fn kind(&mut self, shape: Shape) -> Result<(Kind, [Place; 2]), Diagnostic> {
        let mut kind = Kind::new(shape);
        let mut items = [Place::NOTHING; 2];
        match shape.facts().items {
            Items::Listed(names, required) => self.items(&mut items, required, names)?,
            Items::Named(names) => self.named_items(&mut kind, &mut items, names)?,
            Items::None => self.options(&mut kind)?,
        }
        Ok((kind.canonical(), items))
    }

    fn at_end(&self) -> bool {
        self.line.peek() == Some(Token::Sign(')'))
    }

    fn items(&mut self, items: &mut [Place], required: usize, names: &[&str]) -> Result<(), Diagnostic> {
        for (i, (item, name)) in items.iter_mut().zip(names).enumerate() {
            if i >= required && self.at_end() {
                return Ok(());
            }
            if i > 0 {
                self.line.sign(',')?;
            }
            *item = if i < required { self.object(name)? } else { self.place_of(name)? };
        }
        Ok(())
    }

    /// The script that runs when it is called, then items by name.
    fn named_items(
        &mut self,
        kind: &mut Kind,
        items: &mut [Place; 2],
        names: &[(&'static str, &str)],
    ) -> Result<(), Diagnostic> {
        let parts: Vec<_> =
            names.iter().enumerate().map(|(item, (word, what))| (*word, (*word, item, *what))).collect();
        let mut seen = Vec::new();
        while !self.at_end() {
            if !seen.is_empty() {
                self.line.sign(',')?;
            }
            let named = self.line.peek_second() == Some(Token::Sign('='));
            if !named && seen.is_empty() {
                kind.on_call = Some(self.script()?);
                seen.push("");
                continue;
            }
            let span = self.line.span();
            let (word, item, what) = self.line.one_of(&format!("a part of a {}", kind.shape.word()), &parts)?;
            self.once(&mut seen, word, span)?;
            self.line.sign('=')?;
            items[item] = self.place_of(what)?;
        }
        Ok(())
    }

    fn once(&self, seen: &mut Vec<&'static str>, word: &'static str, span: Range<usize>) -> Result<(), Diagnostic> {
        if seen.contains(&word) {
            return Err(self.line.error(Code::Name, span, format!("`{word}` is given twice")));
        }
        seen.push(word);
        Ok(())
    }

    fn options(&mut self, kind: &mut Kind) -> Result<(), Diagnostic> {
        let mut seen: Vec<&'static str> = Vec::new();
        let mut spans: Vec<Range<usize>> = Vec::new();
        while !self.at_end() {
            if !seen.is_empty() {
                self.line.sign(',')?;
            }
            let span = self.line.span();
            let option = self.option_word(kind.shape)?;
            self.once(&mut seen, option, span.clone())?;
            spans.push(span);
            self.line.sign('=')?;
            self.option_value(kind, option)?;
        }
        self.check_options(kind, &seen, &spans)
    }

    /// Reads the word before `=`.
    fn option_word(&mut self, shape: Shape) -> Result<&'static str, Diagnostic> {
        let allowed = |word: &str| shape.is_extension() || (word == "finalizer" && shape.can_finalize());
        if !OPTIONS.into_iter().any(allowed) {
            let error = self.line.unexpected(["`)`"]);
            return Err(error.suggesting(format!("`{}` takes no arguments; fill its slots afterwards", shape.word())));
        }
        let Some(Token::Word(word)) = self.line.peek() else {
            return Err(self.line.unexpected(["an option", "`)`"]));
        };
        let span = self.line.span();
        match OPTIONS.into_iter().find(|o| *o == word) {
            Some(option) if allowed(option) => {
                self.line.skip();
                Ok(option)
            }
            Some(option) => {
                let message = format!("`{option}` applies to `Node` and `Typed` only");
                Err(self.line.error(Code::Meaning, span, message).expecting(["`finalizer`"]))
            }
            None => {
                let message = format!("`{}` is no option of `{}`", shortened(word), shape.word());
                let candidates = OPTIONS.into_iter().filter(move |o| allowed(o));
                Err(self.line.unknown_word(span, word, message, candidates))
            }
        }
    }

    fn option_value(&mut self, kind: &mut Kind, option: &str) -> Result<(), Diagnostic> {
        match option {
            "gc" => {
                let states = [("no", Tracking::NoHeader), ("untracked", Tracking::Untracked)];
                kind.tracking = self.line.one_of("a state of `gc`", &states)?;
            }
            "hide" => kind.hidden = self.slots()?,
            "twice" => kind.doubled = self.slots()?,
            "fickle" => kind.fickle = self.slots()?,
            "clear" => {
                self.line.one_of("a way to clear", &[("none", ())])?;
                kind.clear = Clear::Missing;
            }
            "keep" => kind.clear = Clear::Keeps(self.slots()?),
            "finalizer" => kind.finalizer = Some(Finalizer::Modern(self.script()?)),
            "legacy" => kind.finalizer = Some(Finalizer::Legacy(self.script()?)),
            "call" => kind.on_call = Some(self.script()?),
            "dealloc" => kind.on_dealloc = Some(self.script()?),
            _ => self.flaws(kind)?,
        }
        Ok(())
    }

    /// `[0, 2]` or `all`.
    fn slots(&mut self) -> Result<SlotSet, Diagnostic> {
        if self.line.accept_word("all") {
            return Ok(SlotSet::ALL);
        }
        if !self.line.accept('[') {
            return Err(self.line.unexpected(["a list of slots such as `[0, 2]`", "`all`"]));
        }
        let mut set = SlotSet::NONE;
        while !self.line.accept(']') {
            if set != SlotSet::NONE {
                self.line.sign(',')?;
            }
            set.0 |= 1 << self.line.number("a slot", 0, NODE_SLOTS as u32 - 1)?;
        }
        Ok(set)
    }

    fn flaws(&mut self, kind: &mut Kind) -> Result<(), Diagnostic> {
        let flaws = [("tracked", true), ("weakrefs", false)];
        let mut set = |tracked: bool| {
            kind.flaws.keeps_tracked |= tracked;
            kind.flaws.keeps_weakrefs |= !tracked;
        };
        if !self.line.accept('[') {
            set(self.line.one_of("a flaw", &flaws)?);
            return Ok(());
        }
        let mut any = false;
        while !self.line.accept(']') {
            if any {
                self.line.sign(',')?;
            }
            any = true;
            set(self.line.one_of("a flaw", &flaws)?);
        }
        Ok(())
    }

    /// Refuses options that say nothing or contradict each other.
    fn check_options(&self, kind: &Kind, seen: &[&'static str], spans: &[Range<usize>]) -> Result<(), Diagnostic> {
        let span_of = |option: &str| seen.iter().position(|s| *s == option).map(|i| spans[i].clone());
        let conflict = |option: &str, message: String| {
            span_of(option).map_or(Ok(()), |span| Err(self.line.error(Code::Meaning, span, message)))
        };
        if kind.tracking == Tracking::NoHeader {
            for option in ["hide", "twice", "fickle", "clear", "keep"] {
                let message = format!("`{option}` has no meaning with `gc=no`");
                conflict(option, message).map_err(|e| {
                    e.suggesting(
                        "a type without GC support has neither `traverse` nor `clear`: all its edges are hidden",
                    )
                })?;
            }
            if kind.flaws.keeps_tracked {
                conflict("flaw", "an object with `gc=no` is never tracked".to_owned())?;
            }
        }
        for (one, other) in [("clear", "keep"), ("finalizer", "legacy")] {
            if span_of(one).is_some() {
                conflict(other, format!("`{other}` contradicts `{one}`"))?;
            }
        }
        if kind.doubled.0 & kind.hidden.0 != 0 {
            conflict("twice", "a slot in `twice` is hidden".to_owned())?;
        }
        if kind.fickle.0 & (kind.hidden.0 | kind.doubled.0) != 0 {
            conflict("fickle", "a slot in `fickle` is also in `hide` or `twice`".to_owned())?;
        }
        Ok(())
    }
}
