//! Verifies: when a finalizer is called, no root reaches the object, not counting the runtime's own reference; and the
//! collector finalizes nothing that it sets aside as uncollectable.
//!
//! Does not verify: holders that events do not tell of.

use super::Invariant;
use super::registry::Description;
use super::shadow::Shadow;
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::subject::Needs;

pub(super) const DESCRIPTION: Description = Description {
    name: "fin-only-garbage",
    statement: "When the runtime calls a finalizer, the object is true garbage at that moment.",
    premises: "A `traverse` that reports too much, or not the same each time, makes it a type-fault.",
    not: "Owners that events do not tell of. An object that another finalizer of the same collection has just saved is \
          finalized all the same, by PEP 442: not judged.",
    promised: true,
    needs: Needs::UNREACHABLE,
    asks: &[],
    sentence: "the finalizer of {object} was called while a root or uncollectable objects reached it",
};

/// The collector calls the finalizer of what a legacy object keeps: it is uncollectable, so not garbage to be finalized.
fn is_set_aside(s: &Shadow, object: ObjId) -> bool {
    let c = &s.col;
    let by_collector = c.active && c.exact && c.clears == 0 && s.frames.len() == c.depth + 1;
    by_collector && c.legacy.has(object.index()) && s.get(object).is_some_and(|o| o.in_edges > 0)
}

pub(super) fn entered(s: &mut Shadow, out: &mut Violations, object: ObjId) {
    if !s.stream_unclear && is_set_aside(s, object) {
        out.fail(Invariant::I09, s, Report::collector(Some(object)).blame_type(s.type_misled));
        return;
    }
    // PEP 442 calls the finalizers of the whole unreachable set before it looks what they saved.
    if s.stream_unclear || s.col.active && s.col.scripts > 1 && s.get(object).is_some_and(|o| o.in_edges > 0) {
        out.skip(Invariant::I09);
        return;
    }
    let held = s.is_rooted(object);
    out.judge(Invariant::I09, s, !held, || Report::collector(Some(object)).blame_type(s.type_misled));
}
