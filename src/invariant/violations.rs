//! Collects violations and counts what was judged.

use super::Invariant;
use super::shadow::{Fault as Blame, Shadow};
use super::violation::{Class, Detail, Phase, Violation};
use crate::bits::Bits;
use crate::event::ObjId;
use crate::mutants::{self, Fault};
use crate::scenario::Shape;
use crate::subject::Expectation;

/// Highest number of violations of one invariant that a run reports in full.
pub const MAX_PER_INVARIANT: u32 = 8;

/// How often an invariant was judged in a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Judged {
    /// Occasions on which it held.
    pub passed: u32,
    /// Occasions on which it was broken, those over [`MAX_PER_INVARIANT`] included.
    pub violated: u32,
    /// Occasions on which an observation was missing.
    pub not_judged: u32,
}

/// The violations of one run.
#[derive(Debug)]
pub(crate) struct Violations {
    pub violations: Vec<Violation>,
    pub judged: [Judged; Invariant::COUNT],
    /// Highest number of violations of one invariant that are kept.
    limit: u32,
    /// The invariants that cannot be asked about it. They are looked at like the others, where time matters; what they say
    /// is turned away where they fail, and when the run ends.
    unasked: Bits<2>,
}

/// A violation about to be reported.
#[derive(Clone, Copy)]
pub(crate) struct Report {
    pub class: Class,
    pub why: Option<Expectation>,
    pub object: Option<ObjId>,
    pub other: Option<ObjId>,
    pub expected: Detail,
    pub observed: Detail,
}

impl Report {
    pub fn collector(object: Option<ObjId>) -> Report {
        let nothing = Detail::Nothing;
        Report { class: Class::Collector, why: None, object, other: None, expected: nothing, observed: nothing }
    }

    pub fn other(self, other: Option<ObjId>) -> Report {
        Report { other, ..self }
    }

    pub fn counts(self, expected: u32, observed: u32) -> Report {
        Report { expected: Detail::Count(expected), observed: Detail::Count(observed), ..self }
    }

    pub fn observed(self, words: &'static str) -> Report {
        Report { observed: Detail::Words(words), ..self }
    }

    pub fn class(self, class: Class) -> Report {
        Report { class, ..self }
    }

    /// A fault of a type if `fault` says so.
    pub fn blame_type(self, fault: bool) -> Report {
        if fault { self.class(Class::TypeFault) } else { self }
    }

    /// The fault of a type if it may have misled about one of the objects.
    pub fn misled(self, shadow: &Shadow) -> Report {
        self.blame_type(shadow.is_misled(self.object) || shadow.is_misled(self.other))
    }

    /// With this blame, or nothing if it is unclear.
    pub fn on(self, fault: Blame) -> Option<Report> {
        match fault {
            Blame::Collector => Some(self),
            Blame::Type => Some(self.class(Class::TypeFault)),
            Blame::Documented(why) => Some(self.excused(why)),
            Blame::Unclear => None,
        }
    }

    /// Documented if the excuse holds for the subject; unpromised if it cites no text.
    pub fn documented(self, why: Expectation, shadow: &Shadow) -> Report {
        if shadow.expectations().holds(why) || mutant!(ExcusesEveryRelease) { self.excused(why) } else { self }
    }

    fn excused(self, why: Expectation) -> Report {
        Report { class: class_of(why), why: Some(why), ..self }
    }
}

/// The class of a violation that an entry of the table excuses: documented if it cites a text.
pub(super) fn class_of(why: Expectation) -> Class {
    if why.permission().is_some() { Class::Documented } else { Class::Unpromised }
}

/// The class of a violation that nothing excuses: nobody's fault if the invariant rests on nothing.
pub(super) const fn unexcused(invariant: Invariant) -> Class {
    if invariant.promised() { Class::Collector } else { Class::Unpromised }
}

