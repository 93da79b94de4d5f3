//! libFuzzer's speed on the target `scenario` and what it finds from an empty corpus.
//!
//! * `cargo bench --bench fuzz`: executions per CPU second of `scenario`, against `decode`, and the share of each stage
//! * `cargo bench --bench fuzz -- known`: known bugs of three releases, five seeds each
//! * `cargo bench --bench fuzz -- planted [BUG...]`: planted bugs, with the state counters and without
//!
//! Each builds the targets as `coroner fuzz` does. Figures are for comparison inside one run.

mod finds;
mod run;
mod speed;

use coroner::fuzzing::engine;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if words.contains(&"--test") {
        println!("fuzz: skipped in test mode, it would build instrumented programs");
        return;
    }
    if !cfg!(target_os = "linux") {
        println!("fuzz: skipped, CPU times are read from /proc");
        return;
    }
    let built = std::env::current_dir()
        .map_err(|error| error.to_string())
        .and_then(|here| engine::root(&here).map_err(|error| error.to_string()))
        .and_then(|root| engine::build(&root, &["scenario", "decode"]).map_err(|error| error.to_string()));
    let folder = match built {
        Ok(folder) => folder,
        Err(error) => {
            println!("fuzz: skipped, {error}");
            return;
        }
    };
    match words.as_slice() {
        [] => speed::measure(&folder),
        ["known"] => finds::known(&folder),
        ["planted", bugs @ ..] => finds::planted(&folder, bugs),
        _ => eprintln!("usage: cargo bench --bench fuzz [-- known | planted [BUG...]]"),
    }
}
