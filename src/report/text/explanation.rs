//! The explanation as text.

use std::fmt::{self, Write};

use super::{heap_drawing, trace};
use crate::explain::{Collection, Explanation, Run, Told};
use crate::report::{Style, count, subject};

/// An explanation with the story of its run; with `draw`, the heap at each phase of each collection.
pub fn text(run: &Run<'_>, explanation: &Explanation, draw: bool, color: bool) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_page(run, explanation, draw, Style { color }, &mut out);
    out
}

fn write_page(run: &Run<'_>, explanation: &Explanation, draw: bool, style: Style, out: &mut String) -> fmt::Result {
    let name = subject(&explanation.collector, explanation.verified);
    writeln!(out, "{}: digest {:016x}", style.head(&format!("on {name}")), run.digest)?;
    if let Some(difference) = &explanation.difference {
        writeln!(out, "{}", style.bad(&difference.to_string()))?;
    }
    broken(explanation, style, out)?;
    for collection in &explanation.collections {
        write_collection(collection, style, out)?;
    }
    told("weak references", &explanation.weakrefs, style, out)?;
    told("finalizers", &explanation.finalizers, style, out)?;
    if let Some(note) = &explanation.note {
        writeln!(out, "\n{}", style.note(note))?;
    }
    writeln!(out, "\n{}", style.head("what happened"))?;
    trace::tell(
        run,
        style,
        &|i, depth, out| {
            let shot = &run.shots[i];
            if draw {
                let before = i.checked_sub(1).map(|i| &run.shots[i]);
                heap_drawing::draw(run, shot, before, style, 2 * depth + 2, out);
            } else {
                let text = format!("-- {}", shot.moment.name());
                out.push_str(&format!("{}{}\n", " ".repeat(2 * depth + 2), style.faint(&text)));
            }
        },
        out,
    );
    Ok(())
}

fn broken(explanation: &Explanation, style: Style, out: &mut String) -> fmt::Result {
    if explanation.broken.is_empty() {
        return writeln!(out, "no invariant broke");
    }
    writeln!(out, "\n{}", style.head("broken invariants, in order"))?;
    for broken in &explanation.broken {
        let place = match broken.step {
            Some(step) => format!("first at step {step}: {}", broken.operation),
            None if broken.event.is_none() => "not in this run, but in others that were made from it".to_owned(),
            None => "before the first step".to_owned(),
        };
        let times = if broken.times > 1 { format!(" ({} times)", broken.times) } else { String::new() };
        let text = if broken.class == "collector" { style.bad(&broken.text) } else { style.note(&broken.text) };
        writeln!(out, "  {text}\n      {place}{times}")?;
    }
    Ok(())
}

fn write_collection(collection: &Collection, style: Style, out: &mut String) -> fmt::Result {
    let Collection { number, generation, place, operation, returned, examined, not_examined, shown, unseen, .. } =
        collection;
    let returned = returned.map_or_else(|| "did not end".to_owned(), |n| format!("returned {n}"));
    let title = format!("collection {number} of generation {generation}, {returned}");
    writeln!(out, "\n{}, {place}: {operation}", style.head(&title))?;
    let named = examined.iter().map(|e| &e.object).chain(shown.iter().map(|told| &told.object));
    let width = named.map(|name| name.chars().count()).max().unwrap_or(0).clamp(6, 24);
    if collection.is_read_off {
        writeln!(out, "{}", style.faint("  by its events alone:"))?;
        for Told { object, text } in shown {
            writeln!(out, "  {object:width$} {text}")?;
        }
        let others = count(*unseen as u64, "other object");
        return writeln!(out, "  {}", style.faint(&format!("{others}: no event of it says anything of them")));
    }
    if examined.is_empty() {
        writeln!(out, "  no candidates")?;
    } else {
        let heads = format!("  {:width$} refs = inside + outside", "object");
        writeln!(out, "{}", style.faint(&heads))?;
    }
    for e in examined {
        let then = if e.then.is_empty() { String::new() } else { format!("; {}", e.then) };
        let verdict = if e.verdict == "kept" { e.verdict.to_owned() } else { style.note(e.verdict) };
        let (object, refs, inside, outside) = (&e.object, e.refcount, e.inside, e.outside);
        writeln!(out, "  {object:width$} {refs:>4} = {inside:>6} + {outside:<7}  {verdict}: {}{then}", e.why)?;
    }
    if !not_examined.is_empty() {
        writeln!(out, "  {}:", style.faint(&count(not_examined.len() as u64, "other object")))?;
    }
    for other in not_examined {
        writeln!(out, "  {:width$} {}", other.object, style.faint(&other.text))?;
    }
    Ok(())
}

fn told(title: &str, list: &[Told], style: Style, out: &mut String) -> fmt::Result {
    if !list.is_empty() {
        writeln!(out, "\n{}", style.head(title))?;
    }
    list.iter().try_for_each(|told| writeln!(out, "  {}: {}", told.object, told.text))?;
    if list.len() == crate::explain::MOST_TOLD {
        writeln!(out, "  ... {title} after the first {} are not told of", list.len())
    } else {
        Ok(())
    }
}
