//! A picture as a page: everything in one file, nothing from outside. Without script it shows the row where something broke or
//! differs; with script the reader steps through.

use std::ops::Range;

use askama::Template;
use serde_json::{Value, json};

use super::drawing::{DrawnFrame, Picture, Side};
use super::frames::FrameKind;
use super::svg::{STYLE, head, label, left_out, summary, write_side};

/// Most bytes of a page.
pub const MOST_BYTES: usize = 300 * 1024;
/// Most bytes of the scenario's text that are shown whole.
const MOST_SOURCE: usize = 48 * 1024;
/// Lines that are shown around one that is lit, where the text is not shown whole.
const AROUND: usize = 6;
/// Most lines of a text that is not shown whole.
const MOST_LINES: usize = 400;
/// Most letters of a line.
const MOST_LETTERS: usize = 200;

/// A page for a picture, of at most [`MOST_BYTES`]: of a run that is too long for that the rows around the first one shown.
pub fn page(picture: &Picture) -> String {
    let mut rows = picture.rows.len();
    loop {
        let start = picture.start.saturating_sub(rows * 3 / 4).min(picture.rows.len().saturating_sub(rows));
        let page = render(picture, start..(start + rows).min(picture.rows.len()));
        if page.len() <= MOST_BYTES || rows <= 1 {
            return page;
        }
        rows = rows * 3 / 4;
    }
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'p> {
    style: &'static str,
    page_style: &'static str,
    script: &'static str,
    summary: String,
    picture: &'p Picture,
    left_out: String,
    not_shown: String,
    difference: &'p [String],
    sides: Vec<SidePart<'p>>,
    rows: Vec<RowPart<'p>>,
    /// The rows of each lane, if there are several.
    lanes: Vec<LanePart<'p>>,
    phases: Vec<(usize, String)>,
    header: Vec<SourceLine>,
    lines: Vec<SourceLine>,
    start: usize,
    last: usize,
    data: String,
}

struct SidePart<'p> {
    side: &'p Side,
    drawing: String,
    frame: Option<&'p DrawnFrame>,
    objects: Vec<(String, String)>,
}

struct RowPart<'p> {
    number: usize,
    title: &'p str,
    place: String,
    class: String,
    depth: usize,
}

struct LanePart<'p> {
    name: &'p str,
    rows: Vec<(usize, String)>,
}

struct SourceLine {
    number: usize,
    text: String,
    class: &'static str,
}

fn render(picture: &Picture, shown: Range<usize>) -> String {
    let start = picture.start;
    let sides = (0..picture.sides.len()).map(|side| side_part(picture, side, start)).collect();
    let rows: Vec<RowPart<'_>> = shown.clone().map(|row| row_part(picture, row, &shown)).collect();
    let of_lane = |lane: usize| {
        let mine = shown.clone().filter(|row| frame(picture, *row).is_some_and(|frame| frame.lane == lane));
        mine.map(|row| (row - shown.start, row_class(picture, row))).collect()
    };
    let lanes = picture.lanes.iter().enumerate().map(|(lane, name)| LanePart { name, rows: of_lane(lane) });
    let (header, lines) = source(picture, &shown, start);
    let not_shown = picture.rows.len() - shown.len();
    let page = Page {
        style: STYLE,
        page_style: include_str!("assets/page.css"),
        script: include_str!("assets/page.js"),
        summary: summary(picture, start),
        picture,
        left_out: if picture.left_out > 0 { left_out(picture.left_out) } else { String::new() },
        not_shown: match not_shown {
            0 => String::new(),
            n => format!(
                "{n} more moments of the run are not shown: these are the ones around the first difference or fault"
            ),
        },
        difference: picture.difference.as_ref().map_or(&[], |(_, lines)| lines.as_slice()),
        sides,
        lanes: lanes.collect(),
        phases: phases(picture, &shown),
        rows,
        header,
        lines,
        start: start - shown.start,
        last: shown.len().saturating_sub(1),
        data: data(picture, &shown),
    };
    // Writing to a string cannot fail, and no value of the template can.
    page.render().unwrap_or_default()
}

