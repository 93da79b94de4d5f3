//! Who is to blame for a weak reference that is dead, or was called, although its referent lives.

use super::Invariant;
use super::shadow::{Facts, Fault, NONE, Object, Shadow, Trait, WeakRec, leftovers, unpack};
use super::violation::Class;
use super::violations::{Report, Violations};
use crate::subject::{Choice, Expectation};

/// Judges a weak reference, by the number of its record, that is dead, or whose callback ran, although its referent
/// lives. What is reported is marked, so that it is reported once.
#[cold]
pub(super) fn judge_survivor(s: &mut Shadow, out: &mut Violations, invariant: Invariant, at: usize, mark: usize) {
    let record = s.weakrefs().records()[at];
    s.update_base();
    match survivor(s, &record) {
        Some(report) => {
            s.set_reported(at, mark);
            out.fail(invariant, s, report);
        }
        None => out.skip(invariant),
    }
}

/// Who is to blame. What is surely reachable is up to date. Nothing if it cannot be told.
fn survivor(s: &mut Shadow, record: &WeakRec) -> Option<Report> {
    let (referent, weak) = (*s.at(record.referent())?, *s.at(record.weak())?);
    let report = Report::collector(unpack(record.weak())).other(unpack(record.referent()));
    let trash = |o: &Object| o.is(Object::WAS_TRASH | Object::MAYBE_TRASH);
    if s.confidence().is_stream_unclear() {
        return None;
    }
    if s.confidence().is_type_misled() {
        return Some(report.class(Class::TypeFault));
    }
    if s.program().has(Trait::SavesAll) && (trash(&referent) || trash(&weak)) {
        return Some(report.documented(Expectation::SaveAll, s));
    }
    if referent.is(Object::WAS_TRASH) {
        let late = s.expectations().is(Choice::CALLBACKS_CLEARED_EARLY);
        if s.reach().base().has(record.referent() as usize - 1) {
            if late && record.callback() == NONE && !trash(&weak) {
                return Some(report);
            }
            return Some(report.documented(Expectation::Resurrection, s));
        }
        s.maybe_reachable(None);
        return match leftovers(s, s.reach().found()) {
            // Made in the collection that cleared it: after finalizers had run.
            Fault::Collector if record.born_in() == s.collection().number() => {
                Some(report.documented(Expectation::MadeByFinalizer, s))
            }
            Fault::Collector => Some(report.documented(Expectation::Resurrection, s)),
            other => report.on(other),
        };
    }
    let finalized = referent.facts().is(Facts::FINALIZER | Facts::LEGACY);
    if finalized && s.expectations().holds(Expectation::DelAfterWeakrefs) {
        return Some(report.documented(Expectation::DelAfterWeakrefs, s));
    }
    if weak.is(Object::WAS_TRASH) {
        let cleared = s.expectations().holds(Expectation::TrashWeakrefCleared);
        return cleared.then(|| report.documented(Expectation::TrashWeakrefCleared, s));
    }
    if referent.is(Object::MAYBE_TRASH) || weak.is(Object::MAYBE_TRASH) || weak.is(Object::UNKNOWN_HOLDERS) {
        return None;
    }
    Some(report)
}
