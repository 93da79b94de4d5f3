//! A picture: places for all frames, and for each frame what each object and arrow looks like there.

use std::collections::{BTreeMap, BTreeSet};

use super::alignment::align;
use super::frames::{self, Frame, FrameKind, MOST_LINES};
use super::layout::{Path, Rect, layout};
use super::looks::{self, ArrowLook, ObjectLook, cut};
use super::source::Source;
use super::tables::{Broken, Table, broken, notes, tables};
use super::union::{self, EdgeKind, Members, union};
use crate::event::{Event, ObjId};
use crate::explain::{Explanation, Run, steps};
use crate::invariant::Class;

/// Height of a box's first line with what is around it, in pixels.
const HEAD: f64 = 24.0;
/// Height of each other line.
const LINE: f64 = 15.0;
/// Width of a letter of a name.
const WIDE: f64 = 7.4;
/// Width of a letter of another line.
const NARROW: f64 = 6.8;
/// Most letters of the name of an object and its kind together.
const MOST_NAME: usize = 30;

/// A run that is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Taken<'t> {
    /// The run.
    pub run: &'t Run<'t>,
    /// What there is to say of it.
    pub explanation: &'t Explanation,
    /// The events, if it is the run of an interpreter.
    pub real: Option<&'t [Event]>,
}

/// One collector's run of a scenario, or those of two side by side.
#[derive(Clone, PartialEq, Debug)]
pub struct Picture {
    /// What is drawn: the name of the file.
    pub title: String,
    /// The scenario.
    pub source: Source,
    /// The objects, in the order of creation.
    pub objects: Vec<Object>,
    /// The arrows.
    pub arrows: Vec<Arrow>,
    /// Width in pixels.
    pub width: f64,
    /// Height in pixels.
    pub height: f64,
    /// How many objects are not drawn.
    pub left_out: usize,
    /// The runs, one or two.
    pub sides: Vec<Side>,
    /// The moments that a reader steps through.
    pub rows: Vec<Row>,
    /// The row that is shown first: where something broke or differs.
    pub start: usize,
    /// The first row in which the runs differ, and how, in words.
    pub difference: Option<(usize, Vec<String>)>,
    /// Who runs: one name for each lane.
    pub lanes: Vec<String>,
}

/// An object's place.
#[derive(Clone, PartialEq, Debug)]
pub struct Object {
    /// What it is called.
    pub name: String,
    /// Its shape, and what runs by it.
    pub kind: String,
    /// Where it is.
    pub place: Rect,
    /// Its box has a line for who holds it.
    pub is_held: bool,
    /// Its box has a line for what became of it.
    pub has_state: bool,
}

/// An arrow's way.
#[derive(Clone, PartialEq, Debug)]
pub struct Arrow {
    /// The number of the holder.
    pub from: usize,
    /// The number of what is referred to.
    pub to: usize,
    /// What it is.
    pub kind: EdgeKind,
    /// Its way.
    pub path: Path,
}

/// One moment: the frame of each run, if it has one there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Of each side the number of its frame.
    pub frames: Vec<Option<usize>>,
}

/// One run.
#[derive(Clone, PartialEq, Debug)]
pub struct Side {
    /// The collector.
    pub collector: String,
    /// What it broke, in words: the worst first, each with the number of its frame.
    pub broken: Vec<Broken>,
    /// The moments.
    pub frames: Vec<DrawnFrame>,
    /// The looks of objects; frames say which by number.
    pub object_looks: Vec<ObjectLook>,
    /// The looks of arrows.
    pub arrow_looks: Vec<ArrowLook>,
    /// What there is to know to read it.
    pub notes: Vec<String>,
    /// What each collection decided, why callbacks and finalizers ran: tables with a title.
    pub tables: Vec<Table>,
}

/// One moment of a run, drawn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DrawnFrame {
    /// What kind of moment it is.
    pub kind: FrameKind,
    /// What happens.
    pub title: String,
    /// What else there is to say.
    pub lines: Vec<String>,
    /// What it happens in.
    pub inside: Vec<String>,
    /// The collection that runs, from 1.
    pub collection: Option<usize>,
    /// The lane.
    pub lane: usize,
    /// The line of the scenario, from 1; 0 if there is none.
    pub line: usize,
    /// The lines of the script that runs.
    pub script: Option<(usize, usize)>,
    /// What changed since the frame before.
    pub changes: Vec<String>,
    /// What broke.
    pub broken: Vec<String>,
    /// The look of each object, by its number on this side.
    pub objects: Vec<usize>,
    /// The look of each arrow.
    pub arrows: Vec<usize>,
}

