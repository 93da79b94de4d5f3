//! What variables, scripts and classes are called in Python.

use std::collections::BTreeSet;

use crate::scenario::text::Document;
use crate::scenario::{Finalizer, Kind, Op, Place, Scenario, ScriptId};

/// Words that mean something else in a script.
const TAKEN: [&str; 61] = [
    "False",
    "None",
    "True",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
    "exec",
    "print",
    "gc",
    "weakref",
    "sys",
    "types",
    "len",
    "list",
    "range",
    "hasattr",
    "getattr",
    "object",
    "property",
    "show",
    "box",
    "cell",
    "ask",
    "self",
    "arg",
    "any",
    "x",
    "o",
    "i",
    "generation",
    "Ref",
    "Node",
];

/// Names by number.
#[derive(Clone, Debug)]
pub struct Names {
    vars: Vec<String>,
    scripts: Vec<String>,
    /// The kinds that become classes, each with its name.
    classes: Vec<(Kind, String)>,
}

fn unused(wanted: &str, used: &mut BTreeSet<String>) -> String {
    let mut name = wanted.to_owned();
    let mut number = 2;
    while TAKEN.contains(&name.as_str()) && name != "Node" || used.contains(&name) {
        name = format!("{wanted}{number}");
        number += 1;
    }
    used.insert(name.clone());
    name
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

impl Names {
    /// Names that are all different: the author's where these are free.
    pub fn new(document: &Document, scenario: &Scenario) -> Names {
        let mut used = BTreeSet::new();
        // `x` is used by helpers inside of functions of their own: a variable may be called so.
        let var = |v: u16, used: &mut BTreeSet<String>| {
            let wanted = match v < document.scenario.vars() {
                true => document.names.var(v).into_owned(),
                false => "inner".to_owned(),
            };
            match ["x", "o", "i"].contains(&wanted.as_str()) && !used.contains(&wanted) {
                true => {
                    used.insert(wanted.clone());
                    wanted
                }
                false => unused(&wanted, used),
            }
        };
        let vars = (0..scenario.vars()).map(|v| var(v, &mut used)).collect();
        let script = |s: usize, used: &mut BTreeSet<String>| unused(&document.names.script(s as u8), used);
        let scripts: Vec<String> = (0..scenario.scripts()).map(|s| script(s, &mut used)).collect();
        let mut names = Names { vars, scripts, classes: Vec::new() };
        for op in scenario.ops() {
            if let Some(kind) = op.kind()
                && (kind.shape.is_extension() || kind.shape.is_python_class())
                && !names.classes.iter().any(|(k, _)| k == kind)
            {
                let wanted = names.wanted(op, kind);
                let name = unused(&wanted, &mut used);
                names.classes.push((*kind, name));
            }
        }
        names
    }

    fn wanted(&self, op: &Op, kind: &Kind) -> String {
        let is_plain = *kind == Kind::new(kind.shape);
        let var = op.target().filter(Place::is_bare).and_then(|place| match place.base {
            crate::scenario::Base::Var(var) => Some(self.var(var)),
            _ => None,
        });
        match var {
            Some(name) if !is_plain => capitalized(name),
            _ => {
                let script = match kind.finalizer {
                    Some(Finalizer::Modern(script) | Finalizer::Legacy(script)) => Some(script),
                    None => kind.on_call.or(kind.on_dealloc),
                };
                script.map_or_else(|| "Node".to_owned(), |script| capitalized(self.script(script)))
            }
        }
    }

    /// The name of a variable.
    pub fn var(&self, var: u16) -> &str {
        &self.vars[var as usize]
    }

    /// The name of a script.
    pub fn script(&self, script: ScriptId) -> &str {
        &self.scripts[script.0 as usize]
    }

    /// The class of a kind.
    pub fn class(&self, kind: &Kind) -> &str {
        self.classes.iter().find(|(k, _)| k == kind).map_or("Node", |(_, name)| name)
    }

    /// Every kind that becomes a class, with its name.
    pub fn classes(&self) -> &[(Kind, String)] {
        &self.classes
    }
}
