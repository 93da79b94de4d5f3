//! Verifies: inside its callback a weak reference answers `None`.
//!
//! Does not verify: callbacks of a subject that shows no snapshot and whose script does not ask.

use super::Invariant;
use super::registry::Description;
use super::shadow::Shadow;
use super::violations::{Report, Violations};
use crate::event::{Code, ObjId};
use crate::subject::Needs;

pub(super) const DESCRIPTION: Description = Description {
    name: "ref-dead-in-callback",
    statement: "When the callback of a weak reference runs, the weak reference is dead.",
    premises: "None.",
    not: "Other weak references to the same object.",
    promised: true,
    needs: Needs::SNAPSHOTS.and(Needs::WEAKREFS),
    asks: &[],
    sentence: "{object} still referred to {other} in its own callback",
};

pub(super) fn entered(s: &Shadow, out: &mut Violations, weak: ObjId, observed: bool) {
    match s.weak(weak) {
        Some(record) if observed => {
            let referent = super::shadow::unpack(record.referent);
            out.judge(Invariant::I11, s, !record.live, || Report::collector(Some(weak)).other(referent));
        }
        _ => out.skip(Invariant::I11),
    }
}

pub(super) fn answer(s: &Shadow, out: &mut Violations, weak: ObjId, referent: Option<ObjId>) {
    let edge = super::shadow::pack(Some(weak));
    if s.frames.iter().any(|f| f.code == Code::Callback && f.arg == edge) {
        out.judge(Invariant::I11, s, referent.is_none(), || Report::collector(Some(weak)).other(referent));
    }
}
