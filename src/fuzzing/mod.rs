//! What the fuzz targets do, as functions that any program can call.
//!
//! An input is a scenario in binary form. Any bytes mean one, but what [`mutate`] and [`crossover`] write is always
//! strictly valid, so the file of a crash is a scenario file: `coroner` replays, explains and shrinks it.

#[cfg(feature = "arbitrary")]
mod arbitrary;
mod compare;
mod decoders;
pub mod engine;
mod mutation;
mod scenarios;
mod state_counters;

pub use compare::{Compare, Difference};
pub use decoders::{binary, text};
pub use mutation::{MAX_OPS, canonical, crossover, mutate, read};
pub use scenarios::{Crash, Ran, Scenarios, Setting, SettingError, Stage, VARIABLES};
pub use state_counters::{COUNTERS, StateCounters};

/// The fuzz targets, each with what it is for.
pub const TARGETS: [(&str, &str); 6] = [
    ("scenario", "one collector per input, judged by the invariants of single runs"),
    ("compare", "two collectors per input, which must show user code the same"),
    ("text", "the reader and printer of the text form"),
    ("binary", "the readers and the writer of the binary form"),
    ("decode", "the reader alone: the measure of the speed of the others"),
    ("canary", "a collector with a planted bug: fails on purpose"),
];

/// The collector of the target `canary`.
pub const CANARY: &str = "cpython-3.15.0+bug-count-one-more";
