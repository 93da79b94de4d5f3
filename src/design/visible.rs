//! What users notice of a run, read off its events.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Code, Event, ObjId, Role, Undefined};
use crate::object_names::{Naming, ObjectNames};
use crate::scenario::text::Names;

/// An object in a way that does not depend on how many others were made before it: the operation that made it, what it is
/// to that operation, and the how manieth that is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Key {
    origin: u32,
    role: Role,
    nth: u32,
}

/// User code that started.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Ran {
    /// What kind of code.
    pub code: Code,
    /// Whose.
    pub owner: Key,
    /// Of a callback the weak reference.
    pub weak: Option<Key>,
}

/// Where something was asked or seen: an operation of the mutator, or the how manieth run of user code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Context {
    /// The operation of the mutator's body; nothing before the first.
    Body(Option<u32>),
    /// User code, and the how manieth time that it runs, from 0.
    Code(Ran, u32),
}

/// How an object is at the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    Dead,
    /// Alive, and `tp_clear` has run on it.
    Emptied,
    Alive,
}

/// What users notice of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Visible {
    /// User code in the order in which it started.
    pub(super) ran: Vec<Ran>,
    /// What weak references answered: where, which, the how manieth time there.
    pub(super) answers: BTreeMap<(Context, Key, u32), Option<Key>>,
    /// What user code reached: where, and whether by introspection.
    pub(super) reached: BTreeMap<(Context, bool), BTreeSet<Key>>,
    /// `len()` of weak containers: where, of which, the how manieth time there.
    pub(super) lengths: BTreeMap<(Context, Key, u32), u32>,
    /// What iterations over weak containers yielded.
    pub(super) yielded: BTreeMap<(Context, Key), Vec<Key>>,
    /// Whose errors were reported, in order.
    pub(super) errors: Vec<Key>,
    /// What collections returned, by the operation in which they ran; automatic ones too, which `gc.callbacks` see.
    pub(super) returned: Vec<(Option<u32>, u32)>,
    /// `gc.garbage` at the end.
    pub(super) garbage: Vec<Key>,
    /// How each object is at the end.
    pub(super) fates: BTreeMap<Key, Fate>,
    /// What weak references that are alive at the end refer to.
    pub(super) referents: BTreeMap<Key, Option<Key>>,
    /// Why the rest is undefined, if it is.
    pub(super) undefined: Option<Undefined>,
    /// What objects are called.
    pub(super) labels: BTreeMap<Key, String>,
}

impl Visible {
    /// What users notice of a run with these events; variables have these names.
    pub fn of(events: &[Event], variables: &Names) -> Visible {
        let mut naming = Naming::new(variables);
        naming.take(events);
        let mut reader = Reader::default();
        events.iter().for_each(|event| reader.take(event));
        reader.finish(&naming.finish())
    }

    /// What an object is called.
    pub(super) fn label(&self, key: Key) -> &str {
        self.labels.get(&key).map_or("an object", String::as_str)
    }
}

/// Reads events.
#[derive(Default)]
struct Reader {
    seen: Visible,
    /// The keys of objects, by their number.
    keys: Vec<Option<Key>>,
    made: BTreeMap<(u32, Role), u32>,
    /// How often each piece of code has run.
    runs: BTreeMap<Ran, u32>,
    /// The code that runs, innermost last.
    running: Vec<Context>,
    step: Option<u32>,
    weakrefs: BTreeSet<Key>,
}

impl Reader {
    fn key(&self, object: ObjId) -> Option<Key> {
        self.keys.get(object.index()).copied().flatten()
    }

    fn context(&self) -> Context {
        self.running.last().copied().unwrap_or(Context::Body(self.step))
    }

    /// The first free number of `(where, what)` in a map.
    fn nth<T>(map: &BTreeMap<(Context, Key, u32), T>, context: Context, key: Key) -> u32 {
        let range = (context, key, 0)..=(context, key, u32::MAX);
        map.range(range).next_back().map_or(0, |((.., last), _)| last + 1)
    }

