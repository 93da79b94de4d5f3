//! A real interpreter as a subject.

use std::borrow::Borrow;

use super::asked;
use super::child::{Answer, Worker, killed, timed_out};
use super::compile::SetupError;
use super::identity::Interpreter;
use super::layout::{GaveUp, Mark, Status};
use crate::event::{Event, EventBuffer};
use crate::scenario::{MAX_DEPTH, MAX_SCRIPT_STEPS, Numbered, Scenario, Shape, layout};
use crate::subject::{self, Declaration, EachRun, EachScheduledRun, Failure, Memory, Moment, Subject};
use crate::supervise::{Limits, describe};

const BEGIN: u64 = Mark::BeginScenario as u64;
const END: u64 = Mark::EndScenario as u64;
const MEMORY: u64 = Mark::Memory as u64;
const MOMENT: u64 = Mark::Moment as u64;
const UNSUPPORTED: u64 = Status::Unsupported as u64;
const GAVE_UP: u64 = Status::GaveUp as u64;

/// What became of one scenario of a batch.
#[derive(Debug)]
pub struct BatchedRun<'a> {
    /// Its position in the batch.
    pub index: usize,
    /// The events, up to the failure if there was one.
    pub events: &'a [Event],
    /// When the interpreter's counts asked for a collection.
    pub moments: &'a [Moment],
    /// Nanoseconds from the first operation to the last event, measured in the interpreter.
    pub nanoseconds: u64,
    /// What the process held after it, if that was asked for.
    pub memory: Memory,
    /// Why it did not come to its end.
    pub failure: Option<Failure>,
}

/// After so many copies of a worker another one is started: copies share the layout of its memory.
const COPIES: u64 = 64;

/// A run that was made before it was asked for.
#[derive(Debug)]
struct Prepared {
    scenario: Scenario,
    events: Vec<Event>,
    failure: Option<Failure>,
}

/// A real interpreter: a child process that runs scenarios, replaced when it dies.
#[derive(Debug)]
pub struct Python {
    interpreter: Interpreter,
    limits: Limits,
    declaration: Declaration,
    worker: Option<Worker>,
    /// Scenarios that its process has been given.
    runs: u32,
    /// Processes that have run scenarios.
    processes: u32,
    /// What is asked of the probe for each scenario, besides its events.
    flags: u32,
    batch: Vec<u8>,
    bytes: Vec<u8>,
    events: Vec<Event>,
    prepared: Vec<Prepared>,
    moments: Vec<Moment>,
}

impl Python {
    /// Builds the probe if necessary and starts a worker.
    ///
    /// # Errors
    /// [`SetupError`], one line that says what to install if something is missing.
    pub fn new(interpreter: Interpreter, limits: Limits) -> Result<Python, SetupError> {
        let worker = start(&interpreter, &limits)?;
        let declaration = Declaration {
            verified: true,
            observes: worker.observes(),
            ..Declaration::of_release(interpreter.name(), interpreter.release)
        };
        Ok(Python {
            interpreter,
            limits,
            declaration,
            worker: Some(worker),
            runs: 0,
            processes: 0,
            flags: 0,
            batch: Vec::new(),
            bytes: Vec::new(),
            events: Vec::new(),
            prepared: Vec::new(),
            moments: Vec::new(),
        })
    }

    /// The interpreter.
    pub fn interpreter(&self) -> &Interpreter {
        &self.interpreter
    }

    /// How many processes have run scenarios so far: each is a copy of one that was started and has run none.
    pub fn processes(&self) -> u32 {
        self.processes
    }

    /// The worker's process id, while there is one.
    pub fn process_id(&self) -> Option<u32> {
        self.worker.as_ref().map(Worker::id)
    }

