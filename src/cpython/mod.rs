//! Real CPython interpreters as subjects: finds them, builds the probe for each, feeds it and reads what happened.

mod asked;
pub mod audit;
mod cache;
mod child;
mod compile;
mod complaints;
mod find;
mod identity;
mod interpreter;
mod layout;
mod native;
mod observed;

pub use asked::Asked;
pub use cache::{CachedProbe, MOST_PROBES, cache_dir, cached, clear};
pub use compile::{SetupError, probe};
pub use find::{Resolved, installed, resolve};
pub use identity::{FindError, Interpreter, tell_apart};
pub use interpreter::{BatchedRun, Python};
pub use native::{NativeStack, native_stack};
pub use observed::{HIDDEN, Hidden, OBSERVED, Observed, Source, observed_markdown, observed_on};
