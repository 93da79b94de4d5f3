//! Real CPython interpreters as subjects: finds them, builds the probe for each, feeds it and reads what happened.

mod asked;
pub mod audit;
mod child;
mod compile;
mod complaints;
mod find;
mod identity;
mod interpreter;
mod layout;
mod observed;

pub use asked::Asked;
pub use compile::{SetupError, cache_dir, probe};
pub use find::{Resolved, installed, resolve};
pub use identity::{FindError, Interpreter, tell_apart};
pub use interpreter::{BatchedRun, Python};
pub use observed::{HIDDEN, Hidden, OBSERVED, Observed, Source, observed_markdown, observed_on};
