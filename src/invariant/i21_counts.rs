//! Verifies: a collection returns the number of objects of its final unreachable set that left the heap, plus weak
//! references freed right after their callback, plus what it set aside as uncollectable; and that each object with a
//! legacy finalizer among these is in `gc.garbage`.
//!
//! Does not verify: `gc.get_stats()`; runs in which the unreachable set is not certain.
//!
//! Uncollectable is not what entered `gc.garbage`, on any release:
//! the count takes in what legacy objects reach, and only the legacy objects themselves enter `gc.garbage`.
//! Likewise, hidden objects that die with the trash leave the heap and are not counted (row A06).

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Fault, NONE, Object, Shadow, Trait};
use super::violations::{Report, Violations};
use crate::event::{ObjId, Spot};
use crate::subject::{Expectation, Needs, Promise};

pub(super) struct I21;

impl Check for I21 {
    const DESCRIPTION: Description = Description {
        statement: "The return value is the number of objects found unreachable that left the heap, plus weak references freed \
                    right after their callback, plus the uncollectable ones: legacy objects and what they reach.",
        premises: "Every type that holds what is left clears what it owns (otherwise type-fault). Documented: before 3.7.6, if user \
                   code ran, the number is what was found before; what is left was listed for `DEBUG_SAVEALL`, or is held by what was; before 3.8, what \
                   waits in the trashcan holds what is left.",
        not: "`gc.get_stats()`.",
        rests: &[Ground::Promise(Promise::ReturnedCount)],
        needs: Needs::UNREACHABLE.and(Needs::WEAKREFS).and(Needs::GARBAGE).and(Needs::TOTALS),
        asks: &[
            Expectation::SaveAll,
            Expectation::LegacyFinalizer,
            Expectation::FunctionClear,
            Expectation::CountedEarly,
            Expectation::TrashcanLeftover,
        ],
        sentence: "the collection reported {observed} objects, and {expected} are accounted for",
    };

    #[inline]
    fn collected(s: &mut Shadow, out: &mut Violations, returned: u32, uncollectable: u32) {
        let c = s.collection();
        let found = c.unreachable();
        let blind = mutant!(I21NotBesideFinalize) && s.program().has(Trait::Finalizes);
        if !found.is_exact() || s.confidence().is_stream_unclear() || blind || ran_unseen(s) {
            out.skip(Invariant::I21);
            return;
        }
        let misled = s.is_any_misled(found.trash()) || s.is_any_misled(found.legacy());
        let (freed, legacy_left) = found.left();
        out.judge(Invariant::I21, s, uncollectable == legacy_left || mutant!(I21NotUncollectable), || {
            Report::collector(None).counts(legacy_left, uncollectable).blame_type(misled)
        });
        if !s.deeds().emptied_garbage() && c.scripts() == 0 && !mutant!(I21NotListed) {
            judge_listed(s, out);
        }
        let left_heap = freed + c.refs_freed() + legacy_left;
        if returned == left_heap && (found.doomed().is_empty() || s.is_even()) {
            out.pass(Invariant::I21);
            return;
        }
        // What waits in the trashcan has left the heap, too.
        let waits = |o: &Object| o.lives() && o.refcount() == 0;
        let queued = found.doomed().iter().filter(|i| waits(&s.objects().all()[*i])).count() as u32;
        let left = (found.doomed().count() as u32).saturating_sub(freed + queued);
        let expected = left_heap + queued;
        if returned == expected {
            out.pass(Invariant::I21);
            return;
        }
        let report = Report::collector(None).counts(expected, returned);
        let too_many = left > 0 && returned == expected + left;
        let surplus = returned.wrapping_sub(expected) as usize;
        let report = if misled || (1..=seemingly_found(s)).contains(&surplus) {
            Some(report.blame_type(true))
        } else if c.scripts() > 0
            && returned == found.trash().count() as u32 + c.refs_freed() + legacy_left
            && s.expectations().holds(Expectation::CountedEarly)
        {
            Some(report.documented(Expectation::CountedEarly, s))
        } else if too_many && s.deeds().saves_all() && s.deeds().emptied_garbage() {
            // What was listed for `DEBUG_SAVEALL` is not known.
            None
        } else if too_many {
            s.maybe_reachable(None);
            s.find_causes();
            let saved = are_saved(s);
            s.follow_queued();
            report.on(if saved { excuse(s, Expectation::SaveAll) } else { left_alive(s) })
        } else {
            Some(report)
        };
        match report {
            Some(report) => out.fail(Invariant::I21, s, report),
            None => out.skip(Invariant::I21),
        }
    }
}

