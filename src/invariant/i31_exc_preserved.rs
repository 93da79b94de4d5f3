//! Verifies: a finalizer, callback, deallocator action or entry of `gc.callbacks` whose script raises is reported as
//! unraisable, once; and in a scenario without `raise` nothing is.
//!
//! Does not verify: exceptions that pass through `call` and iterations; a pending exception of the interrupted code.
//! That other callbacks still run after one that raised is I14.

use super::Invariant;
use super::about::About;
use super::findings::{Findings, Report};
use super::shadow::{Frame, NO_SCRIPT, NONE, Shadow, unpack};
use crate::event::{Code, ObjId};

pub(super) const ABOUT: About = About {
    name: "exc-preserved",
    statement: "Errors of finalizers, callbacks and deallocator actions become unraisable ones: they never vanish, and never \
                come from nowhere.",
    premises: "The script raises by itself.",
    not: "Pending exceptions of the interrupted code; exceptions that pass through calls.",
    promised: true,
    sentence: "the script of {object} raised {expected} times and {observed} were reported",
};

fn raises(s: &Shadow, frame: &Frame) -> bool {
    frame.script != NO_SCRIPT && frame.script < 64 && s.raising >> frame.script & 1 != 0
}

/// A script that ended and whose exception has not been reported yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    owner: u32,
}

impl Pending {
    pub fn start(&mut self) {
        self.owner = NONE;
    }

    pub fn left(&mut self, s: &Shadow, out: &mut Findings, frame: &Frame) {
        if frame.code == Code::Call {
            return;
        }
        if raises(s, frame) {
            if frame.raised {
                out.pass(Invariant::I31);
            } else {
                self.owner = frame.owner;
            }
        }
    }

    /// Another event than a snapshot's follows the end of a script.
    pub fn next(&mut self, s: &Shadow, out: &mut Findings) {
        if self.owner != NONE {
            let report = Report::collector(unpack(self.owner)).counts(1, 0);
            self.owner = NONE;
            out.fail(Invariant::I31, s, report);
        }
    }

    pub fn unraisable(&mut self, s: &mut Shadow, out: &mut Findings, owner: ObjId) {
        let id = owner.index() as u32 + 1;
        if self.owner == id {
            self.owner = NONE;
            out.pass(Invariant::I31);
            return;
        }
        let top = s.frames.len().wrapping_sub(1);
        let expected = match s.frames.get(top) {
            Some(frame) if frame.owner == id && !frame.raised => {
                let frame = *frame;
                s.frames[top].raised = true;
                raises(s, &frame) || s.traits.raises
            }
            _ => s.traits.raises && s.traits.nests,
        };
        out.judge(Invariant::I31, s, expected, || Report::collector(Some(owner)).counts(0, 1));
    }
}
