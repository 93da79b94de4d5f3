//! How operations are written.

use super::helpers::Helper;
use super::{Context, Printer, block, indented, is_deletion};
use crate::export::{MODULE, boxes, trace::ARROW};
use crate::scenario::{Base, Bulk, Kind, Op, Place, Shape};

/// Python's name for the instances of collections since 3.7, 3.3 and 3.4.
fn guarded(module: &str, name: &str, call: &str) -> String {
    format!("if hasattr({module}, \"{name}\"): {call}")
}

impl Printer<'_> {
    /// Operations one after the other.
    pub(super) fn operations(&mut self, ops: &[Op], context: Context) -> Result<Vec<String>, String> {
        let is_main =
            context.script.is_none() && ops.len() == self.scenario.main().len() && ops == self.scenario.main();
        let mut lines = Vec::new();
        let mut at = 0;
        while at < ops.len() {
            if is_main && self.closures.is_gone(at) {
                at += 1;
                continue;
            }
            if let Some(content) = self.closures.content(at).filter(|_| is_main) {
                lines.extend(self.closure(&ops[at], content, context)?);
                at += 1;
                continue;
            }
            if is_main {
                self.now = Some(at as u32);
                lines.extend(self.hold(at, &ops[at]));
            }
            let used = self.together(&ops[at..], context, &mut lines)?;
            at += used;
        }
        if is_main {
            self.now = None;
        }
        Ok(lines)
    }

    /// What has to be held by C before a collection: the variables of a module are seen by the collector, and where a type
    /// reports an edge twice that is one reference too many.
    fn hold(&mut self, at: usize, op: &Op) -> Vec<String> {
        let main = self.scenario.main();
        let is_first =
            matches!(op, Op::Collect { .. }) && !main[..at].iter().any(|op| matches!(op, Op::Collect { .. }));
        let lies = self.scenario.ops().iter().any(|op| op.kind().is_some_and(|kind| kind.doubled.0 != 0));
        if !is_first || !lies || !self.in_c {
            return Vec::new();
        }
        let is_named = |ops: &[Op], var: u16| {
            let mut found = false;
            ops.iter().for_each(|op| { *op }.for_each_place(|place| found |= place.base == Base::Var(var)));
            found
        };
        let is_bound = |var: u16| {
            let last = main[..at].iter().rev().find(|op| op.target() == Some(Place::of(Base::Var(var))));
            last.is_some_and(|op| !is_deletion(op)) && !is_named(&main[at..], var) && !self.shared.contains(&var)
        };
        let held: Vec<u16> = (0..self.scenario.vars()).filter(|var| is_bound(*var)).collect();
        let held: Vec<&str> = held.iter().map(|var| self.names.var(*var)).collect();
        let Some((first, rest)) = held.split_first() else { return Vec::new() };
        let mut lines = vec![format!("from {MODULE} import hold")];
        lines.extend(std::iter::once(first).chain(rest).map(|name| format!("hold({name})")));
        lines.extend(held.iter().map(|name| format!("del {name}")));
        lines
    }

    /// One statement, of one operation or of several that are one in Python: how many.
    fn together(&mut self, ops: &[Op], context: Context, lines: &mut Vec<String>) -> Result<usize, String> {
        if let [Op::New { dst, kind, .. }, Op::New { dst: inner, kind: held, items }, ..] = ops
            && *kind == boxes::kind()
            && !self.in_c
            && held.shape == Shape::Tuple
            && inner.split() == Some((*dst, 0))
        {
            self.helpers.insert(Helper::Box);
            let items = items.iter().filter(|item| !item.is_nothing());
            let items: Vec<String> = items.map(|item| self.expression(*item, context)).collect();
            lines.extend(self.assign(*dst, format!("box({})", items.join(", ")), context));
            return Ok(2);
        }
        if let [Op::New { dst, kind, .. }, Op::Set { dst: to, src }, ..] = ops
            && (kind.shape.is_extension() || kind.shape.is_python_class())
            && dst.is_bare()
            && src == dst
            && let Some((holder, slot)) = to.split()
            && holder == *dst
            && (self.in_c || !boxes::is_box(kind))
        {
            let name = self.expression(*dst, context);
            lines.push(format!("{name} = {name}.s{slot} = {}()", self.names.class(kind)));
            return Ok(2);
        }
        let statements = self.operation(&ops[0], context)?;
        lines.extend(self.guard(&ops[0], statements));
        Ok(1)
    }

    /// Statements that need a variable which may hold nothing, only if it does not.
    fn guard(&self, op: &Op, statements: Vec<String>) -> Vec<String> {
        let mut needed: Vec<String> = Vec::new();
        let target = op.target();
        { *op }.for_each_place(|place| {
            let needs = Some(*place) != target || !place.is_bare();
            if let Some(name) = self.may_be_unset(*place).filter(|_| needs)
                && !needed.iter().any(|n| n == name)
            {
                needed.push(name.to_owned());
            }
        });
        if needed.is_empty() || statements.is_empty() || matches!(op, Op::Set { src, .. } if src.is_bare()) {
            return statements;
        }
        let condition: Vec<String> = needed.iter().map(|name| format!("{name} is not None")).collect();
        block(&format!("if {}:", condition.join(" and ")), statements)
    }

    /// Stores a value.
    fn assign(&mut self, dst: Place, value: String, context: Context) -> Vec<String> {
        let Some((holder, slot)) = dst.split() else {
            return match dst.base {
                Base::Nothing => vec![value],
                _ => vec![format!("{} = {value}", self.expression(dst, context))],
            };
        };
        let to = self.expression(holder, context);
        match self.shape(holder) {
            Some(Shape::List) => {
                let length = self.lengths.entry(holder).or_insert(0);
                if slot == *length {
                    *length += 1;
                    return vec![format!("{to}.append({value})")];
                }
                vec![format!("{to}[{slot}] = {value}")]
            }
            Some(Shape::WeakSet | Shape::LibrarySet) => vec![format!("{to}.add({value})")],
            Some(Shape::WeakKeyDict) => vec![format!("{to}[{value}] = {value}.s{slot}")],
            _ => vec![format!("{} = {value}", self.expression(dst, context))],
        }
    }

    fn empty(&mut self, dst: Place, context: Context) -> Vec<String> {
        let text = self.expression(dst, context);
        match dst.split() {
            None => match dst.base {
                Base::Var(var) if context.script.is_none() && !context.in_loop && !self.shared.contains(&var) => {
                    vec![format!("del {text}")]
                }
                _ => vec![format!("{text} = None")],
            },
            Some((holder, slot)) => match self.shape(holder) {
                Some(Shape::WeakValueDict | Shape::LibraryValueDict) => {
                    vec![format!("{}.pop({slot}, None)", self.expression(holder, context))]
                }
                Some(Shape::List | Shape::Dict) => vec![format!("{text} = None")],
                _ if context.script.is_none() => vec![format!("del {text}")],
                _ => vec![format!("{text} = None")],
            },
        }
    }

    /// A new object, and what has to stand before and after.
    fn make(&mut self, dst: Place, kind: &Kind, items: [Place; 2], context: Context) -> Result<Vec<String>, String> {
        let [first, second] = items.map(|item| (!item.is_nothing()).then(|| self.expression(item, context)));
        let all: Vec<String> = [&first, &second].into_iter().flatten().cloned().collect();
        let listed = all.join(", ");
        let value = match kind.shape {
            Shape::Node | Shape::Typed if !self.in_c && *kind == boxes::kind() => {
                self.helpers.insert(Helper::Box);
                "box()".to_owned()
            }
            Shape::Node | Shape::Typed | Shape::Instance | Shape::Slotted | Shape::Bare => {
                format!("{}()", self.names.class(kind))
            }
            Shape::List => {
                self.lengths.insert(dst, 0);
                "[]".to_owned()
            }
            Shape::Dict => "{}".to_owned(),
            Shape::Tuple => format!("({listed}{})", if all.len() == 1 { "," } else { "" }),
            Shape::Cell => {
                self.helpers.insert(Helper::Cell);
                format!("cell({})", first.unwrap_or_else(|| "None".to_owned()))
            }
            Shape::Function => return self.function(dst, kind, items, context),
            Shape::Method => format!("types.MethodType({listed})"),
            Shape::Ref => format!("weakref.ref({listed})"),
            Shape::Proxy => format!("weakref.proxy({listed})"),
            Shape::KeyedRef => format!("Ref({listed})"),
            Shape::WeakValueDict | Shape::LibraryValueDict => "weakref.WeakValueDictionary()".to_owned(),
            Shape::WeakKeyDict => "weakref.WeakKeyDictionary()".to_owned(),
            Shape::WeakSet | Shape::LibrarySet => "weakref.WeakSet()".to_owned(),
            Shape::Finalize | Shape::ComposedFinalize => {
                let target = self.expression(dst, context);
                let assign = self.assign(dst, format!("weakref.finalize({listed})"), context).join("; ");
                // Its registry calls it at exit, too.
                let quiet = if dst.is_nothing() { String::new() } else { format!("; {target}.atexit = False") };
                let otherwise =
                    if dst.is_bare() && !dst.is_nothing() { Some(format!("{target} = None")) } else { None };
                let mut lines: Vec<String> = otherwise.into_iter().collect();
                lines.push(guarded("weakref", "finalize", &format!("{assign}{quiet}")));
                return Ok(lines);
            }
        };
        Ok(self.assign(dst, value, context))
    }

    /// A function: defined where it is made, under the name that keeps it.
    fn function(
        &mut self,
        dst: Place,
        kind: &Kind,
        items: [Place; 2],
        context: Context,
    ) -> Result<Vec<String>, String> {
        if !items[0].is_nothing() {
            return Err("a closure whose cell or tuple something else names cannot be written in Python".to_owned());
        }
        let name = match (dst.base, kind.on_call) {
            (Base::Var(var), _) if dst.is_bare() => self.names.var(var).to_owned(),
            (_, Some(script)) => self.names.script(script).to_owned(),
            (_, None) => "nothing".to_owned(),
        };
        let (argument, code) = match kind.on_call {
            Some(script) => {
                let context = Context { script: Some(script), is_function: true, in_loop: false };
                (self.argument(script), self.body_of(context)?)
            }
            None => ("*arg", Vec::new()),
        };
        let mut lines = block(&format!("def {name}({argument}):"), code);
        if !items[1].is_nothing() {
            lines.push(format!("{name}.__defaults__ = {}", self.expression(items[1], context)));
        }
        if !dst.is_bare() {
            lines.extend(self.assign(dst, name.clone(), context));
            lines.push(format!("del {name}"));
        }
        Ok(lines)
    }

    /// A function with a closure, made by another one.
    fn closure(&mut self, op: &Op, content: Place, context: Context) -> Result<Vec<String>, String> {
        let Op::New { dst, kind, .. } = op else { return Ok(Vec::new()) };
        let Some(script) = kind.on_call else { return Err("a function that does nothing".to_owned()) };
        let mut code = self.body_of(Context { script: Some(script), is_function: true, in_loop: false })?;
        // It is the function's own only if the function names it.
        if !code.iter().any(|line| line.contains("(owned")) {
            code.push("owned".to_owned());
        }
        let name = self.names.script(script).to_owned();
        let inner = block(&format!("def {name}({}):", self.argument(script)), code);
        let mut lines = vec!["def make(owned):".to_owned()];
        lines.extend(indented(inner));
        lines.push(format!("    return {name}"));
        let content = self.expression(content, context);
        lines.extend(self.assign(*dst, format!("make({content})"), context));
        Ok(lines)
    }

    fn shown(&mut self, label: &str, value: &str) -> String {
        self.helpers.insert(Helper::Show);
        format!("print(\"{label}{ARROW}%s\" % show({value}))")
    }

    /// True if a place holds a proxy, or may hold one: it cannot be called.
    fn may_be_proxy(&self, weak: Place) -> bool {
        let is_proxy = |op: &Op| op.kind().is_some_and(|kind| kind.shape == Shape::Proxy);
        self.shape(weak).map_or_else(|| self.scenario.ops().iter().any(is_proxy), |shape| shape == Shape::Proxy)
    }

    fn deref(&mut self, dst: Place, weak: Place, context: Context) -> Vec<String> {
        let text = self.expression(weak, context);
        let call = match self.shape(weak) {
            _ if self.may_be_proxy(weak) => {
                self.helpers.insert(Helper::Ask);
                format!("ask({text})")
            }
            _ => format!("{text}()"),
        };
        match (dst.is_nothing(), self.instrument.prints) {
            (true, true) => vec![self.shown(&call, &call)],
            (true, false) => vec![call],
            (false, prints) => {
                let mut lines = self.assign(dst, call, context);
                if prints {
                    let target = self.expression(dst, context);
                    lines.push(self.shown(&target, &target));
                }
                lines
            }
        }
    }

    fn operation(&mut self, op: &Op, context: Context) -> Result<Vec<String>, String> {
        let one = |line: &str| Ok(vec![line.to_owned()]);
        match *op {
            Op::New { dst, kind, items } => self.make(dst, &kind, items, context),
            Op::Set { dst, .. } if is_deletion(op) => Ok(self.empty(dst, context)),
            Op::Set { dst, src } => {
                let value = self.expression(src, context);
                Ok(self.assign(dst, value, context))
            }
            Op::Deref { dst, weak } => Ok(self.deref(dst, weak, context)),
            Op::Look => {
                let paths: Vec<_> =
                    self.instrument.looks.iter().filter(|(s, _)| *s == context.script).cloned().collect();
                let mut lines = Vec::new();
                for (_, path) in paths {
                    let text = self.path(&path, context)?;
                    lines.push(self.shown(&text, &text));
                }
                Ok(lines)
            }
            Op::Scan if self.instrument.scans => {
                self.helpers.insert(Helper::Show);
                let is_class = |kind: &Kind| !boxes::is_box(kind);
                let classes =
                    self.names.classes().iter().filter(|(kind, _)| is_class(kind)).map(|(_, name)| name.as_str());
                let classes = classes.collect::<Vec<_>>().join(", ");
                one(&format!(
                    "print(\"cleared in gc.get_objects(){ARROW}%d\" % sum(not show(o) for o in gc.get_objects() if isinstance(o, ({classes},))))"
                ))
            }
            Op::Scan => Ok(Vec::new()),
            Op::Collect { generation } => {
                let call =
                    if generation == 2 { "gc.collect()".to_owned() } else { format!("gc.collect({generation})") };
                let is_shown = context.script.is_none() && self.instrument.prints && self.instrument.returned;
                one(&if is_shown { format!("print(\"{call}{ARROW}%d\" % {call})") } else { call })
            }
            Op::CollectAtAllocation { .. } => Ok(Vec::new()),
            Op::Call { callable } => one(&format!("{}()", self.expression(callable, context))),
            Op::Raise => one("raise RuntimeError"),
            Op::Enable => one("gc.enable()"),
            Op::Disable => one("gc.disable()"),
            Op::SetThreshold { thresholds: [a, b, c] } => one(&format!("gc.set_threshold({a}, {b}, {c})")),
            Op::Freeze => one(&guarded("gc", "freeze", "gc.freeze()")),
            Op::Unfreeze => one(&guarded("gc", "unfreeze", "gc.unfreeze()")),
            Op::SaveAll { on: true } => one("gc.set_debug(gc.DEBUG_SAVEALL)"),
            Op::SaveAll { on: false } => one("gc.set_debug(0)"),
            Op::EmptyGarbage => one("del gc.garbage[:]"),
            Op::AddGcCallback { callable } => {
                let call = format!("gc.callbacks.append({})", self.expression(callable, context));
                one(&guarded("gc", "callbacks", &call))
            }
            Op::EmptyGcCallbacks => one(&guarded("gc", "callbacks", "del gc.callbacks[:]")),
            Op::Track { object } => one(&format!("{}.track()", self.expression(object, context))),
            Op::Untrack { object } => one(&format!("{}.untrack()", self.expression(object, context))),
            Op::Repeat { times, script } => {
                let ops = self.scenario.body(script.0 as usize + 1).to_vec();
                let body = self.operations(&ops, Context { in_loop: times > 1, ..context })?;
                if times == 1 {
                    return Ok(body);
                }
                Ok(block(&format!("for i in range({times}):"), body))
            }
            Op::Build { dst, bulk, kind, count } => self.build(dst, bulk, &kind, count, context),
            Op::Len { container } if self.instrument.prints => {
                let text = self.expression(container, context);
                one(&format!("print(\"len({text}){ARROW}%d\" % len({text}))"))
            }
            Op::Len { .. } => Ok(Vec::new()),
            Op::Iterate { container, script } => {
                let text = self.expression(container, context);
                let entries = match self.shape(container) {
                    Some(Shape::WeakValueDict | Shape::LibraryValueDict) => {
                        format!("getattr({text}, \"itervalues\", {text}.values)()")
                    }
                    _ => text,
                };
                let ops = self.scenario.body(script.0 as usize + 1).to_vec();
                let body = self.operations(&ops, Context { in_loop: true, ..context })?;
                let mut lines = block(&format!("for arg in {entries}:"), body);
                lines.push("arg = None".to_owned());
                Ok(lines)
            }
        }
    }

    fn build(
        &mut self,
        dst: Place,
        bulk: Bulk,
        kind: &Kind,
        count: u32,
        context: Context,
    ) -> Result<Vec<String>, String> {
        let class = self.names.class(kind).to_owned();
        let (store, close) = match bulk {
            Bulk::Chain => ("n.s0 = last", None),
            Bulk::Ring => ("n.s0 = last", Some("first.s1 = last")),
            Bulk::Knots => ("n.s0 = n; n.s1 = last", None),
            Bulk::Tree => return Err("a tree of many objects is not written as a script".to_owned()),
        };
        let mut lines = vec![format!("last = first = {class}()")];
        if bulk == Bulk::Knots {
            lines.push("last.s0 = last".to_owned());
        }
        lines.extend(block(
            &format!("for i in range({}):", count - 1),
            vec![format!("n = {class}()"), store.to_owned(), "last = n".to_owned()],
        ));
        lines.extend(close.map(str::to_owned));
        lines.extend(self.assign(dst, "last".to_owned(), context));
        lines.push("last = first = n = None".to_owned());
        Ok(lines)
    }
}
