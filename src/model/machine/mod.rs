//! Runs a scenario on the model: mutator operations, user code, deallocation, collections, in one explicit stack.
//!
//! Every decref completes before the operation that caused it goes on, as in C, but on a stack of frames instead of
//! the machine's: a step does one thing, and if an object dies its deallocation is pushed on top.

mod actor;
mod bulk_graphs;
mod collect;
mod container;
mod dealloc;
mod deduce;
mod fast_path;
mod finalize;
mod frame;
mod interpreter;
mod introspection;
mod library_container;
mod library_iteration;
mod observe;
mod ops;
mod process;
mod schedule;
mod set_table;
mod slots;
mod trashcan;
mod types;
mod user_code;

#[cfg(test)]
mod fact_tests;
#[cfg(test)]
mod tests;

use crate::event::{Event, EventBuffer, Undefined};
use crate::model::collector::{AskedRules, Collector, GcState, Rules, Switch, weakrefs};
use crate::model::heap::{Heap, Idx, List, NIL};
use crate::scenario::{Kind, Scenario, Shape};
use crate::subject::{Declaration, Failure, Moment, Subject};
use frame::{Frame, Phase};
use interpreter::RunningCollection;

pub use actor::{Actor, ActorId};
pub use interpreter::{Interpreter, InterpreterId};
pub use process::Process;

/// The model of one collector, with all memory that its runs need.
#[derive(Clone, Debug)]
pub struct Machine {
    declaration: Declaration,
    /// What the plain type of each shape was made of.
    plain_asks: [Rules; Shape::ALL.len()],
    process: Process,
    walk: introspection::Walk,
    runs: u64,
}

/// A phase of a collection, as an [`Observer`] sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum PhasePoint {
    /// The set is merged, nothing has been decided.
    Start,
    /// Unreachable and legacy sets are known.
    Deduced,
    /// The first weak reference pass is over, no callback has run.
    WeakrefsCleared,
    /// Callbacks have run, finalizers come next.
    CallbacksDone,
    /// Finalizers have run.
    FinalizersDone,
    /// Resurrection has been checked and the second weak reference pass is over.
    ResurrectionChecked,
    /// Everything that `tp_clear` could break is gone.
    Cleared,
}

impl PhasePoint {
    /// The name in documentation and reports.
    pub const fn name(self) -> &'static str {
        match self {
            PhasePoint::Start => "start",
            PhasePoint::Deduced => "deduced",
            PhasePoint::WeakrefsCleared => "weakrefs cleared",
            PhasePoint::CallbacksDone => "callbacks done",
            PhasePoint::FinalizersDone => "finalizers done",
            PhasePoint::ResurrectionChecked => "resurrection checked",
            PhasePoint::Cleared => "cleared",
        }
    }
}

/// Looks into the model at each phase of a collection. Only `explain` does: it is no part of what is judged.
pub trait Observer {
    /// Called at a moment of a collection.
    fn at_phase(&mut self, moment: PhasePoint, view: &View<'_>);

    /// Called after each step of the machine that had events, in collections and outside of them. `generation` and `set` of
    /// the view are those of the collection that runs, or ran last.
    fn at_step(&mut self, _view: &View<'_>) {}
}

/// The inside of the model at a moment of a collection.
#[derive(Clone, Copy, Debug)]
pub struct View<'m> {
    /// The heap as it is.
    pub heap: &'m Heap,
    /// The state of the collector.
    pub gc: &'m GcState,
    /// What each variable holds, or [`NIL`].
    pub vars: &'m [Idx],
    /// The generation that is being collected.
    pub generation: u8,
    /// The list whose members the collection examines; they are in it at [`PhasePoint::Start`] only.
    pub set: List,
    /// How many events the run has had so far.
    pub events: u64,
}

/// One run in progress.
struct Execution<'a, 'r> {
    plain_asks: &'a [Rules; Shape::ALL.len()],
    process: &'a mut Process,
    walk: &'a mut introspection::Walk,
    scenario: &'a Scenario,
    sink: &'a mut EventBuffer<'r>,
    observer: Option<&'a mut (dyn Observer + 'a)>,
    stop: Option<Undefined>,
    reversed: bool,
    /// Where somebody else's schedule lets automatic collections start, from the next on; nothing if the schedule is the
    /// model's own.
    told: Option<&'a [Moment]>,
}

