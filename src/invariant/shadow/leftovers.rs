//! Who is to blame for unreachable objects that are still there.

use super::edge::NONE;
use super::facts::Facts;
use super::object::Object;
use super::object_set::ObjectSet;
use super::{Shadow, Trait};
use crate::scenario::Shape;
use crate::subject::Expectation;

/// What explains that unreachable objects are still there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Nothing does.
    Collector,
    /// A type among them.
    Type,
    /// The subject does it on purpose.
    Documented(Expectation),
    /// It cannot be told: their holders are not all known.
    Unclear,
}

/// Documented if the excuse holds.
fn excused(s: &Shadow, why: Expectation) -> Fault {
    if s.expectations.holds(why) { Fault::Documented(why) } else { Fault::Collector }
}

/// Looks at every live object outside `reachable`.
pub(crate) fn leftovers(s: &Shadow, reachable: &ObjectSet) -> Fault {
    let tracks = s.program.has(Trait::Tracks);
    if !s.objects.peculiar && !tracks {
        return Fault::Collector;
    }
    let mut blame = Fault::Collector;
    for index in s.objects.present.iter() {
        let object = &s.objects.all[index];
        if mutant!(LeftoversOfAnyLegacy) && object.facts.is(Facts::LEGACY) {
            return Fault::Documented(Expectation::LegacyFinalizer);
        }
        if object.is(Object::GONE) || reachable.has(index) {
            continue;
        }
        let facts = &object.facts;
        if facts.is(Facts::FAULTY) || tracks && facts.shape.is_extension() {
            return Fault::Type;
        }
        let found = if object.is(Object::UNKNOWN_HOLDERS) {
            Fault::Unclear
        } else if facts.is(Facts::LEGACY) {
            excused(s, Expectation::LegacyFinalizer)
        } else if s.is_legacy(object) {
            excused(s, Expectation::DelUncollectable)
        } else if facts.shape == Shape::Function && !facts.is(Facts::HAS_CLEAR) {
            Fault::Type
        } else if facts.shape == Shape::Typed && facts.hidden & 8 != 0 && object.slots[3] != NONE {
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