    /// The bounds of a worker.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Sets the bounds: the next scenario runs in a fresh process that has them.
    pub fn set_limits(&mut self, limits: Limits) {
        let Limits { scenario, recycle_after, .. } = limits;
        let of_process = Limits { scenario, recycle_after, ..self.limits } != limits;
        self.limits = limits;
        self.restart();
        if of_process {
            self.worker = None;
        }
    }

    /// The next scenario runs in a fresh process: a copy of the worker as it was when it had run none, or of another one
    /// now and then.
    pub fn restart(&mut self) {
        self.runs = 0;
        self.prepared.clear();
        self.worker.take_if(|worker| worker.copies() >= COPIES || !worker.renew());
    }

    /// The worker, started if there is none.
    fn worker(&mut self) -> Result<&mut Worker, SetupError> {
        match &mut self.worker {
            Some(worker) => Ok(worker),
            none => {
                self.runs = 0;
                Ok(none.insert(start(&self.interpreter, &self.limits)?))
            }
        }
    }

    /// Runs scenarios in one round trip where possible, and hands each outcome to `each`, in order.
    ///
    /// # Errors
    /// [`SetupError`] if a new worker was needed and could not be started; earlier outcomes have been handed out.
    pub fn run_batch<S: Borrow<Scenario>>(
        &mut self,
        scenarios: &[S],
        each: impl FnMut(BatchedRun<'_>),
    ) -> Result<(), SetupError> {
        self.prepared.clear();
        self.run_all(scenarios, each)
    }

    fn run_all<S: Borrow<Scenario>>(
        &mut self,
        scenarios: &[S],
        mut each: impl FnMut(BatchedRun<'_>),
    ) -> Result<(), SetupError> {
        let mut done = 0;
        let mut tried_again = false;
        while done < scenarios.len() {
            let before = done;
            let how = self.round_trip(&scenarios[done..])?;
            let (mut running, mut garbled) = (None, false);
            let mut memory = Memory::default();
            self.events.clear();
            self.moments.clear();
            let bytes = std::mem::take(&mut self.bytes);
            for [first, second] in bytes.as_chunks::<8>().0.as_chunks::<2>().0 {
                let (first, second) = (u64::from_le_bytes(*first), u64::from_le_bytes(*second));
                match first & 0xff {
                    BEGIN => {
                        running = Some(before + (first >> 32) as usize);
                        self.events.clear();
                        self.moments.clear();
                        memory = Memory::default();
                        garbled = false;
                    }
                    END => {
                        let Some(index) = running.take() else { continue };
                        let failure = match garbled {
                            true => Some(self.nonsense()),
                            false => self.failure(first >> 8 & 0xff, first >> 32),
                        };
                        let exhausted = matches!(failure, Some(Failure::Limit { .. }));
                        let (events, moments) = (&self.events, &self.moments);
                        each(BatchedRun { index, events, moments, nanoseconds: second, memory, failure });
                        done = index + 1;
                        tried_again = false;
                        if exhausted {
                            // It may have no memory for the next ones.
                            self.restart();
                            break;
                        }
                    }
                    MEMORY if first >> 8 & 0xff == 0 => memory.references = Some(second as i64),
                    MEMORY => memory.blocks = Some(second as i64),
                    MOMENT => {
                        let counts = [(first >> 32) as u32, second as u32, (second >> 32) as u32];
                        self.moments.push(Moment { at: self.events.len() as u64, counts });
                    }
                    _ if garbled => {}
                    _ => match Event::from_words([first, second]) {
                        Some(event) => self.events.push(event),
                        None => garbled = true,
                    },
                }
            }
            self.bytes = bytes;
            let failure = match how {
                Answer::Ran if done > before => continue,
                Answer::Ran => self.too_slow(),
                // Somebody else stopped or killed it, which says nothing about the scenario: once more.
                Answer::Silent if !tried_again => {
                    tried_again = true;
                    self.restart();
                    continue;
                }
                Answer::Died(status) if killed(status) && !tried_again => {
                    tried_again = true;
                    self.restart();
                    continue;
                }
                Answer::NoCopy if !tried_again => {
                    tried_again = true;
                    self.worker = None;
                    continue;
                }
                Answer::NoCopy => {
                    let message = "the system has no room for a copy of the process".to_owned();
                    self.worker = None;
                    return Err(SetupError::Start { name: self.interpreter.name(), message });
                }
                Answer::Silent => self.too_slow(),
                Answer::Died(status) if timed_out(status) => self.too_slow(),
                Answer::Died(status) => {
                    let said = self.worker.as_ref().and_then(Worker::last_words);
                    let said = said.map_or_else(String::new, |line| format!(": {line}"));
                    Failure::Died { subject: self.declaration.name.clone(), how: describe(status) + &said }
                }
            };
            self.restart();
            if running.is_some() || done == before {
                let index = running.unwrap_or(done);
                let (events, moments, failure) = (&self.events, &self.moments, Some(failure));
                each(BatchedRun { index, events, moments, nanoseconds: 0, memory, failure });
                done = index + 1;
            }
        }
        Ok(())
    }

    /// Sends scenarios and reads the events of those that were run into `self.bytes`.
    fn round_trip<S: Borrow<Scenario>>(&mut self, scenarios: &[S]) -> Result<Answer, SetupError> {
        if self.runs >= self.limits.recycle_after {
            self.restart();
        }
        let is_fresh = !self.worker()?.has_copy();
        self.processes += u32::from(is_fresh);
        asked::count_round_trip(is_fresh);
        self.runs = if is_fresh { 0 } else { self.runs }.saturating_add(scenarios.len() as u32);
        let milliseconds = self.limits.scenario.as_millis().clamp(1, u128::from(u32::MAX)) as u32;
        self.batch.clear();
        for word in [scenarios.len() as u32, MAX_DEPTH, MAX_SCRIPT_STEPS, milliseconds] {
            self.batch.extend_from_slice(&word.to_le_bytes());
        }
        scenarios.iter().for_each(|scenario| layout::encode(scenario.borrow(), self.flags, &mut self.batch));
        let limit = self.limits.scenario;
        let Some(worker) = &mut self.worker else { return Ok(Answer::NoCopy) };
        let answer = worker.run(&self.batch, limit);
        let path = || "the worker's file of events".to_string();
        worker.read_events(&mut self.bytes).map_err(|error| SetupError::File { what: path(), error })?;
        Ok(answer)
    }

    fn nonsense(&self) -> Failure {
        Failure::Died { subject: self.declaration.name.clone(), how: "it wrote an event that means nothing".to_owned() }
    }

    fn too_slow(&self) -> Failure {
        Failure::Limit {
            subject: self.declaration.name.clone(),
            limit: format!("{} s", self.limits.scenario.as_secs_f32()),
        }
    }

    fn result(&self, result: Result<(), SetupError>, failure: Option<Failure>) -> Result<(), Failure> {
        match (result, failure) {
            (Err(error), _) => Err(Failure::Died { subject: self.declaration.name.clone(), how: error.to_string() }),
            (_, Some(failure)) => Err(failure),
            _ => Ok(()),
        }
    }

    fn failure(&self, status: u64, detail: u64) -> Option<Failure> {
        let subject = self.declaration.name.clone();
        match status {
            UNSUPPORTED => Some(Failure::Unsupported { subject, what: missing(detail) }),
            GAVE_UP if let Some(what) = no_room(detail) => {
                Some(Failure::Unsupported { subject, what: what.to_owned() })
            }
            GAVE_UP => {
                let limit = format!("{} bytes of memory, or an error", self.limits.memory_bytes);
                Some(Failure::Limit { subject, limit })
            }
            _ => None,
        }
    }
}

fn start(interpreter: &Interpreter, limits: &Limits) -> Result<Worker, SetupError> {
    asked::count_start();
    Worker::start(interpreter, limits)
}

/// What the probe has no room for; nothing if it met an error.
fn no_room(why: u64) -> Option<&'static str> {
    Some(match GaveUp::from_number(u8::try_from(why).ok()?)? {
        GaveUp::Not | GaveUp::Error => return None,
        GaveUp::Events => "more events than the probe has room for",
        GaveUp::Functions => "more functions than the probe has code objects",
        GaveUp::Containers => "more weak containers than the probe has room for",
        GaveUp::Removals => "more removals put off than the probe has room for",
        GaveUp::Keys => "more dict keys than the probe has",
    })
}

/// What the probe said it lacks: 0x100 plus a shape.
fn missing(detail: u64) -> String {
    match (detail >> 8, Shape::from_number(detail as u8)) {
        (1, Some(shape)) => format!("objects of shape {}", shape.word()),
        _ => format!("code {detail:#x}"),
    }
}

impl Subject for Python {
    fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    fn run_batch(&mut self, batch: &[&Scenario], each: &mut EachRun<'_>) -> Result<(), subject::SetupError> {
        let result = Python::run_batch(self, batch, |run| each(run.index, run.events, run.failure.as_ref()));
        result.map_err(|error| subject::SetupError(error.to_string()))
    }

