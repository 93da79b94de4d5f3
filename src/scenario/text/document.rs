//! A scenario with everything that a file says besides it: names, header, expectations, comments.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use super::super::{Base, Normalized, Op, Place, Scenario};
use super::diagnostic::{Code, Diagnostic};
use super::words;

/// The content of a text file. Its scenario is in normal form.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Document {
    /// What runs.
    pub scenario: Scenario,
    /// The author's names.
    pub names: Names,
    /// The header, in the author's order.
    pub fields: Vec<Field>,
    /// The expected outcomes, in the author's order.
    pub expectations: Vec<Expectation>,
    /// Comments and single empty lines inside bodies, in order of their places.
    pub comments: Vec<Comment>,
    /// For each operation of the scenario, its line in the file (from 1); empty if there was no file.
    pub lines: Vec<u32>,
    /// What the parser accepted with a warning.
    pub warnings: Vec<Diagnostic>,
}

impl Document {
    /// What is to be said, with the line, of a scenario that is about to create more than `limit` objects. `source` is the text
    /// that it was read from; `advice` says how the limit is changed.
    pub fn too_large(&self, source: &str, limit: u64, advice: &str) -> Option<Diagnostic> {
        let planned = self.scenario.planned();
        if planned.objects <= limit {
            return None;
        }
        let line = self.lines.get(planned.largest).copied().unwrap_or(0) as usize;
        let start: usize = source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let text = source[start..].lines().next().unwrap_or("");
        let span = start + text.len() - text.trim_start().len()..start + text.trim_end().len();
        let message = format!("the scenario creates {} objects, and the limit is {limit}", planned.objects);
        Some(Diagnostic::new(Code::Limit, source, span, message).suggesting(advice))
    }

    /// A document that says nothing but the scenario (normalized), with canonical names.
    pub fn new(scenario: &Scenario) -> Document {
        Document { scenario: scenario.normalize(), ..Document::default() }
    }

    /// The text of the first header field with this name.
    pub fn field(&self, name: FieldName) -> Option<&str> {
        self.fields.iter().find(|f| f.name == name).map(|f| f.text.as_str())
    }

    /// The expectation for this collector.
    pub fn expectation(&self, collector: &str) -> Option<&Expectation> {
        self.expectations.iter().find(|e| e.collector == collector)
    }

    /// The operation whose objects a fact about this variable is about: the first `New` or `Build` that stores to
    /// the variable, in the mutator's body or, failing that, in the first script that has one. An index into
    /// [`Scenario::ops`].
    pub fn origin(&self, var: u16) -> Option<usize> {
        origin(&self.scenario, var)
    }

    /// Brings the scenario into normal form and everything that refers to its parts along. Comments of a removed
    /// operation move to the next one; facts about variables that are gone are removed.
    pub fn normalize(&mut self) {
        let trace = self.scenario.normalize_traced();
        self.follow(trace);
    }

    /// Replaces the scenario by a normal form of it.
    pub(super) fn follow(&mut self, trace: Normalized) {
        let Normalized { scenario, ops, vars, scripts } = trace;
        let old_names = std::mem::take(&mut self.names);
        self.names = Names {
            vars: vars.iter().map(|v| old_names.var(*v).into_owned()).collect(),
            scripts: scripts.iter().map(|s| old_names.script(s.0).into_owned()).collect(),
        };
        if !self.lines.is_empty() {
            self.lines = ops.iter().map(|op| self.lines.get(*op as usize).copied().unwrap_or(0)).collect();
        }
        let new_var: BTreeMap<u16, u16> = vars.iter().zip(0..).map(|(old, new)| (*old, new)).collect();
        for expectation in &mut self.expectations {
            expectation.facts.retain_mut(|fact| match fact.var_mut() {
                Some(var) => new_var.get(var).map(|new| *var = *new).is_some(),
                None => true,
            });
            expectation.facts.sort_unstable();
        }
        let old = std::mem::replace(&mut self.scenario, scenario);
        let new_body = |body: usize| match body {
            0 => Some(0),
            _ => scripts.iter().position(|s| s.0 as usize + 1 == body).map(|s| s + 1),
        };
        self.comments.retain_mut(|comment| {
            let anchor = match comment.anchor {
                Anchor::Script(script) => new_body(script + 1).map(|body| Anchor::Script(body - 1)),
                Anchor::BodyEnd(body) => new_body(body).map(Anchor::BodyEnd),
                Anchor::Op(op) => {
                    let body = (0..old.bodies()).find(|b| old.range(*b).contains(&op));
                    body.and_then(|body| {
                        let new = new_body(body)?;
                        let range = self.scenario.range(new);
                        let next = range.start + ops[range.clone()].partition_point(|old| (*old as usize) < op);
                        let next = Some(next).filter(|next| *next < range.end);
                        if comment.trailing && next.is_none_or(|i| ops[i] as usize != op) {
                            return None;
                        }
                        Some(next.map_or(Anchor::BodyEnd(new), Anchor::Op))
                    })
                }
                same => Some(same),
            };
            anchor.map(|anchor| comment.anchor = anchor).is_some()
        });
        self.comments.sort_by_key(|c| c.anchor);
    }
}

