//! Who is to blame for an entry of a weak container, or a `finalize`, that outlives what it refers to.

use super::shadow::{Facts, Fate, Fault, NONE, Object, Shadow, WeakRec, unpack};
use crate::subject::Expectation;

/// What explains that the entry of a weak container is still there, or the registry holds a `finalize`, although its
/// referent is gone.
pub(super) fn outlived(s: &Shadow, record: &WeakRec) -> Fault {
    let misled = |edge: u32| s.is_misled(unpack(edge));
    let forgotten = s.at(record.referent()).is_some_and(forgot_weakrefs);
    if forgotten || misled(record.weak()) || misled(record.referent()) || misled(record.container()) {
        return Fault::Type;
    }
    match fate_excuse(s, record.died()) {
        Fault::Collector if record.container() != NONE => {
            // A removal callback that does not find its container removes nothing.
            let found_by = s.reference_to_itself(record.container()).filter(|r| !r.is_live());
            found_by.map_or(Fault::Collector, |r| fate_excuse(s, r.died()))
        }
        fault => fault,
    }
}

/// What excuses that nobody hears of a weak reference's death any more: how it died itself, in trash that was saved.
fn fate_excuse(s: &Shadow, died: Fate) -> Fault {
    let excuse = |why| if s.expectations().holds(why) { Fault::Documented(why) } else { Fault::Collector };
    if died.is(Fate::MISLED) {
        Fault::Type
    } else if died.is(Fate::UNSURE) {
        Fault::Unclear
    } else if !died.is(Fate::WEAK) {
        Fault::Collector
    } else if died.is(Fate::REFERENT_LISTED | Fate::WEAK_LISTED) {
        excuse(Expectation::SaveAll)
    } else if died.is(Fate::FINALIZED) && !died.is(Fate::EARLY) && !mutant!(SavedContainersBlamed) {
        excuse(Expectation::Resurrection)
    } else {
        Fault::Collector
    }
}

/// True if an object was freed by a deallocator that leaves weak references to it behind.
fn forgot_weakrefs(object: &Object) -> bool {
    object.facts().is(Facts::KEEPS_WEAKREFS) && !object.lives()
}
