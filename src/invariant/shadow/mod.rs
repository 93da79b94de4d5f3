//! The shadow heap: the truth about a run, rebuilt from the scenario and the events.
//!
//! Every edge an event tells of is here, hidden ones included. Where events leave something open the shadow is
//! careful in a stated direction: an object that may have unknown holders is [`Object::LOOSE`], an unreachable set
//! that may differ from the collector's says so ([`Collection::exact`], [`Collection::sound`]).
//!
//! Conventions that the event vocabulary leaves open, and how they are read here:
//! * the items of a new tuple, function, method or cell come from the operation; `StoreSlot` events that repeat them
//!   are harmless;
//! * stores into an instance that has a dict of its own are stores into that dict;
//! * stores into a weak container say what it holds weakly, not an edge.

mod bits;
mod collection;
mod fold;
mod object;
mod place;
mod reach;

pub(crate) use bits::Bits;
pub(crate) use collection::Collection;
pub(crate) use object::{Facts, NO_SCRIPT, NONE, Object, WeakRec, pack, unpack};

use super::violation::Phase;
use crate::event::{Code, ObjId};
use crate::scenario::{MAX_ITEMS, Op, Scenario};
use crate::subject::Release;

/// Items of a list or dict beyond the first four.
pub(crate) type Overflow = [u32; MAX_ITEMS as usize];

/// User code that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub code: Code,
    pub owner: u32,
    pub arg: u32,
    /// The script, if it is known.
    pub script: u8,
    /// Its exception was reported.
    pub raised: bool,
}

/// What the snapshot that is being read followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum After {
    Nothing,
    Enter,
    Leave,
    CollectStart,
    CollectEnd { returned: u32, uncollectable: u32, automatic: bool },
    End,
}

/// Properties of the scenario as a whole.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traits {
    /// A script changes `gc.callbacks`.
    pub scripts_change_callbacks: bool,
    /// A script empties `gc.garbage`.
    pub scripts_empty_garbage: bool,
    pub saves_all: bool,
    pub freezes: bool,
    pub unfreezes: bool,
    /// Something tracks or untracks by hand.
    pub tracks: bool,
    pub raises: bool,
    /// A script calls objects or runs another body, so that an exception may come from elsewhere.
    pub nests: bool,
}

#[derive(Debug)]
pub(crate) struct Shadow {
    pub objects: Vec<Object>,
    pub weaks: Vec<WeakRec>,
    pub overflow: Vec<Overflow>,
    pub vars: Vec<u32>,
    pub ops: Vec<Op>,
    pub scripts: usize,
    /// Scripts that raise by themselves, as bits.
    pub raising: u64,
    pub frames: Vec<Frame>,
    pub gc_callbacks: Vec<u32>,
    pub garbage: Vec<u32>,
    /// `garbage` is what `gc.garbage` holds now.
    pub garbage_sure: bool,
    pub release: Option<Release>,
    pub traits: Traits,
    pub col: Collection,
    /// Objects not yet freed.
    pub live: u32,
    /// The operation of the mutator that runs.
    pub step: u32,
    pub op: Option<Op>,
    /// Operands of that operation when it started.
    pub step_items: [u32; 2],
    /// The entry of the iteration that runs.
    pub iter_arg: u32,
    /// Index of the event being judged.
    pub at: u32,
    /// Number of snapshots so far.
    pub stamp: u32,
    /// Objects in the snapshot being read.
    pub listed: u32,
    /// The last place in list order that the snapshot being read reached.
    pub list_order: u8,
    pub reading: bool,
    pub after: After,
    /// Objects that the last snapshot had as untracked.
    pub untracked: Vec<u32>,
    /// Changes when reachability may have changed.
    pub version: u64,
    pub base: Bits,
    base_version: u64,
    pub stack: Vec<u32>,
    pub scratch: Bits,
    /// The stream speaks of an object in a way the shadow cannot place.
    pub lost: bool,
    /// Internal objects (of weak containers, finalize) exist.
    pub internals: bool,
    /// An object that lies to the collector was examined by some collection.
    pub lied: bool,
    pub pending_dict: u32,
    pub pending_data: u32,
    pub pending_remove: u32,
    /// Full collections in a row that ran no user code and yet found something, with no mutator between.
    pub quiet: u32,
    /// The operation before this event asked for an entry of `gc.callbacks`.
    pub undo_callback: bool,
    pub container: u32,
    pub entry: u32,
    pub last_left: u32,
    /// The callback's weak reference when the last event was the end of a callback that the collector called.
    pub just_left: u32,
}

impl Shadow {
    pub fn new() -> Shadow {
        Shadow {
            objects: Vec::new(),
            weaks: Vec::new(),
            overflow: Vec::new(),
            vars: Vec::new(),
            ops: Vec::new(),
            scripts: 0,
            raising: 0,
            frames: Vec::new(),
            gc_callbacks: Vec::new(),
            garbage: Vec::new(),
            garbage_sure: true,
            release: None,
            traits: Traits::default(),
            col: Collection::default(),
            live: 0,
            step: 0,
            op: None,
            step_items: [NONE; 2],
            iter_arg: NONE,
            at: 0,
            stamp: 0,
            listed: 0,
            list_order: 0,
            reading: false,
            after: After::Nothing,
            untracked: Vec::new(),
            version: 1,
            base: Bits::default(),
            base_version: 0,
            stack: Vec::new(),
            scratch: Bits::default(),
            lost: false,
            internals: false,
            lied: false,
            pending_dict: NONE,
            pending_data: NONE,
            pending_remove: NONE,
            undo_callback: false,
            quiet: 0,
            container: NONE,
            entry: NONE,
            last_left: NONE,
            just_left: NONE,
        }
    }

