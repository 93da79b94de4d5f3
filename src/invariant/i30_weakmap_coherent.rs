//! Verifies: outside of iterations, the length that a weak container tells its mutator equals the number of its raw
//! entries and is at most the number of live ones; an iteration of the mutator shows each entry that is live from its
//! beginning to its end, and a key or set element only once; a removal callback never removes an entry that is live.
//!
//! Does not verify: lengths and iterations inside scripts; iterations that an exception may have cut short.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Facts, NONE, Object, ObjectSet, Shadow, Trait, WeakRec, unpack};
use super::violations::{Report, Violations};
use crate::event::{Code, ObjId};
use crate::scenario::{Op, Shape};
use crate::subject::{Needs, Promise};

pub(super) struct I30;

impl Check for I30 {
    const DESCRIPTION: Description = Description {
        statement: "At quiescence the length of a weak container equals its live entries and its raw entries; iteration never skips \
                    or repeats a live entry because others died; the removal of a dead entry takes no live one.",
        premises: "No iteration is under way where a length is judged. Whoever made an entry, and when, makes no difference. A lying \
                   `traverse`, or an entry whose deallocator forgot its weak references, makes it a type-fault: as many entries as \
                   have such a cause.",
        not: "What happens inside scripts.",
        rests: &[Ground::Liveness, Ground::Promise(Promise::EntriesLeave), Ground::Promise(Promise::FinalizeCalled)],
        needs: Needs::UNREACHABLE.and(Needs::WEAKREFS),
        asks: &[],
        sentence: "{object} says {observed} and {expected} is right ({other})",
    };

    #[inline]
    fn length(s: &Shadow, out: &mut Violations, container: ObjId, len: u32, raw: u32) {
        let is_set = || s.get(container).is_some_and(|o| o.facts().shape() == Shape::WeakSet);
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

    /// A removal callback is about to store into a slot of its container's data.
    #[inline]
    fn storing(s: &Shadow, out: &mut Violations, holder: ObjId, slot: u8, object: Option<ObjId>) {
        let frames = s.user_code().frames();
        let Some(frame) = frames.last().filter(|f| f.code() == Code::Callback && object.is_none()) else { return };
        let is_remover = |o: &&Object| o.facts().shape() == Shape::Function && o.removes_from() != NONE;
        let Some(remove) = s.at(frame.owner()).filter(is_remover) else { return };
        let container = remove.removes_from();
        let (Some(owner), Some(data)) = (s.at(container), s.get(holder)) else { return };
        if owner.slot(0) as usize != holder.index() + 1 {
            return;
        }
        let mut old = NONE;
        s.for_edges(data, |at, edge| old = if at == slot { edge } else { old });
        let record = unpack(old).and_then(|weak| s.weak(weak)).filter(|r| r.container() == container);
        let Some(record) = record else { return };
        let live = record.is_live() && s.at(record.referent()).is_some_and(Object::held);
        out.judge(Invariant::I30, s, !live || mutant!(I30RemovesLive), || {
            Report::collector(unpack(container)).other(unpack(record.referent())).counts(1, 0)
        });
    }
}

/// Who is to blame for so many entries too many: as many of them as have a cause of their own are excused.
fn blame(s: &Shadow, report: Report, container: u32, excess: u32) -> Report {
    let held = |r: &&WeakRec| r.container() == container && s.at(r.weak()).is_some_and(Object::lives);
    let entries = || s.weakrefs().records().iter().filter(held);
    let forgotten = |r: &WeakRec| s.at(r.referent()).is_some_and(forgot_weakrefs);
    let misled = |r: &WeakRec| s.is_misled(unpack(r.weak())) || s.is_misled(unpack(r.referent()));
    let faulty = entries().filter(|r| forgotten(r) || misled(r)).count() as u32;
    report.blame_type(faulty >= excess || s.is_misled(unpack(container)))
}

/// An entry of a container, and what it refers to, live.
fn is_alive(s: &Shadow, r: &WeakRec) -> bool {
    s.at(r.weak()).is_some_and(Object::lives) && s.at(r.referent()).is_some_and(Object::lives)
}

/// True if an object was freed by a deallocator that leaves weak references to it behind.
fn forgot_weakrefs(object: &Object) -> bool {
    object.facts().is(Facts::KEEPS_WEAKREFS) && !object.lives()
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
        let iterated = object.facts().is_weak_container() && object.facts().shape() != Shape::LibraryValueDict;
        if !iterated || s.program().has(Trait::Raises) {
            out.skip(Invariant::I30);
            return;
        }
        self.container = at;
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
