//! Verifies: what the deferral of deallocations owes: at quiescence no object waits with reference count 0, and no
//! deallocation has begun without ending.
//!
//! Does not verify: the depth of the C stack, which events do not show; tests of each subject do. That deferral keeps
//! I04, I13, I24 and I25 is judged there.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Object, Shadow};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::subject::{Expectation, Needs};

pub(super) struct I37;

impl Check for I37 {
    const DESCRIPTION: Description = Description {
        statement: "Destroying a chain of any length needs a bounded stack; whatever is deferred is done when the operation ends.",
        premises: "Before 3.8 the trashcan may keep objects until the next container dies (documented).",
        not: "The depth of the stack itself.",
        rests: &[Ground::MemorySafety, Ground::Liveness],
        needs: Needs::SNAPSHOTS.and(Needs::COUNTS),
        asks: &[Expectation::TrashcanLeftover],
        sentence: "{object} {observed}",
    };

    #[inline]
    fn at_rest(s: &mut Shadow, out: &mut Violations, _explicit: bool) {
        if !s.snapshot().shows_zero() && s.objects().none_dies() {
            out.pass(Invariant::I37);
            return;
        }
        let s = &*s;
        let mut clean = true;
        for (index, o) in s.objects().all().iter().enumerate() {
            let queued = o.lives() && s.snapshot().shows(o) && o.refcount() == 0;
            let unfinished = !mutant!(I37Unfinished) && o.is(Object::DYING) && !o.is(Object::FREED);
            if !queued && !unfinished {
                continue;
            }
            clean = false;
            let words = if queued { "waits with reference count 0" } else { "is still being deallocated" };
            let report = Report::collector(Some(ObjId::from_index(index as u32))).observed(words);
            let waits = queued && !unfinished;
            out.fail(
                Invariant::I37,
                s,
                if waits { report.documented(Expectation::TrashcanLeftover, s) } else { report },
            );
        }
        if clean {
            out.pass(Invariant::I37);
        }
    }
}
