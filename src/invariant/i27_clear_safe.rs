//! Verifies: no collection calls `tp_clear` on an object twice, and no cleared object is used in a way that its type
//! does not stand.
//!
//! Does not verify: methods that no script calls. A function that has been cleared cannot be called from 3.8 on
//! (gh-91636; with a closure on every later release): reported as `collector`, since user code came by it.

use super::Invariant;
use super::registry::Description;
use super::shadow::{Object, Shadow, unpack};
use super::violations::{Report, Violations};
use crate::event::{ObjId, Undefined};
use crate::subject::Needs;

pub(super) const DESCRIPTION: Description = Description {
    name: "clear-safe",
    statement: "`tp_clear` is called at most once per collection and leaves an object on which the deallocator and every \
                method are memory-safe.",
    premises: "None.",
    not: "Methods that no script calls.",
    promised: true,
    needs: Needs::NONE,
    asks: &[],
    sentence: "{object} {observed}",
};

pub(super) fn clear(s: &Shadow, out: &mut Violations, object: ObjId) {
    let Some(o) = s.get(object) else { return };
    let again = o.is(Object::CLEARED_NOW) && s.col.ready;
    out.judge(Invariant::I27, s, !again, || {
        Report::collector(Some(object)).observed("was cleared twice in one collection")
    });
}

pub(super) fn undefined(s: &Shadow, out: &mut Violations, reason: Undefined) {
    if reason == Undefined::CalledCleared {
        let object = s.frames.last().and_then(|f| unpack(f.owner));
        out.fail(
            Invariant::I27,
            s,
            Report::collector(object).observed("met a function that was called after it had been cleared"),
        );
    }
}
