//! The weak references: what each was made for, whether it still refers to it, and how often its callback ran.
//!
//! A record is made with the weak reference and is never taken away, so that one says of a dead weak reference what it
//! was. Whether it is live is what events imply, corrected by every snapshot. Callbacks are counted as scripts begin; that a
//! callback should have run is for others to say. What was the matter when it died, or was called, is remembered: an
//! excuse that a collection gives is none for what happens in another.

use super::Shadow;
use super::edge::{NONE, pack};
use super::fate::Fate;
use super::object::Object;
use crate::event::{Code, ObjId, Role};

/// One weak reference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WeakRec {
    weak: u32,
    pub(super) referent: u32,
    callback: u32,
    /// The next record of the same referent, plus 1.
    next: u32,
    live: bool,
    seen_dead: bool,
    born_in: u32,
    born_late: bool,
    /// Its referent died while the collector called callbacks, this one's perhaps later.
    pub(super) owed: bool,
    calls: u8,
    /// Calls that a `finalize` has made whose weak reference it is.
    runs: u8,
    called_at: u32,
    container: u32,
    /// It was live when the collection that runs found its trash.
    live_at_start: bool,
    armed: bool,
    reported: [bool; 3],
    /// Calls of its referent's finalizer that had begun when it was made.
    finalized_before: u8,
    /// How it died, if it was seen to.
    pub(super) died: Fate,
    /// How its callback began last.
    pub(super) called: Fate,
}

impl WeakRec {
    /// The weak reference object.
    #[inline]
    pub fn weak(&self) -> u32 {
        self.weak
    }

    /// What it was made for.
    #[inline]
    pub fn referent(&self) -> u32 {
        self.referent
    }

    /// The callback it was made with.
    #[inline]
    pub fn callback(&self) -> u32 {
        self.callback
    }

    /// The container whose entry it is, if it is one.
    #[inline]
    pub fn container(&self) -> u32 {
        self.container
    }

    /// Still refers to its referent, as last observed.
    #[inline]
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// It was observed to be dead.
    pub fn was_dead(&self) -> bool {
        self.seen_dead
    }

    /// It was live when its referent's deallocation became final.
    pub fn is_armed(&self) -> bool {
        self.armed
    }

    /// The number of the collection that ran when it was made, or 0.
    pub fn born_in(&self) -> u32 {
        self.born_in
    }

    /// It was made when that collection had begun to clear.
    pub fn is_born_late(&self) -> bool {
        self.born_late
    }

    /// Its referent died in the collection that runs, or ran last, while the collector called callbacks.
    pub fn is_owed(&self) -> bool {
        self.owed
    }

    /// How often its callback began.
    #[inline]
    pub fn calls(&self) -> u8 {
        self.calls
    }

    /// Objects that existed when its callback began last.
    pub fn called_at(&self) -> u32 {
        self.called_at
    }

    /// How it was when it died, as a snapshot has shown.
    pub fn died(&self) -> Fate {
        self.died
    }

    /// How it was when its callback began last.
    pub fn called(&self) -> Fate {
        self.called
    }

    /// Calls of its referent's finalizer that had begun when it was made.
    pub fn finalized_before(&self) -> u8 {
        self.finalized_before
    }

    /// How often the `finalize` whose weak reference it is has called what it is to call.
    pub fn runs(&self) -> u8 {
        self.runs
    }

    pub(super) fn note_run(&mut self) {
        self.runs = self.runs.saturating_add(1);
    }

    /// One of the invariants that report it once has done so, by [`Shadow::set_reported`].
    #[inline]
    pub fn is_reported(&self, by: usize) -> bool {
        self.reported[by]
    }
}

/// The weak references of a run, in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Weakrefs {
    pub(super) records: Vec<WeakRec>,
    some_called: bool,
}

impl Weakrefs {
    pub(super) fn start(&mut self) {
        self.records.clear();
        self.some_called = false;
    }

    /// Every record.
    #[inline]
    pub fn records(&self) -> &[WeakRec] {
        &self.records
    }

    /// The callback of one of them ran.
    #[inline]
    pub fn some_called(&self) -> bool {
        self.some_called
    }

