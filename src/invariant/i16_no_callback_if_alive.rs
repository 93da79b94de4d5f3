//! Verifies: at quiescence, an object with a weak reference whose callback has run is not alive.
//!
//! Does not verify: runs in which it is not certain what the collector found unreachable. Documented exceptions: the
//! same as for I12.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::fault::judge_survivor;
use super::shadow::Shadow;
use super::violations::Violations;
use crate::scenario::Shape;
use crate::subject::{Expectation, Needs, Promise};

/// Says in a record that the weak reference has been reported here.
const ALIVE: usize = 1;

pub(super) struct I16;

impl Check for I16 {
    const DESCRIPTION: Description = Description {
        statement: "If the referent is alive at the end of the operation, the callback has not run.",
        premises: "As for I12, of the collection in which it ran: no resurrection by a finalizer of it, no `DEBUG_SAVEALL`, complete \
                   types; before 3.4, the finalizer did not run after it.",
        not: "Callbacks in runs whose unreachable set is not certain.",
        rests: &[Ground::Promise(Promise::CallbackDue)],
        needs: Needs::UNREACHABLE,
        asks: &[
            Expectation::Resurrection,
            Expectation::DelAfterWeakrefs,
            Expectation::SaveAll,
            Expectation::LegacyFinalizer,
            Expectation::ClearedEarly,
            Expectation::FunctionClear,
        ],
        sentence: "the callback of {object} has run and its referent {other} lives",
    };

    #[inline]
    fn at_rest(s: &mut Shadow, out: &mut Violations, _explicit: bool) {
        if !s.weakrefs().some_called() {
            return;
        }
        for at in 0..s.weakrefs().records().len() {
            let record = &s.weakrefs().records()[at];
            let keyed = || s.at(record.weak()).is_some_and(|w| w.facts().shape() == Shape::KeyedRef);
            if record.calls() == 0 || record.is_reported(ALIVE) || mutant!(I16NotForKeyedRefs) && keyed() {
                continue;
            }
            if !s.at(record.referent()).is_some_and(|o| o.held()) {
                out.pass(Invariant::I16);
                continue;
            }
            judge_survivor(s, out, Invariant::I16, at, ALIVE);
        }
    }
}
