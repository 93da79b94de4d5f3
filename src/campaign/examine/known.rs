//! Tells which of a run's `collector` violations are due to bugs that the baseline knows.
//!
//! A violation is known if the row of the subject shows the same one in the same scenario, and the row without a bug of the
//! baseline does not. So a bug excuses nothing that it does not cause, on a row, a variant of one, or an interpreter.

use crate::event::{Event, EventBuffer, ObjId};
use crate::findings::{Baseline, KnownBug, Sign, Verdict};
use crate::invariant::{Class, Invariant, Judge, MAX_PER_INVARIANT, Phase, Violation, differential};
use crate::scenario::Scenario;
use crate::subject::{Declaration, Moment, Spec, Subject, Variants, is_scheduled};

/// The violations of a run with what they mean.
pub(super) type Found = Vec<(Violation, Verdict)>;
/// Of each of them, the index in the baseline of the bug that it is due to.
pub(super) type DueTo = Vec<Option<u16>>;

/// Highest number of violations of one invariant in which two runs are compared: what one run reports is a part of it.
const MAX_COMPARED: u32 = 32 * MAX_PER_INVARIANT;

/// The bugs that the baseline knows of the rows of some subjects, and what it takes to tell whether one was at work.
pub(super) struct KnownBugs {
    variants: Box<dyn Variants>,
    /// The subjects have processes of their own, which may have schedules of their own.
    follows: bool,
    /// Of each subject, with the index in the baseline.
    bugs: Vec<Vec<(usize, KnownBug)>>,
    judge: Judge,
    events: Vec<Event>,
    row: Shown,
    repaired: Shown,
}

/// What a run shows.
#[derive(Default)]
struct Shown {
    violations: Vec<Violation>,
    last: Option<Event>,
    /// The operation that created each object, by its number.
    origins: Vec<u32>,
    /// Of these invariants there are more violations than those.
    cut_off: Vec<Invariant>,
}

/// What the violations of two runs of a scenario are compared by, but for the object.
type Place = (Invariant, Class, Option<u32>, Phase);

fn place(violation: &Violation) -> Place {
    (violation.invariant, violation.class, violation.step, violation.phase)
}

/// True if a mutant does not compare that in which two violations differ.
#[inline(always)]
fn passes_for_same(row: &Violation, violation: &Violation) -> bool {
    let Violation { invariant, class, step, phase, object, .. } = *row;
    let same = |changed: Violation| (place(row), object) == (place(&changed), changed.object);
    mutant!(KnownAnywhere) && invariant == violation.invariant
        || mutant!(KnownOfAnyClass) && same(Violation { class, ..*violation })
        || mutant!(KnownOfAnyObject) && same(Violation { object, ..*violation })
        || mutant!(KnownAtAnyStep) && same(Violation { step, ..*violation })
        || mutant!(KnownInAnyPhase) && same(Violation { phase, ..*violation })
}

impl Shown {
    fn take(&mut self, violations: &[Violation], last: Option<Event>, judge: &Judge) {
        self.violations.clear();
        self.violations.extend_from_slice(violations);
        self.last = last;
        self.cut_off.clear();
        let over = |i: &&Invariant| judge.judged(**i).violated > MAX_COMPARED;
        self.cut_off.extend(Invariant::ALL.iter().filter(over));
    }

    /// The operation that created an object: in runs that differ, objects have different numbers.
    fn origin(&self, object: Option<ObjId>) -> Option<u32> {
        object.and_then(|object| self.origins.get(object.index()).copied())
    }

    /// True if the same violation is among these.
    fn shows(&self, violation: &Violation) -> bool {
        let same = |v: &Violation| (place(v), v.object) == (place(violation), violation.object);
        self.violations.iter().any(|v| same(v) || passes_for_same(v, violation))
    }
}

impl KnownBugs {
    pub(super) fn new(spec: &dyn Spec, baseline: &Baseline) -> KnownBugs {
        let of = |d: &Declaration| baseline.of_row(&d.row).map(|(at, bug)| (at, bug.clone())).collect();
        KnownBugs {
            variants: spec.variants(),
            follows: spec.limits().is_some(),
            bugs: spec.declarations().iter().map(of).collect(),
            judge: Judge::keeping(MAX_COMPARED),
            events: Vec::new(),
            row: Shown::default(),
            repaired: Shown::default(),
        }
    }

    /// Decides on every `collector` violation of a run of the scenario by this subject, which had these events: the index in
    /// the baseline of the bug that it is due to.
    pub(super) fn settle(
        &mut self,
        of: (usize, &Declaration),
        run: (&Scenario, &[Event]),
        found: &mut Found,
        bugs: &mut DueTo,
    ) {
        bugs.clear();
        bugs.resize(found.len(), None);
        if !self.bugs[of.0].is_empty() && found.iter().any(|(v, _)| v.class == Class::Collector) {
            self.decide(of, run, found, bugs);
        }
    }

