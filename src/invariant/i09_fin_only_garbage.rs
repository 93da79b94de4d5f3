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
        not: "Owners that events do not tell of. A member of the unreachable set that a finalizer of the same phase has saved is \
              finalized all the same, by PEP 442: not judged. What a callback, or a death among the callbacks, made reachable \
              before the first finalizer ran is judged.",
        rests: &[Ground::Reachability, Ground::Promise(Promise::FinalizedUnreachable)],
        needs: Needs::UNREACHABLE,
        asks: &[],
        sentence: "the finalizer of {object} was called while a root or uncollectable objects reached it",
    };

    #[inline]
    fn finalizer_entered(s: &mut Shadow, out: &mut Violations, _code: Code, owner: ObjId) {
        let unclear = s.confidence().is_stream_unclear();
        if !unclear && !mutant!(I09NotSetAside) && is_set_aside(s, owner) {
            out.fail(Invariant::I09, s, Report::collector(Some(owner)).misled(s));
            return;
        }
        let held = || s.get(owner).is_some_and(|o| o.in_edges() > 0);
        if unclear || is_of_the_phase(s, owner) || mutant!(I09NotIfHeld) && s.collection().runs() && held() {
            out.skip(Invariant::I09);
            return;
        }
        let held = s.is_rooted(owner);
        out.judge(Invariant::I09, s, !held, || Report::collector(Some(owner)).misled(s));
    }
}

/// The collector runs user code on its own account, and has cleared nothing yet.
fn is_alone(s: &Shadow) -> bool {
    let c = s.collection();
    c.runs() && !c.has_cleared() && s.user_code().frames().len() == c.depth() + 1
}

/// PEP 442 calls the finalizers of the whole unreachable set before it looks what they saved: true of a member of it, if
/// it could not be reached when the first of them began.
fn is_of_the_phase(s: &Shadow, owner: ObjId) -> bool {
    let (c, at) = (s.collection(), owner.index());
    let found = c.unreachable();
    let member = found.trash().has(at) || !found.is_exact() && (c.is_late() || found.candidates().has(at));
    let held = || s.get(owner).is_some_and(|o| o.in_edges() > 0);
    is_alone(s) && c.is_finalizing() && c.finalizers() > 1 && member && !found.saved_early().has(at) && held()
}

/// The collector calls the finalizer of what a legacy object keeps: it is uncollectable, so not garbage to be finalized.
fn is_set_aside(s: &Shadow, object: ObjId) -> bool {
    let found = s.collection().unreachable();
    is_alone(s)
        && found.is_exact()
        && found.legacy().has(object.index())
        && s.get(object).is_some_and(|o| o.in_edges() > 0)
}
