//! Where the objects and references of a picture are: once for all frames, by the layers of their references.

use layout::core::base::Orientation;
use layout::core::format::{ClipHandle, RenderBackend};
use layout::core::geometry::{Point as At, Position};
use layout::core::style::{LineStyleKind, StyleAttr};
use layout::std_shapes::shapes::{Arrow as LaidArrow, Element, LineEndKind, ShapeKind};
use layout::topo::layout::VisualGraph;

use super::union::{Arrow, EdgeKind};

/// Free space beside an object and above and below it, together on both sides, in pixels.
const HALO: (f64, f64) = (40.0, 46.0);
/// How far the loop of an object that refers to itself reaches to the right.
const LOOP: f64 = 38.0;
/// Space between objects that nothing connects.
const GAP: f64 = 28.0;
/// Width of a row of objects that nothing connects, unless the rest is wider.
const ROW: f64 = 560.0;
/// Free space around the whole picture.
const MARGIN: f64 = 24.0;

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

/// Places objects of these sizes and the arrows between them.
///
/// What has arrows to others is placed in layers; what has none, in rows below. An object that refers to itself has a loop on
/// its right side, which the layers know nothing of but leave room for.
pub fn layout(sizes: &[(f64, f64)], arrows: &[Arrow]) -> Layout {
    let mut layout = Layout {
        boxes: vec![Rect::default(); sizes.len()],
        paths: vec![Path::default(); arrows.len()],
        ..Layout::default()
    };
    let (mut is_connected, mut has_loop) = (vec![false; sizes.len()], vec![false; sizes.len()]);
    for arrow in arrows {
        if arrow.from == arrow.to {
            has_loop[arrow.from] = true;
        } else {
            (is_connected[arrow.from], is_connected[arrow.to]) = (true, true);
        }
    }
    layers(&mut layout, sizes, arrows, (&is_connected, &has_loop));
    rows(&mut layout, sizes, &is_connected);
    for (path, arrow) in layout.paths.iter_mut().zip(arrows).filter(|(_, arrow)| arrow.from == arrow.to) {
        *path = self_loop(&layout.boxes[arrow.from]);
    }
    moved(layout)
}

/// Places what is connected, in layers.
fn layers(layout: &mut Layout, sizes: &[(f64, f64)], arrows: &[Arrow], (is_connected, has_loop): (&[bool], &[bool])) {
    if !is_connected.contains(&true) {
        return;
    }
    let place = |is_rough: bool| {
        let mut graph = VisualGraph::new(Orientation::TopToBottom);
        let look = StyleAttr::simple();
        let nodes: Vec<_> = (0..sizes.len())
            .map(|object| {
                let shape = ShapeKind::new_box("");
                let size = At::new(sizes[object].0, sizes[object].1);
                let mut element = Element::create(shape, look.clone(), Orientation::TopToBottom, size);
                let beside = HALO.0 + if has_loop[object] { 2.0 * LOOP } else { 0.0 };
                element.pos = Position::new(At::zero(), size, At::zero(), At::new(beside, HALO.1));
                is_connected[object].then(|| graph.add_node(element))
            })
            .collect();
        for (number, arrow) in arrows.iter().enumerate().filter(|(_, arrow)| arrow.from != arrow.to) {
            let (Some(from), Some(to)) = (nodes[arrow.from], nodes[arrow.to]) else { continue };
            let ends = (LineEndKind::None, LineEndKind::Arrow);
            let laid = LaidArrow {
                properties: Some(number.to_string()),
                ..LaidArrow::new(ends.0, ends.1, LineStyleKind::Normal, "", &look, &None, &None)
            };
            graph.add_edge(laid, from, to);
        }
        let mut paths = Paths(vec![Path::default(); arrows.len()]);
        graph.do_it(false, false, is_rough, &mut paths);
        let place = |node| {
            let (from, to) = graph.pos(node).bbox(false);
            Rect { at: Point { x: from.x, y: from.y }, width: to.x - from.x, height: to.y - from.y }
        };
        (nodes.into_iter().map(|node| node.map(place)).collect::<Vec<_>>(), paths.0)
    };
    // The crate straightens arrows last and asserts, once in some thousand graphs, what does not hold by then. Without that
    // pass it draws them all.
    let placed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| place(false)));
    let (boxes, paths) = placed.unwrap_or_else(|_| place(true));
    for (to, from) in layout.boxes.iter_mut().zip(boxes) {
        *to = from.unwrap_or_default();
    }
    layout.paths = paths;
    for (path, arrow) in layout.paths.iter_mut().zip(arrows) {
        path.label = if arrow.kind == EdgeKind::Weak { path.middle() } else { path.near_start() };
    }
}

