//! A run as a sequence of frames: what a reader steps through. One frame for each operation of the mutator, for each
//! event that people are told of, and for each phase of each collection.

use std::collections::BTreeSet;
use std::ops::Range;

use super::heap_state::HeapState;
use super::reasons;
use crate::event::{Code, Event, ObjId, Phase};
use crate::explain::{Run, Steps, words};
use crate::invariant::Class;
use crate::model::machine::PhasePoint;
use crate::scenario::{Finalizer, ScriptId};

/// Most frames of a run: what fits into a page, and more than anybody steps through.
pub const MOST_FRAMES: usize = 400;
/// The least number of frames, however large the heap.
const LEAST_FRAMES: usize = 12;
/// Most lines of one frame.
pub(super) const MOST_LINES: usize = 24;
/// How many objects all frames show together at most.
const MOST_SHOWN: usize = 200_000;

/// What kind of moment a frame is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameKind {
    /// An operation of the mutator.
    Step,
    /// An event.
    Event,
    /// A phase of a collection.
    Phase(PhasePoint),
}

/// One moment of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// What it is.
    pub kind: FrameKind,
    /// The number of its first event, or of the first after the phase.
    pub at: usize,
    /// What happens, in a few words.
    pub title: String,
    /// What else there is to say: what an operation did, why user code runs, what a phase decided.
    pub lines: Vec<String>,
    /// How many lines more there are.
    pub untold: usize,
    /// What it happens in, the outermost first: collections and user code.
    pub inside: Vec<String>,
    /// The operation of the mutator that runs.
    pub step: Option<u32>,
    /// The script that runs.
    pub script: Option<ScriptId>,
    /// The number, from 1, of the collection that runs.
    pub collection: Option<usize>,
    /// Which of the lanes of the picture it is in: who runs.
    pub lane: usize,
    /// The heap after it.
    pub heap: HeapState,
    /// What the running collection examines.
    pub examined: BTreeSet<ObjId>,
    /// What of it is trash; nothing before that is decided.
    pub trash: Option<BTreeSet<ObjId>>,
    /// The violations that happen in it, by their number in the run.
    pub violations: Vec<usize>,
    /// The objects that it is about.
    pub about: Vec<ObjId>,
}

/// The events that become frames: all, or those around what the run is looked at for.
pub fn window(run: &Run<'_>, events: &[Event]) -> Range<usize> {
    let created = events.iter().filter(|event| matches!(event, Event::New { .. })).count();
    let most = (MOST_SHOWN / created.max(1)).clamp(LEAST_FRAMES, MOST_FRAMES);
    // A phase is a frame too, and there are at most seven to a collection; events of a step share one.
    let weight = |event: &Event| match event {
        Event::CollectStart { .. } => 8,
        Event::Step { .. } => 1,
        event if is_simple(event) => 0,
        event => usize::from(words(run, event).is_some()),
    };
    let focus = focus(run, events);
    let (mut start, mut before) = (focus.min(events.len()), 0);
    while start > 0 && before + weight(&events[start - 1]) <= most * 3 / 4 {
        start -= 1;
        before += weight(&events[start]);
    }
    let mut end = focus.min(events.len());
    while end < events.len() && before + weight(&events[end]) <= most {
        before += weight(&events[end]);
        end += 1;
    }
    start..if end == events.len() { usize::MAX } else { end }
}

/// The event that a run is looked at for: where a collector broke something first, where anything was broken first, where
/// the last collection started.
pub fn focus(run: &Run<'_>, events: &[Event]) -> usize {
    let violations = || run.violations.iter();
    let first = |is_collector: bool| {
        let of = violations().filter(move |(_, verdict)| !is_collector || verdict.class() == Class::Collector);
        of.filter_map(|(violation, _)| violation.event).min()
    };
    let last = || events.iter().rposition(|event| matches!(event, Event::CollectStart { .. }));
    first(true).or_else(|| first(false)).map(|at| at as usize).or_else(last).unwrap_or(events.len())
}

