//! Where the objects and references of a picture are: once for all frames, by the layers of their references.

use layout::core::base::Orientation;
use layout::core::format::{ClipHandle, RenderBackend};
use layout::core::geometry::{Point as At, Position};
use layout::core::style::{LineStyleKind, StyleAttr};
use layout::std_shapes::shapes::{Arrow as LaidArrow, Element, LineEndKind, ShapeKind};
use layout::topo::layout::VisualGraph;

use super::union::Arrow;

/// Free space beside an object and above and below it, together on both sides, in pixels.
const HALO: (f64, f64) = (40.0, 60.0);
/// Free space around the whole picture.
const MARGIN: f64 = 24.0;
/// Pixels that the layout takes a letter of a label for.
const LETTER: usize = 6;

/// A point, in pixels from the upper left corner.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

/// A box.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Rect {
    /// Its upper left corner.
    pub at: Point,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

/// The way of an arrow.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Path {
    /// Where it starts.
    pub start: Point,
    /// Its Bezier curves: two points of control and the end of each.
    pub curves: Vec<[Point; 3]>,
    /// Where its label is.
    pub label: Point,
}

/// A picture's places.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Layout {
    /// Of each object.
    pub boxes: Vec<Rect>,
    /// Of each arrow.
    pub paths: Vec<Path>,
    /// The width of the picture.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

/// Places objects of these sizes and the arrows between them, each with the width of its label.
pub fn layout(sizes: &[(f64, f64)], arrows: &[Arrow], labels: &[f64]) -> Layout {
    let mut graph = VisualGraph::new(Orientation::TopToBottom);
    let look = StyleAttr { font_size: LETTER, ..StyleAttr::simple() };
    let nodes: Vec<_> = sizes
        .iter()
        .map(|(width, height)| {
            let shape = ShapeKind::new_box("");
            let size = At::new(*width, *height);
            let mut element = Element::create(shape, look.clone(), Orientation::TopToBottom, size);
            element.pos = Position::new(At::zero(), size, At::zero(), At::new(HALO.0, HALO.1));
            graph.add_node(element)
        })
        .collect();
    for (number, arrow) in arrows.iter().enumerate() {
        // The number of the arrow, as wide as its label: text is given back with its place.
        let letters = (labels[number] / LETTER as f64).ceil() as usize;
        let is_wide = letters > 0 || arrow.from == arrow.to;
        let text = if is_wide { format!("{number:<letters$}", letters = letters.max(1)) } else { String::new() };
        let ends = (LineEndKind::None, LineEndKind::Arrow);
        let laid = LaidArrow {
            properties: Some(number.to_string()),
            ..LaidArrow::new(ends.0, ends.1, LineStyleKind::Normal, &text, &look, &None, &None)
        };
        graph.add_edge(laid, nodes[arrow.from], nodes[arrow.to]);
    }
    let mut paths = Paths { paths: vec![Path::default(); arrows.len()], labels: vec![None; arrows.len()] };
    if !nodes.is_empty() {
        graph.do_it(false, false, false, &mut paths);
    }
    let boxes: Vec<Rect> = nodes
        .iter()
        .map(|node| {
            let (from, to) = graph.pos(*node).bbox(false);
            Rect { at: Point { x: from.x, y: from.y }, width: to.x - from.x, height: to.y - from.y }
        })
        .collect();
    let Paths { mut paths, labels } = paths;
    for (path, label) in paths.iter_mut().zip(labels) {
        path.label = label.unwrap_or_else(|| path.near_start());
    }
    moved(Layout { boxes, paths, width: 0.0, height: 0.0 })
}

