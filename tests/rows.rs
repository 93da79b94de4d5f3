//! The behaviour table that was observed on real interpreters, held against the model.
//!
//! `tests/rows/*.rows` has one entry per row: a line `row NAME CELLS` with one letter per release (`.` where the row
//! does not apply), a sentence after `says`, what each letter stands for, and the scenario. `docs/behaviour` is made of them. What is compared is the event stream in the
//! notation of the table:
//!
//! * `clear:x dealloc:x free:x` of extension objects; `fin:x` and `del:x`, a finalizer of an extension object, and
//!   of a Python class (or `tp_del`), `wf` a `finalize` object; the name of a callback when it runs;
//! * `w=x` and `w=None`, what a weak reference answers; `saw:x` an object that user code saw and on which `clear` had
//!   run; `scan[x y]` what `gc.get_objects()` returns, weak references and temporary objects left out;
//! * `n=2`, what `gc.collect()` returns; `refused`, a nested call; `gc0` an automatic collection; `len=1/2` the
//!   length of a weak container and of its data;
//! * `undefined` where the interpreter died;
//! * with `quiet` in the first line, `n=` left out (`quiet fin`: deaths too); with `last`, the first `n=`; with `list`
//!   only the order of the lists at the end; with `weak`, the live weak references at the end in list order added;
//! * `at[x=1 y=u]` with `end x y` in the first line: where objects are at the end: a generation, `u` untracked, `p`
//!   permanent, `-` freed; `g[x]` with `garbage` in the first line: what `gc.garbage` holds at the end.

mod rows_file;

use coroner::event::{Code, Event, ObjId, Role, Spot, record};
use coroner::model::collector::Collector;
use coroner::model::machine::Machine;
use coroner::report::ObjectNames;
use coroner::scenario::{Op, Shape, text};
use rows_file::{COLUMNS, Row, rows};

/// The events in the notation of the table.
fn render(row: &Row, document: &text::Document, events: &[Event]) -> String {
    let names = ObjectNames::new(&document.names, events);
    let ops = document.scenario.ops();
    let mut shapes: Vec<Shape> = Vec::new();
    let mut cleared: Vec<ObjId> = Vec::new();
    let mut scanned: Option<Vec<String>> = None;
    let mut spots: Vec<(ObjId, Spot)> = Vec::new();
    let mut garbage: Vec<String> = Vec::new();
    let mut weaks: Vec<String> = Vec::new();
    let mut out: Vec<String> = Vec::new();
    for event in events {
        let extension = |o: ObjId| shapes[o.index()].is_extension();
        if !matches!(event, Event::Saw { introspection: true, .. })
            && let Some(scan) = scanned.take()
        {
            out.push(format!("scan[{}]", scan.join(" ")));
        }
        match *event {
            Event::New { origin, role, .. } => shapes.push(match (role, ops[origin as usize]) {
                (Role::Named, Op::New { kind, .. } | Op::Build { kind, .. }) => kind.shape,
                (Role::FinalizeRef | Role::ContainerSelf, _) => Shape::Ref,
                _ => Shape::Dict,
            }),
            Event::Clear { object } => {
                cleared.push(object);
                if extension(object) {
                    out.push(format!("clear:{}", names.get(object)));
                }
            }
            Event::Dealloc { object } if extension(object) => out.push(format!("dealloc:{}", names.get(object))),
            Event::Free { object } if extension(object) => out.push(format!("free:{}", names.get(object))),
            Event::Enter { code, owner, .. } => {
                let name = names.get(owner);
                match code {
                    Code::Finalizer if extension(owner) => out.push(format!("fin:{name}")),
                    Code::Finalizer | Code::LegacyFinalizer => out.push(format!("del:{name}")),
                    Code::Callback if shapes[owner.index()] == Shape::Finalize => out.push("wf".to_owned()),
                    Code::Callback if names.named(owner).is_some_and(|n| n.contains('.')) => {}
                    Code::Dealloc => out.push(format!("in:{name}")),
                    _ => out.push(name.into_owned()),
                }
            }
            Event::Answer { weak, referent } => {
                let answer = referent.map_or("None".into(), |o| names.get(o));
                out.push(format!("{}={answer}", names.get(weak)));
            }
            Event::Saw { object, introspection: true } => {
                let scan = scanned.get_or_insert_default();
                if !shapes[object.index()].is_weakref() && names.named(object).is_some() {
                    let mark = if cleared.contains(&object) { "!" } else { "" };
                    scan.push(format!("{}{mark}", names.get(object)));
                }
            }
            Event::Saw { object, .. } if cleared.contains(&object) => out.push(format!("saw:{}", names.get(object))),
            Event::CollectStart { generation, automatic: true } => out.push(format!("gc{generation}")),
            Event::CollectEnd { returned, .. } => out.push(format!("n={returned}")),
            Event::Unraisable { owner } => out.push(format!("unraisable:{}", names.get(owner))),
            Event::Refused => out.push("refused".to_owned()),
            Event::NoEffect => out.push("no-effect".to_owned()),
            Event::Length { len, raw, .. } => out.push(format!("len={len}/{raw}")),
            Event::Snapshot => {
                spots.clear();
                weaks.clear();
                garbage.clear();
            }
            Event::State { object, spot, .. } => spots.push((object, spot)),
            Event::Weak { weak, referent: Some(_), .. } => weaks.push(names.get(weak).into_owned()),
            Event::Garbage { object } => garbage.push(names.get(object).into_owned()),
            Event::Undefined { .. } => out.push("undefined".to_owned()),
            _ => {}
        }
    }
    if let Some(("end", objects)) = row.show.split_first().map(|(w, rest)| (*w, rest)) {
        let spot = |name: &str| {
            let found = spots.iter().find(|(o, _)| names.get(*o) == name);
            found.map_or("-", |(_, spot)| match spot {
                Spot::Gen0 => "0",
                Spot::Gen1 => "1",
                Spot::Gen2 => "2",
                Spot::Permanent => "p",
                Spot::Collecting => "c",
                Spot::Untracked => "u",
                Spot::NoHeader => "n",
            })
        };
        let all: Vec<String> = objects.iter().map(|name| format!("{name}={}", spot(name))).collect();
        out.push(format!("at[{}]", all.join(" ")));
    }
    let quiet = |word: &String| {
        word.starts_with("n=") || (row.show.contains(&"fin") && word.contains(':') && !word.starts_with("fin:"))
    };
    match row.show.first() {
        Some(&"quiet") => out.retain(|word| !quiet(word)),
        Some(&"weak") => out.push(format!("weak[{}]", weaks.join(" "))),
        Some(&"list") => {
            let in_list = |spot: &Spot| matches!(spot, Spot::Gen0 | Spot::Gen1 | Spot::Gen2);
            let names = spots.iter().filter(|(_, spot)| in_list(spot)).map(|(o, _)| names.get(*o));
            out = vec![format!("list[{}]", names.collect::<Vec<_>>().join(" "))];
        }
        Some(&"last") => {
            // The value of the first collection differs between releases and is not in the table.
            if let Some(first) = out.iter().position(|word| word.starts_with("n=")) {
                out.remove(first);
            }
        }
        _ => {}
    }
    if row.show.first() == Some(&"garbage") {
        out.push(format!("g[{}]", garbage.join(" ")));
    }
    if out.is_empty() { "-".to_owned() } else { out.join(" ") }
}

