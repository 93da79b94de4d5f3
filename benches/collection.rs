//! Nanoseconds per object of one full collection at 10^3 to 10^7 objects, next to `gc.collect()` of an installed
//! CPython on the same graph, and the memory that both take: round by round in turn, in CPU time, so that the load of
//! the machine falls on both or on none.
//!
//! `cargo bench --bench collection` prints the table; `-- --test` runs the smallest size only, `-- --most N` those up
//! to N objects, `-- GRAPH` the graphs whose name contains it. The interpreter is `CORONER_BENCH_PYTHON`, else
//! `python3` on the path; without one its columns are empty.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use coroner::event::{Digest, Event, EventBuffer, Observation};
use coroner::model::collector::Collector;
use coroner::model::machine::{Machine, Observer, PhasePoint, View};
use coroner::scenario::{Bulk, Kind, Op, Place, Scenario, ScriptId, Shape};

/// How the model builds a graph into variable 0.
#[derive(Clone, Copy)]
enum Plan {
    Bulk(Bulk),
    /// A chain of lists of 64: the list before and 63 objects.
    Wide,
    /// A chain of objects that hold themselves and a weak reference to themselves.
    Weakrefs,
}

/// What is collected: a graph, and whether it is trash by then.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    plan: Plan,
    trash: bool,
    /// Builds the same graph in Python, from `n`, and binds it to `graph`.
    python: &'static str,
}

const CHAIN: &str = "graph = None\nfor _ in range(n):\n    o = N(); o.a = graph; graph = o";
const TREE: &str = "all = [N() for _ in range(n)]\nfor i in range(n):\n    if 2*i+1 < n: all[i].a = all[2*i+1]\n    if 2*i+2 < n: all[i].b = all[2*i+2]\ngraph = all[0]; del all";
const WIDE: &str =
    "graph = []\nfor _ in range(n // 64):\n    o = [graph]\n    for _ in range(63): o.append(N())\n    graph = o";
const RING: &str =
    "first = graph = N()\nfor _ in range(n - 1):\n    o = N(); o.a = graph; graph = o\nfirst.b = graph; del first";
const KNOTS: &str = "graph = None\nfor _ in range(n):\n    o = N(); o.a = o; o.b = graph; graph = o";
const WEAKREFS: &str =
    "graph = N()\nfor _ in range(n // 2):\n    o = N(); o.a = graph; o.b = ref(o); o.c = o; graph = o";

const CASES: [Case; 7] = [
    Case { name: "live chain", plan: Plan::Bulk(Bulk::Chain), trash: false, python: CHAIN },
    Case { name: "live tree", plan: Plan::Bulk(Bulk::Tree), trash: false, python: TREE },
    Case { name: "live wide", plan: Plan::Wide, trash: false, python: WIDE },
    Case { name: "live weakrefs", plan: Plan::Weakrefs, trash: false, python: WEAKREFS },
    Case { name: "trash ring", plan: Plan::Bulk(Bulk::Ring), trash: true, python: RING },
    Case { name: "trash knots", plan: Plan::Bulk(Bulk::Knots), trash: true, python: KNOTS },
    Case { name: "trash weakrefs", plan: Plan::Weakrefs, trash: true, python: WEAKREFS },
];

impl Case {
    fn scenario(self, count: u32) -> Scenario {
        let [graph, new] = [0, 1].map(Place::var);
        let node = Kind::new(Shape::Node);
        let make = |dst, shape, of| Op::New { dst, kind: Kind::new(shape), items: [of, Place::NOTHING] };
        let set = |dst, src| Op::Set { dst, src };
        let rounds = |ops: &mut Vec<Op>, mut n: u32| {
            while n > 0 {
                let times = n.min(255) as u8;
                ops.push(Op::Repeat { times, script: ScriptId(0) });
                n -= u32::from(times);
            }
        };
        let (mut ops, mut script) = (Vec::new(), Vec::new());
        match self.plan {
            Plan::Bulk(bulk) => ops.push(Op::Build { dst: graph, bulk, kind: node, count }),
            Plan::Wide => {
                ops.push(make(graph, Shape::List, Place::NOTHING));
                rounds(&mut ops, count / 64);
                script.extend([make(new, Shape::List, Place::NOTHING), set(new.slot(63), graph)]);
                script.extend([make(new.slot(63), Shape::Node, Place::NOTHING); 63]);
            }
            Plan::Weakrefs => {
                ops.push(make(graph, Shape::Node, Place::NOTHING));
                rounds(&mut ops, count / 2);
                script.extend([make(new, Shape::Node, Place::NOTHING), set(new.slot(0), graph)]);
                script.extend([make(new.slot(1), Shape::Ref, new), set(new.slot(2), new)]);
            }
        }
        script.extend([set(graph, new), set(new, Place::NOTHING)]);
        if self.trash {
            ops.push(set(graph, Place::NOTHING));
        }
        ops.push(Op::Collect { generation: 2 });
        Scenario::from_bodies(&[ops, script])
    }
}

/// Takes the CPU time from the merge to the end of clearing.
#[derive(Default)]
struct Clock {
    start: f64,
    nanoseconds: f64,
}

fn cpu_nanoseconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

impl Observer for Clock {
    fn at_phase(&mut self, moment: PhasePoint, _view: &View<'_>) {
        match moment {
            PhasePoint::Start => self.start = cpu_nanoseconds(),
            PhasePoint::Cleared => self.nanoseconds = cpu_nanoseconds() - self.start,
            _ => {}
        }
    }
}