/// The frames of a run whose events are in a window.
pub fn frames(run: &Run<'_>, steps: &Steps, window: &Range<usize>) -> Vec<Frame> {
    let mut reader = Reader::new(run, window.clone());
    let mut pictures = steps.pictures.iter().peekable();
    for at in 0..=steps.events.len() {
        while let Some(picture) = pictures.next_if(|picture| picture.heap.event <= at) {
            match picture.phase {
                Some(phase) => reader.phase(phase, at, &picture.heap),
                None => reader.heap.show(&picture.heap),
            }
        }
        if let Some(event) = steps.events.get(at) {
            reader.event(at, event, pictures.peek().is_some());
        }
    }
    reader.end(steps.events.len())
}

/// Where reading is.
struct Reader<'r> {
    run: &'r Run<'r>,
    window: Range<usize>,
    heap: HeapState,
    frames: Vec<Frame>,
    /// The last frame is not over.
    is_open: bool,
    step: Option<u32>,
    inside: Vec<Inside>,
    collections: usize,
    examined: BTreeSet<ObjId>,
    trash: Option<BTreeSet<ObjId>>,
    /// The objects that `tp_clear` runs on, the last one last.
    clearing: Option<ObjId>,
    /// The violations in the order of events, the next one last.
    violations: Vec<(usize, usize)>,
}

/// What the events happen in.
struct Inside {
    text: String,
    code: Option<(Code, ObjId)>,
    collection: Option<usize>,
    /// The phase that a collection has come to.
    phase: Option<PhasePoint>,
    /// Why user code runs.
    why: Option<String>,
}

impl Inside {
    fn words(&self) -> String {
        match self.phase {
            Some(phase) => format!("{}, {}", self.text, doing(phase)),
            None => self.text.clone(),
        }
    }
}

