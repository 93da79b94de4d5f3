//! Writing a changed copy of a scenario into a reused buffer.

use crate::scenario::{Op, Scenario};

/// Copies a scenario.
pub(super) fn copy(from: &Scenario, out: &mut Scenario) {
    filter_map(from, out, &mut |_, op| Some(op));
}

/// Copies a scenario with each operation replaced by what `change` makes of it, or left out. `change` is given the
/// index among all operations.
pub(super) fn filter_map(from: &Scenario, out: &mut Scenario, change: &mut dyn FnMut(usize, Op) -> Option<Op>) {
    flat_map(from, out, &mut |index, op, out| {
        if let Some(op) = change(index, op) {
            out.push(op);
        }
    });
}

/// Copies a scenario; `write` appends what stands in place of each operation.
pub(super) fn flat_map(from: &Scenario, out: &mut Scenario, write: &mut dyn FnMut(usize, Op, &mut Scenario)) {
    for body in 0..from.bodies() {
        out.start_body();
        for index in from.range(body) {
            write(index, from.ops()[index], out);
        }
    }
}
