//! Verifies: at quiescence a weak reference is dead only if its referent is freed or being freed; while no collection runs
//! it answers with a referent that is surely reachable; and once dead it stays dead.
//!
//! Does not verify: weak references on which `tp_clear` was called; runs in which it is not certain what the collector
//! found unreachable.
//!
//! Documented exceptions: a referent that a finalizer saved (before 3.15 every weak reference to it is dead, from 3.15
//! on those with a callback), a weak reference that was trash itself (3.8 to 3.14), `DEBUG_SAVEALL`, and 2.7's `__del__`.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::fault::judge_survivor;
use super::shadow::{Object, Shadow, unpack};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::scenario::Shape;
use crate::subject::{Expectation, Needs, Promise};

/// Says in a record that the weak reference has been reported here.
const DEAD: usize = 0;

pub(super) struct I12;

impl Check for I12 {
    const DESCRIPTION: Description = Description {
        statement: "A weak reference is dead only if its referent has been freed or is being freed; a referent that is alive \
                    when the operation ends still answers. Dead is final.",
        premises: "The collection in which it died had not found the referent unreachable, and a finalizer saved it; nor the weak \
                   reference itself (3.8 to 3.14); nor kept either for `DEBUG_SAVEALL`. What holds a referent that is left and \
                   unreachable clears what it owns.",
        not: "Weak references on which `tp_clear` was called.",
        rests: &[Ground::Promise(Promise::WeakrefAnswers)],
        needs: Needs::UNREACHABLE.and(Needs::WEAKREFS),
        asks: &[
            Expectation::Resurrection,
            Expectation::DelAfterWeakrefs,
            Expectation::SaveAll,
            Expectation::LegacyFinalizer,
            Expectation::FunctionClear,
            Expectation::TrashWeakrefCleared,
            Expectation::ClearedEarly,
        ],
        sentence: "{object} is dead and its referent {other} lives",
    };

    #[inline]
    fn answered(s: &mut Shadow, out: &mut Violations, weak: ObjId, referent: Option<ObjId>) {
        let Some(record) = s.weak(weak) else { return };
        let back = record.was_dead() && referent.is_some();
        out.judge(Invariant::I12, s, !back, || Report::collector(Some(weak)).other(unpack(record.referent())));
    }

    #[inline]
    fn denied(s: &mut Shadow, out: &mut Violations, weak: ObjId) {
        let Some((at, record)) = s.weak_at(weak) else { return };
        let referent = record.referent();
        let open = !record.is_reported(DEAD) && s.get(weak).is_some_and(|o| !o.is(Object::GONE | Object::CLEARED));
        if !open || s.at(referent).is_none_or(|o| !o.lives()) {
            return;
        }
        s.update_base();
        if s.reach().base().has(referent as usize - 1) {
            judge_survivor(s, out, Invariant::I12, at, DEAD);
        }
    }

    #[inline]
    fn at_rest(s: &mut Shadow, out: &mut Violations, _explicit: bool) {
        for at in 0..s.weakrefs().records().len() {
            let record = &s.weakrefs().records()[at];
            let (Some(weak), Some(referent)) = (s.at(record.weak()), s.at(record.referent())) else { continue };
            let proxy = weak.facts().shape() == Shape::Proxy;
            if mutant!(I12NotForProxies) && proxy
                || weak.is(Object::GONE | Object::CLEARED)
                || !referent.held()
                || record.is_reported(DEAD)
            {
                continue;
            }
            if record.is_live() {
                out.pass(Invariant::I12);
                continue;
            }
            judge_survivor(s, out, Invariant::I12, at, DEAD);
        }
    }
}