/// True if a mutant does not see violations where this one happens, or of objects like this.
#[inline(always)]
fn is_blind(shadow: &Shadow, object: Option<ObjId>) -> bool {
    let (c, phase) = (shadow.collection(), shadow.phase());
    let collects = |generation| c.runs() && c.generation() == generation;
    let is = |shape| object.and_then(|o| shadow.get(o)).is_some_and(|o| o.facts().shape() == shape);
    mutant!(BlindInGeneration0) && collects(0)
        || mutant!(BlindInGeneration1) && collects(1)
        || mutant!(BlindInAutomatic) && c.runs() && c.is_automatic()
        || mutant!(BlindOutsideCollections) && !c.runs()
        || mutant!(BlindInStart) && phase == Phase::Start
        || mutant!(BlindInCb) && phase == Phase::Cb
        || mutant!(BlindInFin) && phase == Phase::Fin
        || mutant!(BlindInDel) && phase == Phase::Del
        || mutant!(BlindInScripts) && !shadow.user_code().is_idle()
        || mutant!(BlindToTyped) && is(Shape::Typed)
        || mutant!(BlindToLists) && is(Shape::List)
        || mutant!(BlindToDicts) && is(Shape::Dict)
        || mutant!(BlindToInstances) && is(Shape::Instance)
        || mutant!(BlindToSlotted) && is(Shape::Slotted)
        || mutant!(BlindToCells) && is(Shape::Cell)
        || mutant!(BlindToProxies) && is(Shape::Proxy)
        || mutant!(BlindToKeyedRefs) && is(Shape::KeyedRef)
}

/// The violation as it is found: another one, or none, if the invariant has a fault that is planted.
#[inline(always)]
pub(super) fn planted(violation: Violation) -> Option<Violation> {
    let class = match violation.class {
        class if !mutants::has(Fault::Turned, violation.invariant.code()) => class,
        Class::Collector => Class::TypeFault,
        _ => Class::Collector,
    };
    (!mutants::has(Fault::Emptied, violation.invariant.code())).then_some(Violation { class, ..violation })
}

impl Violations {
    pub fn new() -> Violations {
        let judged = [Judged::default(); Invariant::COUNT];
        Violations { violations: Vec::new(), judged, limit: MAX_PER_INVARIANT, unasked: Bits::NONE }
    }

    /// Keeps up to so many violations of one invariant.
    pub fn keep(&mut self, limit: u32) {
        self.limit = limit;
    }

    pub fn start(&mut self) {
        self.violations.clear();
        self.judged = [Judged::default(); Invariant::COUNT];
    }

    /// The runs to come are of a subject about which these invariants cannot be asked.
    pub fn leave_out(&mut self, unasked: Bits<2>) {
        self.unasked = unasked;
    }

    /// What was not asked is neither passed nor violated.
    #[inline]
    pub fn finish(&mut self) {
        if !self.unasked.is_empty() {
            self.turn_away();
        }
    }

    #[cold]
    fn turn_away(&mut self) {
        for invariant in self.unasked.iter() {
            let judged = &mut self.judged[invariant];
            judged.not_judged += std::mem::take(&mut judged.passed);
        }
    }

    #[inline]
    pub fn pass(&mut self, invariant: Invariant) {
        self.judged[invariant as usize].passed += 1;
    }

    /// Several occasions at once.
    #[inline]
    pub fn passes(&mut self, invariant: Invariant, times: u32) {
        self.judged[invariant as usize].passed += times;
    }

    #[inline]
    pub fn skip(&mut self, invariant: Invariant) {
        self.judged[invariant as usize].not_judged += 1;
    }

    #[cold]
    pub fn fail(&mut self, invariant: Invariant, shadow: &Shadow, report: Report) {
        if mutants::has(Fault::Emptied, invariant.code()) || is_blind(shadow, report.object) {
            return self.pass(invariant);
        }
        let judged = &mut self.judged[invariant as usize];
        if self.unasked.has(invariant as usize) {
            judged.not_judged += 1;
            return;
        }
        judged.violated += 1;
        if judged.violated > self.limit {
            return;
        }
        let Report { class, why, object, other, expected, observed } = report;
        let class = if class == Class::Collector { unexcused(invariant) } else { class };
        let (phase, event, step) = (shadow.phase(), Some(shadow.confidence().at()), shadow.user_code().step());
        self.violations.extend(planted(Violation {
            invariant,
            class,
            why,
            phase,
            event,
            step,
            object,
            other,
            expected,
            observed,
        }));
    }

    #[inline]
    pub fn judge(&mut self, invariant: Invariant, shadow: &Shadow, holds: bool, report: impl FnOnce() -> Report) {
        if holds {
            self.pass(invariant);
        } else {
            self.fail(invariant, shadow, report());
        }
    }
}
