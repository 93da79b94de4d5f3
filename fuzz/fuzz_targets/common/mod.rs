//! What targets share: the counters that libFuzzer reads, and what the environment asks for.

use coroner::fuzzing::{COUNTERS, Setting};
use std::cell::UnsafeCell;

/// Bytes that only the one thread of a target touches, and libFuzzer between two inputs.
#[repr(align(8))]
struct Shown(UnsafeCell<[u8; COUNTERS]>);

// SAFETY: libFuzzer runs inputs in one thread.
unsafe impl Sync for Shown {}

/// libFuzzer takes every byte of this section for a counter, as if it were code that ran so often. Nothing here reads
/// them: without `used` the compiler removes them.
#[used]
#[cfg_attr(target_os = "linux", unsafe(link_section = "__libfuzzer_extra_counters"))]
static EXTRA_COUNTERS: Shown = Shown(UnsafeCell::new([0; COUNTERS]));

/// Shows libFuzzer the states of a run.
fn show(counters: &[u8; COUNTERS]) {
    // SAFETY: nobody else reads or writes them while an input runs.
    unsafe { *EXTRA_COUNTERS.0.get() = *counters };
}

/// Makes what a target needs from the environment, or ends the process with what is wrong with it.
pub fn from_env<T, E: std::fmt::Display>(make: impl FnOnce(&Setting) -> Result<T, E>) -> T {
    let made = Setting::from_env().map_err(|e| e.to_string()).and_then(|s| make(&s).map_err(|e| e.to_string()));
    made.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        std::process::exit(2)
    })
}

/// Declares the structure-aware mutator and crossover.
#[macro_export]
macro_rules! structured {
    () => {
        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            coroner::fuzzing::mutate(data, size, max_size, seed, libfuzzer_sys::fuzzer_mutate)
        });
        libfuzzer_sys::fuzz_crossover!(|a: &[u8], b: &[u8], out: &mut [u8], seed: u32| {
            coroner::fuzzing::crossover(a, b, out, seed)
        });
    };
}

/// One input on the collectors of a setting; panics with what it breaks.
pub fn judge(scenarios: &mut coroner::fuzzing::Scenarios, data: &[u8]) -> libfuzzer_sys::Corpus {
    let ran = scenarios.run(data);
    if !scenarios.hides_states() {
        show(scenarios.counters());
    }
    if let Some(crash) = &ran.crash {
        panic!("{crash}");
    }
    if scenarios.is_worth_keeping(&ran) { libfuzzer_sys::Corpus::Keep } else { libfuzzer_sys::Corpus::Reject }
}
