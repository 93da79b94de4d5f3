//! Verifies: a weak reference with a callback that is live, and not trash, when its referent dies has its callback
//! called by the time the referent's memory is released; and no callback is called twice.
//!
//! Does not verify: callbacks of weak containers and `weakref.finalize`; runs in which it is not certain whether the
//! weak reference was trash; callables without a script; referents that die of a callback that the collection of their
//! trash calls: theirs may be called after their death.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Facts, NONE, Object, Shadow, WeakRec, pack, unpack};
use super::violations::{Report, Violations};
use crate::event::{ObjId, Role};
use crate::subject::{Needs, Promise};

pub(super) struct I14;

impl Check for I14 {
    const DESCRIPTION: Description = Description {
        statement: "If a weak reference with a callback is live when its referent dies, and is not trash itself, the callback \
                    runs exactly once.",
        premises: "The referent's type clears weak references; no candidate's `traverse` lies.",
        not: "Callbacks of weak containers and of `weakref.finalize`; callables without a script.",
        rests: &[Ground::AtMostOnce, Ground::Liveness, Ground::Promise(Promise::CallbackDue)],
        needs: Needs::UNREACHABLE.and(Needs::WEAKREFS),
        asks: &[],
        sentence: "the callback of {object} (referent {other}) ran {observed} times",
    };

    #[inline]
    fn callback_entered(s: &mut Shadow, out: &mut Violations, weak: ObjId, _observed: bool) {
        let Some(record) = s.weak(weak) else { return };
        out.judge(Invariant::I14, s, record.calls() <= 1 || mutant!(I14Twice), || report(record));
    }

    #[inline]
    fn collection_ended(s: &mut Shadow, out: &mut Violations) {
        if s.collection().has_called() {
            owed(s, out);
        }
    }

    #[inline]
    fn freed(s: &Shadow, out: &mut Violations, object: ObjId) {
        if s.get(object).is_some_and(Object::has_weakrefs) {
            referent_freed(s, out, object);
        }
    }
}

/// Judges the callbacks of what died while others were called, when there has been time for all.
#[inline(never)]
fn owed(s: &mut Shadow, out: &mut Violations) {
    for record in s.weakrefs().records().iter().filter(|record| record.is_owed() && is_armed(s, record)) {
        let is_trash = !s.collection().unreachable().is_exact()
            || s.collection().unreachable().trash().has(record.weak() as usize - 1);
        if record.calls() > 0 {
            out.pass(Invariant::I14);
        } else if is_trash || s.confidence().is_stream_unclear() {
            out.skip(Invariant::I14);
        } else {
            out.fail(Invariant::I14, s, report(record).misled(s));
        }
    }
    s.forget_owed();
}

/// Judges the callbacks of an object whose memory is released.
#[inline(never)]
fn referent_freed(s: &Shadow, out: &mut Violations, object: ObjId) {
    let Some(referent) = s.get(object).filter(|o| !o.is(Object::FREED)) else { return };
    for record in s.weaks_of(pack(Some(object))).filter(|record| is_armed(s, record)) {
        if record.calls() > 0 {
            out.pass(Invariant::I14);
            continue;
        }
        let trash = s.collection().is_trash(object.index());
        if is_unsure(s, record) || s.confidence().is_stream_unclear() || mutant!(I14NotForTrash) && trash {
            out.skip(Invariant::I14);
            continue;
        }
        let facts = referent.facts();
        // Whoever made it and when: the documentation makes no difference.
        let report = report(record).blame_type(facts.is(Facts::KEEPS_WEAKREFS)).misled(s);
        out.fail(Invariant::I14, s, report);
    }
}

fn report(record: &WeakRec) -> Report {
    let (weak, referent) = (unpack(record.weak()), unpack(record.referent()));
    Report::collector(weak).other(referent).counts(1, u32::from(record.calls()))
}

/// A weak reference that should have been called before its referent's memory is released.
fn is_armed(s: &Shadow, record: &WeakRec) -> bool {
    let Some(weak) = s.at(record.weak()) else { return false };
    let callable = s.at(record.callback()).is_some_and(|c| c.facts().runs_when_called());
    let named = weak.facts().role() == Role::Named && record.callback() != NONE;
    callable && named && record.is_armed() && weak.lives() && !weak.is(Object::CLEARED)
}

/// It is not certain that the callback was due.
fn is_unsure(s: &Shadow, record: &WeakRec) -> bool {
    let c = s.collection();
    let (found, at) = (c.unreachable(), record.weak() as usize - 1);
    let is_trash = found.trash().has(at) || !found.is_exact() && found.candidates().has(at);
    let unheld = s.at(record.weak()).is_some_and(|w| w.in_edges() == 0);
    c.runs() && found.is_ready() && is_trash || c.runs() && record.is_owed() || unheld
}

/// How many weak references with a callback outlive their referent without a call.
pub(super) fn suppressed(s: &Shadow, referent: ObjId) -> u64 {
    let silent = |r: &&WeakRec| r.callback() != NONE && r.calls() == 0 && s.at(r.weak()).is_some_and(Object::lives);
    s.weaks_of(pack(Some(referent))).filter(silent).count() as u64
}