/// See [`Document::origin`].
pub(crate) fn origin(scenario: &Scenario, var: u16) -> Option<usize> {
    let creates =
        |op: &Op| matches!(op, Op::New { .. } | Op::Build { .. }) && op.target() == Some(Place::of(Base::Var(var)));
    scenario.ops().iter().position(creates)
}

/// The names of variables and scripts, by number. A number without a usable name has its canonical one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Names {
    /// Names of variables.
    pub vars: Vec<String>,
    /// Names of scripts.
    pub scripts: Vec<String>,
}

impl Names {
    /// The name of a variable: the author's, or a, b, .. z, v26, v27 ..
    pub fn var(&self, var: u16) -> Cow<'_, str> {
        match self.vars.get(var as usize) {
            Some(name) => Cow::Borrowed(name),
            None if var < 26 => Cow::Owned(char::from(b'a' + var as u8).to_string()),
            None => Cow::Owned(format!("v{var}")),
        }
    }

    /// The name of a script: the author's, or A, B, .. Z, S26, S27 ..
    pub fn script(&self, script: u8) -> Cow<'_, str> {
        match self.scripts.get(script as usize) {
            Some(name) => Cow::Borrowed(name),
            None if script < 26 => Cow::Owned(char::from(b'A' + script).to_string()),
            None => Cow::Owned(format!("S{script}")),
        }
    }

    /// True if the names of the first `vars` variables and `scripts` scripts are names and all different.
    pub(super) fn are_usable(&self, vars: usize, scripts: usize) -> bool {
        let mut all: Vec<_> = (0..vars).map(|v| self.var(v as u16)).collect();
        all.extend((0..scripts).map(|s| self.script(s as u8)));
        let count = all.len();
        let good = all.iter().all(|name| words::is_name(name));
        all.sort_unstable();
        all.dedup();
        good && all.len() == count
    }
}

/// A line of the header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    /// The word before the colon.
    pub name: FieldName,
    /// The rest of the line.
    pub text: String,
}

/// What a line of the header says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum FieldName {
    /// The bug's name in docs/history.md, and its number in CPython's tracker.
    Bug,
    /// Where the scenario comes from.
    Source,
    /// Anything.
    Note,
    /// All collectors agree, and why.
    Same,
    /// That, and against what, the scenario is minimal.
    Minimal,
    /// The collector that showed the finding.
    Collector,
    /// The invariant that it violated.
    Invariant,
    /// The seed that led to it.
    Seed,
    /// The command that repeats it.
    Repeat,
}

impl FieldName {
    /// Every field.
    pub const ALL: [FieldName; 9] = [
        FieldName::Bug,
        FieldName::Source,
        FieldName::Note,
        FieldName::Same,
        FieldName::Minimal,
        FieldName::Collector,
        FieldName::Invariant,
        FieldName::Seed,
        FieldName::Repeat,
    ];

    /// The word before the colon.
    pub const fn word(self) -> &'static str {
        match self {
            FieldName::Bug => "bug",
            FieldName::Source => "source",
            FieldName::Note => "note",
            FieldName::Same => "same",
            FieldName::Minimal => "minimal",
            FieldName::Collector => "collector",
            FieldName::Invariant => "invariant",
            FieldName::Seed => "seed",
            FieldName::Repeat => "repeat",
        }
    }
}

/// The outcome that a collector must show.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Expectation {
    /// The collector: a row or a variant, such as `cpython-3.7.6`.
    pub collector: String,
    /// The digest of the event stream.
    pub digest: Option<u64>,
    /// Every violation, sorted; `None` if the file does not say.
    pub violations: Option<Vec<ExpectedViolation>>,
    /// What is true when the scenario has ended, sorted.
    pub facts: Vec<Fact>,
}

