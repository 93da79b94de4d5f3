//! Verifies: of the callbacks of one referent the newest weak reference's runs first; and a finalizer does not run
//! after a callback for the same object.
//!
//! Does not verify: order between callbacks of different referents.
//!
//! The first half is in the documentation of `weakref.ref`, so breaking it is the collector's fault. The second is
//! broken by every collection that calls both (bpo-40312, open), and PEP 442 has it so: it never is.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Shadow, WeakRec, pack, unpack};
use super::violation::Class;
use super::violations::{Report, Violations};
use crate::event::{Code, ObjId};
use crate::subject::{Expectation, Needs, Promise};

pub(super) struct I17;

impl Check for I17 {
    const DESCRIPTION: Description = Description {
        statement: "Callbacks of one referent run newest first; the finalizer runs before them on every path.",
        premises: "None. Only the order of callbacks is promised; that against the finalizer differs between paths on every \
                   release (documented).",
        not: "Order between different referents.",
        rests: &[Ground::Promise(Promise::NewestFirst)],
        needs: Needs::NONE,
        asks: &[Expectation::CallbacksFirst, Expectation::DelAfterWeakrefs],
        sentence: "{object} {observed} {other}",
    };

    #[inline]
    fn callback_entered(s: &mut Shadow, out: &mut Violations, weak: ObjId, _observed: bool) {
        let Some(record) = s.weak(weak).filter(|_| !(mutant!(I17NotInCollections) && s.collection().runs())) else {
            return;
        };
        let id = record.weak();
        let is_earlier = |r: &&WeakRec| r.calls() > 0 && r.weak() < id && id <= r.called_at();
        let earlier = s.weaks_of(record.referent()).find(is_earlier);
        out.judge(Invariant::I17, s, earlier.is_none() || record.calls() > 1, || {
            Report::collector(Some(weak))
                .other(earlier.and_then(|r| unpack(r.weak())))
                .observed("had its callback called after the older weak reference")
        });
    }

    #[inline]
    fn finalizer_entered(s: &mut Shadow, out: &mut Violations, _code: Code, owner: ObjId) {
        let called = s.weaks_of(pack(Some(owner))).find(|r| r.calls() > 0);
        out.judge(Invariant::I17, s, called.is_none(), || {
            let report = Report::collector(Some(owner))
                .other(called.and_then(|r| unpack(r.weak())))
                .observed("was finalized after the callback of");
            // The collection that runs has called it; before 3.4 a deallocator does, too.
            let c = s.collection();
            let earlier = s.weaks_of(pack(Some(owner))).any(|r| r.calls() > 0 && r.called().collection() != c.number());
            let same = c.runs() && !earlier;
            if same || s.expectations().holds(Expectation::DelAfterWeakrefs) {
                report.documented(Expectation::CallbacksFirst, s)
            } else {
                report.class(Class::Unpromised)
            }
        });
    }
}
