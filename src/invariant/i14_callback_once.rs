//! Verifies: a weak reference with a callback that is live, and not trash, when its referent dies has its callback
//! called by the time the referent's memory is released; and no callback is called twice.
//!
//! Does not verify: callbacks of weak containers and `weakref.finalize`; runs in which it is not certain whether the
//! weak reference was trash; callables without a script; referents that die of a callback that the collection of their
//! trash calls: theirs may be called after their death.

use super::Invariant;
use super::registry::Description;
use super::shadow::{Facts, NO_SCRIPT, NONE, Object, Shadow, WeakRec, pack, unpack};
use super::violation::Phase;
use super::violations::{Report, Violations};
use crate::event::{ObjId, Role};
use crate::subject::{Expectation, Needs};

pub(super) const DESCRIPTION: Description = Description {
    name: "callback-once",
    statement: "If a weak reference with a callback is live when its referent dies, and is not trash itself, the callback \
                runs exactly once.",
    premises: "The referent's type clears weak references; no candidate's `traverse` lies.",
    not: "Callbacks of weak containers and of `weakref.finalize`; callables without a script; referents that a callback of \
          their own collection releases.",
    promised: true,
    needs: Needs::UNREACHABLE.and(Needs::WEAKREFS),
    asks: &[Expectation::DelAfterWeakrefs, Expectation::MadeByFinalizer],
    sentence: "the callback of {object} (referent {other}) ran {observed} times",
};

fn report(record: &WeakRec) -> Report {
    Report::collector(unpack(record.weak)).other(unpack(record.referent)).counts(1, u32::from(record.calls))
}

pub(super) fn entered(s: &Shadow, out: &mut Violations, weak: ObjId) {
    let Some(record) = s.weak(weak) else { return };
    out.judge(Invariant::I14, s, record.calls <= 1, || report(record));
}

/// A weak reference that should have been called before its referent's memory is released.
pub(super) fn is_armed(s: &Shadow, record: &WeakRec) -> bool {
    let Some(weak) = s.at(record.weak) else { return false };
    let callable = s.at(record.callback).is_some_and(|c| c.facts.on_call != NO_SCRIPT && c.facts.shape.can_call());
    let named = weak.facts.role == Role::Named && record.callback != NONE;
    callable && named && record.armed && weak.lives() && !weak.is(Object::CLEARED)
}

pub(super) fn free(s: &Shadow, out: &mut Violations, object: ObjId) {
    let Some(referent) = s.get(object) else { return };
    if referent.weak_head == 0 || referent.is(Object::FREED) {
        return;
    }
    for record in s.weaks_of(object.index() as u32 + 1) {
        if !is_armed(s, record) {
            continue;
        }
        if record.calls > 0 {
            out.pass(Invariant::I14);
            continue;
        }
        let at = record.weak as usize - 1;
        let c = &s.col;
        let unsure = c.active && c.ready && (c.trash.has(at) || !c.exact && c.candidates.has(at));
        // What another callback of this collection releases: its own callbacks are gathered and may be called later.
        let calling = s.frames.get(c.depth).is_some_and(|f| f.by_collector);
        let pending = (calling || s.phase() == Phase::Cb) && c.trash.has(object.index());
        let unheld = s.at(record.weak).is_some_and(|w| w.in_edges == 0);
        let fresh = c.active && record.born_in == c.number;
        if unsure
            || pending
            || unheld
            || s.stream_unclear
            || fresh && !s.expectations.knows(Expectation::MadeByFinalizer)
        {
            out.skip(Invariant::I14);
            continue;
        }
        let report = report(record).blame_type(s.type_misled || referent.facts.is(Facts::KEEPS_WEAKREFS));
        // 2.7 clears what __del__ has made without a call.
        let del = referent.facts.is(Facts::FINALIZER) && referent.facts.is_python_class();
        let report = if del { report.documented(Expectation::DelAfterWeakrefs, s) } else { report };
        out.fail(Invariant::I14, s, if fresh { report.documented(Expectation::MadeByFinalizer, s) } else { report });
    }
}

/// How many weak references with a callback outlive their referent without a call.
pub(super) fn suppressed(s: &Shadow, referent: ObjId) -> u64 {
    let silent = |r: &&WeakRec| r.callback != 0 && r.calls == 0 && s.at(r.weak).is_some_and(Object::lives);
    s.weaks_of(pack(Some(referent))).filter(silent).count() as u64
}