/// One collection: nanoseconds, and what it returned.
fn model(machine: &mut Machine, scenario: &Scenario) -> (f64, u32) {
    let mut clock = Clock::default();
    let (mut memory, mut digest, mut of_last) = (Vec::new(), Digest::new(), 0);
    // The digest of what happens to the objects. Snapshots would be part of the time.
    let mut take = |events: &[Event]| {
        digest.take(events);
        if let Some(Event::CollectEnd { returned, .. }) = events.iter().rfind(|e| matches!(e, Event::CollectEnd { .. }))
        {
            of_last = *returned;
        }
    };
    let mut out = EventBuffer::new(&mut memory).keep(0).observe(Observation::Nothing).pass_to(&mut take);
    machine.run_observed(scenario, None, &mut out, &mut clock);
    out.finish();
    std::hint::black_box(digest.value());
    (clock.nanoseconds, of_last)
}

/// An interpreter that builds and collects the graph of a case once per line that it is sent.
struct Python {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

const PYTHON: &str = "import gc, sys, time
from weakref import ref
gc.disable()
class N(object):
    __slots__ = ('a', 'b', 'c', 'd', '__weakref__')
def status(what):
    for line in open('/proc/self/status'):
        if line.startswith(what): return int(line.split()[1]) * 1024
    return 0
n = COUNT
gc.collect()
before = status('VmRSS')
for line in sys.stdin:
    BUILD
    o = None
    DROP
    t = time.process_time(); returned = gc.collect(); t = time.process_time() - t
    print(t * 1e9, returned, status('VmHWM') - before); sys.stdout.flush()
    if 'graph' in globals():
        # Undone step by step: the deallocation of a deep chain needs a deep stack on some releases.
        todo = [graph]; del graph
        while todo:
            x = todo.pop()
            if type(x) is list: todo.extend(x); del x[:]
            elif type(x) is N:
                for s in 'abc':
                    if hasattr(x, s): todo.append(getattr(x, s)); delattr(x, s)
";

impl Python {
    fn start(interpreter: &str, case: Case, count: u32) -> Option<Python> {
        let script = PYTHON
            .replace("COUNT", &count.to_string())
            .replace("BUILD", &case.python.replace('\n', "\n    "))
            .replace("DROP", if case.trash { "del graph" } else { "pass" });
        let mut child = Command::new(interpreter)
            .args(["-I", "-S", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let (orders, answers) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        Some(Python { child, orders, answers })
    }

    /// One collection: nanoseconds, what it returned, and the peak of the memory so far.
    fn round(&mut self) -> Option<(f64, u32, f64)> {
        self.orders.write_all(b"\n").ok()?;
        let mut line = String::new();
        self.answers.read_line(&mut line).ok()?;
        let mut words = line.split_whitespace();
        Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn measure(collector: &Collector, interpreter: &str, case: Case, count: u32) {
    let scenario = case.scenario(count);
    let mut machine = Machine::new(collector);
    let mut python = Python::start(interpreter, case, count);
    let (mut ours, mut theirs, mut peak) = (f64::MAX, None::<f64>, 0.0);
    for _ in 0..if count >= 10_000_000 { 2 } else { 5 } {
        let (time, returned) = model(&mut machine, &scenario);
        ours = ours.min(time);
        let Some((time, expected, bytes)) = python.as_mut().and_then(Python::round) else { continue };
        assert_eq!(
            returned, expected,
            "{} of {count}: the model and the interpreter collect different graphs",
            case.name
        );
        theirs = Some(theirs.map_or(time, |t| t.min(time)));
        peak = bytes;
    }
    let per = |x: f64| x / f64::from(count);
    let memory = per(machine.bytes() as f64);
    print!("{:<14} {count:>10} {:>8.1}", case.name, per(ours));
    match theirs {
        Some(theirs) => {
            println!(" {:>8.1} {:>6.2} {memory:>8.0} {:>8.0}", per(theirs), ours / theirs, per(peak));
        }
        None => println!(" {:>8} {:>6} {memory:>8.0} {:>8}", "-", "-", "-"),
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let most = match args.iter().position(|a| a == "--most") {
        Some(at) => args.get(at + 1).and_then(|n| n.parse().ok()).expect("--most takes a number"),
        None if args.iter().any(|a| a == "--test") => 1_000,
        None => 10_000_000,
    };
    let word = args.iter().find(|a| !a.starts_with('-') && a.parse::<u32>().is_err());
    let interpreter = std::env::var("CORONER_BENCH_PYTHON").unwrap_or_else(|_| "python3".to_string());
    let collector = Collector::parse("cpython-3.14").expect("a collector of the table");
    println!("full collection; {} against {interpreter}", collector.name);
    println!("{:<14} {:>10} {:>17} {:>6} {:>17}", "", "", "ns per object", "", "bytes per object");
    println!(
        "{:<14} {:>10} {:>8} {:>8} {:>6} {:>8} {:>8}",
        "graph", "objects", "model", "CPython", "ratio", "model", "CPython"
    );
    for case in CASES.into_iter().filter(|case| word.is_none_or(|word| case.name.contains(word.as_str()))) {
        for count in [1_000, 10_000, 100_000, 1_000_000, 10_000_000].into_iter().filter(|n| *n <= most) {
            measure(&collector, &interpreter, case, count);
        }
    }
}
