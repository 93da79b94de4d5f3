//! The states that a run of a collector went through, as counters for coverage-guided fuzzers.
//!
//! Code coverage says which lines of the model ran, not in which combination: the same line frees every object.
//! These counters say what happened to what, when: the phase (as far as events show it), the kind of object, whether
//! a callback belonged to the trash, how far a finalizer had come, what was resurrected, how user code nested.

use crate::event::{Code, Event, ObjId};
use crate::scenario::{Finalizer, Kind, Scenario, Shape};

/// How many counters there are. An engine looks at all of them after each run.
pub const COUNTERS: usize = END.next_multiple_of(64);

/// Phases that events show: no collection, before user code, after the first user code, after the first `tp_clear`.
const PHASES: usize = 4;
/// Shapes, and the ways in which an extension type takes part.
const KINDS: usize = Shape::ALL.len() + 6;
/// How far the finalizer of an object had come: none, has not run, has run, has run twice or more.
const FINALIZERS: usize = 4;

const ENTER: usize = 0;
const CLEAR: usize = ENTER + Code::ALL.len() * PHASES * KINDS;
const DEALLOC: usize = CLEAR + KINDS * FINALIZERS;
const DEALLOC_STATE: usize = DEALLOC + PHASES * KINDS;
const ANSWER: usize = DEALLOC_STATE + PHASES * FINALIZERS * 2 * 2;
const SAW: usize = ANSWER + PHASES * 3;
const CALLBACK: usize = SAW + PHASES * 2 * 2;
const SUPPRESSED: usize = CALLBACK + PHASES * 2 * 2;
const COLLECT: usize = SUPPRESSED + PHASES;
const ENDED: usize = COLLECT + 3 * 2 * 4;
const RESURRECTED: usize = ENDED + 3 * 4;
const NESTED: usize = RESURRECTED + 3 * KINDS;
const DEPTH: usize = NESTED + PHASES * 4;
const RAISED: usize = DEPTH + Code::ALL.len() * 4;
const UNDEFINED: usize = RAISED + PHASES * 2;
const END: usize = UNDEFINED + 8;

/// What is known of an object.
#[derive(Clone, Copy, Default, Debug)]
struct Object {
    kind: u8,
    has_finalizer: bool,
    finalized: u8,
    cleared: bool,
    freed: bool,
    /// Number of the collection in which user code last ran on it, from 1.
    touched: u32,
    /// For a weak reference with a callback that has not been called: its referent, as index plus 1.
    watches: u32,
    /// How many weak references watch it.
    watched: u16,
}

/// Counts the states of one run after the other.
#[derive(Clone, Debug)]
pub struct StateCounters {
    counters: Box<[u8; COUNTERS]>,
    kinds: Vec<(u8, bool)>,
    objects: Vec<Object>,
    /// Objects with user code run on them in this collection, and callbacks called: what became of them is known at
    /// its end.
    touched: Vec<u32>,
    called: Vec<(u32, u8)>,
    codes: Vec<Code>,
    phase: usize,
    collection: u32,
    generation: usize,
}

impl Default for StateCounters {
    fn default() -> Self {
        StateCounters::new()
    }
}

impl StateCounters {
    /// Counters that are all 0.
    pub fn new() -> StateCounters {
        StateCounters {
            counters: Box::new([0; COUNTERS]),
            kinds: Vec::new(),
            objects: Vec::new(),
            touched: Vec::new(),
            called: Vec::new(),
            codes: Vec::new(),
            phase: 0,
            collection: 0,
            generation: 0,
        }
    }

    /// Starts a run of this scenario: all counters are 0 again.
    pub fn start(&mut self, scenario: &Scenario) {
        self.counters.fill(0);
        self.kinds.clear();
        let of = |kind: &Kind| (kind_number(kind), kind.finalizer.is_some());
        self.kinds.extend(scenario.ops().iter().map(|op| op.kind().map_or((0, false), of)));
        self.objects.clear();
        self.touched.clear();
        self.called.clear();
        self.codes.clear();
        self.phase = 0;
        self.collection = 0;
        self.generation = 0;
    }

