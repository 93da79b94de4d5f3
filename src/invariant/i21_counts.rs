//! Verifies: a collection returns the number of objects of its final unreachable set that left the heap, plus weak
//! references freed right after their callback, plus what it set aside as uncollectable; and that each object with a
//! legacy finalizer among these is in `gc.garbage`.
//!
//! Does not verify: `gc.get_stats()`; runs in which the unreachable set is not certain.
//!
//! The statement in `known-bugs.md` says "uncollectable = what entered gc.garbage". That is wrong on every release:
//! the count takes in what legacy objects reach, and only the legacy objects themselves enter `gc.garbage` (row S75).
//! Likewise, hidden objects that die with the trash leave the heap and are not counted (row A06).

use super::Invariant;
use super::fault::leftovers;
use super::registry::Description;
use super::shadow::Shadow;
use super::violations::{Report, Violations};
use crate::event::{ObjId, Spot};
use crate::subject::{Expectation, Needs};

pub(super) const DESCRIPTION: Description = Description {
    name: "counts",
    statement: "The return value is the number of objects found unreachable that left the heap, plus weak references freed \
                right after their callback, plus the uncollectable ones: legacy objects and what they reach.",
    premises: "Every type among the unreachable clears what it owns (otherwise type-fault); not before 3.7.6 when user code ran \
               in the collection, not with `DEBUG_SAVEALL`, and before 3.8 not if the trashcan keeps something (documented).",
    not: "`gc.get_stats()`.",
    promised: true,
    needs: Needs::UNREACHABLE.and(Needs::WEAKREFS).and(Needs::GARBAGE).and(Needs::TOTALS),
    asks: &[
        Expectation::SaveAll,
        Expectation::LegacyFinalizer,
        Expectation::FunctionWithoutClear,
        Expectation::CountedEarly,
        Expectation::TrashcanLeftover,
    ],
    sentence: "the collection reported {observed} objects, and {expected} are accounted for",
};

pub(super) fn collected(s: &mut Shadow, out: &mut Violations, returned: u32, uncollectable: u32) {
    let c = &s.col;
    // What the registry of `finalize` lets go of in a callback is not told apart from what the collector frees.
    if !c.exact || s.stream_unclear || s.traits.finalizes {
        out.skip(Invariant::I21);
        return;
    }
    out.judge(Invariant::I21, s, uncollectable == c.legacy_left, || {
        Report::collector(None).counts(c.legacy_left, uncollectable).blame_type(s.type_misled)
    });
    if !s.traits.scripts_empty_garbage && s.col.scripts == 0 {
        let forgotten = s.col.legacy.iter().find(|i| {
            let o = &s.objects[*i];
            s.is_legacy(o) && o.held() && o.spot != Spot::Collecting && s.times_listed(*i) == 0
        });
        let object = forgotten.map(|i| ObjId::from_index(i as u32));
        out.judge(Invariant::I21, s, forgotten.is_none(), || {
            Report::collector(object).counts(1, 0).blame_type(s.type_misled)
        });
    }
    if returned == c.freed + c.refs_freed + c.legacy_left && (c.doomed.is_empty() || s.is_even()) {
        out.pass(Invariant::I21);
        return;
    }
    // What waits in the trashcan has left the heap, too.
    let queued = c.doomed.iter().filter(|i| s.objects[*i].lives() && s.objects[*i].refcount == 0).count() as u32;
    let freed = c.freed + queued;
    let left = (c.doomed.count() as u32).saturating_sub(freed);
    let expected = freed + c.refs_freed + c.legacy_left;
    if returned == expected {
        out.pass(Invariant::I21);
        return;
    }
    let report = Report::collector(None).counts(expected, returned);
    let early = c.scripts > 0 && s.expectations.holds(Expectation::CountedEarly);
    let report = if s.type_misled {
        Some(report.blame_type(true))
    } else if early {
        Some(report.documented(Expectation::CountedEarly, s))
    } else if left > 0 && s.traits.saves_all {
        Some(report.documented(Expectation::SaveAll, s))
    } else if left > 0
        && returned == expected + left
        && queued > 0
        && s.expectations.holds(Expectation::TrashcanLeftover)
    {
        // What waits there holds others that were cleared and live on.
        Some(report.documented(Expectation::TrashcanLeftover, s))
    } else if left > 0 && returned == expected + left {
        s.maybe_reachable(None);
        leftovers(s, &s.scratch).on(report)
    } else {
        Some(report)
    };
    match report {
        Some(report) => out.fail(Invariant::I21, s, report),
        None => out.skip(Invariant::I21),
    }
}
