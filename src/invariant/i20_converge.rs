//! Verifies: of two full collections in a row, with no mutator and no user code in or between them, the second does not
//! report objects as collected without freeing any.
//!
//! Does not verify: convergence through rounds of finalizers. The statement says "reaches 0 in a bounded number of
//! calls"; a collection that frees something makes progress, so only one that frees nothing and still counts
//! something can repeat for ever.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Fault, Progress, Shadow};
use super::violations::{Report, Violations};
use crate::subject::{Expectation, Needs, Promise};

pub(super) struct I20;

impl Check for I20 {
    const DESCRIPTION: Description = Description {
        statement: "With no mutator in between, `gc.collect()` reaches 0 in a bounded number of calls; no object is counted as \
                    collected twice.",
        premises: "Every type among the garbage takes part fully; otherwise type-fault, as functions before \
                   3.8 do not.",
        not: "Rounds of finalizers.",
        rests: &[Ground::Liveness, Ground::Promise(Promise::ReturnedCount)],
        needs: Needs::UNREACHABLE.and(Needs::TOTALS),
        asks: &[Expectation::LegacyFinalizer, Expectation::FunctionClear],
        sentence: "gc.collect() keeps returning {observed} and frees nothing",
    };

    #[inline]
    fn returned(s: &mut Shadow, out: &mut Violations, returned: u32, uncollectable: u32) {
        match s.note_progress(returned, uncollectable) {
            None => return,
            Some(Progress::Nothing | Progress::Some) => return out.pass(Invariant::I20),
            Some(Progress::Stuck) => s.maybe_reachable(None),
        }
        s.find_causes();
        let s = &*s;
        let found = s.collection().unreachable();
        let counted = if found.is_exact() { found.trash() } else { found.candidates() };
        let alive = |index: &usize| s.objects().all()[*index].lives();
        let left = || counted.iter().filter(alive).filter(|index| !s.reach().found().has(*index));
        // What may be held by something that is not known need not be garbage.
        let unknown = left().next().is_none() && counted.iter().any(|index| alive(&index));
        let fault = match found.is_exact() {
            true => s.causes().of_all(left()),
            // Candidates that something unknown or frozen holds are among them: one that has a cause explains the number.
            false => {
                left().map(|index| s.causes().of(index)).find(|f| *f != Fault::Collector).unwrap_or(Fault::Collector)
            }
        };
        match Report::collector(None).counts(0, returned).on(fault) {
            Some(report) if !unknown => out.fail(Invariant::I20, s, report),
            _ => out.skip(Invariant::I20),
        }
    }
}