impl Picture {
    /// Draws a run, or two of one scenario: the first one is what the picture is about.
    pub fn new(title: &str, source: Source, first: Taken<'_>, against: Option<Taken<'_>>) -> Picture {
        let runs: Vec<Taken<'_>> = std::iter::once(first).chain(against).collect();
        let mut taken = Vec::new();
        for one in &runs {
            let mut window = 0..0;
            let steps = steps(one.run, one.real, |events| {
                window = frames::window(one.run, events);
                window.clone()
            });
            let frames = frames::frames(one.run, &steps, &window);
            taken.push((Members::of(&steps.events), frames, steps));
        }
        let seeds = seeds(first.run, &taken[0].1);
        let members: Vec<(&Members, &[Frame])> = taken.iter().map(|(m, frames, _)| (m, frames.as_slice())).collect();
        let union = union(&members, &seeds);
        let mut sides: Vec<Side> = Vec::new();
        for ((one, (_, frames, steps)), numbers) in runs.iter().zip(&taken).zip(&union.numbers) {
            sides.push(side(one, frames, &steps.notes(), numbers, &union, &source));
        }
        let (objects, arrows, (width, height)) = placed(&runs, &union, &sides);
        let mut picture = Picture {
            title: title.to_owned(),
            source,
            objects,
            arrows,
            width,
            height,
            left_out: union.left_out,
            rows: rows(&sides),
            sides,
            start: 0,
            difference: None,
            lanes: vec!["main".to_owned()],
        };
        picture.difference = picture.first_difference();
        picture.start = picture.first_row(&taken[0].1);
        picture
    }

    /// The frame of a side at a row: its own, or the last one before.
    pub fn frame(&self, side: usize, row: usize) -> Option<usize> {
        self.rows[..=row.min(self.rows.len().checked_sub(1)?)].iter().rev().find_map(|row| row.frames[side])
    }

    /// How an object looks on a side in a frame.
    pub fn object_look(&self, side: usize, frame: Option<usize>, object: usize) -> &ObjectLook {
        static NOTHING: ObjectLook = ObjectLook {
            class: String::new(),
            refs: String::new(),
            held: String::new(),
            holders: String::new(),
            state: String::new(),
        };
        let side = &self.sides[side];
        frame.map_or(&NOTHING, |frame| &side.object_looks[side.frames[frame].objects[object]])
    }

    /// How an arrow looks on a side in a frame.
    pub fn arrow_look(&self, side: usize, frame: Option<usize>, arrow: usize) -> &ArrowLook {
        static NOTHING: ArrowLook = ArrowLook { class: String::new(), label: String::new() };
        let side = &self.sides[side];
        frame.map_or(&NOTHING, |frame| &side.arrow_looks[side.frames[frame].arrows[arrow]])
    }

    /// True if an object does not fare alike on both sides in a row.
    pub fn differs(&self, row: usize, object: usize) -> bool {
        if self.sides.len() < 2 {
            return false;
        }
        let look = |side| self.object_look(side, self.frame(side, row), object);
        fate(look(0)) != fate(look(1))
    }

    /// The row with the frame of the first side.
    pub fn row_of(&self, side: usize, frame: usize) -> Option<usize> {
        self.rows.iter().position(|row| row.frames[side] == Some(frame))
    }

    fn first_difference(&self) -> Option<(usize, Vec<String>)> {
        if self.sides.len() < 2 {
            return None;
        }
        for (at, row) in self.rows.iter().enumerate() {
            let mut lines: Vec<String> = Vec::new();
            let frame = |side: usize| row.frames[side].map(|frame| &self.sides[side].frames[frame]);
            match (frame(0), frame(1)) {
                (Some(left), Some(right)) if left.title != right.title => {
                    lines.push(format!("left: {}; right: {}", left.title, right.title));
                }
                (Some(left), Some(right)) => {
                    for (number, object) in self.objects.iter().enumerate().filter(|(n, _)| self.differs(at, *n)) {
                        let [left, right] = [0, 1].map(|side| self.object_look(side, self.frame(side, at), number));
                        lines.push(format!("{}: left {}; right {}", object.name, in_words(left), in_words(right)));
                    }
                    if lines.is_empty() && left.lines != right.lines {
                        let [left, right] = [left, right].map(|frame| frame.lines.join(", "));
                        lines.push(format!("left: {left}; right: {right}"));
                    }
                }
                (Some(left), None) => lines.push(format!("only left: {}", left.title)),
                (None, Some(right)) => lines.push(format!("only right: {}", right.title)),
                (None, None) => {}
            }
            if !lines.is_empty() {
                return Some((at, lines));
            }
        }
        None
    }

