//! The one vocabulary of what can be observed while a subject runs a scenario.
//!
//! A subject (the model, a real interpreter, a foreign collector) emits [`Event`]s into a [`Sink`]. Nothing here
//! says who emits: the same stream is compared between subjects, digested, and judged by the invariants.
//!
//! # When which event is emitted
//!
//! * [`Event::Step`] before each operation of the mutator's body; [`Event::NoEffect`] when an operation of any body
//!   turns out to do nothing.
//! * [`Event::New`] when an object exists and is initialised. [`Event::StoreVar`] and [`Event::StoreSlot`] right
//!   after a variable or slot changed and *before* the old content is dropped. Slots dropped by `clear` or by a
//!   deallocator emit nothing: they are implied by [`Event::Clear`] and [`Event::Dealloc`].
//! * [`Event::Clear`] right before `tp_clear` of a type that has one; [`Event::Dealloc`] when the reference count
//!   has become 0 for good: after a finalizer run by the deallocator, before weak references are cleared (2.7 clears
//!   the weak references of a Python class with `__del__` first, runs their callbacks, then `__del__`: there
//!   `Dealloc` comes after all of these); [`Event::Free`] when the memory is released.
//! * [`Event::Unraisable`] after the `Leave` (and its snapshot) of the script that raised.
//! * [`Event::Enter`] and [`Event::Leave`] around each script, each followed by a snapshot; [`Event::CollectStart`]
//!   and [`Event::CollectEnd`] around each collection that really starts (a nested one returns 0 and emits only
//!   [`Event::Refused`]), each followed by a snapshot; [`Event::End`] after the last operation, followed by one.
//! * A *snapshot* is [`Event::Snapshot`], then one [`Event::State`] per object that has not been freed: the tracked
//!   ones first, generation 0, 1, 2, permanent, each in list order, then all others in order of creation; then one
//!   [`Event::Weak`] per weak reference object that has not been freed: those that are linked in a referent's list
//!   first, by referent in order of creation, each in list order, then the rest in order of creation; then one
//!   [`Event::Garbage`] per item of `gc.garbage`.

mod log;

use std::num::NonZeroU32;

use crate::scenario::{Numbered, numbered};
pub use log::{First, MOST_KEPT, Tape};

/// The identity of an object: 1 for the first object that a run created, 2 for the next. Never reused in a run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ObjId(NonZeroU32);

impl ObjId {
    /// The object created as number `index` (from 0).
    #[inline]
    pub const fn from_index(index: u32) -> ObjId {
        match NonZeroU32::new(index.wrapping_add(1)) {
            Some(n) => ObjId(n),
            None => ObjId(NonZeroU32::MAX),
        }
    }

    /// Position in order of creation, from 0: an index for tables.
    #[inline]
    pub const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl std::fmt::Display for ObjId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{}", self.0)
    }
}

numbered! {
    /// How an object came into being.
    pub enum Role {
        /// The object that a `New` (or one of those that a `Build`) names; its kind is the operation's.
        Named,
        /// The dict of an [`Instance`](crate::scenario::Shape::Instance) (up to 3.10). A `Dict`.
        InstanceDict,
        /// The dict that a weak container keeps its entries in. A `Dict`.
        ContainerData,
        /// The removal callback of a weak container. A `Function`.
        ContainerRemove,
        /// The weak reference of one entry of a weak container. A `KeyedRef` in a `WeakValueDictionary`, else a `Ref`.
        ContainerEntry,
        /// The weak reference of a `finalize` object. A `Ref`.
        FinalizeRef,
        /// The weak reference to a weak container that its removal callback has as default argument. A `Ref`.
        ContainerSelf,
        /// The defaults of the removal callback. A `Tuple`.
        ContainerDefaults,
        /// The cell of the removal callback's closure over the data dict (until 3.6). A `Cell`.
        ContainerCell,
        /// The closure of the removal callback (until 3.6). A `Tuple`.
        ContainerClosure,
    }
}

numbered! {
    /// The kind of user code.
    pub enum Code {
        /// `tp_finalize` or `__del__`; owner is the object.
        Finalizer,
        /// `tp_del` of a C type; owner is the object.
        LegacyFinalizer,
        /// A weak reference callback; owner is the callable, arg the weak reference.
        Callback,
        /// The action of a deallocator; owner is the object.
        Dealloc,
        /// An entry of `gc.callbacks`; owner is the callable.
        GcCallback,
        /// A `call` operation; owner is the callable.
        Call,
    }
}

