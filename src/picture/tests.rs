use std::collections::BTreeMap;

use super::*;
use crate::campaign::{Examined, Examiner};
use crate::event::record;
use crate::explain::{Judged, explain, record as record_run};
use crate::findings::Baseline;
use crate::generate::{Generator, PROFILES, Seed, Size};
use crate::model::collector::Collector;
use crate::model::machine::{Machine, PhasePoint};
use crate::model::rows::Rows;
use crate::scenario::Scenario;
use crate::scenario::text::{Document, parse};

fn judged<'e>(run: &'e Examined<'_>) -> Judged<'e> {
    Judged { violations: run.violations, digest: run.digest, real: None }
}

/// The picture of a document on a collector, beside another if one is named.
fn draw(title: &str, document: &Document, read: Option<&str>, collectors: &[&str]) -> Picture {
    let collectors: Vec<Collector> = collectors.iter().map(|name| Collector::parse(name).unwrap()).collect();
    let mut examiners: Vec<Examiner> =
        collectors.iter().map(|c| Examiner::new(&Rows::one(c), &Baseline::default())).collect();
    let runs: Vec<_> = examiners
        .iter_mut()
        .zip(&collectors)
        .map(|(examiner, c)| record_run(document, c, judged(&examiner.examine(&document.scenario, false))))
        .collect();
    let explanations: Vec<_> = runs.iter().map(explain).collect();
    let taken = |at: usize| Taken { run: &runs[at], explanation: &explanations[at], real: None };
    let against = (runs.len() > 1).then(|| taken(1));
    Picture::new(title, Source::of(document, read), taken(0), against)
}

