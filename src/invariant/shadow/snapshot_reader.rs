//! Reads snapshots line by line.
//!
//! Most lines say nothing new: the object lives, has references, is where it was or in a list that it may have gone to,
//! and the lines are in order. They are read in one loop. A line that is *odd*, because an invariant may object to it, is
//! left for those to look at, and taken note of afterwards. A snapshot in which no line was odd and each showed as many
//! references as are known is *even*.

use super::Shadow;
use super::object::{NOT_IN_A_LIST, Object, UNUSUAL, usual};
use crate::event::{Event, ObjId, Spot};

/// Place in list order of what is in no list of a generation.
const LAST: u8 = 4;

/// What the snapshot that is being read followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum After {
    /// Nothing that there is anything to judge about.
    #[default]
    Nothing,
    /// The beginning of a script.
    Enter,
    /// Its end.
    Leave,
    /// The beginning of a collection.
    CollectStart,
    /// Its end.
    CollectEnd {
        /// What it returns.
        returned: u32,
        /// How much of it is uncollectable.
        uncollectable: u32,
    },
    /// The end of the scenario.
    End,
}

/// A line of a snapshot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    object: ObjId,
    refcount: u32,
    spot: Spot,
    finalized: bool,
}

impl Line {
    /// The object, its reference count, and where the collector has it.
    #[inline]
    pub fn says(self) -> (ObjId, u32, Spot) {
        (self.object, self.refcount, self.spot)
    }
}

/// Where a line of a snapshot puts an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Listed {
    /// After the lines before it, or among them.
    InOrder,
    /// Before a line before it.
    OutOfOrder,
    /// Where it has a line already.
    Twice,
}

/// The snapshot that is being read, or was read last.
#[derive(Debug, Default)]
pub(crate) struct SnapshotReader {
    /// Number of snapshots so far.
    stamp: u32,
    /// Objects in this one.
    listed: u32,
    /// Not 0 if a line is odd, or shows another number of references than are known.
    uneven: u32,
    /// No line shows an object in a younger list.
    youngest: u8,
    /// A line has a reference count of 0.
    zero: bool,
    /// The last place in list order so far.
    list_order: u8,
    reading: bool,
    after: After,
    /// Objects that it has as untracked, as edges.
    untracked: Vec<u32>,
    /// What [`Reachability::version`](super::reachability::Reachability::version) was when it began.
    version: u64,
}

impl SnapshotReader {
    pub(super) fn start(&mut self) {
        self.stamp = 0;
        self.listed = 0;
        self.zero = false;
        self.reading = false;
        self.after = After::Nothing;
        self.untracked.clear();
    }

    /// True if it shows the object.
    #[inline]
    pub fn shows(&self, object: &Object) -> bool {
        object.stamp == self.stamp
    }

    #[inline]
    pub(super) fn stamp(&self) -> u32 {
        self.stamp
    }

    /// True if it shows as many objects as there are, or more.
    pub fn shows_all(&self, live: u32) -> bool {
        self.listed >= live
    }

    /// True if it shows an object with a reference count of 0.
    #[inline]
    pub fn shows_zero(&self) -> bool {
        self.zero
    }

    /// True if it shows no object in the list of a generation younger than this.
    #[inline]
    pub fn shows_none_below(&self, generation: u8) -> bool {
        self.youngest >= generation
    }

    /// Objects that it has as untracked, as edges.
    #[inline]
    pub fn untracked(&self) -> &[u32] {
        &self.untracked
    }

    /// Something happens that a snapshot follows.
    #[inline]
    pub(super) fn follow(&mut self, after: After) {
        self.after = after;
    }

    /// True if a snapshot is being read.
    #[inline]
    pub fn is_reading(&self) -> bool {
        self.reading
    }

    /// True if something waits to be judged with it, or without it.
    #[inline]
    pub fn is_awaited(&self) -> bool {
        !matches!(self.after, After::Nothing)
    }

    #[inline]
    pub(super) fn lose_evenness(&mut self) {
        self.uneven = 1;
    }

    /// True if every object is shown once, if all are live, with as many references as are known.
    #[inline]
    pub(super) fn is_even(&self, live: u32) -> bool {
        self.listed == live && self.uneven == 0
    }

