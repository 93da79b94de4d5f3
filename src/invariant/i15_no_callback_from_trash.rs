//! Verifies: once `tp_clear` has been called in a collection, the callback of a weak reference that the collection is
//! clearing away does not run. In the strict form, reported apart by class: it does not run in that collection at all.
//!
//! Does not verify: weak references that the collector could not know to be trash (their callbacks, and all that these
//! reach, are intact).

use super::Invariant;
use super::registry::Description;
use super::shadow::{Shadow, unpack};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::subject::{Expectation, Needs};

pub(super) const DESCRIPTION: Description = Description {
    name: "no-callback-from-trash",
    statement: "The callback of a weak reference that is itself in the unreachable set never runs after the first `tp_clear` \
                of the collection (strict form: never in that collection).",
    premises: "None for types that hide edges (bpo-38006). Before the first `tp_clear` it is documented up to 3.7 and from \
               3.15 on if a finalizer or callback dropped the referent, and not judged if the release is not known.",
    not: "Weak references outside the unreachable set.",
    promised: true,
    needs: Needs::UNREACHABLE,
    asks: &[Expectation::BeforeClearOld, Expectation::BeforeClearNew],
    sentence: "the callback of {object} (referent {other}) ran {observed}",
};

pub(super) fn entered(s: &mut Shadow, out: &mut Violations, weak: ObjId) {
    let at = weak.index();
    if !s.col.active || !s.col.ready {
        return;
    }
    // An entry of `gc.callbacks` that a script removes may die before the collection has decided anything.
    if !s.col.sound || s.traits.scripts_change_callbacks && s.col.clears == 0 {
        out.skip(Invariant::I15);
        return;
    }
    if !s.col.trash.has(at) {
        out.pass(Invariant::I15);
        return;
    }
    let referent = s.weak(weak).and_then(|r| unpack(r.referent));
    let report = Report::collector(Some(weak)).other(referent).blame_type(s.type_misled);
    if s.col.clears > 0 {
        let doomed = s.col.doomed.has(at);
        out.judge(Invariant::I15, s, !doomed, || report.observed("after trash had been cleared, and is trash itself"));
        return;
    }
    s.update_base();
    if s.base.has(at) {
        out.pass(Invariant::I15);
        return;
    }
    // Called because its referent is dying, not by the collector on its own account.
    let dying = s.weak(weak).and_then(|r| s.at(r.referent)).is_none_or(|o| !o.lives() || o.in_edges == 0);
    let side_effect = dying || s.frames.len() > s.col.depth + 1;
    if !s.expectations.knows(Expectation::BeforeClearOld) {
        out.skip(Invariant::I15);
        return;
    }
    let report = report.observed("before anything was cleared, and is trash itself");
    let report = if side_effect {
        report.documented(Expectation::BeforeClearOld, s).documented(Expectation::BeforeClearNew, s)
    } else {
        report
    };
    out.fail(Invariant::I15, s, report);
}
