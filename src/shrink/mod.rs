//! Makes a scenario small while the caller's predicate holds.
//!
//! Scenarios are totally ordered: fewer objects, then fewer operations, fewer scripts, simpler kinds, smaller
//! operands, and last the order of their operations (see [`Measure`]). A reduction is accepted only if its result is
//! smaller in this order and the predicate holds for it, so every search ends. All candidates are in normal form
//! ([`Scenario::normalize`]), which is what makes two findings of one bug end as the same text.
//!
//! The search ends when one full round of all [`Reduction`]s accepts nothing: the result is then *minimal*, no single
//! reduction makes it smaller. [`check_minimal`] tests that claim for any scenario. Everything is deterministic, and
//! the bound is a number of tries, never time.

mod edit;
mod measure;
mod minimality;
mod pass;
mod search;

#[cfg(test)]
mod tests;

pub use measure::Measure;
pub use minimality::Minimality;

use crate::scenario::Scenario;
use search::Search;
use std::cell::Cell;

/// The families of reductions. The order is the order in which a round applies them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Reduction {
    /// Removes the end of the mutator's body.
    Tail,
    /// Removes runs of operations of any body, down to single ones.
    Runs,
    /// Takes a script from everything that names it.
    Scripts,
    /// Removes a variable with every operation that uses it.
    Variables,
    /// Replaces a place by nothing: an item, a callback, the content that is stored.
    Places,
    /// Renames one variable to another, with or without the operation that creates its object.
    MergeVariables,
    /// Gives the second of two objects created into one variable a variable of its own.
    SplitVariables,
    /// Makes two scripts one.
    MergeScripts,
    /// Creates an object right where it is stored later.
    Fold,
    /// Takes an object out from between two others.
    Bypass,
    /// Removes an object that only lends its script to others; another gets the script as its finalizer.
    Transfer,
    /// Replaces an operation by the operations of a script.
    Inline,
    /// Lowers a kind: plainer shape, fewer peculiarities, less user code.
    Kinds,
    /// Creates an object in a slot of another object instead of a variable of its own.
    Adopt,
    /// Removes two operations at once.
    Pairs,
    /// Has an object without GC support where edges were hidden.
    Exchange,
    /// Gives the finalizer of one object to another.
    Rehost,
    /// Replaces an operation by a simpler one.
    Operations,
    /// Replaces what brings about a collection later by a full collection.
    Collections,
    /// Lowers counts, thresholds and delays; prefers full collections.
    Numbers,
    /// Shortens paths, and names objects by simpler places.
    Paths,
    /// Lowers and exchanges slots.
    Slots,
    /// Moves an operation to another place in its body.
    Order,
}

impl Reduction {
    /// Every reduction, in the order of a round.
    pub const ALL: [Reduction; 23] = [
        Reduction::Tail,
        Reduction::Runs,
        Reduction::Scripts,
        Reduction::Variables,
        Reduction::Places,
        Reduction::MergeVariables,
        Reduction::SplitVariables,
        Reduction::MergeScripts,
        Reduction::Fold,
        Reduction::Bypass,
        Reduction::Transfer,
        Reduction::Inline,
        Reduction::Kinds,
        Reduction::Adopt,
        Reduction::Pairs,
        Reduction::Exchange,
        Reduction::Rehost,
        Reduction::Operations,
        Reduction::Collections,
        Reduction::Numbers,
        Reduction::Paths,
        Reduction::Slots,
        Reduction::Order,
    ];

    /// The name in progress and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Reduction::Tail => "cut the tail",
            Reduction::Runs => "remove operations",
            Reduction::Scripts => "detach scripts",
            Reduction::Variables => "remove variables",
            Reduction::Places => "empty places",
            Reduction::MergeVariables => "merge variables",
            Reduction::SplitVariables => "split variables",
            Reduction::MergeScripts => "merge scripts",
            Reduction::Fold => "create in place",
            Reduction::Bypass => "bypass objects",
            Reduction::Transfer => "transfer scripts",
            Reduction::Inline => "inline scripts",
            Reduction::Kinds => "simplify kinds",
            Reduction::Adopt => "adopt objects",
            Reduction::Exchange => "exchange peculiarities",
            Reduction::Rehost => "move finalizers",
            Reduction::Pairs => "remove pairs of operations",
            Reduction::Operations => "simplify operations",
            Reduction::Collections => "collect explicitly",
            Reduction::Numbers => "lower numbers",
            Reduction::Paths => "simplify places",
            Reduction::Slots => "lower slots",
            Reduction::Order => "reorder operations",
        }
    }
}

/// How long a search may go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Highest number of calls of the predicate, the confirmation included.
    pub tries: u64,
}

impl Default for Budget {
    /// 20,000 tries: several times what a finding of the default profile takes.
    fn default() -> Budget {
        Budget { tries: 20_000 }
    }
}

/// The state of a search after a try.
#[derive(Debug)]
pub struct Progress<'a> {
    /// Calls of the predicate so far.
    pub tries: u64,
    /// The reduction being tried.
    pub reduction: Reduction,
    /// The smallest scenario so far that satisfies the predicate.
    pub best: &'a Scenario,
    /// True if the last try made `best` smaller.
    pub improved: bool,
    stop: &'a Cell<bool>,
}

impl Progress<'_> {
    /// Ends the search after this try; the result is the best so far and does not claim to be minimal.
    pub fn stop(&self) {
        self.stop.set(true);
    }
}

/// What a search found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Minimized {
    /// The smallest scenario found; the input itself if the predicate does not hold for that.
    pub scenario: Scenario,
    /// Calls of the predicate.
    pub tries: u64,
    /// False if the predicate does not hold for the input: nothing was reduced.
    pub confirmed: bool,
    /// True if no single reduction makes the result smaller.
    pub minimal: bool,
}

impl Minimized {
    /// What a file of the result says about it.
    pub fn claim(&self) -> Minimality {
        Minimality::new(self.minimal, self.tries)
    }
}

/// Finds a small scenario for which the predicate holds, starting from one for which it does.
///
/// The predicate is called on the input first. It must be a function of the scenario alone. `progress` is called
/// after each try.
pub fn minimize(
    scenario: &Scenario,
    predicate: &mut dyn FnMut(&Scenario) -> bool,
    budget: Budget,
    progress: &mut dyn FnMut(&Progress),
) -> Minimized {
    let mut search = Search::new(scenario, predicate, budget, progress);
    let confirmed = search.confirm();
    let minimal = confirmed && search.run();
    Minimized { tries: search.tries(), confirmed, minimal, scenario: search.into_best() }
}

/// Tries every reduction of a scenario once.
///
/// # Errors
/// The first smaller scenario for which the predicate holds.
pub fn check_minimal(scenario: &Scenario, predicate: &mut dyn FnMut(&Scenario) -> bool) -> Result<(), Scenario> {
    let mut ignore = |_: &Progress| {};
    let mut search = Search::new(scenario, predicate, Budget { tries: u64::MAX }, &mut ignore);
    if search.check() { Ok(()) } else { Err(search.into_best()) }
}
