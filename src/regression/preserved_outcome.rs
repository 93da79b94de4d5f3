//! What a reduction of a regression file must keep: the outcome that the file is there for.
//!
//! * If some collector of the file breaks an invariant by its own fault, or behaviour is undefined, then the same
//!   collectors go wrong in the same way: the first violation that is the collector's fault and its phase, the same
//!   undefined behaviour. Those that do not go wrong still do not.
//! * Otherwise the violations of other classes stay the same, every fact that the file states about an object must be
//!   true of one object of the reduced scenario on every collector, different objects for different ones, under whatever
//!   name; and what the file states about return values and `gc.garbage` stays true.

use super::check::topics;
use super::outcome::{Topic, facts};
use crate::event::{Event, EventBuffer, Undefined};
use crate::invariant::{Class, Invariant, Judge, Phase};
use crate::scenario::Scenario;
use crate::scenario::text::{Document, Fact};
use crate::shrink;
use crate::subject::{Catalogue, Declaration, Subject, UnknownSubject};
use crate::supervise::Limits;

/// How a run went wrong: the first violation that is the collector's fault, and why the run was cut short.
type Wrong = (Option<(Invariant, Phase)>, Option<Undefined>);

/// What is known of one object on each collector, as bits, and the bits that the file states something about.
type Fate = (u8, Vec<u8>);

/// The outcome of a file, to be compared with that of smaller scenarios.
pub struct PreservedOutcome {
    /// Those that go wrong first: there most candidates fail.
    collectors: Vec<Member>,
    /// What else is kept if no collector goes wrong.
    stated: Option<Stated>,
    judge: Judge,
    events: Vec<Event>,
}

struct Member {
    subject: Box<dyn Subject>,
    declaration: Declaration,
    wrong: Wrong,
}

#[derive(Debug)]
struct Stated {
    /// For each collector the violations, each once.
    violations: Vec<Vec<(Invariant, Class)>>,
    fates: Vec<Fate>,
    /// For each collector what the last collection returned, and the length of `gc.garbage`, where the file says so.
    numbers: Vec<[Option<u32>; 2]>,
    returned: bool,
    garbage: bool,
}

impl PreservedOutcome {
    /// The outcome of a file on every collector that it expects something of, or on all rows if it expects nothing.
    ///
    /// # Errors
    /// [`UnknownSubject`] if it names one that does not exist, or that cannot be set up.
    pub fn new(document: &Document, catalogue: &dyn Catalogue) -> Result<PreservedOutcome, UnknownSubject> {
        let mut names: Vec<String> = document.expectations.iter().map(|e| e.collector.clone()).collect();
        if names.is_empty() {
            names = catalogue.all();
        }
        let member = |name: &String| {
            let spec = catalogue.find(name)?;
            let subject = spec.subject(0, Limits::default()).map_err(|error| UnknownSubject(error.to_string()))?;
            Ok(Member { subject, declaration: spec.declarations()[0].clone(), wrong: (None, None) })
        };
        let mut kept = PreservedOutcome {
            collectors: names.iter().map(member).collect::<Result<_, UnknownSubject>>()?,
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

    /// True if some collector breaks an invariant by its own fault, or behaviour is undefined.
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
            if self.broken() != stated.violations[at] {
                return false;
            }
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

    /// The events of the scenario on the first collector.
    pub(crate) fn run_first(&mut self, scenario: &Scenario) -> &[Event] {
        self.run(0, scenario);
        &self.events
    }

    /// Tries every reduction once and counts the tries as a search does, with one for the scenario itself.
    ///
    /// # Errors
    /// The first smaller scenario with the outcome.
    pub fn check_minimal(&mut self, scenario: &Scenario) -> Result<u64, Scenario> {
        let mut tries = 1;
        let mut holds = |candidate: &Scenario| {
            tries += 1;
            self.holds(candidate)
        };
        shrink::check_minimal(scenario, &mut holds).map(|()| tries)
    }

    fn run(&mut self, at: usize, scenario: &Scenario) -> Wrong {
        let member = &mut self.collectors[at];
        // What broke off is judged as far as it came.
        let _ = member.subject.run(scenario, &mut EventBuffer::new(&mut self.events));
        let violations = self.judge.judge(scenario, &self.events, &member.declaration);
        let fault = violations.iter().find(|v| v.class == Class::Collector).map(|v| (v.invariant, v.phase));
        let undefined = match self.events.last() {
            Some(Event::Undefined { reason }) => Some(*reason),
            _ => None,
        };
        (fault, undefined)
    }

    /// The violations of the last run, each once.
    fn broken(&self) -> Vec<(Invariant, Class)> {
        let mut broken: Vec<_> = self.judge.violations().iter().map(|v| (v.invariant, v.class)).collect();
        broken.sort_unstable();
        broken.dedup();
        broken
    }

    /// What the file states: what is true now, on its topics.
    fn state(&mut self, document: &Document) -> Stated {
        let topics = topics(document);
        let mut stated = Stated {
            violations: Vec::new(),
            fates: Vec::new(),
            numbers: Vec::new(),
            returned: topics.contains(&Topic::Returned),
            garbage: topics.contains(&Topic::Garbage),
        };
        let mut all = Vec::new();
        for at in 0..self.collectors.len() {
            self.run(at, &document.scenario);
            stated.violations.push(self.broken());
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
    use crate::lookup::Collectors;
    use crate::scenario::text;

    fn scenario(source: &str) -> Scenario {
        text::parse(source).unwrap().scenario
    }

    /// A file that states facts of two collectors.
    fn stating(facts: &str, source: &str) -> Document {
        let expect = |name: &str| format!("expect {name}: facts={facts}\n");
        text::parse(&format!("coroner 1\n{}{}{source}", expect("cpython-3.7.6"), expect("cpython-3.15.0"))).unwrap()
    }

    #[test]
    fn a_file_without_a_violation_keeps_what_it_states() {
        let document =
            stating("freed(a),returned=1", "x = Node()\nb = Node()\na = Node()\na[0] = a\ndel a\ncollect(2)\n");
        let mut kept = PreservedOutcome::new(&document, &Collectors).unwrap();
        assert!(!kept.goes_wrong() && kept.holds(&document.scenario));
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
        let source = "a = Node()\nb = Node()\ndel a\ndel b\ncollect(2)\n";
        let one = scenario("coroner 1\na = Node()\ndel a\ncollect(2)\n");
        let holds = |facts: &str| PreservedOutcome::new(&stating(facts, source), &Collectors).unwrap().holds(&one);
        assert!(holds("freed(a)") && !holds("freed(a),freed(b)"));
    }

    #[test]
    fn a_file_with_a_violation_keeps_who_goes_wrong() {
        let source = include_str!("../../regressions/C01c-bpo-38006-smallest.scn");
        let document = text::parse(source).unwrap();
        let mut kept = PreservedOutcome::new(&document, &Collectors).unwrap();
        assert!(kept.goes_wrong() && kept.holds(&document.scenario));
        assert!(!kept.holds(&scenario("coroner 1\na = Node()\na[0] = a\ndel a\ncollect(2)\n")));
    }
}