fn side_part(picture: &Picture, side: usize, row: usize) -> SidePart<'_> {
    let mut drawing = String::new();
    let _ = write_side(&mut drawing, picture, side, row);
    let frame = picture.frame(side, row);
    let objects = picture.objects.iter().enumerate().filter_map(|(number, object)| {
        let look = picture.object_look(side, frame, number);
        (!look.class.is_empty()).then(|| {
            let words = label(object, look);
            (object.name.clone(), words.get(object.name.len() + 2..).unwrap_or_default().to_owned())
        })
    });
    let one = &picture.sides[side];
    SidePart { side: one, drawing, frame: frame.map(|frame| &one.frames[frame]), objects: objects.collect() }
}

/// The frame that stands for a row: the first side's, if it has one there.
fn frame(picture: &Picture, row: usize) -> Option<&DrawnFrame> {
    let frames = &picture.rows[row].frames;
    frames.iter().zip(&picture.sides).find_map(|(frame, side)| frame.map(|frame| &side.frames[frame]))
}

fn row_class(picture: &Picture, row: usize) -> String {
    let frames = picture.rows[row].frames.iter().zip(&picture.sides);
    let is_broken = frames.filter_map(|(frame, side)| frame.map(|f| &side.frames[f])).any(|f| !f.broken.is_empty());
    let mut class = match frame(picture, row).map(|frame| frame.kind) {
        Some(FrameKind::Phase(_)) => "phase".to_owned(),
        Some(FrameKind::Step) => "step".to_owned(),
        _ => "event".to_owned(),
    };
    if is_broken {
        class += " broken";
    }
    if picture.difference.as_ref().is_some_and(|(at, _)| *at == row) {
        class += " first-difference";
    }
    class
}

fn row_part<'p>(picture: &'p Picture, row: usize, shown: &Range<usize>) -> RowPart<'p> {
    let frame = frame(picture, row);
    let line = frame.map_or(0, |frame| frame.line);
    RowPart {
        number: row - shown.start,
        title: frame.map_or("", |frame| frame.title.as_str()),
        place: if line > 0 { format!("line {line}") } else { String::new() },
        class: row_class(picture, row),
        depth: frame.map_or(0, |frame| frame.inside.len().min(6)),
    }
}

/// The phases among the rows, each with its number there.
fn phases(picture: &Picture, shown: &Range<usize>) -> Vec<(usize, String)> {
    let mut phases = Vec::new();
    for row in shown.clone() {
        let Some(frame) = frame(picture, row) else { continue };
        if let FrameKind::Phase(phase) = frame.kind {
            phases.push((row - shown.start, format!("{}: {}", frame.collection.unwrap_or(0), phase.name())));
        }
    }
    phases
}

/// The text of the scenario: all, or what is around the lines that are lit in some row.
fn source(picture: &Picture, shown: &Range<usize>, start: usize) -> (Vec<SourceLine>, Vec<SourceLine>) {
    let source = &picture.source;
    let bytes: usize = source.lines.iter().map(|line| line.len().min(4 * MOST_LETTERS) + 60).sum();
    let now = frame(picture, start.min(picture.rows.len().saturating_sub(1)));
    let line = |number: usize| {
        let is_lit = now.is_some_and(|frame| frame.line == number);
        let is_run = now.and_then(|frame| frame.script).is_some_and(|(from, to)| (from..=to).contains(&number));
        let class = if is_run {
            "run"
        } else if is_lit {
            "lit"
        } else {
            ""
        };
        SourceLine { number, text: clipped(&source.lines[number - 1]), class }
    };
    let all = 1..=source.lines.len();
    if bytes <= MOST_SOURCE {
        let (header, rest): (Vec<_>, Vec<_>) = all.map(line).partition(|line| line.number <= source.header);
        return (header, rest);
    }
    let mut wanted = vec![false; source.lines.len() + 1];
    for row in shown.clone() {
        for (frame, side) in picture.rows[row].frames.iter().zip(&picture.sides) {
            let Some(frame) = frame.map(|frame| &side.frames[frame]) else { continue };
            let lit = (frame.line > 0).then_some((frame.line, frame.line));
            for (from, to) in lit.into_iter().chain(frame.script) {
                let around = from.saturating_sub(AROUND).max(1)..=(to + AROUND).min(source.lines.len());
                around.for_each(|line| wanted[line] = true);
            }
        }
    }
    (Vec::new(), all.filter(|number| wanted[*number]).take(MOST_LINES).map(line).collect())
}

