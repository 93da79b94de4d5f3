//! Nanoseconds per object of one full collection at 10^3 to 10^7 objects, next to `gc.collect()` of an installed
//! CPython on the same graph, both in one run.
//!
//! `cargo bench --bench collection` prints the table; `-- --test` runs the small sizes only. The interpreter is
//! `CORONER_BENCH_PYTHON`, else `python3` on the path; without one its column is empty and says so.

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use coroner::collector::Collector;
use coroner::event::Digest;
use coroner::run::{Machine, Moment, Observer, View};
use coroner::scenario::{Bulk, Kind, Op, Place, Scenario, Shape};

/// What is collected: a graph, and whether it is trash by then.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    bulk: Bulk,
    trash: bool,
    /// Builds the same graph in Python, from `n`, and binds it to `graph`.
    python: &'static str,
}

const CASES: [Case; 4] = [
    Case {
        name: "live chain",
        bulk: Bulk::Chain,
        trash: false,
        python: "graph = None\nfor _ in range(n):\n    o = N(); o.a = graph; graph = o",
    },
    Case {
        name: "live tree",
        bulk: Bulk::Tree,
        trash: false,
        python: "all = [N() for _ in range(n)]\nfor i in range(n):\n    if 2*i+1 < n: all[i].a = all[2*i+1]\n    if 2*i+2 < n: all[i].b = all[2*i+2]\ngraph = all[0]; del all",
    },
    Case {
        name: "trash ring",
        bulk: Bulk::Ring,
        trash: true,
        python: "first = graph = N()\nfor _ in range(n - 1):\n    o = N(); o.a = graph; graph = o\nfirst.b = graph; del first, o",
    },
    Case {
        name: "trash knots",
        bulk: Bulk::Knots,
        trash: true,
        python: "graph = None\nfor _ in range(n):\n    o = N(); o.a = o; o.b = graph; graph = o\ndel o",
    },
];

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

impl coroner::event::Sink for Deaths {
    fn event(&mut self, event: coroner::event::Event) {
        self.0.event(event);
    }

    fn wants_snapshots(&self) -> bool {
        false
    }
}

fn model(machine: &mut Machine, case: Case, count: u32) -> f64 {
    let graph = Place::var(0);
    let mut ops = vec![Op::Build { dst: graph, bulk: case.bulk, kind: Kind::new(Shape::Node), count }];
    if case.trash {
        ops.push(Op::Set { dst: graph, src: Place::NOTHING });
    }
    ops.push(Op::Collect { generation: 2 });
    let scenario = Scenario::from_bodies(&[ops]);
    let mut best = f64::MAX;
    for _ in 0..if count >= 1_000_000 { 2 } else { 5 } {
        let mut clock = Clock::default();
        let mut sink = Deaths(Digest::new());
        machine.run_observed(&scenario, &mut sink, &mut clock);
        black_box(sink.0.value());
        best = best.min(clock.nanoseconds);
    }
    best / f64::from(count)
}

fn python(interpreter: &str, case: Case, count: u32) -> Option<f64> {
    let drop = if case.trash { "del graph" } else { "" };
    let script = format!(
        "import gc, time\ngc.disable()\nclass N(object):\n    __slots__ = ('a', 'b', 'c', 'd', '__weakref__')\nbest = 1e99\n\
         for _ in range(3):\n    n = {count}\n    {}\n    {drop}\n    t = time.perf_counter(); gc.collect(); best = min(best, time.perf_counter() - t)\n    \
         keep = globals().pop('graph', None)\n    while keep is not None: keep, k = getattr(keep, 'a', None), keep; k = None\nprint(best / n * 1e9)",
        case.python.replace('\n', "\n    "),
    );
    let output = Command::new(interpreter).args(["-I", "-S", "-c", &script]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn main() {
    let test = std::env::args().any(|a| a == "--test");
    let interpreter = std::env::var("CORONER_BENCH_PYTHON").unwrap_or_else(|_| "python3".to_string());
    let sizes: &[u32] = if test { &[1_000] } else { &[1_000, 10_000, 100_000, 1_000_000, 10_000_000] };
    let collector = Collector::parse("cpython-3.14").expect("a collector of the table");
    let mut machine = Machine::new(&collector);
    println!("full collection, ns per object; {} against {interpreter}", collector.name);
    println!("{:<12} {:>10} {:>8} {:>8} {:>7}", "graph", "objects", "model", "CPython", "ratio");
    for case in CASES {
        for &count in sizes {
            let ours = model(&mut machine, case, count);
            match python(&interpreter, case, count) {
                Some(theirs) => {
                    println!("{:<12} {count:>10} {ours:>8.1} {theirs:>8.1} {:>7.2}", case.name, ours / theirs);
                }
                None => println!("{:<12} {count:>10} {ours:>8.1} {:>8} {:>7}", case.name, "skipped", "-"),
            }
        }
    }
}
