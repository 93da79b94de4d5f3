//! Verifies: the finalizer of an object is called at most once.
//!
//! Does not verify: explicit calls of `__del__`.
//!
//! Not for every object: PEP 442 keeps its mark in the GC header, so for
//! an object without one each death calls the finalizer, on purpose; so does `tp_del`, and everything before 3.4.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Facts, Object, Shadow};
use super::violations::{Report, Violations};
use crate::event::{Code, ObjId};
use crate::scenario::Shape;
use crate::subject::{Expectation, Needs, Promise};

pub(super) struct I07;

impl Check for I07 {
    const DESCRIPTION: Description = Description {
        statement: "The finalizer of one object runs at most once, whatever kills or resurrects the object.",
        premises: "A GC header and `tp_finalize`; without header, with `tp_del`, or before 3.4, repetition is documented for an object \
                   that was saved.",
        not: "Explicit calls.",
        rests: &[Ground::AtMostOnce, Ground::Promise(Promise::FinalizedOnce)],
        needs: Needs::UNREACHABLE,
        asks: &[
            Expectation::NoFinalizedBit,
            Expectation::NoBitBefore34,
            Expectation::LegacyEachTime,
            Expectation::EmptySlots,
        ],
        sentence: "the finalizer of {object} ran for the time number {observed}",
    };

    #[inline]
    fn finalizer_entered(s: &mut Shadow, out: &mut Violations, code: Code, owner: ObjId) {
        let s = &*s;
        let Some(o) = s.get(owner) else { return };
        let (calls, _) = o.finalizer_calls();
        out.judge(Invariant::I07, s, calls <= 1 || mutant!(I07NotByRefcount) && !s.collection().runs(), || {
            let report = Report::collector(Some(owner)).counts(1, u32::from(calls)).misled(s);
            if !o.is(Object::SAVED) {
                report
            } else if code == Code::LegacyFinalizer {
                report.documented(Expectation::LegacyEachTime, s)
            } else if s.expectations().holds(Expectation::NoBitBefore34) {
                report.documented(Expectation::NoBitBefore34, s)
            } else if o.facts().is(Facts::NO_HEADER) {
                report.documented(Expectation::NoFinalizedBit, s)
            } else if o.facts().shape() == Shape::Bare {
                report.documented(Expectation::EmptySlots, s)
            } else {
                report
            }
        });
    }
}
