//! Verifies: an object's deallocation becomes final once and ends once.
//!
//! Does not verify: external resources; a second release inside one deallocator.
//!
//! On 2.7 the deallocator of a Python class may end without a release, because `__del__` saves the object after its
//! weak references are gone; it then starts again later.

use super::Invariant;
use super::registry::Description;
use super::shadow::{Facts, Object, Shadow};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::subject::Needs;

pub(super) const DESCRIPTION: Description = Description {
    name: "free-once",
    statement: "Each object's deallocation completes at most once, even if `tp_clear` ran before.",
    premises: "A deallocator that forgets to untrack, or to clear weak references, makes it a type-fault.",
    not: "External resources.",
    promised: true,
    needs: Needs::UNREACHABLE,
    asks: &[],
    sentence: "{object} {observed}",
};

fn judge(s: &Shadow, out: &mut Violations, object: ObjId, bad: bool, words: &'static str) {
    let Some(o) = s.get(object) else { return };
    let flawed = o.facts.is(Facts::KEEPS_TRACKED | Facts::KEEPS_WEAKREFS) || s.type_misled;
    out.judge(Invariant::I04, s, !bad, || Report::collector(Some(object)).observed(words).blame_type(flawed));
}

pub(super) fn dealloc(s: &Shadow, out: &mut Violations, object: ObjId) {
    let bad = s.get(object).is_some_and(|o| o.is(Object::GONE));
    judge(s, out, object, bad, "was deallocated again");
}

pub(super) fn free(s: &Shadow, out: &mut Violations, object: ObjId) {
    let bad = s.get(object).is_some_and(|o| o.is(Object::FREED));
    judge(s, out, object, bad, "was freed again");
}
