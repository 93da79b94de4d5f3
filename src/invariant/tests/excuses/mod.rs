//! Each excuse with its cause on the object itself, and with the cause beside it: the one is excused, the other is the
//! collector's fault.

mod collections;
mod finalizers;
mod narrow;
mod weakrefs;

use super::super::differential::{path_independence, steady_state};
use super::stream::Stream;
use super::type_excuses::TYPE_PAIRS;
use super::*;
use crate::subject::Expectation;

/// What excuses a violation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cause {
    /// An entry of the table of expectations.
    Entry(Expectation),
    /// What a type does, or what is done to its objects.
    Type(&'static str),
}

use Cause::{Entry, Type};

/// Something that breaks an invariant.
#[derive(Clone, Copy)]
pub(super) enum Run {
    /// A collector of the model and a scenario.
    Once(&'static str, &'static str),
    /// The same in rounds: [`steady_state`].
    Rounds(&'static str, &'static str),
    /// The same with other deaths of what is left: [`path_independence`].
    Paths(&'static str, &'static str),
    /// Events that no collector of the model shows, as from a release.
    Events(Release, fn(&mut Stream)),
}

use Run::{Events, Once, Paths, Rounds};

impl Run {
    fn found(self) -> Vec<Violation> {
        match self {
            Once(name, text) => {
                let (mut machine, scenario, declaration) = parse(name, text);
                let events = record(|out| machine.run(&scenario, out));
                Judge::new().judge(&scenario, &events, &declaration).to_vec()
            }
            Rounds(name, text) => rounds(name, text),
            Paths(name, text) => {
                let (mut machine, scenario, declaration) = parse(name, text);
                path_independence(&mut machine, &scenario, &declaration).unwrap()
            }
            Events(release, write) => {
                let mut stream = Stream::new();
                write(&mut stream);
                Judge::new().judge(&stream.scenario(), &stream.events, &declared(Some(release))).to_vec()
            }
        }
    }
}

/// A collector of the model, a scenario, and what is declared of the collector.
fn parse(name: &str, text: &str) -> (Machine, Scenario, Declaration) {
    let source = format!("coroner 1\n\n{text}");
    let scenario = crate::scenario::text::parse(&source).unwrap_or_else(|e| panic!("{source}: {e:?}")).scenario;
    let collector = Collector::parse(name).unwrap();
    (Machine::new(&collector), scenario, declared(Some(collector.release)))
}

/// What a scenario in rounds breaks.
fn rounds(name: &str, text: &str) -> Vec<Violation> {
    let (mut machine, scenario, declaration) = parse(name, text);
    steady_state(&mut machine, &scenario, &declaration).unwrap().into_iter().collect()
}

/// One excuse.
pub(super) struct Pair {
    cause: Cause,
    invariant: Invariant,
    /// The cause is on the object, or holds it, in the collection in which it happens.
    own: Run,
    /// The cause is beside it, and the collector breaks the second invariant.
    beside: (Invariant, Run),
}

pub(super) const fn pair(cause: Cause, invariant: Invariant, own: Run, beside: Run) -> Pair {
    Pair { cause, invariant, own, beside: (invariant, beside) }
}

const R27: Release = Release::new(2, 7, 18);
const R37: Release = Release::new(3, 7, 16);
const R38: Release = Release::new(3, 8, 0);
const R312: Release = Release::new(3, 12, 1);
const R314: Release = Release::new(3, 14, 10);

/// Every pair, by subject.
fn pairs() -> impl Iterator<Item = &'static Pair> {
    [collections::PAIRS, finalizers::PAIRS, TYPE_PAIRS, weakrefs::PAIRS].into_iter().flatten()
}

#[test]
fn a_cause_excuses_its_own_object_and_none_beside_it() {
    let mut wrong = Vec::new();
    for pair in pairs() {
        let (class, why) = match pair.cause {
            Entry(why) => (crate::invariant::violations::class_of(why), Some(why)),
            Type(_) => (Class::TypeFault, None),
        };
        let own = pair.own.found();
        // What no text forbids before 3.8 is not reported at all.
        let is_silent = pair.cause == Entry(Expectation::BeforeClearOld);
        let is_excused = |v: &Violation| (v.class, v.why) == (class, why);
        let mut same = own.iter().filter(|v| v.invariant == pair.invariant);
        let excused = same.clone().count() > 0 && same.all(is_excused);
        if is_silent != own.iter().all(|v| v.invariant != pair.invariant) || excused == is_silent {
            wrong.push(format!("{:?} does not excuse {}: {own:#?}", pair.cause, pair.invariant));
        }
        let (invariant, beside) = pair.beside;
        let beside = beside.found();
        let unexcused = |v: &&Violation| matches!(v.class, Class::Collector | Class::Unpromised) && v.why.is_none();
        if !beside.iter().filter(unexcused).any(|v| v.invariant == invariant) {
            wrong.push(format!("{:?} excuses {invariant} beside it: {beside:#?}", pair.cause));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_excuse_has_a_pair() {
    for excuse in Expectation::ALL.iter().filter(|entry| entry.excuses().is_some()) {
        assert!(pairs().any(|pair| pair.cause == Entry(*excuse)), "{excuse:?}");
    }
}
