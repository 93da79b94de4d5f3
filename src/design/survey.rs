//! Many scenarios on two collectors: how many differ in what, and the smallest of each.

use std::collections::BTreeMap;

use super::Aspect;
use super::difference::{Difference, differences};
use super::visible::Visible;
use crate::event::{Event, EventBuffer, MOST_KEPT};
use crate::model::collector::Collector;
use crate::model::machine::Machine;
use crate::scenario::text::{Document, Names};
use crate::scenario::{Finalizer, Kind as ObjectKind, Scenario};
use crate::shrink::{self, Budget, Measure};

/// What a change of rule means for one scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// The run asks for no switch that the collectors have differently.
    NotAsked,
    /// The events are the same.
    Nothing,
    /// The events differ, and users notice nothing.
    Inside,
    /// Users notice this.
    Visible(Vec<Difference>),
    /// More events than are kept: not compared.
    TooLong,
}

/// Two collectors at work.
pub struct Pair {
    old: (Collector, Machine),
    new: (Collector, Machine),
    events: [Vec<Event>; 2],
}

impl Pair {
    /// The collector as it is, and as it would be.
    pub fn new(old: &Collector, new: &Collector) -> Pair {
        let one = |collector: &Collector| (collector.clone(), Machine::new(collector));
        Pair { old: one(old), new: one(new), events: Default::default() }
    }

    /// What changes for a scenario.
    pub fn change(&mut self, scenario: &Scenario) -> Change {
        self.old.1.forget_asked();
        let long = run(&mut self.old.1, scenario, &mut self.events[0]);
        if self.new.0.rules.agrees(self.old.0.rules, self.old.1.asked()) {
            return Change::NotAsked;
        }
        let longer = run(&mut self.new.1, scenario, &mut self.events[1]);
        if self.events[0] == self.events[1] {
            return if long || longer { Change::TooLong } else { Change::Nothing };
        }
        if long || longer {
            return Change::TooLong;
        }
        let names = Names::default();
        let [old, new] = self.events.each_ref().map(|events| Visible::of(events, &names));
        match differences(&old, &new) {
            found if found.is_empty() => Change::Inside,
            found => Change::Visible(found),
        }
    }

    /// True if a scenario shows an aspect.
    fn shows(&mut self, scenario: &Scenario, aspect: Aspect) -> bool {
        matches!(self.change(scenario), Change::Visible(found) if found.iter().any(|d| d.aspect == aspect))
    }
}

/// Runs a scenario; true if not all events were kept.
fn run(machine: &mut Machine, scenario: &Scenario, events: &mut Vec<Event>) -> bool {
    let mut out = EventBuffer::new(events).keep(MOST_KEPT);
    machine.run(scenario, &mut out);
    out.finish() > MOST_KEPT as u64
}

/// True if a type takes part in collections as the protocol asks, and its finalizer is no `tp_del`: what classes of Python
/// do.
fn is_ordinary(kind: &ObjectKind) -> bool {
    let plain = ObjectKind { finalizer: None, on_call: None, ..*kind };
    plain == ObjectKind::new(kind.shape) && !matches!(kind.finalizer, Some(Finalizer::Legacy(_)))
}

fn has_ordinary_types(scenario: &Scenario) -> bool {
    scenario.ops().iter().filter_map(|op| op.kind()).all(is_ordinary)
}

/// The scenarios that show one aspect.
#[derive(Clone, Debug)]
struct Group {
    scenarios: u64,
    ordinary: u64,
    /// The best so far: with ordinary types rather than others, then the smallest, then the first.
    best: (bool, Measure, u64),
    scenario: Scenario,
}

/// What was found so far.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Scenarios that were run on both.
    pub scenarios: u64,
    /// Those that ask for no switch that the collectors have differently.
    pub not_asked: u64,
    /// Those that ask, and have the same events.
    pub same: u64,
    /// Those of which the events differ, and users notice nothing.
    pub inside: u64,
    /// Those that users notice.
    pub visible: u64,
    /// Those that have too many events to be compared.
    pub too_long: u64,
    groups: BTreeMap<Aspect, Group>,
}

