//! Verifies: every snapshot lists each object that has not been freed exactly once, generations in order, and no object
//! is in a list of a collection when none runs.
//!
//! Does not verify: links and flag bits that a snapshot does not show.

use super::Invariant;
use super::registry::Description;
use super::shadow::Shadow;
use super::violations::{Report, Violations};
use crate::event::{ObjId, Spot};
use crate::subject::Needs;

pub(super) const DESCRIPTION: Description = Description {
    name: "list-integrity",
    statement: "GC lists are well-formed: each tracked object is on exactly one list, and nothing is left over from a \
                collection that has ended.",
    premises: "None.",
    not: "Links and flag bits that a snapshot does not show.",
    promised: true,
    needs: Needs::SNAPSHOTS.and(Needs::LISTS).and(Needs::GENERATIONS),
    asks: &[],
    sentence: "{object} {observed}",
};

/// One line of a snapshot, before it is folded.
#[inline]
pub(super) fn state(s: &mut Shadow, out: &mut Violations, object: ObjId, spot: Spot) {
    let Some(o) = s.get(object) else { return };
    let twice = o.stamp == s.stamp;
    let order = match spot {
        Spot::Gen0 => 0,
        Spot::Gen1 => 1,
        Spot::Gen2 => 2,
        Spot::Permanent => 3,
        Spot::Collecting => s.list_order,
        Spot::Untracked | Spot::NoHeader => 4,
    };
    let words = if twice {
        "is listed twice"
    } else if order < s.list_order {
        "is listed out of order"
    } else if spot == Spot::Collecting && !s.col.active {
        "is in a list of a collection and none runs"
    } else {
        s.list_order = order;
        return;
    };
    out.fail(Invariant::I25, s, Report::collector(Some(object)).observed(words));
}

pub(super) fn snapshot(s: &Shadow, out: &mut Violations) {
    if s.stream_unclear {
        out.skip(Invariant::I25);
        return;
    }
    let complete = s.listed >= s.live;
    out.judge(Invariant::I25, s, complete, || {
        let missing = s.objects.iter().position(|o| !o.is(super::shadow::Object::FREED) && o.stamp != s.stamp);
        Report::collector(missing.map(|i| ObjId::from_index(i as u32))).observed("is in no list")
    });
}
