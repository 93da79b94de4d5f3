//! Verifies: an object with a finalizer is not freed before the finalizer was called.
//!
//! Does not verify: objects alive at the end; types in C on 2.7, which has no `tp_finalize`.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Facts, Shadow};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::subject::{Choice, Expectation, Needs, Promise};

pub(super) struct I10;

impl Check for I10 {
    const DESCRIPTION: Description = Description {
        statement: "Every object with a finalizer that is freed had it called before.",
        premises: "3.4 or later, or a class written in Python.",
        not: "Objects alive at the end.",
        rests: &[Ground::Liveness, Ground::Promise(Promise::FinalizedOnce)],
        needs: Needs::NONE,
        asks: &[Expectation::Finalizers],
        sentence: "{object} was freed and its finalizer was never called",
    };

    #[inline]
    fn freed(s: &Shadow, out: &mut Violations, object: ObjId) {
        let Some(o) = s.get(object) else { return };
        let looked_for = if mutant!(I10NotForLegacy) { Facts::FINALIZER } else { Facts::FINALIZER | Facts::LEGACY };
        if !o.facts().is(looked_for) {
            return;
        }
        if s.expectations().is(Choice::FINALIZED_AT_DEATH) && !o.facts().is_python_class() {
            out.skip(Invariant::I10);
            return;
        }
        let (calls, _) = o.finalizer_calls();
        out.judge(Invariant::I10, s, calls > 0, || Report::collector(Some(object)));
    }
}
