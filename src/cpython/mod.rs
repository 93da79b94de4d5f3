//! Real CPython interpreters as subjects: finds them, builds the probe for each, feeds it and reads what happened.

mod compile;
mod find;
mod layout;
pub mod lockstep;
mod subject;
mod worker;

pub use compile::{SetupError, cache_dir, probe};
pub use find::{FindError, Interpreter, installed, resolve};
pub use subject::{Limits, Outcome, Python};
