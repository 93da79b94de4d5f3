//! Planted bugs: is each one found, by which invariant, after how many scenarios, and how small does it get?
//!
//! A planted bug is a [`Switch`] of class [`SwitchClass::Bug`]. It counts as found when the collector with the switch
//! breaks an invariant, as the collector's fault, on a scenario on which the same collector without the switch does not
//! break it. What releases get wrong anyway therefore finds nothing.

use crate::event::{Event, EventBuffer};
use crate::generate::{Generator, Profile, Seed, Size};
use crate::invariant::{Class, Invariant, Judge, Violation, differential};
use crate::model::collector::{Collector, Switch, SwitchClass, UnknownCollector};
use crate::model::machine::Machine;
use crate::scenario::{Op, Scenario};
use crate::shrink::{self, Minimized};
use crate::subject::Declaration;

/// One scenario in so many is judged by the differential invariants as well.
pub const DIFFERENTIAL_SAMPLE: u64 = 64;

/// Every planted bug, in the order of the enum.
pub fn planted() -> impl Iterator<Item = Switch> {
    Switch::ALL.iter().copied().filter(|switch| switch.class() == SwitchClass::Bug)
}

/// Where a planted bug is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SearchPlan {
    /// The collector that the bug is planted in.
    pub base: &'static str,
    /// The profile that scenarios are drawn from.
    pub profile: &'static str,
    /// How large they are.
    pub size: Size,
}

/// Where a planted bug is looked for: in the newest release by the default profile, unless what the bug is about exists
/// only elsewhere.
pub fn search_plan(bug: Switch) -> SearchPlan {
    let search = SearchPlan { base: "cpython-3.15", profile: "default", size: Size::Small };
    match bug {
        // From 3.14 on removals from a container that is iterated are not put off.
        Switch::BugContainerRemovesNew => SearchPlan { base: "cpython-3.12", profile: "planted", ..search },
        Switch::BugContainerKeepsDead => SearchPlan { profile: "containers", ..search },
        // From 3.14 on dicts are tracked from their creation.
        Switch::BugNeverTrackContainers => SearchPlan { base: "cpython-3.12", profile: "builtin", ..search },
        Switch::BugTraverseTwice => SearchPlan { profile: "builtin", ..search },
        // From 3.13.13 on a second pass clears them after the finalizers.
        Switch::BugKeepPlainWeakrefs => SearchPlan { base: "cpython-3.12", ..search },
        // Up to 3.12 the trashcan begins at a depth of 50.
        Switch::BugTrashcanForgets | Switch::BugAnswerDying => {
            SearchPlan { base: "cpython-3.12", profile: "planted", ..search }
        }
        // 2.7 ignores `tp_del` of static types.
        Switch::BugForgetGarbage | Switch::BugFinalizeLegacyReachable => SearchPlan { base: "cpython-3.12", ..search },
        Switch::BugFrozenAreCollected => SearchPlan { profile: "modes", ..search },
        // Many allocations take many operations.
        Switch::BugAutomaticYoungest => SearchPlan { profile: "modes", size: Size::Medium, ..search },
        _ => search,
    }
}

/// Planted bugs that no scenario can show, each with the reason. None is known.
pub const EQUIVALENT: &[(Switch, &str)] = &[];

/// Why no scenario can show a planted bug, if none can.
pub fn equivalent(bug: Switch) -> Option<&'static str> {
    EQUIVALENT.iter().find(|(switch, _)| *switch == bug).map(|(_, reason)| *reason)
}

/// Bounds of a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// The first seed; the others follow it.
    pub seed: u64,
    /// Number of seeds.
    pub seeds: u32,
    /// Highest number of scenarios per seed.
    pub budget: u64,
    /// Bound of the reduction of the first finding.
    pub shrink: shrink::Budget,
}

impl Default for Options {
    fn default() -> Options {
        Options { seed: 1, seeds: 5, budget: 100_000, shrink: shrink::Budget::default() }
    }
}

/// A finding of a planted bug.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundBug {
    /// The first invariant that is broken because of the bug.
    pub invariant: Invariant,
    /// How many scenarios it took, this one included.
    pub scenarios: u64,
    /// The scenario.
    pub scenario: Scenario,
}