/// One kind of difference, or several that one scenario shows.
#[derive(Clone, Debug)]
pub struct Kind {
    /// What differs, each with the number of scenarios and of those among them that have only ordinary types.
    pub aspects: Vec<(Aspect, u64, u64)>,
    /// Its smallest scenario.
    pub example: Reduced,
}

/// A reduced scenario.
#[derive(Clone, Debug)]
pub struct Reduced {
    /// The scenario.
    pub document: Document,
    /// No single reduction makes it smaller.
    pub minimal: bool,
    /// The number or index of the scenario that was reduced.
    pub from: u64,
    /// Everything that differs, with both outcomes.
    pub differences: Vec<Difference>,
}

impl Survey {
    /// Adds a scenario, by its number.
    pub fn add(&mut self, pair: &mut Pair, number: u64, scenario: &Scenario) {
        self.scenarios += 1;
        let found = match pair.change(scenario) {
            Change::NotAsked => return self.not_asked += 1,
            Change::Nothing => return self.same += 1,
            Change::Inside => return self.inside += 1,
            Change::TooLong => return self.too_long += 1,
            Change::Visible(found) => found,
        };
        self.visible += 1;
        let is_ordinary = has_ordinary_types(scenario);
        let mut aspects: Vec<Aspect> = found.iter().map(|difference| difference.aspect).collect();
        aspects.dedup();
        for aspect in aspects {
            let group = Group {
                scenarios: 1,
                ordinary: u64::from(is_ordinary),
                best: (!is_ordinary, Measure::of(scenario), number),
                scenario: Scenario::new(),
            };
            self.join(aspect, group, scenario);
        }
    }

    /// Adds what others found.
    pub fn merge(&mut self, other: Survey) {
        self.scenarios += other.scenarios;
        self.not_asked += other.not_asked;
        self.same += other.same;
        self.inside += other.inside;
        self.visible += other.visible;
        self.too_long += other.too_long;
        for (aspect, group) in other.groups {
            let scenario = group.scenario.clone();
            self.join(aspect, group, &scenario);
        }
    }

    fn join(&mut self, aspect: Aspect, group: Group, scenario: &Scenario) {
        match self.groups.get_mut(&aspect) {
            None => drop(self.groups.insert(aspect, Group { scenario: scenario.clone(), ..group })),
            Some(mine) => {
                mine.scenarios += group.scenarios;
                mine.ordinary += group.ordinary;
                if group.best < mine.best {
                    (mine.best, mine.scenario) = (group.best, scenario.clone());
                }
            }
        }
    }

    /// The aspects that were found so far.
    pub fn aspects(&self) -> impl Iterator<Item = Aspect> {
        self.groups.keys().copied()
    }

    /// Reduces the smallest scenario of each aspect, with at most so many tries. Aspects whose smallest scenarios are the
    /// same are one kind.
    pub fn kinds(&self, pair: &mut Pair, tries: u64) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = Vec::new();
        for (aspect, group) in &self.groups {
            let counted = (*aspect, group.scenarios, group.ordinary);
            let reduced = reduce(pair, *aspect, group, tries);
            let same = |kind: &&mut Kind| kind.example.document.scenario == reduced.document.scenario;
            match kinds.iter_mut().find(same) {
                Some(kind) => kind.aspects.push(counted),
                None => kinds.push(Kind { aspects: vec![counted], example: reduced }),
            }
        }
        kinds
    }
}

fn reduce(pair: &mut Pair, aspect: Aspect, group: &Group, tries: u64) -> Reduced {
    let needs_ordinary = has_ordinary_types(&group.scenario);
    let mut holds =
        |candidate: &Scenario| (!needs_ordinary || has_ordinary_types(candidate)) && pair.shows(candidate, aspect);
    let minimized = shrink::minimize(&group.scenario, &mut holds, Budget { tries }, &mut |_| {});
    let document = Document::new(&minimized.scenario);
    let differences = match pair.change(&document.scenario) {
        Change::Visible(found) => found,
        _ => Vec::new(),
    };
    Reduced { document, minimal: minimized.minimal, from: group.best.2, differences }
}