    /// Forgets the last run and keeps the memory.
    pub fn start(&mut self, scenario: &Scenario, release: Option<Release>) {
        self.objects.clear();
        self.weaks.clear();
        self.overflow.clear();
        self.vars.clear();
        self.frames.clear();
        self.gc_callbacks.clear();
        self.garbage.clear();
        self.untracked.clear();
        self.garbage_sure = true;
        self.release = release;
        self.col.start_run();
        self.live = 0;
        self.step = 0;
        self.op = None;
        self.step_items = [NONE; 2];
        self.iter_arg = NONE;
        self.at = 0;
        self.stamp = 0;
        self.listed = 0;
        self.reading = false;
        self.after = After::Nothing;
        self.version += 1;
        self.lost = false;
        self.internals = false;
        self.lied = false;
        self.pending_dict = NONE;
        self.container = NONE;
        self.entry = NONE;
        self.last_left = NONE;
        self.just_left = NONE;
        self.undo_callback = false;
        self.quiet = 0;
        self.pending_data = NONE;
        self.pending_remove = NONE;
        self.ops.clear();
        self.ops.extend_from_slice(scenario.ops());
        self.scripts = scenario.scripts();
        self.raising = 0;
        for script in 0..self.scripts.min(64) {
            let raises = scenario.body(script + 1).contains(&Op::Raise);
            self.raising |= u64::from(raises) << script;
        }
        let mut t = Traits::default();
        let main = scenario.range(0);
        for (at, op) in scenario.ops().iter().enumerate() {
            let script = !main.contains(&at);
            match op {
                Op::AddGcCallback { .. } | Op::EmptyGcCallbacks if script => t.scripts_change_callbacks = true,
                Op::EmptyGarbage if script => t.scripts_empty_garbage = true,
                Op::SaveAll { on: true } => t.saves_all = true,
                Op::Freeze => t.freezes = true,
                Op::Unfreeze => t.unfreezes = true,
                Op::Track { .. } | Op::Untrack { .. } => t.tracks = true,
                Op::Raise => t.raises = true,
                Op::Call { .. } | Op::Iterate { .. } if script => t.nests = true,
                _ => {}
            }
        }
        self.traits = t;
    }

    /// The object an id names, if the stream has created it.
    #[inline]
    pub fn get(&self, object: ObjId) -> Option<&Object> {
        self.objects.get(object.index())
    }

    /// The object behind an edge.
    #[inline]
    pub fn at(&self, edge: u32) -> Option<&Object> {
        self.objects.get((edge as usize).wrapping_sub(1))
    }

    /// The record of a weak reference object.
    #[inline]
    pub fn weak(&self, weak: ObjId) -> Option<&WeakRec> {
        let object = self.get(weak)?;
        if !object.facts.shape.is_weakref() {
            return None;
        }
        self.weaks.get((object.aux as usize).wrapping_sub(1))
    }

    /// The records of the weak references to a referent, newest first.
    pub fn weaks_of(&self, referent: u32) -> impl Iterator<Item = &WeakRec> + '_ {
        let mut next = self.at(referent).map_or(0, |o| o.weak_head);
        std::iter::from_fn(move || {
            let record = self.weaks.get((next as usize).wrapping_sub(1))?;
            next = record.next;
            Some(record)
        })
    }

    /// True before the given 3.x release; false if the release is not known.
    #[inline]
    pub fn before(&self, minor: u8) -> bool {
        self.release.is_some_and(|r| r.major < 3 || r.minor < minor)
    }

    /// True on 2.7.
    #[inline]
    pub fn is_two(&self) -> bool {
        self.release.is_some_and(|r| r.major == 2)
    }

    /// True on the releases with the incremental collector.
    pub fn incremental(&self) -> bool {
        self.release.is_some_and(|r| r >= Release::new(3, 14, 0) && r < Release::new(3, 14, 5))
    }

    /// The phase, as far as events tell it.
    pub fn phase(&self) -> Phase {
        let c = &self.col;
        if !c.active {
            Phase::Mutator
        } else if !c.ready {
            Phase::Start
        } else if c.clears > 0 {
            Phase::Del
        } else if c.finalizers > 0 {
            Phase::Fin
        } else if c.callbacks > 0 {
            Phase::Cb
        } else {
            Phase::Ded
        }
    }

    /// The innermost user code that is not a plain call.
    pub fn driver(&self) -> Option<&Frame> {
        self.frames.iter().rev().find(|f| f.code != Code::Call)
    }

    /// True if what a script or an operation could know is at rest: no user code, no collection, no iteration.
    pub fn quiescent(&self) -> bool {
        self.frames.is_empty() && !self.col.active && !matches!(self.op, Some(Op::Iterate { .. }))
    }

    /// An object whose finalizer the collector sets aside as uncollectable.
    pub fn is_legacy(&self, object: &Object) -> bool {
        object.facts.is(Facts::LEGACY)
            || self.is_two() && object.facts.is(Facts::FINALIZER) && object.facts.is_python_class()
    }
}
