//! Verifies: inside its callback a weak reference answers `None`.
//!
//! Does not verify: callbacks of a subject that shows no snapshot and whose script does not ask.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Shadow, pack, unpack};
use super::violations::{Report, Violations};
use crate::event::{Code, ObjId};
use crate::subject::{Needs, Promise};

pub(super) struct I11;

impl Check for I11 {
    const DESCRIPTION: Description = Description {
        statement: "When the callback of a weak reference runs, the weak reference is dead.",
        premises: "None.",
        not: "Other weak references to the same object.",
        rests: &[Ground::Promise(Promise::DeadInCallback)],
        needs: Needs::SNAPSHOTS.and(Needs::WEAKREFS),
        asks: &[],
        sentence: "{object} still referred to {other} in its own callback",
    };

    #[inline]
    fn callback_entered(s: &mut Shadow, out: &mut Violations, weak: ObjId, observed: bool) {
        match s.weak(weak) {
            Some(record) if observed => {
                let referent = unpack(record.referent());
                out.judge(Invariant::I11, s, !record.is_live(), || Report::collector(Some(weak)).other(referent));
            }
            _ => out.skip(Invariant::I11),
        }
    }

    #[inline]
    fn answered(s: &mut Shadow, out: &mut Violations, weak: ObjId, referent: Option<ObjId>) {
        let edge = pack(Some(weak));
        if !mutant!(I11NotAsked) && s.user_code().frames().iter().any(|f| f.code() == Code::Callback && f.arg() == edge)
        {
            out.judge(Invariant::I11, s, referent.is_none(), || Report::collector(Some(weak)).other(referent));
        }
    }
}
