//! No quadratic behaviour: every large shape, twice as large, may take little more than twice the instructions, in each thing
//! that is done with a scenario.
//!
//! `cargo bench --bench growth` prints the factors and fails above the bound. Without valgrind there is one line and
//! no failure.

mod callgrind;

use std::hint::black_box;
use std::process::ExitCode;

use coroner::campaign::Examiner;
use coroner::event::{Event, EventBuffer};
use coroner::explain::{self, Judged};
use coroner::findings::Baseline;
use coroner::generate::Large;
use coroner::invariant::Judge;
use coroner::lookup::Collectors;
use coroner::model::collector::Collector;
use coroner::model::machine::Machine;
use coroner::model::rows::Rows;
use coroner::regression::Runner;
use coroner::scenario::text::{self, Document};
use coroner::scenario::{Scenario, binary};
use coroner::subject::Declaration;

/// Objects of the smaller graph.
const OBJECTS: u32 = 4_000;
/// The most that twice the objects may cost: a quadratic part of a tenth would be 2.2.
const MOST: f64 = 2.2;

/// What is done with one scenario.
struct Work {
    shape: Large,
    count: u32,
    scenario: Scenario,
    text: String,
    bytes: Vec<u8>,
    document: Document,
    machine: Machine,
    collector: Collector,
    declaration: Declaration,
    judge: Judge,
    events: Vec<Event>,
    baseline: Baseline,
}

impl Work {
    fn new(shape: Large, count: u32) -> Work {
        let collector = Collector::parse("cpython-3.15").expect("a collector of the table");
        let scenario = shape.scenario(count, true);
        let text = text::print(&scenario);
        Work {
            shape,
            count,
            bytes: binary::encode_to_vec(&scenario),
            document: text::parse(&text).expect("what was printed can be read"),
            text,
            machine: Machine::new(&collector),
            declaration: Declaration::of_release(&collector.name, collector.release),
            collector,
            judge: Judge::new(),
            events: Vec::new(),
            baseline: Baseline::committed(&Collector::row_names()).expect("the committed baseline"),
            scenario,
        }
    }
}

/// A function of its own for each thing and size, whose name callgrind knows.
macro_rules! counted {
    ($($once:ident $twice:ident = $body:expr,)*) => {
        $(
            #[inline(never)]
            fn $once(work: &mut Work) { black_box(stringify!($once)); let body: fn(&mut Work) = $body; body(work); }
            #[inline(never)]
            fn $twice(work: &mut Work) { black_box(stringify!($twice)); let body: fn(&mut Work) = $body; body(work); }
        )*

        const NAMES: &[&str] = &[$(stringify!($once), stringify!($twice),)*];

        fn work(shape: Large) {
            let mut once = Work::new(shape, OBJECTS);
            let mut twice = Work::new(shape, 2 * OBJECTS);
            $(
                $once(&mut once);
                $twice(&mut twice);
            )*
        }
    };
}

counted! {
    generate_1 generate_2 = |work| { black_box(work.shape.scenario(work.count, true)); },
    run_1 run_2 = |work| {
        work.machine.run(&work.scenario, &mut EventBuffer::new(&mut work.events));
    },
    judge_1 judge_2 = |work| {
        black_box(work.judge.judge(&work.scenario, &work.events, &work.declaration).len());
    },
    print_1 print_2 = |work| { black_box(text::print(&work.scenario).len()); },
    parse_1 parse_2 = |work| { black_box(text::parse(&work.text).is_ok()); },
    encode_1 encode_2 = |work| { black_box(binary::encode_to_vec(&work.scenario).len()); },
    decode_1 decode_2 = |work| { black_box(binary::decode(&work.bytes).is_ok()); },
    normalize_1 normalize_2 = |work| { black_box(work.scenario.normalize().ops().len()); },
    explain_1 explain_2 = |work| {
        let mut examiner = Examiner::new(&Rows::one(&work.collector), &work.baseline);
        let examined = examiner.examine(&work.document.scenario, true);
        let judged = Judged { violations: examined.violations, digest: examined.digest, real: None };
        let run = explain::record(&work.document, &work.collector, judged);
        black_box(coroner::report::text::explanation::text(&run, &explain::explain(&run), true, false).len());
    },
    replay_1 replay_2 = |work| { black_box(Runner::new(&Collectors).outcome(&work.document, &Rows::one(&work.collector)).is_ok()); },
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|a| a == callgrind::CHILD) {
        let shape = arguments.last().and_then(|n| n.parse::<usize>().ok()).expect("the number of a shape");
        work(Large::ALL[shape]);
        return ExitCode::SUCCESS;
    }
    if arguments.iter().any(|a| a == "--test") {
        println!("skipped: a step of its own");
        return ExitCode::SUCCESS;
    }
    let mut steep = 0;
    for (number, shape) in Large::ALL.iter().enumerate() {
        let Some(counts) = callgrind::count(NAMES, &[&number.to_string()]) else {
            println!("skipped: valgrind is not installed");
            return ExitCode::SUCCESS;
        };
        print!("{:<16}", shape.word());
        for pair in NAMES.chunks_exact(2) {
            let [once, twice] = [counts[pair[0]], counts[pair[1]]];
            assert!(once > 0, "callgrind missed {}", pair[0]);
            let factor = twice as f64 / once as f64;
            let is_steep = factor > MOST;
            steep += u32::from(is_steep);
            print!(" {}{} {factor:.2}", if is_steep { "!" } else { "" }, pair[0].trim_end_matches("_1"));
        }
        println!();
    }
    println!("factor for twice the objects; {steep} above {MOST}");
    ExitCode::from(u8::from(steep > 0))
}
