//! Regression files: scenarios of known bugs with the outcome that each collector must show.
//!
//! [`load`] reads a file or a folder, [`Runner::check`] compares a file's expectations with what its collectors do,
//! and [`Runner::bless`] writes what they do into the expectations.
//!
//! ```
//! use coroner::lookup::Collectors;
//! use coroner::regression::Runner;
//! use coroner::scenario::text;
//!
//! let mut document = text::parse("coroner 1\nsame: a plain cycle\na = Node()\na[0] = a\ndel a\ncollect(2)\n").unwrap();
//! let mut runner = Runner::new(&Collectors);
//! runner.bless(&mut document).unwrap();
//! assert!(runner.check(&document).is_empty());
//! document.expectations[0].digest = Some(0);
//! assert_eq!(runner.check(&document).len(), 1);
//! ```

mod bless;
mod check;
mod goal;
mod load;
mod on_interpreter;
mod outcome;
mod preserved_outcome;

pub use bless::{BlessError, Blessed, bless_file};
pub use check::{Mismatch, Report, compare};
pub use goal::{Goal, NothingShown};
pub use load::{Case, Reason, Unreadable, load};
pub use on_interpreter::Replayed;
pub use outcome::{Outcome, Runner, Topic, facts};
pub use preserved_outcome::PreservedOutcome;
