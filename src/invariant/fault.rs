//! Who is to blame for what is left over: shared by the invariants that judge survivors.

use super::shadow::{Facts, Object, ObjectSet, Shadow, WeakRec, unpack};
use super::violation::Class;
use super::violations::Report;
use crate::scenario::Shape;
use crate::subject::{Choice, Expectation};

/// What explains that unreachable objects are still there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Nothing does.
    Collector,
    /// A type among them.
    Type,
    /// The release.
    Documented(Expectation),
    /// It cannot be told: their holders are not all known.
    Unclear,
}

impl Fault {
    /// The report with this blame, or nothing if it is unclear.
    pub fn on(self, report: Report) -> Option<Report> {
        match self {
            Fault::Collector => Some(report),
            Fault::Type => Some(report.class(Class::TypeFault)),
            Fault::Documented(why) => Some(Report { class: Class::Documented, why: Some(why), ..report }),
            Fault::Unclear => None,
        }
    }
}

/// Documented if the excuse holds.
fn excused(s: &Shadow, why: Expectation) -> Fault {
    if s.expectations.holds(why) { Fault::Documented(why) } else { Fault::Collector }
}

/// Looks at every live object outside `reachable`.
pub(crate) fn leftovers(s: &Shadow, reachable: &ObjectSet) -> Fault {
    if !s.peculiar && !s.traits.tracks {
        return Fault::Collector;
    }
    let mut blame = Fault::Collector;
    for index in s.present.iter() {
        let object = &s.objects[index];
        if object.is(Object::GONE) || reachable.has(index) {
            continue;
        }
        let facts = &object.facts;
        if facts.is(Facts::FAULTY) || s.traits.tracks && facts.shape.is_extension() {
            return Fault::Type;
        }
        let found = if object.is(Object::UNKNOWN_HOLDERS) {
            Fault::Unclear
        } else if facts.is(Facts::LEGACY) {
            excused(s, Expectation::LegacyFinalizer)
        } else if s.is_legacy(object) {
            excused(s, Expectation::DelUncollectable)
        } else if facts.shape == Shape::Function && !facts.is(Facts::HAS_CLEAR) {
            excused(s, Expectation::FunctionWithoutClear)
        } else if facts.shape == Shape::Typed && facts.hidden & 8 != 0 && object.slots[3] != 0 {
            excused(s, Expectation::TypeEdge)
        } else {
            Fault::Collector
        };
        if blame == Fault::Collector || found == Fault::Unclear {
            blame = found;
        }
    }
    blame
}

/// Judges a weak reference that is dead, or whose callback ran, although its referent lives. `s.base` is up to date.
#[cold]
pub(crate) fn survivor(s: &mut Shadow, record: &WeakRec) -> Option<Report> {
    let (referent, weak) = (*s.at(record.referent)?, *s.at(record.weak)?);
    let report = Report::collector(unpack(record.weak)).other(unpack(record.referent));
    let trash = |o: &Object| o.is(Object::WAS_TRASH | Object::MAYBE_TRASH);
    if s.stream_unclear {
        return None;
    }
    if s.type_misled {
        return Some(report.class(Class::TypeFault));
    }
    if s.traits.saves_all && (trash(&referent) || trash(&weak)) {
        return Some(report.documented(Expectation::SaveAll, s));
    }
    if referent.is(Object::WAS_TRASH) {
        let late = s.expectations.is(Choice::CALLBACKS_CLEARED_EARLY);
        if s.base.has(record.referent as usize - 1) {
            if late && record.callback == 0 && !trash(&weak) {
                return Some(report);
            }
            return Some(report.documented(Expectation::Resurrection, s));
        }
        s.maybe_reachable(None);
        return match leftovers(s, &s.scratch) {
            Fault::Collector => Some(report.documented(Expectation::Resurrection, s)),
            other => other.on(report),
        };
    }
    if referent.facts.is(Facts::FINALIZER | Facts::LEGACY) && s.expectations.holds(Expectation::DelAfterWeakrefs) {
        return Some(report.documented(Expectation::DelAfterWeakrefs, s));
    }
    if weak.is(Object::WAS_TRASH) {
        return s
            .expectations
            .holds(Expectation::TrashWeakrefCleared)
            .then(|| report.documented(Expectation::TrashWeakrefCleared, s));
    }
    if referent.is(Object::MAYBE_TRASH) || weak.is(Object::MAYBE_TRASH) || weak.is(Object::UNKNOWN_HOLDERS) {
        return None;
    }
    Some(report)
}
