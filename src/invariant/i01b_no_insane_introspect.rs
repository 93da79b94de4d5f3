//! Verifies: what `gc.get_objects()` shows to user code has not been cleared.
//!
//! Does not verify: other ways of introspection. CPython does not promise this: what survives `tp_clear` goes back to
//! the lists while the rest of the trash is still being cleared (bpo-38006, msg353867).

use super::Invariant;
use super::check::Check;
use super::description::Description;
use super::shadow::{Object, Shadow};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::subject::{Expectation, Needs};

pub(super) struct I01b;

impl Check for I01b {
    const DESCRIPTION: Description = Description {
        statement: "User code never obtains a cleared object by introspection.",
        premises: "None.",
        not: "Introspection other than `gc.get_objects()`.",
        rests: &[],
        needs: Needs::NONE,
        asks: &[Expectation::Introspection],
        sentence: "gc.get_objects() showed {object}, which had been cleared",
    };

    fn scanned(s: &Shadow, out: &mut Violations, object: ObjId) {
        let Some(o) = s.get(object) else { return };
        out.judge(Invariant::I01b, s, !o.is(Object::CLEARED), || {
            Report::collector(Some(object)).documented(Expectation::Introspection, s)
        });
    }
}
