//! Verifies: a weak reference with a callback that is live, and not trash, when its referent dies has its callback
//! called by the time the referent's memory is released; and no callback is called twice. The same of the entries of weak
//! containers and of `finalize`, where it counts as a call that the entry has left or that the registry does not hold the
//! `finalize` any more; and a `finalize` that the registry let go of has called its callable once.
//!
//! Does not verify: runs in which it is not certain whether the weak reference was trash; callables without a script;
//! referents that die of a callback that the collection of their trash calls: theirs may be called after their death;
//! entries whose removal an iteration puts off (I30 looks for them afterwards).

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::outlived::outlived;
use super::shadow::{Facts, Keeps, NONE, Object, Shadow, Trait, WeakRec, pack, unpack};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::scenario::Op;
use crate::subject::{Expectation, Needs, Promise};

pub(super) struct I14;

impl Check for I14 {
    const DESCRIPTION: Description = Description {
        statement: "If a weak reference with a callback is live when its referent dies, and is not trash itself, the callback \
                    runs exactly once. An entry of a weak container leaves then, and a `finalize` calls its function once and \
                    leaves the registry.",
        premises: "The referent's type clears weak references; no candidate's `traverse` lies.",
        not: "Callables without a script; entries whose removal an iteration puts off.",
        rests: &[
            Ground::AtMostOnce,
            Ground::Liveness,
            Ground::Promise(Promise::CallbackDue),
            Ground::Promise(Promise::EntriesLeave),
            Ground::Promise(Promise::FinalizeCalled),
        ],
        needs: Needs::UNREACHABLE.and(Needs::WEAKREFS),
        asks: &[Expectation::SaveAll, Expectation::Resurrection],
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
    fn at_rest(s: &mut Shadow, out: &mut Violations, _explicit: bool) {
        if s.program().has(Trait::Finalizes) {
            finalizes(s, out);
        }
    }

    #[inline]
    fn freed(s: &Shadow, out: &mut Violations, object: ObjId) {
        if s.get(object).is_some_and(Object::has_weakrefs) {
            referent_freed(s, out, object);
        }
    }
}

/// Set when I14 has reported a `finalize`.
const REPORTED: usize = 2;

/// Judges that each `finalize` that has left the registry has called what it was to call, once.
#[inline(never)]
fn finalizes(s: &mut Shadow, out: &mut Violations) {
    for at in 0..s.weakrefs().records().len() {
        let record = s.weakrefs().records()[at];
        let cleared = s.at(record.callback()).is_none_or(|finalize| finalize.is(Object::CLEARED));
        if s.keeps(&record) != Keeps::Unregistered || record.is_reported(REPORTED) {
            continue;
        }
        if record.runs() == 1 || mutant!(I14AnyRuns) {
            out.pass(Invariant::I14);
        } else if cleared || s.confidence().is_stream_unclear() {
            out.skip(Invariant::I14);
        } else {
            s.set_reported(at, REPORTED);
            let finalize = Report::collector(unpack(record.callback())).other(unpack(record.referent()));
            out.fail(Invariant::I14, s, finalize.counts(1, u32::from(record.runs())));
        }
    }
}

/// Judges the callbacks of what died while others were called, when there has been time for all.
#[inline(never)]
fn owed(s: &mut Shadow, out: &mut Violations) {
    for record in s.weakrefs().records().iter().filter(|record| record.is_owed() && is_armed(s, record)) {
        let is_trash = !s.collection().unreachable().is_exact()
            || s.collection().unreachable().trash().has(record.weak() as usize - 1);
        if has_answered(s, record) {
            out.pass(Invariant::I14);
        } else if is_trash || s.confidence().is_stream_unclear() {
            out.skip(Invariant::I14);
        } else {
            fail(s, out, record, report(record).misled(s));
        }
    }
    s.forget_owed();
}

/// Judges the callbacks of an object whose memory is released.
#[inline(never)]
fn referent_freed(s: &Shadow, out: &mut Violations, object: ObjId) {
    let Some(referent) = s.get(object).filter(|o| !o.is(Object::FREED)) else { return };
    for record in s.weaks_of(pack(Some(object))).filter(|record| is_armed(s, record)) {
        if has_answered(s, record) {
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
        fail(s, out, record, report);
    }
}

/// Reports it, unless something excuses an entry or a `finalize`.
#[cold]
fn fail(s: &Shadow, out: &mut Violations, record: &WeakRec, report: Report) {
    let excused = if s.keeps(record) == Keeps::Nothing { Some(report) } else { report.on(outlived(s, record)) };
    match excused {
        Some(report) => out.fail(Invariant::I14, s, report),
        None => out.skip(Invariant::I14),
    }
}

/// The callback ran, or what it was to do has been done; or an iteration may put that off.
fn has_answered(s: &Shadow, record: &WeakRec) -> bool {
    if record.calls() > 0 {
        return true;
    }
    match s.keeps(record) {
        Keeps::Nothing => false,
        Keeps::Entry => matches!(s.op(), Some(Op::Iterate { .. })) || mutant!(I14NotForEntries),
        Keeps::Registered => mutant!(I14NotForFinalize),
        Keeps::FormerEntry | Keeps::Unregistered => true,
    }
}

fn report(record: &WeakRec) -> Report {
    let (weak, referent) = (unpack(record.weak()), unpack(record.referent()));
    Report::collector(weak).other(referent).counts(1, u32::from(record.calls()))
}

/// A weak reference that should have been called before its referent's memory is released.
fn is_armed(s: &Shadow, record: &WeakRec) -> bool {
    let Some(weak) = s.at(record.weak()) else { return false };
    let runs = |c: &Object| match s.keeps(record) {
        Keeps::Nothing => c.facts().runs_when_called(),
        _ => c.lives() && !c.is(Object::CLEARED),
    };
    let callable = record.callback() != NONE && s.at(record.callback()).is_some_and(runs);
    callable && record.is_armed() && weak.lives() && !weak.is(Object::CLEARED)
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