/// A violation that is expected.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ExpectedViolation {
    /// The invariant, such as `I15` or `I01b`.
    pub code: String,
    /// The class of the verdict.
    pub class: Class,
}

/// The class of a verdict: who is to blame.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Class {
    /// The invariant's premises held: a fault of the collector.
    Collector,
    /// A type lied or did not take part, and the collector could not know.
    TypeFault,
    /// A text that a user can read allows it.
    Documented,
    /// No text that a user can read promises otherwise, and none allows it.
    Unpromised,
}

impl Class {
    /// Every class.
    pub const ALL: [Class; 4] = [Class::Collector, Class::TypeFault, Class::Documented, Class::Unpromised];

    /// The word used in reports and files.
    pub const fn word(self) -> &'static str {
        match self {
            Class::Collector => "collector",
            Class::TypeFault => "type-fault",
            Class::Documented => "documented",
            Class::Unpromised => "unpromised",
        }
    }
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

/// Something that is true at the end of a run. A variable stands for the first object that the operation of
/// [`Document::origin`] created.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Fact {
    /// `alive(a)`: the object has not been freed.
    Alive(u16),
    /// `freed(a)`: the object has been freed.
    Freed(u16),
    /// `cleared(a)`: `tp_clear` has run on the object.
    Cleared(u16),
    /// `finalized(a)`: a finalizer of the object has run.
    Finalized(u16),
    /// `returned=2`: what the last collection returned.
    Returned(u32),
    /// `garbage=1`: the length of `gc.garbage`.
    Garbage(u32),
    /// `undefined`: the run ended in undefined behaviour.
    Undefined,
}

/// The word of a fact, and the fact from its operand.
type Constructor<T> = (&'static str, fn(T) -> Fact);

impl Fact {
    /// The words of the facts about an object.
    pub(super) const ABOUT_OBJECTS: [Constructor<u16>; 4] =
        [("alive", Fact::Alive), ("freed", Fact::Freed), ("cleared", Fact::Cleared), ("finalized", Fact::Finalized)];
    /// The words of the facts with a number.
    pub(super) const WITH_NUMBERS: [Constructor<u32>; 2] = [("returned", Fact::Returned), ("garbage", Fact::Garbage)];
    /// The word of [`Fact::Undefined`].
    pub(super) const UNDEFINED: &'static str = "undefined";

    /// The variable that the fact is about.
    pub const fn var(self) -> Option<u16> {
        match self {
            Fact::Alive(var) | Fact::Freed(var) | Fact::Cleared(var) | Fact::Finalized(var) => Some(var),
            Fact::Returned(_) | Fact::Garbage(_) | Fact::Undefined => None,
        }
    }

    fn var_mut(&mut self) -> Option<&mut u16> {
        match self {
            Fact::Alive(var) | Fact::Freed(var) | Fact::Cleared(var) | Fact::Finalized(var) => Some(var),
            Fact::Returned(_) | Fact::Garbage(_) | Fact::Undefined => None,
        }
    }

    /// Writes the fact with the names of a document.
    pub fn write(self, names: &Names, out: &mut impl fmt::Write) -> fmt::Result {
        let (word, var) = match self {
            Fact::Alive(var) => ("alive", var),
            Fact::Freed(var) => ("freed", var),
            Fact::Cleared(var) => ("cleared", var),
            Fact::Finalized(var) => ("finalized", var),
            Fact::Returned(number) => return write!(out, "returned={number}"),
            Fact::Garbage(number) => return write!(out, "garbage={number}"),
            Fact::Undefined => return out.write_str(Fact::UNDEFINED),
        };
        write!(out, "{word}({})", names.var(var))
    }
}

/// Where a comment belongs. The order is the order of printing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Anchor {
    /// The version line.
    Version,
    /// A header field, by index.
    Field(usize),
    /// An expectation, by index.
    Expectation(usize),
    /// The `def` line of a script.
    Script(usize),
    /// An operation, by its index in [`Scenario::ops`].
    Op(usize),
    /// The end of a body: 0 is the mutator's.
    BodyEnd(usize),
}

/// A comment, or an empty line (without text) that separates operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comment {
    /// What it stands before or behind.
    pub anchor: Anchor,
    /// Behind, in the same line, rather than before.
    pub trailing: bool,
    /// The text without `#`; empty for an empty line.
    pub text: String,
}
