//! The shadow heap: the truth about a run, rebuilt from the scenario and the events.
//!
//! Every edge an event tells of is here, hidden ones included. Where events leave something open the shadow is
//! careful in a stated direction: an object that may have unknown holders is [`Object::UNKNOWN_HOLDERS`], an unreachable set
//! that may differ from the collector's says so ([`Collection::exact`], [`Collection::sound`]).

mod apply;
mod collection;
mod expectations;
mod garbage;
mod object;
mod object_set;
mod place;
mod reach;
mod subtract_references;

pub(crate) use collection::Collection;
pub(crate) use expectations::{ASKS, AskedExpectations};
pub(crate) use object::{Facts, NO_SCRIPT, NONE, NOT_IN_A_LIST, Object, UNUSUAL, WeakRec, pack, unpack, usual};
pub(crate) use object_set::ObjectSet;

use super::violation::Phase;
use crate::event::{Code, ObjId};
use crate::scenario::{MAX_ITEMS, Op, Scenario, Shape};
use crate::subject::{Declaration, Expectation};

/// Slots of a list or dict: two per entry of a weak-key dictionary.
pub(crate) const OVERFLOW: usize = 2 * MAX_ITEMS as usize;

/// No operation of the mutator.
const NO_STEP: u32 = u32::MAX;

/// Items of a list or dict; the first four stay unused.
pub(crate) type Overflow = [u32; OVERFLOW];

/// User code that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub code: Code,
    pub owner: u32,
    pub arg: u32,
    /// The script, if it is known.
    pub script: u8,
    /// A callback that the collection calls itself, before it clears.
    pub by_collector: bool,
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
    pub unfreezes: bool,
    /// Something tracks or untracks by hand.
    pub tracks: bool,
    /// A script tracks by hand.
    pub scripts_track: bool,
    pub raises: bool,
    /// There are `weakref.finalize` objects.
    pub finalizes: bool,
}

#[derive(Debug)]
pub(crate) struct Shadow {
    pub objects: Vec<Object>,
    pub weaks: Vec<WeakRec>,
    pub overflow: Vec<Overflow>,
    pub vars: Vec<u32>,
    pub ops: Vec<Op>,
    /// Length of each script.
    pub script_lens: Vec<u32>,
    /// Operations of the scripts that have started, at most.
    pub script_steps: u32,
    /// Scripts that raise by themselves, as bits.
    pub raising: u64,
    pub frames: Vec<Frame>,
    pub gc_callbacks: Vec<u32>,
    pub garbage: Vec<u32>,
    /// How often `garbage` lists each object; as long as the last object that it has listed.
    listings: Vec<u32>,
    /// `garbage` is what `gc.garbage` holds now.
    pub garbage_sure: bool,
    pub expectations: AskedExpectations,
    pub traits: Traits,
    pub col: Collection,
    /// Objects not yet freed.
    pub live: u32,
    /// The same as a set.
    pub present: ObjectSet,
    /// Objects on which `tp_clear` was called, freed ones too.
    pub insane: ObjectSet,
    /// Objects whose deallocation is final and has not ended.
    pub dying: ObjectSet,
    /// An object with a legacy finalizer was created.
    pub some_legacy: bool,
    /// There is something that [`leftovers`](super::fault::leftovers) could blame.
    pub peculiar: bool,
    /// An object was created whose `traverse` is not [faithful](Facts::UNFAITHFUL).
    pub some_unfaithful: bool,
    /// An object is or was [`Object::UNKNOWN_HOLDERS`].
    pub some_loose: bool,
    /// A callback ran.
    pub some_called: bool,
    /// An edge leads to an object that the stream has not created, or from one that it has freed.
    pub wild: bool,
    /// The operation of the mutator that runs, or [`NO_STEP`].
    pub step: u32,
    /// The entry of the iteration that runs.
    pub iter_arg: u32,
    /// Index of the event being judged.
    pub at: u32,
    /// Number of snapshots so far.
    pub stamp: u32,
    /// Objects in the snapshot being read.
    pub listed: u32,
    /// Not 0 if a line of the snapshot being read is odd, or shows another number of references than are known.
    pub uneven: u32,
    /// No line of the snapshot being read shows an object in a younger list.
    pub youngest: u8,
    /// A line of the snapshot read last has a reference count of 0.
    pub zero: bool,
    /// The last place in list order that the snapshot being read reached.
    pub list_order: u8,
    pub reading: bool,
    pub after: After,
    /// Objects that the last snapshot had as untracked.
    pub untracked: Vec<u32>,
    /// Changes when reachability may have changed.
    pub version: u64,
    /// What it was when the last snapshot began.
    version_shown: u64,
    pub base: ObjectSet,
    base_version: u64,
    pub stack: Vec<u32>,
    pub scratch: ObjectSet,
    /// The stream speaks of an object in a way the shadow cannot place.
    pub stream_unclear: bool,
    /// A type has misled a collection: `traverse` of a candidate lied, a deallocator's action saved trash that was
    /// being cleared, or made a weak reference to its own object.
    pub type_misled: bool,
    /// Full collections in a row that ran no user code and yet found something, with no mutator between.
    pub quiet: u32,
    /// The operation before this event asked for an entry of `gc.callbacks`.
    pub undo_callback: bool,
    /// The callback's weak reference when the last event was the end of a callback that the collector called.
    pub just_left: u32,
}

