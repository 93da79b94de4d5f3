//! Verifies: of the callbacks of one referent the newest weak reference's runs first; and a finalizer does not run
//! after a callback for the same object.
//!
//! Does not verify: order between callbacks of different referents.
//!
//! The first half is in the documentation of `weakref.ref`, so breaking it is the collector's fault. The second is
//! broken by every collection that calls both (bpo-40312, open): documented.

use super::Invariant;
use super::registry::Description;
use super::shadow::{Shadow, unpack};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::subject::{Expectation, Needs};

pub(super) const DESCRIPTION: Description = Description {
    name: "callback-order",
    statement: "Callbacks of one referent run newest first; the finalizer runs before them on every path.",
    premises: "None; the order against the finalizer differs between paths on every release.",
    not: "Order between different referents.",
    promised: false,
    needs: Needs::NONE,
    asks: &[Expectation::CallbacksFirst],
    sentence: "{object} {observed} {other}",
};

pub(super) fn callback(s: &Shadow, out: &mut Violations, weak: ObjId) {
    let Some(record) = s.weak(weak) else { return };
    let id = record.weak;
    let earlier = s.weaks_of(record.referent).find(|r| r.calls > 0 && r.weak < id && id <= r.called_at);
    out.judge(Invariant::I17, s, earlier.is_none() || record.calls > 1, || {
        Report::collector(Some(weak))
            .other(earlier.and_then(|r| unpack(r.weak)))
            .observed("had its callback called after the older weak reference")
    });
}

pub(super) fn finalizer(s: &Shadow, out: &mut Violations, object: ObjId) {
    let called = s.weaks_of(object.index() as u32 + 1).find(|r| r.calls > 0);
    out.judge(Invariant::I17, s, called.is_none(), || {
        Report::collector(Some(object))
            .other(called.and_then(|r| unpack(r.weak)))
            .observed("was finalized after the callback of")
            .documented(Expectation::CallbacksFirst, s)
    });
}
