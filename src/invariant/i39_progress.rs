//! Verifies: garbage of the two younger generations is not left alone: once so many more objects were allocated than freed that
//! the thresholds ask for it, a collection of its generation, or of an older one, has run; no call of `gc.collect(0)`,
//! `gc.freeze()`, `gc.disable()` or `gc.enable()` in between puts it off.
//!
//! Does not verify: the oldest generation; what such a collection frees (I19).
//!
//! How many: the young generation is collected when allocations less deallocations pass `threshold0`, so within
//! `threshold0 + 1` of them. The middle one is collected with the first of these collections that finds more than `threshold1`
//! others behind it: `threshold1 + 2` times as many. For the oldest no number can be given: a full collection waits until
//! what has survived the middle generation is a quarter of what is in the oldest.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Facts, NONE, NOT_IN_A_LIST, Object, Shadow, Trait, unpack};
use super::violations::{Report, Violations};
use crate::event::Role;
use crate::scenario::{Op, Shape};
use crate::subject::{Choice, Expectation, Needs};

pub(super) struct I39;

impl Check for I39 {
    const DESCRIPTION: Description = Description {
        statement: "Once k x (threshold0 + 1) tracked objects more were allocated than freed, while collection was enabled, since \
                    an object became garbage, a collection of its generation or an older one has run. k is 1 for the young \
                    generation and threshold1 + 2 for the middle one, whose turn is with the collection that finds more than \
                    threshold1 others behind it.",
        premises: "Thresholds that the mutator has set; each time the count starts anew. Calls of `gc.collect(0)`, `gc.freeze()`, \
                   `gc.disable()` and `gc.enable()` are no excuse (gh-122567, open).",
        not: "What is frozen. The oldest generation, for which there is no such number: full collections wait for a quarter of it to have survived \
              the middle generation. Increments (3.14.0 to 3.14.4). What follows in a run after a script has begun that changes thresholds, enables, disables or \
              freezes. \
              Objects that are parts of others, or made in bulk, are not counted as allocated.",
        rests: &[Ground::Liveness],
        needs: Needs::SNAPSHOTS.and(Needs::LISTS).and(Needs::GENERATIONS),
        asks: &[Expectation::Collections],
        sentence: "{object} is garbage, and of {observed} allocations since then {expected} should have started a collection of its \
                   generation",
    };
}

/// Generations for which a number of allocations can be given.
const YOUNGER: usize = 2;

/// An object of a generation that became garbage, and how many objects more were allocated than freed since.
#[derive(Clone, Copy, Debug, Default)]
struct Witness {
    /// The object, or [`NONE`].
    object: u32,
    /// Up to the operation that ends.
    allocated: u32,
    /// Up to the one before.
    before: u32,
}

/// Counts allocations from one operation of the mutator to the next.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// Something is to be judged: thresholds are known and ask for collections.
    is_set: bool,
    /// A script may have changed when collections start.
    lost: bool,
    enabled: bool,
    /// `gc.freeze` was called, and no snapshot has shown since what it has frozen.
    frozen: bool,
    /// How many allocations make a collection of each generation due.
    due: [u32; YOUNGER],
    witnesses: [Witness; YOUNGER],
    /// Objects that existed, and were not freed, when the operation started.
    created: usize,
    live: u32,
    /// The last collection that was looked at.
    collection: u32,
    /// The operation that is going on makes objects in bulk: an interpreter whose own allocations start collections may start
    /// them afterwards only.
    builds: bool,
}

impl Clock {
    pub fn start(&mut self) {
        *self = Clock::default();
    }

    /// An operation of the mutator starts, or the scenario ends.
    #[inline]
    pub fn step(&mut self, s: &mut Shadow, out: &mut Violations) {
        if s.program().has(Trait::SetsThresholds) {
            self.tick(s, out);
        }
    }

