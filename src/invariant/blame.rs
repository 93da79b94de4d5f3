//! Who is to blame for what is left over: shared by the invariants that judge survivors.

use super::documented::Why;
use super::findings::Report;
use super::shadow::{Bits, Facts, Object, Shadow, WeakRec, unpack};
use super::violation::Class;
use crate::scenario::Shape;

/// What explains that unreachable objects are still there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Blame {
    /// Nothing does.
    Collector,
    /// A type among them.
    Type,
    /// The release.
    Documented(Why),
    /// It cannot be told: their holders are not all known.
    Unclear,
}

impl Blame {
    /// The report with this blame, or nothing if it is unclear.
    pub fn on(self, report: Report) -> Option<Report> {
        match self {
            Blame::Collector => Some(report),
            Blame::Type => Some(report.class(Class::TypeFault)),
            Blame::Documented(why) => Some(Report { class: Class::Documented, why, ..report }),
            Blame::Unclear => None,
        }
    }
}

/// Looks at every live object outside `reachable`.
pub(crate) fn leftovers(s: &Shadow, reachable: &Bits) -> Blame {
    if !s.peculiar && !s.traits.tracks {
        return Blame::Collector;
    }
    let mut blame = Blame::Collector;
    for index in s.present.iter() {
        let object = &s.objects[index];
        if object.is(Object::GONE) || reachable.has(index) {
            continue;
        }
        let facts = &object.facts;
        if facts.is(Facts::FAULTY) || s.traits.tracks && facts.shape.is_extension() {
            return Blame::Type;
        }
        let found = if object.is(Object::LOOSE) {
            Blame::Unclear
        } else if facts.is(Facts::LEGACY) {
            Blame::Documented(Why::LegacyFinalizer)
        } else if s.is_legacy(object) {
            Blame::Documented(Why::DelUncollectable)
        } else if facts.shape == Shape::Function && !facts.is(Facts::HAS_CLEAR) {
            Blame::Documented(Why::FunctionWithoutClear)
        } else if facts.shape == Shape::Typed && facts.hidden & 8 != 0 && object.slots[3] != 0 {
            Blame::Documented(Why::TypeEdge)
        } else {
            Blame::Collector
        };
        if blame == Blame::Collector || found == Blame::Unclear {
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
    if s.lost {
        return None;
    }
    if s.lied {
        return Some(report.class(Class::TypeFault));
    }
    if s.traits.saves_all && (trash(&referent) || trash(&weak)) {
        return Some(report.documented(Why::SaveAll, s));
    }
    if referent.is(Object::WAS_TRASH) {
        let late = s.release.is_from_3_15();
        if s.base.has(record.referent as usize - 1) {
            if late && record.callback == 0 && !trash(&weak) {
                return Some(report);
            }
            return Some(report.documented(Why::Resurrection, s));
        }
        s.maybe_reachable(None);
        return match leftovers(s, &s.scratch) {
            Blame::Collector => Some(report.documented(Why::Resurrection, s)),
            other => other.on(report),
        };
    }
    if referent.facts.is(Facts::FINALIZER | Facts::LEGACY) && s.release.is_two() {
        return Some(report.documented(Why::DelAfterWeakrefs, s));
    }
    if weak.is(Object::WAS_TRASH) {
        return s.release.holds(Why::TrashWeakrefCleared).then(|| report.documented(Why::TrashWeakrefCleared, s));
    }
    if referent.is(Object::MAYBE_TRASH) || weak.is(Object::MAYBE_TRASH) || weak.is(Object::LOOSE) {
        return None;
    }
    Some(report)
}