/// What came of the search for one bug.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SearchOutcome {
    /// The bug.
    pub bug: Switch,
    /// The collector that it was planted in.
    pub collector: String,
    /// The finding of each seed.
    pub findings: Vec<Option<FoundBug>>,
    /// The finding of the first seed that has one, reduced.
    pub reduced: Option<Minimized>,
    /// Why the bug cannot be found, if it cannot.
    pub equivalent: Option<&'static str>,
}

impl SearchOutcome {
    /// The median number of scenarios; nothing if half of the seeds or more found nothing.
    pub fn median(&self) -> Option<u64> {
        let mut needed: Vec<u64> = self
            .findings
            .iter()
            .map(|finding| finding.as_ref().map_or(u64::MAX, |finding| finding.scenarios))
            .collect();
        needed.sort_unstable();
        needed.get(needed.len() / 2).copied().filter(|median| *median != u64::MAX)
    }

    /// The invariant that found the bug for the first seed that did.
    pub fn invariant(&self) -> Option<Invariant> {
        self.findings.iter().flatten().next().map(|finding| finding.invariant)
    }

    /// Objects of the reduced scenario: weak references count, objects that are there to be called do not.
    pub fn objects(&self) -> Option<usize> {
        let named = |op: &&Op| op.kind().is_some_and(|kind| kind.on_call.is_none());
        self.reduced.as_ref().map(|reduced| reduced.scenario.ops().iter().filter(named).count())
    }
}

/// A collector with something planted and the same without it.
#[derive(Debug)]
pub struct Pair {
    planted: Collector,
    machine: Machine,
    sound: Machine,
    declaration: Declaration,
    judge: Judge,
    events: Vec<Event>,
    /// The machine with the bug keeps something between runs.
    stateful: bool,
}

impl Pair {
    /// A variant and what it is compared with.
    ///
    /// # Errors
    /// [`UnknownCollector`] if there is no such collector.
    pub fn new(variant: &str, base: &str) -> Result<Pair, UnknownCollector> {
        let (sound, planted) = (Collector::parse(base)?, Collector::parse(variant)?);
        Ok(Pair {
            machine: Machine::new(&planted),
            sound: Machine::new(&sound),
            declaration: Declaration::of_release(&sound.name, sound.release),
            stateful: planted.rules.has(Switch::BugNondeterministic),
            planted,
            judge: Judge::new(),
            events: Vec::new(),
        })
    }

    /// The invariants that are broken as the collector's fault with what is planted and not without, those of one run
    /// before those of several.
    pub fn broken(&mut self, scenario: &Scenario, differential: bool) -> Vec<Invariant> {
        self.broken_by(scenario, differential, Class::Collector)
    }

    /// As [`Pair::broken`], for violations of another class.
    pub fn broken_by(&mut self, scenario: &Scenario, differential: bool, class: Class) -> Vec<Invariant> {
        if self.stateful {
            self.machine = Machine::new(&self.planted);
        }
        self.machine.run(scenario, &mut EventBuffer::new(&mut self.events));
        let (declaration, judge) = (&self.declaration, &mut self.judge);
        let violations = judge.judge(scenario, &self.events, declaration).iter();
        let mut broken: Vec<Invariant> = violations.filter(|v| v.class == class).map(|v| v.invariant).collect();
        if !broken.is_empty() {
            self.sound.run(scenario, &mut EventBuffer::new(&mut self.events));
            let anyway = self.judge.judge(scenario, &self.events, declaration);
            broken.retain(|invariant| anyway.iter().all(|v| v.invariant != *invariant));
        }
        if differential {
            let check = |machine: &mut Machine| differential::check(machine, scenario, declaration).unwrap_or_default();
            let with = check(&mut self.machine);
            // That a run can be repeated is asked of the subject that has the bug, not of a collector.
            let asked = |v: &Violation| v.class == class || v.invariant == Invariant::I41 && class == Class::Collector;
            let mut with = with.iter().filter(|v| asked(v)).map(|v| v.invariant).peekable();
            if with.peek().is_some() {
                let without = check(&mut self.sound);
                broken.extend(with.filter(|invariant| without.iter().all(|v| v.invariant != *invariant)));
            }
        }
        broken
    }
}

