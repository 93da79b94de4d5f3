//! The heap as text.

use std::fmt::{self, Write};

use crate::explain::Run;
use crate::explain::{HeapPicture, Place, Seen};
use crate::model::heap::From;
use crate::model::machine::PhasePoint;
use crate::report::Style;

/// Draws a picture: the lists in order, one object per line with its counts, flags and references, then what is in no
/// list, then the variables. A picture like the one before is not drawn again.
pub(super) fn draw(
    run: &Run<'_>,
    shot: &HeapPicture,
    before: Option<&HeapPicture>,
    style: Style,
    indent: usize,
    out: &mut String,
) {
    let mut text = format!("{}\n", style.head(&title(shot)));
    let (mut body, mut old) = (String::new(), String::new());
    // Writing to a string cannot fail.
    let _ = picture(run, shot, &mut body);
    if let Some(before) = before {
        let _ = picture(run, before, &mut old);
    }
    text.push_str(if body == old { "| as before\n+--\n" } else { &body });
    let margin = " ".repeat(indent);
    for line in text.lines() {
        out.push_str(&margin);
        out.push_str(line);
        out.push('\n');
    }
}

fn title(shot: &HeapPicture) -> String {
    format!("+-- heap at phase: {} (generation {})", shot.moment.name(), shot.generation)
}

fn picture(run: &Run<'_>, shot: &HeapPicture, out: &mut String) -> fmt::Result {
    let mut last = None;
    for object in &shot.objects {
        let place = match object.place {
            Place::List(name) if object.candidate => format!("{name} (examined)"),
            Place::List(name) => name.to_owned(),
            Place::Untracked => "untracked".to_owned(),
            Place::NoHeader => "no GC header".to_owned(),
        };
        if last.as_ref() != Some(&place) {
            writeln!(out, "| {place}:")?;
            last = Some(place);
        }
        writeln!(out, "|   {}", object_line(run, shot, object))?;
    }
    let held = shot.vars.iter().enumerate().filter_map(|(var, object)| object.map(|o| (var, o)));
    let vars: Vec<String> =
        held.map(|(var, o)| format!("{} = {}", run.document.names.var(var as u16), run.names.label(o))).collect();
    if !vars.is_empty() {
        writeln!(out, "| variables: {}", vars.join(", "))?;
    }
    for (what, list) in [("gc.garbage", &shot.garbage), ("gc.callbacks", &shot.callbacks)] {
        let names: Vec<String> = list.iter().map(|o| run.names.label(*o)).collect();
        if !names.is_empty() {
            writeln!(out, "| {what}: {}", names.join(", "))?;
        }
    }
    writeln!(out, "+--")
}

fn object_line(run: &Run<'_>, shot: &HeapPicture, object: &Seen) -> String {
    let mut line = format!("{:<12} {:<9} refs {}", run.names.label(object.id), object.shape.word(), object.refcount);
    let counted = shot.moment != PhasePoint::Start && matches!(object.place, Place::List(_));
    if counted {
        let _ = write!(line, " gc_refs {}", object.gc_refs);
    }
    for (flag, word) in [(object.finalized, " finalized"), (object.cleared, " CLEARED")] {
        if flag {
            line.push_str(word);
        }
    }
    if object.shape.is_weakref() {
        let referent = object.referent.map_or_else(|| "nothing".to_owned(), |o| run.names.label(o));
        let _ = write!(line, "  ~> {referent}");
    }
    for edge in &object.references {
        let from = match edge.from {
            From::Slot(slot) => format!("[{slot}]"),
            From::Key => "key".to_owned(),
            From::Value => "value".to_owned(),
            From::Callback => "callback".to_owned(),
        };
        // A dotted arrow: traverse does not report the reference.
        let arrow = match edge.reported {
            0 => "..>",
            1 => "-->",
            _ => "==>",
        };
        let _ = write!(line, "  {from}{arrow}{}", run.names.label(edge.to));
    }
    line
}
