//! Nanoseconds per object of one full collection at 10^3 to 10^7 objects, next to `gc.collect()` of an installed
//! CPython on the same graph, both in one run.
//!
//! `cargo bench --bench collection` prints the table; `-- --test` runs the small sizes only. The interpreter is
//! `CORONER_BENCH_PYTHON`, else `python3` on the path; without one its column is empty and says so.

use std::path::Path;

use coroner::bench::collection::{GRAPHS, interpreter, model};
use coroner::collector::Collector;
use coroner::run::Machine;

fn main() {
    let test = std::env::args().any(|a| a == "--test");
    let program = std::env::var("CORONER_BENCH_PYTHON").unwrap_or_else(|_| "python3".to_string());
    let sizes: &[u32] = if test { &[1_000] } else { &[1_000, 10_000, 100_000, 1_000_000, 10_000_000] };
    let collector = Collector::parse("cpython-3.14").expect("a collector of the table");
    let mut machine = Machine::new(&collector);
    println!("full collection, ns per object; {} against {program}", collector.name);
    println!("{:<13} {:>10} {:>8} {:>8} {:>7}", "graph", "objects", "model", "CPython", "ratio");
    for graph in &GRAPHS {
        for &count in sizes {
            let ours = model(&mut machine, graph, count);
            match interpreter(Path::new(&program), graph, count) {
                Some(theirs) => {
                    println!("{:<13} {count:>10} {ours:>8.1} {theirs:>8.1} {:>7.2}", graph.name, ours / theirs);
                }
                None => println!("{:<13} {count:>10} {ours:>8.1} {:>8} {:>7}", graph.name, "skipped", "-"),
            }
        }
    }
}