    #[inline(never)]
    fn tick(&mut self, s: &mut Shadow, out: &mut Violations) {
        if s.deeds().scheduled() {
            // Which thresholds hold, and whether collection is enabled, is not known any more.
            (self.is_set, self.lost) = (false, true);
        }
        if self.is_set {
            self.count(s);
            self.look(s, out);
        }
        match s.op() {
            Some(Op::SetThreshold { thresholds: [young, middle, _] }) => {
                let young = u32::from(*young);
                self.is_set = young > 0 && !self.lost;
                self.due = [young + 1, (young + 1) * (u32::from(*middle) + 2)];
                self.witnesses = Default::default();
                self.collection = s.collection().number();
            }
            Some(Op::Freeze) => {
                self.frozen = true;
                self.witnesses = Default::default();
            }
            Some(Op::Enable) => self.enabled = true,
            Some(Op::Disable) => self.enabled = false,
            _ => {}
        }
        self.builds = matches!(s.op(), Some(Op::Build { .. }));
        (self.created, self.live) = (s.objects().all().len(), s.objects().live());
    }

    /// Counts what the operation that ends has allocated and freed. What collections and what runs inside of them do
    /// counts as freed only.
    fn count(&mut self, s: &Shadow) {
        let new = &s.objects().all()[self.created.min(s.objects().all().len())..];
        let freed = self.live + new.len() as u32 - s.objects().live().min(self.live + new.len() as u32);
        let counts = self.enabled && !self.builds && s.collection().number() == self.collection;
        let made = if counts { new.iter().filter(|o| is_counted(o)).count() as u32 } else { 0 };
        for witness in &mut self.witnesses {
            witness.before = witness.allocated;
            witness.allocated = (witness.allocated + made).saturating_sub(freed);
        }
    }

    /// Judges the garbage that is being waited for, and looks for some where none is.
    fn look(&mut self, s: &mut Shadow, out: &mut Violations) {
        if s.expectations().is(Choice::INCREMENTAL) || s.confidence().is_stream_unclear() {
            out.skip(Invariant::I39);
            return;
        }
        let collected =
            if s.collection().number() == self.collection { None } else { Some(s.collection().generation()) };
        self.collection = s.collection().number();
        self.frozen &= collected.is_none();
        if self.frozen {
            return;
        }
        s.update_base();
        for generation in 0..YOUNGER {
            let witness = self.witnesses[generation];
            if collected.is_some_and(|c| usize::from(c) >= generation) {
                if witness.object != NONE {
                    out.pass(Invariant::I39);
                }
                self.witnesses[generation] = Witness::default();
            } else if witness.object != NONE && garbage_in(s, witness.object) != Some(generation) {
                self.witnesses[generation] = Witness::default();
            } else if witness.object != NONE && witness.before.min(witness.allocated) >= self.due[generation] {
                let report = Report::collector(unpack(witness.object)).counts(self.due[generation], witness.allocated);
                out.fail(Invariant::I39, s, report);
                self.witnesses[generation] = Witness::default();
            }
        }
        self.find_witnesses(s);
    }

    /// Takes the first garbage of each generation of which none is being waited for: one look at what nothing reaches.
    fn find_witnesses(&mut self, s: &Shadow) {
        let mut wanted = self.witnesses.iter().filter(|witness| witness.object == NONE).count();
        if wanted == 0 {
            return;
        }
        s.objects().present().find_without(s.reach().base(), |at| {
            let object = at as u32 + 1;
            let generation = garbage_in(s, object).unwrap_or(YOUNGER);
            if let Some(witness) = self.witnesses.get_mut(generation).filter(|witness| witness.object == NONE) {
                *witness = Witness { object, ..Witness::default() };
                wanted -= 1;
            }
            wanted == 0
        });
    }
}

/// True for an object with a GC header, made by itself, of a type whose memory is not kept for the next of its kind.
fn is_counted(object: &Object) -> bool {
    let (facts, shape) = (object.facts(), object.facts().shape());
    let whole = shape.is_extension() || shape.is_python_class() && shape != Shape::Bare;
    whole
        && facts.role() == Role::Named
        && !shape.is_weak_container()
        && !shape.is_finalize()
        && !facts.is(Facts::NO_HEADER)
}

/// The generation in which the collector has the object, if nothing is known to reach it. What is surely reachable is up to
/// date.
fn garbage_in(s: &Shadow, object: u32) -> Option<usize> {
    let o = s.at(object).filter(|o| !o.is(Object::GONE | Object::UNKNOWN_HOLDERS))?;
    if s.reach().base().has(object as usize - 1) {
        return None;
    }
    match o.generation() {
        // Not seen since it was made: it can only be in the youngest.
        NOT_IN_A_LIST => (!o.was_seen() && is_counted(o) && !o.facts().is(Facts::UNTRACKED)).then_some(0),
        list => Some(usize::from(list)),
    }
}
