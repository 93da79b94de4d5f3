//! A frame as SVG: the same drawing in the page and by itself. Without script and without anything from outside.

use std::fmt::{self, Write};

use super::drawing::{Arrow, Object, Picture};
use super::layout::{Path, Point};
use super::looks::ObjectLook;

/// The stylesheet of the drawing, in the page too.
pub(super) const STYLE: &str = include_str!("assets/picture.css");
/// Height of the lines above a drawing that stands by itself, in pixels.
const TITLE: f64 = 20.0;
/// Space between two drawings.
const GAP: f64 = 24.0;
/// Least width of a drawing with its titles.
const LEAST_WIDTH: f64 = 560.0;

/// A picture's row as a document of its own.
pub fn svg(picture: &Picture, row: usize) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = document(&mut out, picture, row);
    out
}

fn document(out: &mut String, picture: &Picture, row: usize) -> fmt::Result {
    let texts: Vec<Vec<(&str, String)>> = (0..picture.sides.len()).map(|side| titles(picture, side, row)).collect();
    let letters = texts.iter().flatten().map(|(_, text)| text.chars().count()).max().unwrap_or(0);
    let wide = picture.width.max(LEAST_WIDTH).max((letters as f64 * 7.4 + 24.0).min(900.0));
    let head = TITLE * (texts.iter().map(Vec::len).max().unwrap_or(0) as f64 + 1.0);
    let sides = picture.sides.len() as f64;
    let (width, height) = (wide * sides + GAP * (sides - 1.0), picture.height + head);
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"heap\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"title\">"
    )?;
    writeln!(out, "<title id=\"title\">{}</title>", escaped(&summary(picture, row)))?;
    writeln!(out, "<style>{STYLE}</style>")?;
    writeln!(out, "<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>")?;
    for (side, lines) in texts.iter().enumerate() {
        let from = side as f64 * (wide + GAP);
        writeln!(out, "<g transform=\"translate({from} 0)\">")?;
        for (n, (class, text)) in lines.iter().enumerate() {
            let fits = ((wide - 24.0) / 7.4) as usize;
            let y = TITLE * (n as f64 + 1.0);
            writeln!(out, "<text class=\"{class}\" x=\"12\" y=\"{y}\">{}</text>", escaped(&shortened(text, fits)))?;
        }
        writeln!(out, "<g transform=\"translate({} {head})\">", (wide - picture.width) / 2.0)?;
        write_side(out, picture, side, row)?;
        writeln!(out, "</g>\n</g>")?;
    }
    writeln!(out, "</svg>")
}

/// The lines above a drawing: who, when, what happens, what broke.
fn titles(picture: &Picture, side: usize, row: usize) -> Vec<(&'static str, String)> {
    let one = &picture.sides[side];
    let mut lines = vec![("title", format!("{} on {}", picture.title, one.collector))];
    if let Some(frame) = picture.frame(side, row).map(|frame| &one.frames[frame]) {
        lines.push(("note", frame.inside.join(" \u{203a} ")));
        lines.push(("event", frame.title.clone()));
        lines.extend(frame.lines.iter().take(4).map(|line| ("note", line.clone())));
        lines.extend(frame.broken.iter().map(|text| ("broken", text.clone())));
    }
    if let Some((_, difference)) = picture.difference.as_ref().filter(|(at, _)| *at == row && side == 0) {
        lines.extend(difference.iter().take(3).map(|text| ("broken", format!("first difference: {text}"))));
    }
    if picture.left_out > 0 {
        lines.push(("note", left_out(picture.left_out)));
    }
    lines.retain(|(_, text)| !text.is_empty());
    lines
}

/// How many objects are not drawn, in words.
pub(super) fn left_out(objects: usize) -> String {
    let noun = if objects == 1 { "object is" } else { "objects are" };
    format!("{objects} more {noun} not drawn: this is what is next to what broke")
}

/// What a row shows, in one sentence.
pub(super) fn summary(picture: &Picture, row: usize) -> String {
    let sides = (0..picture.sides.len()).map(|side| {
        let one = &picture.sides[side];
        let frame = picture.frame(side, row).map(|frame| one.frames[frame].title.as_str());
        format!("{}: {}", one.collector, frame.unwrap_or("nothing yet"))
    });
    format!("{}, {}", picture.title, sides.collect::<Vec<_>>().join("; "))
}

