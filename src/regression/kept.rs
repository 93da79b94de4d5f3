//! What a reduction of a regression file must keep: the outcome that the file is there for.
//!
//! * If the scenario breaks an invariant or ends in undefined behaviour on some collector of the file, then the same
//!   collectors go wrong in the same way: the primary violation with its class (and its phase, where the collector is to
//!   blame), the same undefined behaviour. Those that do not go wrong still do not.
//! * Otherwise, every fact that the file states about an object must be true of one object of the reduced scenario on
//!   every collector, different objects for different ones, under whatever name; and what the file states about return
//!   values and `gc.garbage` stays true.

use super::check::topics;
use super::outcome::{Topic, facts};
use crate::collector::{Collector, UnknownCollector};
use crate::event::{Event, Undefined};
use crate::invariant::{Class, Invariant, Judge, Phase};
use crate::run::Machine;
use crate::scenario::Scenario;
use crate::scenario::text::{Document, Fact};
use crate::shrink;
use crate::subject::Release;

/// How a run went wrong: its primary violation, and why it was cut short.
type Wrong = (Option<(Invariant, Class, Option<Phase>)>, Option<Undefined>);

/// What is known of one object on each collector, as bits, and the bits that the file states something about.
type Fate = (u8, Vec<u8>);

/// The outcome of a file, to be compared with that of smaller scenarios.
#[derive(Debug)]
pub struct Kept {
    /// Those that go wrong first: there most candidates fail.
    collectors: Vec<Subject>,
    /// The number of variables that facts are about, and the facts for each collector; `None` if some collector goes
    /// wrong.
    stated: Option<Stated>,
    judge: Judge,
    events: Vec<Event>,
}

#[derive(Debug)]
struct Subject {
    machine: Machine,
    release: Release,
    wrong: Wrong,
}

#[derive(Debug)]
struct Stated {
    fates: Vec<Fate>,
    /// For each collector what the last collection returned, and the length of `gc.garbage`, where the file says so.
    numbers: Vec<[Option<u32>; 2]>,
    returned: bool,
    garbage: bool,
}

impl Kept {
    /// The outcome of a file on every collector that it expects something of, or on all rows if it expects nothing.
    ///
    /// # Errors
    /// [`UnknownCollector`] if it names one that does not exist.
    pub fn new(document: &Document) -> Result<Kept, UnknownCollector> {
        let names = document.expectations.iter().map(|e| Collector::parse(&e.collector));
        let mut collectors = names.collect::<Result<Vec<Collector>, UnknownCollector>>()?;
        if collectors.is_empty() {
            collectors = Collector::all();
        }
        let subject = |c: &Collector| Subject { machine: Machine::new(c), release: c.release, wrong: (None, None) };
        let mut kept = Kept {
            collectors: collectors.iter().map(subject).collect(),
            stated: None,
            judge: Judge::new(),
            events: Vec::new(),
        };
        for at in 0..kept.collectors.len() {
            kept.collectors[at].wrong = kept.run(at, &document.scenario);
        }
        if kept.goes_wrong() {
            kept.collectors.sort_by_key(|c| c.wrong == (None, None));
        } else {
            kept.stated = Some(kept.state(document));
        }
        Ok(kept)
    }

    /// True if some collector breaks an invariant, or behaviour is undefined.
    pub fn goes_wrong(&self) -> bool {
        self.collectors.iter().any(|c| c.wrong != (None, None))
    }

    /// True if the scenario has the outcome.
    pub fn holds(&mut self, scenario: &Scenario) -> bool {
        let (mut all, mut numbers) = (Vec::new(), Vec::new());
        for at in 0..self.collectors.len() {
            if self.run(at, scenario) != self.collectors[at].wrong {
                return false;
            }
            let Some(stated) = &self.stated else { continue };
            let facts = facts(scenario, &self.events);
            numbers.push(stated.numbers_of(&facts));
            if numbers[at] != stated.numbers[at] {
                return false;
            }
            all.push(facts);
        }
        let Some(stated) = &self.stated else { return true };
        let fates: Vec<Vec<u8>> = (0..scenario.vars()).map(|var| fates(&all, var)).collect();
        assigned(&stated.fates, &fates, &mut vec![false; fates.len()])
    }

    /// Tries every reduction once and counts them.
    ///
    /// # Errors
    /// The first smaller scenario with the outcome.
    pub fn check_minimal(&mut self, scenario: &Scenario) -> Result<u64, Scenario> {
        let mut tries = 0;
        let mut holds = |candidate: &Scenario| {
            tries += 1;
            self.holds(candidate)
        };
        shrink::check_minimal(scenario, &mut holds).map(|()| tries)
    }

    fn run(&mut self, at: usize, scenario: &Scenario) -> Wrong {
        self.events.clear();
        let subject = &mut self.collectors[at];
        subject.machine.run(scenario, &mut self.events);
        let violations = self.judge.judge(scenario, &self.events, Some(subject.release));
        let primary = violations.first().map(|v| {
            let phase = (v.class == Class::Collector).then_some(v.phase);
            (v.invariant, v.class, phase)
        });
        let undefined = match self.events.last() {
            Some(Event::Undefined { reason }) => Some(*reason),
            _ => None,
        };
        (primary, undefined)
    }

