//! Types that Python cannot make: one C file.

use super::MODULE;
use super::names::Names;
use crate::scenario::{Clear, Finalizer, Kind, Scenario, ScriptId, Shape, Tracking};

const TEMPLATE: &str = include_str!("extension/types.c");

/// The C file with the types of a scenario: a table of kinds, and what is the same for all.
pub fn source(scenario: &Scenario, names: &Names) -> String {
    let kinds = names.classes().iter().filter(|(kind, _)| kind.shape.is_extension());
    let lines: Vec<String> = kinds.map(|(kind, name)| format!("    {{{}}},", fields(kind, name, names))).collect();
    debug_assert!(scenario.bodies() > 0);
    TEMPLATE.replace("MODULE", MODULE).replace("    KINDS", &lines.join("\n"))
}

/// The line of the table of one kind: what is not the usual.
fn fields(kind: &Kind, name: &str, names: &Names) -> String {
    let mut fields = vec![format!(".name = \"{name}\"")];
    let mut number = |name: &str, value: u8| {
        if value != 0 {
            fields.push(format!(".{name} = {value}"));
        }
    };
    number("no_header", u8::from(kind.tracking == Tracking::NoHeader));
    number("untracked", u8::from(kind.tracking == Tracking::Untracked));
    number("hidden", kind.hidden.0);
    number("doubled", kind.doubled.0);
    number("fickle", kind.fickle.0);
    number("no_clear", u8::from(kind.clear == Clear::Missing));
    number("kept", if let Clear::Keeps(set) = kind.clear { set.0 } else { 0 });
    number("stays_tracked", u8::from(kind.flaws.keeps_tracked));
    number("keeps_weakrefs", u8::from(kind.flaws.keeps_weakrefs));
    number("is_heap_type", u8::from(kind.shape == Shape::Typed));
    let mut hook = |name: &str, script: Option<ScriptId>| {
        if let Some(script) = script {
            fields.push(format!(".{name} = \"{}\"", names.script(script)));
        }
    };
    match kind.finalizer {
        Some(Finalizer::Modern(script)) => hook("finalize", Some(script)),
        Some(Finalizer::Legacy(script)) => hook("del", Some(script)),
        None => {}
    }
    hook("call", kind.on_call);
    hook("dealloc", kind.on_dealloc);
    fields.join(", ")
}
