//! Verifies: when `tp_clear` is called on an object, every finalizer in the unreachable set from whose object it can be
//! reached has returned. Also reports, as a type-fault, a deallocator with an action on an object that has been cleared:
//! work of a finalizer in a deallocator (bpo-13070, bpo-26590, Cython's `__dealloc__`).
//!
//! Does not verify: finalizers of objects that the collector cannot see, and the set on runs where it is not certain.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Object, Shadow};
use super::violation::Class;
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::subject::{Choice, Expectation, Needs, Promise};

pub(super) struct I08;

impl Check for I08 {
    const DESCRIPTION: Description = Description {
        statement: "If a finalizable object in the unreachable set reaches another one, its finalizer has returned before \
                    `tp_clear` is called on the other one.",
        premises: "`tp_finalize` and a GC header. Work in deallocators instead of finalizers is a type-fault.",
        not: "Finalizers of objects that the collector cannot see.",
        rests: &[Ground::Promise(Promise::FinalizedBeforeCleared)],
        needs: Needs::UNREACHABLE,
        asks: &[Expectation::Finalizers],
        sentence: "{object} was cleared before {other} {observed}",
    };

    #[inline]
    fn clearing(s: &mut Shadow, out: &mut Violations, object: ObjId) {
        if !s.collection().unreachable().is_sound() {
            out.skip(Invariant::I08);
            return;
        }
        let mut culprit = None;
        // For each object that is cleared: a look at all the trash would be quadratic.
        for at in 0..s.collection().unreachable().finalizable().len() {
            let index = s.collection().unreachable().finalizable()[at];
            if is_pending(&s.objects().all()[index as usize]) && s.leads(index + 1, object.index()) {
                culprit = Some(ObjId::from_index(index));
            }
        }
        // The verdict depends on that only where someone is to blame.
        let at_death = match culprit {
            Some(_) => s.expectations().is(Choice::FINALIZED_AT_DEATH),
            None => s.expectations().unasked().is(Choice::FINALIZED_AT_DEATH),
        };
        if at_death {
            out.skip(Invariant::I08);
            return;
        }
        out.judge(Invariant::I08, s, culprit.is_none(), || {
            let report = Report::collector(Some(object)).other(culprit).observed("had finished its finalizer");
            report.misled(s)
        });
    }

    #[inline]
    fn action_entered(s: &Shadow, out: &mut Violations, owner: ObjId) {
        let Some(o) = s.get(owner) else { return };
        out.judge(Invariant::I08, s, !o.is(Object::CLEARED) || mutant!(I08NotActions), || {
            Report::collector(Some(owner))
                .other(Some(owner))
                .observed("could do the work of its deallocator")
                .class(Class::TypeFault)
        });
    }
}

/// The finalizer has not run to its end.
fn is_pending(o: &Object) -> bool {
    let (calls, returns) = o.finalizer_calls();
    o.lives() && (returns == 0 && !o.is(Object::FINALIZED) || calls != returns)
}
