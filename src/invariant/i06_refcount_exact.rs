//! Verifies: at quiescence (after an explicit collection by the mutator, and at the end) the reference count of each
//! object is the number of slots, variables, callbacks, `gc.callbacks` entries and `gc.garbage` items that hold it.
//!
//! Does not verify: objects some of whose holders events do not tell of (callables if a script changes `gc.callbacks`,
//! what was stored into an object while `tp_clear` ran on it); counts while user code runs.

use super::Invariant;
use super::registry::Description;
use super::shadow::{Object, Shadow};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::subject::Needs;

pub(super) const DESCRIPTION: Description = Description {
    name: "refcount-exact",
    statement: "At quiescence an object's reference count equals the number of strong edges to it, roots included.",
    premises: "None.",
    not: "Objects with holders that events do not tell of; counts while user code or a collection runs.",
    promised: true,
    needs: Needs::SNAPSHOTS.and(Needs::COUNTS).and(Needs::WEAKREFS).and(Needs::GARBAGE),
    asks: &[],
    sentence: "{object} has reference count {observed}, and {expected} references are known",
};

pub(super) fn at_rest(s: &Shadow, out: &mut Violations) {
    if s.is_even() && !s.stream_unclear && !s.traits.scripts_change_callbacks {
        out.passes(Invariant::I06, s.live);
    } else {
        one_by_one(s, out);
    }
}

fn one_by_one(s: &Shadow, out: &mut Violations) {
    let mut passed = 0;
    for index in s.present.iter() {
        let o = &s.objects[index];
        if o.is(Object::GONE) {
            continue;
        }
        let unclear = o.is(Object::UNKNOWN_HOLDERS) || s.traits.scripts_change_callbacks && o.facts.shape.can_call();
        if s.stream_unclear || unclear || o.stamp != s.stamp {
            out.skip(Invariant::I06);
            continue;
        }
        let known = o.in_edges + s.times_listed(index);
        if known == o.refcount {
            passed += 1;
        } else {
            let report = Report::collector(Some(ObjId::from_index(index as u32))).counts(known, o.refcount);
            out.fail(Invariant::I06, s, report);
        }
    }
    out.passes(Invariant::I06, passed);
}