/// Places what is not connected, in rows below the rest.
fn rows(layout: &mut Layout, sizes: &[(f64, f64)], is_connected: &[bool]) {
    let placed = layout.boxes.iter().zip(is_connected).filter(|(_, connected)| **connected).map(|(place, _)| place);
    let (mut left, mut right, mut bottom) = (f64::MAX, f64::MIN, f64::MIN);
    for place in placed {
        left = left.min(place.at.x);
        right = right.max(place.at.x + place.width);
        bottom = bottom.max(place.at.y + place.height);
    }
    let (left, mut y) = if left <= right { (left, bottom + GAP) } else { (0.0, 0.0) };
    let right = right.max(left + ROW);
    let (mut x, mut tallest) = (left, 0.0_f64);
    for (object, (width, height)) in sizes.iter().enumerate().filter(|(object, _)| !is_connected[*object]) {
        if x > left && x + width + LOOP > right {
            (x, y, tallest) = (left, y + tallest + GAP, 0.0);
        }
        layout.boxes[object] = Rect { at: Point { x, y }, width: *width, height: *height };
        x += width + LOOP + GAP;
        tallest = tallest.max(*height);
    }
}

/// The way from an object to itself.
fn self_loop(place: &Rect) -> Path {
    let (x, y) = (place.at.x + place.width, place.at.y + place.height / 2.0);
    let start = Point { x, y: y + 12.0 };
    let curve = [Point { x: x + LOOP, y: y + 24.0 }, Point { x: x + LOOP, y: y - 24.0 }, Point { x, y: y - 12.0 }];
    Path { start, curves: vec![curve], label: Point { x: x + LOOP * 0.75, y } }
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
        self.on(0, 0.3)
    }

    /// A point half-way.
    fn middle(&self) -> Point {
        match self.curves.len() {
            0 | 1 => self.on(0, 0.5),
            many => self.on((many - 1) / 2, 1.0),
        }
    }

    /// A point on a curve, at a share of it.
    fn on(&self, curve: usize, t: f64) -> Point {
        let Some([a, b, end]) = self.curves.get(curve) else { return self.start };
        let start = curve.checked_sub(1).map_or(self.start, |before| self.curves[before][2]);
        let mix = |start: f64, a: f64, b: f64, end: f64| {
            let u = 1.0 - t;
            u * u * u * start + 3.0 * u * u * t * a + 3.0 * u * t * t * b + t * t * t * end
        };
        Point { x: mix(start.x, a.x, b.x, end.x), y: mix(start.y, a.y, b.y, end.y) }
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

/// Takes what the layout draws: the ways of arrows.
struct Paths(Vec<Path>);

impl RenderBackend for Paths {
    fn draw_rect(&mut self, _: At, _: At, _: &StyleAttr, _: Option<String>, _: Option<ClipHandle>) {}

    fn draw_line(&mut self, _: At, _: At, _: &StyleAttr, _: Option<String>) {}

    fn draw_circle(&mut self, _: At, _: At, _: &StyleAttr, _: Option<String>) {}

    fn draw_text(&mut self, _: At, _: &str, _: &StyleAttr) {}

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
        let Some(place) = number.and_then(|number| self.0.get_mut(number)) else { return };
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

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::{Rng, SeedableRng};

    #[test]
    fn any_graph_can_be_placed_and_no_box_lies_on_another() {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        for round in 0..600 {
            let mut below = |most: usize| random.next_u32() as usize % most.max(1);
            let objects = 1 + below(24);
            let sizes: Vec<(f64, f64)> =
                (0..objects).map(|_| (90.0 + below(160) as f64, 58.0 + below(30) as f64)).collect();
            let mut arrows: Vec<Arrow> = (0..below(2 * objects))
                .map(|_| {
                    let kind = if below(3) == 0 { EdgeKind::Weak } else { EdgeKind::Strong };
                    Arrow { from: below(objects), to: below(objects), kind }
                })
                .collect();
            arrows.sort_unstable();
            arrows.dedup();
            let laid = layout(&sizes, &arrows);
            assert_eq!(laid, layout(&sizes, &arrows));
            for (i, a) in laid.boxes.iter().enumerate() {
                assert!(a.at.x >= 0.0 && a.at.x + a.width <= laid.width && a.at.y + a.height <= laid.height, "{round}");
                for b in &laid.boxes[..i] {
                    let apart =
                        |from: f64, size: f64, other: f64, len: f64| from + size <= other || other + len <= from;
                    let is_beside =
                        apart(a.at.x, a.width, b.at.x, b.width) || apart(a.at.y, a.height, b.at.y, b.height);
                    assert!(is_beside, "{round}: {a:?} {b:?}");
                }
            }
            assert!(laid.paths.iter().all(|path| !path.curves.is_empty()), "{round}");
        }
    }
}
