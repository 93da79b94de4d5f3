//! What the events of a run show by themselves, whatever went on inside: what each collection did to which objects, and
//! from when on a weak reference answers nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Code, Event, ObjId};

/// What the events show from some event on.
#[derive(Debug, Default)]
pub(super) struct ReadOff {
    /// The collections, in order.
    pub collections: Vec<Shown>,
    /// Of each weak reference that a snapshot shows without a referent, the first such line.
    silent: BTreeMap<ObjId, Silent>,
}

/// Where a snapshot shows for the first time that a weak reference answers nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Silent {
    /// The event.
    pub at: usize,
    /// The number of the collection that was running or has just ended.
    pub collection: Option<usize>,
}

/// What the events of one collection show.
#[derive(Debug)]
pub(super) struct Shown {
    /// Its number in the run, from 1.
    pub number: usize,
    /// The event with which it starts.
    pub start: usize,
    /// The generation.
    pub generation: u8,
    /// What it returned, if it ended.
    pub returned: Option<u32>,
    /// The objects to which something happened, in the order of the events, and what.
    pub happened: Vec<(ObjId, BTreeSet<Happening>)>,
    /// How many objects the snapshot at its start has besides.
    pub others: usize,
}

/// Something that happens to an object in a collection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Happening {
    /// Its callback was called: of a weak reference.
    Called,
    /// Its finalizer was called.
    Finalized,
    /// A snapshot shows that it answers nothing: of a weak reference.
    Silent,
    /// `tp_clear` was called on it.
    Cleared,
    /// It died.
    Died,
    /// Its memory was released.
    Freed,
    /// It came into `gc.garbage`.
    Garbage,
}

impl Happening {
    const fn words(self) -> &'static str {
        match self {
            Happening::Called => "its callback ran",
            Happening::Finalized => "its finalizer ran",
            Happening::Silent => "it answers nothing any more",
            Happening::Cleared => "tp_clear ran on it",
            Happening::Died => "it died",
            Happening::Freed => "was freed",
            Happening::Garbage => "it is in gc.garbage",
        }
    }
}

/// What happened to an object in a collection, in words.
pub(super) fn words(happened: &BTreeSet<Happening>) -> String {
    let mut words: Vec<&str> = happened.iter().map(|what| what.words()).collect();
    let goes = happened.contains(&Happening::Cleared) || happened.contains(&Happening::Died);
    if goes && !happened.contains(&Happening::Freed) {
        words.push("it was not freed");
    }
    let last = words.pop().unwrap_or_default();
    if words.is_empty() { last.to_owned() } else { format!("{}, and {last}", words.join(", ")) }
}

impl ReadOff {
    /// Reads the events of a run; of its collections those that start at or after `from`.
    pub fn of(events: &[Event], from: usize) -> ReadOff {
        let mut reader = Reader { read: ReadOff::default(), running: None, garbage: BTreeSet::new(), started: 0 };
        for (at, event) in events.iter().enumerate() {
            reader.event(at, event, from);
        }
        reader.close();
        reader.read
    }

    /// Where a snapshot shows for the first time that a weak reference answers nothing.
    pub fn silent(&self, weak: ObjId) -> Option<Silent> {
        self.silent.get(&weak).copied()
    }
}

/// Where reading is.
struct Reader {
    read: ReadOff,
    running: Option<Running>,
    /// What the last snapshot has in `gc.garbage`, or any before.
    garbage: BTreeSet<ObjId>,
    /// How many collections have started.
    started: usize,
}

/// The collection whose events are being read: until the snapshot after its end is over.
struct Running {
    shown: Shown,
    /// Where each object is in [`Shown::happened`].
    places: BTreeMap<ObjId, usize>,
    /// The objects of the snapshot at its start.
    before: BTreeSet<ObjId>,
    /// That snapshot is over.
    began: bool,
    /// The collection has ended.
    ended: bool,
}

impl Reader {
    fn event(&mut self, at: usize, event: &Event, from: usize) {
        if self.running.as_ref().is_some_and(|r| r.ended) && !event.is_part_of_snapshot() {
            self.close();
        }
        if let Some(running) = &mut self.running {
            running.began |= !event.is_part_of_snapshot();
        }
        match *event {
            Event::CollectStart { generation, .. } => self.start(at, generation, from),
            Event::CollectEnd { returned, .. } => {
                if let Some(running) = &mut self.running {
                    (running.ended, running.shown.returned) = (true, Some(returned));
                }
            }
            Event::Enter { code: Code::Finalizer | Code::LegacyFinalizer, owner, .. } => {
                self.happens(owner, Happening::Finalized);
            }
            Event::Enter { code: Code::Callback, arg: Some(weak), .. } => self.happens(weak, Happening::Called),
            Event::Clear { object } => self.happens(object, Happening::Cleared),
            Event::Dealloc { object } => self.happens(object, Happening::Died),
            Event::Free { object } => self.happens(object, Happening::Freed),
            Event::State { object, .. } => {
                if let Some(running) = self.running.as_mut().filter(|r| !r.began) {
                    running.before.insert(object);
                }
            }
            Event::Weak { weak, referent: None, .. } => {
                let collection = self.running.as_ref().map(|r| r.shown.number);
                let is_news = !self.read.silent.contains_key(&weak);
                self.read.silent.entry(weak).or_insert(Silent { at, collection });
                if is_news && self.running.as_ref().is_some_and(|r| r.began) {
                    self.happens(weak, Happening::Silent);
                }
            }
            Event::Garbage { object } => {
                let is_news = self.garbage.insert(object);
                if is_news && self.running.as_ref().is_some_and(|r| r.began) {
                    self.happens(object, Happening::Garbage);
                }
            }
            _ => {}
        }
    }

    fn start(&mut self, at: usize, generation: u8, from: usize) {
        self.close();
        self.started += 1;
        if at < from {
            return;
        }
        let (number, happened) = (self.started, Vec::new());
        self.running = Some(Running {
            shown: Shown { number, start: at, generation, returned: None, happened, others: 0 },
            places: BTreeMap::new(),
            before: BTreeSet::new(),
            began: false,
            ended: false,
        });
    }

    fn happens(&mut self, object: ObjId, what: Happening) {
        let Some(running) = &mut self.running else { return };
        let happened = &mut running.shown.happened;
        let place = *running.places.entry(object).or_insert_with(|| {
            happened.push((object, BTreeSet::new()));
            happened.len() - 1
        });
        happened[place].1.insert(what);
    }

    fn close(&mut self) {
        if let Some(Running { mut shown, places, before, .. }) = self.running.take() {
            shown.others = before.iter().filter(|object| !places.contains_key(object)).count();
            self.read.collections.push(shown);
        }
    }
}
