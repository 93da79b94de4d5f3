//! One full collection of a large graph: the model against `gc.collect()` of an interpreter on the same graph.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::table::{Cell, Table};
use crate::cpython::Interpreter;
use crate::event::{Digest, Event, EventBuffer, Observation};
use crate::generate::Large;
use crate::lookup::row_of;
use crate::model::collector::Collector;
use crate::model::machine::{Machine, Observer, PhasePoint, View};
use crate::scenario::{Bulk, Scenario};
use crate::supervise::{Bounds, ask};

/// What an interpreter may take for one graph: those of ten million objects take a minute.
const MEASURED: Bounds = Bounds { time: Duration::from_secs(1800), output: 64 << 10 };

/// What is collected: a graph, and whether it is trash by then.
#[derive(Clone, Copy, Debug)]
pub struct Graph {
    /// Its name in tables.
    pub name: &'static str,
    /// The graph is dropped before the collection.
    pub trash: bool,
    shape: Large,
    /// Builds the same graph in Python, from `n`, and binds it to `graph`.
    python: &'static str,
    /// How many objects it has for one of the count.
    pub each: u32,
}

/// Every graph.
pub const GRAPHS: [Graph; 6] = [
    Graph {
        name: "live chain",
        trash: false,
        shape: Large::Built(Bulk::Chain),
        python: "graph = None\nfor _ in range(n):\n    o = N(); o.a = graph; graph = o",
        each: 1,
    },
    Graph {
        name: "live tree",
        trash: false,
        shape: Large::Built(Bulk::Tree),
        python: "all = [N() for _ in range(n)]\nfor i in range(n):\n    if 2*i+1 < n: all[i].a = all[2*i+1]\n    \
                 if 2*i+2 < n: all[i].b = all[2*i+2]\ngraph = all[0]; del all",
        each: 1,
    },
    Graph {
        name: "live weakrefs",
        trash: false,
        shape: Large::Watched,
        python: "graph = None\nfor _ in range(n):\n    o = N(); o.a = graph; o.b = R(o); graph = o",
        each: 2,
    },
    Graph {
        name: "trash dense",
        trash: true,
        shape: Large::Dense,
        python: "graph = old = N()\nfor _ in range(n - 1):\n    o = N(); o.a = graph; o.b = old; old.c = o; old = graph; graph = o\n\
                 del o, old",
        each: 1,
    },
    Graph {
        name: "trash ring",
        trash: true,
        shape: Large::Built(Bulk::Ring),
        python: "first = graph = N()\nfor _ in range(n - 1):\n    o = N(); o.a = graph; graph = o\n\
                 first.b = graph; del first, o",
        each: 1,
    },
    Graph {
        name: "trash knots",
        trash: true,
        shape: Large::Built(Bulk::Knots),
        python: "graph = None\nfor _ in range(n):\n    o = N(); o.a = o; o.b = graph; graph = o\ndel o",
        each: 1,
    },
];

impl Graph {
    /// Builds the graph, drops it if it is to be trash, and collects it.
    pub fn scenario(&self, count: u32) -> Scenario {
        self.shape.scenario(count, self.trash)
    }
}

/// Takes the time from the merge to the end of clearing.
#[derive(Default)]
struct Clock {
    start: Option<Instant>,
    nanoseconds: f64,
}

impl Observer for Clock {
    fn at_phase(&mut self, moment: PhasePoint, _view: &View<'_>) {
        match moment {
            PhasePoint::Start => self.start = Some(Instant::now()),
            PhasePoint::Cleared => {
                self.nanoseconds = self.start.map_or(0.0, |start| start.elapsed().as_nanos() as f64);
            }
            _ => {}
        }
    }
}

/// How often a collection is repeated; the best counts.
fn rounds(count: u32) -> u32 {
    (2_000_000 / count).clamp(2, 20)
}

/// Nanoseconds per object of one collection by the model.
pub fn model(machine: &mut Machine, graph: &Graph, count: u32) -> f64 {
    let scenario = graph.scenario(count);
    let (mut best, mut memory) = (f64::MAX, Vec::new());
    for _ in 0..rounds(count) {
        let mut clock = Clock::default();
        // The digest of what happens to the objects. Snapshots would be part of the time.
        let mut digest = Digest::new();
        let mut take = |events: &[Event]| digest.take(events);
        let out = EventBuffer::new(&mut memory).keep(0).observe(Observation::Nothing);
        machine.run_observed(&scenario, None, &mut out.pass_to(&mut take), &mut clock);
        black_box(digest.value());
        best = best.min(clock.nanoseconds);
    }
    best / f64::from(count * graph.each)
}

