//! Verifies: in a collection during which user code ran, every object of the unreachable set that nothing outside
//! reaches afterwards is cleared or freed in the same run, whatever else was saved.
//!
//! Does not verify: objects whose type has no `tp_clear`; runs in which the unreachable set is not certain.
//!
//! On 3.4 to 3.8 one saved object keeps the whole set (bpo-38379), as PEP 442 has it: documented, if one was saved.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Facts, Object, Shadow};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::scenario::Shape;
use crate::subject::{Expectation, Needs, Promise};

pub(super) struct I22;

impl Check for I22 {
    const DESCRIPTION: Description = Description {
        statement: "Resurrecting objects keeps exactly their strong closure; the rest of the unreachable set goes in the same run.",
        premises: "The types of the rest have `tp_clear`; no `DEBUG_SAVEALL`; from 3.9 on, or nothing was saved (documented).",
        not: "Objects without `tp_clear`.",
        rests: &[Ground::Liveness, Ground::Promise(Promise::OnlySavedStays)],
        needs: Needs::UNREACHABLE,
        asks: &[Expectation::SaveAll, Expectation::IsolateSaved, Expectation::FunctionClear],
        sentence: "{object} was unreachable and was kept ({observed} such objects)",
    };

    #[inline]
    fn collected(s: &mut Shadow, out: &mut Violations, _returned: u32, _uncollectable: u32) {
        let s = &*s;
        let c = s.collection();
        if c.scripts() == 0 {
            return;
        }
        if !c.unreachable().is_exact() || c.is_unlisted() || s.confidence().is_stream_unclear() {
            out.skip(Invariant::I22);
            return;
        }
        let kept = |i: &usize| {
            let o = &s.objects().all()[*i];
            // What a script may have taken out of the list is not the collector's any more.
            let taken = c.may_track() && o.facts().shape().is_extension();
            o.held()
                && o.facts().is(Facts::HAS_CLEAR)
                && !o.is(Object::CLEARED_NOW)
                && !taken
                && !(mutant!(I22NotForLists) && o.facts().shape() == Shape::List)
        };
        // One that `DEBUG_SAVEALL` has not listed is named rather than one that it has.
        let listed = |i: &usize| s.objects().all()[*i].is(Object::SAVED_ALL);
        let doomed = || c.unreachable().doomed().iter().filter(kept);
        let mut left = doomed().filter(|i| !listed(i)).chain(doomed().filter(listed));
        let first = left.next().map(|i| ObjId::from_index(i as u32));
        out.judge(Invariant::I22, s, first.is_none(), || {
            let report = Report::collector(first).counts(0, 1 + left.count() as u32).misled(s);
            if first.and_then(|o| s.get(o)).is_some_and(|o| o.is(Object::SAVED_ALL)) {
                return report.documented(Expectation::SaveAll, s);
            }
            let (trash, doomed) = (c.unreachable().trash(), c.unreachable().doomed());
            let saved = trash.iter().any(|i| !doomed.has(i) && s.objects().all()[i].held());
            if saved { report.documented(Expectation::IsolateSaved, s) } else { report }
        });
    }
}
