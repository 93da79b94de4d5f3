//! Verifies: no candidate's type reports more than it owns or different edges at different times; and a collection in
//! which no user code runs leaves the unknown part of each survivor's reference count as it was.
//!
//! Does not verify: allocation and user code inside `traverse`. Edges that a type does not report are allowed: what it
//! reports is a part of what it owns.

use super::Invariant;
use super::registry::Description;
use super::shadow::{Facts, Object, Shadow};
use super::violation::Class;
use super::violations::{Report, Violations};
use crate::event::{ObjId, Undefined};
use crate::subject::Needs;

pub(super) const DESCRIPTION: Description = Description {
    name: "traverse-faithful",
    statement: "`traverse` reports a part of the owned edges, the same one each time within a collection, and has no side \
                effects on reference counts.",
    premises: "Always a type-fault, except for a changed reference count.",
    not: "Allocation and user code inside `traverse`.",
    promised: true,
    needs: Needs::UNREACHABLE.and(Needs::WEAKREFS).and(Needs::GARBAGE),
    asks: &[],
    sentence: "{object} {observed}",
};

/// The unreachable set has just been found.
pub(super) fn examined(s: &Shadow, out: &mut Violations) {
    if !s.col.type_misled {
        out.pass(Invariant::I26);
        return;
    }
    let mut misled = false;
    for index in s.col.candidates.iter() {
        let o = &s.objects[index];
        let wrong = |set: u8| (0..4).any(|slot| set & 1 << slot != 0 && o.slots[slot] != 0);
        let words = if wrong(o.facts.doubled) {
            "reported a reference twice"
        } else if wrong(o.facts.fickle) {
            "reported different references at different times"
        } else {
            continue;
        };
        misled = true;
        let report = Report::collector(Some(ObjId::from_index(index as u32))).observed(words);
        out.fail(Invariant::I26, s, report.class(Class::TypeFault));
    }
    if !misled {
        out.pass(Invariant::I26);
    }
}

pub(super) fn collected(s: &Shadow, out: &mut Violations) {
    if s.col.scripts > 0 || s.col.late || s.stream_unclear {
        out.skip(Invariant::I26);
        return;
    }
    let passed = if s.is_even() && !s.col.uneven { s.col.candidates.common(&s.present) } else { unlike(s, out) };
    out.passes(Invariant::I26, passed);
}

/// Reports the candidates whose unknown part has changed, and counts the others.
fn unlike(s: &Shadow, out: &mut Violations) -> u32 {
    let mut passed = 0;
    for index in s.col.candidates.iter() {
        let o = &s.objects[index];
        if o.stamp != s.stamp || o.is(Object::GONE | Object::UNKNOWN_HOLDERS) || o.refcount == 0 {
            continue;
        }
        if s.times_listed(index) > 0 {
            continue;
        }
        let unknown = if s.col.uneven { o.unknown } else { 0 };
        if o.refcount.wrapping_sub(o.in_edges) == unknown {
            passed += 1;
            continue;
        }
        let report = Report::collector(Some(ObjId::from_index(index as u32)))
            .observed("has another reference count after the collection")
            .blame_type(o.facts.is(Facts::LIES));
        out.fail(Invariant::I26, s, report);
    }
    passed
}

pub(super) fn undefined(s: &Shadow, out: &mut Violations, reason: Undefined) {
    if reason == Undefined::OverReported {
        let report = Report::collector(None).observed("was reported more often than it is owned");
        let liar = s.objects.iter().any(|o| o.facts.is(Facts::LIES));
        out.fail(Invariant::I26, s, report.blame_type(liar));
    }
}