numbered! {
    /// Where the collector has an object.
    pub enum Spot {
        /// In the list of generation 0.
        Gen0,
        /// In the list of generation 1 (3.14.0-3.14.4: the pending old space).
        Gen1,
        /// In the list of generation 2 (3.14.0-3.14.4: the visited old space).
        Gen2,
        /// In the permanent generation.
        Permanent,
        /// Tracked, in a list of the running collection.
        Collecting,
        /// Has a GC header and is not tracked.
        Untracked,
        /// Has no GC header.
        NoHeader,
    }
}

numbered! {
    /// Behaviour that CPython leaves undefined: the model stops there, a real interpreter may do anything.
    pub enum Undefined {
        /// A `traverse` reported more references than there are (gc_refs would become negative).
        OverReported,
        /// A collection met a tracked object whose reference count is 0.
        DeadTracked,
        /// A function was called after `tp_clear` had emptied it (3.8 and later).
        CalledCleared,
        /// A deallocator's action kept the object that is being freed.
        KeptDying,
        /// A weak reference outlived its referent's memory (the deallocator did not clear it) and was used or freed.
        DanglingWeakref,
        /// The memory of an object was used after it was freed, because its count was wrong.
        UseAfterFree,
        /// A collection had to call the callback of a weak reference that is being deallocated: untracked already, but
        /// still linked to its referent. Only instances of subclasses can be met in that state.
        MovedUntracked,
        /// An object with several weak references died while one of them, without callback, was being deallocated
        /// itself: up to 3.12 the callback that is not there was released. Only instances of subclasses can be met in
        /// that state.
        NullCallback,
    }
}

numbered! {
    /// The events without what they say: their tags in [`Event::words`], and in the probe.
    pub(crate) enum Tag {
        Step = 1,
        NoEffect,
        New,
        NewWeak,
        StoreVar,
        StoreSlot,
        Enter,
        Leave,
        Saw,
        Answer,
        CollectStart,
        CollectEnd,
        Refused,
        Clear,
        Dealloc,
        Free,
        Unraisable,
        Length,
        Yielded,
        Snapshot,
        State,
        Weak,
        Garbage,
        Undefined,
        End,
    }
}

/// Something observed. See the module documentation for when each is emitted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// Operation `op` of the mutator's body starts.
    Step {
        /// Index in the mutator's body.
        op: u32,
    },
    /// The operation that runs did nothing.
    NoEffect,
    /// An object was created.
    New {
        /// The new object.
        object: ObjId,
        /// Index in [`Scenario::ops`](crate::scenario::Scenario::ops) of the operation that created it; for the
        /// objects that a container or instance creates, of the operation that created the container or instance.
        origin: u32,
        /// What it is to that operation.
        role: Role,
    },
    /// A weak reference was created (follows its `New`).
    NewWeak {
        /// The weak reference.
        weak: ObjId,
        /// What it refers to.
        referent: ObjId,
        /// Its callback.
        callback: Option<ObjId>,
    },
    /// A variable changed.
    StoreVar {
        /// The variable.
        var: u16,
        /// Its new content.
        object: Option<ObjId>,
    },
    /// A slot changed.
    StoreSlot {
        /// The object whose slot it is.
        holder: ObjId,
        /// The slot; 0xff means all slots become empty.
        slot: u8,
        /// Its new content.
        object: Option<ObjId>,
    },
    /// User code starts.
    Enter {
        /// What kind of code.
        code: Code,
        /// `self` of the script.
        owner: ObjId,
        /// `arg` of the script.
        arg: Option<ObjId>,
    },
    /// The user code entered last has ended.
    Leave,
    /// User code reached an object by `look` or `scan`.
    Saw {
        /// The object.
        object: ObjId,
        /// By introspection (`scan`) rather than by strong references (`look`).
        introspection: bool,
    },
    /// A weak reference was read.
    Answer {
        /// The weak reference.
        weak: ObjId,
        /// What it answered.
        referent: Option<ObjId>,
    },
    /// A collection starts.
    CollectStart {
        /// 0 to 2.
        generation: u8,
        /// Started by allocation or threshold rather than by an operation.
        automatic: bool,
    },
    /// The collection that started last has ended.
    CollectEnd {
        /// 0 to 2.
        generation: u8,
        /// What `gc.collect()` returns.
        returned: u32,
        /// How much of it is uncollectable.
        uncollectable: u32,
    },
    /// A collection was asked for while one was running.
    Refused,
    /// `tp_clear` is about to run on the object.
    Clear {
        /// The object.
        object: ObjId,
    },
    /// The object's deallocation has become final.
    Dealloc {
        /// The object.
        object: ObjId,
    },
    /// The object's memory is released.
    Free {
        /// The object.
        object: ObjId,
    },
    /// A script ended with an exception, which was reported as unraisable.
    Unraisable {
        /// The owner of the script.
        owner: ObjId,
    },
    /// The length of a weak container.
    Length {
        /// The container.
        container: ObjId,
        /// What `len()` says.
        len: u32,
        /// Entries in its data dict.
        raw: u32,
    },
    /// An entry of a weak container came out of an iteration, which holds it until the next event of this kind or
    /// the next `Step`.
    Yielded {
        /// The container.
        container: ObjId,
        /// The live entry.
        entry: ObjId,
    },
    /// A snapshot follows.
    Snapshot,
    /// One object of a snapshot.
    State {
        /// The object.
        object: ObjId,
        /// Its reference count.
        refcount: u32,
        /// Where the collector has it.
        spot: Spot,
        /// The finalized bit (false where there is none).
        finalized: bool,
    },
    /// One weak reference of a snapshot.
    Weak {
        /// The weak reference.
        weak: ObjId,
        /// What it still refers to.
        referent: Option<ObjId>,
        /// Whether it still has its callback.
        callback: bool,
    },
    /// One item of `gc.garbage`.
    Garbage {
        /// The item.
        object: ObjId,
    },
    /// Behaviour is undefined from here on; always the last event.
    Undefined {
        /// Why.
        reason: Undefined,
    },
    /// The scenario has ended.
    End,
}

