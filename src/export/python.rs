//! Prints a scenario as a Python script that runs on 2.7 to 3.15 and needs nothing of ours.

mod closures;
mod expressions;
mod helpers;
mod operations;

use std::collections::{BTreeMap, BTreeSet};

use super::expected::Judged;
use super::instrument::Instrument;
use super::names::Names;
use super::shapes::Shapes;
use super::{MODULE, trace};
use crate::scenario::{Base, Finalizer, Kind, Op, Place, Scenario, ScriptId, Shape};
use closures::Closures;
use helpers::Helper;

/// The longest line of a script.
const WIDTH: usize = 88;

/// A script that shows what `instrument` says. With `in_c` the types of extension objects are in the module of the C file.
///
/// # Errors
/// What cannot be said in Python.
pub fn script(
    scenario: &Scenario,
    judged: &Judged,
    names: &Names,
    instrument: &Instrument,
    in_c: bool,
) -> Result<String, String> {
    let mut printer = Printer::new(scenario, judged, names, instrument, in_c);
    let classes = printer.classes()?;
    let main = printer.main()?;
    Ok(printer.assemble(classes, main))
}

/// Code that is being printed: how deep, and what it runs in.
#[derive(Clone, Copy, Debug)]
struct Context {
    /// The script whose names are its own: nothing in the main body and in what it repeats.
    script: Option<ScriptId>,
    /// It is a function's: there is no `self`.
    is_function: bool,
    /// It runs several times: what it empties may be empty.
    in_loop: bool,
}

const MAIN: Context = Context { script: None, is_function: false, in_loop: false };

struct Printer<'s> {
    scenario: &'s Scenario,
    names: &'s Names,
    instrument: &'s Instrument,
    in_c: bool,
    shapes: Shapes,
    /// The operation of the main body that is being printed.
    now: Option<u32>,
    closures: Closures,
    helpers: BTreeSet<Helper>,
    /// Variables that functions name.
    shared: BTreeSet<u16>,
    /// Those of them that may hold nothing.
    unset: BTreeSet<u16>,
    /// How long lists are.
    lengths: BTreeMap<Place, u8>,
    imports: BTreeSet<&'static str>,
}

/// Lines with four spaces before each.
fn indented(lines: Vec<String>) -> impl Iterator<Item = String> {
    lines.into_iter().map(|line| format!("    {line}"))
}

/// A head with its body, in one line where that can be read.
fn block(head: &str, body: Vec<String>) -> Vec<String> {
    let body = if body.is_empty() { vec!["pass".to_owned()] } else { body };
    let is_simple = |line: &String| {
        !line.starts_with([' ', '#', '@'])
            && !["for ", "if ", "def ", "class ", "try:", "while "].iter().any(|w| line.starts_with(w))
    };
    let line = format!("{head} {}", body.join("; "));
    if body.len() <= 3 && body.iter().all(is_simple) && line.len() <= WIDTH {
        return vec![line];
    }
    std::iter::once(head.to_owned()).chain(indented(body)).collect()
}