impl Machine {
    /// A model of the given collector.
    pub fn new(collector: &Collector) -> Machine {
        let rules = AskedRules::new(collector.rules);
        let plain = Shape::ALL.map(|shape| {
            rules.forget();
            (types::of(Kind::new(shape), &rules), rules.asked())
        });
        rules.forget();
        Machine {
            declaration: collector.declaration(),
            plain_asks: plain.map(|(_, asked)| asked),
            process: Process::new(plain.map(|(ty, _)| ty), rules),
            walk: introspection::Walk::default(),
            runs: 0,
        }
    }

    /// The switches of this model.
    pub fn rules(&self) -> Rules {
        self.process.rules.plain()
    }

    /// The switches that the runs since [`Machine::forget_asked`] depended on: a model that has the same of them on does
    /// the same with the same scenarios.
    pub fn asked(&self) -> Rules {
        self.process.rules.asked()
    }

    /// As if the runs since then had depended on these too.
    pub fn remember_asked(&mut self, asked: Rules) {
        self.process.rules.ask(asked);
    }

    /// What was asked for from now on is remembered, and nothing before.
    pub fn forget_asked(&mut self) {
        self.process.rules.forget();
    }

    /// Runs a scenario from an empty heap to its end.
    pub fn run(&mut self, scenario: &Scenario, out: &mut EventBuffer<'_>) {
        self.execute(scenario, out, None, None);
    }

    /// Runs a scenario with the schedule of another subject: see [`Subject::follow`].
    pub fn follow(&mut self, scenario: &Scenario, moments: &[Moment], out: &mut EventBuffer<'_>) {
        self.execute(scenario, out, None, Some(moments));
    }

    /// Bytes of memory that the arenas take: what the largest run so far needed.
    pub fn bytes(&self) -> usize {
        self.process.bytes() + self.walk.bytes()
    }

    /// Runs a scenario, with the schedule that is told if one is, and shows the heap to an observer at each phase of each
    /// collection and after each step. Where the buffer is to be full does not count.
    pub fn run_observed(
        &mut self,
        scenario: &Scenario,
        told: Option<&[Moment]>,
        out: &mut EventBuffer<'_>,
        observer: &mut dyn Observer,
    ) {
        self.execute(scenario, out, Some(observer), told);
    }

    fn execute<'a>(
        &'a mut self,
        scenario: &'a Scenario,
        sink: &'a mut EventBuffer<'_>,
        observer: Option<&'a mut (dyn Observer + 'a)>,
        told: Option<&'a [Moment]>,
    ) {
        let mut execution = self.start(scenario, sink, observer);
        execution.told = told;
        let main = scenario.range(0);
        execution.process.start_body(main.start as u32, main.end as u32);
        if execution.observer.is_some() {
            execution.run_stepwise();
        } else {
            execution.run();
        }
        // With fewer objects no nesting of deallocators can be deep enough for any release.
        if execution.process.heap.places() >= trashcan::LEAST_LIMIT as usize {
            execution.process.rules.ask(trashcan::SWITCHES);
        }
    }

    /// A run of which nothing has been done yet.
    fn start<'a, 'r>(
        &'a mut self,
        scenario: &'a Scenario,
        sink: &'a mut EventBuffer<'r>,
        observer: Option<&'a mut (dyn Observer + 'a)>,
    ) -> Execution<'a, 'r> {
        self.process.reset(scenario.ops().len());
        self.runs += 1;
        let reversed = self.process.rules.has(Switch::BugNondeterministic) && self.runs.is_multiple_of(2);
        Execution {
            plain_asks: &self.plain_asks,
            process: &mut self.process,
            walk: &mut self.walk,
            scenario,
            sink,
            observer,
            stop: None,
            reversed,
            told: None,
        }
    }
}

impl Subject for Machine {
    fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    fn run(&mut self, scenario: &Scenario, out: &mut EventBuffer<'_>) -> Result<(), Failure> {
        Machine::run(self, scenario, out);
        Ok(())
    }

    fn follow(&mut self, scenario: &Scenario, moments: &[Moment], out: &mut EventBuffer<'_>) -> Result<(), Failure> {
        Machine::follow(self, scenario, moments, out);
        Ok(())
    }
}

impl Execution<'_, '_> {
    /// Runs what the actor has to do, to the end or until the buffer is full; true if to the end.
    fn run(&mut self) -> bool {
        while let Some(frame) = self.process.actor.frames.last().copied() {
            self.turn(frame);
            if let Some(reason) = self.stop {
                self.sink.event(Event::Undefined { reason });
                return true;
            }
            if self.sink.is_full() {
                return false;
            }
        }
        self.sink.event(Event::End);
        self.snapshot();
        true
    }

