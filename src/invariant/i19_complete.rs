//! Verifies: a collection during which no user code ran has freed all true garbage among its candidates that older
//! generations do not hold.
//!
//! Does not verify: collections during which user code ran (I22 looks at those); garbage that may have a holder which
//! events do not tell of.

use super::Invariant;
use super::fault::Fault;
use super::registry::Description;
use super::shadow::{Object, Shadow};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::subject::{Choice, Expectation, Needs};

pub(super) const DESCRIPTION: Description = Description {
    name: "complete",
    statement: "If every type reports and clears all edges, all true garbage of the collected generations is gone after one \
                collection, or one more per round of finalizers.",
    premises: "Every type among what is left takes part fully; otherwise type-fault. Documented: legacy finalizers, functions \
               before 3.8 (bpo-33418), the type edge before 3.9 (bpo-40217).",
    not: "Collections during which user code ran.",
    promised: true,
    needs: Needs::UNREACHABLE,
    asks: &[Expectation::LegacyFinalizer, Expectation::FunctionWithoutClear],
    sentence: "{object} is garbage and survived a full collection of its generation ({observed} such objects)",
};

pub(super) fn collected(s: &mut Shadow, out: &mut Violations) {
    let c = &s.col;
    if s.stream_unclear
        || c.scripts > 0
        || c.late
        || s.traits.scripts_change_callbacks
        || s.expectations.is(Choice::INCREMENTAL)
    {
        out.skip(Invariant::I19);
        return;
    }
    if !c.garbage.meets(&s.present) {
        out.pass(Invariant::I19);
        return;
    }
    let left = c.garbage.iter().find(|i| s.objects[*i].held());
    let Some(first) = left else {
        out.pass(Invariant::I19);
        return;
    };
    let first = ObjId::from_index(first as u32);
    s.maybe_reachable(None);
    let still = s.col.garbage.iter().filter(|i| s.objects[*i].held() && !s.scratch.has(*i)).count() as u32;
    // What held them may be gone by now, so it is asked who was there when the collection started.
    let blame = s.col.blame.unwrap_or(Fault::Collector);
    if still == 0 {
        out.pass(Invariant::I19);
        return;
    }
    let clean = s.get(first).is_some_and(|o| !o.is(Object::UNKNOWN_HOLDERS));
    match blame.on(Report::collector(Some(first)).counts(0, still)) {
        Some(report) if clean => out.fail(Invariant::I19, s, report.blame_type(s.type_misled)),
        _ => out.skip(Invariant::I19),
    }
}
