//! A run depends on the switches it asks for and on no other.

use coroner::event::{Event, EventBuffer};
use coroner::generate::{Generator, PROFILES, Seed, Size};
use coroner::model::collector::{Collector, Switch};
use coroner::model::machine::Machine;
use coroner::scenario::Scenario;

const SCENARIOS: u64 = 12;

/// A model and its last run.
struct Model {
    machine: Machine,
    events: Vec<Event>,
}

impl Model {
    fn new(collector: &Collector) -> Model {
        Model { machine: Machine::new(collector), events: Vec::new() }
    }

    fn run(&mut self, scenario: &Scenario) {
        self.machine.forget_asked();
        self.machine.run(scenario, &mut EventBuffer::new(&mut self.events));
    }
}

fn each_scenario(size: Size, mut each: impl FnMut(&Scenario)) {
    let mut scenario = Scenario::new();
    for profile in PROFILES.iter().filter(|profile| !profile.is_huge()) {
        let mut generator = Generator::new(Seed::from(41), profile, size);
        for n in 0..SCENARIOS {
            generator.fill(n, &mut scenario);
            each(&scenario);
        }
    }
}

#[test]
fn a_switch_that_was_not_asked_for_changes_nothing() {
    for name in ["cpython-2.7", "cpython-3.7", "cpython-3.13.0", "cpython-3.14.4", "cpython-3.15"] {
        let right = Collector::parse(name).unwrap();
        let mut base = Model::new(&right);
        let flip = |s: &Switch| Collector { rules: right.rules.flip(*s), ..right.clone() };
        // The reversed order of every second run is a matter of how many runs there were.
        let stateful = |s: &&Switch| **s != Switch::BugNondeterministic;
        let mut flipped: Vec<(Switch, Model)> =
            Switch::ALL.iter().filter(stateful).map(|s| (*s, Model::new(&flip(s)))).collect();
        let (mut spared, mut changed) = (0, 0);
        for size in [Size::Small, Size::Large] {
            each_scenario(size, |scenario| {
                base.run(scenario);
                let asked = base.machine.asked();
                for (switch, model) in &mut flipped {
                    model.run(scenario);
                    let same = model.events == base.events;
                    assert!(same || asked.has(*switch), "{} on {name}: {scenario:?}", switch.name());
                    spared += u32::from(!asked.has(*switch));
                    changed += u32::from(!same);
                }
            });
        }
        assert!(spared > 1000 && changed > 100, "{name}: {spared} were not asked for, {changed} changed something");
    }
}

#[test]
fn rows_that_agree_in_what_was_asked_for_do_the_same() {
    let mut rows: Vec<Model> = Collector::all().iter().map(Model::new).collect();
    let (mut shared, mut runs) = (0, 0);
    for size in [Size::Small, Size::Large] {
        each_scenario(size, |scenario| {
            rows.iter_mut().for_each(|row| row.run(scenario));
            for (at, row) in rows.iter().enumerate() {
                let agrees = |o: &&Model| o.machine.rules().agrees(row.machine.rules(), o.machine.asked());
                runs += 1;
                let mut before = rows[..at].iter().filter(agrees).peekable();
                shared += u32::from(before.peek().is_some());
                before.for_each(|other| assert_eq!(other.events, row.events));
            }
        });
    }
    assert!(shared > runs / 3, "{shared} of {runs} runs were the same as one before");
}
