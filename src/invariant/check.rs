//! The moments at which invariants look at a run.

use super::description::Description;
use super::shadow::Shadow;
use super::violations::Violations;
use crate::event::{Code, ObjId, Spot, Undefined};

/// An invariant of single runs.
///
/// The judge calls each method at its moment for every invariant, in the order of the table: an invariant writes those at
/// which it has something to judge. What the others are costs nothing. Unless it is said otherwise the event has not
/// been applied to the shadow heap yet.
pub(super) trait Check {
    /// What there is to say of it.
    const DESCRIPTION: Description;

    /// An event speaks of an object that has been freed.
    fn used(_s: &Shadow, _out: &mut Violations, _object: ObjId) {}

    /// Code of a finalizer has begun, and the snapshot after that was read.
    fn finalizer_entered(_s: &mut Shadow, _out: &mut Violations, _code: Code, _owner: ObjId) {}

    /// A callback of a weak reference has begun; `observed` if a snapshot after that was read.
    fn callback_entered(_s: &mut Shadow, _out: &mut Violations, _weak: ObjId, _observed: bool) {}

    /// The action of a deallocator has begun.
    fn action_entered(_s: &Shadow, _out: &mut Violations, _owner: ObjId) {}

    /// User code came by an object, not by introspection; `how` completes "when user code".
    fn obtained(_s: &Shadow, _out: &mut Violations, _object: ObjId, _how: &'static str) {}

    /// Code, the mutator's too, saw an object by strong references or got it from a weak one.
    fn saw(_s: &Shadow, _out: &mut Violations, _object: ObjId) {}

    /// Code saw an object by introspection.
    fn scanned(_s: &Shadow, _out: &mut Violations, _object: ObjId) {}

    /// The mutator saw an object that has neither been cleared nor freed.
    fn saw_plainly(_out: &mut Violations) {}

    /// A weak reference was read.
    fn answered(_s: &mut Shadow, _out: &mut Violations, _weak: ObjId, _referent: Option<ObjId>) {}

    /// A weak reference was read and answered that its referent is gone; no collection runs.
    fn denied(_s: &mut Shadow, _out: &mut Violations, _weak: ObjId) {}

    /// A slot is about to change while user code runs.
    fn storing(_s: &Shadow, _out: &mut Violations, _holder: ObjId, _slot: u8, _object: Option<ObjId>) {}

    /// A weak container was asked for its length.
    fn length(_s: &Shadow, _out: &mut Violations, _container: ObjId, _len: u32, _raw: u32) {}

    /// `tp_clear` is about to be called: whether it may be at all.
    fn clear_called(_s: &Shadow, _out: &mut Violations, _object: ObjId) {}

    /// The same: whether it may be on this object, now.
    fn clearing(_s: &mut Shadow, _out: &mut Violations, _object: ObjId) {}

    /// A deallocation becomes final.
    fn dealloc(_s: &Shadow, _out: &mut Violations, _object: ObjId) {}

    /// Memory is released as in most cases: of a whole object that nothing holds, without finalizer and weak references.
    fn freed_plainly(_out: &mut Violations) {}

    /// Memory is released of any other object.
    fn freed(_s: &Shadow, _out: &mut Violations, _object: ObjId) {}

    /// What the collection that runs finds unreachable has become known.
    fn found(_s: &Shadow, _out: &mut Violations) {}

    /// A collection has ended, and what followed that was read.
    fn collection_ended(_s: &mut Shadow, _out: &mut Violations) {}

    /// The same, if a snapshot followed.
    fn collected(_s: &mut Shadow, _out: &mut Violations, _returned: u32, _uncollectable: u32) {}

    /// The same, after all others have judged the collection.
    fn returned(_s: &mut Shadow, _out: &mut Violations, _returned: u32, _uncollectable: u32) {}

    /// Nothing runs, and a snapshot was read: after a collection, at the end. `explicit` if no allocation started it.
    fn at_rest(_s: &mut Shadow, _out: &mut Violations, _explicit: bool) {}

    /// The same after a collection.
    fn collected_at_rest(_s: &mut Shadow, _out: &mut Violations) {}

    /// A line of a snapshot shows a known object as it cannot always be.
    fn odd_line(_s: &mut Shadow, _out: &mut Violations, _object: ObjId, _refcount: u32, _spot: Spot) {}

    /// A snapshot is complete: whether it lists what it must.
    fn listed(_s: &Shadow, _out: &mut Violations) {}

    /// The same: what it shows.
    fn shown(_s: &Shadow, _out: &mut Violations) {}

    /// The run ends in undefined behaviour.
    fn undefined(_s: &Shadow, _out: &mut Violations, _reason: Undefined) {}
}

macro_rules! ask_one {
    (one $module:ident $code:ident $moment:ident($($arg:expr),*)) => {
        <super::$module::$code as super::check::Check>::$moment($($arg),*)
    };
    (several $module:ident $code:ident $moment:ident $args:tt) => {};
}

macro_rules! ask_each {
    ($moment:ident $args:tt => $($code:ident $name:literal $runs:ident $module:ident;)*) => {
        {
            $(ask_one!($runs $module $code $moment $args);)*
        }
    };
}

/// Asks every invariant of single runs, in the order of the table: `ask!(clearing(s, out, object))`.
macro_rules! ask {
    ($moment:ident($($arg:expr),*)) => { invariants! { ask_each! $moment($($arg),*) } };
}
