//! Why an interpreter does not do what a collector of the model does: the switches that, turned over, make the model do the
//! same, and the phase of a collection in which each acts first.
//!
//! Where two streams part is the effect. The cause may be phases earlier: a weak reference that one pass leaves alone is
//! seen only when the trash is cleared. So the phase is where the *insides* of the two models part, with and without the
//! switch.

use std::collections::BTreeMap;

use crate::event::{Event, EventBuffer, Phase, Place};
use crate::explain::{HeapPicture, pictures};
use crate::lockstep::{Comparison, Target, compare_observed};
use crate::model::collector::{Collector, Rules, Switch, SwitchClass};
use crate::model::machine::{Machine, PhasePoint};
use crate::scenario::Scenario;
use crate::subject::{Failure, Moment, Needs, SetupError, is_scheduled};
use crate::supervise::Limits;

/// So many times switches are turned over, each time on top of what was turned over before.
const MOST_STEPS: usize = 4;

/// What a subject with a process did with a scenario.
#[derive(Clone, Debug)]
pub struct RealRun {
    /// The scenario.
    pub scenario: Scenario,
    /// The events, up to the failure if there was one.
    pub events: Vec<Event>,
    /// When automatic collections were due, if it starts them by its own counts.
    pub moments: Option<Vec<Moment>>,
    /// Why it did not come to its end.
    pub failure: Option<Failure>,
    /// What its events show.
    pub observes: Needs,
}

/// Switches that were turned over together, and what that explains.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cause {
    /// The switches, each with what it is then: one, or two if no single one explains anything.
    pub switches: Vec<(Switch, bool)>,
    /// Other single switches that explain as much as the one.
    pub instead: Vec<Switch>,
    /// How many differences are explained with these and all before, and were not without these.
    pub explained: usize,
    /// In which phase of a collection they act first, with the number of the explained differences; the most frequent first.
    pub phases: Vec<(Phase, usize)>,
}

/// What explains differences between an interpreter and a collector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Causes {
    /// How many differences there are.
    pub differences: usize,
    /// What explains them, each on top of those before.
    pub causes: Vec<Cause>,
    /// The name of the collector with all these switches turned over, if there are any.
    pub collector: Option<String>,
}

impl Causes {
    /// How many differences are explained.
    pub fn explained(&self) -> usize {
        self.causes.iter().map(|cause| cause.explained).sum()
    }
}

/// Runs scenarios on the subject with a process of a target, each in a fresh process.
///
/// # Errors
/// [`SetupError`] if a process could not be started.
pub fn real_runs(target: &Target, scenarios: &[Scenario], limits: Limits) -> Result<Vec<RealRun>, SetupError> {
    let mut real = target.real.subject(0, limits)?;
    let mut runs = Vec::new();
    for scenario in scenarios {
        let (mut events, mut told, mut failure) = (Vec::new(), Vec::new(), None);
        let follows = real.has_own_schedule() && is_scheduled(scenario);
        real.restart();
        real.run_scheduled(&[scenario], &mut |_, run, moments, why| {
            events.extend_from_slice(run);
            told.extend_from_slice(moments);
            failure = why.cloned();
        })?;
        let moments = follows.then_some(told);
        let observes = real.declaration().observes;
        runs.push(RealRun { scenario: scenario.clone(), events, moments, failure, observes });
    }
    Ok(runs)
}

