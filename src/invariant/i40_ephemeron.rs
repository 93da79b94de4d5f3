//! Verifies: after a full collection, a key of a weak-key dictionary is not kept alive by the value stored under it.
//!
//! Does not verify: values stored anew under a key that was there already. CPython never promised this (bpo-44680).

use super::Invariant;
use super::about::About;
use super::documented::Why;
use super::findings::{Findings, Report};
use super::shadow::{NONE, Shadow, unpack};
use crate::event::ObjId;

pub(super) const ABOUT: About = About {
    name: "ephemeron",
    statement: "An entry of a weak-key dictionary whose value reaches its key does not keep the key alive.",
    premises: "None; an expected failure of every release.",
    not: "Values stored under a key a second time.",
    promised: false,
    sentence: "{object} is kept alive by {other}, the value stored under it",
};

pub(super) fn collected(s: &mut Shadow, out: &mut Findings) {
    if s.col.generation != 2 || !s.weaks.iter().any(|r| r.value != NONE) {
        return;
    }
    s.update_base();
    for at in 0..s.weaks.len() {
        let r = s.weaks[at];
        let (Some(key), Some(value)) = (s.at(r.referent), s.at(r.value)) else { continue };
        let rooted = |edge: u32| edge != NONE && s.base.has(edge as usize - 1);
        if !r.live || !key.held() || !value.held() || !rooted(r.container) {
            continue;
        }
        let mut reaches = false;
        if !rooted(r.referent) && !rooted(r.value) {
            let mut set = std::mem::take(&mut s.scratch);
            set.reset(s.objects.len());
            s.closure(&mut set, &[r.value]);
            reaches = set.has(r.referent as usize - 1);
            s.scratch = set;
        }
        out.judge(Invariant::I40, s, !reaches, || {
            let key: Option<ObjId> = unpack(r.referent);
            Report::collector(key).other(unpack(r.value)).documented(Why::NoEphemerons, s)
        });
    }
}