/// Nanoseconds per object of `gc.collect()` of an interpreter; nothing if it cannot be run.
pub fn interpreter(program: &Path, graph: &Graph, count: u32) -> Option<f64> {
    let drop = if graph.trash { "del graph" } else { "" };
    let script = format!(
        "import gc, time\ngc.disable()\nclock = getattr(time, 'perf_counter', time.time)\nfrom _weakref import ref as R\n\
         class N(object):\n    __slots__ = ('a', 'b', 'c', 'd', '__weakref__')\nbest = 1e99\n\
         for _ in range({}):\n    n = {count}\n    {}\n    {drop}\n    t = clock(); gc.collect(); best = min(best, clock() - t)\n    \
         keep = globals().pop('graph', None)\n    while keep is not None: keep, k = getattr(keep, 'a', None), keep; k = None\n\
         print(best / n / {} * 1e9)",
        rounds(count),
        graph.python.replace('\n', "\n    "),
        graph.each,
    );
    let output = ask(Command::new(program).args(["-E", "-s", "-S", "-c", &script]), MEASURED).ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

const COLUMNS: &[&str] = &["graph", "objects", "model ns", "interpreter ns", "ratio"];

/// One row for each graph and size. The collector of the model is the row that covers the interpreter, or the newest.
pub fn table(program: Option<&Interpreter>, sizes: &[u32], mut step: impl FnMut()) -> Table {
    let collector = program.map(row_of).or_else(|| Collector::all().pop());
    let other = program.map_or_else(|| "no interpreter".to_owned(), Interpreter::name);
    let name = collector.as_ref().map_or("", |c| c.name.as_str());
    let mut table =
        Table::new("collection", format!("One full collection, ns per object: {name} against {other}"), COLUMNS);
    let Some(collector) = collector else { return table };
    let mut machine = Machine::new(&collector);
    let mut worst: Option<(f64, String)> = None;
    for graph in &GRAPHS {
        for &size in sizes {
            let count = size / graph.each;
            let ours = model(&mut machine, graph, count);
            let theirs = program.and_then(|program| interpreter(&program.program, graph, count));
            let objects = u64::from(count) * u64::from(graph.each);
            if let Some(theirs) = theirs
                && size >= 10_000
                && worst.as_ref().is_none_or(|(ratio, _)| *ratio < ours / theirs)
            {
                worst = Some((ours / theirs, format!("{}, {} objects", graph.name, crate::report::grouped(objects))));
            }
            table.rows.push(vec![
                graph.name.into(),
                Cell::Count(objects),
                Cell::Number(ours, 1),
                theirs.map_or(Cell::Nothing, |ns| Cell::Number(ns, 1)),
                theirs.map_or(Cell::Nothing, |ns| Cell::Number(ours / ns, 2)),
            ]);
            step();
        }
    }
    match worst {
        Some((ratio, whose)) => {
            table.floor("the worst ratio from 10,000 objects on", "0.5, aim 0.33", format!("{ratio:.2} ({whose})"));
        }
        None => table.notes.push("no ratio: no interpreter found, or no graph of 10,000 objects".to_owned()),
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::record;

    #[test]
    fn every_graph_has_its_objects_and_dies_if_it_is_trash() {
        let collector = Collector::parse("cpython-3.15").unwrap();
        let mut machine = Machine::new(&collector);
        for graph in GRAPHS {
            let events = record(|out| machine.run(&graph.scenario(600), out));
            let made = events.iter().filter(|e| matches!(e, Event::New { .. })).count();
            // The first object of the watched chain has no weak reference.
            let objects = 600 * graph.each as usize;
            assert!((objects - 1..=objects).contains(&made), "{}: {made}", graph.name);
            let returned: Vec<_> = events
                .iter()
                .filter_map(|e| match e {
                    Event::CollectEnd { returned, .. } => Some(*returned),
                    _ => None,
                })
                .collect();
            assert_eq!(returned, [if graph.trash { 600 * graph.each } else { 0 }], "{}", graph.name);
        }
    }
}
