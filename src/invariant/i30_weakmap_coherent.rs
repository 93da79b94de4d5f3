//! Verifies: outside of iterations, the length that a weak container tells its mutator equals the number of its raw
//! entries and is at most the number of live ones; an iteration of the mutator shows each entry that is live from its
//! beginning to its end, and a key or set element only once; nothing but the mutator or a script removes an entry that is
//! live. When nothing runs, no container that lives has an entry, and the registry no `finalize`, whose referent is gone,
//! and no weak-key dictionary has a value without a key.
//!
//! Does not verify: lengths and iterations inside scripts; what leaves a weak-value dictionary while a script, or an operation
//! that may delete an entry, runs. An error cuts no iteration short: scripts alone raise, and their errors end in them.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::outlived::outlived;
use super::shadow::{Fault, Keeps, NONE, Object, ObjectSet, Shadow, Trait, WeakRec, unpack};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::scenario::{Op, Shape};
use crate::subject::{Expectation, Needs, Promise};

pub(super) struct I30;

impl Check for I30 {
    const DESCRIPTION: Description = Description {
        statement: "At quiescence the length of a weak container equals its live entries and its raw entries; iteration never skips \
                    or repeats a live entry because others died; the removal of a dead entry takes no live one. An entry whose \
                    referent is gone has left, with its value, and so has a `finalize` left the registry.",
        premises: "No iteration is under way where a length or what is left is judged. Whoever made an entry, and when, makes no \
                   difference. A lying `traverse`, or an entry whose deallocator forgot its weak references, makes it a type-fault: \
                   as many entries as have such a cause. Documented: an entry that died in trash which a finalizer or \
                   `DEBUG_SAVEALL` saved, and what a container lost that was saved so.",
        not: "Lengths and iterations inside scripts. What leaves a weak-value dictionary while a script, or an operation that may \
              delete an entry, runs: no event says who asked for that.",
        rests: &[Ground::Liveness, Ground::Promise(Promise::EntriesLeave), Ground::Promise(Promise::FinalizeCalled)],
        needs: Needs::UNREACHABLE.and(Needs::WEAKREFS),
        asks: &[Expectation::SaveAll, Expectation::Resurrection],
        sentence: "{object} says {observed} and {expected} is right ({other})",
    };

    #[inline]
    fn length(s: &Shadow, out: &mut Violations, container: ObjId, len: u32, raw: u32) {
        let is_set =
            || s.get(container).is_some_and(|o| matches!(o.facts().shape(), Shape::WeakSet | Shape::LibrarySet));
        if !s.quiescent() || mutant!(I30NotForSets) && is_set() {
            out.skip(Invariant::I30);
            return;
        }
        let id = container.index() as u32 + 1;
        let entries = || s.weakrefs().records().iter().filter(|r| r.container() == id);
        let known = entries().next().is_some();
        let right = raw.min(if known { entries().filter(|r| is_alive(s, r)).count() as u32 } else { raw });
        out.judge(Invariant::I30, s, len == raw && len <= right, || {
            let report = Report::collector(Some(container)).counts(right, if len == raw { len } else { raw });
            blame(s, report, id, len.max(raw) - right.min(len))
        });
    }

    #[inline]
    fn at_rest(s: &mut Shadow, out: &mut Violations, _explicit: bool) {
        if s.some_containers() {
            left_over(s, out);
        }
    }

    /// An entry may be about to leave the data of a container.
    #[inline]
    fn storing(s: &Shadow, out: &mut Violations, holder: ObjId, slot: u8, object: Option<ObjId>) {
        if object.is_some() {
            return;
        }
        let Some(record) = s.leaves_by_itself(holder, slot) else { return };
        let live = record.is_live() && s.at(record.referent()).is_some_and(Object::held);
        let blind = mutant!(I30RemovesLive) || mutant!(I30NotPutOff) && s.user_code().is_idle();
        out.judge(Invariant::I30, s, !live || blind, || {
            Report::collector(unpack(record.container())).other(unpack(record.referent())).counts(1, 0)
        });
    }
}

/// Set when I30 has reported an entry or a `finalize` that is left.
const REPORTED: usize = 2;

/// Judges that nothing is left of entries, and of `finalize` objects in the registry, whose referents are gone.
#[inline(never)]
fn left_over(s: &mut Shadow, out: &mut Violations) {
    for at in 0..s.weakrefs().records().len() {
        let record = s.weakrefs().records()[at];
        // Most weak references have died with their referents, or with their entries.
        if record.is_reported(REPORTED) || !s.at(record.weak()).is_some_and(Object::lives) {
            continue;
        }
        if !s.at(record.referent()).is_some_and(|o| o.is(Object::FREED)) {
            if record.container() != NONE {
                out.pass(Invariant::I30);
            }
            continue;
        }
        let (held_by, mutant) = match s.keeps(&record) {
            Keeps::Entry => (record.container(), mutant!(I30EntriesStay)),
            Keeps::Registered => (record.callback(), mutant!(I30FinalizeStays)),
            _ => continue,
        };
        if mutant {
            out.pass(Invariant::I30);
            continue;
        }
        let report = Report::collector(unpack(held_by)).other(unpack(record.referent())).counts(0, 1);
        match report.on(outlived(s, &record)) {
            Some(report) if !s.confidence().is_stream_unclear() => {
                s.set_reported(at, REPORTED);
                out.fail(Invariant::I30, s, report);
            }
            _ => out.skip(Invariant::I30),
        }
    }
    if let Some((container, value)) = s.value_without_key()
        && !mutant!(I30ValuesStay)
    {
        let container = ObjId::from_index(container as u32);
        let report = Report::collector(Some(container)).other(unpack(value)).counts(0, 1);
        out.fail(Invariant::I30, s, report.misled(s));
    }
}

