//! Writes documents.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::super::{Base, Clear, Finalizer, Form, Items, Kind, Op, Operand, Place, Scenario, SlotSet, Tracking};
use super::VERSION;
use super::document::{Anchor, Comment, Document, Expectation, Names};

/// One level of indentation.
const INDENT: &str = "    ";

/// The text of a scenario, in normal form and with canonical names.
pub fn print(scenario: &Scenario) -> String {
    Document::new(scenario).print()
}

/// One operation as text, with the given names, without indentation.
pub fn print_op(op: &Op, names: &Names) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_op(&mut text, op, names);
    text
}

impl Document {
    /// The document as text: the file that `fmt` writes. Parsing it gives the same scenario (in normal form), names,
    /// header, expectations and comments. Names that cannot be written are replaced by canonical ones.
    pub fn print(&self) -> String {
        let trace = self.scenario.normalize_traced();
        let (vars, scripts) = (trace.vars.len(), trace.scripts.len());
        let mut document = self.clone();
        document.follow(trace);
        if !document.names.are_usable(vars, scripts) {
            document.names = Names::default();
        }
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = Printer::new(&document).write(&mut text);
        text
    }
}

struct Printer<'d> {
    document: &'d Document,
    comments: BTreeMap<Anchor, Vec<&'d Comment>>,
}

impl<'d> Printer<'d> {
    fn new(document: &'d Document) -> Printer<'d> {
        let mut comments: BTreeMap<Anchor, Vec<&'d Comment>> = BTreeMap::new();
        for comment in &document.comments {
            comments.entry(comment.anchor).or_default().push(comment);
        }
        Printer { document, comments }
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let document = self.document;
        self.line(out, Anchor::Version, "", format_args!("coroner {VERSION}"))?;
        for (i, field) in document.fields.iter().enumerate() {
            self.line(out, Anchor::Field(i), "", format_args!("{}: {}", field.name.word(), one_line(&field.text)))?;
        }
        for (i, expectation) in document.expectations.iter().enumerate() {
            let text = expectation_text(expectation, &document.names)?;
            self.line(out, Anchor::Expectation(i), "", format_args!("{text}"))?;
        }
        for script in 0..document.scenario.scripts() {
            out.push('\n');
            let name = document.names.script(script as u8);
            self.line(out, Anchor::Script(script), "", format_args!("def {name}():"))?;
            if document.scenario.body(script + 1).is_empty() {
                writeln!(out, "{INDENT}pass")?;
            }
            self.body(out, script + 1, INDENT)?;
        }
        let ends = self.comments.contains_key(&Anchor::BodyEnd(0));
        if !document.scenario.main().is_empty() || ends {
            out.push('\n');
            self.body(out, 0, "")?;
        }
        Ok(())
    }

    fn body(&self, out: &mut String, body: usize, indent: &str) -> fmt::Result {
        let range = self.document.scenario.range(body);
        let first = range.start;
        for index in range {
            if index == first {
                self.before(out, Anchor::Op(index), indent, false)?;
            } else {
                self.before(out, Anchor::Op(index), indent, true)?;
            }
            out.push_str(indent);
            write_op(out, &self.document.scenario.ops()[index], &self.document.names)?;
            self.behind(out, Anchor::Op(index))?;
        }
        self.before(out, Anchor::BodyEnd(body), indent, false)
    }

    fn line(&self, out: &mut String, anchor: Anchor, indent: &str, text: fmt::Arguments<'_>) -> fmt::Result {
        self.before(out, anchor, indent, false)?;
        write!(out, "{indent}{text}")?;
        self.behind(out, anchor)
    }

    fn before(&self, out: &mut String, anchor: Anchor, indent: &str, blank: bool) -> fmt::Result {
        let mut separated = !blank;
        for comment in self.comments.get(&anchor).into_iter().flatten().filter(|c| !c.trailing) {
            if !comment.text.is_empty() {
                write_comment(out, indent, &comment.text)?;
            } else if !separated {
                out.push('\n');
            }
            separated |= comment.text.is_empty();
        }
        Ok(())
    }

    fn behind(&self, out: &mut String, anchor: Anchor) -> fmt::Result {
        let mut comments = self.comments.get(&anchor).into_iter().flatten();
        match comments.find(|c| c.trailing && !c.text.is_empty()) {
            Some(comment) => write_comment(out, "  ", &comment.text),
            None => out.write_char('\n'),
        }
    }
}

fn write_comment(out: &mut String, indent: &str, text: &str) -> fmt::Result {
    match one_line(text).as_str() {
        "" => writeln!(out, "{indent}#"),
        text => writeln!(out, "{indent}# {text}"),
    }
}

/// The text without what would break or disguise the line.
pub(super) fn one_line(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.trim().to_owned()
}

fn expectation_text(expectation: &Expectation, names: &Names) -> Result<String, fmt::Error> {
    let mut out = format!("expect {}:", expectation.collector);
    if let Some(digest) = expectation.digest {
        write!(out, " digest={digest:016x}")?;
    }
    if let Some(violations) = &expectation.violations {
        out.push_str(" violations=");
        if violations.is_empty() {
            out.push_str("none");
        }
        for (i, violation) in violations.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(out, "{comma}{}:{}", violation.code, violation.class.word())?;
        }
    }
    for (i, fact) in expectation.facts.iter().enumerate() {
        out.push_str(if i == 0 { " facts=" } else { "," });
        fact.write(names, &mut out)?;
    }
    Ok(out)
}

