//! Verifies: every snapshot lists each object that has not been freed exactly once, generations in order, and no object
//! is in a list of a collection when none runs.
//!
//! Does not verify: links and flag bits that a snapshot does not show.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Listed, Object, Shadow};
use super::violations::{Report, Violations};
use crate::event::{ObjId, Spot};
use crate::subject::Needs;

pub(super) struct I25;

impl Check for I25 {
    const DESCRIPTION: Description = Description {
        statement: "GC lists are well-formed: each tracked object is on exactly one list, and nothing is left over from a \
                    collection that has ended.",
        premises: "None.",
        not: "Links and flag bits that a snapshot does not show.",
        rests: &[Ground::MemorySafety],
        needs: Needs::SNAPSHOTS.and(Needs::LISTS).and(Needs::GENERATIONS),
        asks: &[],
        sentence: "{object} {observed}",
    };

    #[inline]
    fn odd_line(s: &mut Shadow, out: &mut Violations, object: ObjId, _refcount: u32, spot: Spot) {
        let words = match s.place_odd_line(object, spot) {
            Listed::Twice => "is listed twice",
            Listed::OutOfOrder if mutant!(I25NotOrder) => return,
            Listed::OutOfOrder => "is listed out of order",
            Listed::InOrder if spot == Spot::Collecting && !s.collection().runs() => {
                "is in a list of a collection and none runs"
            }
            Listed::InOrder => return,
        };
        out.fail(Invariant::I25, s, Report::collector(Some(object)).observed(words));
    }

    #[inline]
    fn listed(s: &Shadow, out: &mut Violations) {
        if s.confidence().is_stream_unclear() {
            out.skip(Invariant::I25);
            return;
        }
        out.judge(Invariant::I25, s, s.snapshot().shows_all(s.objects().live()), || {
            let is_missing = |o: &Object| !o.is(Object::FREED) && !s.snapshot().shows(o);
            let missing = s.objects().all().iter().position(is_missing);
            Report::collector(missing.map(|i| ObjId::from_index(i as u32))).observed("is in no list")
        });
    }
}
