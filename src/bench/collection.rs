//! One full collection of a large graph: the model against `gc.collect()` of an interpreter on the same graph.

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::event::{Digest, Event, Sink};
use crate::run::{Machine, Moment, Observer, View};
use crate::scenario::{Bulk, Kind, Op, Place, Scenario, ScriptId, Shape};

/// What is collected: a graph, and whether it is trash by then.
#[derive(Clone, Copy, Debug)]
pub struct Graph {
    /// Its name in tables.
    pub name: &'static str,
    /// The graph is dropped before the collection.
    pub trash: bool,
    ops: fn(u32) -> Vec<Vec<Op>>,
    /// Builds the same graph in Python, from `n`, and binds it to `graph`.
    python: &'static str,
    /// How many objects it has for one of the count.
    pub each: u32,
}

/// The variable that holds the graph.
const GRAPH: Place = Place::var(0);
/// A variable to build with.
const NEXT: Place = Place::var(1);
/// Another one.
const WEAK: Place = Place::var(2);

/// Every graph.
pub const GRAPHS: [Graph; 5] = [
    Graph {
        name: "live chain",
        trash: false,
        ops: |count| bulk(Bulk::Chain, count),
        python: "graph = None\nfor _ in range(n):\n    o = N(); o.a = graph; graph = o",
        each: 1,
    },
    Graph {
        name: "live tree",
        trash: false,
        ops: |count| bulk(Bulk::Tree, count),
        python: "all = [N() for _ in range(n)]\nfor i in range(n):\n    if 2*i+1 < n: all[i].a = all[2*i+1]\n    \
                 if 2*i+2 < n: all[i].b = all[2*i+2]\ngraph = all[0]; del all",
        each: 1,
    },
    Graph {
        name: "live weakrefs",
        trash: false,
        ops: watched,
        python: "graph = None\nfor _ in range(n):\n    o = N(); o.a = graph; o.b = R(o); graph = o",
        each: 2,
    },
    Graph {
        name: "trash ring",
        trash: true,
        ops: |count| bulk(Bulk::Ring, count),
        python: "first = graph = N()\nfor _ in range(n - 1):\n    o = N(); o.a = graph; graph = o\n\
                 first.b = graph; del first, o",
        each: 1,
    },
    Graph {
        name: "trash knots",
        trash: true,
        ops: |count| bulk(Bulk::Knots, count),
        python: "graph = None\nfor _ in range(n):\n    o = N(); o.a = o; o.b = graph; graph = o\ndel o",
        each: 1,
    },
];

fn bulk(bulk: Bulk, count: u32) -> Vec<Vec<Op>> {
    vec![vec![Op::Build { dst: GRAPH, bulk, kind: Kind::new(Shape::Node), count }]]
}

/// A chain whose every object owns a weak reference to itself.
fn watched(count: u32) -> Vec<Vec<Op>> {
    let node = Op::New { dst: NEXT, kind: Kind::new(Shape::Node), items: [Place::NOTHING; 2] };
    let script = vec![
        node,
        Op::Set { dst: NEXT.slot(0), src: GRAPH },
        Op::New { dst: WEAK, kind: Kind::new(Shape::Ref), items: [NEXT, Place::NOTHING] },
        Op::Set { dst: NEXT.slot(1), src: WEAK },
        Op::Set { dst: GRAPH, src: NEXT },
    ];
    // The first object has nothing to point to.
    let mut body = vec![Op::New { dst: GRAPH, kind: Kind::new(Shape::Node), items: [Place::NOTHING; 2] }];
    let mut rest = count.saturating_sub(1);
    while rest > 0 {
        let times = rest.min(255) as u8;
        body.push(Op::Repeat { times, script: ScriptId(0) });
        rest -= u32::from(times);
    }
    body.push(Op::Set { dst: WEAK, src: Place::NOTHING });
    body.push(Op::Set { dst: NEXT, src: Place::NOTHING });
    vec![body, script]
}

impl Graph {
    /// Builds the graph, drops it if it is to be trash, and collects it.
    pub fn scenario(&self, count: u32) -> Scenario {
        let mut bodies = (self.ops)(count);
        let main = &mut bodies[0];
        if self.trash {
            main.push(Op::Set { dst: GRAPH, src: Place::NOTHING });
        }
        main.push(Op::Collect { generation: 2 });
        Scenario::from_bodies(&bodies)
    }
}

/// Takes the time from the merge to the end of clearing.
#[derive(Default)]
struct Clock {
    start: Option<Instant>,
    nanoseconds: f64,
}

impl Observer for Clock {
    fn moment(&mut self, moment: Moment, _view: &View<'_>) {
        match moment {
            Moment::Start => self.start = Some(Instant::now()),
            Moment::Cleared => {
                self.nanoseconds = self.start.map_or(0.0, |start| start.elapsed().as_nanos() as f64);
            }
            _ => {}
        }
    }
}

/// The digest of what happens to the objects, without snapshots: they would be part of the time.
struct Deaths(Digest);

impl Sink for Deaths {
    fn event(&mut self, event: Event) {
        self.0.event(event);
    }

    fn wants_snapshots(&self) -> bool {
        false
    }
}

/// How often a collection is repeated; the best counts.
fn rounds(count: u32) -> u32 {
    if count >= 1_000_000 { 2 } else { 5 }
}

/// Nanoseconds per object of one collection by the model.
pub fn model(machine: &mut Machine, graph: &Graph, count: u32) -> f64 {
    let scenario = graph.scenario(count);
    let mut best = f64::MAX;
    for _ in 0..rounds(count) {
        let mut clock = Clock::default();
        let mut sink = Deaths(Digest::new());
        machine.run_observed(&scenario, &mut sink, &mut clock);
        black_box(sink.0.value());
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
    let output = Command::new(program).args(["-E", "-s", "-S", "-c", &script]).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collector::Collector;

    #[test]
    fn every_graph_has_its_objects_and_dies_if_it_is_trash() {
        let collector = Collector::parse("cpython-3.15").unwrap();
        let mut machine = Machine::new(&collector);
        for graph in GRAPHS {
            let mut events: Vec<Event> = Vec::new();
            machine.run(&graph.scenario(600), &mut events);
            let made = events.iter().filter(|e| matches!(e, Event::New { .. })).count();
            assert_eq!(made, 600 * graph.each as usize, "{}", graph.name);
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
