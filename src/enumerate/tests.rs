use super::*;
use crate::event::{Event, EventBuffer, ObjId};
use crate::invariant::{Class, Invariant, Judge};
use crate::model::collector::Collector;
use crate::model::machine::Machine;
use crate::scenario::Tracking;
use crate::subject::Declaration;

/// Runs scenarios and says which invariants the collector breaks.
struct Subject {
    machine: Machine,
    declaration: Declaration,
    judge: Judge,
    events: Vec<Event>,
}

impl Subject {
    fn new(name: &str) -> Subject {
        let collector = Collector::parse(name).unwrap();
        let declaration = Declaration::of_release(&collector.name, collector.release);
        Subject { machine: Machine::new(&collector), declaration, judge: Judge::new(), events: Vec::new() }
    }

    fn run(&mut self, scenario: &Scenario) -> &[Event] {
        self.machine.run(scenario, &mut EventBuffer::new(&mut self.events));
        &self.events
    }

    fn breaks(&mut self, scenario: &Scenario, invariant: Invariant) -> bool {
        self.run(scenario);
        let violations = self.judge.judge(scenario, &self.events, &self.declaration);
        violations.iter().any(|v| v.invariant == invariant && v.class == Class::Collector)
    }
}

#[test]
fn the_counts_of_small_scopes_are_as_documented() {
    let count = |objects, edges, decorations| Enumeration::new(Scope { objects, edges, decorations }).total();
    assert_eq!(Enumeration::new(Scope::new(1)).total(), 404);
    assert_eq!(Enumeration::new(Scope::new(2)).total(), 109_739);
    assert_eq!(count(1, 3, 0), 1);
    // One object with a loop: 1 set without decorations; 4 types; 3 finalizers, as no root is left to drop; its weak
    // references are held by a variable or by itself, with 3 callbacks each.
    assert_eq!(count(1, 3, 1), 1 + 4 + 3 + 6);
    // By hand: a loop and an edge (either object has the loop, the edge goes either way, the slots in both orders where
    // one object has both), two loops and an edge, a cycle with or without a loop, each with the roots that leave a cycle.
    assert_eq!(count(2, 2, 0), 1 + COUNT_2_2_0);
}

/// Two objects and at most two edges: the loop at 0 with 0->1 (2 orders of slots) has root none or 1, with 1->0 root none or 1
/// (1 keeps 0 alive then, so only none); the same with the loop at 1; and the cycle.
const COUNT_2_2_0: u64 = 2 * (2 * 2 + 1) + 1;

#[test]
fn scenarios_are_different_and_in_normal_length() {
    let mut seen = std::collections::BTreeSet::new();
    for (_, scenario) in Enumeration::new(Scope { objects: 2, edges: 3, decorations: 2 }) {
        assert!(seen.insert(format!("{:?}", scenario.ops())), "twice: {scenario:?}");
    }
    assert!(seen.len() > 5_000);
}

#[test]
fn an_enumeration_can_be_resumed_and_divided() {
    let scope = Scope { objects: 2, edges: 3, decorations: 1 };
    let all: Vec<_> = Enumeration::new(scope).collect();
    assert_eq!(all.len() as u64, Enumeration::new(scope).total());
    assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0));
    for start in [0, 1, 77, all[all.len() / 2].0, Enumeration::new(scope).end()] {
        let mut rest = Enumeration::new(scope);
        rest.seek(start);
        let rest: Vec<_> = rest.collect();
        assert_eq!(rest, all.iter().filter(|(index, _)| *index >= start).cloned().collect::<Vec<_>>());
    }
}

/// The events that user code or the collector cause, with objects numbered as `number` says.
fn observed(events: &[Event], number: impl Fn(ObjId) -> usize) -> Vec<(u64, usize, usize)> {
    let relevant = events.iter().filter_map(|event| {
        let none = usize::MAX;
        Some(match *event {
            Event::Enter { code, owner, arg } => (code as u64, number(owner), arg.map_or(none, &number)),
            Event::Leave => (100, none, none),
            Event::Saw { object, .. } => (101, number(object), none),
            Event::Answer { weak, referent } => (102, number(weak), referent.map_or(none, &number)),
            Event::CollectEnd { returned, uncollectable, .. } => (103, returned as usize, uncollectable as usize),
            Event::Clear { object } => (104, number(object), none),
            Event::Dealloc { object } => (105, number(object), none),
            Event::Free { object } => (106, number(object), none),
            Event::Undefined { reason } => (107, reason as usize, none),
            _ => return None,
        })
    });
    relevant.collect()
}

#[test]
fn what_is_left_out_behaves_as_the_copy_that_is_kept() {
    let mut subjects = ["cpython-2.7", "cpython-3.7", "cpython-3.13.0", "cpython-3.15"].map(Subject::new);
    let mut compared = 0;
    for graph in graph::graphs(3, 3) {
        for decorations in decorate::decorations(3, 2).iter().step_by(7) {
            if decorations.is_smallest_on(&graph) {
                continue;
            }
            let (smallest, renumbered) = decorations.copies(&graph).min().unwrap();
            let of = |object: usize| {
                // The order of tracked objects, and that of the others, is the same in both.
                let rank = |d: &Decorations, o: usize| {
                    (0..o).filter(|p| d.participation[*p].is_unlisted() == d.participation[o].is_unlisted()).count()
                };
                (0..3)
                    .find(|other| {
                        smallest.participation[*other].is_unlisted() == decorations.participation[object].is_unlisted()
                            && rank(&smallest, *other) == rank(decorations, object)
                    })
                    .unwrap()
            };
            let (mut one, mut two) = (Scenario::new(), Scenario::new());
            build::build(&graph, decorations, &mut one);
            build::build(&renumbered, &smallest, &mut two);
            for subject in &mut subjects {
                let number = |id: ObjId| if id.index() < 3 { of(id.index()) } else { id.index() };
                let left_out = observed(subject.run(&one), number);
                let kept = observed(subject.run(&two), ObjId::index);
                assert_eq!(left_out, kept, "{graph:?}\n{decorations:?}");
            }
            compared += 1;
        }
    }
    assert!(compared > 200, "{compared}");
}

/// The first scenario of the scope that breaks the invariant and that `wanted` accepts.
fn first(scope: Scope, name: &str, invariant: Invariant, wanted: impl Fn(&Scenario) -> bool) -> Scenario {
    let mut subject = Subject::new(name);
    let found = Enumeration::new(scope).find(|(_, scenario)| wanted(scenario) && subject.breaks(scenario, invariant));
    found.unwrap_or_else(|| panic!("{name} breaks {invariant:?} nowhere in {scope:?}")).1
}

#[test]
fn the_scope_contains_the_founding_bug_without_a_gc_header() {
    // Two objects, a weak reference and its callback.
    let wanted = |scenario: &Scenario| {
        let kinds: Vec<_> = scenario.ops().iter().filter_map(|op| op.kind()).collect();
        kinds.len() == 4 && kinds.iter().any(|kind| kind.tracking == Tracking::NoHeader)
    };
    let found = first(Scope::new(2), "cpython-3.7", Invariant::I15, wanted);
    assert!(!Subject::new("cpython-3.8").breaks(&found, Invariant::I15));
}

#[test]
fn the_scope_contains_the_weak_reference_made_by_a_finalizer() {
    let found = first(Scope::new(2), "cpython-3.13.0", Invariant::I01, |_| true);
    assert!(!Subject::new("cpython-3.15").breaks(&found, Invariant::I01));
}
