//! Judges what a subject did: rebuilds the truth from the scenario and the events and holds the invariants against it.
//!
//! The judge knows nothing of the subject: the same invariants judge the model, a variant of it, a real interpreter and
//! a foreign collector. Give [`Judge::judge`] a scenario, the events of one run and the subject's
//! [`Declaration`](crate::subject::Declaration): what it does on purpose is excused, what it cannot show is not judged.
//! Each invariant is a file here that opens with what it verifies and what it does not; `differential` holds those that
//! run a scenario more than once.

/// The table of invariants: code, name, whether one run shows it or it takes several, and its file, in which an invariant of
/// one run implements [`Check`](check::Check) for a type called as the code. Hands the lines to the macro `$take`.
macro_rules! invariants {
    ($take:ident! $($with:tt)*) => { $take! { $($with)* =>
        I01 "no-insane" one i01_no_insane;
        I01b "no-insane-introspect" one i01b_no_insane_introspect;
        I02 "no-insane-after" one i02_no_insane_after;
        I03 "clear-sound" one i03_clear_sound;
        I04 "free-once" one i04_free_once;
        I05 "no-dangling" one i05_no_dangling;
        I06 "refcount-exact" one i06_refcount_exact;
        I07 "fin-once" one i07_fin_once;
        I08 "fin-before-clear" one i08_fin_before_clear;
        I09 "fin-only-garbage" one i09_fin_only_garbage;
        I10 "fin-not-lost" one i10_fin_not_lost;
        I11 "ref-dead-in-callback" one i11_ref_dead_in_callback;
        I12 "ref-dead-implies-dying" one i12_ref_dead_implies_dying;
        I13 "no-zombie-deref" one i13_no_zombie_deref;
        I14 "callback-once" one i14_callback_once;
        I15 "no-callback-from-trash" one i15_no_callback_from_trash;
        I16 "no-callback-if-alive" one i16_no_callback_if_alive;
        I17 "callback-order" one i17_callback_order;
        I18 "path-independence" several i18_path_independence;
        I19 "complete" one i19_complete;
        I20 "converge" one i20_converge;
        I21 "counts" one i21_counts;
        I22 "resurrect-local" one i22_resurrect_local;
        I23 "tracked" one i23_tracked;
        I24 "publish-complete" one i24_publish_complete;
        I25 "list-integrity" one i25_list_integrity;
        I26 "traverse-faithful" one i26_traverse_faithful;
        I27 "clear-safe" one i27_clear_safe;
        I30 "weakmap-coherent" one i30_weakmap_coherent;
        I31 "exc-preserved" one i31_exc_preserved;
        I32 "generation" one i32_generation;
        I37 "bounded-depth" one i37_bounded_depth;
        I38 "steady-state" several i38_steady_state;
        I39 "progress" one i39_progress;
        I40 "ephemeron" one i40_ephemeron;
        I41 "same-order" several i41_same_order;
        I52 "no-answer-after-fin" one i52_no_answer_after_fin;
    } };
}

#[macro_use]
mod check;
mod coverage;
mod description;
mod descriptions;
pub mod differential;
mod fault;
mod judge;
mod moments;
mod outlived;
mod page;
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
mod i39_progress;
mod i40_ephemeron;
mod i52_no_answer_after_fin;

#[cfg(test)]
mod tests;

pub use coverage::Coverage;
pub use description::{Description, Ground};
pub use judge::Judge;
pub use page::markdown;
pub use registry::Invariant;
pub use violation::{Class, Detail, Phase, Violation};
pub use violations::{Judged, MAX_PER_INVARIANT};
