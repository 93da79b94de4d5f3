//! Verifies: in the collection that finds an object unreachable, from the call of its finalizer on, no weak reference answers
//! with it, unless it can be reached when the weak reference is read: from a variable, from user code that runs (its own
//! finalizer too), or because it was saved.
//!
//! Does not verify: objects that were cleared (I01); objects that a finalizer saved and that became unreachable again, as long as
//! no collection has found that.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Fault, NONE, Object, Shadow, WeakRec};
use super::violations::{Report, Violations};
use crate::event::{ObjId, Spot};
use crate::subject::{Choice, Expectation, Needs};

pub(super) struct I52;

impl Check for I52 {
    const DESCRIPTION: Description = Description {
        statement: "After the finalizer of an unreachable object was called, no weak reference answers with the object, unless it was \
                    reachable when the weak reference was read.",
        premises: "Weak references that are older than the collection. One that user code of the same collection made may answer \
                   until its referent is destroyed (documented); so may, from 3.15 on, one without callback; but from 3.13.13 and 3.14.4 on \
                   (gh-91636) neither may once `tp_clear` was called, if it was made before. A lying `traverse`, a hidden edge that holds it, or an object \
                   that was untracked by hand, makes it a type-fault.",
        not: "Objects that were cleared: I01. Objects that a finalizer saved and that are unreachable again, before a collection \
              finds it. What iterations over weak containers show.",
        rests: &[Ground::Reachability],
        needs: Needs::UNREACHABLE,
        asks: &[Expectation::ClearedEarly, Expectation::ClearedLate, Expectation::AnswersUntilDestroyed],
        sentence: "{other} answered with {object}, whose finalizer had been called and which nothing could reach",
    };

    #[inline]
    fn answered(s: &mut Shadow, out: &mut Violations, weak: ObjId, referent: Option<ObjId>) {
        let Some(record) = s.weak(weak) else { return };
        if !s.at(record.referent()).is_some_and(|o| o.lives() && o.finalizer_calls().0 > 0) {
            return;
        }
        match referent {
            Some(object) => finalized(s, out, weak, object),
            None => out.pass(Invariant::I52),
        }
    }
}

/// A weak reference answered with an object whose finalizer was called.
#[cold]
fn finalized(s: &mut Shadow, out: &mut Violations, weak: ObjId, object: ObjId) {
    let (Some(record), Some(o)) = (s.weak(weak).copied(), s.get(object).copied()) else { return };
    let c = s.collection();
    let surely = c.is_trash(object.index());
    let found = c.unreachable();
    let unsure = c.runs() && !surely && !found.is_exact() && (c.is_late() || found.candidates().has(object.index()));
    if s.confidence().is_stream_unclear() || o.is(Object::CLEARED) || unsure {
        out.skip(Invariant::I52);
        return;
    }
    let reachable = !surely || {
        s.maybe_reachable(None);
        s.reach().found().has(object.index())
    };
    let excused = is_excused(s, &record);
    // The collector takes an object for saved that an edge holds which its type hides.
    let hidden = !reachable && {
        s.find_causes();
        s.causes().of(object.index()) == Fault::Type
    };
    // The collector clears the weak references of what is in its lists.
    let by_hand = o.is(Object::BY_HAND) && o.spot() == Spot::Untracked;
    out.judge(Invariant::I52, s, reachable, || {
        let report = Report::collector(Some(object)).other(Some(weak));
        if excused {
            report.documented(Expectation::AnswersUntilDestroyed, s)
        } else if by_hand || hidden {
            report.blame_type(true)
        } else {
            report.misled(s)
        }
    });
}

/// True for a weak reference that the collection which runs need not have cleared yet.
fn is_excused(s: &Shadow, record: &WeakRec) -> bool {
    let c = s.collection();
    let younger = record.born_in() == c.number();
    let late = younger && record.is_born_late();
    if c.has_cleared() && !late && s.expectations().is(Choice::CLEARED_TWICE) {
        return false;
    }
    younger || record.callback() == NONE && s.expectations().is(Choice::CALLBACKS_CLEARED_EARLY)
}
