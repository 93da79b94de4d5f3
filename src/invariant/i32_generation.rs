//! Verifies: between snapshots a tracked object moves only to older lists; what a collection examined and left alive is in
//! the next older one; `tp_clear` is called only on objects of the collected generations, never on frozen ones.
//!
//! Does not verify: the incremental collector, whose spaces change places; extension objects in scenarios that track or
//! untrack by hand.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{NOT_IN_A_LIST, Object, Shadow, pack};
use super::violations::{Report, Violations};
use crate::event::{ObjId, Spot};
use crate::scenario::Shape;
use crate::subject::{Choice, Expectation, Needs, Promise};

pub(super) struct I32;

impl Check for I32 {
    const DESCRIPTION: Description = Description {
        statement: "An object only moves to older generations; frozen objects stay frozen and unvisited; a resurrected object goes \
                    to the old list.",
        premises: "Not 3.14.0 to 3.14.4 (incremental). An object saved by the finalizer that its deallocator ran is in generation \
                   0 again: unpromised, unless it was frozen.",
        not: "Objects tracked or untracked by hand.",
        rests: &[Ground::Promise(Promise::SurvivorsGrowOld), Ground::Promise(Promise::FrozenStays)],
        needs: Needs::UNREACHABLE,
        asks: &[Expectation::RetrackedYoung],
        sentence: "{object} is in generation {observed}, and {expected} was due",
    };

    #[inline]
    fn odd_line(s: &mut Shadow, out: &mut Violations, object: ObjId, refcount: u32, spot: Spot) {
        let seen = rank(spot);
        let Some(o) = s.get(object) else { return };
        let due = o.generation();
        if seen == due || spot == Spot::Collecting || !o.lives() || refcount == 0 {
            return;
        }
        if due == Spot::Permanent as u8 && seen == Spot::Gen2 as u8 && s.deeds().unfroze() {
            out.skip(Invariant::I32);
        } else if due != NOT_IN_A_LIST && seen < due {
            let edge = pack(Some(object));
            if s.user_code().frames().iter().any(|f| f.owner() == edge) {
                return;
            }
            moved_back(s, out, object, due, seen);
        }
        s.set_generation(object, seen);
    }

    #[inline]
    fn clearing(s: &mut Shadow, out: &mut Violations, object: ObjId) {
        let c = s.collection();
        let found = c.unreachable();
        if !found.is_ready() || !found.is_sound() || c.is_late() {
            out.skip(Invariant::I32);
            return;
        }
        out.judge(Invariant::I32, s, found.candidates().has(object.index()) || mutant!(I32ClearsOlder), || {
            let seen = s.get(object).map_or(0, |o| u32::from(o.generation()));
            Report::collector(Some(object)).counts(u32::from(c.generation()), seen)
        });
    }

    #[inline]
    fn collected(s: &mut Shadow, out: &mut Violations, _returned: u32, _uncollectable: u32) {
        let c = s.collection();
        if c.is_late()
            || mutant!(I32NotAutomatic) && c.is_automatic()
            || s.confidence().is_stream_unclear()
            || s.expectations().is(Choice::INCREMENTAL)
        {
            out.skip(Invariant::I32);
            return;
        }
        let due = (c.generation() + 1).min(2);
        let all = s.snapshot().shows_none_below(due);
        let passed = if all { c.unreachable().candidates().count() as u32 } else { stayed(s, out, due) };
        out.passes(Invariant::I32, passed);
    }
}

#[inline]
fn rank(spot: Spot) -> u8 {
    match spot {
        Spot::Gen0 | Spot::Gen1 | Spot::Gen2 | Spot::Permanent => spot as u8,
        Spot::Collecting | Spot::Untracked | Spot::NoHeader => NOT_IN_A_LIST,
    }
}

/// Judges a move to a younger place.
fn moved_back(s: &Shadow, out: &mut Violations, object: ObjId, due: u8, seen: u8) {
    let Some(o) = s.get(object) else { return };
    let extension = o.facts().shape().is_extension();
    let by_hand = o.is(Object::BY_HAND) || extension && s.deeds().script_tracked();
    if by_hand || s.confidence().is_stream_unclear() || s.expectations().is(Choice::INCREMENTAL) {
        out.skip(Invariant::I32);
        return;
    }
    let report = Report::collector(Some(object)).counts(u32::from(due), u32::from(seen));
    // That what is frozen is not frozen any more, no matter how, breaks a promise.
    let retracked = o.is(Object::FIN_AT_ZERO) && due != Spot::Permanent as u8;
    let report = if retracked { report.documented(Expectation::RetrackedYoung, s) } else { report };
    out.fail(Invariant::I32, s, report);
}

/// Judges the candidates that are not where survivors are due, and counts the others.
fn stayed(s: &Shadow, out: &mut Violations, due: u8) -> u32 {
    let c = s.collection();
    let mut passed = 0;
    for index in c.unreachable().candidates().iter() {
        let o = &s.objects().all()[index];
        if o.spot() as u8 >= due {
            passed += 1;
            continue;
        }
        let retracked = o.facts().shape() == Shape::Dict && c.scripts() > 0;
        if o.held() && s.snapshot().shows(o) && !retracked {
            moved_back(s, out, ObjId::from_index(index as u32), due, rank(o.spot()));
        } else {
            passed += 1;
        }
    }
    passed
}
