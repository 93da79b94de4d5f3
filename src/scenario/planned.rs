//! How many objects a scenario is about to create, known before anything runs.

use super::{Op, Scenario};

/// Objects that are planned, at least.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Planned {
    /// By the mutator with all that it repeats, and by each script once. What a shape creates with an object (the dictionary of
    /// an instance, the lists of a weak container) is not counted.
    pub objects: u64,
    /// The operation that creates most of them, as its index in [`Scenario::ops`]; 0 if there is none.
    pub largest: usize,
}

impl Scenario {
    /// How many objects it creates.
    pub fn planned(&self) -> Planned {
        let mut planned = Planned::default();
        let mut most = 0;
        for (index, op) in self.ops().iter().enumerate() {
            let objects = self.made_by(op);
            planned.objects = planned.objects.saturating_add(objects);
            if objects > most {
                (most, planned.largest) = (objects, index);
            }
        }
        planned
    }

    /// What one operation creates. The body of a `repeat` is counted where it stands already: here are the other times. A
    /// `repeat` has effect in the mutator's body only, so that none is inside another.
    fn made_by(&self, op: &Op) -> u64 {
        match *op {
            Op::New { .. } => 1,
            Op::Build { count, .. } => u64::from(count),
            Op::Repeat { times, script } => {
                let direct = |op: &Op| if matches!(op, Op::Repeat { .. }) { 0 } else { self.made_by(op) };
                let once: u64 = self.body(usize::from(script.0) + 1).iter().map(direct).sum();
                once.saturating_mul(u64::from(times).saturating_sub(1))
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;

    fn planned(source: &str) -> Planned {
        text::parse(&format!("coroner 1\n{source}")).unwrap().scenario.planned()
    }

    #[test]
    fn what_is_built_and_what_is_repeated_counts() {
        assert_eq!(planned("a = Node()\nb = chain(1000, Node())\n"), Planned { objects: 1001, largest: 1 });
        let repeated = planned("def A():\n    a = ring(300, Node())\n    a = Node()\n\nrepeat(200, A)\n");
        assert_eq!(repeated.objects, 301 * 200);
        assert_eq!(planned("collect(2)\n"), Planned::default());
    }

    /// The model creates no more than was planned where no user code runs, and no fewer.
    #[test]
    fn the_model_creates_what_was_planned() {
        use crate::event::{Event, Role, record};
        use crate::model::collector::Collector;
        use crate::model::machine::Machine;
        let source =
            "coroner 1\ndef A():\n    a = tree(20, Node())\n\nrepeat(7, A)\nb = knots(50, Node())\nc = Node()\n";
        let scenario = text::parse(source).unwrap().scenario;
        let events = record(|out| Machine::new(&Collector::parse("cpython-3.15").unwrap()).run(&scenario, out));
        let made = events.iter().filter(|e| matches!(e, Event::New { role: Role::Named, .. })).count();
        assert_eq!(made as u64, scenario.planned().objects);
    }
}