impl<'r> Reader<'r> {
    fn new(run: &'r Run<'r>, window: Range<usize>) -> Reader<'r> {
        let at = |(number, violation): (usize, &(crate::invariant::Violation, _))| {
            violation.0.event.map(|event| (event as usize, number))
        };
        let mut violations: Vec<(usize, usize)> = run.violations.iter().enumerate().filter_map(at).collect();
        violations.sort_unstable_by(|a, b| b.cmp(a));
        Reader {
            run,
            window,
            heap: HeapState::default(),
            frames: Vec::new(),
            is_open: false,
            step: None,
            inside: Vec::new(),
            collections: 0,
            examined: BTreeSet::new(),
            trash: None,
            clearing: None,
            violations,
        }
    }

    fn event(&mut self, at: usize, event: &Event, is_known: bool) {
        if let Event::Step { op } = *event {
            (self.step, self.clearing) = (Some(op), None);
        }
        self.leave(event);
        let is_shown = self.window.contains(&at);
        let text = if is_shown || matches!(event, Event::Enter { .. }) { words(self.run, event) } else { None };
        let is_part = is_simple(event) && self.takes(event);
        let mut why = None;
        let opens = matches!(event, Event::Step { .. }) || text.is_some() && !is_part;
        if is_shown {
            if opens {
                self.open(FrameKind::Event, at, text.clone().unwrap_or_default());
            }
            if let Event::Step { op } = *event
                && let Some(frame) = self.frames.last_mut()
            {
                frame.kind = FrameKind::Step;
                frame.title = self.run.operation(op);
            }
            if is_part
                && let Some(text) = &text
                && let Some(frame) = self.frames.last_mut()
            {
                // Of a graph that one operation builds nobody reads every object.
                if frame.lines.len() < MOST_LINES {
                    frame.lines.push(text.clone());
                } else {
                    frame.untold += 1;
                }
            }
            why = reasons::why(self.run, &self.heap, event, self.trash.as_ref(), self.clearing);
            if let Some(frame) = self.frames.last_mut().filter(|_| opens || is_part) {
                frame.lines.extend(why.clone());
                frame.about.extend(subjects(event));
            }
        }
        self.heap.apply(event, is_known);
        self.enter(event, text, why);
        if is_shown {
            while let Some((_, number)) = self.violations.pop_if(|(broken, _)| *broken <= at) {
                self.mark(number);
            }
        }
    }

    /// What the event ends.
    fn leave(&mut self, event: &Event) {
        match event {
            Event::Leave => _ = self.inside.pop_if(|inside| inside.collection.is_none()),
            Event::CollectEnd { .. } => {
                while self.inside.pop().is_some_and(|inside| inside.collection.is_none()) {}
                (self.trash, self.clearing) = (None, None);
                self.examined.clear();
            }
            _ => {}
        }
    }

    /// What the event starts.
    fn enter(&mut self, event: &Event, text: Option<String>, why: Option<String>) {
        match *event {
            Event::Enter { code, owner, .. } => {
                let text = text.unwrap_or_default().trim_end_matches(" starts").to_owned();
                self.inside.push(Inside { text, code: Some((code, owner)), collection: None, phase: None, why });
            }
            Event::CollectStart { generation, .. } => {
                self.collections += 1;
                let text = format!("collection {} of generation {generation}", self.collections);
                self.inside.push(Inside {
                    text,
                    code: None,
                    collection: Some(self.collections),
                    phase: None,
                    why: None,
                });
            }
            Event::Clear { object } => self.clearing = Some(object),
            _ => {}
        }
    }

    /// The script that runs when the code of an object is entered.
    fn script(&self, code: Code, owner: ObjId) -> Option<ScriptId> {
        let kind = self.run.kind_of(owner)?;
        match code {
            Code::Finalizer | Code::LegacyFinalizer => match kind.finalizer? {
                Finalizer::Modern(script) | Finalizer::Legacy(script) => Some(script),
            },
            Code::Dealloc => kind.on_dealloc,
            Code::Callback | Code::GcCallback | Code::Call => kind.on_call,
        }
    }

    /// True if the frame that is open takes one more event.
    fn takes(&self, event: &Event) -> bool {
        let Some(last) = self.frames.last().filter(|_| self.is_open) else { return false };
        match last.kind {
            FrameKind::Step => last.step == self.step && self.inside.is_empty(),
            FrameKind::Phase(_) => false,
            // What belongs to the object that was just made.
            FrameKind::Event => {
                last.title.contains(" is created: ") && !matches!(event, Event::New { .. } | Event::Answer { .. })
            }
        }
    }

    fn phase(&mut self, phase: PhasePoint, at: usize, heap: &crate::explain::HeapPicture) {
        let before = self.heap.clone();
        if let Some(running) = self.inside.iter_mut().rev().find(|inside| inside.collection.is_some()) {
            running.phase = Some(phase);
        }
        if self.window.contains(&at) || at == 0 {
            self.open(FrameKind::Phase(phase), at, phase_title(phase).to_owned());
        }
        self.heap.show(heap);
        let in_list = |name: &str| -> BTreeSet<ObjId> {
            heap.objects.iter().map(|o| o.id).filter(|o| heap.is_in(*o, name)).collect()
        };
        match phase {
            PhasePoint::Start => {
                self.examined = heap.objects.iter().filter(|o| o.candidate).map(|o| o.id).collect();
            }
            PhasePoint::Deduced => self.trash = Some(in_list("unreachable")),
            PhasePoint::ResurrectionChecked => {
                let left: BTreeSet<ObjId> = in_list("to be cleared").union(&in_list("unreachable")).copied().collect();
                self.trash = Some(left);
            }
            _ => {}
        }
        let old = self.frames.last().and_then(|frame| frame.trash.clone());
        let (examined, trash) = (self.examined.clone(), self.trash.clone());
        let told = reasons::Decided { before: &before, heap: &self.heap, examined: &examined, old: old.as_ref() };
        let lines = reasons::decided(self.run, phase, &told, trash.as_ref());
        if let Some(frame) = self.frames.last_mut().filter(|frame| frame.kind == FrameKind::Phase(phase)) {
            (frame.lines, frame.examined, frame.trash) = (lines, examined, trash);
        }
    }

    /// Starts a frame.
    fn open(&mut self, kind: FrameKind, at: usize, title: String) {
        self.close();
        self.is_open = true;
        self.frames.push(Frame {
            kind,
            at,
            title,
            // Why the code runs that it happens in.
            lines: self.inside.last().and_then(|inside| inside.why.clone()).into_iter().collect(),
            inside: self.inside.iter().map(Inside::words).collect(),
            step: self.step,
            script: self
                .inside
                .iter()
                .rev()
                .find_map(|inside| inside.code)
                .and_then(|(code, owner)| self.script(code, owner)),
            collection: self.inside.iter().rev().find_map(|inside| inside.collection),
            lane: 0,
            heap: HeapState::default(),
            examined: self.examined.clone(),
            trash: self.trash.clone(),
            violations: Vec::new(),
            untold: 0,
            about: Vec::new(),
        });
    }

    /// The heap of the last frame is that of now.
    fn close(&mut self) {
        if let Some(frame) = self.frames.last_mut().filter(|_| self.is_open) {
            frame.heap.clone_from(&self.heap);
        }
        self.is_open = false;
    }

    /// Marks a violation where it was seen; if that was after the collection that it is about, in the phase too.
    fn mark(&mut self, number: usize) {
        let Some(seen) = self.frames.last_mut() else { return };
        seen.violations.push(number);
        let (violation, _) = &self.run.violations[number];
        if seen.collection.is_some() {
            return;
        }
        let kind = shown_at(violation.phase).map(FrameKind::Phase);
        if let Some(frame) = self.frames.iter_mut().rev().find(|frame| Some(frame.kind) == kind) {
            frame.violations.push(number);
        }
    }

    /// The frames. What broke at the end is marked on the last.
    fn end(mut self, events: usize) -> Vec<Frame> {
        self.close();
        while let Some((at, number)) = self.violations.pop() {
            if at <= events && at >= self.window.start {
                self.mark(number);
            }
        }
        self.frames
    }
}

