//! The one vocabulary of what can be observed while a subject runs a scenario.
//!
//! A subject (the model, a real interpreter, a foreign collector) emits [`Event`]s into an [`EventBuffer`]. Nothing here
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

mod buffer;
mod codes;
mod digest;
mod encoding;
mod observation;
mod place;

use std::num::NonZeroU32;

pub use buffer::{EventBuffer, MOST_KEPT, record};
pub(crate) use codes::Tag;
pub use codes::{Code, Role, Spot, Undefined};
pub use digest::Digest;
pub use observation::Observation;
pub use place::{Phase, Place};

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
