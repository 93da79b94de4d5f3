//! What users would notice of a change of rule, before it is made: two collectors of the model on the same scenarios.
//!
//! Two runs whose events differ need not differ for users: they see what their own code sees. [`Visible`] is that part of
//! a run: which callbacks and finalizers run and in which order, what weak references answer, what code reaches, what is
//! saved, what `gc.collect()` returns, what is in `gc.garbage`, which errors are reported, and whether behaviour is
//! undefined. Reference counts, the collector's lists, and the order of `tp_clear` and of deaths that no code sees are not.
//! [`differences`] names each difference by its [`Aspect`], with both outcomes in words; [`Survey`] counts scenarios by
//! aspect and keeps a small one of each.

mod aspect;
mod difference;
mod survey;
mod visible;

pub use aspect::Aspect;
pub use difference::{Difference, differences};
pub use survey::{Change, Kind, Pair, Reduced, Survey};
pub use visible::Visible;