/// The picture of a regression file.
fn regression(name: &str, collectors: &[&str]) -> Picture {
    let path = format!("{}/regressions/{name}.scn", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    draw(name, &parse(&text).unwrap(), Some(&text), collectors)
}

/// Some scenarios of every profile whose scenarios people read.
fn generated(mut each: impl FnMut(&str, u64, &Document)) {
    let mut scenario = Scenario::new();
    for profile in PROFILES.iter().filter(|profile| !profile.is_huge()) {
        for (size, count) in [(Size::Tiny, 4), (Size::Small, 12), (Size::Large, 2)] {
            let mut generator = Generator::new(Seed::from(11), profile, size);
            for n in 0..count {
                generator.fill(n, &mut scenario);
                each(profile.name, n, &Document::new(&scenario));
            }
        }
    }
}

/// Where the objects of a drawing are: the number of each and what its element says.
fn places(svg: &str) -> BTreeMap<String, String> {
    let tree = roxmltree::Document::parse(svg).expect("well-formed");
    let objects = tree.descendants().filter(|node| node.attribute("class").is_some_and(|c| c.starts_with("object")));
    let place = |node: roxmltree::Node<'_, '_>| {
        let size = node.children().find(|child| child.has_tag_name("rect")).unwrap();
        let of = |name| size.attribute(name).unwrap_or_default();
        format!("{} {} {}", node.attribute("transform").unwrap(), of("width"), of("height"))
    };
    objects.map(|node| (node.attribute("id").unwrap().to_owned(), place(node))).collect()
}

/// No object is at another place in any moment.
fn assert_still(picture: &Picture, step: usize) {
    let first = places(&svg(picture, 0));
    assert_eq!(first.len(), picture.objects.len() * picture.sides.len());
    for row in (0..picture.rows.len()).step_by(step.max(1)) {
        assert_eq!(places(&svg(picture, row)), first, "{} in row {row}", picture.title);
    }
}

#[test]
fn no_object_moves_between_phases() {
    for (name, collector) in [
        ("C01-bpo-38006-founding-chain", "cpython-3.7.6"),
        ("C06b-gh-91636", "cpython-3.13.0"),
        ("C30-bpo-38379", "cpython-3.7.0"),
    ] {
        let picture = regression(name, &[collector]);
        assert!(picture.rows.len() > 15 && picture.objects.len() > 3, "{name}: {} rows", picture.rows.len());
        assert_still(&picture, 1);
    }
    assert_still(&regression("C06b-gh-91636", &["cpython-3.14.0", "cpython-3.15.0"]), 1);
}

#[test]
fn no_object_lies_on_another() {
    generated(|profile, n, document| {
        let picture = draw("generated", document, None, &["cpython-3.15"]);
        for (i, a) in picture.objects.iter().enumerate() {
            for b in &picture.objects[..i] {
                let apart = |at: f64, size: f64, other: f64, other_size: f64| {
                    at + size <= other + 0.1 || other + other_size <= at + 0.1
                };
                let (a, b) = (&a.place, &b.place);
                let is_beside = apart(a.at.x, a.width, b.at.x, b.width) || apart(a.at.y, a.height, b.at.y, b.height);
                assert!(is_beside, "{profile} {n}: {a:?} {b:?}");
            }
        }
    });
}

#[test]
fn every_generated_scenario_is_drawn_on_a_page_of_bounded_size() {
    let (mut pictures, mut left_out, mut largest) = (0, 0, 0);
    generated(|profile, n, document| {
        let collector = ["cpython-2.7.0", "cpython-3.7.6", "cpython-3.13.0", "cpython-3.15"][pictures % 4];
        let picture = draw("generated", document, None, &[collector]);
        let page = page(&picture);
        assert!(page.len() <= MOST_BYTES, "{profile} {n}: {} bytes", page.len());
        assert!(page.ends_with("</html>\n") || page.ends_with("</html>"), "{profile} {n}");
        assert!(picture.objects.len() <= MOST_OBJECTS && picture.arrows.len() <= MOST_EDGES, "{profile} {n}");
        let drawing = svg(&picture, picture.start);
        assert!(roxmltree::Document::parse(&drawing).is_ok(), "{profile} {n}");
        assert!(dot(&picture, picture.start).ends_with("}\n"));
        if picture.left_out > 0 {
            left_out += 1;
            assert!(page.contains("not drawn: this is what is next to what broke"), "{profile} {n}");
        }
        assert_still(&picture, picture.rows.len() / 3);
        pictures += 1;
        largest = largest.max(page.len());
    });
    assert!(pictures >= 150 && left_out >= 5 && largest > 150_000, "{pictures} {left_out} {largest}");
}

#[test]
fn what_a_stranger_writes_is_no_markup() {
    let evil = "</script></style></title><img src=x onerror=alert(1)>\" ' & <!-- ]]>";
    let source = format!("coroner 1\nnote: {evil}\n\na = Node()  # {evil}\na[0] = a\n# {evil}\ndel a\ncollect(2)\n");
    let picture = draw(evil, &parse(&source).unwrap(), Some(&source), &["cpython-3.14.0", "cpython-3.15.0"]);
    let page = page(&picture);
    assert!(!page.contains("<img") && !page.contains("onerror=alert(1)>"), "{page}");
    let lower = page.to_lowercase();
    for (tag, count) in [("<script", 2), ("</script", 2), ("<style", 1), ("</style", 1), ("</title", 1), ("<!--", 0)] {
        assert_eq!(lower.matches(tag).count(), count, "{tag}");
    }
    let drawing = svg(&picture, picture.start);
    let tree = roxmltree::Document::parse(&drawing).expect("well-formed");
    assert!(tree.descendants().all(|node| !node.has_tag_name("img")));
    let shown = tree.descendants().filter(|node| node.attribute("class") == Some("title"));
    assert!(shown.filter_map(|node| node.text()).any(|text| text.contains("</script></style>")));
    let graph = dot(&picture, picture.start);
    assert!(graph.contains("onerror=alert(1)>\\\" '"), "{graph}");
}

#[test]
fn what_is_no_letter_is_no_part_of_a_drawing() {
    let picture =
        draw("a\u{0}b\u{1b}[31m\u{ffff}", &parse("coroner 1\na = Node()\n").unwrap(), None, &["cpython-3.15"]);
    let drawing = svg(&picture, 0);
    assert!(roxmltree::Document::parse(&drawing).is_ok() && drawing.contains("a\u{fffd}b\u{fffd}[31m\u{fffd} on"));
}

#[test]
fn a_reader_starts_where_something_broke() {
    let picture = regression("C06b-gh-91636", &["cpython-3.13.0"]);
    let frame = &picture.sides[0].frames[picture.frame(0, picture.start).unwrap()];
    assert_eq!(frame.title, "late answers x");
    assert!(frame.broken[0].starts_with("I01 no-insane"), "{:?}", frame.broken);
    assert_eq!(frame.inside, ["collection 1 of generation 2, clearing trash", "finalizer of t"]);
    let look = |name: &str| {
        let number = picture.objects.iter().position(|object| object.name == name).unwrap();
        picture.object_look(0, picture.frame(0, picture.start), number)
    };
    assert_eq!(look("x").class, "cleared trash about bad");
    assert_eq!(look("box").class, "dying trash".replace(" trash", ""));
    assert_eq!(look("late").holders, "variable late");
}

#[test]
fn what_keeps_an_object_alive_is_drawn() {
    let picture = regression("C06b-gh-91636", &["cpython-3.13.0"]);
    let is_deduced = |frame: &DrawnFrame| frame.kind == FrameKind::Phase(PhasePoint::Deduced);
    let at = picture.sides[0].frames.iter().position(is_deduced).unwrap();
    let frame = &picture.sides[0].frames[at];
    assert_eq!(frame.lines, ["trash: x", "kept: t, held by box[0]"]);
    let number = |name: &str| picture.objects.iter().position(|object| object.name == name).unwrap();
    let (t, held) = (picture.object_look(0, Some(at), number("t")), number("box"));
    assert_eq!(
        (t.class.as_str(), t.refs.as_str(), t.held.as_str()),
        ("kept", "refs 1 = 0 in + 1 out", "held by box[0]")
    );
    let keeps = picture.arrows.iter().position(|a| (a.from, a.to) == (held, number("t"))).unwrap();
    assert_eq!(picture.arrow_look(0, Some(at), keeps).class, "strong keeps");
}

#[test]
fn what_is_kept_without_a_holder_is_told_apart() {
    let lines = |collector: &str| {
        let picture = regression("C30-bpo-38379", &[collector]);
        let is_it = |frame: &&DrawnFrame| frame.kind == FrameKind::Phase(PhasePoint::ResurrectionChecked);
        let frame = picture.sides[0].frames.iter().position(|frame| is_it(&frame)).unwrap();
        (picture.sides[0].frames[frame].lines.clone(), picture.frame(0, picture.start) == Some(frame))
    };
    let (old, is_first) = lines("cpython-3.7.0");
    assert_eq!(old, ["saved: r, r.__dict__", "kept with that, though nothing holds it: p1, p2, p3"]);
    assert!(is_first, "the phase that the broken rule is about is shown, not the end");
    assert_eq!(lines("cpython-3.13.0").0, ["saved: r", "to be cleared: p1, p2, p3"]);
}

#[test]
fn changes_are_told_down_to_slot_and_count() {
    let source = "coroner 1\na = Node()\nb = Node()\na[1] = b\na[1] = a\ndel a\ncollect(2)\n";
    let picture = draw("changes", &parse(source).unwrap(), Some(source), &["cpython-3.15"]);
    let of = |title: &str| {
        let frame = picture.sides[0].frames.iter().find(|frame| frame.title == title).unwrap();
        (frame.line, frame.changes.join("; "))
    };
    assert_eq!(of("a[1] = b"), (4, "a[1]: nothing \u{2192} b; b: refs 1 \u{2192} 2".to_owned()));
    let expected = "a[1]: b \u{2192} a; a: refs 1 \u{2192} 2; b: refs 2 \u{2192} 1";
    assert_eq!(of("a[1] = a"), (5, expected.to_owned()));
    assert_eq!(of("del a"), (6, "variable a: a \u{2192} nothing; a: refs 2 \u{2192} 1".to_owned()));
    assert!(of("a is freed").1.contains("a: died"), "{:?}", of("a is freed"));
}

#[test]
fn the_first_difference_of_two_collectors_is_marked() {
    let picture = regression("C06b-gh-91636", &["cpython-3.14.0", "cpython-3.15.0"]);
    let (row, lines) = picture.difference.clone().unwrap();
    assert_eq!(picture.start, row);
    let frame = &picture.sides[1].frames[picture.rows[row].frames[1].unwrap()];
    assert_eq!(frame.kind, FrameKind::Phase(PhasePoint::ResurrectionChecked));
    assert!(lines[0].starts_with("late: left ") && lines[0].contains("right gen 0, answers None"), "{lines:?}");
    let differing: Vec<&str> = (0..picture.objects.len())
        .filter(|n| picture.differs(row, *n))
        .map(|n| picture.objects[n].name.as_str())
        .collect();
    assert_eq!(differing, ["late"]);
    let alike = regression("C06b-gh-91636", &["cpython-3.12.0", "cpython-3.13.0"]);
    assert_eq!(alike.difference, None);
}

#[test]
fn why_user_code_runs_is_told() {
    let all = |name: &str, collector: &str| -> Vec<String> {
        let picture = regression(name, &[collector]);
        picture.sides[0].frames.iter().flat_map(|frame| frame.lines.clone()).filter(|l| l.starts_with("why")).collect()
    };
    let founding = all("C01-bpo-38006-founding-chain", "cpython-3.7.6");
    let why = "why: t2, its referent, has died, while the collector clears ";
    assert!(founding.iter().any(|line| line.starts_with(why)), "{founding:?}");
    let finalizers = all("C06b-gh-91636", "cpython-3.13.0");
    assert_eq!(finalizers[0], "why: x is trash");
    assert!(
        finalizers.contains(&"why: the last reference to t is gone, while the collector clears x".to_owned()),
        "{finalizers:?}"
    );
}

#[test]
fn to_look_step_by_step_changes_nothing() {
    let mut steps = 0;
    generated(|profile, n, document| {
        let collector = Collector::parse("cpython-3.7.6").unwrap();
        let plain = record(|out| Machine::new(&collector).run(&document.scenario, out));
        assert!(crate::explain::pictures(&document.scenario, None, &collector).0 == plain, "{profile} {n}");
        steps += plain.len();
    });
    assert!(steps > 10_000);
}

#[test]
fn two_drawings_of_one_run_are_the_same() {
    let draw = || {
        let picture = regression("C01-bpo-38006-founding-chain", &["cpython-3.7.6", "cpython-3.8.0"]);
        (page(&picture), svg(&picture, picture.start), dot(&picture, picture.start))
    };
    assert_eq!(draw(), draw());
}

#[test]
fn what_is_too_large_is_drawn_around_what_broke() {
    let source = "coroner 1\nkeep = list()\nkeep[0] = chain(70, Node())\na = Node()\na[0] = a\ndel a\ncollect(2)\n";
    let picture = draw("large", &parse(source).unwrap(), Some(source), &["cpython-3.15"]);
    assert_eq!((picture.objects.len(), picture.left_out), (MOST_OBJECTS, 72 - MOST_OBJECTS));
    assert!(picture.objects.iter().any(|object| object.name == "a"), "trash is drawn first");
}

#[test]
fn a_heap_that_nobody_can_draw_is_said_to_be_one() {
    let source = "coroner 1\nbig = chain(30000, Node())\ncollect(2)\n";
    let picture = draw("huge", &parse(source).unwrap(), Some(source), &["cpython-3.15"]);
    assert!(
        picture.sides[0].notes.iter().any(|note| note.contains("is not looked into")),
        "{:?}",
        picture.sides[0].notes
    );
    assert!(picture.objects.len() <= MOST_OBJECTS && page(&picture).len() <= MOST_BYTES);
}
