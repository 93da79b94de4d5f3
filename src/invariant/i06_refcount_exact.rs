//! Verifies: at quiescence (after an explicit collection by the mutator, and at the end) the reference count of each
//! object is the number of slots, variables, callbacks, `gc.callbacks` entries and `gc.garbage` items that hold it.
//!
//! Does not verify: objects some of whose holders events do not tell of (what a script may have added to `gc.callbacks`,
//! what was stored into an object while `tp_clear` ran on it); counts while user code runs.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Object, Shadow, Trait};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::subject::Needs;

pub(super) struct I06;

impl Check for I06 {
    const DESCRIPTION: Description = Description {
        statement: "At quiescence an object's reference count equals the number of strong edges to it, roots included.",
        premises: "None.",
        not: "Objects with holders that events do not tell of; counts while user code or a collection runs.",
        rests: &[Ground::MemorySafety, Ground::Liveness],
        needs: Needs::SNAPSHOTS.and(Needs::COUNTS).and(Needs::WEAKREFS).and(Needs::GARBAGE),
        asks: &[],
        sentence: "{object} has reference count {observed}, and {expected} references are known",
    };

    #[inline]
    fn at_rest(s: &mut Shadow, out: &mut Violations, explicit: bool) {
        if !explicit {
            return;
        }
        if s.is_even() && !s.confidence().is_stream_unclear() {
            out.passes(Invariant::I06, s.objects().live());
        } else {
            one_by_one(s, out);
        }
    }
}

fn one_by_one(s: &Shadow, out: &mut Violations) {
    let mut passed = 0;
    for index in s.objects().present().iter() {
        let o = &s.objects().all()[index];
        if o.is(Object::GONE) {
            continue;
        }
        let unclear = o.is(Object::UNKNOWN_HOLDERS | Object::MAYBE_LISTED);
        let unclear = unclear || mutant!(I06NotBesideLists) && s.program().has(Trait::ScriptsChangeCallbacks);
        if s.confidence().is_stream_unclear() || unclear || !s.snapshot().shows(o) {
            out.skip(Invariant::I06);
            continue;
        }
        let known = o.in_edges() + s.roots().times_listed(index);
        if known == o.refcount() {
            passed += 1;
        } else {
            let report = Report::collector(Some(ObjId::from_index(index as u32))).counts(known, o.refcount());
            out.fail(Invariant::I06, s, report);
        }
    }
    out.passes(Invariant::I06, passed);
}
