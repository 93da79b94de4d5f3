//! The user code that runs on one actor: the mutator's operation, and scripts inside of each other.
//!
//! It is what changes when another actor runs; a value that can be put aside. Scripts are pushed and popped as events say:
//! an end without a beginning is ignored. Not here: what scripts do.

use super::edge::{NONE, pack};
use super::facts::NO_SCRIPT;
use super::object::Object;
use super::{After, Shadow, Trait};
use crate::event::{Code, ObjId};
use crate::scenario::{Op, Place};

/// No operation of the mutator.
const NO_STEP: u32 = u32::MAX;

/// User code that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    code: Code,
    owner: u32,
    arg: u32,
    /// The script, or [`NO_SCRIPT`].
    script: u8,
    /// A callback that the collection calls itself, before it clears.
    by_collector: bool,
}

impl Frame {
    /// What kind of code.
    #[inline]
    pub fn code(&self) -> Code {
        self.code
    }

    /// `self` of the script.
    #[inline]
    pub fn owner(&self) -> u32 {
        self.owner
    }

    /// `arg` of the script.
    #[inline]
    pub fn arg(&self) -> u32 {
        self.arg
    }

    /// The script, or [`NO_SCRIPT`].
    #[inline]
    pub(super) fn script(&self) -> u8 {
        self.script
    }
}

/// The user code that runs on one actor.
#[derive(Clone, Debug)]
pub(crate) struct UserCode {
    /// The innermost is the last.
    frames: Vec<Frame>,
    /// The operation of the mutator that runs, or [`NO_STEP`].
    step: u32,
    /// Operations of the scripts that have started, at most.
    script_steps: u32,
    /// The callback's weak reference when the last event was the end of a callback that the collector called.
    just_left: u32,
}

impl Default for UserCode {
    fn default() -> Self {
        UserCode { frames: Vec::new(), step: NO_STEP, script_steps: 0, just_left: NONE }
    }
}

impl UserCode {
    pub(super) fn start(&mut self) {
        self.frames.clear();
        self.step = NO_STEP;
        self.script_steps = 0;
        self.just_left = NONE;
    }

    /// Scripts that run, the innermost last.
    #[inline]
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// True if no script runs.
    #[inline]
    pub fn is_idle(&self) -> bool {
        self.frames.is_empty()
    }

    /// The innermost user code that is not a plain call.
    #[inline]
    pub fn driver(&self) -> Option<&Frame> {
        self.frames.iter().rev().find(|f| f.code != Code::Call)
    }

    /// Index of the operation of the main body that runs; nothing before the first and after the last.
    pub fn step(&self) -> Option<u32> {
        (self.step != NO_STEP).then_some(self.step)
    }

    /// Operations of the scripts that have started, at most.
    pub fn script_steps(&self) -> u32 {
        self.script_steps
    }

    /// The weak reference whose callback the collector called, if the event before this one was the callback's end.
    #[inline]
    pub(super) fn just_left(&self) -> u32 {
        self.just_left
    }
}

impl Shadow {
    /// The operation of the mutator that runs.
    #[inline]
    pub(crate) fn op(&self) -> Option<&Op> {
        self.program.op(self.user_code.step)
    }

    /// True if what a script or an operation could know is at rest: no user code, no collection, no iteration.
    pub(crate) fn quiescent(&self) -> bool {
        self.user_code.is_idle() && !self.collection.runs() && !matches!(self.op(), Some(Op::Iterate { .. }))
    }

    /// What a place names now, for the code that runs now.
    pub(crate) fn resolve(&self, place: Place) -> u32 {
        let frame = self.user_code.frames.last().map(|f| (f.owner, f.arg));
        self.roots.resolve(&self.objects, place, frame)
    }

    /// An operation of the mutator starts; true if it is an iteration.
    #[inline]
    pub(crate) fn apply_step(&mut self, op: u32) -> bool {
        self.user_code.step = op;
        self.roots.begin_step();
        self.deeds.next_step();
        match self.program.op(op) {
            Some(Op::Collect { .. }) => return false,
            // If scripts change the list too, how often it holds what is not known.
            Some(Op::AddGcCallback { callable }) if self.program.has(Trait::ScriptsChangeCallbacks) => {
                let callable = *callable;
                self.note_maybe_listed(callable, None);
            }
            Some(Op::AddGcCallback { callable }) => {
                let callable = self.resolve(*callable);
                if callable != NONE {
                    self.roots.add_gc_callback(callable);
                    self.objects.count(callable, 1);
                    self.reach.changed();
                }
            }
            Some(Op::EmptyGcCallbacks) => {
                self.roots.empty_gc_callbacks(|callable| self.objects.count(callable, -1));
                self.reach.changed();
                if self.program.has(Trait::ScriptsChangeCallbacks) {
                    self.objects.all.iter_mut().for_each(|object| object.status &= !Object::MAYBE_LISTED);
                }
            }
            Some(Op::EmptyGarbage) => {
                self.roots.doubt_garbage();
                self.reach.changed();
            }
            Some(op @ (Op::SaveAll { .. } | Op::Unfreeze | Op::Track { .. } | Op::Untrack { .. })) => {
                let op = *op;
                self.note_deed(op);
            }
            Some(op @ (Op::Iterate { .. } | Op::Repeat { .. })) => {
                let op = *op;
                if self.program.has_rare_scripts() {
                    self.note_deed(op);
                    self.note_listed_by_scripts();
                }
                self.collection.disturb();
                return matches!(op, Op::Iterate { .. });
            }
            _ => {}
        }
        self.collection.disturb();
        false
    }

