//! Functions with a closure: in Python they are made by another function, together with tuple and cell.

use std::collections::{BTreeMap, BTreeSet};

use crate::scenario::{Op, Place, Scenario, Shape};

/// The closures of the main body that are made of a cell and a tuple which nothing else names.
#[derive(Clone, Debug, Default)]
pub struct Closures {
    /// Index in the main body of the operation that makes the function, with what the cell holds.
    made: BTreeMap<usize, Place>,
    /// Operations that say nothing in Python.
    gone: BTreeSet<usize>,
}

impl Closures {
    /// Those of a scenario.
    pub fn new(scenario: &Scenario) -> Closures {
        let mut closures = Closures::default();
        let main = scenario.main();
        for (at, op) in main.iter().enumerate() {
            let Op::New { kind, items: [closure, _], .. } = op else { continue };
            if kind.shape != Shape::Function || closure.is_nothing() {
                continue;
            }
            let made_by = |place: Place, shape| {
                let is = |op: &Op| matches!(op, Op::New { dst, kind, .. } if *dst == place && kind.shape == shape);
                main[..at].iter().rposition(is)
            };
            let Some(tuple) = made_by(*closure, Shape::Tuple) else { continue };
            let Op::New { items: [cell_place, rest], .. } = main[tuple] else { continue };
            let Some(cell) = made_by(cell_place, Shape::Cell).filter(|_| rest.is_nothing()) else { continue };
            let Op::New { items: [content, _], .. } = main[cell] else { continue };
            let parts = [*closure, cell_place];
            let names = |op: &Op| {
                let mut found = false;
                { *op }.for_each_place(|place| found |= parts.iter().any(|part| place.base == part.base));
                found
            };
            let is_drop = |op: &Op| matches!(op, Op::Set { dst, src } if src.is_nothing() && parts.contains(dst));
            let others = |i: &usize| ![tuple, cell, at].contains(i) && names(&main[*i]);
            if (0..main.len()).filter(others).all(|i| is_drop(&main[i]) && i > at) {
                closures.gone.extend([tuple, cell]);
                closures.gone.extend((at..main.len()).filter(|i| is_drop(&main[*i])));
                closures.made.insert(at, content);
            }
        }
        closures
    }

    /// What the cell of the function holds that this operation makes.
    pub fn content(&self, at: usize) -> Option<Place> {
        self.made.get(&at).copied()
    }

    /// True if an operation says nothing.
    pub fn is_gone(&self, at: usize) -> bool {
        self.gone.contains(&at)
    }
}