/// Looks for one planted bug with every seed and reduces the first finding.
///
/// # Errors
/// [`UnknownCollector`] if the row of [`search_plan`] does not exist.
pub fn search(bug: Switch, options: Options) -> Result<SearchOutcome, UnknownCollector> {
    search_in(bug, search_plan(bug), options)
}

/// Looks for one planted bug in a collector and profile of the caller's choice.
///
/// # Errors
/// [`UnknownCollector`] if there is no such collector.
pub fn search_in(bug: Switch, search: SearchPlan, options: Options) -> Result<SearchOutcome, UnknownCollector> {
    let mut pair = Pair::new(&format!("{}+{}", search.base, bug.name()), search.base)?;
    let findings: Vec<Option<FoundBug>> = (0..u64::from(options.seeds))
        .map(|seed| find(&mut pair, options.seed.wrapping_add(seed), search, options.budget))
        .collect();
    let reduced = findings.iter().flatten().next().map(|finding| {
        let mut same = |scenario: &Scenario| {
            pair.broken(scenario, is_differential(finding.invariant)).first() == Some(&finding.invariant)
        };
        shrink::minimize(&finding.scenario, &mut same, options.shrink, &mut |_| {})
    });
    let equivalent = equivalent(bug);
    Ok(SearchOutcome { bug, collector: pair.planted.name, findings, reduced, equivalent })
}

fn is_differential(invariant: Invariant) -> bool {
    matches!(invariant, Invariant::I18 | Invariant::I38 | Invariant::I41)
}

fn find(pair: &mut Pair, seed: u64, search: SearchPlan, budget: u64) -> Option<FoundBug> {
    let mut generator = Generator::new(Seed::from(seed), Profile::named(search.profile)?, search.size);
    let mut scenario = Scenario::new();
    (0..budget).find_map(|n| {
        generator.fill(n, &mut scenario);
        let invariant = *pair.broken(&scenario, n.is_multiple_of(DIFFERENTIAL_SAMPLE)).first()?;
        Some(FoundBug { invariant, scenarios: n + 1, scenario: scenario.clone() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Options = Options { seed: 1, seeds: 1, budget: 20_000, shrink: shrink::Budget { tries: 5_000 } };

    #[test]
    fn planted_bugs_are_found_and_become_small() {
        let mut found = 0;
        for bug in planted() {
            let outcome = search(bug, QUICK).unwrap();
            let reduced = outcome.reduced.as_ref().unwrap_or_else(|| panic!("{} is not found", bug.name()));
            assert!(reduced.minimal, "{}", bug.name());
            // What is allocated until a collection is due are objects, too.
            let most = if bug == Switch::BugAutomaticYoungest { 10 } else { 6 };
            assert!(outcome.objects().is_some_and(|objects| objects <= most), "{}", bug.name());
            assert_eq!(outcome.median(), outcome.findings[0].as_ref().map(|finding| finding.scenarios));
            found += 1;
        }
        assert_eq!(found, planted().count());
    }

    #[test]
    fn a_collector_without_a_bug_is_not_blamed() {
        // A switch that 3.15 has anyway changes nothing: whatever is broken is broken without it too.
        let search = SearchPlan { base: "cpython-3.15", profile: "default", size: Size::Small };
        let outcome = search_in(Switch::Pep442, search, Options { budget: 2_000, ..QUICK }).unwrap();
        assert_eq!((outcome.median(), outcome.reduced), (None, None));
    }

    #[test]
    fn what_is_marked_equivalent_is_a_planted_bug() {
        assert!(EQUIVALENT.iter().all(|(bug, reason)| bug.class() == SwitchClass::Bug && !reason.is_empty()));
    }

    #[test]
    fn the_median_needs_more_than_half_of_the_seeds() {
        let finding = |scenarios| Some(FoundBug { invariant: Invariant::I15, scenarios, scenario: Scenario::new() });
        let outcome = |findings: Vec<Option<FoundBug>>| SearchOutcome {
            bug: Switch::BugCallbackTwice,
            collector: String::new(),
            findings,
            reduced: None,
            equivalent: None,
        };
        assert_eq!(outcome(vec![finding(9), finding(1), finding(4)]).median(), Some(4));
        assert_eq!(outcome(vec![finding(9), None, finding(4)]).median(), Some(9));
        assert_eq!(outcome(vec![None, None, finding(4)]).median(), None);
    }
}
