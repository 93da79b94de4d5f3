//! Verifies: an object's deallocation becomes final once and ends once.
//!
//! Does not verify: external resources; a second release inside one deallocator.
//!
//! On 2.7 the deallocator of a Python class may end without a release, because `__del__` saves the object after its
//! weak references are gone; it then starts again later.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Facts, Object, Shadow};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::subject::Needs;

pub(super) struct I04;

impl Check for I04 {
    const DESCRIPTION: Description = Description {
        statement: "Each object's deallocation completes at most once, even if `tp_clear` ran before.",
        premises: "A deallocator that forgets to untrack, or to clear weak references, makes it a type-fault.",
        not: "External resources.",
        rests: &[Ground::MemorySafety, Ground::AtMostOnce],
        needs: Needs::UNREACHABLE,
        asks: &[],
        sentence: "{object} {observed}",
    };

    #[inline]
    fn dealloc(s: &Shadow, out: &mut Violations, object: ObjId) {
        let states = if mutant!(I04OnlyFreed) { Object::FREED } else { Object::GONE };
        judge(s, out, object, states, "was deallocated again");
    }

    #[inline]
    fn freed_plainly(out: &mut Violations) {
        out.pass(Invariant::I04);
    }

    #[inline]
    fn freed(s: &Shadow, out: &mut Violations, object: ObjId) {
        judge(s, out, object, Object::FREED, "was freed again");
    }
}

/// Judges a step of a death that must not find the object in one of these states.
#[inline]
fn judge(s: &Shadow, out: &mut Violations, object: ObjId, states: u16, words: &'static str) {
    let Some(o) = s.get(object) else { return };
    out.judge(Invariant::I04, s, !o.is(states), || {
        let flawed = o.facts().is(Facts::KEEPS_TRACKED | Facts::KEEPS_WEAKREFS);
        Report::collector(Some(object)).observed(words).blame_type(flawed || s.is_misled(Some(object)))
    });
}