impl Event {
    /// The event as two words: a stable encoding for digests and files. Tags are append-only.
    #[inline(always)]
    pub fn words(self) -> [u64; 2] {
        const fn id(o: ObjId) -> u64 {
            o.index() as u64 + 1
        }
        const fn opt(o: Option<ObjId>) -> u64 {
            match o {
                Some(o) => id(o),
                None => 0,
            }
        }
        let pack = |tag: Tag, small: u64, a: u64, b: u64| [tag as u64 | small << 8 | a << 32, b];
        match self {
            Event::Step { op } => pack(Tag::Step, 0, op as u64, 0),
            Event::NoEffect => pack(Tag::NoEffect, 0, 0, 0),
            Event::New { object, origin, role } => pack(Tag::New, role as u64, id(object), origin as u64),
            Event::NewWeak { weak, referent, callback } => {
                pack(Tag::NewWeak, 0, id(weak), id(referent) | opt(callback) << 32)
            }
            Event::StoreVar { var, object } => pack(Tag::StoreVar, var as u64, opt(object), 0),
            Event::StoreSlot { holder, slot, object } => pack(Tag::StoreSlot, slot as u64, id(holder), opt(object)),
            Event::Enter { code, owner, arg } => pack(Tag::Enter, code as u64, id(owner), opt(arg)),
            Event::Leave => pack(Tag::Leave, 0, 0, 0),
            Event::Saw { object, introspection } => pack(Tag::Saw, introspection as u64, id(object), 0),
            Event::Answer { weak, referent } => pack(Tag::Answer, 0, id(weak), opt(referent)),
            Event::CollectStart { generation, automatic } => {
                pack(Tag::CollectStart, generation as u64, automatic as u64, 0)
            }
            Event::CollectEnd { generation, returned, uncollectable } => {
                pack(Tag::CollectEnd, generation as u64, returned as u64, uncollectable as u64)
            }
            Event::Refused => pack(Tag::Refused, 0, 0, 0),
            Event::Clear { object } => pack(Tag::Clear, 0, id(object), 0),
            Event::Dealloc { object } => pack(Tag::Dealloc, 0, id(object), 0),
            Event::Free { object } => pack(Tag::Free, 0, id(object), 0),
            Event::Unraisable { owner } => pack(Tag::Unraisable, 0, id(owner), 0),
            Event::Length { container, len, raw } => {
                pack(Tag::Length, 0, id(container), len as u64 | (raw as u64) << 32)
            }
            Event::Yielded { container, entry } => pack(Tag::Yielded, 0, id(container), id(entry)),
            Event::Snapshot => pack(Tag::Snapshot, 0, 0, 0),
            Event::State { object, refcount, spot, finalized } => {
                pack(Tag::State, spot as u64 | (finalized as u64) << 8, id(object), refcount as u64)
            }
            Event::Weak { weak, referent, callback } => pack(Tag::Weak, callback as u64, id(weak), opt(referent)),
            Event::Garbage { object } => pack(Tag::Garbage, 0, id(object), 0),
            Event::Undefined { reason } => pack(Tag::Undefined, reason as u64, 0, 0),
            Event::End => pack(Tag::End, 0, 0, 0),
        }
    }

