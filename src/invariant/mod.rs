//! Judges what a subject did: rebuilds the truth from the scenario and the events and holds the invariants against it.
//!
//! The judge knows nothing of the subject: the same invariants judge the model, a variant of it, a real interpreter and
//! a foreign collector. Give [`Judge::judge`] a scenario, the events of one run and the subject's
//! [`Declaration`](crate::subject::Declaration): what it does on purpose is excused, what it cannot show is not judged. Each invariant is a file here that opens with what it verifies and what
//! it does not; `differential` holds those that run a scenario more than once.

mod coverage;
pub mod differential;
mod fault;
mod judge;
mod registry;
mod shadow;
mod snapshot_lines;
mod violation;
mod violations;

mod i01_no_insane;
mod i01b_no_insane_introspect;
mod i02_no_insane_after;
mod i03_clear_sound;
mod i04_free_once;
mod i05_no_dangling;
mod i06_refcount_exact;
mod i07_fin_once;
mod i08_fin_before_clear;
mod i09_fin_only_garbage;
mod i10_fin_not_lost;
mod i11_ref_dead_in_callback;
mod i12_ref_dead_implies_dying;
mod i13_no_zombie_deref;
mod i14_callback_once;
mod i15_no_callback_from_trash;
mod i16_no_callback_if_alive;
mod i17_callback_order;
mod i19_complete;
mod i20_converge;
mod i21_counts;
mod i22_resurrect_local;
mod i23_tracked;
mod i24_publish_complete;
mod i25_list_integrity;
mod i26_traverse_faithful;
mod i27_clear_safe;
mod i30_weakmap_coherent;
mod i31_exc_preserved;
mod i32_generation;
mod i37_bounded_depth;
mod i40_ephemeron;

#[cfg(test)]
mod tests;

pub use coverage::Coverage;
pub use judge::Judge;
pub use registry::{Description, Invariant, markdown};
pub use violation::{Class, Detail, Phase, Violation};
pub use violations::{Judged, MAX_PER_INVARIANT};
