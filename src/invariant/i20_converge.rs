//! Verifies: of two full collections in a row, with no mutator and no user code in or between them, the second does not
//! report objects as collected without freeing any.
//!
//! Does not verify: convergence through rounds of finalizers. The statement says "reaches 0 in a bounded number of
//! calls"; a collection that frees something makes progress, so only one that frees nothing and still counts
//! something can repeat for ever.

use super::Invariant;
use super::fault::leftovers;
use super::registry::Description;
use super::shadow::{Facts, Shadow};
use super::violations::{Report, Violations};
use crate::subject::{Expectation, Needs};

pub(super) const DESCRIPTION: Description = Description {
    name: "converge",
    statement: "With no mutator in between, `gc.collect()` reaches 0 in a bounded number of calls; no object is counted as \
                collected twice.",
    premises: "Every type among the garbage takes part fully; otherwise type-fault. Documented: functions before 3.8.",
    not: "Rounds of finalizers.",
    promised: true,
    needs: Needs::UNREACHABLE.and(Needs::TOTALS),
    asks: &[Expectation::LegacyFinalizer, Expectation::FunctionWithoutClear],
    sentence: "gc.collect() keeps returning {observed} and frees nothing",
};

pub(super) fn collected(s: &mut Shadow, out: &mut Violations, returned: u32, uncollectable: u32, automatic: bool) {
    let c = &s.col;
    if automatic || c.generation != 2 || c.scripts > 0 || c.late || !s.frames.is_empty() {
        return;
    }
    if returned == 0 {
        s.quiet = 0;
        out.pass(Invariant::I20);
        return;
    }
    // Uncollectable objects are reported when they become garbage, and are kept on purpose.
    let stuck = s.quiet > 0 && s.live == c.live_at_start && returned > uncollectable;
    s.quiet += 1;
    if !stuck {
        out.pass(Invariant::I20);
        return;
    }
    s.maybe_reachable(None);
    let blame = leftovers(s, &s.scratch);
    let faulty = s.objects.iter().any(|o| o.lives() && o.facts.is(Facts::FAULTY));
    match blame.on(Report::collector(None).counts(0, returned)) {
        Some(report) => out.fail(Invariant::I20, s, report.blame_type(s.type_misled || faulty)),
        None => out.skip(Invariant::I20),
    }
}
