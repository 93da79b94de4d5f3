//! Executions per CPU second, and what each stage of an input takes.

use std::path::Path;

use coroner::corpus::store;
use coroner::generate::{Generator, Profile, Seed, Size};
use coroner::scenario::binary::encode_to_vec;

use crate::run::run;

/// Scenarios of the corpus.
const INPUTS: u64 = 300;
const EXECUTIONS: u64 = 100_000;
const ROUNDS: u32 = 3;

/// What is run in each round, in this order, and the environment that makes the program stop there.
const RUNS: [(&str, &str, &str); 5] = [
    ("decode (target)", "decode", "judge"),
    ("scenario", "scenario", "judge"),
    ("until run", "scenario", "run"),
    ("until decode", "scenario", "decode"),
    ("engine only", "scenario", "engine"),
];

pub fn measure(programs: &Path) {
    let corpus = tempfile::tempdir().expect("a temporary folder");
    let profile = Profile::named("default").expect("a profile of the table");
    let mut generator = Generator::new(Seed::from(1), profile, Size::Small);
    let (mut objects, mut ops) = (0, 0);
    for n in 0..INPUTS {
        let scenario = generator.make(n);
        objects += scenario.ops().iter().filter(|op| op.kind().is_some()).count();
        ops += scenario.ops().len();
        store(&encode_to_vec(&scenario), corpus.path()).expect("a temporary file");
    }
    let files = std::fs::read_dir(corpus.path()).expect("a temporary folder").flatten();
    let mut names: Vec<String> = files.map(|file| file.path().to_string_lossy().into_owned()).collect();
    names.sort();
    let list = corpus.path().join("list");
    std::fs::write(&list, names.join(",")).expect("a temporary file");
    let mean = |sum: usize| sum as f64 / INPUTS as f64;
    println!("{INPUTS} inputs of {:.1} objects and {:.1} operations on average", mean(objects), mean(ops));
    println!("{ROUNDS} rounds of {EXECUTIONS} executions, microseconds of CPU time per execution:");
    // What reading the corpus and starting takes is measured as well, and taken off.
    let mut micros = [[0.0; RUNS.len()]; 2];
    for round in 1..=ROUNDS {
        for (which, (_, program, stage)) in RUNS.iter().enumerate() {
            for (of, runs) in [INPUTS + 1, EXECUTIONS].into_iter().enumerate() {
                // Every stage mutates the same inputs, whether they add something there or not.
                let inputs = [format!("-seed_inputs=@{}", list.display()), "-keep_seed=1".to_owned()];
                let arguments = [inputs.as_slice(), &[format!("-seed={round}"), format!("-runs={runs}")]].concat();
                // Everything is judged, and nothing ends a run early: I41 needs several runs and is never broken by one.
                let environment =
                    [("CORONER_STAGE", *stage), ("CORONER_COLLECTOR", "cpython-3.15"), ("CORONER_INVARIANT", "I41")];
                let outcome = run(&programs.join(program), &arguments, &environment);
                assert!(outcome.crash.is_none(), "{program} failed");
                micros[of][which] += outcome.cpu.as_secs_f64() * 1e6;
            }
        }
    }
    let executions = f64::from(ROUNDS) * (EXECUTIONS - INPUTS - 1) as f64;
    let each: [f64; RUNS.len()] = std::array::from_fn(|i| (micros[1][i] - micros[0][i]) / executions);
    for ((name, _, _), micros) in RUNS.iter().zip(each) {
        println!("  {name:<16} {micros:>7.2}   {:>9.0} per CPU second", 1e6 / micros);
    }
    let [decode, all, run, read, engine] = each;
    println!("scenario against decode: {:.3}", decode / all);
    let share = |part: f64| 100.0 * part / all;
    let shares = [share(engine), share(read - engine), share(run - read), share(all - run)];
    println!(
        "share: engine {:.0} %, decode {:.0} %, run {:.0} %, judge {:.0} %",
        shares[0], shares[1], shares[2], shares[3]
    );
}
