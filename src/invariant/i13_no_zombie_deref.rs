//! Verifies: a weak reference never answers with an object whose deallocation has become final, whose memory is
//! released, or whose reference count is 0 because it waits in the trashcan.
//!
//! Does not verify: reads that no script reports.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Facts, Object, Shadow, pack};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::subject::{Needs, Promise};

pub(super) struct I13;

impl Check for I13 {
    const DESCRIPTION: Description = Description {
        statement: "A weak reference never answers with an object whose reference count is 0, that sits in the trashcan, or \
                    whose deallocation has started.",
        premises: "A deallocator that forgets the weak references makes it a type-fault.",
        not: "Reads that no script reports.",
        rests: &[Ground::MemorySafety, Ground::Promise(Promise::NoZombie)],
        needs: Needs::UNREACHABLE,
        asks: &[],
        sentence: "{other} answered with {object}, which {observed}",
    };

    #[inline]
    fn answered(s: &mut Shadow, out: &mut Violations, weak: ObjId, referent: Option<ObjId>) {
        let Some(object) = referent else {
            out.pass(Invariant::I13);
            return;
        };
        let Some(o) = s.get(object) else { return };
        let edge = pack(referent);
        let zero = o.was_seen() && s.snapshot().shows(o) && o.refcount() == 0 && o.in_edges() == 0;
        let held = s.user_code().frames().iter().any(|f| f.owner() == edge || f.arg() == edge);
        let queued = zero && !held && o.lives() && !mutant!(I13NotInTrashcan);
        out.judge(Invariant::I13, s, !(o.is(Object::GONE) || queued), || {
            let words = if o.is(Object::FREED) {
                "had been freed"
            } else if queued {
                "waits to be deallocated"
            } else {
                "was being freed"
            };
            Report::collector(referent)
                .other(Some(weak))
                .observed(words)
                .blame_type(o.facts().is(Facts::KEEPS_WEAKREFS))
                .misled(s)
        });
    }
}
