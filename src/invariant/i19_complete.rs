//! Verifies: a collection during which no user code ran has freed all true garbage among its candidates that older
//! generations do not hold.
//!
//! Does not verify: collections during which user code ran (I22 looks at those); garbage that may have a holder which
//! events do not tell of.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Fault, Object, Shadow, Trait};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::subject::{Choice, Expectation, Needs, Promise};

pub(super) struct I19;

impl Check for I19 {
    const DESCRIPTION: Description = Description {
        statement: "If every type reports and clears all edges, all true garbage of the collected generations is gone after one \
                    collection, or one more per round of finalizers.",
        premises: "Every type among what is left takes part fully; otherwise type-fault, as functions before 3.8 do \
                   not (bpo-33418). Documented: legacy finalizers, the type edge before 3.9 (bpo-40217).",
        not: "Collections during which user code ran.",
        rests: &[Ground::Liveness, Ground::Promise(Promise::FullCollection)],
        needs: Needs::UNREACHABLE,
        asks: &[Expectation::LegacyFinalizer, Expectation::FunctionClear],
        sentence: "{object} is garbage and survived a full collection of its generation ({observed} such objects)",
    };

    #[inline]
    fn collected(s: &mut Shadow, out: &mut Violations, _returned: u32, _uncollectable: u32) {
        let c = s.collection();
        if s.confidence().is_stream_unclear()
            || c.scripts() > 0
            || c.is_late()
            || mutant!(I19OnlyFull) && c.generation() < 2
            || mutant!(I19NotBesideLists) && s.program().has(Trait::ScriptsChangeCallbacks)
            || s.expectations().is(Choice::INCREMENTAL)
        {
            out.skip(Invariant::I19);
            return;
        }
        let (garbage, _) = c.unreachable().garbage();
        let held = |index: &usize| s.objects().all()[*index].held();
        let left = if garbage.meets(s.objects().present()) { garbage.iter().find(held) } else { None };
        if left.is_none() {
            out.pass(Invariant::I19);
            return;
        }
        s.maybe_reachable(None);
        let s = &*s;
        // What held them may be gone by now, so it was asked who was there when the collection started.
        let (garbage, causes) = s.collection().unreachable().garbage();
        let is_left = |index: &usize| s.objects().all()[*index].held() && !s.reach().found().has(*index);
        let still = || garbage.iter().filter(is_left);
        // What nothing explains is named rather than what something does.
        let unexplained = |index: &usize| causes.of(*index) == Fault::Collector;
        let Some(first) = still().find(unexplained).or_else(|| still().next()) else {
            out.pass(Invariant::I19);
            return;
        };
        let id = ObjId::from_index(first as u32);
        let clean = s.get(id).is_some_and(|o| !o.is(Object::UNKNOWN_HOLDERS));
        let report = Report::collector(Some(id)).counts(0, still().count() as u32);
        match report.on(causes.of_all(still())) {
            Some(report) if clean => out.fail(Invariant::I19, s, report.misled(s)),
            _ => out.skip(Invariant::I19),
        }
    }
}
