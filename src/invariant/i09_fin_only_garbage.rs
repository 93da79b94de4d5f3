//! Verifies: when a finalizer is called, no root reaches the object, not counting the runtime's own reference; and the
//! collector finalizes nothing that it sets aside as uncollectable.
//!
//! Does not verify: holders that events do not tell of.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::Shadow;
use super::violations::{Report, Violations};
use crate::event::{Code, ObjId};
use crate::subject::{Needs, Promise};

pub(super) struct I09;

impl Check for I09 {
    const DESCRIPTION: Description = Description {
        statement: "When the runtime calls a finalizer, the object is true garbage at that moment.",
        premises: "A `traverse` that reports too much, or not the same each time, makes it a type-fault.",
        not: "Owners that events do not tell of. An object that another finalizer of the same collection has just saved is \
              finalized all the same, by PEP 442: not judged.",
        rests: &[Ground::Reachability, Ground::Promise(Promise::FinalizedUnreachable)],
        needs: Needs::UNREACHABLE,
        asks: &[],
        sentence: "the finalizer of {object} was called while a root or uncollectable objects reached it",
    };

    #[inline]
    fn finalizer_entered(s: &mut Shadow, out: &mut Violations, _code: Code, owner: ObjId) {
        let (unclear, misled) = (s.confidence().is_stream_unclear(), s.confidence().is_type_misled());
        let c = s.collection();
        if !unclear && !mutant!(I09NotSetAside) && is_set_aside(s, owner) {
            out.fail(Invariant::I09, s, Report::collector(Some(owner)).blame_type(misled));
            return;
        }
        // PEP 442 calls the finalizers of the whole unreachable set before it looks what they saved.
        if unclear
            || c.runs() && (c.scripts() > 1 || mutant!(I09NotIfHeld)) && s.get(owner).is_some_and(|o| o.in_edges() > 0)
        {
            out.skip(Invariant::I09);
            return;
        }
        let held = s.is_rooted(owner);
        out.judge(Invariant::I09, s, !held, || Report::collector(Some(owner)).blame_type(misled));
    }
}

/// The collector calls the finalizer of what a legacy object keeps: it is uncollectable, so not garbage to be finalized.
fn is_set_aside(s: &Shadow, object: ObjId) -> bool {
    let c = s.collection();
    let alone = c.runs() && !c.has_cleared() && s.user_code().frames().len() == c.depth() + 1;
    let found = c.unreachable();
    alone && found.is_exact() && found.legacy().has(object.index()) && s.get(object).is_some_and(|o| o.in_edges() > 0)
}