    /// The event that [`Event::words`] encodes as these words; `None` if they encode none.
    pub fn from_words([first, second]: [u64; 2]) -> Option<Event> {
        fn id(n: u64) -> Option<ObjId> {
            NonZeroU32::new(u32::try_from(n).ok()?).map(ObjId)
        }
        fn opt(n: u64) -> Option<Option<ObjId>> {
            if n == 0 { Some(None) } else { id(n).map(Some) }
        }
        let small = (first >> 8) as u32 & 0xff_ffff;
        let (a, low, high) = (first >> 32, second as u32, second >> 32);
        Some(match Tag::from_number(first as u8)? {
            Tag::Step => Event::Step { op: a as u32 },
            Tag::NoEffect => Event::NoEffect,
            Tag::New => Event::New { object: id(a)?, origin: low, role: *Role::ALL.get(small as usize)? },
            Tag::NewWeak => Event::NewWeak { weak: id(a)?, referent: id(low.into())?, callback: opt(high)? },
            Tag::StoreVar => Event::StoreVar { var: u16::try_from(small).ok()?, object: opt(a)? },
            Tag::StoreSlot => {
                Event::StoreSlot { holder: id(a)?, slot: u8::try_from(small).ok()?, object: opt(second)? }
            }
            Tag::Enter => Event::Enter { code: *Code::ALL.get(small as usize)?, owner: id(a)?, arg: opt(second)? },
            Tag::Leave => Event::Leave,
            Tag::Saw => Event::Saw { object: id(a)?, introspection: small != 0 },
            Tag::Answer => Event::Answer { weak: id(a)?, referent: opt(second)? },
            Tag::CollectStart => Event::CollectStart { generation: u8::try_from(small).ok()?, automatic: a != 0 },
            Tag::CollectEnd => Event::CollectEnd {
                generation: u8::try_from(small).ok()?,
                returned: a as u32,
                uncollectable: u32::try_from(second).ok()?,
            },
            Tag::Refused => Event::Refused,
            Tag::Clear => Event::Clear { object: id(a)? },
            Tag::Dealloc => Event::Dealloc { object: id(a)? },
            Tag::Free => Event::Free { object: id(a)? },
            Tag::Unraisable => Event::Unraisable { owner: id(a)? },
            Tag::Length => Event::Length { container: id(a)?, len: low, raw: high as u32 },
            Tag::Yielded => Event::Yielded { container: id(a)?, entry: id(second)? },
            Tag::Snapshot => Event::Snapshot,
            Tag::State => Event::State {
                object: id(a)?,
                refcount: u32::try_from(second).ok()?,
                spot: *Spot::ALL.get(small as usize & 0xff)?,
                finalized: small >> 8 != 0,
            },
            Tag::Weak => Event::Weak { weak: id(a)?, referent: opt(second)?, callback: small != 0 },
            Tag::Garbage => Event::Garbage { object: id(a)? },
            Tag::Undefined => Event::Undefined { reason: *Undefined::ALL.get(small as usize)? },
            Tag::End => Event::End,
        })
    }
}

/// Receives events.
pub trait Sink {
    /// Takes one event.
    fn event(&mut self, event: Event);

    /// False if the sink has no use for snapshots, so that the subject need not make them.
    fn wants_snapshots(&self) -> bool {
        true
    }

    /// True if the sink takes no more events: the subject may end the run where it is.
    #[inline]
    fn is_full(&self) -> bool {
        false
    }
}

/// Drops every event.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSink;

impl Sink for NoSink {
    #[inline]
    fn event(&mut self, _event: Event) {}

    fn wants_snapshots(&self) -> bool {
        false
    }
}

/// Keeps every event.
impl Sink for Vec<Event> {
    #[inline]
    fn event(&mut self, event: Event) {
        self.push(event);
    }
}

/// Digests the stream: XXH3-64 over [`Event::words`] in little-endian order.
///
/// Words are gathered and digested many at a time: taking one event is two stores.
#[derive(Clone)]
pub struct Digest {
    state: xxhash_rust::xxh3::Xxh3,
    buffer: [u8; 16 * Digest::GATHERED],
    used: usize,
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Digest").finish_non_exhaustive()
    }
}

impl Default for Digest {
    fn default() -> Self {
        Digest { state: xxhash_rust::xxh3::Xxh3::new(), buffer: [0; 16 * Digest::GATHERED], used: 0 }
    }
}

impl Digest {
    const GATHERED: usize = 32;

