//! Verifies: in every snapshot, a tracked object has a reference count above 0 and is not being deallocated.
//!
//! Does not verify: fields of objects under construction.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Facts, Object, Shadow};
use super::violations::{Report, Violations};
use crate::event::{ObjId, Spot, Undefined};
use crate::subject::Needs;

pub(super) struct I24;

impl Check for I24 {
    const DESCRIPTION: Description = Description {
        statement: "An object on a GC list has a reference count above 0; introspection and collection never see it half-built or \
                    half-freed.",
        premises: "A deallocator that forgets to untrack (bpo-31095), or whose action tracks its object again, makes it a \
                   type-fault.",
        not: "Fields of objects under construction.",
        rests: &[Ground::MemorySafety],
        needs: Needs::SNAPSHOTS.and(Needs::LISTS).and(Needs::COUNTS),
        asks: &[],
        sentence: "{object} is tracked and {observed}",
    };

    #[inline]
    fn odd_line(s: &mut Shadow, out: &mut Violations, object: ObjId, refcount: u32, spot: Spot) {
        let Some(o) = s.get(object) else { return };
        if refcount != 0 && (o.lives() || mutant!(I24OnlyZero)) || matches!(spot, Spot::Untracked | Spot::NoHeader) {
            return;
        }
        let words = if refcount == 0 { "has reference count 0" } else { "is being deallocated" };
        out.fail(Invariant::I24, s, Report::collector(Some(object)).observed(words).blame_type(flawed(o)));
    }

    #[inline]
    fn listed(_s: &Shadow, out: &mut Violations) {
        // Lines that broke it were reported as they came.
        out.pass(Invariant::I24);
    }

    fn undefined(s: &Shadow, out: &mut Violations, reason: Undefined) {
        if reason == Undefined::DeadTracked {
            let at = s.objects().all().iter().position(|o| o.is(Object::GONE) && flawed(o));
            let object = at.map(|i| ObjId::from_index(i as u32));
            let report = Report::collector(object).observed("was dead when a collection met it");
            out.fail(Invariant::I24, s, report.blame_type(at.is_some()));
        }
    }
}

/// The deallocator left the object tracked, or its action may have tracked it again.
fn flawed(o: &Object) -> bool {
    o.facts().is(Facts::KEEPS_TRACKED) || o.facts().shape().is_extension() && o.is(Object::ACTED)
}