const USES_CALLBACKS: u16 = 1;
const USES_GARBAGE: u16 = 2;
const USES_SAVE_ALL: u16 = 4;
const USES_UNFREEZE: u16 = 16;
const USES_TRACK: u16 = 32;
const USES_UNTRACK: u16 = 64;
const USES_RAISE: u16 = 128;
const USES_FINALIZE: u16 = 256;

/// What operations use, as bits: a table's look-up for each.
fn uses(ops: &[Op]) -> u16 {
    let mut all = 0;
    for op in ops {
        all |= match op {
            Op::AddGcCallback { .. } | Op::EmptyGcCallbacks => USES_CALLBACKS,
            Op::EmptyGarbage => USES_GARBAGE,
            Op::SaveAll { .. } => USES_SAVE_ALL,
            Op::Unfreeze => USES_UNFREEZE,
            Op::Track { .. } => USES_TRACK,
            Op::Untrack { .. } => USES_UNTRACK,
            Op::Raise => USES_RAISE,
            _ => 0,
        };
        if let Op::New { kind, .. } = op {
            all |= if kind.shape == Shape::Finalize { USES_FINALIZE } else { 0 };
        }
    }
    all
}

impl Shadow {
    pub fn new() -> Shadow {
        Shadow {
            objects: Vec::new(),
            weaks: Vec::new(),
            overflow: Vec::new(),
            vars: Vec::new(),
            ops: Vec::new(),
            script_lens: Vec::new(),
            script_steps: 0,
            raising: 0,
            frames: Vec::new(),
            gc_callbacks: Vec::new(),
            garbage: Vec::new(),
            listings: Vec::new(),
            garbage_sure: true,
            expectations: AskedExpectations::new(),
            traits: Traits::default(),
            col: Collection::default(),
            live: 0,
            present: ObjectSet::default(),
            insane: ObjectSet::default(),
            dying: ObjectSet::default(),
            some_legacy: false,
            peculiar: false,
            some_unfaithful: false,
            some_loose: false,
            some_called: false,
            wild: false,
            step: NO_STEP,
            iter_arg: NONE,
            at: 0,
            stamp: 0,
            listed: 0,
            uneven: 0,
            youngest: 0,
            zero: false,
            list_order: 0,
            reading: false,
            after: After::Nothing,
            untracked: Vec::new(),
            version: 1,
            version_shown: 0,
            base: ObjectSet::default(),
            base_version: 0,
            stack: Vec::new(),
            scratch: ObjectSet::default(),
            stream_unclear: false,
            type_misled: false,
            undo_callback: false,
            quiet: 0,
            just_left: NONE,
        }
    }