    #[cold]
    fn decide(
        &mut self,
        (subject, declaration): (usize, &Declaration),
        (scenario, run): (&Scenario, &[Event]),
        found: &mut Found,
        due_to: &mut DueTo,
    ) {
        let several = found.iter().any(|(v, _)| v.class == Class::Collector && differential::judges(v.invariant));
        // The rows' collections start where the subject's did.
        let told = (self.follows && is_scheduled(scenario)).then(|| Moment::shown_by(run));
        let KnownBugs { variants, judge, events, row, repaired, .. } = self;
        let mut show = |switches: &str, shown: &mut Shown| {
            let Some(machine) = variants.variant(subject, switches) else { return false };
            watch(machine, (scenario, told.as_deref()), declaration, several, (judge, events), shown);
            true
        };
        if !show("", row) {
            return;
        }
        for (at, bug) in &self.bugs[subject] {
            let open = |(v, due_to): (&Violation, Option<u16>)| {
                v.class == Class::Collector && due_to.is_none() && row.shows(v)
            };
            if !found.iter().zip(&*due_to).any(|((v, _), due_to)| open((v, *due_to))) {
                break;
            }
            let is_end = |reason| matches!(row.last, Some(Event::Undefined { reason: why }) if why == reason);
            let helps = match &bug.sign {
                Sign::GoneWith(_) if mutant!(FixNotAsked) => true,
                Sign::GoneWith(switches) => show(switches, repaired),
                Sign::Undefined(reason) => is_end(*reason),
            };
            if !helps {
                continue;
            }
            for ((violation, verdict), due_to) in found.iter_mut().zip(&mut *due_to) {
                let is_due = || match bug.sign {
                    Sign::GoneWith(_) => mutant!(FixNotAsked) || is_gone(violation, row, repaired),
                    Sign::Undefined(_) => is_the_end(violation, row),
                };
                if open((violation, *due_to)) && is_due() {
                    (*due_to, *verdict) = (Some(*at as u16), Verdict::Known);
                }
            }
        }
    }
}

/// Runs a scenario, with the schedule that is told if one is, and judges the events as they come.
fn watch(
    subject: &mut dyn Subject,
    (scenario, told): (&Scenario, Option<&[Moment]>),
    declaration: &Declaration,
    several: bool,
    (judge, memory): (&mut Judge, &mut Vec<Event>),
    shown: &mut Shown,
) {
    judge.start(scenario, declaration);
    let (mut last, origins) = (None, &mut shown.origins);
    origins.clear();
    let mut take = |events: &[Event]| {
        last = events.last().copied().or(last);
        // Objects are numbered in the order of their creation.
        origins
            .extend(events.iter().filter_map(|e| if let Event::New { origin, .. } = e { Some(*origin) } else { None }));
        judge.take(events);
    };
    // What broke off has been judged as far as it came.
    let mut out = EventBuffer::new(memory).keep(0).pass_to(&mut take);
    let _ = match told {
        Some(moments) => subject.follow(scenario, moments, &mut out),
        None => subject.run(scenario, &mut out),
    };
    drop(out);
    judge.finish();
    shown.take(judge.violations(), last, judge);
    if several {
        shown.violations.extend(differential::check(subject, scenario, declaration).unwrap_or_default());
    }
}

/// True if the violation, which the row shows, is not there without the bug.
fn is_gone(violation: &Violation, row: &Shown, repaired: &Shown) -> bool {
    let origin = row.origin(violation.object);
    let is_same = |v: &Violation| place(v) == place(violation) && repaired.origin(v.object) == origin;
    !repaired.cut_off.contains(&violation.invariant) && !repaired.violations.iter().any(is_same)
}

/// True if the violation is the undefined behaviour in which the row's run ends.
fn is_the_end(violation: &Violation, row: &Shown) -> bool {
    let last = row.violations.iter().rev().find(|v| v.invariant == Invariant::I05);
    last.is_some_and(|last| (place(last), last.object) == (place(violation), violation.object))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ObjId;
    use crate::invariant::Detail;

    #[test]
    fn a_row_shows_a_violation_that_is_the_same_in_everything() {
        let violation = Violation {
            invariant: Invariant::I02,
            class: Class::Collector,
            why: None,
            phase: Phase::Del,
            event: Some(90),
            step: Some(3),
            object: Some(ObjId::from_index(4)),
            other: None,
            expected: Detail::Nothing,
            observed: Detail::Nothing,
        };
        let row = Shown { violations: vec![violation], ..Shown::default() };
        // An event's number depends on what else happens, and who else is involved on what was found first.
        assert!(row.shows(&violation));
        assert!(row.shows(&Violation { event: Some(70), other: Some(ObjId::from_index(1)), ..violation }));
        for other in [
            Violation { invariant: Invariant::I03, ..violation },
            Violation { class: Class::TypeFault, ..violation },
            Violation { phase: Phase::Fin, ..violation },
            Violation { step: Some(4), ..violation },
            Violation { step: None, ..violation },
            Violation { object: Some(ObjId::from_index(5)), ..violation },
            Violation { object: None, ..violation },
        ] {
            assert!(!row.shows(&other), "{other:?}");
        }
    }
}
