//! Explains one run of the model: why each object was judged trash or not, why each callback and finalizer ran or
//! did not, where invariants broke, and what happened step by step.

mod callback_outcomes;
mod collections;
mod difference;
mod event_words;
mod heap_pictures;
mod kept_events;
mod read_off;
mod steps;

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::event::{Event, EventBuffer, ObjId, Role};
use crate::findings::Verdict;
use crate::invariant::Violation;
use crate::model::collector::Collector;
use crate::model::machine::{Machine, PhasePoint};
use crate::object_names::{Naming, ObjectNames};
use crate::scenario::text::{Document, print_op};
use crate::scenario::{Finalizer, Kind, Scenario, ScriptId};
use crate::subject::{End, Moment, Needs, is_scheduled};

pub use callback_outcomes::MOST_TOLD;
pub use collections::{Collection, Examined};
pub use difference::Difference;
pub use event_words::words;
pub use heap_pictures::{HeapPicture, MAX_OBJECTS, MAX_SHOTS, Place, Seen};
pub use kept_events::{KeptEvents, Line};
pub use steps::{StepPicture, Steps, steps};

use difference::Common;
use heap_pictures::PictureTaker;
use read_off::ReadOff;

/// Everything that is known about one run.
#[derive(Debug)]
pub struct Run<'d> {
    /// What was run.
    pub document: &'d Document,
    /// On what.
    pub collector: Collector,
    /// What happened, as far as it is kept.
    pub log: KeptEvents<'d>,
    /// The model between the events.
    pub shots: Vec<HeapPicture>,
    /// What was violated, and what that means.
    pub violations: Vec<(Violation, Verdict)>,
    /// What the objects are called.
    pub names: ObjectNames,
    /// Digest of the events.
    pub digest: u64,
    missed: usize,
    /// How far the row speaks for it: nothing if to the end, as for a run of the model.
    common: Option<Common>,
    /// What the events show beyond that.
    read: ReadOff,
    /// What else must be known to read it.
    remarks: Vec<String>,
}

/// What there is to say about a run.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The collector.
    pub collector: String,
    /// A real interpreter confirmed it.
    pub verified: bool,
    /// Where an interpreter did something else than the row that covers it.
    pub difference: Option<Difference>,
    /// Where each invariant broke first, in the order of events.
    pub broken: Vec<Broken>,
    /// What each collection decided.
    pub collections: Vec<Collection>,
    /// Why the callback of each weak reference ran or did not, and when it stopped to answer.
    pub weakrefs: Vec<Told>,
    /// Why each finalizer ran or did not.
    pub finalizers: Vec<Told>,
    /// What is missing here, if anything.
    pub note: Option<String>,
}

/// A broken invariant.
#[derive(Debug, Serialize)]
pub struct Broken {
    /// Its code.
    pub invariant: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The class of the violation.
    pub class: &'static str,
    /// The step of the mutator in which it broke first, from 1.
    pub step: Option<u32>,
    /// The step in words.
    pub operation: String,
    /// The event, from 0; nothing if other runs show it, not this one.
    pub event: Option<u32>,
    /// What broke, in words.
    pub text: String,
    /// How often it broke in the run.
    pub times: usize,
}

/// What is told about one object.
#[derive(Debug, Serialize)]
pub struct Told {
    /// What the object is called.
    pub object: String,
    /// What there is to say.
    pub text: String,
}

/// How a run was judged that is to be explained.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'j> {
    /// What it broke.
    pub violations: &'j [(Violation, Verdict)],
    /// Digest of its events.
    pub digest: u64,
    /// The run of a real interpreter; nothing for a run of the model.
    pub real: Option<RealRun<'j>>,
}

/// The run of a real interpreter.
#[derive(Clone, Copy, Debug)]
pub struct RealRun<'j> {
    /// Its events, as far as they are kept.
    pub events: &'j [Event],
    /// How many there were.
    pub total: u64,
    /// How it ended.
    pub end: &'j End,
    /// What its events show.
    pub observes: Needs,
}