    #[inline]
    pub(super) fn version(&self) -> u64 {
        self.version
    }
}

impl Shadow {
    /// A snapshot begins.
    pub(crate) fn apply_snapshot(&mut self) {
        if self.roots.begin_snapshot() {
            self.reach.changed();
        }
        let s = &mut self.snapshot;
        s.stamp += 1;
        s.listed = 0;
        s.uneven = 0;
        s.youngest = u8::MAX;
        s.zero = false;
        s.list_order = 0;
        s.version = self.reach.version();
        s.untracked.clear();
        s.reading = true;
    }

    /// True if the snapshot that was just read shows every object once, and as many references to it as are known.
    #[inline]
    pub(crate) fn is_even(&self) -> bool {
        let all = self.snapshot.is_even(self.objects.live()) && self.objects.none_dies();
        all && !self.objects.some_loose && self.roots.garbage().is_empty()
    }

    /// The same where something may have happened since.
    #[inline]
    pub(crate) fn is_still_even(&self) -> bool {
        self.reach.version() == self.snapshot.version() && self.is_even()
    }

    /// The snapshot is complete, or there was none: what it followed, and whether there was one.
    #[inline(always)]
    pub(crate) fn end_snapshot(&mut self) -> (After, bool) {
        let read = std::mem::take(&mut self.snapshot.reading);
        if read {
            self.deeds.are_shown();
        }
        (std::mem::take(&mut self.snapshot.after), read)
    }

    /// Reads the lines of objects that the events start with, up to the last event's number: `odd` looks at odd ones.
    #[inline]
    pub(crate) fn read_lines<'a>(
        &mut self,
        events: &'a [Event],
        last: u32,
        mut odd: impl FnMut(&mut Shadow, Line),
    ) -> &'a [Event] {
        let s = &mut self.snapshot;
        if let [Event::State { spot, .. }, ..] = events {
            s.youngest = s.youngest.min(*spot as u8);
        }
        let (stamp, mut order, mut uneven, mut odd_lines) = (s.stamp, s.list_order, 0, 0);
        let mut rest = events;
        loop {
            rest = usual_lines(&mut self.objects.all, stamp, rest, &mut order, &mut uneven);
            let [Event::State { object, refcount, spot, finalized }, after @ ..] = rest else { break };
            if *spot == Spot::Collecting && self.collection.runs() {
                let from = rest.len();
                rest = collecting_lines(&mut self.objects.all, stamp, rest, &mut uneven);
                if rest.len() < from {
                    // Objects in lists may follow.
                    self.snapshot.youngest = 0;
                    continue;
                }
            }
            rest = after;
            self.snapshot.list_order = order.min(LAST);
            self.confidence.set_at(last.wrapping_sub(after.len() as u32));
            odd_lines += u32::from(!self.rare_line(*object, *refcount, *spot, *finalized, &mut odd));
            order = self.snapshot.list_order;
        }
        let s = &mut self.snapshot;
        s.list_order = order.min(LAST);
        s.listed += (events.len() - rest.len()) as u32 - odd_lines;
        s.uneven |= uneven;
        rest
    }

    /// A line that shows the object in no list, or is odd. False if it is odd.
    #[inline(never)]
    fn rare_line(
        &mut self,
        object: ObjId,
        refcount: u32,
        spot: Spot,
        finalized: bool,
        odd: &mut impl FnMut(&mut Shadow, Line),
    ) -> bool {
        let s = &mut self.snapshot;
        if matches!(spot, Spot::Untracked | Spot::NoHeader)
            && let Some(o) = self.objects.all.get_mut(object.index())
        {
            let wrong = (refcount == 0) | (o.stamp == s.stamp) | o.is(Object::GONE);
            if !wrong {
                if self.deeds.script_tracked() && spot == Spot::Untracked {
                    self.note_moved_by_script(object.index(), spot);
                }
                let s = &mut self.snapshot;
                let o = &mut self.objects.all[object.index()];
                s.uneven |= refcount ^ o.in_edges;
                o.refcount = refcount;
                o.stamp = s.stamp;
                o.spot = spot;
                o.status |= usual(spot, finalized) & Object::FINALIZED;
                o.generation = NOT_IN_A_LIST;
                o.usual = UNUSUAL;
                s.list_order = LAST;
                if spot == Spot::Untracked {
                    s.untracked.push(object.index() as u32 + 1);
                } else {
                    o.usual = usual(spot, finalized);
                }
                return true;
            }
        }
        odd(self, Line { object, refcount, spot, finalized });
        false
    }

    /// An odd line begins. False if the stream has not created the object.
    pub(crate) fn begin_odd_line(&mut self, line: Line) -> bool {
        (self.snapshot.uneven, self.snapshot.youngest) = (1, 0);
        let known = line.object.index() < self.objects.all.len();
        if !known {
            self.confidence.lose_stream();
        }
        known
    }

    /// Where an odd line puts its object in list order, which goes on from there if that is in order.
    pub(crate) fn place_odd_line(&mut self, object: ObjId, spot: Spot) -> Listed {
        let s = &mut self.snapshot;
        let order = match spot {
            Spot::Gen0 | Spot::Gen1 | Spot::Gen2 | Spot::Permanent => spot as u8,
            Spot::Collecting => s.list_order,
            Spot::Untracked | Spot::NoHeader => LAST,
        };
        if self.objects.get(object).is_some_and(|o| o.stamp == s.stamp) {
            Listed::Twice
        } else if order < s.list_order {
            Listed::OutOfOrder
        } else {
            s.list_order = order;
            Listed::InOrder
        }
    }

    /// An odd line shows an object in the list of this generation, or in none.
    pub(crate) fn set_generation(&mut self, object: ObjId, generation: u8) {
        if let Some(o) = self.objects.all.get_mut(object.index()) {
            o.generation = generation;
        }
    }

    /// An odd line has been looked at.
    pub(crate) fn end_odd_line(&mut self, line: Line) {
        let Line { object, refcount, spot, finalized } = line;
        if self.deeds.script_tracked() && object.index() < self.objects.all.len() {
            self.note_moved_by_script(object.index(), spot);
        }
        let s = &mut self.snapshot;
        let Some(o) = self.objects.all.get_mut(object.index()) else { return };
        o.refcount = refcount;
        o.spot = spot;
        o.stamp = s.stamp;
        o.usual = UNUSUAL;
        o.status |= if finalized { Object::FINALIZED } else { 0 };
        s.listed += 1;
        s.zero |= refcount == 0;
        if spot == Spot::Untracked {
            s.untracked.push(object.index() as u32 + 1);
        }
    }
}

