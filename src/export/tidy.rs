//! Makes a translation read better where its outcome stays the same: what is stored in a new object stands behind it.

use super::expected::Judged;
use crate::scenario::{Op, Place, Scenario};

/// The scenario with stores of an object to its own slots moved to where the object is made.
pub fn tidy(scenario: Scenario) -> Scenario {
    let mut bodies = scenario.to_bodies();
    let before = bodies.clone();
    let main = &mut bodies[0];
    for at in 0..main.len() {
        let Op::New { dst, .. } = main[at] else { continue };
        let loops = |op: &Op| match op {
            Op::Set { dst: to, src } => *src == dst && to.split().is_some_and(|(holder, _)| holder == dst),
            _ => false,
        };
        let touched = |op: &Op| op.target().is_some_and(|t: Place| t == dst) || matches!(op, Op::Collect { .. });
        let found = (at + 1..main.len()).take_while(|i| !touched(&main[*i])).find(|i| loops(&main[*i]));
        if let Some(found) = found.filter(|_| dst.is_bare()) {
            let store = main.remove(found);
            main.insert(at + 1, store);
        }
    }
    if bodies == before {
        return scenario;
    }
    let (tidied, old) = (Scenario::from_bodies(&bodies), Judged::new(&scenario));
    let new = Judged::new(&tidied);
    if old.is_same(&new) { tidied } else { scenario }
}
