//! Verifies: in every snapshot, an untracked object with a GC header, that is not being deallocated, holds nothing that
//! the collector would have to follow.
//!
//! Does not verify: objects between two snapshots.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Facts, Object, Shadow, Trait, unpack};
use super::violation::Class;
use super::violations::{Report, Violations};
use crate::event::Spot;
use crate::scenario::Shape;
use crate::subject::{Needs, Promise};

pub(super) struct I23;

impl Check for I23 {
    const DESCRIPTION: Description = Description {
        statement: "An initialised object that can hold a reference to a trackable object is tracked, or holds only atomic values \
                    now and is tracked again when that changes.",
        premises: "Kinds that are created untracked, and scenarios that untrack by hand, make it a type-fault.",
        not: "What happens between two snapshots.",
        rests: &[Ground::Promise(Promise::Tracked)],
        needs: Needs::SNAPSHOTS.and(Needs::LISTS).and(Needs::COUNTS),
        asks: &[],
        sentence: "{object} is untracked and holds {other}",
    };

    #[inline]
    fn shown(s: &Shadow, out: &mut Violations) {
        if !s.snapshot().untracked().is_empty() {
            untracked(s, out);
        }
    }
}

/// Judges what the last snapshot has as untracked.
#[inline(never)]
fn untracked(s: &Shadow, out: &mut Violations) {
    for id in s.snapshot().untracked() {
        let Some(o) = s.at(*id) else { continue };
        let frame = s.user_code().frames().iter().any(|f| f.owner() == *id);
        if !o.held() || frame || s.confidence().is_stream_unclear() {
            continue;
        }
        let mut holds = None;
        s.for_edges(o, |_, edge| {
            let target = s.at(edge).filter(|t| t.held() && s.snapshot().shows(t));
            if target.is_some_and(|t| {
                t.spot() != Spot::NoHeader && (t.facts().shape() != Shape::Tuple || t.spot() != Spot::Untracked)
            }) {
                holds = holds.or(unpack(edge));
            }
        });
        let facts = o.facts();
        let by_hand = facts.is(Facts::UNTRACKED) || s.program().has(Trait::Tracks) && facts.shape().is_extension();
        out.judge(Invariant::I23, s, holds.is_none() || o.is(Object::UNKNOWN_HOLDERS), || {
            let report = Report::collector(unpack(*id)).other(holds);
            if by_hand { report.class(Class::TypeFault) } else { report }
        });
    }
}
