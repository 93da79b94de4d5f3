//! The reductions, one family per file. A pass goes through the best scenario once, from its end, and stays where it is
//! when something is accepted; it does not repeat itself.

mod kinds;
mod merge;
mod operations;
mod order;
mod places;
mod relocate;
mod remove;
mod script;
mod slots;

use super::Reduction;
use super::search::Search;

/// A family of reductions.
pub(super) type Pass = fn(&mut Search);

/// Passes that remove something; repeated until nothing goes any more.
pub(super) const REMOVAL: &[(Reduction, Pass)] = &[
    (Reduction::Tail, remove::tail),
    (Reduction::Runs, remove::runs),
    (Reduction::Scripts, remove::scripts),
    (Reduction::Variables, remove::variables),
    (Reduction::Places, places::empty),
    (Reduction::MergeVariables, merge::variables),
    (Reduction::SplitVariables, merge::split),
    (Reduction::MergeScripts, merge::scripts),
    (Reduction::Fold, relocate::fold),
    (Reduction::Bypass, relocate::bypass),
    (Reduction::Transfer, script::transfer),
    (Reduction::Inline, script::inline),
    (Reduction::Kinds, kinds::lower),
    (Reduction::Adopt, relocate::adopt),
];

/// Passes that simplify what is left. After each success the removals are tried again.
pub(super) const CLEANUP: &[(Reduction, Pass)] = &[
    (Reduction::Pairs, remove::pairs),
    (Reduction::Exchange, kinds::exchange),
    (Reduction::Rehost, script::rehost),
    (Reduction::Operations, operations::simplify),
    (Reduction::Collections, operations::collections),
    (Reduction::Numbers, operations::numbers),
    (Reduction::Paths, places::simplify),
    (Reduction::Slots, slots::lower),
    (Reduction::Order, order::reorder),
];
