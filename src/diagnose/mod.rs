//! Why something differs: the first release and switch that change an outcome, which switches explain what an interpreter
//! does, which switches a comparison sees, what a collection at any other place would do.

mod bisect;
mod causes;
pub mod sweeps;
mod switch_sensitivity;

pub use bisect::{Change, bisect};
pub use causes::{Cause, Causes, RealRun, causes, first_phase, real_runs};
pub use switch_sensitivity::{Flip, flip_each_switch};