    /// Where the reader starts: the first difference, what broke, the last decision of a collection, the end.
    fn first_row(&self, frames: &[Frame]) -> usize {
        if let Some((row, _)) = &self.difference {
            return *row;
        }
        let broken = self.sides[0].broken.iter().filter_map(|broken| broken.frame).next();
        let is_decision =
            |frame: &Frame| matches!(frame.kind, FrameKind::Phase(crate::model::machine::PhasePoint::Deduced));
        let frame = broken.or_else(|| frames.iter().rposition(is_decision)).or_else(|| frames.len().checked_sub(1));
        frame.and_then(|frame| self.row_of(0, frame)).unwrap_or(0)
    }
}

/// What runs are compared by: what becomes of an object, not in which list it is.
fn fate(look: &ObjectLook) -> (Vec<&str>, &str) {
    let passing = ["changed", "about", "bad", "plain"];
    let class = look.class.split(' ').filter(|class| !passing.contains(class)).collect();
    (class, look.refs.split(' ').nth(1).unwrap_or_default())
}

fn in_words(look: &ObjectLook) -> String {
    match (look.class.is_empty(), look.refs.is_empty()) {
        (true, _) => "not there".to_owned(),
        (_, true) => look.state.clone(),
        _ if look.state.is_empty() => look.refs.clone(),
        _ => format!("{} ({})", look.state, look.refs),
    }
}

/// What the picture is about: what broken invariants name, then what happens there, then trash.
fn seeds(run: &Run<'_>, frames: &[Frame]) -> Vec<ObjId> {
    let mut broken: Vec<_> = run.violations.iter().collect();
    broken.sort_by_key(|(violation, verdict)| (verdict.class() != Class::Collector, violation.event));
    let named = broken.iter().flat_map(|(violation, _)| [violation.object, violation.other]).flatten();
    let mut seeds: Vec<ObjId> = named.collect();
    let marked = frames.iter().filter(|frame| !frame.violations.is_empty());
    seeds.extend(marked.flat_map(|frame| frame.about.iter().copied()));
    let decided = frames.iter().rev().find_map(|frame| frame.trash.as_ref());
    seeds.extend(decided.into_iter().flatten().copied());
    let mut seen = BTreeSet::new();
    seeds.retain(|object| seen.insert(*object));
    seeds
}

fn side(
    taken: &Taken<'_>,
    frames: &[Frame],
    missing: &[String],
    numbers: &BTreeMap<ObjId, usize>,
    union: &union::Union,
    source: &Source,
) -> Side {
    let run = taken.run;
    let mut ids: Vec<Option<ObjId>> = vec![None; union.objects];
    for (object, number) in numbers {
        ids[*number] = Some(*object);
    }
    let drawn: BTreeSet<ObjId> = numbers.keys().copied().collect();
    let (mut object_looks, mut arrow_looks) = (Numbered::default(), Numbered::default());
    let mut out: Vec<DrawnFrame> = Vec::new();
    for (at, frame) in frames.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| &frames[at]);
        let objects = ids.iter().map(|id| {
            object_looks.number(id.map_or_else(ObjectLook::default, |id| looks::object(run, frame, before, id)))
        });
        let objects = objects.collect();
        let arrows = union.arrows.iter().map(|arrow| {
            let ends = ids[arrow.from].zip(ids[arrow.to]);
            arrow_looks
                .number(ends.map_or_else(ArrowLook::default, |ends| looks::arrow(run, frame, before, arrow, ends)))
        });
        let arrows = arrows.collect();
        let broken = frame.violations.iter().filter_map(|number| run.violations.get(*number));
        out.push(DrawnFrame {
            kind: frame.kind,
            title: frame.title.clone(),
            lines: few(frame.lines.clone(), frame.untold),
            inside: frame.inside.clone(),
            collection: frame.collection,
            lane: frame.lane,
            line: frame.step.and_then(|step| source.line(step as usize)).unwrap_or(0),
            script: frame.script.and_then(|script| source.script(run.document, script)),
            changes: before.map_or_else(Vec::new, |before| few(looks::changes(run, frame, before, &drawn), 0)),
            broken: few(
                broken.map(|(violation, _)| violation.describe(&|object| run.names.label(object))).collect(),
                0,
            ),
            objects,
            arrows,
        });
    }
    Side {
        collector: crate::explain::subject_name(taken.explanation),
        broken: broken(run, frames),
        frames: out,
        object_looks: object_looks.values,
        arrow_looks: arrow_looks.values,
        notes: notes(taken.explanation, missing),
        tables: tables(taken.explanation),
    }
}

