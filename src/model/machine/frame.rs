//! The explicit stack: what is in progress. Recursion never follows the object graph.

use super::library_iteration::IterationStep;
use crate::event::ObjId;
use crate::model::heap::Idx;
use crate::scenario::ScriptId;

/// Where a deallocation stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// The reference count has just become 0.
    Start,
    /// The finalizer has returned.
    Finalized,
    /// The legacy finalizer of a C type comes next.
    Legacy,
    /// The legacy finalizer of a C type has returned.
    LegacyDone,
    /// Death is final; weak references come next.
    Final,
    /// Weak references are done; the deallocator's action comes next.
    Action,
    /// The deallocator's action has returned.
    ActionDone,
    /// References are dropped, up to the first whose object dies of it.
    Slots,
    /// The same for an object whose links say what is deallocated next.
    LinkedSlots,
    /// The callback of a weak reference has been dropped; everything is.
    Dropped,
    /// 2.7: weak references of a Python class are done, its `__del__` comes next.
    OldFinalizer,
    /// 2.7: `__del__` has returned.
    OldFinalized,
}

/// Where a collection stands. The names are those of the phases in documentation and reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// `gc.callbacks` with "start": number of the next entry.
    StartCallbacks(u32),
    /// Merge, deduce unreachable, legacy split, first weak reference pass.
    Deduce,
    /// The next callback of a weak reference.
    Callbacks,
    /// The callback of this weak reference has returned.
    CallbackDone(Idx),
    /// This weak reference has been let go.
    CallbackDropped(Idx),
    /// The next finalizer.
    Finalizers,
    /// The finalizer of this object has returned.
    FinalizerDone(Idx),
    /// Resurrection check, second weak reference pass.
    Resurrection,
    /// The next `tp_clear`.
    Clearing,
    /// `tp_clear` of this object has returned.
    ClearDone(Idx),
    /// This object has been let go after `tp_clear`.
    ClearDropped(Idx),
    /// Uncollectable objects, statistics.
    Finish,
    /// `gc.callbacks` with "stop": number of the next entry.
    StopCallbacks(u32),
}

/// One thing in progress.
#[derive(Clone, Copy, Debug)]
pub(super) enum Frame {
    /// Operations of a body.
    Body {
        pc: u32,
        end: u32,
        owner: Idx,
        arg: Idx,
        /// A script: counted, and left with an event.
        script: bool,
        /// The allocation of the operation at `pc` has been made already.
        allocated: bool,
    },
    /// More rounds of a repeated body.
    Repeat { times: u8, script: ScriptId },
    /// More entries of an iteration over a weak container, whose entries are in a temporary tuple from `next` on.
    Iterate { container: Idx, entries: Idx, script: ScriptId, next: u32 },
    /// The end of one round of an iteration.
    IterateDone { container: Idx },
    /// The iteration over a weak container of the library.
    LibraryIterate { step: IterationStep },
    /// The removal callback of a weak container at work.
    Remove { function: Idx, weak: Idx },
    /// A `finalize` of the library at work.
    RunFinalize { o: Idx, weak: Idx },
    /// A composed `finalize` at work.
    RunComposedFinalize { o: Idx },
    /// An entry to be added to a weak container.
    AddEntry { container: Idx, slot: u8, value: Idx },
    /// A new entry of a weak container of the library to be told of.
    LibraryEntry { weak: Idx, container: Idx },
    /// Removals that a weak container has put off, the last one next.
    Commit { container: Idx },
    /// The length of a weak container to be reported.
    Length { container: Idx },
    /// The end of a Python function's frame, a temporary tuple of what it holds.
    Return { frame: Idx },
    /// The report of an error that a script has raised.
    Report { owner: ObjId },
    /// The end of user code that is no script.
    LeaveBuiltin { owner: Idx },
    /// A deallocation.
    Dealloc { o: Idx, stage: Stage, step: u32 },
    /// `tp_clear` dropping slot after slot.
    Clear { o: Idx, step: u32 },
    /// A weak reference forgets the callback it has dropped.
    ForgetCallback { weak: Idx },
    /// Detached slots of a list or dict being dropped.
    DropRange { start: u32, len: u32, step: u32, backwards: bool },
    /// A callback taken out of its weak reference, to be called by the referent's deallocator.
    Callback { weak: Idx, callback: Idx },
    /// The callbacks in a temporary tuple of weak references and callbacks, from item `next` on.
    TupleCallbacks { tuple: Idx, next: u32 },
    /// The weak references of a dying object that are left to be put into a temporary tuple, from `item` on.
    GatherCallbacks { o: Idx, tuple: Idx, item: u32 },
    /// A dying weak reference forgets the callback it has dropped and is cleared; `next` was the entry behind it.
    ForgetAndClear { weak: Idx, next: u32 },
    /// A reference to be dropped.
    Drop { o: Idx },
    /// Deferred deallocations to be made.
    Drain {
        /// The first step of this round of draining.
        first: bool,
    },
    /// The running collection.
    Collect { phase: Phase },
}

const _: () = assert!(size_of::<Frame>() == 20);
