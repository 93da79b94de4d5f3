//! Verifies: no candidate's type reports more than it owns or different edges at different times; and a collection in
//! which no user code runs leaves the unknown part of each survivor's reference count as it was.
//!
//! Does not verify: allocation and user code inside `traverse`. Edges that a type does not report are allowed: what it
//! reports is a part of what it owns.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Facts, NONE, Object, Shadow};
use super::violation::Class;
use super::violations::{Report, Violations};
use crate::event::{ObjId, Undefined};
use crate::subject::{Needs, Promise};

pub(super) struct I26;

impl Check for I26 {
    const DESCRIPTION: Description = Description {
        statement: "`traverse` reports a part of the owned edges, the same one each time within a collection, and has no side \
                    effects on reference counts.",
        premises: "Always a type-fault, except for a changed reference count.",
        not: "Allocation and user code inside `traverse`.",
        rests: &[Ground::Promise(Promise::TypesTakePart)],
        needs: Needs::UNREACHABLE.and(Needs::WEAKREFS).and(Needs::GARBAGE),
        asks: &[],
        sentence: "{object} {observed}",
    };

    #[inline]
    fn found(s: &Shadow, out: &mut Violations) {
        if s.collection().unreachable().is_type_misled() {
            liars(s, out);
        } else {
            out.pass(Invariant::I26);
        }
    }

    #[inline]
    fn collected(s: &mut Shadow, out: &mut Violations, _returned: u32, _uncollectable: u32) {
        let c = s.collection();
        if c.scripts() > 0 || c.is_late() || s.confidence().is_stream_unclear() {
            out.skip(Invariant::I26);
            return;
        }
        let found = c.unreachable();
        let even = s.is_even() && !found.is_uneven() || mutant!(I26NotCounts);
        let passed = if even { found.candidates().common(s.objects().present()) } else { unlike(s, out) };
        out.passes(Invariant::I26, passed);
    }

    fn undefined(s: &Shadow, out: &mut Violations, reason: Undefined) {
        if reason == Undefined::OverReported {
            let report = Report::collector(None).observed("was reported more often than it is owned");
            let lies = |o: &Object| {
                let slots = o.facts().doubled() | o.facts().fickle();
                o.lives() && (0..4).any(|slot| slots & 1 << slot != 0 && o.slot(slot) != NONE)
            };
            let liar = s.objects().all().iter().any(lies) || s.objects().tracked_dying_lies().next().is_some();
            out.fail(Invariant::I26, s, report.blame_type(liar));
        }
    }
}

/// Reports the candidates whose type lies about an edge that there is.
#[cold]
fn liars(s: &Shadow, out: &mut Violations) {
    let mut misled = false;
    for index in s.collection().unreachable().candidates().iter() {
        let o = &s.objects().all()[index];
        let wrong = |set: u8| (0..4).any(|slot| set & 1 << slot != 0 && o.slot(slot) != NONE);
        let words = if wrong(o.facts().doubled()) {
            "reported a reference twice"
        } else if wrong(o.facts().fickle()) {
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

/// Reports the candidates whose unknown part has changed, and counts the others.
fn unlike(s: &Shadow, out: &mut Violations) -> u32 {
    let found = s.collection().unreachable();
    let mut passed = 0;
    for index in found.candidates().iter() {
        let o = &s.objects().all()[index];
        let doubtful = o.is(Object::GONE | Object::UNKNOWN_HOLDERS) || o.refcount() == 0;
        if !s.snapshot().shows(o) || doubtful || s.roots().times_listed(index) > 0 {
            continue;
        }
        let unknown = if found.is_uneven() { o.unknown() } else { 0 };
        if o.refcount().wrapping_sub(o.in_edges()) == unknown {
            passed += 1;
            continue;
        }
        let report = Report::collector(Some(ObjId::from_index(index as u32)))
            .observed("has another reference count after the collection")
            .blame_type(o.facts().is(Facts::LIES));
        out.fail(Invariant::I26, s, report);
    }
    passed
}