/// The layout, moved to where it begins with a margin, and with its size.
fn moved(mut layout: Layout) -> Layout {
    let (mut least, mut most) = (Point { x: f64::MAX, y: f64::MAX }, Point { x: f64::MIN, y: f64::MIN });
    layout.for_points(|point| {
        (least.x, least.y) = (least.x.min(point.x), least.y.min(point.y));
        (most.x, most.y) = (most.x.max(point.x), most.y.max(point.y));
    });
    if least.x > most.x {
        return layout;
    }
    layout.for_points(|point| {
        let round = |value: f64| (value * 10.0).round() / 10.0;
        (point.x, point.y) = (round(point.x - least.x + MARGIN), round(point.y - least.y + MARGIN));
    });
    (layout.width, layout.height) =
        ((most.x - least.x + 2.0 * MARGIN).ceil(), (most.y - least.y + 2.0 * MARGIN).ceil());
    layout
}

impl Layout {
    fn for_points(&mut self, mut f: impl FnMut(&mut Point)) {
        for place in &mut self.boxes {
            let mut end = Point { x: place.at.x + place.width, y: place.at.y + place.height };
            f(&mut place.at);
            f(&mut end);
            (place.width, place.height) = (end.x - place.at.x, end.y - place.at.y);
        }
        for path in &mut self.paths {
            f(&mut path.start);
            path.curves.iter_mut().flatten().for_each(&mut f);
            f(&mut path.label);
        }
    }
}

impl Path {
    /// A point on the first curve, not far from its start.
    fn near_start(&self) -> Point {
        let Some([a, b, end]) = self.curves.first() else { return self.start };
        let t = 0.3_f64;
        let mix = |start: f64, a: f64, b: f64, end: f64| {
            let u = 1.0 - t;
            u * u * u * start + 3.0 * u * u * t * a + 3.0 * u * t * t * b + t * t * t * end
        };
        Point { x: mix(self.start.x, a.x, b.x, end.x), y: mix(self.start.y, a.y, b.y, end.y) }
    }

    /// The same way, from its end to its start.
    fn reversed(&self) -> Path {
        let mut points = vec![self.start];
        points.extend(self.curves.iter().flatten());
        points.reverse();
        let curves = points[1..].chunks_exact(3).map(|curve| [curve[0], curve[1], curve[2]]).collect();
        Path { start: points[0], curves, label: self.label }
    }
}

/// Takes what the layout draws: the ways of arrows and the places of labels.
struct Paths {
    paths: Vec<Path>,
    labels: Vec<Option<Point>>,
}

impl RenderBackend for Paths {
    fn draw_rect(&mut self, _: At, _: At, _: &StyleAttr, _: Option<String>, _: Option<ClipHandle>) {}

    fn draw_line(&mut self, _: At, _: At, _: &StyleAttr, _: Option<String>) {}

    fn draw_circle(&mut self, _: At, _: At, _: &StyleAttr, _: Option<String>) {}

    fn draw_text(&mut self, at: At, text: &str, _: &StyleAttr) {
        let number = text.trim().parse::<usize>().ok();
        if let Some(label) = number.and_then(|number| self.labels.get_mut(number)) {
            *label = Some(Point { x: at.x, y: at.y });
        }
    }

    fn draw_arrow(
        &mut self,
        path: &[(At, At)],
        _: bool,
        head: (bool, bool),
        _: &StyleAttr,
        properties: Option<String>,
        _: &str,
    ) {
        let number = properties.and_then(|number| number.parse::<usize>().ok());
        let Some(place) = number.and_then(|number| self.paths.get_mut(number)) else { return };
        let [first, second, rest @ ..] = path else { return };
        let point = |at: At| Point { x: at.x, y: at.y };
        let mut curves = vec![[point(first.1), point(second.0), point(second.1)]];
        for (control, end) in rest {
            // Smooth curves: the first point of control mirrors the last one before.
            let [_, before, middle] = curves[curves.len() - 1];
            let mirrored = Point { x: 2.0 * middle.x - before.x, y: 2.0 * middle.y - before.y };
            curves.push([mirrored, point(*control), point(*end)]);
        }
        let drawn = Path { start: point(first.0), curves, label: Point::default() };
        *place = if head.0 && !head.1 { drawn.reversed() } else { drawn };
    }

    fn create_clip(&mut self, _: At, _: At, _: usize) -> ClipHandle {
        0
    }
}
