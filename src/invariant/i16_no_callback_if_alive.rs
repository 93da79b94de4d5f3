//! Verifies: at quiescence, an object with a weak reference whose callback has run is not alive.
//!
//! Does not verify: runs in which it is not certain what the collector found unreachable. Documented exceptions: the
//! same as for I12.

use super::Invariant;
use super::fault::survivor;
use super::registry::Description;
use super::shadow::Shadow;
use super::violations::Violations;
use crate::subject::{Expectation, Needs};

pub(super) const DESCRIPTION: Description = Description {
    name: "no-callback-if-alive",
    statement: "If the referent is alive at the end of the operation, the callback has not run.",
    premises: "As for I12: no resurrection by a finalizer that the collector called, no `DEBUG_SAVEALL`, complete types, \
               3.4 or later.",
    not: "Callbacks in runs whose unreachable set is not certain.",
    promised: true,
    needs: Needs::UNREACHABLE,
    asks: &[
        Expectation::Resurrection,
        Expectation::DelAfterWeakrefs,
        Expectation::SaveAll,
        Expectation::LegacyFinalizer,
        Expectation::FunctionWithoutClear,
        Expectation::TrashWeakrefCleared,
    ],
    sentence: "the callback of {object} has run and its referent {other} lives",
};

pub(super) fn at_rest(s: &mut Shadow, out: &mut Violations) {
    if !s.some_called {
        return;
    }
    for at in 0..s.weaks.len() {
        let record = &s.weaks[at];
        if record.calls == 0 || record.reported[1] {
            continue;
        }
        if !s.at(record.referent).is_some_and(|o| o.held()) {
            out.pass(Invariant::I16);
            continue;
        }
        let record = *record;
        s.update_base();
        match survivor(s, &record) {
            Some(report) => {
                s.weaks[at].reported[1] = true;
                out.fail(Invariant::I16, s, report);
            }
            None => out.skip(Invariant::I16),
        }
    }
}
