//! Why something differs: the first release and switch that change an outcome, which switches a comparison sees, what a
//! collection at any other place would do.

mod bisect;
pub mod sweeps;
mod switch_sensitivity;

pub use bisect::{Change, bisect};
pub use switch_sensitivity::{Flip, flip_each_switch};