    /// A digest of nothing.
    pub fn new() -> Digest {
        Digest::default()
    }

    /// The digest of all events so far.
    pub fn value(&mut self) -> u64 {
        self.flush();
        self.state.digest()
    }

    /// Starts again.
    pub fn reset(&mut self) {
        self.state.reset();
        self.used = 0;
    }

    #[inline(never)]
    fn flush(&mut self) {
        self.state.update(&self.buffer[..16 * self.used]);
        self.used = 0;
    }

    /// Takes two more words.
    #[inline(always)]
    pub fn words(&mut self, words: [u64; 2]) {
        let place = &mut self.buffer.as_chunks_mut::<16>().0[self.used];
        place[..8].copy_from_slice(&words[0].to_le_bytes());
        place[8..].copy_from_slice(&words[1].to_le_bytes());
        self.used += 1;
        if self.used == Digest::GATHERED {
            self.flush();
        }
    }
}

impl Sink for Digest {
    // Where the variant is known, which is wherever one is emitted, little is left of the encoding.
    #[inline(always)]
    fn event(&mut self, event: Event) {
        self.words(event.words());
    }
}

/// Hands every event to two sinks.
impl<A: Sink, B: Sink> Sink for (A, B) {
    #[inline]
    fn event(&mut self, event: Event) {
        self.0.event(event);
        self.1.event(event);
    }

    fn wants_snapshots(&self) -> bool {
        self.0.wants_snapshots() || self.1.wants_snapshots()
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.0.is_full() && self.1.is_full()
    }
}

impl<S: Sink + ?Sized> Sink for &mut S {
    #[inline]
    fn event(&mut self, event: Event) {
        (**self).event(event);
    }

    fn wants_snapshots(&self) -> bool {
        (**self).wants_snapshots()
    }

    #[inline]
    fn is_full(&self) -> bool {
        (**self).is_full()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_sixteen_bytes() {
        assert!(size_of::<Event>() <= 16);
    }

    #[test]
    fn words_decode_to_the_event_they_came_from() {
        let (a, b) = (ObjId::from_index(0), ObjId::from_index(u32::MAX - 1));
        let mut events = vec![
            Event::Step { op: 99_999 },
            Event::NoEffect,
            Event::NewWeak { weak: a, referent: b, callback: None },
            Event::NewWeak { weak: a, referent: b, callback: Some(b) },
            Event::StoreVar { var: 1023, object: Some(b) },
            Event::StoreVar { var: 0, object: None },
            Event::StoreSlot { holder: a, slot: 0xff, object: None },
            Event::StoreSlot { holder: b, slot: 3, object: Some(b) },
            Event::Leave,
            Event::Saw { object: b, introspection: true },
            Event::Answer { weak: a, referent: Some(b) },
            Event::CollectStart { generation: 2, automatic: true },
            Event::CollectEnd { generation: 1, returned: u32::MAX, uncollectable: 7 },
            Event::Refused,
            Event::Clear { object: b },
            Event::Dealloc { object: b },
            Event::Free { object: b },
            Event::Unraisable { owner: b },
            Event::Length { container: b, len: 3, raw: u32::MAX },
            Event::Yielded { container: a, entry: b },
            Event::Snapshot,
            Event::Weak { weak: b, referent: None, callback: true },
            Event::Garbage { object: b },
            Event::End,
        ];
        events.extend(Role::ALL.map(|role| Event::New { object: b, origin: u32::MAX, role }));
        events.extend(Code::ALL.map(|code| Event::Enter { code, owner: b, arg: Some(a) }));
        events.extend(Spot::ALL.map(|spot| Event::State { object: b, refcount: u32::MAX, spot, finalized: true }));
        events.extend(Undefined::ALL.map(|reason| Event::Undefined { reason }));
        for event in events {
            assert_eq!(Event::from_words(event.words()), Some(event));
        }
        assert_eq!(Event::from_words([0, 0]), None);
        assert_eq!(Event::from_words([14, 0]), None);
        assert_eq!(Event::from_words([0xf0, 0]), None);
    }

    #[test]
    fn a_digest_does_not_depend_on_when_it_is_asked() {
        let events = |d: &mut Digest, range: std::ops::Range<u32>| {
            for op in range {
                d.event(Event::Step { op });
            }
        };
        let (mut once, mut twice) = (Digest::new(), Digest::new());
        events(&mut once, 0..100);
        events(&mut twice, 0..50);
        twice.value();
        events(&mut twice, 50..100);
        assert_eq!(once.value(), twice.value());
    }
}