/// Reads lines up to the first that is not that of a live object with references, in order, where it was before or in a
/// list that it may have gone to.
#[inline(always)]
fn usual_lines<'a>(
    objects: &mut [Object],
    stamp: u32,
    mut lines: &'a [Event],
    order: &mut u8,
    uneven: &mut u32,
) -> &'a [Event] {
    while let [Event::State { object, refcount, spot, finalized }, rest @ ..] = lines {
        let (place, line) = (*spot as u8, usual(*spot, *finalized));
        let Some(o) = objects.get_mut(object.index()) else { break };
        if place < *order || *refcount == 0 || o.stamp == stamp || (o.usual != line && !o.moves_on(*spot, line)) {
            break;
        }
        *uneven |= *refcount ^ o.in_edges;
        o.refcount = *refcount;
        o.stamp = stamp;
        *order = place;
        lines = rest;
    }
    lines
}

/// Reads lines up to the first that is not that of a live object with references among those that a collection looks at.
#[inline(always)]
fn collecting_lines<'a>(objects: &mut [Object], stamp: u32, mut lines: &'a [Event], uneven: &mut u32) -> &'a [Event] {
    while let [Event::State { object, refcount, spot: Spot::Collecting, finalized }, rest @ ..] = lines {
        let Some(o) = objects.get_mut(object.index()) else { break };
        if *refcount == 0 || o.stamp == stamp || o.is(Object::GONE) {
            break;
        }
        *uneven |= *refcount ^ o.in_edges;
        o.refcount = *refcount;
        o.stamp = stamp;
        o.spot = Spot::Collecting;
        o.status |= usual(Spot::Collecting, *finalized) & Object::FINALIZED;
        o.usual = UNUSUAL;
        lines = rest;
    }
    lines
}