fn write_op(out: &mut String, op: &Op, names: &Names) -> fmt::Result {
    let at = |place: Place| Printed { place, names };
    match (op.operation().form, *op) {
        (Form::Function(word), op) => write_function(out, word, op, names),
        (Form::Phrase(words), _) => out.write_str(words),
        (Form::Grammar, Op::New { dst, kind, items }) => {
            write_target(out, dst, names)?;
            write_kind(out, &kind, items, names)
        }
        (Form::Grammar, Op::Set { dst, src }) if src.is_nothing() => write!(out, "del {}", at(dst)),
        (Form::Grammar, Op::Set { dst, src }) => write!(out, "{} = {}", at(dst), at(src)),
        (Form::Grammar, Op::Call { callable }) => write!(out, "{}()", at(callable)),
        (Form::Grammar, Op::Build { dst, bulk, kind, count }) => {
            write_target(out, dst, names)?;
            write!(out, "{}({count}, ", bulk.word())?;
            write_kind(out, &kind, [Place::NOTHING; 2], names)?;
            out.write_char(')')
        }
        (Form::Grammar, _) => Ok(()),
    }
}

fn write_function(out: &mut String, word: &str, mut op: Op, names: &Names) -> fmt::Result {
    write_target(out, op.target().unwrap_or(Place::NOTHING), names)?;
    write!(out, "{word}(")?;
    let mut arguments = Arguments { out, any: false };
    op.operands(|operand| match operand {
        Operand::Target(_) => Ok(()),
        Operand::Assigned(place) | Operand::Source(place) | Operand::Object(place) => {
            arguments.add(format_args!("{}", Printed { place: *place, names }))
        }
        Operand::Generation(number) | Operand::Allocation(number) | Operand::Times(number) => {
            arguments.add(format_args!("{number}"))
        }
        Operand::Thresholds(thresholds) => thresholds.iter().try_for_each(|t| arguments.add(format_args!("{t}"))),
        Operand::SaveAll(on) => {
            arguments.add(format_args!("{}", if *on && !mutant!(PrinterSavesNothing) { "DEBUG_SAVEALL" } else { "0" }))
        }
        Operand::Body(script) => arguments.add(format_args!("{}", names.script(script.0))),
        // These are written by the grammar of objects.
        Operand::Kind(_) | Operand::Graph(_) | Operand::Items(_) | Operand::Bulk(_) | Operand::Count(_) => Ok(()),
    })?;
    out.write_char(')')
}

fn write_target(out: &mut String, dst: Place, names: &Names) -> fmt::Result {
    if dst.is_nothing() { Ok(()) } else { write!(out, "{} = ", Printed { place: dst, names }) }
}

