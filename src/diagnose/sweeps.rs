//! Every way to add one or two full collections to a scenario: "collect at point k, for every k".
//!
//! A *point* is a place between two operations of a body: before each operation and at the end, in the mutator's body
//! and in every script. The scenarios are the given one with `collect` operations added, nothing else; they are not
//! normalized, so a point can be named by the operation of the given scenario that follows it.

use crate::scenario::{Op, Scenario};

/// A place for a collection: before operation `position` of a body, or at its end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Point {
    /// The body: 0 is the mutator's, k is script k - 1.
    pub body: usize,
    /// Index in the body; its length means the end.
    pub position: usize,
}

/// One scenario of a sweep.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Swept {
    /// Where a collection was added.
    pub first: Point,
    /// Where the other one was added, in a sweep over pairs. Not before `first`; the same point means twice there.
    pub second: Option<Point>,
    /// The scenario.
    pub scenario: Scenario,
}

/// The scenarios of a sweep, in order of their points.
#[derive(Clone, Debug)]
pub struct Sweep<'a> {
    scenario: &'a Scenario,
    points: Vec<Point>,
    pairs: bool,
    generation: u8,
    next: (usize, usize),
}

/// Every point of a scenario: the mutator's body first, then the scripts.
pub fn points(scenario: &Scenario) -> Vec<Point> {
    let bodies = scenario.bodies().max(1);
    let places = |body| (0..=scenario.body(body).len()).map(move |position| Point { body, position });
    (0..bodies).flat_map(places).collect()
}

/// The scenario with a collection added at each of the points, which are in order.
pub fn with_collections(scenario: &Scenario, points: &[Point], generation: u8) -> Scenario {
    let mut out = Scenario::new();
    for body in 0..scenario.bodies().max(1) {
        out.start_body();
        let ops = scenario.body(body);
        for position in 0..=ops.len() {
            for _ in points.iter().filter(|point| **point == Point { body, position }) {
                out.push(Op::Collect { generation });
            }
            if let Some(op) = ops.get(position) {
                out.push(*op);
            }
        }
    }
    out
}

impl<'a> Sweep<'a> {
    /// A sweep over every point, with one collection of the given generation.
    pub fn new(scenario: &'a Scenario, generation: u8) -> Sweep<'a> {
        Sweep { scenario, points: points(scenario), pairs: false, generation: generation.min(2), next: (0, 0) }
    }

    /// A sweep over every unordered pair of points, the same point twice included.
    pub fn pairs(scenario: &'a Scenario, generation: u8) -> Sweep<'a> {
        Sweep { pairs: true, ..Sweep::new(scenario, generation) }
    }

    /// How many scenarios the whole sweep has.
    pub fn total(&self) -> usize {
        let n = self.points.len();
        if self.pairs { n * (n + 1) / 2 } else { n }
    }
}

impl Iterator for Sweep<'_> {
    type Item = Swept;

    fn next(&mut self) -> Option<Swept> {
        let (first, second) = self.next;
        let one = *self.points.get(first)?;
        let two = self.points[second];
        if self.pairs && second + 1 < self.points.len() {
            self.next = (first, second + 1);
        } else {
            self.next = (first + 1, first + 1);
        }
        let second = self.pairs.then_some(two);
        let scenario = match second {
            Some(two) => with_collections(self.scenario, &[one, two], self.generation),
            None => with_collections(self.scenario, &[one], self.generation),
        };
        Some(Swept { first: one, second, scenario })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Code, Event, record};
    use crate::model::collector::Collector;
    use crate::model::machine::Machine;
    use crate::scenario::text;

    fn scenario(source: &str) -> Scenario {
        text::parse(source).unwrap().scenario
    }

    const SOURCE: &str = "coroner 1\n\ndef A():\n    look()\n    b = None\n\na = Node(finalizer=A)\na[0] = a\ndel a\n";

    #[test]
    fn a_collection_is_added_at_every_point() {
        let scenario = scenario("coroner 1\n\ndef A():\n    look()\n\na = Node(finalizer=A)\ndel a\n");
        let texts: Vec<String> = Sweep::new(&scenario, 2).map(|swept| text::print(&swept.scenario)).collect();
        assert_eq!(texts.len(), Sweep::new(&scenario, 2).total());
        let with = |script: &str, main: &str| format!("coroner 1\n\ndef A():\n{script}\n{main}");
        let script = "    look()\n";
        assert_eq!(
            texts,
            [
                with(script, "collect(2)\na = Node(finalizer=A)\ndel a\n"),
                with(script, "a = Node(finalizer=A)\ncollect(2)\ndel a\n"),
                with(script, "a = Node(finalizer=A)\ndel a\ncollect(2)\n"),
                with("    collect(2)\n    look()\n", "a = Node(finalizer=A)\ndel a\n"),
                with("    look()\n    collect(2)\n", "a = Node(finalizer=A)\ndel a\n"),
            ]
        );
    }

    #[test]
    fn pairs_are_unordered_and_complete() {
        let scenario = scenario(SOURCE);
        let points = points(&scenario);
        let pairs: Vec<_> = Sweep::pairs(&scenario, 2).map(|swept| (swept.first, swept.second.unwrap())).collect();
        assert_eq!(pairs.len(), Sweep::pairs(&scenario, 2).total());
        assert!(pairs.windows(2).all(|w| w[0] < w[1]));
        assert!(pairs.iter().all(|(a, b)| a <= b && points.contains(a) && points.contains(b)));
        assert!(Sweep::pairs(&scenario, 2).all(|s| s.scenario.ops().len() == scenario.ops().len() + 2));
    }

    #[test]
    fn only_a_collection_after_the_last_drop_finds_the_cycle() {
        let scenario = scenario(SOURCE);
        let mut machine = Machine::new(&Collector::parse("cpython-3.15").unwrap());
        let finalized = Sweep::new(&scenario, 2).filter(|swept| {
            let events = record(|out| machine.run(&swept.scenario, out));
            events.iter().any(|event| matches!(event, Event::Enter { code: Code::Finalizer, .. }))
        });
        let points: Vec<Point> = finalized.map(|swept| swept.first).collect();
        assert_eq!(points, [Point { body: 0, position: scenario.main().len() }]);
    }

    #[test]
    fn a_scenario_without_operations_has_one_point() {
        let empty = Scenario::new();
        let swept: Vec<Swept> = Sweep::new(&empty, 2).collect();
        assert_eq!(swept.len(), 1);
        assert_eq!(swept[0].scenario.main(), [Op::Collect { generation: 2 }]);
    }
}