impl<'s> Printer<'s> {
    fn new(
        scenario: &'s Scenario,
        judged: &Judged,
        names: &'s Names,
        instrument: &'s Instrument,
        in_c: bool,
    ) -> Printer<'s> {
        let mut functions: BTreeSet<usize> = BTreeSet::new();
        for op in scenario.ops() {
            if let Some(kind) = op.kind() {
                { *kind }.map_scripts(|script| {
                    functions.insert(script.0 as usize + 1);
                    Some(script)
                });
            }
        }
        let (mut shared, mut assigned, mut emptied) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for body in &functions {
            for op in scenario.body(*body) {
                { *op }.for_each_place(|place| shared.extend(trace::variable(place.base)));
            }
        }
        for body in (0..scenario.bodies()).filter(|body| !functions.contains(body)) {
            let targets = scenario.body(body).iter().filter(|op| !is_deletion(op)).filter_map(Op::target);
            assigned.extend(targets.filter(Place::is_bare).filter_map(|place| trace::variable(place.base)));
        }
        for op in scenario.ops().iter().filter(|op| is_deletion(op)) {
            emptied.extend(op.target().filter(Place::is_bare).and_then(|place| trace::variable(place.base)));
        }
        let unset = shared.iter().copied().filter(|var| !assigned.contains(var) || emptied.contains(var)).collect();
        Printer {
            scenario,
            names,
            instrument,
            in_c,
            shapes: Shapes::new(scenario, judged),
            now: None,
            closures: Closures::new(scenario),
            helpers: BTreeSet::new(),
            shared,
            unset,
            lengths: BTreeMap::new(),
            imports: BTreeSet::new(),
        }
    }

    /// The shape of what a place holds, if it is known.
    fn shape(&self, place: Place) -> Option<Shape> {
        self.shapes.of(place, self.now)
    }

    /// The classes, the plain ones first.
    fn classes(&mut self) -> Result<Vec<String>, String> {
        let mut lines = Vec::new();
        let in_c = self.in_c;
        let from_c = |kind: &Kind| in_c && kind.shape.is_extension();
        let imported: Vec<&str> =
            self.names.classes().iter().filter(|(kind, _)| from_c(kind)).map(|(_, name)| name.as_str()).collect();
        if !imported.is_empty() {
            lines.push(format!("from {MODULE} import {}", imported.join(", ")));
        }
        for (kind, name) in self.names.classes() {
            if from_c(kind) {
                lines.extend(self.hooks(kind)?);
            } else if !super::boxes::is_box(kind) {
                lines.extend(self.class(kind, name)?);
            }
        }
        let keyed = self.scenario.ops().iter().any(|op| op.kind().is_some_and(|kind| kind.shape == Shape::KeyedRef));
        if keyed {
            let stored = self.scenario.ops().iter().any(|op| {
                let holder = op.target().and_then(|place| place.split());
                holder.is_some_and(|(holder, _)| self.shape(holder) == Some(Shape::KeyedRef))
            });
            let body = if stored { "__slots__ = \"s0\", \"__weakref__\"" } else { "pass" };
            lines.push(format!("class Ref(weakref.ref): {body}"));
        }
        Ok(lines)
    }

    /// The slots that the scenario names, as a tuple of strings.
    fn slot_names(&self) -> Vec<String> {
        let mut slots: BTreeSet<u8> = BTreeSet::new();
        for op in self.scenario.ops() {
            { *op }.for_each_place(|place| {
                let mut part = place.split();
                while let Some((holder, slot)) = part {
                    let is_item = matches!(self.shape(holder), Some(Shape::List | Shape::Dict | Shape::Tuple));
                    slots.extend((slot < crate::scenario::NODE_SLOTS && !is_item).then_some(slot));
                    part = holder.split();
                }
            });
        }
        slots.into_iter().map(|slot| format!("\"s{slot}\"")).collect()
    }

    fn class(&mut self, kind: &Kind, name: &str) -> Result<Vec<String>, String> {
        let mut body = Vec::new();
        match kind.shape {
            Shape::Instance => {}
            Shape::Bare => body.push("__slots__ = ()".to_owned()),
            _ => {
                let mut slots = self.slot_names();
                slots.push("\"__weakref__\"".to_owned());
                let comma = if slots.len() == 1 { "," } else { "" };
                body.push(format!("__slots__ = {}{comma}", slots.join(", ")));
            }
        }
        if let Some(Finalizer::Modern(script) | Finalizer::Legacy(script)) = kind.finalizer {
            let code = self.body_of(Context { script: Some(script), is_function: false, in_loop: false })?;
            body.extend(block("def __del__(self):", code));
        }
        if let Some(script) = kind.on_call {
            let head = format!("def __call__(self, {}):", self.argument(script));
            let code = self.body_of(Context { script: Some(script), is_function: false, in_loop: false })?;
            body.extend(block(&head, code));
        }
        Ok(block(&format!("class {name}(object):"), body))
    }

    /// What the types of the C file call, by name.
    fn hooks(&mut self, kind: &Kind) -> Result<Vec<String>, String> {
        let finalizer = kind.finalizer.map(|f| match f {
            Finalizer::Modern(script) | Finalizer::Legacy(script) => script,
        });
        let mut lines = Vec::new();
        for (script, is_call) in [(finalizer, false), (kind.on_call, true), (kind.on_dealloc, false)] {
            let Some(script) = script else { continue };
            let argument = if is_call { format!(", {}", self.argument(script)) } else { ", *arg".to_owned() };
            let head = format!("def {}(self{argument}):", self.names.script(script));
            let code = self.body_of(Context { script: Some(script), is_function: false, in_loop: false })?;
            lines.extend(block(&head, code));
        }
        Ok(lines)
    }

    /// How a function takes what it may be given: a weak reference, nothing, what `gc.callbacks` get.
    fn argument(&self, script: ScriptId) -> &'static str {
        let mut is_used = false;
        for op in self.scenario.body(script.0 as usize + 1) {
            { *op }.for_each_place(|place| is_used |= place.base == Base::Arg);
        }
        let others = |op: &Op| {
            matches!(op, Op::Call { .. } | Op::AddGcCallback { .. })
                || op
                    .kind()
                    .is_some_and(|kind| matches!(kind.shape, Shape::Finalize | Shape::ComposedFinalize | Shape::Method))
        };
        match self.scenario.ops().iter().any(others) {
            true if is_used => "arg=None",
            true => "*arg",
            false => "arg",
        }
    }

    /// What a script does, as statements.
    fn body_of(&mut self, context: Context) -> Result<Vec<String>, String> {
        let Some(script) = context.script else { return Ok(Vec::new()) };
        let ops: Vec<Op> = self.scenario.body(script.0 as usize + 1).to_vec();
        let mut assigned: BTreeSet<u16> = BTreeSet::new();
        for op in &ops {
            assigned.extend(op.target().filter(Place::is_bare).and_then(|place| trace::variable(place.base)));
        }
        let mut lines = Vec::new();
        if !assigned.is_empty() {
            let vars: Vec<&str> = assigned.iter().map(|var| self.names.var(*var)).collect();
            lines.push(format!("global {}", vars.join(", ")));
        }
        if self.instrument.prints {
            lines.push(format!("print(\"{}\")", self.names.script(script)));
            if self.instrument.selves && !context.is_function {
                self.helpers.insert(Helper::Show);
                lines.push(format!("print(\"self{}%s\" % show(self))", trace::ARROW));
            }
        }
        lines.extend(self.operations(&ops, context)?);
        Ok(lines)
    }

    fn main(&mut self) -> Result<Vec<String>, String> {
        let ops: Vec<Op> = self.scenario.main().to_vec();
        let mut lines = self.operations(&ops, MAIN)?;
        for var in &self.instrument.finals {
            self.helpers.insert(Helper::Show);
            let name = self.names.var(*var);
            lines.push(format!("print(\"{name}{}%s\" % show({name}))", trace::ARROW));
        }
        for path in &self.instrument.listed {
            self.helpers.insert(Helper::Generation);
            let text = self.path(path, MAIN)?;
            lines.push(format!("print(\"{text} in generation{}%s\" % generation({text}))", trace::ARROW));
        }
        if self.instrument.left {
            let classes = self.names.classes().iter().filter(|(kind, _)| self.in_c || !super::boxes::is_box(kind));
            let classes = classes.map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ");
            lines.push(format!(
                "print(\"left{}%d\" % sum(isinstance(o, ({classes},)) for o in gc.get_objects()))",
                trace::ARROW
            ));
        }
        if self.instrument.garbage {
            lines.push(format!("print(\"len(gc.garbage){}%d\" % len(gc.garbage))", trace::ARROW));
        }
        Ok(lines)
    }

    /// All of it, in order.
    fn assemble(&self, classes: Vec<String>, main: Vec<String>) -> String {
        let mut imports = vec!["gc"];
        let all = || classes.iter().chain(&main);
        imports.extend(["sys", "types", "weakref"].into_iter().filter(|module| {
            let word = format!("{module}.");
            self.imports.contains(module)
                || all().any(|line| line.contains(&word))
                || self.helpers.iter().any(|helper| helper.needs() == Some(*module))
        }));
        let mut lines = vec![format!("import {}", imports.join(", "))];
        lines.extend(self.helpers.iter().flat_map(|helper| helper.lines(&self.slot_names(), self.has_containers())));
        lines.extend(classes);
        lines.push("gc.disable(); gc.collect()".to_owned());
        let first: Vec<&str> = self.unassigned().map(|var| self.names.var(var)).collect();
        if !first.is_empty() {
            lines.push(format!("{} = None", first.join(" = ")));
        }
        lines.extend(merge_deletions(main));
        lines.join("\n") + "\n"
    }

    fn has_containers(&self) -> bool {
        !self.instrument.looks.is_empty()
            && self
                .scenario
                .ops()
                .iter()
                .any(|op| op.kind().is_some_and(|k| matches!(k.shape, Shape::List | Shape::Dict)))
    }

    /// Variables that are read or emptied before the main body stores to them.
    fn unassigned(&self) -> impl Iterator<Item = u16> {
        let (mut assigned, mut found) = (BTreeSet::new(), BTreeSet::new());
        let mut inline: Vec<&Op> = Vec::new();
        for op in self.scenario.main() {
            match op {
                Op::Repeat { script, .. } | Op::Iterate { script, .. } => {
                    inline.push(op);
                    inline.extend(self.scenario.body(script.0 as usize + 1));
                }
                _ => inline.push(op),
            }
        }
        for op in inline {
            let target = op.target().filter(Place::is_bare).and_then(|place| trace::variable(place.base));
            { *op }.for_each_place(|place| {
                let var = trace::variable(place.base);
                let is_target = place.is_bare() && var == target && !is_deletion(op);
                found.extend(var.filter(|var| !is_target && !assigned.contains(var)));
            });
            assigned.extend(target);
        }
        found.extend(self.shared.iter().copied().filter(|var| !assigned.contains(var)));
        // What the main body stores to at its end may be asked for by code that runs before.
        found.extend(self.unset.iter().copied().filter(|var| !self.is_first_made(*var)));
        found.into_iter()
    }

    /// True if the first operation of the main body that names a variable makes it, before anything is dropped.
    fn is_first_made(&self, var: u16) -> bool {
        let ops = self.scenario.main();
        let harmless =
            |op: &&Op| matches!(op, Op::New { .. }) || matches!(op, Op::Set { src, .. } if !src.is_nothing());
        ops.iter().take_while(harmless).any(|op| op.target() == Some(Place::of(Base::Var(var))))
    }
}

/// True if an operation empties a place.
fn is_deletion(op: &Op) -> bool {
    matches!(op, Op::Set { src, .. } if src.is_nothing())
}

/// Variables that are deleted one after the other, in one line.
fn merge_deletions(lines: Vec<String>) -> Vec<String> {
    let mut merged: Vec<String> = Vec::new();
    for line in lines {
        let name = line.strip_prefix("del ").filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'));
        match (name, merged.last_mut()) {
            (Some(name), Some(last)) if last.starts_with("del ") && !last.contains(['[', '.']) => {
                *last += &format!(", {name}");
            }
            _ => merged.push(line),
        }
    }
    merged
}