    /// Runs to the end and stops after each step that had an event to show the heap: the loop that is measured does not ask
    /// for an observer.
    #[cold]
    fn run_stepwise(&mut self) {
        loop {
            self.sink.end_after(1);
            let is_over = self.run();
            self.show_step();
            if is_over {
                return;
            }
        }
    }

    /// Goes on with the frame on top of the stack.
    #[inline]
    fn turn(&mut self, frame: Frame) {
        if let Frame::Body { .. } = frame {
            self.body(frame);
        } else {
            self.process.actor.frames.pop();
            self.step(frame);
        }
    }

    #[inline]
    fn step(&mut self, frame: Frame) {
        match frame {
            Frame::Body { .. } => unreachable!("bodies are stepped in place"),
            Frame::Dealloc { o, stage, step } => self.dealloc(o, stage, step),
            Frame::Clear { o, step } => self.clear_slots(o, step),
            Frame::ForgetCallback { weak } => self.process.heap.weak_mut(weak).callback = NIL,
            Frame::DropRange { start, len, step, backwards } => self.drop_range(start, len, step, backwards),
            Frame::Callback { weak, callback } => self.single_callback(weak, callback),
            Frame::TupleCallbacks { tuple, next } => self.tuple_callbacks(tuple, next),
            Frame::GatherCallbacks { o, tuple, item } => self.gather_callbacks(o, tuple, item),
            Frame::ForgetAndClear { weak, next } => self.forget_and_clear_linked(weak, next),
            Frame::Drop { o } | Frame::Return { frame: o } => self.drop_now(o),
            Frame::Drain { first } => self.drain(first),
            Frame::Collect { phase } => self.collect_step(phase),
            Frame::Repeat { times, script } => self.repeat(times, script),
            Frame::Iterate { container, entries, script, next } => {
                self.iterate_step(container, entries, script, next);
            }
            Frame::IterateDone { container } => self.iterate_done(container),
            Frame::Remove { function, weak } => self.remove_entry(function, weak),
            Frame::AddEntry { container, slot, value } => self.add_entry(container, slot, value),
            Frame::LibraryIterate { step } => self.library_iteration_step(step),
            Frame::LibraryEntry { weak, container } => self.tell_library_entry(weak, container),
            Frame::Commit { container } => self.commit_step(container),
            Frame::Length { container } => self.report_length(container),
            Frame::RunFinalize { o, weak } => self.run_finalize(o, weak),
            Frame::RunComposedFinalize { o } => self.run_composed_finalize(o),
            Frame::Report { owner } => self.report(owner),
            Frame::LeaveBuiltin { owner } => self.leave(owner, false),
        }
    }

    #[inline]
    fn push(&mut self, frame: Frame) {
        self.process.actor.frames.push(frame);
    }

    #[inline]
    fn has(&self, switch: Switch) -> bool {
        self.process.rules.has(switch)
    }

    #[inline]
    fn incref(&mut self, o: Idx) {
        if !self.process.heap.add_reference(o) {
            self.stop = Some(Undefined::UseAfterFree);
        }
    }

    /// Drops a reference. If it was the last, the deallocation is pushed: nothing may follow in the same step.
    #[inline]
    fn decref(&mut self, o: Idx) {
        match self.process.heap.drop_reference(o) {
            Some(0) => self.push(Frame::Dealloc { o, stage: frame::Stage::Start, step: 0 }),
            Some(_) => {}
            None => self.stop = Some(Undefined::UseAfterFree),
        }
    }

    #[inline]
    fn no_effect(&mut self) {
        self.sink.event(Event::NoEffect);
    }

    /// Clears a weak reference; one whose referent's memory is gone is undefined behaviour.
    #[inline]
    fn clear_weak(&mut self, weak: Idx) {
        if let Err(reason) = weakrefs::clear_one(&mut self.process.heap, weak) {
            self.stop = Some(reason);
        }
    }

    fn start_collection(&mut self, generation: u8, automatic: bool) {
        self.sink.event(Event::CollectStart { generation, automatic });
        self.snapshot();
        self.process.interp.gc.collecting = true;
        self.process.interp.running = RunningCollection::new(generation, automatic);
        self.collect_step(Phase::StartCallbacks(0));
    }
}
