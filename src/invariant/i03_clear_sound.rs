//! Verifies: `tp_clear` is called only on objects that no root reaches at that moment, hidden edges included.
//!
//! Does not verify: holders that events do not tell of (references in C variables of the running operation, entries
//! that a script adds to `gc.callbacks`): an object that only they hold passes.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::Shadow;
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::subject::{Needs, Promise};

pub(super) struct I03;

impl Check for I03 {
    const DESCRIPTION: Description = Description {
        statement: "`tp_clear` is called on an object only if it is true garbage at that moment; edges that `traverse` does not \
                    report and owners outside the heap count.",
        premises: "A `traverse` that reports too much, or not the same each time, makes it a type-fault.",
        not: "Owners that events do not tell of.",
        rests: &[Ground::Reachability, Ground::Promise(Promise::ReachableStays)],
        needs: Needs::UNREACHABLE,
        asks: &[],
        sentence: "{object} was cleared while a root reached it",
    };

    #[inline]
    fn clearing(s: &mut Shadow, out: &mut Violations, object: ObjId) {
        if s.confidence().is_stream_unclear() || mutant!(I03NotInYoungest) && s.collection().generation() == 0 {
            out.skip(Invariant::I03);
            return;
        }
        s.update_base();
        let held = s.reach().base().has(object.index());
        out.judge(Invariant::I03, s, !held, || Report::collector(Some(object)).misled(s));
    }
}