    fn take(&mut self, event: &Event) {
        match *event {
            Event::Step { op } => self.step = Some(op),
            Event::New { object, origin, role } => {
                let made = self.made.entry((origin, role)).or_default();
                let key = Key { origin, role, nth: *made };
                *made += 1;
                self.keys.resize(self.keys.len().max(object.index() + 1), None);
                self.keys[object.index()] = Some(key);
                self.seen.fates.insert(key, Fate::Alive);
            }
            Event::NewWeak { weak, .. } => self.weakrefs.extend(self.key(weak)),
            Event::Enter { code, owner, arg } => self.enter(code, owner, arg),
            Event::Leave => drop(self.running.pop()),
            Event::Saw { object, introspection } => {
                let (place, key) = ((self.context(), introspection), self.key(object));
                self.seen.reached.entry(place).or_default().extend(key);
            }
            Event::Answer { weak, referent } => {
                let Some(weak) = self.key(weak) else { return };
                let (context, referent) = (self.context(), referent.and_then(|o| self.key(o)));
                let nth = Reader::nth(&self.seen.answers, context, weak);
                self.seen.answers.insert((context, weak, nth), referent);
            }
            Event::Length { container, len, .. } => {
                let Some(container) = self.key(container) else { return };
                let context = self.context();
                let nth = Reader::nth(&self.seen.lengths, context, container);
                self.seen.lengths.insert((context, container, nth), len);
            }
            Event::Yielded { container, entry } => {
                let (Some(container), Some(entry)) = (self.key(container), self.key(entry)) else { return };
                self.seen.yielded.entry((self.context(), container)).or_default().push(entry);
            }
            Event::CollectEnd { returned, .. } => self.seen.returned.push((self.step, returned)),
            Event::Unraisable { owner } => self.seen.errors.extend(self.key(owner)),
            Event::Clear { object } => self.fate(object, Fate::Emptied),
            Event::Free { object } => self.fate(object, Fate::Dead),
            Event::Snapshot => {
                self.seen.garbage.clear();
                self.seen.referents.clear();
            }
            Event::Weak { weak, referent, .. } => {
                let Some(weak) = self.key(weak) else { return };
                self.seen.referents.insert(weak, referent.and_then(|o| self.key(o)));
            }
            Event::Garbage { object } => self.seen.garbage.extend(self.key(object)),
            Event::Undefined { reason } => self.seen.undefined = Some(reason),
            _ => {}
        }
    }

    fn enter(&mut self, code: Code, owner: ObjId, arg: Option<ObjId>) {
        let Some(owner) = self.key(owner) else {
            // What has no key runs where it was started.
            return self.running.push(self.context());
        };
        let weak = arg.filter(|_| code == Code::Callback).and_then(|weak| self.key(weak));
        let ran = Ran { code, owner, weak };
        let runs = self.runs.entry(ran).or_default();
        self.running.push(Context::Code(ran, *runs));
        *runs += 1;
        self.seen.ran.push(ran);
    }

    fn fate(&mut self, object: ObjId, fate: Fate) {
        if let Some(key) = self.key(object)
            // A weak reference that was cleared is told by what it refers to.
            && !(fate == Fate::Emptied && self.weakrefs.contains(&key))
        {
            self.seen.fates.insert(key, fate);
        }
    }

    fn finish(mut self, names: &ObjectNames) -> Visible {
        for (object, key) in self.keys.iter().enumerate() {
            let label = names.label(ObjId::from_index(object as u32));
            self.seen.labels.extend(key.map(|key| (key, label)));
        }
        if self.seen.undefined.is_some() {
            // There is no end to speak of.
            self.seen.fates.clear();
            self.seen.referents.clear();
            self.seen.garbage.clear();
        }
        self.seen
    }
}