/// Compares every cell of every row; the failures in words, and the number of cells.
fn check(text: &str) -> (Vec<String>, usize) {
    let mut failures = Vec::new();
    let mut cells = 0;
    for row in rows(text) {
        let document = match text::parse(&row.source) {
            Ok(document) => document,
            Err(errors) => {
                failures.extend(errors.iter().map(|e| e.render(row.name, &row.source, false)));
                continue;
            }
        };
        assert_eq!(row.cells.len(), COLUMNS.len(), "row {}", row.name);
        for (column, cell) in COLUMNS.iter().zip(row.cells.chars()).filter(|(_, cell)| *cell != '.') {
            let Some((_, expected)) = row.values.iter().find(|(letter, _)| *letter == cell) else {
                failures.push(format!("row {}: nothing says what {cell} stands for", row.name));
                continue;
            };
            let collector = Collector::parse(column).expect("the table's releases are rows");
            let events = record(|out| Machine::new(&collector).run(&document.scenario, out));
            let observed = render(&row, &document, &events);
            cells += 1;
            if observed != *expected {
                failures.push(format!("row {} on {column}\n  table: {expected}\n  model: {observed}", row.name));
            }
        }
    }
    (failures, cells)
}

fn files() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rows");
    let mut paths: Vec<_> = std::fs::read_dir(folder).expect("the rows").map(|e| e.expect("an entry").path()).collect();
    paths.sort();
    let read = |p: std::path::PathBuf| (p.display().to_string(), std::fs::read_to_string(&p).expect("a file of rows"));
    paths.into_iter().map(read).collect()
}

#[test]
fn the_model_does_what_the_table_says() {
    let (mut failures, mut cells) = (Vec::new(), 0);
    for (_, text) in files() {
        let (failed, compared) = check(&text);
        failures.extend(failed);
        cells += compared;
    }
    assert!(failures.is_empty(), "{} of {cells} cells differ:\n{}", failures.len(), failures.join("\n"));
    assert!(cells >= 100, "only {cells} cells");
}

#[test]
fn a_wrong_cell_is_noticed() {
    let row = |n| format!("row D01 aaaaaaaaaaa\na {n}\ncoroner 1\na = Node()\na[0] = a\ndel a\ncollect(2)\n");
    assert_eq!(check(&row("clear:a dealloc:a free:a n=1")), (Vec::new(), 11));
    assert_eq!(check(&row("clear:a dealloc:a free:a n=2")).0.len(), 11);
}
