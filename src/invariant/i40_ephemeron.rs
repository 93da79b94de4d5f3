//! Verifies: after a full collection, a key of a weak-key dictionary is not kept alive by the value stored under it, nor the
//! object of a `finalize` by what that is to call.
//!
//! Does not verify: keys kept alive by two dictionaries in a circle. CPython never promised this (bpo-44680).

use super::Invariant;
use super::check::Check;
use super::description::Description;
use super::shadow::{Keeps, NONE, Shadow, Trait, WeakRec, unpack};
use super::violations::{Report, Violations};
use crate::scenario::Shape;
use crate::subject::{Expectation, Needs};

pub(super) struct I40;

impl Check for I40 {
    const DESCRIPTION: Description = Description {
        statement: "An entry of a weak-key dictionary whose value reaches its key does not keep the key alive, nor does a \
                    `finalize` keep its object whose function reaches that.",
        premises: "None; both are expected failures of every release.",
        not: "Keys that two dictionaries keep alive in a circle.",
        rests: &[],
        needs: Needs::UNREACHABLE.and(Needs::WEAKREFS),
        asks: &[Expectation::NoEphemerons, Expectation::FinalizeOwns],
        sentence: "{object} is kept alive by {other}, which is there because of it",
    };

    #[inline]
    fn collected_at_rest(s: &mut Shadow, out: &mut Violations) {
        if s.collection().generation() != 2 {
            return;
        }
        if s.weakrefs().records().iter().any(|r| r.container() != NONE) {
            entries(s, out);
        }
        if s.program().has(Trait::Finalizes) && !mutant!(I40NotForFinalize) {
            finalizes(s, out);
        }
    }
}

/// The value stored in a weak-key dictionary under the key that a weak reference refers to.
fn stored_under(s: &Shadow, r: &WeakRec) -> u32 {
    let container = s.at(r.container()).filter(|c| c.facts().shape() == Shape::WeakKeyDict);
    let Some(data) = container.and_then(|c| s.at(c.slot(0))) else { return NONE };
    let mut found = NONE;
    let mut key = 0xff;
    s.for_edges(data, |slot, edge| {
        if edge == r.weak() && slot % 2 == 0 {
            key = slot;
        } else if key != 0xff && slot == key + 1 {
            found = edge;
        }
    });
    found
}

#[cold]
fn entries(s: &mut Shadow, out: &mut Violations) {
    s.update_base();
    for at in 0..s.weakrefs().records().len() {
        let r = s.weakrefs().records()[at];
        let stored = stored_under(s, &r);
        let (Some(key), Some(value)) = (s.at(r.referent()).copied(), s.at(stored).copied()) else { continue };
        let rooted = |edge: u32| edge != NONE && s.reach().base().has(edge as usize - 1);
        if !r.is_live() || !key.held() || !value.held() || !rooted(r.container()) {
            continue;
        }
        // Take the value out of the dict, and look whether the key is still reachable.
        let reaches = s.leads(stored, r.referent() as usize - 1)
            && key.in_edges() > 0
            && !s.reaches_without(r.referent(), r.container());
        out.judge(Invariant::I40, s, !reaches, || {
            let (key, value) = (unpack(r.referent()), unpack(stored));
            Report::collector(key).other(value).documented(Expectation::NoEphemerons, s)
        });
    }
}

#[cold]
fn finalizes(s: &mut Shadow, out: &mut Violations) {
    for at in 0..s.weakrefs().records().len() {
        let r = s.weakrefs().records()[at];
        let finalize = r.callback();
        if !r.is_live() || s.keeps(&r) != Keeps::Registered {
            continue;
        }
        let called = s.at(finalize).map_or(NONE, |f| f.slot(0));
        let held = [called, r.referent()].into_iter().all(|edge| s.at(edge).is_some_and(|o| o.held()));
        if !held {
            continue;
        }
        // Take the `finalize` away, and look whether its object is still reachable.
        let reaches = s.leads(called, r.referent() as usize - 1) && !s.reaches_beside(r.referent(), finalize);
        out.judge(Invariant::I40, s, !reaches, || {
            Report::collector(unpack(r.referent())).other(unpack(called)).documented(Expectation::FinalizeOwns, s)
        });
    }
}
