//! Who is to blame for a weak reference that is dead, or was called, although its referent lives.

use super::Invariant;
use super::shadow::{Facts, Fate, Fault, NONE, Object, Shadow, WeakRec, unpack};
use super::violation::Class;
use super::violations::{Report, Violations};
use crate::subject::{Choice, Expectation};

/// Judges a weak reference, by the number of its record, that is dead, or whose callback ran, although its referent
/// lives. What is reported is marked, so that it is reported once.
#[cold]
pub(super) fn judge_survivor(s: &mut Shadow, out: &mut Violations, invariant: Invariant, at: usize, mark: usize) {
    let record = s.weakrefs().records()[at];
    s.update_base();
    match survivor(s, &record, invariant) {
        Some(report) => {
            s.set_reported(at, mark);
            out.fail(invariant, s, report);
        }
        None => out.skip(invariant),
    }
}

/// Who is to blame. What is surely reachable is up to date. Nothing if it cannot be told.
fn survivor(s: &mut Shadow, record: &WeakRec, invariant: Invariant) -> Option<Report> {
    let (referent, weak) = (*s.at(record.referent())?, *s.at(record.weak())?);
    let report = Report::collector(unpack(record.weak())).other(unpack(record.referent()));
    let dead = invariant == Invariant::I12;
    let fate = if dead { record.died() } else { record.called() };
    if s.confidence().is_stream_unclear() || weak.is(Object::UNKNOWN_HOLDERS) {
        return None;
    }
    if fate.is(Fate::MISLED) || referent.is(Object::SPOILT) || weak.is(Object::SPOILT) {
        return Some(report.class(Class::TypeFault));
    }
    // Before 3.4 a deallocator clears and calls what there is before `__del__` may save its object.
    let finalizer = referent.facts().is(Facts::FINALIZER | Facts::LEGACY);
    if finalizer
        && referent.finalizer_calls().0 > record.finalized_before()
        && s.expectations().holds(Expectation::DelAfterWeakrefs)
    {
        return Some(report.documented(Expectation::DelAfterWeakrefs, s));
    }
    if fate.is(Fate::UNSURE) {
        return None;
    }
    if fate.is(Fate::REFERENT_LISTED) || dead && fate.is(Fate::WEAK_LISTED) {
        return Some(report.documented(Expectation::SaveAll, s));
    }
    if fate.is(Fate::REFERENT) {
        return referent_was_trash(s, record, fate, report);
    }
    if dead && fate.is(Fate::WEAK) {
        return weak_was_trash(s, record, report);
    }
    Some(report)
}

/// The collection had found the referent unreachable.
fn referent_was_trash(s: &mut Shadow, record: &WeakRec, fate: Fate, report: Report) -> Option<Report> {
    let saved = fate.is(Fate::FINALIZED) && !fate.is(Fate::EARLY);
    let reachable = s.reach().base().has(record.referent() as usize - 1) || {
        s.maybe_reachable(None);
        s.reach().found().has(record.referent() as usize - 1)
    };
    if reachable {
        let late = s.expectations().is(Choice::CALLBACKS_CLEARED_EARLY);
        if !saved || late && record.callback() == NONE && !fate.is(Fate::WEAK) {
            return Some(report);
        }
        return Some(report.documented(Expectation::Resurrection, s));
    }
    s.find_causes();
    match s.causes().of(record.referent() as usize - 1) {
        // What a finalizer made holds it; or, PEP 442, step 3: one saved object keeps the whole set.
        Fault::Collector if fate.is(Fate::KEPT) && !fate.is(Fate::EARLY) => {
            Some(report.documented(Expectation::Resurrection, s))
        }
        fault => report.on(fault),
    }
}

/// The collection had found the weak reference unreachable, and not its referent.
fn weak_was_trash(s: &mut Shadow, record: &WeakRec, report: Report) -> Option<Report> {
    if s.expectations().holds(Expectation::TrashWeakrefCleared) {
        return Some(report.documented(Expectation::TrashWeakrefCleared, s));
    }
    // What is left of the trash, and was to be cleared, is dead too.
    s.maybe_reachable(None);
    if s.reach().found().has(record.weak() as usize - 1) {
        return Some(report);
    }
    s.find_causes();
    report.on(s.causes().of(record.weak() as usize - 1))
}
