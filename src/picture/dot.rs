//! A row of a picture for Graphviz, which places it anew.

use std::fmt::{self, Write};

use super::drawing::Picture;
use super::svg::{left_out, summary};

/// A picture's row in the language of Graphviz: one graph, with a cluster for each side.
pub fn dot(picture: &Picture, row: usize) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_graph(&mut out, picture, row);
    out
}

fn write_graph(out: &mut String, picture: &Picture, row: usize) -> fmt::Result {
    let mut title = summary(picture, row);
    if picture.left_out > 0 {
        title += &format!("; {}", left_out(picture.left_out));
    }
    writeln!(out, "digraph heap {{")?;
    writeln!(out, "  label={};", quoted(&title))?;
    writeln!(out, "  labelloc=t;")?;
    writeln!(out, "  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=monospace, fontsize=11];")?;
    writeln!(out, "  edge [fontname=monospace, fontsize=10];")?;
    for (side, one) in picture.sides.iter().enumerate() {
        let frame = picture.frame(side, row);
        writeln!(out, "  subgraph cluster_{side} {{")?;
        writeln!(out, "    label={};", quoted(&one.collector))?;
        for (number, object) in picture.objects.iter().enumerate() {
            let look = picture.object_look(side, frame, number);
            if look.class.is_empty() {
                continue;
            }
            let first = format!("{}  {}", object.name, object.kind);
            let lines = [&first, &look.refs, &look.held, &look.state].map(String::as_str);
            let text: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
            writeln!(out, "    n{side}_{number} [label={}{}];", quoted(&text.join("\n")), colours(&look.class))?;
        }
        for arrow in picture.arrows.iter().enumerate() {
            let (number, arrow) = arrow;
            let look = picture.arrow_look(side, frame, number);
            let has = |word: &str| look.class.split(' ').any(|class| class == word);
            if look.class.is_empty() || has("gone") {
                continue;
            }
            let style = match () {
                () if has("weak") => ", style=dashed, constraint=false",
                () if has("unseen") => ", style=dotted, color=\"#1a7f37\"",
                () if has("keeps") => ", style=bold, color=\"#1a7f37\"",
                () => "",
            };
            let label = quoted(&look.label);
            writeln!(out, "    n{side}_{} -> n{side}_{} [label={label}{style}];", arrow.from, arrow.to)?;
        }
        writeln!(out, "  }}")?;
    }
    writeln!(out, "}}")
}

/// The colours of what became of an object.
fn colours(class: &str) -> &'static str {
    let has = |word: &str| class.split(' ').any(|class| class == word);
    match () {
        () if has("dead") => ", style=\"rounded,dashed\", fontcolor=gray, color=gray",
        () if has("bad") => ", fillcolor=\"#ffd7d5\", color=\"#cf222e\", penwidth=3",
        () if has("cleared") => ", fillcolor=\"#ffd7d5\"",
        () if has("trash") => ", fillcolor=\"#ffe2b8\"",
        () if has("kept") => ", fillcolor=\"#d6f5dd\"",
        () => "",
    }
}

/// A text in quotes. Line breaks become those of labels, and nothing ends it or means something in it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