/// Turns over every switch and planted bug of a collector, one after the other, and keeps what makes it do most of what a
/// subject did on the scenarios on which the two differ; then the same again on top of that, while that explains more. Where
/// no single switch explains anything, two at a time.
pub fn causes(collector: &Collector, runs: &[RealRun]) -> Causes {
    let mut memory = Vec::new();
    let base = differences(collector.rules, collector, runs, &mut memory);
    let runs: Vec<(&RealRun, usize)> = runs.iter().zip(base).filter_map(|(run, at)| Some((run, at?))).collect();
    let mut explained = vec![false; runs.len()];
    let (mut rules, mut causes) = (collector.rules, Vec::new());
    let mut explains = |rules: Rules| -> Vec<bool> {
        let mut machine = Machine::new(&Collector { rules, ..collector.clone() });
        runs.iter().map(|(run, at)| is_explained(&mut machine, run, *at, &mut memory)).collect()
    };
    while causes.len() < MOST_STEPS && explained.contains(&false) {
        let count = |now: &[bool]| now.iter().filter(|is| **is).count();
        let before = count(&explained);
        let turned = |s: Switch| (s, rules.flip(s));
        let singles: Vec<(Switch, Rules)> =
            Switch::ALL.iter().map(|s| turned(*s)).filter(|(_, r)| *r != rules).collect();
        let mut best: Option<(Vec<Switch>, Rules, Vec<bool>)> = None;
        let mut instead = Vec::new();
        let is_rule = |s: Switch| s.class() == SwitchClass::Rule;
        // A rule that releases have is more likely than a bug that none has.
        for is_wanted in [true, false] {
            for (switch, with) in singles.iter().filter(|(s, _)| is_rule(*s) == is_wanted) {
                let now = explains(*with);
                let most = best.as_ref().map_or(before, |(_, _, most)| count(most));
                if count(&now) > most {
                    instead.clear();
                    best = Some((vec![*switch], *with, now));
                } else if best.is_some() && count(&now) == most {
                    instead.push(*switch);
                }
            }
        }
        if best.is_none() {
            let pairs = singles
                .iter()
                .enumerate()
                .flat_map(|(i, (a, with))| singles[i + 1..].iter().map(move |(b, _)| (*a, *b, with.flip(*b))));
            for (a, b, with) in pairs {
                let now = explains(with);
                if count(&now) > best.as_ref().map_or(before, |(_, _, most)| count(most)) {
                    best = Some((vec![a, b], with, now));
                }
            }
        }
        let Some((switches, with, now)) = best else { break };
        let mut phases: BTreeMap<Phase, usize> = BTreeMap::new();
        for ((run, _), _) in runs.iter().zip(explained.iter().zip(&now)).filter(|(_, (was, is))| **is && !**was) {
            let [one, other] = [rules, with].map(|rules| Collector { rules, ..collector.clone() });
            *phases.entry(first_phase(&run.scenario, run.moments.as_deref(), &one, &other)).or_default() += 1;
        }
        let mut phases: Vec<(Phase, usize)> = phases.into_iter().collect();
        phases.sort_by_key(|(phase, number)| (std::cmp::Reverse(*number), *phase));
        let switches = switches.into_iter().map(|s| (s, with.has(s))).collect();
        causes.push(Cause { switches, instead, explained: count(&now) - before, phases });
        (rules, explained) = (with, now);
    }
    let name = || Collector { rules, ..collector.clone() }.model_name();
    let collector = (!causes.is_empty()).then(name);
    Causes { differences: runs.len(), causes, collector }
}

/// After how many events each run differs from that of the collector; nothing if it does not.
fn differences(rules: Rules, collector: &Collector, runs: &[RealRun], memory: &mut Vec<Event>) -> Vec<Option<usize>> {
    let mut machine = Machine::new(&Collector { rules, ..collector.clone() });
    let mut difference = |run: &RealRun| match compared(&mut machine, run, memory) {
        Comparison::Different(difference) => Some(difference.at),
        _ => None,
    };
    runs.iter().map(&mut difference).collect()
}

/// True if a machine does what a subject did, and at least the event in which the subject differed from another model.
fn is_explained(machine: &mut Machine, run: &RealRun, at: usize, memory: &mut Vec<Event>) -> bool {
    match compared(machine, run, memory) {
        Comparison::Same | Comparison::Loose(_) => true,
        // What a model calls undefined before that event explains nothing, unless the process died there.
        Comparison::Undefined(_) => {
            let defined = memory.len() - 1;
            defined > at || defined == at && matches!(run.failure, Some(Failure::Died { .. }))
        }
        Comparison::Unsupported(_) | Comparison::Different(_) => false,
    }
}

fn compared(machine: &mut Machine, run: &RealRun, memory: &mut Vec<Event>) -> Comparison {
    let most = Limits::default().events();
    // What broke off is compared as far as it came.
    let mut out = EventBuffer::new(memory).keep(most).end_at(most);
    match &run.moments {
        Some(moments) => machine.follow(&run.scenario, moments, &mut out),
        None => machine.run(&run.scenario, &mut out),
    }
    drop(out);
    compare_observed(memory, &run.events, run.failure.as_ref(), run.observes)
}