    /// How often each state was met, at most 255 times.
    pub fn counters(&self) -> &[u8; COUNTERS] {
        &self.counters
    }

    /// Takes the next events; snapshots say nothing about states.
    pub fn take(&mut self, events: &[Event]) {
        events.iter().for_each(|event| self.event(*event));
    }

    #[inline]
    fn event(&mut self, event: Event) {
        match event {
            Event::New { object, origin, role } => self.new_object(object, origin, role),
            Event::NewWeak { weak, referent, callback: Some(_) } => {
                if let Some(o) = self.objects.get_mut(weak.index()) {
                    o.watches = referent.index() as u32 + 1;
                }
                if let Some(o) = self.objects.get_mut(referent.index()) {
                    o.watched = o.watched.saturating_add(1);
                }
            }
            Event::Enter { code, owner, arg } => self.enter(code, owner, arg),
            Event::Leave => {
                self.codes.pop();
            }
            Event::Saw { object, introspection } => {
                let cleared = usize::from(self.object(object).cleared);
                self.count(SAW + (self.phase * 2 + usize::from(introspection)) * 2 + cleared);
            }
            Event::Answer { referent, .. } => {
                let answer = referent.map_or(0, |o| 1 + usize::from(self.object(o).cleared));
                self.count(ANSWER + self.phase * 3 + answer);
            }
            Event::CollectStart { generation, automatic } => {
                self.generation = generation.min(2) as usize;
                self.collection += 1;
                self.phase = 1;
                let place = match self.codes.last() {
                    None => 0,
                    Some(Code::Callback) => 1,
                    Some(Code::Finalizer | Code::LegacyFinalizer) => 2,
                    Some(_) => 3,
                };
                self.count(COLLECT + (self.generation * 2 + usize::from(automatic)) * 4 + place);
            }
            Event::CollectEnd { returned, uncollectable, .. } => self.collect_end(returned, uncollectable),
            Event::Refused => {
                let depth = self.codes.len().min(3);
                self.count(NESTED + self.phase * 4 + depth);
            }
            Event::Clear { object } => {
                self.phase = 3;
                let o = self.object(object);
                self.count(CLEAR + o.kind as usize * FINALIZERS + finalizer(&o));
                if let Some(o) = self.objects.get_mut(object.index()) {
                    o.cleared = true;
                }
            }
            Event::Dealloc { object } => self.dealloc(object),
            Event::Free { object } => self.free(object),
            Event::Unraisable { .. } => {
                let within = usize::from(!self.codes.is_empty());
                self.count(RAISED + self.phase * 2 + within);
            }
            Event::Undefined { reason } => self.count(UNDEFINED + reason as usize),
            _ => {}
        }
    }

    #[inline]
    fn count(&mut self, state: usize) {
        if let Some(counter) = self.counters.get_mut(state) {
            *counter = counter.saturating_add(1);
        }
    }

    #[inline]
    fn object(&self, object: ObjId) -> Object {
        self.objects.get(object.index()).copied().unwrap_or_default()
    }

    fn new_object(&mut self, object: ObjId, origin: u32, role: crate::event::Role) {
        let (kind, has_finalizer) = match role {
            crate::event::Role::Named => self.kinds.get(origin as usize).copied().unwrap_or_default(),
            // Inner objects of containers and instances share the number of what they belong to.
            _ => (self.kinds.get(origin as usize).map_or(0, |k| k.0), false),
        };
        let index = object.index();
        if index >= self.objects.len() {
            self.objects.resize(index + 1, Object::default());
        }
        self.objects[index] = Object { kind, has_finalizer, ..Object::default() };
    }