    fn has_own_schedule(&self) -> bool {
        true
    }

    fn run_scheduled(
        &mut self,
        batch: &[&Scenario],
        each: &mut EachScheduledRun<'_>,
    ) -> Result<(), subject::SetupError> {
        let each = |run: BatchedRun<'_>| each(run.index, run.events, run.moments, run.failure.as_ref());
        Python::run_batch(self, batch, each).map_err(|error| subject::SetupError(error.to_string()))
    }

    fn process_id(&self) -> Option<u32> {
        Python::process_id(self)
    }

    fn restart(&mut self) {
        Python::restart(self);
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn set_limits(&mut self, limits: Limits) {
        Python::set_limits(self, limits);
    }

    fn run(&mut self, scenario: &Scenario, out: &mut EventBuffer<'_>) -> Result<(), Failure> {
        if let Some(at) = self.prepared.iter().position(|run| run.scenario == *scenario) {
            let run = self.prepared.remove(at);
            run.events.iter().for_each(|event| out.event(*event));
            return run.failure.map_or(Ok(()), Err);
        }
        let mut failure = None;
        let result = self.run_all(&[scenario], |outcome| {
            outcome.events.iter().for_each(|event| out.event(*event));
            failure = outcome.failure;
        });
        self.result(result, failure)
    }

    fn prepare(&mut self, batch: &[&Scenario]) {
        let mut prepared = std::mem::take(&mut self.prepared);
        let result = self.run_all(batch, |run| {
            let (scenario, events) = (batch[run.index].clone(), run.events.to_vec());
            prepared.push(Prepared { scenario, events, failure: run.failure });
        });
        // What could not be run is run when it is asked for, and says why.
        drop(result);
        self.prepared = prepared;
    }

    fn memory(&mut self, scenario: &Scenario, runs: usize) -> Result<Option<Vec<Memory>>, Failure> {
        let (mut memory, mut failure) = (Vec::new(), None);
        // One process for all of them: it is not replaced amid them for its age.
        if self.runs.saturating_add(runs as u32) > self.limits.recycle_after {
            self.restart();
        }
        self.flags = layout::REPORT_MEMORY;
        let processes = self.processes + u32::from(!self.worker.as_ref().is_some_and(Worker::has_copy));
        let result = self.run_all(&vec![scenario; runs], |outcome| {
            memory.push(outcome.memory);
            failure = failure.take().or(outcome.failure);
        });
        self.flags = 0;
        self.result(result, failure)?;
        // Where the process had to be replaced there is nothing to compare.
        let told = memory.iter().all(|m| m.references.is_some() || m.blocks.is_some());
        Ok(Some(memory).filter(|_| told && self.processes == processes))
    }
}