struct Printed<'n> {
    place: Place,
    names: &'n Names,
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.base {
            Base::Nothing => return f.write_str("None"),
            Base::Var(var) => f.write_str(&self.names.var(var))?,
            Base::Owner => f.write_str("self")?,
            Base::Arg => f.write_str("arg")?,
        }
        self.place.path().iter().try_for_each(|slot| write!(f, "[{slot}]"))
    }
}

/// Arguments in parentheses, with commas between them.
struct Arguments<'o> {
    out: &'o mut String,
    any: bool,
}

impl Arguments<'_> {
    fn add(&mut self, argument: fmt::Arguments<'_>) -> fmt::Result {
        if self.any {
            self.out.push_str(", ");
        }
        self.any = true;
        self.out.write_fmt(argument)
    }
}

fn write_kind(out: &mut String, kind: &Kind, items: [Place; 2], names: &Names) -> fmt::Result {
    out.push_str(kind.shape.word());
    out.push('(');
    let mut arguments = Arguments { out, any: false };
    let at = |place: Place| Printed { place, names };
    match kind.shape.facts().items {
        Items::Listed(..) => {
            for item in items.into_iter().filter(|i| !i.is_nothing()) {
                arguments.add(format_args!("{}", at(item)))?;
            }
        }
        Items::Named(words) => {
            if let Some(script) = kind.on_call {
                arguments.add(format_args!("{}", names.script(script.0)))?;
            }
            for ((word, _), item) in words.iter().zip(items).filter(|(_, item)| !item.is_nothing()) {
                arguments.add(format_args!("{word}={}", at(item)))?;
            }
        }
        Items::None => write_options(&mut arguments, kind, names)?,
    }
    out.push(')');
    Ok(())
}

fn write_options(arguments: &mut Arguments<'_>, kind: &Kind, names: &Names) -> fmt::Result {
    match kind.tracking {
        Tracking::Tracked => {}
        Tracking::Untracked if mutant!(PrinterTracks) => {}
        Tracking::Untracked => arguments.add(format_args!("gc=untracked"))?,
        Tracking::NoHeader => arguments.add(format_args!("gc=no"))?,
    }
    let kept = match kind.clear {
        Clear::Keeps(set) => set,
        Clear::Missing => SlotSet::NONE,
    };
    for (word, set) in [("hide", kind.hidden), ("twice", kind.doubled), ("fickle", kind.fickle), ("keep", kept)] {
        if set == SlotSet::ALL {
            arguments.add(format_args!("{word}={}", if mutant!(PrinterAllIsOne) { "[0]" } else { "all" }))?;
        } else if set != SlotSet::NONE {
            let slots: Vec<String> = (0..8).filter(|s| set.has(*s)).map(|s| s.to_string()).collect();
            arguments.add(format_args!("{word}=[{}]", slots.join(", ")))?;
        }
    }
    if kind.clear == Clear::Missing {
        arguments.add(format_args!("clear=none"))?;
    }
    let (modern, legacy) = match kind.finalizer {
        Some(Finalizer::Modern(script)) => (Some(script), None),
        Some(Finalizer::Legacy(script)) => (None, Some(script)),
        None => (None, None),
    };
    let codes = [("finalizer", modern), ("legacy", legacy), ("call", kind.on_call), ("dealloc", kind.on_dealloc)];
    for (word, script) in codes {
        if let Some(script) = script {
            arguments.add(format_args!("{word}={}", names.script(script.0)))?;
        }
    }
    let flaws = [
        ("tracked", kind.flaws.keeps_tracked),
        ("weakrefs", kind.flaws.keeps_weakrefs && !mutant!(PrinterWithoutWeakrefsFlaw)),
    ];
    let flaws: Vec<&str> = flaws.iter().filter(|(_, has)| *has).map(|(word, _)| *word).collect();
    if !flaws.is_empty() {
        arguments.add(format_args!("flaw=[{}]", flaws.join(", ")))?;
    }
    Ok(())
}