/// Runs a document's scenario on a collector and records everything. What goes on inside a real interpreter is unknown:
/// its events are compared with those of the row that covers it, whose inside and pictures are kept of the time before the
/// first difference, and of collections only that ended before it.
pub fn record<'d>(document: &'d Document, collector: &Collector, judged: Judged<'_>) -> Run<'d> {
    let scenario = &document.scenario;
    let (mut log, mut naming) = (KeptEvents::new(scenario), Naming::new(&document.names));
    let mut tell = |events: &[Event]| {
        log.take(events);
        naming.take(events);
    };
    let (mut memory, mut camera) = (Vec::new(), PictureTaker::default());
    let (mut remarks, mut common, mut read) = (Vec::new(), None, ReadOff::default());
    if let Some(RealRun { events, total, end, observes }) = judged.real {
        tell(events);
        // Its automatic collections start where the interpreter's did.
        let told = moments_of(scenario, events);
        let mut out = EventBuffer::new(&mut memory).keep(events.len() + 1);
        match &told {
            Some(moments) => Machine::new(collector).follow(scenario, moments, &mut out),
            None => Machine::new(collector).run(scenario, &mut out),
        }
        drop(out);
        observes.restrict(&mut memory);
        remarks.extend(ending(end));
        if !observes.shows_lists() {
            remarks.push(
                "the collector's lists were not found in this interpreter: where they are is not observed".to_owned(),
            );
        }
        let row = collector.model_name();
        common = Common::of(&row, &memory, events, total);
        match &common {
            None => remarks
                .push(format!("what is said about the inside of collections is what {row} does, with the same events")),
            Some(common) => {
                camera.until = Some(common.at);
                read = ReadOff::of(events, common.decided);
                if !common.differs() {
                    remarks.push(format!("only the first {} events are compared with {row}", common.at));
                }
            }
        }
        let mut out = EventBuffer::new(&mut memory).keep(0);
        Machine::new(collector).run_observed(scenario, told.as_deref(), &mut out, &mut camera);
        if let Some(common) = &common {
            camera.shots.retain(|shot| shot.event < common.decided || shot.moment == PhasePoint::Start);
        }
    } else {
        let mut out = EventBuffer::new(&mut memory).keep(0).pass_to(&mut tell);
        Machine::new(collector).run_observed(scenario, None, &mut out, &mut camera);
    }
    log.finish();
    let (PictureTaker { shots, missed, .. }, names) = (camera, naming.finish());
    let (violations, digest, collector) = (judged.violations.to_vec(), judged.digest, collector.clone());
    Run { document, collector, log, shots, violations, names, digest, missed, common, read, remarks }
}

/// The events of a collector of the model, with the schedule that is told if one is, and its inside at each phase of each collection.
pub fn pictures(scenario: &Scenario, told: Option<&[Moment]>, collector: &Collector) -> (Vec<Event>, Vec<HeapPicture>) {
    let (mut events, mut camera) = (Vec::new(), PictureTaker::default());
    Machine::new(collector).run_observed(scenario, told, &mut EventBuffer::new(&mut events), &mut camera);
    (events, camera.shots)
}

/// The name of the collector of an explanation; of a row that no interpreter confirmed, with a word that says so.
pub(crate) fn subject_name(explanation: &Explanation) -> String {
    if explanation.verified { explanation.collector.clone() } else { format!("{} (unverified)", explanation.collector) }
}

/// What a part of a container or instance is.
fn part_word(role: Role) -> &'static str {
    match role {
        Role::Named => "object",
        Role::InstanceDict | Role::ContainerData | Role::ContainerDict => "dict",
        Role::ContainerPending | Role::ContainerIterating => "list",
        Role::ContainerRemove => "function",
        Role::ContainerEntry | Role::FinalizeRef | Role::ContainerSelf => "ref",
        Role::ContainerDefaults | Role::ContainerClosure => "tuple",
        Role::ContainerCell => "cell",
    }
}

/// Where automatic collections started in events, if the scenario leaves that to the collector.
fn moments_of(scenario: &Scenario, events: &[Event]) -> Option<Vec<Moment>> {
    is_scheduled(scenario).then(|| Moment::shown_by(events))
}

/// How a run on an interpreter ended, if not with its last event.
fn ending(end: &End) -> Option<String> {
    Some(match end {
        End::Complete | End::Undefined(_, None) => return None,
        End::Undefined(_, Some(death)) => format!("the interpreter died where behaviour is undefined: {death}"),
        End::Teardown => "the interpreter died after the last event, when leftovers were dropped".to_owned(),
        End::Unsupported(what) => format!("the interpreter did not run it: {what}"),
        End::Limit(limit) => {
            format!("the interpreter did not end within its limit ({limit}): these are the events so far")
        }
        End::Crashed(death) => {
            format!("the interpreter died ({}) in {}: these are the events so far", death.how, death.place)
        }
    })
}

/// Explains a run.
pub fn explain(run: &Run<'_>) -> Explanation {
    let mut remarks = run.remarks.clone();
    if run.missed > 0 {
        remarks.push(format!(
            "{} phases are not explained: a heap of more than {MAX_OBJECTS} objects, or more than {MAX_SHOTS} phases",
            run.missed
        ));
    }
    if run.log.lost() > 0 {
        remarks.push(format!(
            "{} events are too many to be told of: what is said about the end of the run may be wrong",
            run.log.lost()
        ));
    }
    let note = (!remarks.is_empty()).then(|| remarks.join("\n"));
    Explanation {
        collector: run.collector.name.clone(),
        verified: run.collector.verified,
        difference: difference::difference(run),
        broken: broken(run),
        collections: collections::all(run),
        weakrefs: callback_outcomes::weakrefs(run),
        finalizers: callback_outcomes::finalizers(run),
        note,
    }
}

