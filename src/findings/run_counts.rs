//! How much of what was run says something: without that, nothing found means nothing.

use serde::Serialize;

/// How the runs of one subject ended. Each is counted once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct RunCounts {
    /// All of them.
    pub runs: u64,
    /// Judged, or compared, to the last event.
    pub whole: u64,
    /// Ended where behaviour is undefined: judged, or compared, up to there.
    pub undefined: u64,
    /// The subject cannot run the scenario.
    pub unsupported: u64,
    /// A limit of time or memory was reached where the outcome is defined.
    pub limited: u64,
    /// The interpreter died where the outcome is defined.
    pub died: u64,
}

impl RunCounts {
    /// In percent of the runs: if fewer were whole, the others may hide anything.
    pub const ENOUGH: u64 = 90;

    /// The counts of other runs, too.
    pub fn add(&mut self, other: &RunCounts) {
        self.runs += other.runs;
        self.whole += other.whole;
        self.undefined += other.undefined;
        self.unsupported += other.unsupported;
        self.limited += other.limited;
        self.died += other.died;
    }

    /// True if there were runs, and enough of them were whole. `meant` says how many were made to end in undefined
    /// behaviour: as many that do count as whole.
    pub fn is_enough(&self, meant: u64) -> bool {
        let whole = self.whole + self.undefined.min(meant);
        whole > 0 && u128::from(whole) * 100 >= u128::from(self.runs) * u128::from(RunCounts::ENOUGH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_of_ten_are_enough_and_none_of_none_is_not() {
        let of = |runs, whole| RunCounts { runs, whole, unsupported: runs - whole, ..RunCounts::default() };
        assert!(of(10, 9).is_enough(0) && of(1, 1).is_enough(0));
        assert!(!of(1000, 899).is_enough(0) && !of(0, 0).is_enough(0) && !of(5, 0).is_enough(0));
    }

    #[test]
    fn what_is_undefined_counts_as_far_as_it_was_meant() {
        let counts = RunCounts { runs: 100, whole: 70, undefined: 30, ..RunCounts::default() };
        assert!(counts.is_enough(100) && counts.is_enough(20) && !counts.is_enough(19) && !counts.is_enough(0));
    }
}