    /// Forgets the last run and keeps the memory.
    pub fn start(&mut self, scenario: &Scenario, declaration: &Declaration) {
        self.objects.clear();
        self.weaks.clear();
        self.overflow.clear();
        self.vars.clear();
        self.frames.clear();
        self.gc_callbacks.clear();
        self.garbage.clear();
        self.listings.clear();
        self.untracked.clear();
        self.garbage_sure = true;
        self.expectations.start(&declaration.expectations);
        self.col.start_run();
        self.live = 0;
        self.present.reset(0);
        self.insane.reset(0);
        self.dying.reset(0);
        self.some_legacy = false;
        self.peculiar = false;
        self.some_unfaithful = false;
        self.some_loose = false;
        self.some_called = false;
        self.wild = false;
        self.step = NO_STEP;
        self.iter_arg = NONE;
        self.at = u32::MAX;
        self.stamp = 0;
        self.listed = 0;
        self.zero = false;
        self.reading = false;
        self.after = After::Nothing;
        self.version += 1;
        self.stream_unclear = false;
        self.type_misled = false;
        self.just_left = NONE;
        self.undo_callback = false;
        self.quiet = 0;
        self.script_steps = 0;
        self.read_scenario(scenario);
    }

    fn read_scenario(&mut self, scenario: &Scenario) {
        self.ops.clear();
        self.ops.extend_from_slice(scenario.ops());
        self.script_lens.clear();
        self.script_lens.extend((1..scenario.bodies()).map(|b| scenario.range(b).len() as u32));
        let (main, scripts) = scenario.ops().split_at(scenario.range(0).end);
        let (in_main, in_scripts) = (uses(main), uses(scripts));
        let all = in_main | in_scripts;
        let saves = |op: &Op| matches!(op, Op::SaveAll { on: true });
        let t = Traits {
            scripts_change_callbacks: in_scripts & USES_CALLBACKS != 0,
            scripts_empty_garbage: in_scripts & USES_GARBAGE != 0,
            saves_all: all & USES_SAVE_ALL != 0 && scenario.ops().iter().any(saves),
            unfreezes: all & USES_UNFREEZE != 0,
            tracks: all & (USES_TRACK | USES_UNTRACK) != 0,
            scripts_track: in_scripts & USES_TRACK != 0,
            raises: all & USES_RAISE != 0,
            finalizes: all & USES_FINALIZE != 0,
        };
        self.traits = t;
        self.raising = 0;
        if t.raises {
            for script in 0..scenario.scripts().min(64) {
                let raises = scenario.body(script + 1).contains(&Op::Raise);
                self.raising |= u64::from(raises) << script;
            }
        }
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

    /// Number of operations of a script.
    pub fn script_len(&self, script: u8) -> u32 {
        self.script_lens.get(script as usize).copied().unwrap_or(0)
    }

    /// The operation of the mutator that runs.
    #[inline]
    pub fn op(&self) -> Option<&Op> {
        self.ops.get(self.step as usize)
    }

    /// No operation of the mutator runs any more.
    pub fn end_steps(&mut self) {
        self.step = NO_STEP;
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
        self.frames.is_empty() && !self.col.active && !matches!(self.op(), Some(Op::Iterate { .. }))
    }

    /// True if the snapshot that was just read shows every object once, and as many references to it as are known.
    #[inline]
    pub fn is_even(&self) -> bool {
        let all = self.listed == self.live && self.dying.is_empty();
        all && self.uneven == 0 && !self.some_loose && self.garbage.is_empty()
    }

    /// The same where something may have happened since.
    #[inline]
    pub fn is_still_even(&self) -> bool {
        self.version == self.version_shown && self.is_even()
    }

    /// An object whose finalizer the collector sets aside as uncollectable.
    pub fn is_legacy(&self, object: &Object) -> bool {
        let legacy = object.facts.is(Facts::LEGACY);
        let del = object.facts.is(Facts::FINALIZER) && object.facts.is_python_class();
        del && self.expectations.holds(Expectation::DelUncollectable)
            || legacy && !self.expectations.holds(Expectation::StaticFinalizer)
    }
}
