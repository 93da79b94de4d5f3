//! Verifies: a finalizer, callback, deallocator action or entry of `gc.callbacks` whose script raises is reported as
//! unraisable, once, when it has ended; and that nothing else is.
//!
//! Does not verify: a pending exception of the interrupted code; scripts that the limits on depth and steps cut short.
//! That other callbacks still run after one that raised is I14.

use super::Invariant;
use super::check::Check;
use super::description::{Description, Ground};
use super::shadow::{Frame, NONE, Shadow, unpack};
use super::violations::{Report, Violations};
use crate::event::{Code, ObjId};
use crate::scenario::{MAX_DEPTH, MAX_SCRIPT_STEPS};
use crate::subject::{Needs, Promise};

pub(super) struct I31;

impl Check for I31 {
    const DESCRIPTION: Description = Description {
        statement: "Errors of finalizers, callbacks and deallocator actions become unraisable ones: they never vanish, and never \
                    come from nowhere.",
        premises: "The script raises by itself.",
        not: "Pending exceptions of the interrupted code.",
        rests: &[Ground::Promise(Promise::ErrorsPrinted)],
        needs: Needs::ERRORS,
        asks: &[],
        sentence: "the script of {object} raised {expected} times and {observed} were reported",
    };
}

/// Scripts that ended and whose exceptions have not been reported yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    owner: u32,
    arg: u32,
    /// It may have ended before it could raise.
    cut: bool,
    code: Option<Code>,
    /// The owners of those that wait for the death of the arguments of the call, which die before the error is
    /// reported: a callback's weak reference, and up to 3.7 what waits in the trashcan, which the end of an argument
    /// tuple empties.
    aside: Vec<u32>,
}

impl Pending {
    pub fn start(&mut self) {
        self.owner = NONE;
        self.aside.clear();
    }

    pub fn left(&mut self, s: &Shadow, frame: &Frame) {
        if s.raises(frame) && !(mutant!(I31NotNested) && !s.user_code().is_idle()) {
            (self.owner, self.arg, self.code) = (frame.owner(), frame.arg(), Some(frame.code()));
            // Scripts nested too deep, or in a run that has done too much, end early.
            let code = s.user_code();
            self.cut = code.frames().len() + 1 >= MAX_DEPTH as usize || code.script_steps() > MAX_SCRIPT_STEPS;
        }
    }

    /// Another event than a snapshot's follows the end of a script; `dying` if it is a death, `last` if nothing that
    /// the script was part of can be going on any more.
    pub fn next(&mut self, s: &Shadow, out: &mut Violations, dying: Option<ObjId>, last: bool) {
        if last {
            for owner in self.aside.drain(..) {
                out.fail(Invariant::I31, s, Report::collector(unpack(owner)).counts(1, 0));
            }
        }
        if self.owner == NONE {
            return;
        }
        let waits = match self.code {
            Some(Code::GcCallback) => true,
            Some(Code::Callback) => dying.is_some(),
            _ => dying.is_some_and(|o| self.arg as usize == o.index() + 1),
        };
        if waits && !self.cut {
            self.aside.push(self.owner);
            self.owner = NONE;
            return;
        }
        let report = Report::collector(unpack(self.owner)).counts(1, 0);
        self.owner = NONE;
        if self.cut {
            out.skip(Invariant::I31);
        } else {
            out.fail(Invariant::I31, s, report);
        }
    }

    /// True if a script's error may still be reported.
    #[inline]
    pub fn is_waiting(&self) -> bool {
        self.owner != NONE || !self.aside.is_empty()
    }

    pub fn unraisable(&mut self, s: &Shadow, out: &mut Violations, owner: ObjId) {
        let raised = if self.owner == NONE { self.aside.pop().unwrap_or(NONE) } else { self.owner };
        let expected = raised as usize == owner.index() + 1;
        self.owner = NONE;
        out.judge(Invariant::I31, s, expected, || Report::collector(Some(owner)).counts(0, 1));
    }
}