    /// The trash of a collection has been found: remembers which are live.
    pub(super) fn note_live(&mut self) {
        for record in &mut self.records {
            record.live_at_start = record.live;
        }
    }
}

impl Shadow {
    /// A weak reference answers with an object.
    #[inline]
    pub(crate) fn note_answered(&mut self, object: ObjId) {
        if let Some(o) = self.objects.all.get_mut(object.index())
            && o.is(Object::CLEARED)
        {
            o.status |= Object::ANSWERED;
        }
    }

    /// Position of a weak reference's record.
    fn weak_index(&self, weak: ObjId) -> Option<usize> {
        let object = self.get(weak)?;
        (object.facts.shape.is_weakref() && object.aux != 0).then(|| object.aux as usize - 1)
    }

    /// The record of a weak reference object.
    #[inline]
    pub(crate) fn weak(&self, weak: ObjId) -> Option<&WeakRec> {
        let object = self.get(weak)?;
        if !object.facts.shape.is_weakref() {
            return None;
        }
        self.weakrefs.records.get((object.aux as usize).wrapping_sub(1))
    }

    /// The number and the record of a weak reference object.
    pub(crate) fn weak_at(&self, weak: ObjId) -> Option<(usize, &WeakRec)> {
        let at = self.weak_index(weak)?;
        self.weakrefs.records.get(at).map(|record| (at, record))
    }