/// Who is to blame for so many entries too many: as many of them as have a cause of their own are excused.
fn blame(s: &Shadow, report: Report, container: u32, excess: u32) -> Report {
    let held = |r: &&WeakRec| r.container() == container && s.at(r.weak()).is_some_and(Object::lives);
    let entries = || s.weakrefs().records().iter().filter(held);
    let faulty = entries().filter(|r| outlived(s, r) == Fault::Type).count() as u32;
    if faulty >= excess || s.is_misled(unpack(container)) {
        return report.blame_type(true);
    }
    let excuse = |r: &WeakRec| match outlived(s, r) {
        Fault::Documented(why) if !is_alive(s, r) => Some(why),
        _ => None,
    };
    match entries().find_map(excuse) {
        Some(why) if faulty + entries().filter_map(excuse).count() as u32 >= excess => report.documented(why, s),
        _ => report,
    }
}

/// An entry of a container, and what it refers to, live.
fn is_alive(s: &Shadow, r: &WeakRec) -> bool {
    s.at(r.weak()).is_some_and(Object::lives) && s.at(r.referent()).is_some_and(Object::lives)
}

/// What an iteration of the mutator has shown so far.
#[derive(Debug, Default)]
pub(super) struct Iteration {
    container: u32,
    /// Records of entries that were live when it began.
    expected: Vec<u32>,
    shown: Vec<u32>,
    /// The same as a set, of those that exist.
    seen: ObjectSet,
    once: bool,
    /// The library's iterator ends with an error when an entry has left.
    library: bool,
}

impl Iteration {
    pub fn stop(&mut self) {
        self.container = NONE;
        self.expected.clear();
        self.shown.clear();
        self.seen.reset(0);
    }

    /// True if an iteration runs.
    #[inline]
    pub fn is_under_way(&self) -> bool {
        self.container != NONE
    }

    /// An operation of the mutator starts.
    #[inline(never)]
    pub fn step(&mut self, s: &Shadow, out: &mut Violations) {
        if self.container != NONE {
            self.end(s, out);
        }
        let Some(Op::Iterate { container, .. }) = s.op() else { return };
        let at = s.resolve(*container);
        let Some(object) = s.at(at) else { return };
        if !object.facts().is_weak_container() || mutant!(I30NotIfRaised) && s.program().has(Trait::Raises) {
            out.skip(Invariant::I30);
            return;
        }
        self.container = at;
        self.library = object.facts().shape().is_library_container();
        self.once = !object.facts().shape().is_value_dict();
        for (index, r) in s.weakrefs().records().iter().enumerate() {
            if r.container() == at && r.is_live() && s.at(r.weak()).is_some_and(Object::lives) {
                self.expected.push(index as u32);
            }
        }
    }

    pub fn yielded(&mut self, s: &Shadow, out: &mut Violations, container: ObjId, entry: ObjId) {
        if self.container as usize != container.index() + 1 || !s.user_code().is_idle() {
            return;
        }
        let id = entry.index() as u32 + 1;
        let repeated = self.once && !mutant!(I30Repeats) && self.has_shown(s, id);
        out.judge(Invariant::I30, s, !repeated, || {
            let shown = self.shown.iter().filter(|e| **e == id).count() as u32;
            Report::collector(Some(container)).other(Some(entry)).counts(1, shown + 1)
        });
        self.shown.push(id);
        if s.get(entry).is_some() {
            self.seen.put(entry.index());
        }
    }

    /// True if the iteration has shown the object with this number from 1.
    fn has_shown(&self, s: &Shadow, id: u32) -> bool {
        if s.at(id).is_some() { self.seen.has(id as usize - 1) } else { self.shown.contains(&id) }
    }

    pub fn end(&mut self, s: &Shadow, out: &mut Violations) {
        if self.container == NONE {
            return;
        }
        let container = unpack(self.container);
        let has_left = |at: &u32| s.weakrefs().records().get(*at as usize).is_none_or(|r| !is_alive(s, r));
        if self.library && self.expected.iter().any(has_left) {
            out.skip(Invariant::I30);
            self.stop();
            return;
        }
        for at in &self.expected {
            let Some(r) = s.weakrefs().records().get(*at as usize) else { continue };
            let skipped = r.is_live() && is_alive(s, r) && !self.has_shown(s, r.referent());
            out.judge(Invariant::I30, s, !skipped, || {
                Report::collector(container).other(unpack(r.referent())).counts(1, 0)
            });
        }
        self.stop();
    }
}
