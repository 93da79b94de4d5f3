//! Verifies: user code that the collector or a deallocator runs (finalizers, callbacks, entries of `gc.callbacks`, and
//! what they call) never gets a cleared object by strong references, by its own identity or argument, or from a weak
//! reference.
//!
//! Does not verify: introspection (I01b), the mutator (I02), actions of deallocators (an object whose deallocator runs
//! has often been cleared, which is why such work belongs into a finalizer: I08).

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Object, Shadow, unpack};
use super::violations::{Report, Violations};
use crate::event::{Code, ObjId};
use crate::subject::{Needs, Promise};

pub(super) struct I01;

impl Check for I01 {
    const DESCRIPTION: Description = Description {
        statement: "Code run by the collector or a deallocator never obtains an object on which `tp_clear` has been called, \
                    by following strong edges from its arguments, closure or globals, or by calling a weak reference.",
        premises: "None for types that hide edges: that the collector cannot see an edge is no excuse (bpo-38006). Types whose \
                   `traverse` reports too much, or not the same each time, make it a type-fault.",
        not: "Introspection (I01b); the mutator (I02); actions of deallocators (I08).",
        rests: &[Ground::Reachability, Ground::Promise(Promise::NoClearedSeen)],
        needs: Needs::UNREACHABLE,
        asks: &[],
        sentence: "{object} had been cleared when user code {observed}",
    };

    fn obtained(s: &Shadow, out: &mut Violations, object: ObjId, how: &'static str) {
        let Some(driver) = s.user_code().driver().filter(|f| f.code() != Code::Dealloc) else { return };
        let Some(o) = s.get(object).filter(|_| !(mutant!(I01NotForEntries) && driver.code() == Code::GcCallback))
        else {
            return;
        };
        out.judge(Invariant::I01, s, !o.is(Object::CLEARED), || {
            Report::collector(Some(object)).other(unpack(driver.owner())).observed(how).misled(s)
        });
    }
}