/// What the script steps through.
fn data(picture: &Picture, shown: &Range<usize>) -> String {
    let sides: Vec<Value> = (0..picture.sides.len()).map(|side| side_data(picture, side, shown)).collect();
    let objects: Vec<Value> =
        picture.objects.iter().map(|object| json!([object.name.as_str(), object.kind.as_str()])).collect();
    let difference = picture.difference.as_ref().map(|(row, _)| *row).filter(|row| shown.contains(row));
    let data = json!({
        "sides": sides,
        "objects": objects,
        "start": picture.start - shown.start,
        "difference": difference.map(|row| row - shown.start),
        "classes": shown.clone().map(|row| row_class(picture, row)).collect::<Vec<_>>(),
    });
    // Inside of a script element only its end means something, and a text in quotes can be written without.
    data.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// One side's rows, each as what is different from the row before; looks by number.
fn side_data(picture: &Picture, side: usize, shown: &Range<usize>) -> Value {
    let one = &picture.sides[side];
    let (mut objects, mut arrows) = (Looks::default(), Looks::default());
    let nothing = |count: usize| vec![None; count];
    let (mut last_objects, mut last_arrows) = (nothing(picture.objects.len()), nothing(picture.arrows.len()));
    let mut rows = Vec::new();
    for row in shown.clone() {
        let at = picture.frame(side, row);
        let frame = at.map(|at| &one.frames[at]);
        let now = |looks: Option<&Vec<usize>>, count: usize| match looks {
            Some(looks) => looks.iter().map(|look| Some(*look)).collect(),
            None => nothing(count),
        };
        let new_objects = now(frame.map(|frame| &frame.objects), picture.objects.len());
        let new_arrows = now(frame.map(|frame| &frame.arrows), picture.arrows.len());
        let object_changes = objects.changes(&last_objects, &new_objects);
        let arrow_changes = arrows.changes(&last_arrows, &new_arrows);
        (last_objects, last_arrows) = (new_objects, new_arrows);
        let own = picture.rows[row].frames[side].and(frame);
        rows.push(match own {
            Some(frame) => json!({
                "t": clipped(&frame.title), "i": frame.inside.join(" \u{203a} "), "w": clipped_all(&frame.lines),
                "c": clipped_all(&frame.changes), "b": clipped_all(&frame.broken), "l": frame.line, "s": frame.script,
                "o": object_changes, "a": arrow_changes,
            }),
            None => json!({ "o": object_changes, "a": arrow_changes }),
        });
    }
    let object_looks: Vec<Value> = objects
        .order
        .iter()
        .map(|look| {
            let look = &one.object_looks[*look];
            json!([look.class, look.refs, look.held, look.state, clipped(&look.holders)])
        })
        .collect();
    let arrow_looks: Vec<Value> = arrows
        .order
        .iter()
        .map(|look| {
            let look = &one.arrow_looks[*look];
            json!([look.class, look.label, head(&look.class)])
        })
        .collect();
    json!({ "name": one.collector, "objects": object_looks, "arrows": arrow_looks, "rows": rows })
}

/// The looks that are used, numbered anew.
#[derive(Default)]
struct Looks {
    numbers: std::collections::BTreeMap<usize, usize>,
    order: Vec<usize>,
}

impl Looks {
    /// What has another look than before, each with its number; no look is -1.
    fn changes(&mut self, old: &[Option<usize>], new: &[Option<usize>]) -> Vec<[i64; 2]> {
        let mut changes = Vec::new();
        for (number, (old, new)) in old.iter().zip(new).enumerate().filter(|(_, (old, new))| old != new) {
            let _ = old;
            let look = new.map_or(-1, |look| {
                let next = self.order.len();
                let number = *self.numbers.entry(look).or_insert(next);
                if number == next {
                    self.order.push(look);
                }
                number as i64
            });
            changes.push([number as i64, look]);
        }
        changes
    }
}

fn clipped_all(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| clipped(line)).collect()
}

/// A text of a length that people read.
fn clipped(text: &str) -> String {
    if text.chars().count() <= MOST_LETTERS {
        return text.to_owned();
    }
    text.chars().take(MOST_LETTERS - 1).chain(['\u{2026}']).collect()
}

/// Filters of the template.
mod filters {
    /// A text of a length that people read.
    #[askama::filter_fn]
    pub fn clip(text: impl std::fmt::Display, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(super::clipped(&text.to_string()))
    }
}