fn broken(run: &Run<'_>) -> Vec<Broken> {
    let mut found: Vec<Broken> = Vec::new();
    for (violation, verdict) in &run.violations {
        let (code, class) = (violation.invariant.code(), verdict.class().word());
        if let Some(same) = found.iter_mut().find(|b| (b.invariant, b.class) == (code, class)) {
            same.times += 1;
            continue;
        }
        let step = violation.event.and_then(|event| run.step_at(event as usize));
        found.push(Broken {
            invariant: code,
            name: violation.invariant.name(),
            class,
            step: step.map(|s| s + 1),
            operation: step.map_or_else(String::new, |s| run.operation(s)),
            event: violation.event,
            text: violation.describe(&|object| run.names.label(object)),
            times: 1,
        });
    }
    found.sort_by_key(|b| b.event.unwrap_or(u32::MAX));
    found
}

impl Run<'_> {
    /// The number of the event at which an interpreter does something else than its row, if it does.
    pub(crate) fn parts_at(&self) -> Option<usize> {
        self.common.as_ref().map(|common| common.at)
    }

    /// Events before this are known to be as the row has them, inside of collections too.
    fn decided(&self) -> usize {
        self.common.as_ref().map_or(usize::MAX, |common| common.decided)
    }

    /// The step of the mutator that the event belongs to.
    fn step_at(&self, event: usize) -> Option<u32> {
        self.log.before(event + 1).iter().rev().find_map(|line| match line.event {
            Event::Step { op } => Some(op),
            _ => None,
        })
    }

    /// The number, from 1, of the collection that was running at an event.
    fn collection_at(&self, event: usize) -> Option<usize> {
        let (mut number, mut running) = (0, false);
        for line in self.log.before(event + 1) {
            match line.event {
                Event::CollectStart { .. } => (number, running) = (number + 1, true),
                Event::CollectEnd { .. } => running = false,
                _ => {}
            }
        }
        running.then_some(number)
    }

    /// The kind of an object that an operation names; nothing for the parts of containers.
    pub(crate) fn kind_of(&self, object: ObjId) -> Option<&Kind> {
        let is_it = |event: &Event| match *event {
            Event::New { object: new, origin, role: Role::Named } if new == object => Some(origin),
            _ => None,
        };
        let origin = self.log.lines().iter().find_map(|line| is_it(&line.event))?;
        self.document.scenario.ops().get(origin as usize)?.kind()
    }

    /// What an object is, in words: its shape or what part it is, and the code that runs by it.
    pub(crate) fn kind_word(&self, object: ObjId) -> String {
        let made = self.log.lines().iter().find_map(|line| match line.event {
            Event::New { object: new, origin, role } if new == object => Some((origin, role)),
            _ => None,
        });
        let Some((origin, role)) = made else { return "object".to_owned() };
        let kind = self.document.scenario.ops().get(origin as usize).and_then(|op| op.kind());
        let Some(kind) = kind.filter(|_| role == Role::Named) else { return part_word(role).to_owned() };
        let mut word = kind.shape.word().to_owned();
        let script = |script: ScriptId| self.document.names.script(script.0).into_owned();
        if let Some(Finalizer::Modern(code) | Finalizer::Legacy(code)) = kind.finalizer {
            word += &format!(" del={}", script(code));
        }
        if let Some(code) = kind.on_call {
            word += &format!(" call={}", script(code));
        }
        word
    }

    /// What a weak reference referred to when it was made.
    pub(crate) fn referent_of(&self, weak: ObjId) -> Option<ObjId> {
        self.log.lines().iter().find_map(|line| match line.event {
            Event::NewWeak { weak: new, referent, .. } if new == weak => Some(referent),
            _ => None,
        })
    }

    /// A step of the mutator in the words of the file.
    pub(crate) fn operation(&self, step: u32) -> String {
        let op = self.document.scenario.main().get(step as usize);
        op.map_or_else(String::new, |op| print_op(op, &self.document.names))
    }

    /// Where a step is: its number from 1, and its line if there is a file.
    pub(crate) fn place(&self, step: u32) -> String {
        match self.document.lines.get(step as usize) {
            Some(line) if *line > 0 => format!("step {}, line {line}", step + 1),
            _ => format!("step {}", step + 1),
        }
    }
}