    /// The records of the weak references to a referent, newest first.
    pub(crate) fn weaks_of(&self, referent: u32) -> impl Iterator<Item = &WeakRec> + '_ {
        let mut next = self.at(referent).map_or(0, |o| o.weak_head);
        std::iter::from_fn(move || {
            let record = self.weakrefs.records.get((next as usize).wrapping_sub(1))?;
            next = record.next;
            Some(record)
        })
    }

    /// One of the invariants that report it once has reported the weak reference of a record.
    pub(crate) fn set_reported(&mut self, record: usize, by: usize) {
        self.weakrefs.records[record].reported[by] = true;
    }

    /// A collection is over: nobody owes a call any more.
    pub(crate) fn forget_owed(&mut self) {
        self.weakrefs.records.iter_mut().for_each(|record| record.owed = false);
    }

    pub(crate) fn apply_new_weak(&mut self, weak: ObjId, referent: ObjId, callback: Option<ObjId>) {
        let (Some(object), Some(target)) = (self.get(weak), self.get(referent)) else {
            self.confidence.lose_stream();
            return;
        };
        if !object.facts.shape.is_weakref() || object.aux != 0 {
            return;
        }
        let (role, gone, finalized_before) = (object.facts.role, object.is(Object::GONE), target.fin_calls);
        let next = target.weak_head;
        // Made after the deallocator has cleared the weak references: it will outlive the memory.
        let owner = pack(Some(referent));
        if self.user_code.frames().iter().any(|f| f.code() == Code::Dealloc && f.owner() == owner) {
            self.spoil(referent.index());
            self.spoil(weak.index());
        }
        let callback = pack(callback);
        let container = match role {
            Role::ContainerEntry => self.at(callback).map_or(NONE, |remove| remove.aux),
            _ => NONE,
        };
        self.weakrefs.records.push(WeakRec {
            weak: pack(Some(weak)),
            referent: owner,
            callback,
            next,
            live: true,
            seen_dead: false,
            born_in: if self.collection.runs() && !mutant!(BirthInCollectionForgotten) {
                self.collection.number()
            } else {
                0
            },
            born_late: self.collection.runs() && self.collection.has_cleared(),
            owed: false,
            calls: 0,
            runs: 0,
            called_at: 0,
            container,
            live_at_start: false,
            armed: false,
            reported: [false; 3],
            finalized_before,
            died: Fate::default(),
            called: Fate::default(),
        });
        let record = self.weakrefs.records.len() as u32;
        let objects = &mut self.objects;
        // What is gone holds nothing.
        objects.wild |= gone;
        objects.all[weak.index()].aux = record;
        objects.all[weak.index()].link = callback;
        objects.all[referent.index()].weak_head = record;
        objects.count(callback, if mutant!(CallbacksAreNotHeld) { 0 } else { 1 });
        self.reach.changed();
    }

    /// A callback begins on a weak reference.
    pub(super) fn note_call(&mut self, weak: ObjId) {
        let existing = self.objects.all.len() as u32;
        let Some(at) = self.weak_index(weak) else { return };
        let Some(record) = self.weakrefs.records.get(at) else { return };
        let called = self.fate(record.referent, record.weak);
        self.collection.note_fate();
        let record = &mut self.weakrefs.records[at];
        record.calls = record.calls.saturating_add(1);
        record.called_at = existing;
        record.called = called;
        self.weakrefs.some_called = true;
    }

    /// A snapshot shows that a weak reference has died.
    fn note_death(&mut self, weak: ObjId) {
        let Some(at) = self.weak_index(weak) else { return };
        let record = &self.weakrefs.records[at];
        self.weakrefs.records[at].died = self.fate(record.referent, record.weak);
        self.collection.note_fate();
    }

    /// `tp_clear` runs on an object: if it is a weak reference, that is dead.
    pub(super) fn clear_weakref(&mut self, object: ObjId) {
        if let Some(record) = self.weak_index(object) {
            self.weakrefs.records[record].live = mutant!(ClearedWeakrefsLive);
        }
    }

    /// The deallocator takes the callbacks of live weak references; those that keep theirs say so in a snapshot.
    pub(super) fn drop_weak_list(&mut self, referent: usize) {
        let trash = self.collection.is_trash(referent);
        let owed = trash && self.collection.is_calling();
        let Shadow { objects, weakrefs, .. } = self;
        let mut next = objects.all[referent].weak_head;
        while next != 0 {
            let record = &mut weakrefs.records[next as usize - 1];
            next = record.next;
            record.armed |= record.live || record.live_at_start && trash && !mutant!(ClearedWeakrefsUnarmed);
            record.owed = owed;
            if std::mem::replace(&mut record.live, false) {
                let weak = record.weak as usize - 1;
                let callback = std::mem::replace(&mut objects.all[weak].link, NONE);
                objects.count(callback, -1);
            }
        }
    }

    /// A line for a weak reference: whether it has its referent, and its callback.
    #[inline]
    pub(crate) fn apply_weak(&mut self, weak: ObjId, live: bool, callback: bool) {
        let Some(object) = self.objects.all.get(weak.index()) else { return };
        let Some(record) = self.weakrefs.records.get((object.aux as usize).wrapping_sub(1)) else { return };
        let link = if callback { record.callback } else { NONE };
        // Most lines say what is known.
        let is_known = record.weak == pack(Some(weak))
            && record.live == live
            && (live || record.seen_dead)
            && object.link == link
            && !(callback && object.is(Object::CLEARED));
        if !is_known {
            self.apply_changed_weak(weak, live, callback);
        }
    }

    #[inline(never)]
    fn apply_changed_weak(&mut self, weak: ObjId, live: bool, callback: bool) {
        let Some(object) = self.objects.all.get_mut(weak.index()) else { return };
        if !object.facts.shape.is_weakref() {
            return;
        }
        let Some(record) = self.weakrefs.records.get_mut((object.aux as usize).wrapping_sub(1)) else { return };
        record.seen_dead |= !live && !mutant!(DeathOfWeakrefsForgotten);
        if std::mem::replace(&mut record.live, live) & !live {
            self.note_death(weak);
        }
        let Some(object) = self.objects.all.get_mut(weak.index()) else { return };
        let Some(record) = self.weakrefs.records.get_mut((object.aux as usize).wrapping_sub(1)) else { return };
        // Up to 3.12 `tp_clear` forgets the callback only after it has dropped it.
        let new = if callback && !object.is(Object::CLEARED) { record.callback } else { NONE };
        if new != object.link && object.lives() {
            let old = std::mem::replace(&mut object.link, new);
            self.objects.count(new, 1);
            self.objects.count(old, -1);
            self.reach.changed();
            self.snapshot.lose_evenness();
        }
    }
}