/// True if code of the library may have run unseen in the collection: a removal callback of one of its containers, because an
/// entry, what it refers to, or the container was trash.
fn ran_unseen(s: &Shadow) -> bool {
    let trash = s.collection().unreachable().trash();
    let is_trash = |edge: u32| edge != NONE && trash.has(edge as usize - 1);
    let of_library = |edge: u32| s.at(edge).is_some_and(|o| o.facts().shape().is_library_container());
    s.program().has(Trait::LibraryContainers)
        && s.weakrefs()
            .records()
            .iter()
            .any(|r| of_library(r.container()) && [r.referent(), r.weak(), r.container()].into_iter().any(is_trash))
}

/// How many candidates the collector may have counted because of a type that an object has whose deallocator runs.
fn seemingly_found(s: &Shadow) -> usize {
    let found = s.collection().unreachable();
    let misled = |index: &usize| !found.trash().has(*index) && s.is_misled(Some(ObjId::from_index(*index as u32)));
    if s.objects().tracked_dying_lies().next().is_none() { 0 } else { found.candidates().iter().filter(misled).count() }
}

/// True if `DEBUG_SAVEALL` has saved some of the cleared objects that have not left the heap, half-way through clearing, and these
/// hold all others.
fn are_saved(s: &mut Shadow) -> bool {
    let all = s.objects().all().len();
    let doomed = |s: &Shadow, index: usize| {
        let o = &s.objects().all()[index];
        s.collection().unreachable().doomed().has(index) && o.lives() && o.refcount() > 0
    };
    let saved = |s: &Shadow, index: usize| doomed(s, index) && s.objects().all()[index].is(Object::SAVED_ALL);
    if !(0..all).any(|index| saved(s, index)) {
        return false;
    }
    for index in 0..all {
        if doomed(s, index) && !saved(s, index) {
            let is_held = (0..all).any(|saver| saved(s, saver) && s.leads(saver as u32 + 1, index));
            if !is_held {
                return false;
            }
        }
    }
    true
}

/// Why cleared objects have not left the heap: each has a reason of its own, or the collector is to blame.
fn left_alive(s: &Shadow) -> Fault {
    let doomed = s.collection().unreachable().doomed();
    let is = |index: &usize, status: u16| s.objects().all()[*index].is(status);
    let left = || doomed.iter().filter(|i| s.objects().all()[*i].lives() && s.objects().all()[*i].refcount() > 0);
    let others = || left().filter(|i| !is(i, Object::SAVED_ALL));
    if others().next().is_none() {
        return excuse(s, Expectation::SaveAll);
    }
    // What waits in the trashcan holds others that were cleared and live on.
    if others().all(|i| s.reach().found().has(i)) {
        return excuse(s, Expectation::TrashcanLeftover);
    }
    s.causes().of_all(others())
}

fn excuse(s: &Shadow, why: Expectation) -> Fault {
    if s.expectations().holds(why) { Fault::Documented(why) } else { Fault::Collector }
}

/// Judges that `gc.garbage` has each object with a legacy finalizer.
fn judge_listed(s: &Shadow, out: &mut Violations) {
    let is_forgotten = |index: &usize| {
        let o = &s.objects().all()[*index];
        s.is_legacy(o) && o.held() && o.spot() != Spot::Collecting && s.roots().times_listed(*index) == 0
    };
    let forgotten = s.collection().unreachable().legacy().iter().find(is_forgotten);
    let object = forgotten.map(|i| ObjId::from_index(i as u32));
    out.judge(Invariant::I21, s, forgotten.is_none(), || Report::collector(object).counts(1, 0).misled(s));
}
