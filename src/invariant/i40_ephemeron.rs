//! Verifies: after a full collection, a key of a weak-key dictionary is not kept alive by the value stored under it.
//!
//! Does not verify: keys kept alive by two dictionaries in a circle. CPython never promised this (bpo-44680).

use super::Invariant;
use super::registry::Description;
use super::shadow::{NONE, Shadow, WeakRec, unpack};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::scenario::Shape;
use crate::subject::{Expectation, Needs};

pub(super) const DESCRIPTION: Description = Description {
    name: "ephemeron",
    statement: "An entry of a weak-key dictionary whose value reaches its key does not keep the key alive.",
    premises: "None; an expected failure of every release.",
    not: "Keys that two dictionaries keep alive in a circle.",
    promised: false,
    needs: Needs::UNREACHABLE.and(Needs::WEAKREFS),
    asks: &[Expectation::NoEphemerons],
    sentence: "{object} is kept alive by {other}, the value stored under it",
};

/// The value stored in a weak-key dictionary under the key that a weak reference refers to.
fn stored_under(s: &Shadow, r: &WeakRec) -> u32 {
    let Some(container) = s.at(r.container).filter(|c| c.facts.shape == Shape::WeakKeyDict) else { return NONE };
    let Some(data) = s.at(container.slots[0]) else { return NONE };
    let mut found = NONE;
    let mut key = 0xff;
    s.for_edges(data, |slot, edge| {
        if edge == r.weak && slot % 2 == 0 {
            key = slot;
        } else if key != 0xff && slot == key + 1 {
            found = edge;
        }
    });
    found
}

#[inline]
pub(super) fn collected(s: &mut Shadow, out: &mut Violations) {
    if s.col.generation == 2 && s.weaks.iter().any(|r| r.container != NONE) {
        entries(s, out);
    }
}

#[cold]
fn entries(s: &mut Shadow, out: &mut Violations) {
    s.update_base();
    for at in 0..s.weaks.len() {
        let r = s.weaks[at];
        let stored = stored_under(s, &r);
        let (Some(key), Some(value)) = (s.at(r.referent).copied(), s.at(stored).copied()) else { continue };
        let rooted = |edge: u32| edge != NONE && s.base.has(edge as usize - 1);
        if !r.live || !key.held() || !value.held() || !rooted(r.container) {
            continue;
        }
        // Take the value out of the dict, and look whether the key is still reachable.
        let reaches =
            s.leads(stored, r.referent as usize - 1) && key.in_edges > 0 && !s.reaches_without(r.referent, r.container);
        out.judge(Invariant::I40, s, !reaches, || {
            let key: Option<ObjId> = unpack(r.referent);
            Report::collector(key).other(unpack(stored)).documented(Expectation::NoEphemerons, s)
        });
    }
}