/// The phase in which two collectors begin to do different things with a scenario, whether an event shows it or not.
/// Both have the schedule that is told, if one is.
pub fn first_phase(scenario: &Scenario, told: Option<&[Moment]>, one: &Collector, other: &Collector) -> Phase {
    let [(a, shots), (b, other_shots)] = [one, other].map(|collector| pictures(scenario, told, collector));
    let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let is_same = |(a, b): &(&HeapPicture, &HeapPicture)| a == b;
    let at = shots.iter().zip(&other_shots).take_while(is_same).count();
    let (Some(shot), Some(other_shot)) = (shots.get(at), other_shots.get(at)) else {
        return shown_phase(&a, &b, same);
    };
    // An event before the picture shows it earlier.
    if same < shot.event.min(other_shot.event) {
        return shown_phase(&a, &b, same);
    }
    match shot.moment {
        PhasePoint::Start => Phase::Mutator,
        PhasePoint::Deduced => Phase::Ded,
        PhasePoint::WeakrefsCleared => Phase::Wr1,
        PhasePoint::CallbacksDone => Phase::Cb,
        PhasePoint::FinalizersDone => Phase::Fin,
        // One picture is taken after the search for what was resurrected and the second pass: lists are of the first.
        PhasePoint::ResurrectionChecked if shot.has_same_places(other_shot) => Phase::Wr2,
        PhasePoint::ResurrectionChecked => Phase::Res,
        PhasePoint::Cleared => Phase::Del,
    }
}

/// The phase that the first event shows in which two streams differ.
fn shown_phase(a: &[Event], b: &[Event], at: usize) -> Phase {
    let phase = |events: &[Event]| {
        let before = Place::after(&events[..events.len().min(at)]).phase;
        match events.get(at) {
            // What a collection returns was decided while it ran.
            None | Some(Event::CollectEnd { .. } | Event::Step { .. }) => before,
            Some(event) => before.after(event),
        }
    };
    phase(a).max(phase(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::record;
    use crate::scenario::text;

    const C01: &str = include_str!("../../regressions/C01-bpo-38006.scn");

    fn scenario(source: &str) -> Scenario {
        text::parse(source).unwrap().scenario
    }

    /// What a collector would do as an interpreter.
    fn run_of(name: &str, scenario: &Scenario) -> RealRun {
        let events = record(|out| Machine::new(&Collector::parse(name).unwrap()).run(scenario, out));
        RealRun { scenario: scenario.clone(), events, moments: None, failure: None, observes: Needs::ALL }
    }

    #[test]
    fn the_switch_that_fixed_a_bug_explains_an_interpreter_that_has_it() {
        let row = Collector::parse("cpython-3.9.0").unwrap();
        let found = causes(&row, &[run_of("cpython-3.9.0-clear-trash-weakrefs", &scenario(C01))]);
        assert_eq!((found.differences, found.explained()), (1, 1));
        let [cause] = &found.causes[..] else { panic!("{found:?}") };
        assert_eq!(cause.switches, [(Switch::ClearTrashWeakrefs, false)]);
        // The pass before the callbacks leaves the weak reference alone; the first event of it comes when trash is cleared.
        assert_eq!(cause.phases, [(Phase::Wr1, 1)]);
        assert_eq!(found.collector.as_deref(), Some("cpython-3.9.0-clear-trash-weakrefs"));
    }

    #[test]
    fn planted_bugs_and_two_switches_are_found() {
        let cycle = scenario("coroner 1\n\na = Node()\na[0] = a\nb = ref(a, a)\ndel a\ncollect(2)\n");
        let count = scenario("coroner 1\n\na = Node()\na[0] = a\ndel a\ncollect(2)\n");
        let row = Collector::parse("cpython-3.12").unwrap();
        let both = "cpython-3.12+bug-count-one-more-clear-trash-weakrefs";
        let runs = [run_of(both, &count), run_of(both, &cycle), run_of(both, &scenario(C01))];
        let found = causes(&row, &runs);
        assert_eq!((found.differences, found.explained()), (3, 3), "{found:?}");
        let switches: Vec<_> = found.causes.iter().flat_map(|c| c.switches.clone()).collect();
        assert!(switches.contains(&(Switch::BugCountOneMore, true)), "{found:?}");
        assert!(switches.contains(&(Switch::ClearTrashWeakrefs, false)), "{found:?}");
    }

    #[test]
    fn what_agrees_needs_no_cause_and_what_nothing_explains_has_none() {
        let row = Collector::parse("cpython-3.12").unwrap();
        let mut run = run_of("cpython-3.12", &scenario(C01));
        assert_eq!(causes(&row, &[run.clone()]), Causes { differences: 0, causes: Vec::new(), collector: None });
        run.events.truncate(3);
        run.events.push(Event::Refused);
        let found = causes(&row, &[run]);
        assert_eq!((found.differences, found.causes.len(), found.collector), (1, 0, None));
    }
}