    /// The scenario has ended: no operation of the mutator runs any more.
    pub(crate) fn apply_end(&mut self) {
        self.user_code.step = NO_STEP;
        self.snapshot.follow(After::End);
    }

    /// An event follows that is neither the end of a script nor a death.
    #[inline]
    pub(crate) fn forget_just_left(&mut self) {
        self.user_code.just_left = NONE;
    }

    /// The operation turned out to do nothing.
    pub(crate) fn apply_no_effect(&mut self) {
        if let Some(callable) = self.roots.take_back_gc_callback() {
            self.objects.count(callable, -1);
            self.reach.changed();
        }
    }

    /// A script begins.
    pub(crate) fn apply_enter(&mut self, code: Code, owner: ObjId, arg: Option<ObjId>) {
        self.collection.disturb();
        self.enter_in_collection(code, owner);
        let counts = self.collection.runs() && self.collection.unreachable().is_ready();
        let mut script = NO_SCRIPT;
        if let Some(object) = self.objects.all.get_mut(owner.index()) {
            script = match code {
                Code::Finalizer | Code::LegacyFinalizer => object.facts.finalizer,
                Code::Callback | Code::GcCallback | Code::Call => object.facts.on_call,
                Code::Dealloc => object.facts.on_dealloc,
            };
            if matches!(code, Code::Finalizer | Code::LegacyFinalizer) {
                object.fin_calls = object.fin_calls.saturating_add(1);
                if object.in_edges == 0 && !mutant!(FinalizedAtZeroForgotten) {
                    object.status |= Object::FIN_AT_ZERO;
                    self.objects.finalized_at_zero.push(owner.index() as u32);
                }
                self.collection.note_finalizer(counts);
            }
        }
        let by_collector = code == Code::Callback && self.enter_callback(arg, counts);
        if code == Code::Call && self.program.has(Trait::Finalizes) {
            self.note_finalize_call();
        }
        let code_of = &mut self.user_code;
        code_of.script_steps = code_of.script_steps.saturating_add(self.program.script_len(script));
        code_of.frames.push(Frame { code, owner: pack(Some(owner)), arg: pack(arg), script, by_collector });
        self.snapshot.follow(After::Enter);
        if self.program.has_rare_scripts() {
            self.note_deeds(script);
        }
        if !self.program.added_by_scripts().is_empty() {
            self.note_listed_by_scripts();
        }
    }

    /// A callback begins: true if the collection calls it itself.
    fn enter_callback(&mut self, arg: Option<ObjId>, counts: bool) -> bool {
        let c = &self.collection;
        let level = counts && self.user_code.frames.len() == c.depth() && !c.has_cleared();
        // A deallocator's callback comes when its referent is dying; the collector's, when that is whole, or when an earlier
        // callback has let it die.
        let referent = arg.and_then(|a| self.weak(a)).and_then(|r| self.at(r.referent()));
        let by_collector = level && referent.is_some_and(|o| o.lives() || o.is(Object::FREED));
        self.collection.note_callback(counts);
        if let Some(weak) = arg {
            self.note_call(weak);
        }
        by_collector
    }

    /// Ends the innermost script and returns it.
    pub(crate) fn apply_leave(&mut self) -> Option<Frame> {
        let frame = self.user_code.frames.pop()?;
        self.snapshot.follow(After::Leave);
        let index = frame.owner as usize - 1;
        if matches!(frame.code, Code::Finalizer | Code::LegacyFinalizer)
            && let Some(object) = self.objects.all.get_mut(index)
        {
            object.fin_returns = object.fin_returns.saturating_add(1);
            // An entry of `gc.callbacks` may hold it.
            let saved = object.in_edges > 0 || object.is(Object::MAYBE_LISTED);
            object.status = object.status & !Object::SAVED | if saved { Object::SAVED } else { 0 };
        }
        self.user_code.just_left = if frame.by_collector { frame.arg } else { NONE };
        if frame.by_collector && frame.arg != NONE {
            // It goes to the old generation even if it was set aside as uncollectable.
            self.collection.unreachable_mut().rescue(frame.arg as usize - 1);
        }
        Some(frame)
    }

    /// True if the script raises by itself.
    pub(crate) fn raises(&self, frame: &Frame) -> bool {
        frame.script != NO_SCRIPT && self.program.raises(frame.script)
    }
}