    /// What the file states: what is true now, on its topics.
    fn state(&mut self, document: &Document) -> Stated {
        let topics = topics(document);
        let mut stated = Stated {
            fates: Vec::new(),
            numbers: Vec::new(),
            returned: topics.contains(&Topic::Returned),
            garbage: topics.contains(&Topic::Garbage),
        };
        let mut all = Vec::new();
        for at in 0..self.collectors.len() {
            self.run(at, &document.scenario);
            all.push(facts(&document.scenario, &self.events));
        }
        stated.numbers = all.iter().map(|facts| stated.numbers_of(facts)).collect();
        for var in 0..document.scenario.vars() {
            let about =
                [(Topic::Fate(var), ALIVE | FREED), (Topic::Cleared(var), CLEARED), (Topic::Finalized(var), FINALIZED)];
            let mask = about.iter().filter(|(topic, _)| topics.contains(topic)).fold(0, |mask, (_, bits)| mask | bits);
            if mask != 0 {
                stated.fates.push((mask, fates(&all, var).iter().map(|bits| bits & mask).collect()));
            }
        }
        stated
    }
}

impl Stated {
    fn numbers_of(&self, facts: &[Fact]) -> [Option<u32>; 2] {
        let mut numbers = [None; 2];
        for fact in facts {
            match *fact {
                Fact::Returned(n) if self.returned => numbers[0] = Some(n),
                Fact::Garbage(n) if self.garbage => numbers[1] = Some(n),
                _ => {}
            }
        }
        numbers
    }
}

const ALIVE: u8 = 1;
const FREED: u8 = 2;
const CLEARED: u8 = 4;
const FINALIZED: u8 = 8;

/// What is true of a variable's object on each collector.
fn fates(all: &[Vec<Fact>], var: u16) -> Vec<u8> {
    let bit = |fact: &Fact| match *fact {
        Fact::Alive(v) if v == var => ALIVE,
        Fact::Freed(v) if v == var => FREED,
        Fact::Cleared(v) if v == var => CLEARED,
        Fact::Finalized(v) if v == var => FINALIZED,
        _ => 0,
    };
    all.iter().map(|facts| facts.iter().fold(0, |bits, fact| bits | bit(fact))).collect()
}

/// True if each of the wanted fates has an object of its own.
fn assigned(wanted: &[Fate], found: &[Vec<u8>], taken: &mut Vec<bool>) -> bool {
    let Some(((mask, fate), rest)) = wanted.split_first() else { return true };
    for at in 0..found.len() {
        let fits = !taken[at] && fate.iter().zip(&found[at]).all(|(wanted, bits)| bits & mask == *wanted);
        if fits {
            taken[at] = true;
            if assigned(rest, found, taken) {
                return true;
            }
            taken[at] = false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regression::Runner;
    use crate::scenario::text;

    fn blessed(source: &str) -> Document {
        let mut document = text::parse(source).unwrap();
        Runner::new().bless(&mut document).unwrap();
        document
    }

    #[test]
    fn a_file_without_a_violation_keeps_what_it_states() {
        let source = "coroner 1\nsame: x\nx = Node()\nb = Node()\na = Node()\na[0] = a\ndel a\ncollect(2)\n";
        let mut document = blessed(source);
        let topical = |fact: &Fact| matches!(fact, Fact::Freed(2) | Fact::Returned(_));
        document.expectations.iter_mut().for_each(|e| e.facts.retain(topical));
        let mut kept = Kept::new(&document).unwrap();
        assert!(!kept.goes_wrong() && kept.holds(&document.scenario));
        let scenario = |source: &str| text::parse(source).unwrap().scenario;
        assert!(kept.holds(&scenario("coroner 1\nz = Node()\nz[0] = z\ndel z\ncollect(2)\n")));
        // Freed, but the collection returns nothing; returned, but no variable's object is freed.
        assert!(!kept.holds(&scenario("coroner 1\nz = Node()\ndel z\ncollect(2)\n")));
        assert!(!kept.holds(&scenario("coroner 1\nz = Node()\nz[0] = Node()\nz[0][0] = z[0]\ndel z[0]\ncollect(2)\n")));
        let smaller = kept.check_minimal(&document.scenario).unwrap_err();
        assert!(kept.holds(&smaller));
        assert!(kept.check_minimal(&scenario("coroner 1\nz = Node()\nz[0] = z\ndel z\ncollect(2)\n")).is_ok());
    }

    #[test]
    fn two_facts_need_two_objects() {
        let source = "coroner 1\nsame: x\na = Node()\nb = Node()\ndel a\ndel b\ncollect(2)\n";
        let mut kept = Kept::new(&blessed(source)).unwrap();
        assert!(!kept.holds(&text::parse("coroner 1\na = Node()\ndel a\ncollect(2)\n").unwrap().scenario));
    }

    #[test]
    fn a_file_with_a_violation_keeps_who_goes_wrong() {
        let source = include_str!("../../regressions/C01c-bpo-38006-smallest.scn");
        let document = text::parse(source).unwrap();
        let mut kept = Kept::new(&document).unwrap();
        assert!(kept.goes_wrong() && kept.holds(&document.scenario));
        assert!(!kept.holds(&text::parse("coroner 1\na = Node()\na[0] = a\ndel a\ncollect(2)\n").unwrap().scenario));
    }
}