/// True if an event is a detail of the operation that causes it.
fn is_simple(event: &Event) -> bool {
    matches!(
        event,
        Event::New { .. }
            | Event::NewWeak { .. }
            | Event::StoreVar { .. }
            | Event::StoreSlot { .. }
            | Event::NoEffect
            | Event::Answer { .. }
            | Event::Saw { .. }
            | Event::Length { .. }
            | Event::Yielded { .. }
    )
}

/// The objects that an event is about.
fn subjects(event: &Event) -> Vec<ObjId> {
    match *event {
        Event::New { object, .. } | Event::Clear { object } | Event::Dealloc { object } | Event::Free { object } => {
            vec![object]
        }
        Event::Saw { object, .. } => vec![object],
        Event::Enter { owner, arg, .. } => [Some(owner), arg].into_iter().flatten().collect(),
        Event::Answer { weak, referent } => [Some(weak), referent].into_iter().flatten().collect(),
        Event::Unraisable { owner } => vec![owner],
        Event::Length { container, .. } => vec![container],
        Event::Yielded { container, entry } => vec![container, entry],
        _ => Vec::new(),
    }
}

/// The moment at which the decisions of a phase are seen.
const fn shown_at(phase: Phase) -> Option<PhasePoint> {
    Some(match phase {
        Phase::Mutator => return None,
        Phase::Start => PhasePoint::Start,
        Phase::Ded | Phase::Leg => PhasePoint::Deduced,
        Phase::Wr1 => PhasePoint::WeakrefsCleared,
        Phase::Cb => PhasePoint::CallbacksDone,
        Phase::Fin | Phase::Res | Phase::Wr2 => PhasePoint::ResurrectionChecked,
        Phase::Del => PhasePoint::Cleared,
    })
}

/// What a collection does after a phase has been reached.
const fn doing(phase: PhasePoint) -> &'static str {
    match phase {
        PhasePoint::Start => "finding trash",
        PhasePoint::Deduced => "clearing weak references to trash",
        PhasePoint::WeakrefsCleared => "calling callbacks",
        PhasePoint::CallbacksDone => "calling finalizers",
        PhasePoint::FinalizersDone => "looking for what finalizers saved",
        PhasePoint::ResurrectionChecked => "clearing trash",
        PhasePoint::Cleared => "ending",
    }
}

/// What a phase is, for those who see the word for the first time.
const fn phase_title(phase: PhasePoint) -> &'static str {
    match phase {
        PhasePoint::Start => "start: what the collection examines",
        PhasePoint::Deduced => "deduced: what nothing outside holds is trash",
        PhasePoint::WeakrefsCleared => "weakrefs cleared: weak references to trash answer nothing",
        PhasePoint::CallbacksDone => "callbacks done",
        PhasePoint::FinalizersDone => "finalizers done",
        PhasePoint::ResurrectionChecked => "resurrection checked: what finalizers saved is kept",
        PhasePoint::Cleared => "cleared: trash has been torn down",
    }
}
