//! Verifies: once `tp_clear` has been called in a collection, the callback of a weak reference that the collection is
//! clearing away does not run. In the strict form, reported apart by class: it does not run in that collection at all.
//!
//! Does not verify: weak references that the collector could not know to be trash (their callbacks, and all that these
//! reach, are intact).

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Shadow, unpack};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::subject::{Expectation, Needs, Promise};

pub(super) struct I15;

impl Check for I15 {
    const DESCRIPTION: Description = Description {
        statement: "The callback of a weak reference that is itself in the unreachable set never runs after the first `tp_clear` \
                    of the collection (strict form: never in that collection).",
        premises: "None for types that hide edges (bpo-38006). Before the first `tp_clear`, if the referent is not in the set, it \
                   is no violation up to 3.7, unpromised from 3.15 on if a finalizer or callback dropped the referent, and not \
                   judged if the release is not known.",
        not: "Weak references outside the unreachable set.",
        rests: &[Ground::Promise(Promise::NoClearedSeen), Ground::Promise(Promise::TrashIsSilent)],
        needs: Needs::UNREACHABLE,
        asks: &[Expectation::BeforeClearOld, Expectation::BeforeClearNew],
        sentence: "the callback of {object} (referent {other}) ran {observed}",
    };

    #[inline]
    fn callback_entered(s: &mut Shadow, out: &mut Violations, weak: ObjId, _observed: bool) {
        let at = weak.index();
        let c = s.collection();
        if !c.runs() || !c.unreachable().is_ready() {
            return;
        }
        // An entry of `gc.callbacks` that a script removes may die before the collection has decided anything.
        let early = c.may_relist() && !c.has_cleared();
        if !c.unreachable().is_sound() || early {
            out.skip(Invariant::I15);
            return;
        }
        if !c.unreachable().trash().has(at) {
            out.pass(Invariant::I15);
            return;
        }
        let referent = s.weak(weak).and_then(|r| unpack(r.referent()));
        let report = Report::collector(Some(weak)).other(referent).misled(s);
        if c.has_cleared() {
            let doomed = c.unreachable().doomed().has(at);
            let report = report.observed("after trash had been cleared, and is trash itself");
            out.judge(Invariant::I15, s, !doomed, || report);
            return;
        }
        s.update_base();
        if s.reach().base().has(at) || mutant!(I15OnlyAfterClear) {
            out.pass(Invariant::I15);
            return;
        }
        if !s.expectations().knows(Expectation::BeforeClearOld) {
            out.skip(Invariant::I15);
            return;
        }
        // Up to 3.7 no text speaks of a weak reference in trash whose referent is not trash.
        let outside = referent.is_none_or(|r| !s.collection().unreachable().trash().has(r.index()));
        if outside && s.expectations().holds(Expectation::BeforeClearOld) {
            out.pass(Invariant::I15);
            return;
        }
        // Called because its referent is dying, not by the collector on its own account.
        let dying = s.weak(weak).and_then(|r| s.at(r.referent())).is_none_or(|o| !o.lives() || o.in_edges() == 0);
        let side_effect = dying || s.user_code().frames().len() > s.collection().depth() + 1;
        let report = report.observed("before anything was cleared, and is trash itself");
        let report = if side_effect && outside { report.documented(Expectation::BeforeClearNew, s) } else { report };
        out.fail(Invariant::I15, s, report);
    }
}