/// So many lines as people read of one moment; of the rest, and of what was left out before, how many.
fn few(mut lines: Vec<String>, untold: usize) -> Vec<String> {
    let more = lines.len().saturating_sub(MOST_LINES) + untold;
    lines.truncate(MOST_LINES);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

/// Gives numbers to values.
struct Numbered<T> {
    numbers: BTreeMap<T, usize>,
    values: Vec<T>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Numbered<T> {
        Numbered { numbers: BTreeMap::new(), values: Vec::new() }
    }
}

impl<T: Ord + Clone> Numbered<T> {
    fn number(&mut self, value: T) -> usize {
        if let Some(number) = self.numbers.get(&value) {
            return *number;
        }
        self.values.push(value.clone());
        self.numbers.insert(value, self.values.len() - 1);
        self.values.len() - 1
    }
}

/// The moments of all sides, side by side.
fn rows(sides: &[Side]) -> Vec<Row> {
    let key = |frame: &DrawnFrame| {
        let title = frame.title.split(" answers ").next().and_then(|title| title.split(" and returns ").next());
        format!("{:?} {:?} {}", frame.kind, frame.inside.len(), title.unwrap_or_default())
    };
    let keys: Vec<Vec<String>> = sides.iter().map(|side| side.frames.iter().map(key).collect()).collect();
    match keys.as_slice() {
        [only] => (0..only.len()).map(|frame| Row { frames: vec![Some(frame)] }).collect(),
        [left, right, ..] => align(left, right).into_iter().map(|(i, j)| Row { frames: vec![i, j] }).collect(),
        [] => Vec::new(),
    }
}

/// The places of objects and arrows: boxes are as large as anything that they ever show.
fn placed(runs: &[Taken<'_>], union: &union::Union, sides: &[Side]) -> (Vec<Object>, Vec<Arrow>, (f64, f64)) {
    let mut objects: Vec<Object> = (0..union.objects)
        .map(|_| Object {
            name: String::new(),
            kind: String::new(),
            place: Rect::default(),
            is_held: false,
            has_state: false,
        })
        .collect();
    for (taken, numbers) in runs.iter().zip(&union.numbers) {
        for (id, number) in numbers {
            let object = &mut objects[*number];
            if object.kind.is_empty() {
                object.name = cut(&taken.run.names.label(*id));
                object.kind = cut_to(&taken.run.kind_word(*id), MOST_NAME.saturating_sub(object.name.chars().count()));
            }
        }
    }
    let letters = |text: &str| text.chars().count() as f64;
    let sizes: Vec<(f64, f64)> = objects
        .iter_mut()
        .enumerate()
        .map(|(number, object)| {
            let mut width = (letters(&object.name) + 1.0 + letters(&object.kind)) * WIDE;
            for side in sides {
                for look in side.frames.iter().map(|frame| &side.object_looks[frame.objects[number]]) {
                    object.is_held |= !look.held.is_empty();
                    object.has_state |= !look.state.is_empty();
                    for line in [&look.refs, &look.held, &look.state] {
                        width = width.max(letters(line) * NARROW);
                    }
                }
            }
            let lines = 1 + u8::from(object.is_held) + u8::from(object.has_state);
            ((width + 18.0).ceil(), HEAD + f64::from(lines) * LINE + 4.0)
        })
        .collect();
    let laid = layout(&sizes, &union.arrows);
    for (object, place) in objects.iter_mut().zip(&laid.boxes) {
        object.place = *place;
    }
    let arrows = union.arrows.iter().zip(laid.paths).map(|(arrow, path)| Arrow {
        from: arrow.from,
        to: arrow.to,
        kind: arrow.kind,
        path,
    });
    (objects, arrows.collect(), (laid.width, laid.height))
}

/// At most so many letters of a text.
fn cut_to(text: &str, most: usize) -> String {
    if text.chars().count() <= most { text.to_owned() } else { text.chars().take(most.max(1)).collect() }
}
