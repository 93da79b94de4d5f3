//! Verifies: in every snapshot, an untracked object with a GC header, that is not being deallocated, holds nothing that
//! the collector would have to follow.
//!
//! Does not verify: objects between two snapshots.

use super::Invariant;
use super::registry::Description;
use super::shadow::{Facts, Object, Shadow, unpack};
use super::violation::Class;
use super::violations::{Report, Violations};
use crate::event::{ObjId, Spot};
use crate::scenario::Shape;
use crate::subject::Needs;

pub(super) const DESCRIPTION: Description = Description {
    name: "tracked",
    statement: "An initialised object that can hold a reference to a trackable object is tracked, or holds only atomic values \
                now and is tracked again when that changes.",
    premises: "Kinds that are created untracked, and scenarios that untrack by hand, make it a type-fault.",
    not: "What happens between two snapshots.",
    promised: true,
    needs: Needs::SNAPSHOTS.and(Needs::LISTS).and(Needs::COUNTS),
    asks: &[],
    sentence: "{object} is untracked and holds {other}",
};

pub(super) fn snapshot(s: &Shadow, out: &mut Violations) {
    for id in &s.untracked {
        let Some(o) = s.at(*id) else { continue };
        let frame = s.frames.iter().any(|f| f.owner == *id);
        if !o.held() || frame || s.stream_unclear {
            continue;
        }
        let mut holds = None;
        s.for_edges(o, |_, edge| {
            let target = s.at(edge).filter(|t| t.held() && t.stamp == s.stamp);
            if target.is_some_and(|t| {
                t.spot != Spot::NoHeader && (t.facts.shape != Shape::Tuple || t.spot != Spot::Untracked)
            }) {
                holds = holds.or(unpack(edge));
            }
        });
        let by_hand = o.facts.is(Facts::UNTRACKED) || s.traits.tracks && o.facts.shape.is_extension();
        out.judge(Invariant::I23, s, holds.is_none() || o.is(Object::UNKNOWN_HOLDERS), || {
            let report = Report::collector(Some(ObjId::from_index(*id - 1))).other(holds);
            if by_hand { report.class(Class::TypeFault) } else { report }
        });
    }
}
