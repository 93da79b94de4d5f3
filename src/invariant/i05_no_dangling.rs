//! Verifies: no event speaks of an object after its memory was released, and no object is freed while a slot,
//! a variable or `gc.garbage` holds it.
//!
//! Does not verify: links inside lists and caches that no event shows.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Facts, Frame, Object, Shadow, WeakRec, unpack};
use super::violations::{Report, Violations};
use crate::event::{Code, ObjId, Undefined};
use crate::subject::Needs;

pub(super) struct I05;

impl Check for I05 {
    const DESCRIPTION: Description = Description {
        statement: "Every edge, list entry and weak reference points to memory of a live object of the right identity.",
        premises: "Deallocators with flaws, and types that report references they do not own, make it a type-fault.",
        not: "Internal links and caches that no event shows.",
        rests: &[Ground::MemorySafety],
        needs: Needs::UNREACHABLE,
        asks: &[],
        sentence: "{object} {observed}",
    };

    fn used(s: &Shadow, out: &mut Violations, object: ObjId) {
        if mutant!(I05NotUsed) {
            return;
        }
        let report = Report::collector(Some(object)).observed("was used after it had been freed");
        out.fail(Invariant::I05, s, report.blame_type(is_flawed(s, object)).misled(s));
    }

    #[inline]
    fn freed_plainly(out: &mut Violations) {
        out.pass(Invariant::I05);
    }

    #[inline]
    fn freed(s: &Shadow, out: &mut Violations, object: ObjId) {
        let Some(o) = s.get(object) else { return };
        if o.is(Object::UNKNOWN_HOLDERS) || s.confidence().is_stream_unclear() {
            out.skip(Invariant::I05);
            return;
        }
        out.judge(Invariant::I05, s, o.in_edges() == 0 || o.is(Object::FREED), || {
            let report = Report::collector(Some(object)).observed("was freed while something held it");
            report.blame_type(is_flawed(s, object)).misled(s)
        });
    }

    fn undefined(s: &Shadow, out: &mut Violations, reason: Undefined) {
        let words = match reason {
            Undefined::KeptDying => "was kept by the action of its own deallocator",
            Undefined::DanglingWeakref => "was used through a weak reference after it had been freed",
            Undefined::UseAfterFree => "was used after it had been freed",
            Undefined::MovedUntracked => {
                "is a dying weak reference: linked to its referent, but in no list to move it from"
            }
            Undefined::NullCallback => "is a dying weak reference whose missing callback was released",
            Undefined::OverReported | Undefined::DeadTracked | Undefined::CalledCleared => return,
        };
        let kept = reason == Undefined::KeptDying;
        let dying = s.user_code().frames().iter().rev().find(|f| kept && f.code() == Code::Dealloc);
        let report = Report::collector(dying.map(Frame::owner).and_then(unpack)).observed(words);
        let flawed = match reason {
            Undefined::DanglingWeakref => {
                let dangling = |r: &&WeakRec| outlives(s, r);
                let mut records = s.weakrefs().records().iter().filter(dangling);
                records.any(|r| is_unsafe(s, r))
                    && s.weakrefs().records().iter().filter(dangling).all(|r| is_unsafe(s, r))
            }
            Undefined::UseAfterFree => s.objects().all().iter().any(|o| o.is(Object::FREED) && is_flawed_one(o)),
            _ => false,
        };
        out.fail(Invariant::I05, s, report.blame_type(kept || flawed));
    }
}

/// The deallocator of an object does not do all that it must.
fn is_flawed_one(o: &Object) -> bool {
    o.facts().is(Facts::KEEPS_TRACKED | Facts::KEEPS_WEAKREFS) || o.is(Object::SPOILT)
}

fn is_flawed(s: &Shadow, object: ObjId) -> bool {
    let faulty = |o: &Object| mutant!(I05BlamesAnyFault) && o.facts().is(Facts::FAULTY);
    s.get(object).is_some_and(is_flawed_one) || s.objects().all().iter().any(faulty)
}

/// A weak reference that may still lead to the memory of a referent that has been freed.
fn outlives(s: &Shadow, r: &WeakRec) -> bool {
    let freed = s.at(r.referent()).is_some_and(|o| o.is(Object::FREED));
    freed && s.at(r.weak()).is_some_and(|o| !o.is(Object::FREED)) && (r.is_live() || r.is_armed() && is_unsafe(s, r))
}

/// Its referent's deallocator has left it alone, or made it.
fn is_unsafe(s: &Shadow, r: &WeakRec) -> bool {
    let keeps = s.at(r.referent()).is_some_and(|o| o.facts().is(Facts::KEEPS_WEAKREFS));
    keeps || s.at(r.weak()).is_some_and(|o| o.is(Object::SPOILT))
}
