//! The names of a file: which number each has, where it was first met, and whether anything makes it exist.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::{MAX_SCRIPTS, MAX_VARS, ScriptId};
use super::diagnostic::{Code, Diagnostic};
use super::document::Names;
use super::words::{functions, makers, nearest};

/// A variable or script.
#[derive(Clone, Debug)]
struct Symbol<'s> {
    name: &'s str,
    /// Where it is mentioned first.
    first: Range<usize>,
    /// The first mention is followed by a parenthesis.
    called: bool,
    /// Something assigns or defines it.
    exists: bool,
}

/// Names of one sort, numbered in order of appearance.
#[derive(Debug, Default)]
struct Table<'s> {
    symbols: Vec<Symbol<'s>>,
    by_name: BTreeMap<&'s str, usize>,
}

impl<'s> Table<'s> {
    fn number(&mut self, name: &'s str, span: &Range<usize>, limit: usize) -> Option<usize> {
        if let Some(number) = self.by_name.get(name) {
            return Some(*number);
        }
        let number = self.symbols.len();
        if number == limit {
            return None;
        }
        self.by_name.insert(name, number);
        self.symbols.push(Symbol { name, first: span.clone(), called: false, exists: false });
        Some(number)
    }

    fn existing(&self) -> impl Iterator<Item = &'s str> {
        self.symbols.iter().filter(|s| s.exists).map(|s| s.name)
    }

    fn exists(&self, name: &str) -> bool {
        self.by_name.get(name).is_some_and(|n| self.symbols[*n].exists)
    }
}

/// The variables and scripts of a file.
#[derive(Debug, Default)]
pub(super) struct Symbols<'s> {
    vars: Table<'s>,
    scripts: Table<'s>,
}

impl<'s> Symbols<'s> {
    /// The number of a variable; `None` if there are too many.
    pub(super) fn var(&mut self, name: &'s str, span: &Range<usize>) -> Option<u16> {
        self.vars.number(name, span, MAX_VARS as usize).map(|n| n as u16)
    }

    /// The number of a script; `None` if there are too many.
    pub(super) fn script(&mut self, name: &'s str, span: &Range<usize>) -> Option<ScriptId> {
        self.scripts.number(name, span, MAX_SCRIPTS).map(|n| ScriptId(n as u8))
    }

    /// Number of scripts, defined or not.
    pub(super) fn scripts(&self) -> usize {
        self.scripts.symbols.len()
    }

    /// Notes that something assigns a variable.
    pub(super) fn assign(&mut self, var: u16) {
        self.vars.symbols[var as usize].exists = true;
    }

    /// Notes that a parenthesis follows the mention of a variable at this place.
    pub(super) fn call(&mut self, var: u16, span: &Range<usize>) {
        let symbol = &mut self.vars.symbols[var as usize];
        symbol.called |= symbol.first == *span;
    }

    /// Notes the definition of a script; false if it was defined before.
    pub(super) fn define(&mut self, script: ScriptId) -> bool {
        !std::mem::replace(&mut self.scripts.symbols[script.0 as usize].exists, true)
    }

    /// Where a script is named first.
    pub(super) fn script_span(&self, script: ScriptId) -> Range<usize> {
        self.scripts.symbols[script.0 as usize].first.clone()
    }

    /// The names by number.
    pub(super) fn names(&self) -> Names {
        let names = |table: &Table<'s>| table.symbols.iter().map(|s| s.name.to_owned()).collect();
        Names { vars: names(&self.vars), scripts: names(&self.scripts) }
    }

    /// What is wrong with the names of the whole file, in order of place.
    pub(super) fn problems(&self, source: &str) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        for symbol in self.vars.symbols.iter().filter(|s| !s.exists) {
            problems.push(self.unknown_var(symbol, source));
        }
        for symbol in &self.scripts.symbols {
            if !symbol.exists {
                problems.push(self.unknown_script(symbol, source));
            } else if self.vars.exists(symbol.name) {
                let message = format!("`{}` is the name of a script and of a variable", symbol.name);
                let problem = Diagnostic::new(Code::Name, source, symbol.first.clone(), message);
                problems.push(problem.suggesting("give one of them another name"));
            }
        }
        problems.sort_by_key(|p| p.span.start);
        problems
    }

    fn unknown_var(&self, symbol: &Symbol<'s>, source: &str) -> Diagnostic {
        let name = symbol.name;
        if self.scripts.exists(name) {
            let message = format!("`{name}` is a script, not an object");
            let problem = Diagnostic::new(Code::UnknownName, source, symbol.first.clone(), message);
            return problem
                .suggesting(format!("make an object that runs it, such as `f = function({name})`, and use that"));
        }
        let message = if symbol.called {
            format!("`{name}` is neither a variable nor an operation")
        } else {
            format!("nothing assigns the variable `{name}`")
        };
        let problem = Diagnostic::new(Code::UnknownName, source, symbol.first.clone(), message);
        let words = functions().chain(makers()).filter(|_| symbol.called).map(|word| -> &'s str { word });
        let near = nearest(name, self.vars.existing().chain(words));
        match near {
            Some(near) => problem.suggesting(format!("did you mean `{near}`?")),
            None if symbol.called => problem,
            None => problem.suggesting(format!("create the object first, such as `{name} = Node()`")),
        }
    }

    fn unknown_script(&self, symbol: &Symbol<'s>, source: &str) -> Diagnostic {
        let name = symbol.name;
        let span = symbol.first.clone();
        if self.vars.exists(name) {
            let message = format!("`{name}` is a variable; a script is expected here");
            return Diagnostic::new(Code::UnknownName, source, span, message)
                .suggesting("scripts are written `def NAME():`, with an indented body");
        }
        let problem = Diagnostic::new(Code::UnknownName, source, span, format!("no `def {name}():` in this file"));
        match nearest(name, self.scripts.existing()) {
            Some(near) => problem.suggesting(format!("did you mean `{near}`?")),
            None => problem.suggesting(format!("write `def {name}():` and an indented body, such as `pass`")),
        }
    }
}