    fn enter(&mut self, code: Code, owner: ObjId, arg: Option<ObjId>) {
        let user = !matches!(code, Code::GcCallback | Code::Call);
        if user && self.phase == 1 {
            self.phase = 2;
        }
        let kind = self.object(owner).kind as usize;
        self.count(ENTER + (code as usize * PHASES + self.phase) * KINDS + kind);
        self.codes.push(code);
        let depth = self.codes.len().min(4) - 1;
        self.count(DEPTH + code as usize * 4 + depth);
        if matches!(code, Code::Finalizer | Code::LegacyFinalizer) {
            let collection = self.collection;
            if let Some(o) = self.objects.get_mut(owner.index()) {
                o.finalized = o.finalized.saturating_add(1);
                o.touched = collection;
                if self.phase > 0 {
                    self.touched.push(owner.index() as u32);
                }
            }
        }
        if code == Code::Callback
            && let Some(weak) = arg
        {
            self.unwatch(weak);
            if self.phase > 0 {
                self.called.push((weak.index() as u32, self.phase as u8));
            } else {
                self.count(CALLBACK);
            }
        }
    }

    fn dealloc(&mut self, object: ObjId) {
        let o = self.object(object);
        self.count(DEALLOC + self.phase * KINDS + o.kind as usize);
        let within = usize::from(!self.codes.is_empty());
        let state = ((self.phase * FINALIZERS + finalizer(&o)) * 2 + usize::from(o.cleared)) * 2 + within;
        self.count(DEALLOC_STATE + state);
    }

    /// A weak reference watches no longer: its callback is called, or it is freed.
    fn unwatch(&mut self, weak: ObjId) {
        let Some(o) = self.objects.get_mut(weak.index()) else { return };
        let watches = std::mem::take(&mut o.watches) as usize;
        if let Some(referent) = watches.checked_sub(1).and_then(|index| self.objects.get_mut(index)) {
            referent.watched = referent.watched.saturating_sub(1);
        }
    }

    fn free(&mut self, object: ObjId) {
        self.unwatch(object);
        if self.object(object).watched > 0 {
            self.count(SUPPRESSED + self.phase);
        }
        if let Some(o) = self.objects.get_mut(object.index()) {
            o.freed = true;
        }
    }

    fn collect_end(&mut self, returned: u32, uncollectable: u32) {
        let state = usize::from(returned > 0) + 2 * usize::from(uncollectable > 0);
        self.count(ENDED + self.generation * 4 + state);
        while let Some(index) = self.touched.pop() {
            let o = self.objects[index as usize];
            if !o.freed && !o.cleared {
                self.count(RESURRECTED + self.generation * KINDS + o.kind as usize);
            }
        }
        while let Some((weak, phase)) = self.called.pop() {
            // A callback of the trash is one whose weak reference died in the collection that called it.
            let o = self.objects[weak as usize];
            let inside = usize::from(o.freed) + 2 * usize::from(o.cleared);
            self.count(CALLBACK + phase as usize * 4 + inside);
        }
        self.phase = 0;
    }
}

fn finalizer(o: &Object) -> usize {
    if o.has_finalizer { 1 + o.finalized.min(2) as usize } else { 0 }
}

/// The number of a kind: its shape, or how an extension type takes part if that is peculiar.
fn kind_number(kind: &Kind) -> u8 {
    let shapes = Shape::ALL.len() as u8;
    let peculiar = [
        matches!(kind.finalizer, Some(Finalizer::Legacy(_))),
        kind.on_dealloc.is_some(),
        kind.tracking == crate::scenario::Tracking::NoHeader,
        kind.hidden != crate::scenario::SlotSet::NONE,
        kind.clear != crate::scenario::Clear::default(),
        kind.tracking != crate::scenario::Tracking::default(),
    ];
    match peculiar.iter().position(|is| *is) {
        Some(n) if kind.shape.is_extension() => shapes + n as u8,
        _ => kind.shape as u8,
    }
}