/// One side's drawing, as the content of an `svg` or `g` of the picture's size.
pub(super) fn write_side(out: &mut String, picture: &Picture, side: usize, row: usize) -> fmt::Result {
    let prefix = prefix(side);
    for (name, class) in [("plain", "head"), ("keeps", "head keeps"), ("weak", "head weak"), ("gone", "head gone")] {
        writeln!(
            out,
            "<defs><marker id=\"{prefix}-{name}\" class=\"{class}\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" \
             markerWidth=\"9\" markerHeight=\"9\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">\
             <path d=\"M0 0L10 5L0 10z\"/></marker></defs>"
        )?;
    }
    let frame = picture.frame(side, row);
    for (number, arrow) in picture.arrows.iter().enumerate() {
        let look = picture.arrow_look(side, frame, number);
        write_arrow(out, picture, arrow, (&prefix, number), &look.class, &look.label)?;
    }
    for (number, object) in picture.objects.iter().enumerate() {
        let look = picture.object_look(side, frame, number);
        write_object(out, object, (&prefix, number), look, picture.differs(row, number))?;
    }
    Ok(())
}

/// What the names of a side's elements begin with.
pub(super) fn prefix(side: usize) -> String {
    format!("s{side}")
}

fn write_arrow(
    out: &mut String,
    picture: &Picture,
    arrow: &Arrow,
    (prefix, number): (&str, usize),
    class: &str,
    label: &str,
) -> fmt::Result {
    let name = |object: usize| escaped(&picture.objects[object].name);
    let Point { x, y } = arrow.path.label;
    writeln!(
        out,
        "<g id=\"{prefix}-a{number}\" class=\"{}\" data-from=\"{}\" data-to=\"{}\">\
         <path marker-end=\"url(#{prefix}-{})\" d=\"{}\"/><text x=\"{x}\" y=\"{y}\">{}</text></g>",
        joined("arrow", class, false),
        name(arrow.from),
        name(arrow.to),
        head(class),
        path(&arrow.path),
        escaped(label)
    )
}

/// The classes of an element: what has a look is there.
fn joined(what: &str, class: &str, differs: bool) -> String {
    match (class, differs) {
        ("", _) => what.to_owned(),
        (class, false) => format!("{what} on {class}"),
        (class, true) => format!("{what} on {class} differs"),
    }
}

/// The head that an arrow has.
pub(super) fn head(class: &str) -> &'static str {
    let has = |word: &str| class.split(' ').any(|class| class == word);
    match () {
        () if has("gone") => "gone",
        () if has("keeps") => "keeps",
        () if has("weak") => "weak",
        () => "plain",
    }
}

fn path(path: &Path) -> String {
    let mut d = format!("M{} {}", path.start.x, path.start.y);
    for [a, b, end] in &path.curves {
        let _ = write!(d, "C{} {} {} {} {} {}", a.x, a.y, b.x, b.y, end.x, end.y);
    }
    d
}

fn write_object(
    out: &mut String,
    object: &Object,
    (prefix, number): (&str, usize),
    look: &ObjectLook,
    differs: bool,
) -> fmt::Result {
    let Object { name, kind, place, is_held, has_state } = object;
    let (width, height) = (place.width, place.height);
    writeln!(
        out,
        "<g id=\"{prefix}-o{number}\" class=\"{}\" transform=\"translate({} {})\" role=\"img\" \
         aria-label=\"{}\"><rect class=\"box\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>\
         <text class=\"name\" x=\"9\" y=\"17\">{}</text>\
         <text class=\"kind\" x=\"{}\" y=\"17\">{}</text>\
         <text class=\"refs\" x=\"9\" y=\"35\">{}</text>",
        joined("object", &look.class, differs),
        place.at.x,
        place.at.y,
        escaped(&label(object, look)),
        escaped(name),
        width - 9.0,
        escaped(kind),
        escaped(&look.refs)
    )?;
    let mut y = 35.0;
    if *is_held {
        y += 15.0;
        writeln!(out, "<text class=\"held\" x=\"9\" y=\"{y}\">{}</text>", escaped(&look.held))?;
    }
    if *has_state {
        y += 15.0;
        writeln!(out, "<text class=\"state\" x=\"9\" y=\"{y}\">{}</text>", escaped(&look.state))?;
    }
    writeln!(out, "</g>")
}

/// An object in words, for those who do not see it.
pub(super) fn label(object: &Object, look: &ObjectLook) -> String {
    let mut words = format!("{}, {}", object.name, object.kind);
    let held = if look.holders.is_empty() { String::new() } else { format!("held by {}", look.holders) };
    for part in [&look.refs, &held, &look.state].into_iter().filter(|part| !part.is_empty()) {
        words += ", ";
        words += part;
    }
    words
}

/// Text as markup: nothing in it is markup, and nothing that XML forbids is left.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['\u{2026}']).collect()
}
