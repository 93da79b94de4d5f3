//! Verifies: no collection calls `tp_clear` on an object twice, and no cleared object is used in a way that its type
//! does not stand.
//!
//! Does not verify: methods that no script calls. A function that has been cleared cannot be called from 3.8 on
//! (gh-91636; with a closure on every later release): reported as `collector`, since user code came by it.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Frame, Object, Shadow, unpack};
use super::violations::{Report, Violations};
use crate::event::{Code, ObjId, Undefined};
use crate::scenario::Shape;
use crate::subject::{Needs, Promise};

pub(super) struct I27;

impl Check for I27 {
    const DESCRIPTION: Description = Description {
        statement: "`tp_clear` is called at most once per collection and leaves an object on which the deallocator and every \
                    method are memory-safe.",
        premises: "None, but that the action of a deallocator which calls trash that is being cleared is a type-fault, unless it came \
                   by that through a weak reference.",
        not: "Methods that no script calls.",
        rests: &[Ground::MemorySafety, Ground::Promise(Promise::ValidAfterClear)],
        needs: Needs::NONE,
        asks: &[],
        sentence: "{object} {observed}",
    };

    #[inline]
    fn clear_called(s: &Shadow, out: &mut Violations, object: ObjId) {
        let Some(o) = s.get(object) else { return };
        let again = !mutant!(I27NotTwice) && o.is(Object::CLEARED_NOW) && s.collection().unreachable().is_ready();
        out.judge(Invariant::I27, s, !again, || {
            Report::collector(Some(object)).observed("was cleared twice in one collection")
        });
    }

    fn undefined(s: &Shadow, out: &mut Violations, reason: Undefined) {
        if reason == Undefined::CalledCleared {
            let caller = s.user_code().frames().last().map(Frame::owner).and_then(unpack);
            let report = Report::collector(caller).observed("met a function that was called after it had been cleared");
            out.fail(Invariant::I27, s, report.blame_type(is_own_fault(s)));
        }
    }
}

/// True if the action of a deallocator has called trash that is being cleared, and came by it on its own: what dies amid
/// cleared objects must expect them. Not if a weak reference has led there, or if it was no trash.
fn is_own_fault(s: &Shadow) -> bool {
    let c = s.collection();
    let acts = s.user_code().driver().is_some_and(|frame| frame.code() == Code::Dealloc);
    let trash = |index: usize| {
        let o = &s.objects().all()[index];
        o.is(Object::CLEARED_NOW) && !o.is(Object::ANSWERED) && c.unreachable().doomed().has(index)
    };
    let is_function = |index: &usize| s.objects().all()[*index].facts().shape() == Shape::Function;
    acts && c.runs() && s.objects().cleared().filter(is_function).all(trash)
}
