//! Verifies: when a collection has ended, nothing that a root reaches has been cleared; and the mutator never sees a
//! cleared object.
//!
//! Does not verify: objects held by roots that events do not tell of.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Object, Shadow, Trait};
use super::violations::{Report, Violations};
use crate::event::ObjId;
use crate::subject::{Expectation, Needs, Promise};

pub(super) struct I02;

impl Check for I02 {
    const DESCRIPTION: Description = Description {
        statement: "After a collection no object reachable from a root has been cleared.",
        premises: "An object that an earlier collection cleared and could not free (a neighbour of a type without `tp_clear`) and \
                   that is saved later is a type-fault, as is one that a lying `traverse` gave away. What only objects reach \
                   that `DEBUG_SAVEALL` has put into `gc.garbage` is documented.",
        not: "Roots that events do not tell of.",
        rests: &[Ground::Reachability, Ground::Promise(Promise::ReachableStays)],
        needs: Needs::UNREACHABLE,
        asks: &[Expectation::SaveAll],
        sentence: "{object} is reachable and has been cleared",
    };

    #[inline]
    fn saw_plainly(out: &mut Violations) {
        out.pass(Invariant::I02);
    }

    fn saw(s: &Shadow, out: &mut Violations, object: ObjId) {
        let Some(o) = s.get(object) else { return };
        if s.user_code().is_idle() && !mutant!(I02NotSeen) {
            out.judge(Invariant::I02, s, !o.is(Object::CLEARED), || report(s, object));
        }
    }

    #[inline]
    fn collection_ended(s: &mut Shadow, out: &mut Violations) {
        if !s.objects().some_cleared() || s.objects().cleared().next().is_none() {
            out.pass(Invariant::I02);
            return;
        }
        s.update_base();
        let saves_all = s.program().has(Trait::SavesAll);
        if saves_all {
            s.reach_without_saved();
        }
        let s = &*s;
        let mut held = true;
        for index in s.objects().cleared().filter(|index| s.reach().base().has(*index)) {
            held = false;
            let id = ObjId::from_index(index as u32);
            let saved = saves_all && !s.reach().found().has(index);
            let report = report(s, id);
            out.fail(Invariant::I02, s, if saved { report.documented(Expectation::SaveAll, s) } else { report });
        }
        if held {
            out.pass(Invariant::I02);
        }
    }
}

fn report(s: &Shadow, object: ObjId) -> Report {
    Report::collector(Some(object)).misled(s)
}
